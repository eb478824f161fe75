"""B01–B12, B14: texts outside of the strict YAML profile, refused by the same verdict at every entry point."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.acceptance.manifests import VERSION, Broken, after, alone, everywhere, put
from tests.acceptance.standard import (
    INVALID,
    Outcome,
    Site,
    clean,
    gitreg_command,
    unchanged,
)

V1 = "models/fraud/versions/1.yaml"
MEGABYTE = 1_000_000
# CPU seconds and peak memory (bytes) of a child, measured from outside: the machine may be busy.
_MEASURE = (
    "import json,resource,subprocess,sys\n"
    "code=subprocess.run(sys.argv[2:]).returncode\n"
    "used=resource.getrusage(resource.RUSAGE_CHILDREN)\n"
    "unit=1 if sys.platform=='darwin' else 1024\n"
    "json.dump([used.ru_utime+used.ru_stime,used.ru_maxrss*unit],open(sys.argv[1],'w'))\n"
    "sys.exit(code)"
)


def cheaply(site: Site, *args: str) -> Outcome:
    """Run gitreg; it must take under 1 s of CPU and 100 MB."""
    report = site.root.parent / "measured.json"
    outcome = clean(
        gitreg_command(*args, at=site.root, wrapped=[sys.executable, "-c", _MEASURE, str(report)])
    )
    seconds, peak = json.loads(report.read_text())
    assert seconds < 1.0, f"{seconds:.2f} s of CPU: {outcome}"
    assert peak < 100 * MEGABYTE, f"{peak / MEGABYTE:.0f} MB: {outcome}"
    return outcome


def refused_cheaply(site: Site, data: bytes, code: str) -> None:
    """Commit ``data`` as a manifest by hand; every look at it must be refused, at little cost."""
    put(site, {V1: data})
    site.git("commit", "--quiet", "-m", "by hand")
    with unchanged(site.root):
        for args in (["check"], ["check", "--rev", "HEAD"]):
            outcome = cheaply(site, *args)
            assert outcome.code == 1 and f"error[{code}]" in outcome.out, outcome
        for args in (["show", "fraud/1"], ["transition", "fraud/1", "Staging"]):
            outcome = cheaply(site, *args)
            assert outcome.code == INVALID and f"{V1}" in outcome.err and code in outcome.err, outcome


def bomb() -> bytes:
    """An alias bomb of a billion items."""
    rows = [b"x-a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghi"
    for one, other in pairwise(names):
        rows.append(f"x-{other}: &{other} [{', '.join([f'*{one}'] * 9)}]".encode())
    return VERSION + b"\n".join(rows) + b"\n"


def test_B01_duplicate_key(site: Site) -> None:
    everywhere(
        site,
        [
            after(b"tags:\n  team: growth\n  team: risk\n", "GR005", "line 6", line=7),
            after(b"source: s3://other\n", "GR005", "line 4", line=5),
            after(b'params: {a: "1", a: "2"}\n', "GR005", "line 5"),
            after(b'params:\n  "a": one\n  a: two\n', "GR005", "line 6", line=7),
            after(b"x-free:\n  - k: 1\n    k: 2\n", "GR005", "line 6", line=7),
            Broken(data=b"version: 1\n" + VERSION, code="GR005", says=("line 1",), line=2),
        ],
    )


def test_B02_alias_bomb(site: Site) -> None:
    refused_cheaply(site, bomb(), "GR006")


def test_B03_100000_brackets(site: Site) -> None:
    refused_cheaply(site, VERSION + b"x-deep: " + b"[" * 100_000 + b"\n", "GR002")


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"{" * 100_000,
        VERSION + b"x-deep: " + b"{a: " * 100_000,
        VERSION + b"x-deep: " + b"[" * 100_000 + b"]" * 100_000 + b"\n",
        VERSION + b"x-deep:\n" + b"".join(b" " * n + b"a:\n" for n in range(1, 1000)),
        VERSION + b"x-deep:\n  " + b"- " * 100_000 + b"a\n",
        VERSION + b"x-deep: " + b"[" * 65 + b"]" * 65 + b"\n",
        VERSION + b"? " * 100_000 + b"a\n",
    ],
)
def test_B03_depth_further(data: bytes) -> None:
    assert {"GR002", "GR003", "GR006"} & set(alone(data))


def test_B03_depth_that_is_fine() -> None:
    assert alone(VERSION + b"x-deep: " + b"[" * 60 + b"]" * 60 + b"\n") == []


def test_B04_tags_that_name_code(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    run = f"!!python/object/apply:os.system ['touch {marker}']".encode()
    everywhere(
        site,
        [
            after(b"x-a: " + run + b"\n", "GR006", "a tag", line=5),
            after(b"x-a: !!python/name:os.system ''\n", "GR006"),
            after(b"x-a: !!python/object/new:os.system [x]\n", "GR006"),
            after(b"x-a: !!binary aGFsbG8=\n", "GR006"),
            after(b"x-a: !local x\n", "GR006"),
            after(b"x-a: ! x\n", "GR006"),
            after(b"x-a: !<tag:yaml.org,2002:str> x\n", "GR006"),
            Broken(data=b"!!map\n" + VERSION, code="GR006"),
            Broken(data=b"%TAG ! tag:x,2000:\n---\n" + VERSION, code="GR006"),
        ],
    )
    assert not marker.exists()


def test_B05_anchors_aliases_and_merge_keys(site: Site) -> None:
    everywhere(
        site,
        [
            after(b"params: &p\n  a: b\n", "GR006", "anchor", line=5),
            after(b"x-a: &a 1\nx-b: *a\n", "GR006", "alias", line=6),
            after(b"x-a: &a {k: v}\nx-b:\n  <<: *a\n", "GR006"),
            after(b"x-b: {<<: {k: v}}\n", "GR006", "merge key"),
            after(b"x-a: *nowhere\n", "GR006"),
            after(b"&k x-a: 1\n", "GR006"),
        ],
    )


def test_B06_not_a_number(site: Site) -> None:
    texts = [b".nan", b".inf", b"-.inf", b"+.INF", b".NaN", b".Inf"]
    everywhere(site, [after(b"metrics:\n  loss: " + text + b"\n", "GR008", '"', line=6) for text in texts])
    assert alone(VERSION + b"metrics:\n  loss: .nan\n  gain: .inf\n").count("GR008") == 2
    assert alone(VERSION + b'metrics:\n  loss: "NaN"\n  a: "Infinity"\n  b: "-Infinity"\n') == []


def test_B07_5000_digits(site: Site) -> None:
    refused_cheaply(site, VERSION + b"metrics:\n  n: " + b"9" * 5000 + b"\n", "GR002")


def test_B08_10_to_the_400(site: Site) -> None:
    huge = str(10**400).encode()
    everywhere(
        site,
        [
            after(b"metrics:\n  n: " + huge + b"\n", "GR002", line=6),
            after(b"metrics:\n  n: -" + huge + b"\n", "GR002"),
            after(b"metrics:\n  n: 1" + b"0" * 18 + b"\n", "GR002"),
            after(b"artifact:\n  size: " + huge + b"\n", "GR002"),
            after(b"metrics:\n  n: 1.0e+400\n", "GR008"),
            Broken(data=VERSION.replace(b"version: 1", b"version: " + huge), code="GR002", line=1),
        ],
    )


def test_B09_scalars_that_two_yamls_read_differently(site: Site) -> None:
    texts = [
        "NO",
        "1:30",
        "012",
        "yes",
        "on",
        "1e5",
        "0o17",
        "0b11",
        "1_000",
        "12:30:45",
        "2026-01-15",
        "y",
        "=",
        "Off",
    ]
    everywhere(
        site,
        [after(f"params:\n  country: {text}\n".encode(), "GR007", f'"{text}"', line=6) for text in texts],
    )
    assert alone(VERSION + b"params:\n  NO: x\n") == ["GR007"]
    for text in texts:
        assert alone(VERSION + f'params:\n  country: "{text}"\n'.encode()) == []


def test_B09_type_other_than_text(site: Site) -> None:
    texts = ["6", "1.5", "true", "null", "~", "[a]", "{a: b}"]
    everywhere(
        site, [after(f"params:\n  depth: {text}\n".encode(), "GR014", "depth", line=6) for text in texts]
    )


def test_B10_two_documents(site: Site) -> None:
    everywhere(
        site,
        [
            after(b"---\n" + VERSION, "GR006", "second document", line=5),
            after(b"...\n", "GR006"),
            after(b"---\n", "GR006"),
            Broken(data=b"---\n---\n" + VERSION, code="GR006"),
        ],
    )


def test_B11_conflict_markers(site: Site) -> None:
    sides = b"<<<<<<< HEAD\ndescription: one\n=======\ndescription: two\n>>>>>>> topic\n"
    everywhere(
        site,
        [
            after(sides, "GR004", "unresolved merge in", line=5),
            after(b"||||||| base\n" + sides, "GR004", line=5),
            after(b"description: two\n>>>>>>> topic\n", "GR004", line=6),
            Broken(data=sides + VERSION, code="GR004", line=1),
            Broken(data=VERSION.replace(b"\n", b"\r\n") + sides, code="GR004", line=5),
        ],
    )
    outcome = clean(gitreg_command("check", at=site.root))
    assert "unresolved merge in models/m0/versions/1.yaml:5" in outcome.out


def test_B11_real_merge_conflict(site: Site) -> None:
    site.git("switch", "--quiet", "-c", "topic")
    _describe(site, "ours")
    site.git("switch", "--quiet", "main")
    _describe(site, "theirs")
    site.git("merge", "topic", check=False)
    outcome = site.run("check")
    assert outcome.code == 1 and "unresolved merge" in outcome.out and V1 in outcome.out, outcome


def _describe(site: Site, text: str) -> None:
    file = site.file(V1)
    file.write_text(file.read_text() + f"description: {text}\n")
    site.commits_by_hand()


def test_B12_encodings(site: Site) -> None:
    text = (VERSION + b"description: caf\n").decode()
    everywhere(
        site,
        [
            Broken(data=VERSION + b"description: caf\xe9\n", code="GR001", says=("0xe9",), line=5),
            Broken(data=text.encode("utf-16"), code="GR001", says=("UTF-16",)),
            Broken(data=b"\xfe\xff" + text.encode("utf-16-be"), code="GR001", says=("UTF-16",)),
            Broken(data=text.encode("utf-16-le"), code="GR021"),
            Broken(data=b"\xef\xbb\xbf" + VERSION, code="GR001", says=("byte order mark",), line=1),
            Broken(data=VERSION + b"description: a\xed\xa0\x80b\n", code="GR001", line=5),
            Broken(data=VERSION + b"description: \xc0\xaf\n", code="GR001", line=5),
            Broken(data=VERSION + b"description: a\x00b\n", code="GR021", says=("U+0000",), line=5),
            Broken(data=VERSION + b"description: a\x1b[31mb\n", code="GR021", says=("U+001B",), line=5),
            Broken(data=VERSION + b"description: a\xc2\x9bb\n", code="GR021", line=5),
            Broken(data=VERSION + b"description: a\rb\n", code="GR021", line=5),
            Broken(data=VERSION + b"description:\ta\nx-a:\n\t- b\n", code="GR021"),
        ],
    )


def test_B14_11_MB(site: Site) -> None:
    # Were it parsed it would take 10 s: the alias bomb inside would be met, too.
    data = bomb() + b"description: " + b"x" * 11_000_000 + b"\n"
    refused_cheaply(site, data, "GR002")


def test_B14_the_limit_itself() -> None:
    room = (1 << 20) - len(VERSION) - len(b"x-a: \n")
    assert alone(VERSION + b"x-a: " + b"x" * room + b"\n") == []
    assert alone(VERSION + b"x-a: " + b"x" * (room + 1) + b"\n") == ["GR002"]
