"""Pages as HTML, with the frame around each made once: it is the same on thousands of them."""

from __future__ import annotations

from functools import cache
from uuid import uuid4

from jinja2.nodes import Block, Extends, Output
from markupsafe import escape

from gitreg.web.identity import Role
from gitreg.web.pages.look import Look, Page, html
from gitreg.web.rendering import environment

_FRAME = "site_frame.html"


class Frames:
    """Frames of pages, as ``look.html`` would make each of them anew."""

    def __init__(self) -> None:
        self._title, self._content = f"title-{uuid4()}", f"content-{uuid4()}"  # nobody has written these
        self._known: dict[tuple[str, str], tuple[str, str, str]] = {}

    def html(self, page: Page, look: Look) -> str:
        """The page as HTML.

        Args:
            page: What it shows.
            look: At a site: its frame depends on where the page lies and on its section alone.
        """
        if not _framed(page.template):
            return html(page, look)
        template = environment().get_template(page.template)
        before, between, after = self._frame(page, look)
        values = {
            "page": page,
            "look": look,
            "links": look.links,
            "settings": look.settings,
            "stage_names": [stage.name for stage in look.settings.stages],
            "Role": Role,
            "m": environment().get_template("macros.html").module,
            **page.values,
        }
        content = "".join(template.blocks["content"](template.new_context(values)))
        title = escape(environment().finalize(page.title))  # type: ignore[misc]  # there is one
        return f"{before}{title}{between}{content}{after}"

    def _frame(self, page: Page, look: Look) -> tuple[str, str, str]:
        key = (look.links.root, page.section)
        if key not in self._known:
            empty = Page(
                template=_FRAME, title=self._title, section=page.section, values={"mark": self._content}
            )
            before, rest = html(empty, look).split(self._title)
            between, after = rest.split(self._content)
            self._known[key] = (before, between, after)
        return self._known[key]


@cache
def _framed(template: str) -> bool:
    """Whether a template has nothing of its own but the content: no other block, no import, no macro."""
    made = environment()
    assert made.loader is not None
    body = made.parse(made.loader.get_source(made, template)[0]).body
    blocks = [each.name for each in body if isinstance(each, Block)]
    return blocks == ["content"] and all(isinstance(each, Block | Extends | Output) for each in body)
