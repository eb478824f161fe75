"""What people write in Markdown becomes HTML that can do nothing."""

from __future__ import annotations

import re

import pytest

from gitreg.web.prose import prose

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java&#115;cript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "<svg onload=alert(1)>",
    "![a](https://example.com/pixel.png)",
    "[a](vbscript:x)",
    "[a](file:///etc/passwd)",
    "[a](//evil.example.com)",
    "<a href='javascript:alert(1)'>x</a>",
    "[a]: javascript:alert(1)\n\n[a]",
    '[a](https://example.com "\\" onmouseover=alert(1) x=\\"")',
    "| a |\n|:-:|\n| <b onclick=x> |",
    "```html\n</code></pre><script>x</script>\n```",
    '<https://example.com/"onclick=alert(1)>',
]
ALLOWED = re.compile(
    r"</?(p|h[3-6]|ul|ol|li|em|strong|s|code|pre|blockquote|table|thead|tbody|tr|th|td|hr|br)\s*/?>"
    r'|<code class="language-[\w-]+">|<ol start="\d+">|</?a>|<a href="(https?:|mailto:|#)[^"<>]*" rel="noreferrer nofollow">|</a>'
    r'|<div class="scroll" tabindex="0" role="group" aria-label="Table">|</div>'
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_but_plain_elements_comes_out(text: str) -> None:
    left = ALLOWED.sub("", str(prose(text)))
    assert "<" not in left, left


def test_what_is_meant_well_is_kept() -> None:
    made = str(prose("# Churn\n\n*so* [far](https://example.com/a?b=c&d)\n\n| a |\n|---|\n| 1 |\n\n- x"))
    assert "<h3>Churn</h3>" in made and "<em>so</em>" in made
    assert '<a href="https://example.com/a?b=c&amp;d"' in made
    assert "<td>1</td>" in made and "<li>x</li>" in made


def test_a_picture_is_a_link_and_loads_nothing() -> None:
    made = str(prose("![a curve](https://example.com/curve.png)"))
    assert "<img" not in made and ">a curve</a>" in made


def test_what_cannot_be_seen_is_shown() -> None:
    made = str(prose("a\u202eb \x1b[31m"))
    assert "\\u202e" in made and "\\x1b" in made


def test_a_long_text_is_shown_as_it_stands() -> None:
    made = str(prose("**x** " * 50_000))
    assert made.startswith("<pre>**x**") and "<strong>" not in made
