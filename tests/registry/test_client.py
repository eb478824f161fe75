"""The snippets of MLflow's first Model Registry documentation, with only the import changed."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

import pytest

import gitreg
from gitreg.errors import InvalidInput, NotFound


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITREG_REGISTRY", str(place))
    return place


def test_the_first_snippets(here: Path) -> None:
    client = gitreg.Client()
    result = gitreg.register_model("s3://artifacts/sklearn-model", "EmailMarketingCampaign")
    assert (result.name, result.version) == ("EmailMarketingCampaign", 1)
    details = client.get_model_version_details("EmailMarketingCampaign", 1)
    assert details.current_stage == "None"
    client.update_model_version("EmailMarketingCampaign", 1, stage="Staging")
    assert client.get_latest_versions("EmailMarketingCampaign", stages=["Staging"])[0].version == 1
    client.update_model_version(
        name="EmailMarketingCampaign", version=1, stage="Production", description="live"
    )
    assert client.get_model_version_details("EmailMarketingCampaign", 1).description == "live"


def test_todays_snippets(here: Path) -> None:
    client = gitreg.Client()
    client.create_registered_model("sk-learn-random-forest-reg-model")
    with pytest.raises(gitreg.GitregError):
        client.create_registered_model("sk-learn-random-forest-reg-model")
    name = "sk-learn-random-forest-reg-model"
    for n in range(3):
        client.create_model_version(name=name, source=f"mlruns/0/{n}/artifacts", run_id=f"{n}")
    client.rename_registered_model(name=name, new_name="sk-learn-random-forest-reg-model-100")
    name = "sk-learn-random-forest-reg-model-100"
    client.transition_model_version_stage(name=name, version=3, stage="Production")
    moved = client.transition_model_version_stage(
        name=name, version="2", stage="production", archive_existing_versions=True
    )
    assert moved.current_stage == "Production"
    assert [dict(rm)["name"] for rm in client.list_registered_models()] == [name]
    assert "Production" in pformat([dict(mv) for mv in client.search_model_versions(f"name='{name}'")])
    assert [mv.version for mv in client.search_model_versions("run_id = '1'")] == [2]
    with pytest.raises(InvalidInput):
        client.search_model_versions("name = 'x' OR 1=1")
    client.set_registered_model_tag(name, "task", "regression")
    client.set_model_version_tag(name, "2", "validated", True)
    client.set_model_version_tag(name, key="live", value="yes", stage="Production")
    assert client.get_model_version(name, 2).tags == {"validated": "True", "live": "yes"}
    client.delete_model_version_tag(name, 2, "validated")
    client.set_registered_model_alias(name, "champion", 2)
    assert client.get_model_version_by_alias(name, "champion").version == 2
    assert client.get_registered_model(name).aliases == {"champion": 2}
    client.delete_registered_model_alias(name, "champion")
    copied = client.copy_model_version(f"models:/{name}/2", "copy")
    assert copied.source == f"models:/{name}/2"
    for version in (1, 2, 3):
        client.delete_model_version(name=name, version=version)
    client.delete_registered_model(name=name)
    with pytest.raises(NotFound):
        client.get_registered_model(name)


def test_current_stage_of_a_version_with_many(here: Path) -> None:
    client = gitreg.Client()
    client.registry.register("m", "s3://x")
    client.registry.assign("m/1", "Staging")
    client.registry.assign("m/1", "Archived")
    assert client.get_model_version("m", 1).current_stage == "Staging"
    assert client.get_latest_versions("m", ["archived"])[0].current_stage == "Archived"
    assert client.get_latest_versions("m", ["None"]) == []
    assert [v.current_stage for v in client.get_latest_versions("m")] == ["Staging", "Archived"]
