"""The methods that the page has a row for, in its order."""

from __future__ import annotations

METHODS: dict[str, tuple[str, ...]] = {
    "Registered models": (
        "create_registered_model",
        "get_registered_model",
        "update_registered_model",
        "rename_registered_model",
        "delete_registered_model",
        "search_registered_models",
    ),
    "Model versions": (
        "create_model_version",
        "get_model_version",
        "get_model_version_download_uri",
        "update_model_version",
        "delete_model_version",
        "search_model_versions",
        "copy_model_version",
    ),
    "Stages": ("transition_model_version_stage", "get_latest_versions"),
    "Aliases": (
        "set_registered_model_alias",
        "get_model_version_by_alias",
        "delete_registered_model_alias",
    ),
    "Tags": (
        "set_registered_model_tag",
        "delete_registered_model_tag",
        "set_model_version_tag",
        "delete_model_version_tag",
    ),
    "Prompts": (
        "create_prompt",
        "get_prompt",
        "search_prompts",
        "delete_prompt",
        "set_prompt_tag",
        "delete_prompt_tag",
        "create_prompt_version",
        "get_prompt_version",
        "search_prompt_versions",
        "delete_prompt_version",
        "set_prompt_version_tag",
        "delete_prompt_version_tag",
        "set_prompt_alias",
        "get_prompt_version_by_alias",
        "delete_prompt_alias",
        "link_prompt_version_to_model",
        "link_prompt_version_to_run",
        "link_prompts_to_trace",
    ),
    "Webhooks": (
        "create_webhook",
        "get_webhook",
        "list_webhooks",
        "list_webhooks_by_event",
        "update_webhook",
        "delete_webhook",
        "test_webhook",
    ),
    "Workspaces": ("supports_workspaces",),
    "Of MlflowClient and the fluent API, over those above": (
        "MlflowClient.get_model_version_stages",
        "MlflowClient.search_prompts",
        "mlflow.register_model",
        "mlflow.register_prompt",
    ),
}
"""Section of the page → methods of MLflow's ``AbstractStore``; with a dot: of its client or package."""
