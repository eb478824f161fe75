"""F21: a manifest that is removed by hand is told of; ``gitreg delete`` leaves a tombstone and passes."""

from __future__ import annotations

import pytest

from tests.acceptance.standard import CONFLICT, INVALID, Site, clean, gitreg_command, unchanged

V2 = "models/fraud/versions/2.yaml"


@pytest.mark.parametrize("gone", ["models/fraud/versions/1.yaml", V2, "models/fraud", "gitreg.yaml"])
def test_F21_manifest_removed_by_hand(site: Site, gone: str) -> None:
    if gone != "gitreg.yaml":  # without it the folder is no registry: only the history can tell
        site.git("rm", "-r", "--quiet", "--cached", gone)
        _vanished(site, gone, "--staged")
    site.git("rm", "-r", "--quiet", "--force", gone) if gone == "gitreg.yaml" else site.git("clean", "-fdq")
    if gone != "gitreg.yaml":
        _vanished(site, gone)
    site.git("commit", "--quiet", "-m", "by hand")
    if gone == "gitreg.yaml":
        site.refuses("check", "--rev", "HEAD", code=7)
        site.refuses("register", "fraud", "s3://b/3", code=7)
    else:
        _vanished(site, gone, "--rev", "HEAD")


def _vanished(site: Site, gone: str, *where: str) -> None:
    with unchanged(site.root):
        outcome = clean(gitreg_command("check", *where, at=site.root))
    assert outcome.code == 1 and "error[GR103]" in outcome.out, outcome
    assert f"{gone}" in outcome.out and "gitreg delete" in outcome.out + outcome.err, outcome


def test_F21_number_of_a_removed_version_is_not_given_again(site: Site) -> None:
    site.git("rm", "--quiet", V2)
    site.git("commit", "--quiet", "-m", "by hand")
    outcome = gitreg_command("register", "fraud", "s3://b/3", at=site.root)
    assert outcome.code in (0, CONFLICT), outcome
    # Whoever says fraud/2 must never get anything else than what was registered under it.
    again = clean(gitreg_command("resolve", "fraud/2", at=site.root))
    assert again.code == INVALID or again.out == "s3://models/fraud/2\n", (outcome, again)


def test_F21_delete_leaves_a_tombstone(site: Site) -> None:
    site.does("delete", "--yes", "fraud/2", "--reason", "leaks the label")
    text = site.file(V2).read_text()
    assert "deleted:" in text and "leaks the label" in text and "source" not in text
    for where in ([], ["--staged"], ["--rev", "HEAD"]):
        site.does("check", *where)
    site.refuses("show", "fraud/2", code=INVALID, says=["deleted", "gitreg restore"])
    assert "fraud/3" in site.does("register", "fraud", "s3://b/3").out
    site.does("delete", "--yes", "fraud")
    site.does("check", "--rev", "HEAD")
    assert "fraud/4" in site.does("register", "fraud", "s3://b/4").out
    site.sound()
