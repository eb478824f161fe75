from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yaml import YAMLError

from gitreg.domain.findings import Finding
from gitreg.errors import InvalidManifests
from gitreg.manifest import profile, scalars
from gitreg.manifest.edit import same
from gitreg.manifest.engine import ENGINE, PURE, Engine
from gitreg.manifest.source import Source
from gitreg.manifest.yaml import MAX_BYTES, MAX_DEPTH, load, parse
from tests.manifest import values

ENGINES = pytest.mark.parametrize("engine", [ENGINE, PURE], ids=["libyaml", "pure"])


def faults(data: bytes, engine: Engine = ENGINE) -> list[Finding]:
    with pytest.raises(InvalidManifests) as caught:
        parse(data, "f.yaml", engine)
    return list(caught.value.findings)


def places(data: bytes, engine: Engine = ENGINE) -> list[tuple[str, int, int]]:
    return [(one.code, one.line, one.column) for one in faults(data, engine)]


def test_libyaml_is_there() -> None:
    assert ENGINE is not PURE, "the two engines are compared below: PyYAML must have libyaml here"


@ENGINES
@pytest.mark.parametrize(
    ("text", "want"),
    [
        (b"a: 1\nb: 2\na: 3\n", [("GR005", 3, 1)]),
        (b"a:\n  b: {c: 1, 'c': 2}\n", [("GR005", 2, 13)]),
        (b"a: &x 1\nb: *x\n", [("GR006", 1, 4), ("GR006", 2, 4)]),
        (b"<<: {a: 1}\n", [("GR006", 1, 1)]),
        (b"a: !!python/object/apply:os.system [true]\n", [("GR006", 1, 4)]),
        (b"a: !x 1\n", [("GR006", 1, 4)]),
        (b"%YAML 1.1\n---\na: 1\n", [("GR006", 1, 1)]),
        (b"a: 1\n---\nb: 2\n", [("GR006", 2, 1)]),
        (b"a: 1\n...\n", [("GR006", 2, 1)]),
        (b"? a\n: b\n", [("GR006", 1, 1)]),
        (b"a: .nan\nb: -.inf\nc: .INF\n", [("GR008", 1, 4), ("GR008", 2, 4), ("GR008", 3, 4)]),
        (b"a: 1.0e+999\n", [("GR008", 1, 4)]),
        (b"a: " + b"9" * 5000 + b"\n", [("GR002", 1, 4)]),
        (b"a: 1" + b"0" * 400 + b"\n", [("GR002", 1, 4)]),
        (b"a: 0x" + b"f" * 16 + b"\n", [("GR002", 1, 4)]),
        (b"1: a\ntrue: b\nnull: c\n", [("GR009", 1, 1), ("GR009", 2, 1), ("GR009", 3, 1)]),
        (b"[a]: b\n", [("GR009", 1, 1)]),
        (b": b\n", [("GR003", 1, 1)]),
        (b"a:\tb\n", [("GR021", 1, 3)]),
        (b"a: b\tc\n", [("GR021", 1, 4)]),
        (b"a: b\x00\n", [("GR021", 1, 5)]),
        ("a: b\u2028c\n".encode(), [("GR021", 1, 5)]),
        ("a: b\x85c\n".encode(), [("GR021", 1, 5)]),
        (b"a: b\rc: d\n", [("GR021", 1, 5)]),
        (b"ok: 1\na: \xe9\n", [("GR001", 2, 4)]),
        ("a: 1\n".encode("utf-16"), [("GR001", 1, 1)]),
        (b"\xef\xbb\xbfa: 1\n", [("GR001", 1, 1)]),
        (b"a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", [("GR004", 2, 1)]),
        (b"a: b: c\n", [("GR003", 1, 5)]),
    ],
)  # fmt: skip
def test_faults_are_placed(text: bytes, want: list[tuple[str, int, int]], engine: Engine) -> None:
    if engine is PURE and text.startswith(b"a:") and b"\t" in text:
        want = [("GR003", 1, text.index(b"\t") + 1)]  # it gets stuck on a tab before anybody can see it
    assert places(text, engine) == want


@pytest.mark.parametrize(
    "text",
    ["NO", "y", "off", "012", "08", "1_000", "0b1", "0o17", "1:30", "12:30:45", "1e5", "1.5e5", "-.5", "+.5", "=",
     "2026-11-23", "2026-11-23T10:00:00Z", "1:2.3", "0x_1", "+0x1"],
)  # fmt: skip
def test_what_yaml_versions_read_differently_is_shown_quoted(text: str) -> None:
    (finding,) = faults(f"a: {text}\n".encode())
    assert finding.code == "GR007"
    assert f'"{text}"' in finding.help
    assert load(f'a: "{text}"\n'.encode()) == {"a": text}


@ENGINES
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("0", 0), ("-12", -12), ("+5", 5),
        ("0x1F", 31), ("1.5", 1.5), ("1.", 1.0), (".5", 0.5), ("1.0e-05", 1e-05), ("-0.0", -0.0), ("nope", "nope"),
        ("1.2.3", "1.2.3"), ("12a", "12a"), ("NaN", "NaN"), ("'it''s'", "it's"), ('"\\u00e9\\x41"', "éA"),
        ("runs:/a/b", "runs:/a/b"), ("a b", "a b"),
    ],
)  # fmt: skip
def test_plain_values(text: str, value: object, engine: Engine) -> None:
    got = parse(f"a: {text}\n".encode(), engine=engine).data
    assert same(got, {"a": value})


@ENGINES
def test_nothing_deep_reaches_the_parser(engine: Engine) -> None:
    assert [one.code for one in faults(b"[" * 100_000, engine)] == ["GR002"]
    assert [one.code for one in faults(b"- " * 100_000, engine)] == ["GR002"]
    assert [one.code for one in faults(b"{a: " * 100_000, engine)] == ["GR002"]
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert parse(deep, engine=engine).data is not None
    assert [one.code for one in faults(b"[" + deep + b"]", engine)] == ["GR002"]


def test_depth_by_indentation_is_bounded() -> None:
    lines = [f"{' ' * at}a:" for at in range(70)]
    assert {one.code for one in faults("\n".join(lines).encode())} == {"GR002"}


def test_size_is_checked_before_anything_is_parsed() -> None:
    assert [one.code for one in faults(b"[" * (11 << 20))] == ["GR002"]
    assert load(b"a: " + b"x" * (MAX_BYTES - 4) + b"\n")["a"].startswith("xxx")


def test_alias_bomb_is_cheap() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 30)]
    script = (
        "import resource, sys; from gitreg.manifest.yaml import parse; from gitreg.errors import InvalidManifests\n"
        "try: parse(sys.stdin.buffer.read())\n"
        "except InvalidManifests as error: print(error.findings[0].code)\n"
        "if sys.platform == 'linux':\n"  # there a child's ru_maxrss begins at its parent's
        "    lines = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "    print(int(lines['VmHWM'].split()[0]) < 100_000)\n"
        "else: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 100_000_000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="\n".join(lines).encode(),
        capture_output=True,
        timeout=10,
        check=True,
    )
    assert done.stdout.decode().split() == ["GR006", "True"]


def test_crlf_is_read_with_a_warning() -> None:
    document = parse(b'a: 1\r\nb: "x"\r\nc: |\r\n  y\r\n  z\r\n')
    assert document.data == {"a": 1, "b": "x", "c": "y\nz\n"}
    assert [(one.code, one.severity, one.line) for one in document.warnings] == [("GR010", "warning", 1)]


def test_a_document_start_is_harmless() -> None:
    assert load(b"---\na: 1\n") == {"a": 1}


def test_places_of_values_and_keys() -> None:
    document = parse("tags:\n  é: {b: [1, 'two']}\n".encode(), "f.yaml")
    assert document.locate(("tags", "é", "b", 1)) == (2, 14, 5, "  é: {b: [1, 'two']}")
    assert document.locate(("tags", "none", "x"))[:2] == (2, 3)
    finding = document.key_finding("GR011", "m", ("tags", "é"))
    assert (finding.line, finding.column, finding.length) == (2, 3, 1)


LINES = st.sampled_from(
    ["a: 1", "b: x # c", "c:", "  d: 2", "  - e", "- f", "g: |", "    text", "  more: \ttab", "h: [1, 2]", "i: {j: k}",
     "l: 'q'", 'm: "r\\n"', "# comment", "", "  # deep", "n: NO", "o: *p", "q: &r s", "<<: t", "1: u", "? v", ": w",
     "x: - y", "z: >-", "   fold", "aa: {b?: c}", "bb: [?d]", "cc: ?e", "dd: a?b", "---", "...", "ee: !!str f", "ff: .inf",
     "gg: 'multi", "  line'", "hh: plain", "   continued", "{", "}", "[", "]", "ii: {a: 1,", "  b: 2}", "jj: @", "kk: `",
     "ll: %", "%TAG", "mm: a:b", "nn: {a:b}", 'oo: {"a":b}', "pp: [a:b]", "\tqq: 1", "rr: 1 # a\tb", "ss: '\t'", "a: 2",
     "tt: -", "uu: --- x", "vv: [a, , b]", "ww: ''''", "xx: |+", "yy: |2", "zz: >+1", "ab: a#b", "ac: 'a'b", "ad: ,",
     "ae: [-]", "af: [- a]", "ag: {-: a}", "ah: a: b", "ai : b", '"aj" : c', "ak:b", "al: {a}", "am: [a: b, c]",
     "an: {? a : b}", "ao: 'x' # y", "ap: \"\\ud800\"", "aq: \"\\q\"", "ar: \"\\U00110000\"", "y: 3", "as: on", "at: ~"],
)  # fmt: skip


def _verdict(data: bytes, engine: Engine) -> object:
    try:
        return ("fine", parse(data, engine=engine).data)
    except InvalidManifests:
        return "refused"


@values.steady(max_examples=500)
@given(st.lists(LINES, max_size=7), st.sampled_from(["\n", "\n  ", "\n- "]))
@example(["aa: {b?: c}"], "\n")
@example(["z: >-", "\tqq: 1"], "\n  ")
@example(["z: |", "    a", "  \tb"], "\n")
@example(["z: |", "    a", "    \tb"], "\n")
@example(["z: |\t"], "\n")
@example(["z: | \t# c"], "\n")
@example(["z: >#"], "\n")
def test_both_parsers_give_the_same_verdict(lines: list[str], glue: str) -> None:
    data = (glue.join(lines) + "\n").encode()
    assert _verdict(data, ENGINE) == _verdict(data, PURE)


@values.steady(max_examples=300)
@given(st.text(alphabet="ab1:-?[]{},#&*!|>'\"%@` \n\t~.eN<=", max_size=25))
def test_both_parsers_give_the_same_verdict_on_noise(text: str) -> None:
    assert _verdict(text.encode(), ENGINE) == _verdict(text.encode(), PURE)


@values.steady(max_examples=500)
@given(st.lists(LINES, max_size=7), st.sampled_from(["\n", "\n  "]))
def test_the_fast_look_never_passes_what_the_exact_one_refuses(lines: list[str], glue: str) -> None:
    text = glue.join(lines) + "\n"
    if profile.fine_pattern().fullmatch(text):
        try:
            profile.judge(Source(text, "f"), ENGINE, max_depth=MAX_DEPTH)
        except InvalidManifests:
            with pytest.raises(YAMLError):
                ENGINE.compose(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(-0.0)
@example(5e-324)
@example(1e22)
def test_numbers_round_trip_in_yaml_1_1_and_1_2(value: float) -> None:
    import yaml

    text = scalars.number(value)
    assert scalars.plain_type(text) == "float"
    assert same(load(f"a: {text}\n".encode()), {"a": value})
    assert same(yaml.safe_load(f"a: {text}\n"), {"a": value})


@values.steady(max_examples=300)
@given(st.text(max_size=40))
def test_quoted_text_round_trips(text: str) -> None:
    import yaml

    for written in (scalars.quoted(text), scalars.word(text)):
        assert load(f"a: {written}\n".encode()) == {"a": text}
        assert yaml.safe_load(f"a: {written}\n") == {"a": text}
        assert load(f"a: [{written}, {{b: {written}}}]\n".encode()) == {"a": [text, {"b": text}]}
