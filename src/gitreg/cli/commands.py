"""The table of commands: what ``gitreg --help`` says without importing any of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One command.

    Attributes:
        module: Module of ``gitreg.cli`` that holds it as ``command``.
        section: Heading under which the help lists it.
        help: One line, without a full stop.
        in_registry: Whether it takes ``--registry``.
        hidden: Whether the help leaves it out.
    """

    module: str
    section: str
    help: str
    in_registry: bool = True
    hidden: bool = False


_MODULES = {"import": "import_"}
"""Commands whose name is a word of Python's."""


def _section(
    title: str, *rows: tuple[str, str], in_registry: bool = True, hidden: bool = False
) -> dict[str, Listed]:
    return {
        name: Listed(
            module=_MODULES.get(name, name), section=title, help=text, in_registry=in_registry, hidden=hidden
        )
        for name, text in rows
    }


COMMANDS: dict[str, Listed] = {
    **_section("Start", ("init", "Make a registry in a new or existing repository"), in_registry=False),
    **_section("Start", ("config", "Show or change the settings of the registry")),
    **_section("Start", ("completion", "Print the completion script of a shell"), in_registry=False),
    **_section(
        "Write",
        ("register", "Register a model version"),
        ("evaluate", "Add results to a version"),
        ("update", "Change the description, owners or status"),
        ("tag", "Set or remove tags of a model or version"),
        ("alias", "Point an alias at a version"),
        ("transition", "Move a version to a stage"),
        ("assign", "Add a stage to those that a version holds"),
        ("unassign", "Take a stage from a version"),
        ("deprecate", "Mark a version as not to be used any more"),
        ("rename", "Give a model another name"),
        ("delete", "Delete a version or a model"),
        ("restore", "Bring back a deleted version or model"),
    ),
    **_section(
        "Promote",
        ("promote", "Propose that a version enters a stage"),
        ("proposals", "List open proposals and what they lack"),
        ("review", "Show what a proposal would do, for its reviewer"),
        ("approve", "Sign and add your approval to a proposal"),
        ("approvals", "Show who has approved and who is missing"),
        ("merge", "Merge a proposal that passes"),
        ("withdraw", "Take a proposal back"),
        ("verify", "Judge commits by policy, or the whole history"),
        ("policy", "Show the rules, or try them on a version"),
        ("reconcile", "Make the tags of what was merged"),
        ("event", "Print what a tag stands for, as JSON"),
        ("codeowners", "Write or check CODEOWNERS from the policy"),
        ("hooks", "Install Git hooks, on a laptop or a server"),
        ("webhooks", "Tell other programs by signed HTTP requests"),
    ),
    **_section("Promote", ("hook", "Run as a hook of Git or of pre-commit"), hidden=True),
    **_section(
        "Read",
        ("list", "List models, or the versions of a model"),
        ("show", "Show a model or a version"),
        ("resolve", "Print the source of a version"),
        ("search", "Find versions or models by a filter"),
    ),
    **_section(
        "Look back",
        ("log", "Show what happened, newest first"),
        ("blame", "Show which commit set each field"),
        ("timeline", "Show who held each stage when"),
        ("lineage", "Show where a version came from and what came from it"),
        ("diff", "Compare versions, stages or dates by meaning"),
        ("plot", "Draw a metric over the versions of a model"),
        ("rollback", "Give a stage back to its previous holder"),
        ("revert", "Take back what a commit changed"),
    ),
    **_section("Neighbours", ("serve", "Show it in a browser, and answer its API and MLflow's")),
    **_section("Neighbours", ("site", "Write the registry as a web site of files")),
    **_section(
        "Neighbours",
        ("token", "Make, list and revoke tokens for gitreg serve"),
        ("access", "Say what users of gitreg serve may do"),
    ),
    **_section(
        "Neighbours",
        ("import", "Take over the registry of MLflow or GTO"),
        ("export", "Hand the registry to MLflow"),
    ),
    **_section(
        "Check and mend",
        ("check", "Check manifests against the rules"),
        ("fmt", "Write manifests in canonical form"),
        ("doctor", "Find and mend what an interrupted write left"),
        ("index", "Bring the index up to date, make it anew or prove it"),
    ),
    **_section(
        "Check and mend",
        ("explain", "Explain a rule by its code"),
        ("schema", "Print the JSON Schema of a manifest"),
        in_registry=False,
    ),
}
