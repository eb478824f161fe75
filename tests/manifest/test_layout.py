from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain import names
from gitreg.errors import InvalidInput
from gitreg.manifest.layout import Layout, Place, schema_line

KINDS = pytest.mark.parametrize("kind", ["flat", "sharded"])


def test_flat_paths() -> None:
    layout = Layout("flat")
    assert layout.model_dir("Fraud") == "models/Fraud"
    assert layout.model_file("Fraud") == "models/Fraud/model.yaml"
    assert layout.card("Fraud") == "models/Fraud/README.md"
    assert layout.versions_dir("Fraud") == "models/Fraud/versions"
    assert layout.version_file("a b", 12) == "models/a%20b/versions/12.yaml"


def test_sharded_paths_begin_with_the_names_hash() -> None:
    shard = hashlib.sha1("é".encode()).hexdigest()[:2]
    assert Layout("sharded").model_file("é") == f"models/{shard}/%C3%A9/model.yaml"


def _good(name: str) -> bool:
    try:
        names.check_model_name(name)
    except InvalidInput:
        return False
    return True


@KINDS
@given(
    name=st.one_of(
        st.sampled_from(["CON", ".git", "a..b", "a.lock", "-x", "@", "~^?*[\\"]), st.text(max_size=8)
    ).filter(_good),
    number=st.integers(min_value=1, max_value=names.MAX_VERSION),
)
def test_every_path_is_parsed_back(kind: str, name: str, number: int) -> None:
    layout = Layout(kind)  # type: ignore[arg-type]
    assert layout.parse(layout.model_file(name)) == Place(kind="model", name=name)
    assert layout.parse(layout.version_file(name, number)) == Place(kind="version", name=name, version=number)
    assert layout.parse(layout.card(name)) == Place(kind="card", name=name)


@pytest.mark.parametrize(
    "path", ["README.md", ".gitattributes", "models/.gitkeep", "model/x", "sub/gitreg.yaml"]
)
def test_paths_that_are_not_gitregs(path: str) -> None:
    assert Layout().parse(path) is None


def test_settings() -> None:
    assert Layout().parse("gitreg.yaml") == Place(kind="settings")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("models/notes.txt", "one folder for each model"),
        ("models/Fraud/notes.txt", "model.yaml, README.md and versions/"),
        ("models/Fraud/versions/01.yaml", "leading zeros"),
        ("models/Fraud/versions/0.yaml", "leading zeros"),
        ("models/Fraud/versions/1.yml", "leading zeros"),
        ("models/Fraud/versions/1/x.yaml", "model.yaml, README.md and versions/"),
        ("models/Fraud/versions/9999999999.yaml", "leading zeros"),
        ("models/a b/model.yaml", "not the folder of any model name"),
        ("models/%46raud/model.yaml", "not the folder of any model name"),
        ("models/%c3%a9/model.yaml", "not the folder of any model name"),
        ("models/../model.yaml", "not the folder of any model name"),
        ("models//model.yaml", "not the folder of any model name"),
        ("models/CON/model.yaml", "not the folder of any model name"),
    ],
)
def test_strays_say_why(path: str, reason: str) -> None:
    place = Layout().parse(path)
    assert place is not None
    assert place.kind == "other"
    assert reason in place.reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("models/Fraud/model.yaml", "one folder for each model"),
        ("models/Fraud/versions/1.yaml", "two hex digits"),
        ("models/00/Fraud/model.yaml", "belongs in models/"),
        ("models/AB/Fraud/model.yaml", "two hex digits"),
        ("models/00/Fraud", "not the folder of any model name|one folder|belongs"),
    ],
)
def test_sharded_strays_say_why(path: str, reason: str) -> None:
    place = Layout("sharded").parse(path)
    assert place is not None
    assert place.kind == "other"
    assert any(part in place.reason for part in reason.split("|"))


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("gitreg.yaml", "./schemas/k.schema.json"),
        ("models/Fraud/model.yaml", "../../schemas/k.schema.json"),
        ("models/3f/Fraud/versions/1.yaml", "../../../../schemas/k.schema.json"),
    ],
)
def test_the_modeline_leads_to_the_schema(path: str, relative: str) -> None:
    assert schema_line(path, "k") == f"# yaml-language-server: $schema={relative}\n"
