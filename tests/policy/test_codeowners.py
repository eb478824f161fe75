"""Who owns a path, as each hosting service documents it."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.policy.codeowners import Dialect, dialect_of, parse


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "a/b/c.yaml", True),
        ("*.yaml", "a/b/c.yaml", True),
        ("/models/", "models/churn/model.yaml", True),
        ("models/", "sub/models/churn/model.yaml", True),
        ("/models/", "sub/models/churn/model.yaml", False),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("apps/", "x/apps/y/z", True),
        ("/models/churn", "models/churn/versions/1.yaml", True),
        ("/models/churn", "models/churn-eu/versions/1.yaml", False),
        ("**/versions", "models/churn/versions/1.yaml", True),
        ("models/**/1.yaml", "models/churn/versions/1.yaml", True),
        ("models/?hurn/", "models/churn/model.yaml", True),
        ("models/with\\ space/", "models/with space/model.yaml", True),
        ("!models/", "models/a", False),
        ("[ab]*", "a", False),
    ],
)
def test_patterns_of_GitHub(pattern: str, path: str, owned: bool) -> None:
    assert (parse(f"{pattern} @ann\n".encode(), "github").owners_of(path) == ("@ann",)) is owned


def test_the_last_match_wins() -> None:
    owners = parse(b"# all\n* @all # everybody\n/models/ @ml @ann\n/models/open/\n", "github")
    assert owners.owners_of("README.md") == ("@all",)
    assert owners.owners_of("models/churn/model.yaml") == ("@ml", "@ann")
    assert owners.owners_of("models/open/model.yaml") == (), "nobody in particular"


def test_sections_of_GitLab_each_have_a_say() -> None:
    text = b"""* @all
[Models][2] @ml
/models/
/models/churn/ @churn
^[Docs]
*.md @writers
[models]
/models/fraud/ @fraud
"""
    owners = parse(text, "gitlab")
    assert owners.owners_of("models/a/model.yaml") == ("@all", "@ml")
    assert owners.owners_of("models/churn/README.md") == ("@all", "@churn", "@writers")
    assert owners.owners_of("models/fraud/model.yaml") == ("@all", "@fraud"), "sections of one name are one"


def test_expressions_of_Gitea_all_count() -> None:
    owners = parse(b".*\\.yaml @yaml\nmodels/churn/.* @churn\n!models/.* @rest\n( @broken\n", "gitea")
    assert owners.owners_of("models/churn/1.yaml") == ("@yaml", "@churn")
    assert owners.owners_of("README.md") == ("@rest",)


def test_an_expression_that_takes_for_ever_owns_nothing() -> None:
    began = time.thread_time()
    assert parse(b"(a+)+ @slow\n", "gitea").owners_of("a" * 40 + "!") == ()
    assert time.thread_time() - began < 1.0


@pytest.mark.parametrize(
    ("path", "forge", "dialect"),
    [
        (".github/CODEOWNERS", "gitlab", "github"),
        (".gitlab/CODEOWNERS", "auto", "gitlab"),
        (".gitea/CODEOWNERS", "auto", "gitea"),
        ("CODEOWNERS", "gitlab", "gitlab"),
        ("docs/CODEOWNERS", "auto", "github"),
    ],
)
def test_the_dialect(path: str, forge: str, dialect: str) -> None:
    assert dialect_of(path, forge) == dialect


def test_what_is_no_text() -> None:
    assert parse(b"\xff\xfe\0 @a\n\n\n#\n", "github").owners_of("a") == ()


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("models/churn/", "models/churn/model.yaml", True),
        ("models/churn/", "sub/models/churn/model.yaml", False),
        ("/*", "gitreg.yaml", True),
        ("/*", "models/churn/model.yaml", False),
        ("models/**", "models/churn/model.yaml", True),
        ("**", "models/churn/model.yaml", True),
        ("/mod**.yaml", "models/churn/model.yaml", False),
        ("models/churn*", "models/churn/model.yaml", False),
        ("Models/", "models/churn/model.yaml", False),
        ("models/churn/model.yam", "models/churn/model.yaml", False),
        ("m.dels/", "models/churn/model.yaml", False),
        ("\\#models/", "#models/churn", False),
        ("/", "models/churn", False),
    ],
)
def test_more_patterns_of_GitHub(pattern: str, path: str, owned: bool) -> None:
    assert (parse(f"{pattern} @ann\n".encode(), "github").owners_of(path) == ("@ann",)) is owned


def test_GitHub_leaves_out_a_line_with_an_owner_that_is_none() -> None:
    owners = parse(b"* @all\n/models/ @ann nobody\n/gates/ bob@example.com\n", "github")
    assert owners.owners_of("models/a") == ("@all",)
    assert owners.owners_of("gates/a") == ("bob@example.com",)


def test_GitHub_does_not_read_a_file_that_is_too_large() -> None:
    text = b"* @ann\n"
    assert parse(text + b"#" * (3 * 1024 * 1024 - len(text)), "github").owners_of("a") == ("@ann",)
    assert parse(text + b"#" * (3 * 1024 * 1024), "github").owners_of("a") == ()


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "a/.b/c", True),
        ("README.md", "models/churn/README.md", True),
        ("churn/README.md", "models/churn/README.md", True),
        ("/churn/README.md", "models/churn/README.md", False),
        ("/models/", "models/churn/versions/1.yaml", True),
        ("models/", "sub/models/churn/model.yaml", True),
        ("/models", "models/churn/model.yaml", False),
        ("/models/*", "models/README.md", True),
        ("/models/*", "models/churn/README.md", False),
        ("/models/**/*.yaml", "models/a.yaml", True),
        ("/models/**/*.yaml", "models/churn/versions/1.yaml", True),
        ("/models/**", "models/churn/versions/1.yaml", False),
        ("/models/?hurn/", "models/churn/a", True),
        ("/models/[bc]hurn/", "models/churn/a", True),
        ("/models/[!bc]hurn/", "models/churn/a", False),
        ("/models/[a-d]hurn/", "models/churn/a", True),
        ("/models[/]churn/", "models/churn/a", False),
        ("/models/[c/", "models/churn/a", False),
        ("/models/\\*/", "models/*/a", True),
        ("/with\\ space/", "with space/a", True),
        ("\\#a/", "#a/b", True),
    ],
)
def test_patterns_of_GitLab(pattern: str, path: str, owned: bool) -> None:
    assert (parse(f"{pattern} @ann\n".encode(), "gitlab").owners_of(path) == ("@ann",)) is owned


def test_sections_of_GitLab() -> None:
    text = b"""[A] @a @@maintainer
/models/
/models/open/ @open
!/models/open/draft/
[B][2] @b nobody
*.yaml
^[C]
*.yaml
[D]no owners
"""
    owners = parse(text, "gitlab")
    assert owners.owners_of("models/a") == ("@a", "@@maintainer")
    assert owners.owners_of("models/open/a.yaml") == ("@open", "@b"), "[C] has a line, and nobody in it"
    assert owners.owners_of("models/open/draft/a.yaml") == ("@b",), "what is left out comes not back"


@pytest.mark.parametrize(
    ("line", "path", "owned"),
    [
        (r"models/.*\\.yaml @ann", "models/a.yaml", True),
        (r"models/.*\\.yaml @ann", "models/a_yaml", False),
        (r"models/.*\.yaml @ann", "models/a_yaml", True),  # there a backslash takes itself away
        ("models @ann", "models/a", False),
        ("odels/.* @ann", "models/a", False),
        ("models/a|nothing @ann", "models/abc", True),  # it is put between ^ and $ without a group
        ("!docs/.* @ann", "models/a", True),
        ("!docs/.* @ann", "docs/a", False),
        ("models/.* #@ann", "models/a", False),
        (r"with\ space/.* @ann", "with space/a", True),
        ("models/.*", "models/a", False),
    ],
)
def test_expressions_of_Gitea(line: str, path: str, owned: bool) -> None:
    assert (parse(f"{line}\n".encode(), "gitea").owners_of(path) == ("@ann",)) is owned


def test_B20_where_it_cannot_be_told_nobody_owns() -> None:
    """Not even whom an earlier line names: the later one might have taken it from them."""
    stars = b"*a" * 60
    owners = parse(b"* @all\n" + stars + b"b @ml\n", "github")
    began = time.thread_time()
    assert owners.owners_of("a" * 3000) == ()
    assert time.thread_time() - began < 1.0
    assert owners.owners_of("models") == ("@all",)


@given(
    pattern=st.text(st.sampled_from("ab/*?[]\\."), min_size=1, max_size=8),
    path=st.text(st.sampled_from("ab/."), min_size=1, max_size=8),
    dialect=st.sampled_from(["github", "gitlab"]),
)
def test_the_short_cut_changes_nothing(pattern: str, path: str, dialect: Dialect) -> None:
    """Lines are passed over by how their paths begin."""
    for rule in parse(f"{pattern} @ann\n".encode(), dialect).rules:
        assert rule.fits(path, 1.0) is replace(rule, prefix="").fits(path, 1.0)


def test_a_large_file_is_told_in_time() -> None:
    """Twenty thousand lines, as a monorepo has them: compiling each would take seconds."""
    lines = [f"/services/{at}/** @team-{at}\n" for at in range(20_000)]
    data = "".join([*lines, "/models/ @ml\n"]).encode()
    began = time.thread_time()
    assert parse(data, "github").owners_of("models/churn/versions/1.yaml") == ("@ml",)
    assert time.thread_time() - began < 1.0
