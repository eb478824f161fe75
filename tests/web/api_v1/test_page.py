"""docs/api.md: each command on it says what stands below it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.web.serving import Served, served

PAGE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
ADA = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com",
}  # fmt: skip


def commands() -> list[tuple[str, str]]:
    """Each command of the page, with what it prints."""
    found = []
    for block in re.findall(r"```\n(\$ .*?)```", PAGE.read_text(), re.DOTALL):
        for part in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, printed = part.partition("\n")
            found.append((command, printed))
    return found


def steady(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{40}\b", "COMMIT", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)


def fill(server: Served) -> None:
    for number in (1, 2):
        status, _ = server.ask(
            "POST", "/api/v1/models/churn/versions", {"source": f"s3://models/churn/{number}"}
        )
        assert status == 201
    assert server.ask("POST", "/api/v1/models/churn/versions/2/transition", {"stage": "Production"})[0] == 200


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="the page uses curl and jq")
def test_the_page_says_what_is_printed(place: Path) -> None:
    with served(place, env=ADA) as server:
        fill(server)
        told = commands()
        assert len(told) >= 10
        script = f"URL={server.url}\n" + "\n".join(
            f"{command}\necho; echo '=== {at}'" for at, (command, _) in enumerate(told)
        )
        done = subprocess.run(
            ["bash", "-c", script], env=os.environ, capture_output=True, text=True, check=False, timeout=60
        )
    printed = re.split(r"\n=== \d+\n", done.stdout)
    for (command, expected), found in zip(told, printed, strict=False):
        if "\n...\n" in expected:
            assert steady(found).startswith(expected.partition("...\n")[0]), command
        else:
            assert steady(found).rstrip("\n") == expected.rstrip("\n"), command
    assert len(printed) == len(told) + 1, done.stderr
