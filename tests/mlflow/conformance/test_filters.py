"""The language of filters: what it takes, and all that it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from .asking import INVALID, names, numbers, refused
from .marks import MLFLOW_3, checks, deviates

RUNS = ["0" * 32, "1" * 32, "f" * 32]


@pytest.fixture
def models(client: Any) -> None:
    for name, tags in {
        "fraud": {"team": "risk", "tier": "1"},
        "Fraud2": {"team": "Risk"},
        "email_campaign": {"team": "growth", "a.b": "dots", "with space": "x"},
        "emailXcampaign": {"tier": "1"},
        "100%": {},
        "it's": {"team": "o'hara"},
    }.items():
        client.create_registered_model(name, tags=tags)


@pytest.fixture
def versions(client: Any) -> None:
    for name, count in {"fraud": 3, "Fraud2": 1, "email_campaign": 2}.items():
        client.create_registered_model(name)
        for number in range(1, count + 1):
            client.create_model_version(
                name,
                f"s3://bucket/{name}/{number}",
                run_id=RUNS[number - 1] if number != 2 else None,
                tags={"checked": "yes" if number == 1 else "No", "number": str(number)},
            )


# MLflow 2 takes a list for run_id alone, and reads it wrongly beside the sqlparse of today.
ALL = {"fraud", "Fraud2", "email_campaign", "emailXcampaign", "100%", "it's"}
MODEL_FILTERS = [
    ("name = 'fraud'", {"fraud"}),
    ('name = "fraud"', {"fraud"}),
    ("name='fraud'", {"fraud"}),
    ("  name   =   'fraud'  ", {"fraud"}),
    ("name = 'FRAUD'", set()),
    ("name = ''", set()),
    ("attribute.name = 'fraud'", {"fraud"}),
    ("name != 'fraud'", ALL - {"fraud"}),
    ("name LIKE 'fraud%'", {"fraud"}),
    ("name like 'fraud%'", {"fraud"}),
    ("name LIKE '%a%'", ALL - {"100%", "it's"}),
    ("name LIKE 'email_campaign'", {"email_campaign", "emailXcampaign"}),
    ("name LIKE '%'", ALL),
    ("name LIKE 'fraud'", {"fraud"}),
    ("name LIKE ''", set()),
    ("name LIKE '100%'", {"100%"}),
    ("name ILIKE 'FRAUD%'", {"fraud", "Fraud2"}),
    ("name ilike 'FRAUD_'", {"Fraud2"}),
    ("name IN ('fraud', '100%')", {"fraud", "100%"}),
    ("name IN ('fraud')", {"fraud"}),
    ("name NOT IN ('fraud', '100%')", ALL - {"fraud", "100%"}),
    ('name = "it\'s"', {"it's"}),
    ("tags.team = 'risk'", {"fraud"}),
    ("tag.team = 'risk'", {"fraud"}),
    ("tags.team != 'risk'", {"Fraud2", "email_campaign", "it's"}),
    ("tags.team LIKE '%isk'", {"fraud", "Fraud2"}),
    ("tags.team ILIKE 'RISK'", {"fraud", "Fraud2"}),
    ("tags.`team` = 'risk'", {"fraud"}),
    ("tags.\"team\" = 'risk'", {"fraud"}),
    ("tags.`a.b` = 'dots'", {"email_campaign"}),
    ("tags.a.b = 'dots'", {"email_campaign"}),
    ("tags.`with space` = 'x'", {"email_campaign"}),
    ("tags.team = 'risk' AND tags.tier = '1'", {"fraud"}),
    ("tags.tier = '1' and name LIKE 'email%'", {"emailXcampaign"}),
    ("tags.team = 'risk' AND tags.team = 'growth'", set()),
    ("tags.none = 'x'", set()),
    ("name = 'fraud' AND name = 'Fraud2'", set()),
    ("name LIKE '%a%' AND name != 'fraud' AND tags.tier = '1'", {"emailXcampaign"}),
    ("name = 'fraud' AND", {"fraud"}),  # what no grammar has, and MLflow's parser lets pass
    ("AND name = 'fraud'", {"fraud"}),
    ("tags.team = 'risk' tags.tier = '1'", {"fraud"}),
    ("", ALL),
]
if not MLFLOW_3:
    MODEL_FILTERS = [each for each in MODEL_FILTERS if " IN (" not in each[0]]


@checks("search_registered_models")
@pytest.mark.parametrize(("filter_string", "expected"), MODEL_FILTERS)
def test_filters_of_models(
    client: Any, store: Any, models: None, filter_string: str, expected: set[str]
) -> None:
    assert set(names(client.search_registered_models(filter_string))) == expected
    assert set(names(store.search_registered_models(filter_string))) == expected


EVERY = {
    ("fraud", 1),
    ("fraud", 2),
    ("fraud", 3),
    ("Fraud2", 1),
    ("email_campaign", 1),
    ("email_campaign", 2),
}
VERSION_FILTERS = [
    ("name = 'fraud'", {("fraud", 1), ("fraud", 2), ("fraud", 3)}),
    ("name LIKE 'fra%'", {("fraud", 1), ("fraud", 2), ("fraud", 3)}),
    ("name ILIKE 'FRAUD2'", {("Fraud2", 1)}),
    ("name != 'fraud'", {("Fraud2", 1), ("email_campaign", 1), ("email_campaign", 2)}),
    ("name IN ('Fraud2', 'email_campaign')", {("Fraud2", 1), ("email_campaign", 1), ("email_campaign", 2)}),
    ("name NOT IN ('fraud', 'email_campaign')", {("Fraud2", 1)}),
    (f"run_id = '{RUNS[0]}'", {("fraud", 1), ("Fraud2", 1), ("email_campaign", 1)}),
    (f"run_id != '{RUNS[0]}'", {("fraud", 3)}),
    (
        f"run_id IN ('{RUNS[0]}', '{RUNS[2]}')",
        {("fraud", 1), ("fraud", 3), ("Fraud2", 1), ("email_campaign", 1)},
    ),
    (f"run_id NOT IN ('{RUNS[0]}')", {("fraud", 3)}),
    ("run_id LIKE 'fff%'", {("fraud", 3)}),
    ("source_path = 's3://bucket/fraud/2'", {("fraud", 2)}),
    ("source_path LIKE '%/2'", {("fraud", 2), ("email_campaign", 2)}),
    ("source_path ILIKE 'S3://BUCKET/FRAUD/%'", {("fraud", 1), ("fraud", 2), ("fraud", 3)}),
    ("version_number = 3", {("fraud", 3)}),
    ("version_number != 1", {("fraud", 2), ("fraud", 3), ("email_campaign", 2)}),
    ("version_number > 1 AND version_number < 3", {("fraud", 2), ("email_campaign", 2)}),
    ("version_number >= 2 AND name = 'fraud'", {("fraud", 2), ("fraud", 3)}),
    ("version_number <= 1 AND name = 'fraud'", {("fraud", 1)}),
    ("version_number = '3'", {("fraud", 3)}),
    ("tags.checked = 'yes'", {("fraud", 1), ("Fraud2", 1), ("email_campaign", 1)}),
    ("tag.`checked` != 'yes'", {("fraud", 2), ("fraud", 3), ("email_campaign", 2)}),
    ("tags.checked ILIKE 'N%'", {("fraud", 2), ("fraud", 3), ("email_campaign", 2)}),
    ("tags.checked = 'No' AND tags.number = '3'", {("fraud", 3)}),
    ("tags.none LIKE '%'", set()),
    ("name = 'nothing'", set()),
    ("", EVERY),
]
if not MLFLOW_3:
    VERSION_FILTERS = [each for each in VERSION_FILTERS if " IN (" not in each[0]]


@checks("search_model_versions")
@pytest.mark.parametrize(("filter_string", "expected"), VERSION_FILTERS)
def test_filters_of_versions(
    client: Any, versions: None, filter_string: str, expected: set[tuple[str, int]]
) -> None:
    assert set(numbers(client.search_model_versions(filter_string))) == expected


REFUSED = [
    "name = 'a' OR name = 'b'",
    "(name = 'a')",
    "NOT name = 'a'",
    "name = a",
    "name = 5",
    "name",
    "name =",
    "= 'a'",
    "'a' = name",
    "name > 'a'",
    "name <> 'a'",
    "name BETWEEN 'a' AND 'b'",
    "name IN ()",
    "name IN (1, 2)",
    "name IN 'a'",
    "nothing = 'a'",
    "attribute.nothing = 'a'",
    "params.a = 'b'",
    "metrics.a > 1",
    "tags.team = 5",
    "tags.team = risk",
    "tags.team IN ('a')",
    "tags.team > 'a'",
    "name = 'a', name = 'b'",
    "name = 'a",
    "creation_timestamp > 1",
    "name = 'a'; DROP TABLE registered_models",
    "name = 'x' OR 1=1; DROP TABLE registered_models; --",
    "1 = 1",
    "(" * 100,
    "garbage",
    "SELECT * FROM registered_models",
]
ONLY_MODELS = ["run_id = 'a'", "version_number = 1", "source_path = 'a'"]
ONLY_VERSIONS = [
    *(["version_number = 1.5", "version_number = 'x'"] if MLFLOW_3 else []),
    "version_number LIKE '1'",
    "version_number IN ('1')",
    "source_path IN ('a')",
    "run_id > 'a'",
    "status = 'READY'",
    "current_stage = 'None'",
    "stage = 'None'",
    "user_id = 'a'",
    "run_link = 'a'",
    "description = 'a'",
    "aliases = 'a'",
    "last_updated_timestamp > 1",
]


@checks("search_registered_models")
@pytest.mark.parametrize("filter_string", REFUSED + ONLY_MODELS)
def test_filters_of_models_that_are_refused(store: Any, filter_string: str) -> None:
    with refused(INVALID, re.compile(".")):
        store.search_registered_models(filter_string)


@checks("search_model_versions")
@pytest.mark.parametrize("filter_string", REFUSED + ONLY_VERSIONS)
def test_filters_of_versions_that_are_refused(store: Any, filter_string: str) -> None:
    with refused(INVALID, re.compile(".")):
        store.search_model_versions(filter_string)


@checks("search_registered_models", "search_model_versions")
def test_what_is_refused_changes_nothing(store: Any, versions: None) -> None:
    for filter_string in REFUSED:
        for search in (store.search_registered_models, store.search_model_versions):
            with refused(INVALID, re.compile(".")):
                search(filter_string)
    assert names(store.search_registered_models()) == ["Fraud2", "email_campaign", "fraud"]
    assert set(numbers(store.search_model_versions())) == EVERY


MESSAGES = [
    ("name = 'a' OR name = 'b'", "Invalid clause(s) in filter string: OR"),
    (
        "name = 5",
        "Expected a quoted string value or a list of quoted string values for attributes. Got value 5",
    ),
    ("tags.team = 5", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 5"),
    ("params.a = 'b'", "Invalid entity type 'params'. Valid entity types are ('attribute', 'tag', 'tags')"),
    ("name > 'a'", "Invalid comparator for attribute: >"),
    ("tags.team IN ('a')", re.compile("^Invalid comparator for tag|^Expected a quoted string value for tag")),
    ("nothing = 'a'", "Invalid clause(s) in filter string: nothing, =, 'a'"),
    (
        "attribute.nothing = 'a'",
        re.compile(r"^Invalid attribute key 'nothing' specified\. Valid keys are '\{.*'name'.*\}'$"),
    ),
    (
        "name IN ()",
        re.compile("^While parsing a list in the query, expected a non-empty list of string values")
        if MLFLOW_3
        else re.compile("^Only the 'run_id' attribute supports comparison with a list"),
    ),
    (
        "name = 'a'; name = 'b'",
        "Search filter contained multiple expression \"name = 'a'; name = 'b'\". Provide AND-ed expression list.",
    ),
]


@checks("search_registered_models", "search_model_versions")
@pytest.mark.parametrize(("filter_string", "message"), MESSAGES)
def test_what_a_refusal_says(store: Any, filter_string: str, message: str | re.Pattern[str]) -> None:
    with refused(INVALID, message):
        store.search_registered_models(filter_string)
    if filter_string != "name = 5":  # versions have fields that are numbers, and another sentence
        with refused(INVALID, message):
            store.search_model_versions(filter_string)


@checks("search_registered_models", "search_model_versions")
@deviates("is-null")
@pytest.mark.parametrize("filter_string", ["name IS NULL", "tags.team IS NOT NULL"])
def test_is_null(store: Any, is_gitreg: bool, told: Any, filter_string: str) -> None:
    for search in (store.search_registered_models, store.search_model_versions):
        if is_gitreg or not MLFLOW_3:
            with refused(INVALID, re.compile("^Invalid ")) as messages:
                search(filter_string)
            told(messages)
        else:
            with pytest.raises(ValueError, match="unpack"):
                search(filter_string)


@checks("search_registered_models", "search_model_versions")
def test_a_value_is_never_run(client: Any, store: Any, versions: None) -> None:
    for value in ("'; DROP TABLE registered_models; --", "' OR '1'='1", "%'; --", "\\"):
        assert store.search_registered_models(f'name = "{value}"') == []
        assert client.search_model_versions(f'name = "{value}"') == []
    assert set(numbers(client.search_model_versions())) == EVERY
