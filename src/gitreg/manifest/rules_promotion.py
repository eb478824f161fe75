"""The rules behind the findings of ``verify``, ``review`` and the hooks: policy and history.

GR200–GR299 concern policy, GR300–GR399 commits and Git tags.
"""

from __future__ import annotations

from gitreg.manifest.rule import rule_of

POLICY_RULES = (
    rule_of(
        "GR201",
        "One version of a model enters an exclusive stage, and the one before leaves it.",
        "Two promotions that are each right, and merge cleanly as text, can leave two holders together.",
        "merging the promotions of Fraud/7 and Fraud/8 one after the other",
        "running gitreg promote Fraud/8 Production again after Fraud/7 was merged",
    ),
    rule_of(
        "GR202",
        "A version comes from one of the stages that the rules allow.",
        "What was never in Staging was never tried.",
        "from: [Staging] in gitreg.yaml, and a version that holds no stage goes to Production",
        "gitreg promote Fraud/7 Staging first",
    ),
    rule_of(
        "GR203",
        "The manifest satisfies the stage's gate.",
        "The gate, a JSON Schema under gates/, says what a version must show. NaN and infinities pass no "
        "comparison, and a gate that can't be read passes nobody.",
        "metrics.auc is 0.78 where the gate asks for 0.8",
        "gitreg evaluate Fraud/7 …, or another version",
    ),
    rule_of(
        "GR204",
        "A version is no worse than the one that holds the stage.",
        "A promotion should not make production worse unnoticed. The rule says metric, direction, tolerance.",
        "auc 0.90 against 0.93 with tolerance 0.01",
        "a version with an auc of at least 0.92",
    ),
    rule_of(
        "GR205",
        "What the stage requires is there: lineage, model card, artifact digest.",
        "Without them nobody can say later what was in production, and from which data and code it came.",
        "a version without run, code and data sets",
        "registering with --code, --dataset or from a run; models/Fraud/README.md for the card",
    ),
    rule_of(
        "GR206",
        "Enough persons have approved, none of them an author.",
        "An approval is a signed file for one version, stage and assignment. It counts while its key and its "
        "time are good; one person counts once.",
        "a promotion that only its author signed",
        "gitreg approve Fraud/7 Production, by another approver",
    ),
    rule_of(
        "GR207",
        "The commits that make the change are signed by their authors.",
        "A name in a commit is what somebody typed; a signature by a key in keys/allowed_signers is not.",
        "an unsigned commit, or one by ann that bob signed",
        "git config --global commit.gpgSign true; a service's own key goes into merge_keys",
    ),
    rule_of(
        "GR208",
        "The rules change only with the approvals that they ask for themselves.",
        "Who could lower the bar alone would not have to jump it. The rules are those of the commit before.",
        "count: 1 in place of count: 2, in the commit of the promotion or before it",
        "a proposal for the rules alone, approved by those whom policy.approvals names",
    ),
    rule_of(
        "GR209",
        "Approvals are whole, and stay as they are.",
        "They are what an audit relies on.",
        "editing or removing a file below approvals/",
        "git checkout BASE -- approvals/",
    ),
    rule_of(
        "GR210",
        "keys/allowed_signers is in OpenSSH's format.",
        "A line that can't be read would leave out a key, or the limits of one.",
        "ann@example.com AAAAC3Nza…   # the key's type is missing",
        "ann@example.com ssh-ed25519 AAAAC3Nza…",
    ),
    rule_of(
        "GR211",
        "The rules name what is there.",
        "A stage whose gate is missing or broken, or that versions may come to from a stage that is none, "
        "can't be entered by anybody.",
        "from: [Stagin], or gate: gates/production.json where there is no such file",
        "from: [Staging], and the gate in the same commit as the rule",
    ),
    rule_of(
        "GR212",
        "So many can approve as must.",
        "An approver without a key in keys/allowed_signers can't approve. Where too few can who approve "
        "changes of the rules, the rules stay as they are for ever.",
        "count: 2 with one approver who has a key",
        "the approvers' keys in the same commit as the rule that asks for them",
    ),
    rule_of(
        "GR213",
        "A gate asks in the words of JSON Schema for what manifests hold.",
        "JSON Schema takes no notice of words that it does not know: the gate would let everybody pass.",
        '"minimun": 0.8, or "metric" where manifests have metrics',
        '"minimum": 0.8',
    ),
)

HISTORY_RULES = (
    rule_of(
        "GR301",
        "The registry's branch only grows.",
        "A rewritten branch loses versions, approvals and the record of who changed what.",
        "git push --force",
        "git revert, or gitreg rollback and gitreg revert",
    ),
    rule_of(
        "GR302",
        "The former head stays on the first-parent line.",
        "git pull, then push, makes your side the line and what was merged before a side branch: history and "
        "tags would tell another story.",
        "git pull (a merge), git push",
        "git reset --keep OLD; git merge --no-ff YOURS, or git pull --rebase",
    ),
    rule_of(
        "GR303",
        "A registry tag is exactly what the history makes.",
        "Deployments follow tags: one that was moved deploys something that nobody promoted.",
        "git tag -f Fraud/Production/3 …",
        "git tag -d Fraud/Production/3; gitreg reconcile",
    ),
    rule_of(
        "GR304",
        "Every version and every assignment of a stage has its tag.",
        "What follows tags would miss it.",
        "git tag -d Fraud/v3",
        "gitreg reconcile",
    ),
    rule_of(
        "GR305",
        "No registry tag stands without what it names.",
        "It would announce a version or a promotion that never was.",
        "git tag -a Fraud/v99, where there is no version 99",
        "git tag -d Fraud/v99",
    ),
    rule_of(
        "GR306",
        "Registry tags are annotated.",
        "A lightweight tag says neither who nor when, and can't be told from one made by mistake.",
        "git tag Fraud/v3",
        "git tag -d Fraud/v3; gitreg reconcile",
    ),
    rule_of(
        "GR307",
        "Signatures on commits are good.",
        "One that is there and wrong is worse than none.",
        "a commit whose text was changed after it was signed",
        "git commit --amend -S",
    ),
    rule_of(
        "GR308",
        "Time does not run backwards by more than a day.",
        "What was in production on a date is told by the committer's time.",
        "a commit dated last year on top of one of today",
        "setting the clock, then git commit --amend --date=now",
    ),
    rule_of(
        "GR309",
        "A shallow history is never called good.",
        "What is not there can't be judged.",
        "git clone --depth 1; gitreg verify",
        "git fetch --unshallow, or fetch-depth: 0 in a workflow",
    ),
    rule_of(
        "GR310",
        "The registry's tags can tell what a commit changes.",
        "With tags.style: gto, GTO finds a version by its commit and knows plain names alone: a second "
        "version of a model in one commit would have no tag.",
        "tags.style: gto, and two versions of Fraud registered in one commit",
        "one commit for each version",
    ),
)
