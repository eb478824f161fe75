"""Prompts: tagged registered models that no search for models shows."""

from __future__ import annotations

import re
from typing import Any

import mlflow
import pytest

from .asking import EXISTS, INVALID, MISSING, names, refused
from .marks import checks, only_mlflow_3

TEXT = "Summarise {{ text }} in {{ n }} words."


@pytest.fixture
def prompt(store: Any) -> str:
    store.create_prompt("summary", description="Short texts.", tags={"team": "nlp"})
    store.create_prompt_version("summary", TEXT, description="First.", tags={"model": "small"})
    store.create_prompt_version("summary", TEXT.upper())
    return "summary"


@only_mlflow_3
@checks("create_prompt", "get_prompt")
def test_a_prompt(store: Any) -> None:
    made = store.create_prompt("summary", description="Short texts.", tags={"team": "nlp"})
    found = store.get_prompt("summary")
    for each in (made, found):
        assert (each.name, each.description, each.tags) == ("summary", "Short texts.", {"team": "nlp"})
    assert found.creation_timestamp == made.creation_timestamp


@only_mlflow_3
@checks("create_prompt")
def test_a_prompt_that_exists(store: Any, prompt: str) -> None:
    with refused(EXISTS, "Prompt (name=summary) already exists."):
        store.create_prompt(prompt)


@only_mlflow_3
@checks("create_prompt", "create_registered_model")
def test_a_name_is_a_model_s_or_a_prompt_s(store: Any, prompt: str) -> None:
    store.create_registered_model("fraud")
    with refused(
        EXISTS, re.compile("^Tried to create a prompt with name 'fraud', .* taken by a registered model")
    ):
        store.create_prompt("fraud")
    with refused(
        EXISTS, re.compile("^Tried to create a registered model with name 'summary', .* taken by a prompt")
    ):
        store.create_registered_model(prompt)


@only_mlflow_3
@checks("get_prompt")
def test_no_prompt(store: Any) -> None:
    store.create_registered_model("fraud")
    assert store.get_prompt("nothing") is None
    assert store.get_prompt("fraud") is None


@only_mlflow_3
@checks("search_prompts", "search_registered_models", "search_model_versions")
def test_searches_tell_prompts_from_models(store: Any, client: Any, prompt: str) -> None:
    store.create_registered_model("fraud")
    store.create_model_version("fraud", "s3://bucket/1")
    assert names(store.search_prompts()) == [prompt]
    assert names(store.search_registered_models()) == ["fraud"]
    assert names(client.search_registered_models()) == ["fraud"]
    assert names(client.search_registered_models("name LIKE '%'")) == ["fraud"]
    assert names(store.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'true'")) == [prompt]
    assert names(store.search_registered_models("tags.`mlflow.prompt.is_prompt` != 'true'")) == ["fraud"]
    assert names(store.search_registered_models("tags.`mlflow.prompt.is_prompt` = 'false'")) == ["fraud"]
    assert names(store.search_model_versions()) == ["fraud"]
    assert names(store.search_model_versions("tags.`mlflow.prompt.is_prompt` = 'true'")) == [prompt, prompt]


@only_mlflow_3
@checks("search_prompts")
def test_a_search_for_prompts(store: Any) -> None:
    for name in ("c", "a", "b"):
        store.create_prompt(name, tags={"team": "nlp" if name != "b" else "cv"})
    assert names(store.search_prompts()) == ["a", "b", "c"]
    assert names(store.search_prompts(filter_string="tags.team = 'nlp'")) == ["a", "c"]
    assert names(store.search_prompts(filter_string="name LIKE 'b%'")) == ["b"]
    first = store.search_prompts(max_results=2)
    assert (names(first), names(store.search_prompts(page_token=first.token))) == (["a", "b"], ["c"])
    assert names(store.search_prompts(order_by=["name DESC"])) == ["c", "b", "a"]


@only_mlflow_3
@checks("delete_prompt")
def test_a_prompt_is_deleted(store: Any, prompt: str) -> None:
    assert store.delete_prompt(prompt) is None
    assert store.get_prompt(prompt) is None
    assert list(store.search_prompts()) == []
    with refused(MISSING, "Registered Model with name=summary not found"):
        store.delete_prompt(prompt)


@only_mlflow_3
@checks("set_prompt_tag", "delete_prompt_tag")
def test_tags_of_a_prompt(store: Any, prompt: str) -> None:
    store.set_prompt_tag(prompt, "task", "summaries")
    assert store.get_prompt(prompt).tags == {"team": "nlp", "task": "summaries"}
    store.delete_prompt_tag(prompt, "team")
    assert store.get_prompt(prompt).tags == {"task": "summaries"}


@only_mlflow_3
@checks("create_prompt_version", "get_prompt_version")
def test_a_version_of_a_prompt(store: Any, prompt: str) -> None:
    found = store.get_prompt_version(prompt, 1)
    assert (found.name, int(found.version), found.template) == (prompt, 1, TEXT)
    assert (found.commit_message, found.tags, found.variables) == (
        "First.",
        {"model": "small"},
        {"text", "n"},
    )
    assert store.get_prompt_version(prompt, "2").template == TEXT.upper()


@only_mlflow_3
@checks("create_prompt_version", "get_prompt_version")
def test_a_chat_with_a_response_format(store: Any, prompt: str) -> None:
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{ text }}"}]
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    made = store.create_prompt_version(prompt, chat, response_format=schema)
    found = store.get_prompt_version(prompt, made.version)
    assert (found.template, found.response_format) == (chat, schema)


@only_mlflow_3
@checks("create_prompt_version")
def test_a_version_of_what_is_no_prompt(store: Any) -> None:
    store.create_registered_model("fraud")
    with refused(MISSING, "Registered Model with name=nothing not found"):
        store.create_prompt_version("nothing", TEXT)


@only_mlflow_3
@checks("create_prompt_version")
def test_a_prompt_that_is_too_long(store: Any, prompt: str) -> None:
    with refused(INVALID, "Prompt text exceeds max length of 100000 characters."):
        store.create_prompt_version(prompt, "x" * 100_001)
    assert len(store.search_prompt_versions(prompt)) == 2


@only_mlflow_3
@checks("get_prompt_version")
def test_no_version_of_a_prompt(store: Any, prompt: str) -> None:
    outcomes = []
    for version in (9, "9"):
        try:
            outcomes.append(store.get_prompt_version(prompt, version))
        except mlflow.exceptions.MlflowException as error:
            outcomes.append(error.error_code)
    assert outcomes in ([None, None], [MISSING, MISSING])


@only_mlflow_3
@checks("search_prompt_versions")
def test_a_search_for_versions_of_a_prompt(store: Any, prompt: str) -> None:
    assert [int(v.version) for v in store.search_prompt_versions(prompt)] == [2, 1]
    first = store.search_prompt_versions(prompt, max_results=1)
    second = store.search_prompt_versions(prompt, max_results=1, page_token=first.token)
    assert [int(v.version) for v in (*first, *second)] == [2, 1]
    store.create_registered_model("fraud")
    with refused(INVALID, re.compile("^Name `fraud` is registered as a model, not a prompt")):
        store.search_prompt_versions("fraud")


@only_mlflow_3
@checks("delete_prompt_version")
def test_a_version_of_a_prompt_is_deleted(store: Any, prompt: str) -> None:
    store.delete_prompt_version(prompt, "1")
    assert [int(v.version) for v in store.search_prompt_versions(prompt)] == [2]
    with refused("INTERNAL_ERROR", "Invalid version number: x"):
        store.delete_prompt_version(prompt, "x")


@only_mlflow_3
@checks("set_prompt_version_tag", "delete_prompt_version_tag")
def test_tags_of_a_version_of_a_prompt(store: Any, prompt: str) -> None:
    store.set_prompt_version_tag(prompt, "1", "checked", "yes")
    assert store.get_prompt_version(prompt, 1).tags == {"model": "small", "checked": "yes"}
    store.delete_prompt_version_tag(prompt, "1", "model")
    assert store.get_prompt_version(prompt, 1).tags == {"checked": "yes"}


@only_mlflow_3
@checks("set_prompt_alias", "get_prompt_version_by_alias", "delete_prompt_alias")
def test_aliases_of_a_prompt(store: Any, prompt: str) -> None:
    store.set_prompt_alias(prompt, "live", 1)
    assert int(store.get_prompt_version_by_alias(prompt, "live").version) == 1
    store.set_prompt_alias(prompt, "live", "2")
    assert int(store.get_prompt_version_by_alias(prompt, "live").version) == 2
    assert store.get_prompt_version(prompt, 2).aliases == ["live"]
    store.delete_prompt_alias(prompt, "live")
    assert store.get_prompt_version(prompt, 2).aliases == []


@only_mlflow_3
@checks("link_prompt_version_to_run")
def test_a_prompt_is_linked_to_a_run(store: Any, client: Any, prompt: str) -> None:
    run = client.create_run("0").info.run_id
    store.link_prompt_version_to_run(prompt, "1", run)
    assert '"summary"' in client.get_run(run).data.tags["mlflow.linkedPrompts"]


@only_mlflow_3
@checks("link_prompt_version_to_model")
def test_a_prompt_is_linked_to_a_logged_model(store: Any, client: Any, prompt: str) -> None:
    model = client.create_logged_model("0").model_id
    store.link_prompt_version_to_model(prompt, "1", model)
    assert '"summary"' in client.get_logged_model(model).tags["mlflow.linkedPrompts"]


@only_mlflow_3
@checks("link_prompts_to_trace")
def test_a_prompt_is_linked_to_a_trace(store: Any, client: Any, prompt: str) -> None:
    span = client.start_trace("answer", experiment_id="0")
    client.end_trace(span.trace_id)
    version = store.get_prompt_version(prompt, 1)
    store.link_prompts_to_trace([version], span.trace_id)
    mlflow.flush_trace_async_logging()
    assert '"summary"' in client.get_trace(span.trace_id).info.tags["mlflow.linkedPrompts"]


@only_mlflow_3
@checks("MlflowClient.search_prompts")
def test_prompts_of_the_client(client: Any, prompt: str) -> None:
    client.create_registered_model("fraud")
    assert names(client.search_prompts()) == [prompt]
    assert client.load_prompt("prompts:/summary/1").template == TEXT
    with refused(MISSING, re.compile("summary")):
        client.update_registered_model(prompt, "text")


@checks("mlflow.register_prompt")
def test_prompts_of_the_fluent_api(store: Any) -> None:
    made = mlflow.register_prompt("summary", TEXT, commit_message="First.", tags={"model": "small"})
    again = mlflow.register_prompt("summary", TEXT.upper())
    assert (int(made.version), int(again.version)) == (1, 2)
    assert mlflow.load_prompt("prompts:/summary/1").template == TEXT
    mlflow.set_prompt_alias("summary", "live", 2)
    assert mlflow.load_prompt("prompts:/summary@live").template == TEXT.upper()
    mlflow.delete_prompt_alias("summary", "live")
    assert names(store.search_registered_models()) == []
