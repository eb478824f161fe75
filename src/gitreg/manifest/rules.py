"""The rules behind the finding codes, as ``gitreg explain CODE`` tells them.

GR001–GR099 concern one file alone, GR100–GR199 a registry as a whole; for GR200 and up see
``rules_promotion``.
"""

from __future__ import annotations

from gitreg.domain.settings import did_you_mean
from gitreg.errors import NotFound
from gitreg.manifest.rule import Rule, rule_of
from gitreg.manifest.rules_promotion import HISTORY_RULES, POLICY_RULES

_FILE_RULES = (
    rule_of(
        "GR001",
        "Files are UTF-8 without a byte order mark.",
        "Editors and parsers guess differently at any other encoding, and a mark shifts every column by one.",
        "a file saved as Latin-1, UTF-16 or 'UTF-8 with BOM'",
        "the same file saved as UTF-8",
    ),
    rule_of(
        "GR002",
        "Files are at most 1 MiB, nested at most 64 deep, with integers of at most 18 digits.",
        "Anybody who can open a pull request can make a reader of the registry parse a file; "
        "bounds keep that cheap.",
        "[[[[[[[[[[ … 100,000 times",
        "parents:\n  - models:/Base/3",
    ),
    rule_of(
        "GR003",
        "Files are YAML.",
        "What can't be parsed says nothing. The place is where the parser stopped; the slip may stand "
        "just before it.",
        "description: Fraud: second try",
        'description: "Fraud: second try"',
    ),
    rule_of(
        "GR004",
        "No merge-conflict markers.",
        "Git left both sides of a merge in the file; somebody must choose.",
        "<<<<<<< HEAD\ndescription: one\n=======\ndescription: two\n>>>>>>> topic",
        "description: two",
    ),
    rule_of(
        "GR005",
        "A key stands once in a mapping.",
        "YAML readers silently keep the first or the last one, each its own.",
        'tags:\n  team: growth\n  team: risk',
        'tags:\n  team: risk',
    ),
    rule_of(
        "GR006",
        "One plain document: no anchors, aliases, merge keys, tags, directives or explicit keys.",
        "They make a file mean something else than what stands there, can expand without bound, and "
        "tags can make a careless reader run code.",
        "base: &base {team: growth}\ntags: *base",
        "tags:\n  team: growth",
    ),
    rule_of(
        "GR007",
        "No plain scalar that YAML 1.1 and 1.2 read differently.",
        "NO is false to YAML 1.1 and text to 1.2; 012 is ten or twelve; 1e5 is text or a number. Quotes "
        "make it text everywhere; 1.0e+05 is a number everywhere.",
        "params:\n  country: NO",
        'params:\n  country: "NO"',
    ),
    rule_of(
        "GR008",
        "Numbers are finite.",
        "NaN compares false with everything and so passes limits that it should not. As quoted texts the "
        "three values can be recorded, and no gate passes them.",
        "metrics:\n  loss: .nan",
        'metrics:\n  loss: "NaN"',
    ),
    rule_of(
        "GR009",
        "Keys are text.",
        "JSON, JSON Schema and most programs know no other keys.",
        "params:\n  1: a",
        'params:\n  "1": a',
    ),
    rule_of(
        "GR010",
        "Lines end in LF.",
        "The same value with other line ends would be another blob, and every line would differ. "
        "A file with CRLF is read, and rewritten with LF when gitreg changes it.",
        "version: 3\\r\\n",
        "version: 3\\n",
    ),
    rule_of(
        "GR011",
        "Only known fields, and those that begin with x- at the top of the file.",
        "A misspelt field would be silently without effect.",
        "decription: better",
        "description: better",
    ),
    rule_of(
        "GR012",
        "A stage is one of the registry's stages.",
        "gitreg.yaml says which stages there are. Commands take any case, files hold the stage's own "
        "spelling.",
        'stages:\n  Prodction: "2026-11-23T10:00:00.123Z"',
        'stages:\n  Production: "2026-11-23T10:00:00.123Z"',
    ),
    rule_of(
        "GR013",
        "Required fields are there.",
        "Without them the file is neither a version, nor a model, nor a tombstone.",
        "version: 3",
        'version: 3\ncreated: "2026-11-23T10:00:00.123Z"\nupdated: "2026-11-23T10:00:00.123Z"\n'
        "source: runs:/0a1b2c/model",
    ),
    rule_of(
        "GR014",
        "Values have the type that their field needs.",
        "Parameters and tags are texts, as in MLflow: quote what looks like a number. A field without a "
        "value is best left out.",
        "params:\n  max_depth: 6",
        'params:\n  max_depth: "6"',
    ),
    rule_of(
        "GR015",
        "Values are among those that their field allows.",
        "A value out of range would mislead every reader that trusts the schema.",
        "status: REDY",
        "status: READY",
    ),
    rule_of(
        "GR016",
        "A file holds what its path says.",
        "7.yaml is version 7; model.yaml names the model that its folder belongs to. A copied file that "
        "still says something else would be found under two names.",
        "versions/7.yaml: version: 8",
        "versions/7.yaml: version: 7",
    ),
    rule_of(
        "GR017",
        "A file holds one mapping.",
        "An empty file, a list or a single text has no fields.",
        "- version: 3",
        "version: 3",
    ),
    rule_of(
        "GR018",
        "Times are RFC 3339 with a zone, in quotes, and exist in the calendar.",
        "A time without a zone is another moment to each reader; without quotes YAML readers make "
        "different types of it.",
        'created: "23.11.2026 10:00"',
        'created: "2026-11-23T10:00:00.123Z"',
    ),
    rule_of(
        "GR019",
        "A tombstone holds nothing else.",
        "A deleted version keeps its number, a deleted or renamed model its name and last number; the "
        "rest is in history, and gitreg restore brings it back.",
        'version: 3\nsource: runs:/0a1b2c/model\ndeleted:\n  at: "2026-11-23T10:00:00.123Z"',
        'version: 3\ndeleted:\n  at: "2026-11-23T10:00:00.123Z"',
    ),
    rule_of(
        "GR020",
        "Stages and aliases are well-formed, unreserved and distinct.",
        "models:/NAME/latest, /None and @v3 mean something already, and MLflow does not tell case apart "
        "in stages.",
        "aliases:\n  latest: 3",
        "aliases:\n  champion: 3",
    ),
    rule_of(
        "GR021",
        "No control characters, no lone surrogates, no tabs outside of quotes.",
        "They are invisible, can drive a terminal, and parsers disagree on them. In a double-quoted text "
        "they can be written as escapes.",
        "version:\\t3",
        "version: 3",
    ),
    rule_of(
        "GR022",
        "The registry's format is one that this gitreg knows.",
        "A newer format may mean something that this version would break by writing.",
        "format: 2",
        "format: 1",
    ),
    rule_of(
        "GR023",
        "Tags can be made as the settings say.",
        "GTO reads a tag by its form: it knows no prefix, and tells a stage by the tag of the version.",
        "tags:\n  prefix: models/\n  for: all\n  style: gto",
        "tags:\n  for: all\n  style: gto",
    ),
    rule_of(
        "GR024",
        "Files are in the canonical form.",
        "Then diffs show changes of meaning alone. gitreg fmt rewrites a file and keeps its comments.",
        "tags: {team: growth, owner: ann}",
        "tags:\n  owner: ann\n  team: growth",
    ),
)  # fmt: skip

_REGISTRY_RULES = (
    rule_of(
        "GR101",
        "Names differ by more than case or Unicode form.",
        "On macOS and Windows two such folders are one, and people can't tell the names apart.",
        "models/Fraud and models/fraud",
        "models/Fraud and models/fraud-eu",
    ),
    rule_of(
        "GR102",
        "Only the registry's own files lie under models/.",
        "A file in the wrong place, such as versions/01.yaml, looks registered and is not.",
        "models/Fraud/versions/01.yaml",
        "models/Fraud/versions/1.yaml",
    ),
    rule_of(
        "GR103",
        "Manifests don't vanish.",
        "A number that is gone without a trace could be used again for something else. "
        "gitreg delete leaves a tombstone.",
        "git rm models/Fraud/versions/3.yaml",
        "gitreg delete Fraud/3",
    ),
    rule_of(
        "GR104",
        "The origin of a version never changes after registration.",
        "Approvals, evaluations and deployments were given for that source, code, data and metrics.",
        "editing metrics.auc of a registered version",
        "gitreg evaluate Fraud/3 …, or registering a new version",
    ),
    rule_of(
        "GR105",
        "Evaluations are appended, never edited.",
        "Gates have judged by them.",
        "editing a metric of an evaluation",
        "adding another evaluation",
    ),
    rule_of(
        "GR106",
        "An alias names a version that exists.",
        "Whoever loads models:/NAME@alias would find nothing.",
        "aliases:\n  champion: 9   # there is no version 9",
        "aliases:\n  champion: 8",
    ),
    rule_of(
        "GR107",
        "Files of the registry are plain files.",
        "A symbolic link or a submodule makes the content depend on something outside of the commit; "
        "a manifest is not executable.",
        "models/Fraud/versions/3.yaml -> /etc/passwd",
        "git update-index --chmod=-x FILE, or a plain file in place of the link",
    ),
    rule_of(
        "GR109",
        "An exclusive stage is held by one version of a model.",
        "Readers of models:/NAME/STAGE must all get the same version. Two merges that are each right can "
        "break this together.",
        "versions 7 and 8 both hold Production, which is exclusive",
        "gitreg unassign Fraud/7 Production",
    ),
    rule_of(
        "GR110",
        "Version numbers are never reused.",
        "Logs, reports and deployments name a version by its number.",
        "registering Fraud/3 anew after it was deleted",
        "gitreg register Fraud SOURCE takes the next number; gitreg restore Fraud/3 brings it back",
    ),
    rule_of(
        "GR111",
        "Every version belongs to a living model.",
        "A deleted or renamed model leaves its tombstone alone; no name leads to a version beside it.",
        "a merge that brings Fraud/4 after Fraud was renamed",
        "git mv the file to the new name's folder, with the next number there",
    ),
)

RULES: dict[str, Rule] = {
    rule.code: rule for rule in (*_FILE_RULES, *_REGISTRY_RULES, *POLICY_RULES, *HISTORY_RULES)
}


def rule(code: str) -> Rule:
    """The rule ``code``, whatever its case.

    Raises:
        NotFound: There is none.
    """
    found = RULES.get(code.upper())
    if found is None:
        hint = did_you_mean(code, list(RULES)) or f"codes: {', '.join(RULES)}"
        raise NotFound(f"there is no rule {code}", hint=hint)
    return found
