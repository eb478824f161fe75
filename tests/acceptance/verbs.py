"""Every verb of gitreg with real arguments, from the command line's own table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

from gitreg.cli.commands import COMMANDS
from tests.acceptance.standard import Outcome, Site

_TODAY = f"{datetime.now(UTC):%Y-%m-%d}"
_LINE = json.dumps({"name": "batched", "source": "s3://b/1"}).encode()

# In an order in which each finds what it needs in the template's registry; {} is a fresh folder's name.
_SCRIPT: dict[str, list[list[str]]] = {
    "init": [["init", "{}"], ["init", "{}", "--bare"]],
    "config": [["config"], ["config", "description", "all models"]],
    "completion": [["completion", "bash"]],
    "register": [["register", "fraud", "s3://b/3"], ["register", "churn", "."], ["register", "--batch", "-"]],
    "evaluate": [["evaluate", "fraud/3", "holdout", "--metric", "auc=0.9"]],
    "update": [["update", "fraud/3", "-d", "third"], ["update", "fraud", "--owner", "ann"]],
    "tag": [["tag", "fraud/3", "team=risk"]],
    "alias": [["alias", "fraud/3", "challenger"]],
    "transition": [["transition", "fraud/3", "Staging", "--archive-existing"]],
    "assign": [["assign", "fraud/3", "Production"]],
    "unassign": [["unassign", "fraud/3", "Staging"]],
    "deprecate": [["deprecate", "fraud/1"]],
    "rename": [["rename", "churn", "renamed"]],
    "delete": [["delete", "--yes", "fraud/1"], ["delete", "--yes", "renamed"]],
    "restore": [["restore", "fraud/1"], ["restore", "renamed"]],
    "list": [["list"], ["list", "fraud"], ["list", "--at", "HEAD~1"]],
    "show": [["show", "fraud"], ["show", "fraud/3"], ["show", "fraud/2", "--at", _TODAY]],
    "resolve": [["resolve", "fraud@challenger"]],
    "log": [["log"], ["log", "fraud/3"]],
    "search": [["search", "name = 'fraud' OR tags.team = 'risk'"], ["search", "--models"]],
    "blame": [["blame", "fraud/3"], ["blame", "fraud"]],
    "timeline": [["timeline", "fraud"], ["timeline", "fraud", "--svg", "-"]],
    "lineage": [["lineage", "fraud/3"], ["lineage", "fraud/3", "--format", "dot"]],
    "diff": [["diff", "fraud/2", "fraud/3"], ["diff", "fraud", "--from", "HEAD~3"]],
    "plot": [["plot", "fraud", "--metric", "auc", "--evaluation", "holdout"]],
    "index": [["index"], ["index", "--verify"]],
    "reconcile": [["reconcile", "--dry-run"], ["reconcile"]],
    "event": [["event", "fraud/v2"]],
    "webhooks": [
        ["webhooks", "add", "https://127.0.0.1:9/", "--name", "w", "--allow-private"],
        ["webhooks", "status"],
        ["webhooks", "deliver"],
        ["webhooks", "remove", "w", "--yes"],
    ],
    "codeowners": [["codeowners"], ["codeowners", "--check"]],
    "check": [["check"], ["check", "--rev", "HEAD"]],
    "fmt": [["fmt", "--check"], ["fmt"]],
    "doctor": [["doctor"]],
    "explain": [["explain", "GR012"]],
    "schema": [["schema", "model-version.v1"]],
    "serve": [["serve", "--port", "0"]],
    "site": [["site", "{}-site"], ["site", "{}-site", "--at", "HEAD~1", "--title", "Past", "--jobs", "1"]],
    "token": [["token", "create", "--user", "ann", "--role", "writer"], ["token", "list"]],
    "access": [["access", "grant", "ann@example.com", "approver", "--model", "fraud*"], ["access", "list"]],
}
_IN_WORK_TREE = ("fmt",)

# A server answers until it is told to end: one read and one write, then SIGTERM.
_ASK = r"""
import json, re, subprocess, sys, urllib.request
server = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, text=True)
try:
    first = server.stdout.readline()
    api = re.search(r"http://[^\s,]+", first)[0] + "/api/2.0/mlflow/registered-models/"
    body = json.dumps({"name": "served"}).encode()
    request = urllib.request.Request(api + "create", body, {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=60).read()
    assert b"served" in urllib.request.urlopen(api + "get?name=served", timeout=60).read()
    server.terminate()
    print(first + server.stdout.read())
    sys.exit(server.wait(60))
finally:
    server.kill()
"""
_WRAPPED = {"serve": (sys.executable, "-I", "-c", _ASK)}


def every_verb(site: Site, *, bare: bool = False) -> Iterator[tuple[list[str], Outcome]]:
    """Run every command of the table; one that the script does not know yet is run with plain arguments.

    Each command of the script must succeed, so that what it would do to the repository is really done.
    """
    known = [
        *(verb for verb in _SCRIPT if verb in COMMANDS),
        *(verb for verb in COMMANDS if verb not in _SCRIPT),
    ]
    assert set(known) == set(COMMANDS)
    for verb in known:
        if bare and verb in _IN_WORK_TREE:
            continue
        for number, words in enumerate(_SCRIPT.get(verb, [[verb], [verb, "fraud/2"]])):
            args = [
                word.replace("{}", str(site.root.parent / f"{site.root.name}-new{number}")) for word in words
            ]
            outcome = site.run(*args, stdin=_LINE, wrapped=_WRAPPED.get(verb, ()))
            assert verb not in _SCRIPT or outcome.code == 0, outcome
            yield args, outcome
