"""MLflow's prompts over the plugin, with MLflow's own store as the oracle: prompts are models with a tag."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mlflow.conftest import Git, needs_mlflow

pytestmark = [pytest.mark.mlflow, needs_mlflow, pytest.mark.xdist_group("mlflow")]


@pytest.fixture
def point_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets MLflow's registry for this test, and afterwards what it was before."""
    import mlflow

    # MLflow remembers prompts by name and version, whichever registry they came from.
    monkeypatch.setenv("MLFLOW_ALIAS_PROMPT_CACHE_TTL_SECONDS", "0")
    monkeypatch.setenv("MLFLOW_VERSION_PROMPT_CACHE_TTL_SECONDS", "0")
    registry, tracking = mlflow.get_registry_uri(), mlflow.get_tracking_uri()

    def to(uri: str) -> None:
        mlflow.set_registry_uri(uri)

    yield to
    mlflow.set_tracking_uri(tracking)
    mlflow.set_registry_uri(registry)


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, or how it fails."""
    from mlflow.exceptions import MlflowException

    try:
        return call()
    except MlflowException as error:
        return error.error_code, error.message


def shown(prompt: Any) -> Any:
    """What must be the same of a prompt's version in both stores: all but the times."""
    if prompt is None or isinstance(prompt, tuple):
        return prompt
    return (
        prompt.name,
        prompt.version,
        prompt.template,
        prompt.commit_message,
        dict(prompt.tags),
        sorted(prompt.aliases),
        prompt.is_text_prompt,
        prompt.response_format,
    )


def life_of_prompts() -> Iterator[Any]:
    """All that MLflow offers for prompts; yields what it answers."""
    import mlflow
    from mlflow import MlflowClient

    genai, client = mlflow.genai, MlflowClient()
    first = genai.register_prompt("greeting", "Hello {{name}}!", commit_message="A start", tags={"by": "ada"})
    yield shown(first)
    yield shown(genai.register_prompt("greeting", "Good day, {{name}}.\n\nYours, {{who}}: 'x' \"y\" # z"))
    chat = [{"role": "system", "content": "You are {{style}}."}, {"role": "user", "content": "{{question}}"}]
    form = {"type": "object", "properties": {"answer": {"type": "string"}}}
    yield shown(genai.register_prompt("talk", chat, response_format=form))
    yield shown(genai.load_prompt("greeting", version=1))
    yield shown(genai.load_prompt("prompts:/greeting/2"))
    yield genai.load_prompt("greeting", version=1).format(name="Grace")
    genai.set_prompt_alias("greeting", alias="production", version=1)
    yield shown(genai.load_prompt("prompts:/greeting@production"))
    genai.set_prompt_alias("greeting", alias="production", version=2)
    genai.set_prompt_alias("greeting", alias="old", version=1)
    yield shown(genai.load_prompt("prompts:/greeting@production"))
    yield shown(genai.load_prompt("prompts:/greeting@latest"))
    genai.delete_prompt_alias("greeting", alias="old")
    yield shown(genai.load_prompt("greeting", version=1))
    genai.set_prompt_tag("greeting", "language", "English")
    genai.set_prompt_version_tag("greeting", 2, "checked", "yes")
    yield dict(genai.get_prompt_tags("greeting"))
    yield shown(genai.load_prompt("greeting", version=2))
    genai.delete_prompt_version_tag("greeting", 2, "checked")
    genai.delete_prompt_tag("greeting", "language")
    yield dict(genai.get_prompt_tags("greeting"))
    for asked in ("", "name = 'greeting'", "name LIKE 'gr%'", "tags.by = 'ada'", "name = 'nobody'"):
        found = outcome(lambda asked=asked: genai.search_prompts(asked))
        yield asked, found if isinstance(found, tuple) else [(each.name, dict(each.tags)) for each in found]
    yield [shown(each) for each in client.search_prompt_versions("greeting")]

    # Prompts and models keep apart.
    client.create_registered_model("model")
    yield [each.name for each in client.search_registered_models()]
    yield [each.name for each in genai.search_prompts()]
    yield [(each.name, each.version) for each in client.search_model_versions()]
    yield outcome(lambda: client.create_registered_model("greeting"))
    yield outcome(lambda: genai.register_prompt("model", "Hello"))
    yield outcome(lambda: client.create_model_version("greeting", "s3://bucket/x").version)
    yield outcome(lambda: shown(genai.load_prompt("prompts:/nobody/1")))
    yield outcome(lambda: shown(genai.load_prompt("prompts:/greeting/9")))
    yield outcome(lambda: shown(genai.load_prompt("prompts:/greeting@nothing")))
    yield outcome(lambda: genai.set_prompt_alias("greeting", alias="x", version=9))
    yield outcome(lambda: genai.register_prompt("a/b", "Hello"))

    client.delete_prompt_version("greeting", "1")
    yield outcome(lambda: shown(genai.load_prompt("greeting", version=1, allow_missing=True)))
    yield outcome(lambda: client.delete_prompt("talk"))
    yield [each.name for each in genai.search_prompts()]


def test_prompts_are_as_in_mlflows_own_store(
    place: Path, git: Git, tmp_path: Path, point_at: Callable[[str], None]
) -> None:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/tracking.db")
    told = []
    for uri in (f"gitreg+file://{place}", f"sqlite:///{tmp_path}/oracle.db"):
        point_at(uri)
        told.append(list(life_of_prompts()))
    differing = [pair for pair in itertools.zip_longest(*told) if pair[0] != pair[1]]
    assert differing == []
    subjects = git(place, "log", "--format=%s").splitlines()
    assert "greeting: point alias production at version 2" in subjects
    git(place, "fsck", "--strict")
    assert git(place, "status", "--porcelain") == ""


def test_a_long_prompt_is_kept_to_the_letter(place: Path, point_at: Callable[[str], None]) -> None:
    """Blank lines, blanks at the ends, and what YAML would take for its own."""
    import mlflow

    point_at(f"gitreg+file://{place}")
    template = "  --- \n- {{a}}: &x *y\t!z\r\n" + "ü 🎈 {{b}}\n\n\n" * 300 + "# no comment  "
    made = mlflow.genai.register_prompt("long", template)
    assert made.template == template
    assert mlflow.genai.load_prompt("long", version=1).template == template
