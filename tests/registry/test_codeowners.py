"""The CODEOWNERS that the policy makes, read back by what reads it for the policy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.settings import Approvals, PolicySettings, Settings, Stage
from gitreg.errors import Conflict
from gitreg.manifest.layout import Layout
from gitreg.policy.codeowners import Dialect, parse
from gitreg.registry.codeowners import PLACES, Owned, _owned, block, laid_in

DIALECTS: tuple[Dialect, ...] = ("github", "gitlab", "gitea")
OWNERS = st.sampled_from(
    ["@ada", "@org/team", "@group/sub/team", "grace@example.com", "a.b+c@x.org", "@@maintainer"]
)
SOME = st.lists(OWNERS, max_size=3, unique=True).map(tuple)
NAMES = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp"), exclude_characters="/:"),
    min_size=1,
    max_size=8,
)
FOLDERS = st.sampled_from(
    ["", "ml/", "a b/", "we[i]rd*/(x)+{y}/", "back\\slash#/", "x.y?/", "tab\there/", "ünïcode\u3000/"]
)


def approvals(names: tuple[str, ...]) -> Approvals | None:
    return Approvals(approvers=names) if names else None


@given(
    staging=SOME,
    production=SOME,
    policy=st.none() | SOME,
    models=st.dictionaries(NAMES.filter(lambda name: name.strip() == name), SOME, max_size=4),
    prefix=FOLDERS,
    dialect=st.sampled_from(DIALECTS),
    kind=st.sampled_from(["flat", "sharded"]),
    around=st.sampled_from([b"", b"* @everybody\n", b"[Docs] @writers\ndocs/\n", b"# none"]),
)
def test_what_is_written_is_read(
    staging: tuple[str, ...],
    production: tuple[str, ...],
    policy: tuple[str, ...] | None,
    models: dict[str, tuple[str, ...]],
    prefix: str,
    dialect: Dialect,
    kind: str,
    around: bytes,
) -> None:
    stages = (
        Stage(name="Staging", approvals=approvals(staging)),
        Stage(name="Production", approvals=approvals(production)),
    )
    rules = PolicySettings(approvals=None if policy is None else approvals(policy))
    settings = Settings(stages=stages, policy=rules)
    layout = Layout("sharded" if kind == "sharded" else "flat")
    folders = {}
    for name, owners in models.items():
        try:
            folders[layout.model_dir(name)] = owners
        except Exception:  # a name that is refused
            continue
    place = PLACES[dialect][0]
    named = [(folder, owners) for folder, owners in folders.items() if owners]
    owned = [each for each in _owned(settings, named, prefix, (place,)) if each.owners]
    text = laid_in(around, block(owned, dialect), place)
    assert text.startswith(around)
    theirs = parse(around, dialect)
    read = parse(text, dialect)
    asked = {*staging, *production}
    expected = {f"{prefix}{folder}/versions/12.yaml": asked | {*owners} for folder, owners in folders.items()}
    whom = set(policy) if policy else {*(staging or production)}
    if whom:
        expected |= {
            f"{prefix}{name}": whom for name in ("gitreg.yaml", "gates/a b.json", "keys/allowed_signers")
        }
        expected[place] = whom
    for path, owners in expected.items():
        # Where every line counts, or every section, those of other people's lines have a say as well.
        more = {*theirs.owners_of(path)} if dialect != "github" or not owners else set()
        assert {*read.owners_of(path)} == owners | more, (path, text.decode("utf-8", "replace"))
    for path in ("README.md", f"{prefix}docs/x.md", f"{prefix}models.txt", "other/gitreg.yaml"):
        assert {*read.owners_of(path)} == {*theirs.owners_of(path)}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_it_looks_so(dialect: Dialect) -> None:
    owned = [
        Owned(path="ml reg/models/", owners=("@ml/leads", "ada@example.com")),
        Owned(path="ml reg/gitreg.yaml", owners=("@ml/leads",)),
    ]
    section = "[gitreg]\n" if dialect == "gitlab" else ""
    lines = {
        "gitea": "ml.reg/models/.* @ml/leads ada@example.com\nml.reg/gitreg[.]yaml @ml/leads\n",
        "github": "/ml\\ reg/models/ @ml/leads ada@example.com\n/ml\\ reg/gitreg.yaml @ml/leads\n",
    }
    shown = lines.get(dialect, lines["github"])
    assert block(owned, dialect) == (
        '# gitreg begin: made by "gitreg codeowners --write", edits below are lost\n'
        f"{section}{shown}# gitreg end\n"
    )


class TestLaidIn:
    OURS = "# gitreg begin: new\n/models/ @b\n# gitreg end\n"

    def test_into_nothing(self) -> None:
        assert laid_in(None, self.OURS, "CODEOWNERS") == self.OURS.encode()

    def test_what_people_wrote_stays(self) -> None:
        before = b"* @all\r\n# gitreg begin: old\n/models/ @a\n# gitreg end\n\xff docs/ @c"
        after = laid_in(before, self.OURS, "CODEOWNERS")
        assert after == b"* @all\r\n" + self.OURS.encode() + b"\xff docs/ @c"
        assert laid_in(after, self.OURS, "CODEOWNERS") == after

    @pytest.mark.parametrize("before", [b"* @all", b"* @all\n"])
    def test_at_the_end(self, before: bytes) -> None:
        assert laid_in(before, self.OURS, "CODEOWNERS") == b"* @all\n\n" + self.OURS.encode()

    @pytest.mark.parametrize(
        "before",
        [
            b"# gitreg begin\n",
            b"# gitreg end\n",
            b"# gitreg end\n# gitreg begin\n",
            b"# gitreg begin\n# gitreg end\n" * 2,
        ],
    )
    def test_marks_that_do_not_pair(self, before: bytes) -> None:
        with pytest.raises(Conflict, match="do not pair"):
            laid_in(before, self.OURS, "CODEOWNERS")
