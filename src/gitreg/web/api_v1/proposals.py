"""Proposals: list, read, make, approve, merge and withdraw them; and settings."""

from __future__ import annotations

import os
from dataclasses import replace

from gitreg.domain.names import check_model_name
from gitreg.domain.references import parse_reference, version_selector
from gitreg.domain.requests import Assign, Transition
from gitreg.errors import Conflict, InvalidInput, UsageError
from gitreg.registry import documents
from gitreg.registry.clock import utc_now
from gitreg.web import identity, vouching
from gitreg.web.api_v1.acting import check_head
from gitreg.web.api_v1.operation import Act, Found, Look, Operation, Parameter, Values
from gitreg.web.api_v1.parameters import FLAG, SOME_TEXT, TEXT
from gitreg.web.api_v1.shapes import record, ref
from gitreg.web.api_v1.writes_models import WHY
from gitreg.web.identity import Role

_PROPOSAL = Parameter(
    name="proposal",
    where="path",
    schema=SOME_TEXT,
    description="Its number, or its branch, percent-encoded (gitreg%2Fpromote%2Fchurn%2F12%2FProduction).",
)


def _list(look: Look, asked: Values) -> Found:
    from gitreg.registry.open_proposals import list_open
    from gitreg.registry.remote_branch import upstream

    up = upstream(look.store, online=False)  # no page of a server waits for another server
    found = [documents.listed_proposal_document(each) for each in list_open(look.store, up)]
    return Found(document={"remote": up.remote, "base": up.base, "proposals": found})


def _read(look: Look, asked: Values) -> Found:
    from gitreg.registry.numbered import Numbered
    from gitreg.registry.proposals_shown import find, look_at, review_of
    from gitreg.render.review_data import review_document

    up, one = find(look.store, asked["proposal"])
    if isinstance(one, Numbered):
        return Found(document=documents.numbered_document(one) | {"base": up.base, "review": None})
    found = look_at(look.store, up, one)
    if found is None:
        raise Conflict(
            f"the branch {up.branch} holds all of it already",
            where="path.proposal",
            hint="withdraw it (DELETE), or look at what became of it: GET /log",
        )
    listed = documents.listed_proposal_document(found.listed)
    # What can't be merged as it is can't be reviewed: its state says why.
    review = review_document(review_of(look.store, up, one)) if found.listed.verdict else None
    return Found(document=listed | {"base": up.base, "review": review})


def _promoted(asked: Values) -> tuple[str, ...]:
    """The model that is to be promoted, which the caller must be allowed to write to."""
    if "name" in asked:
        return (check_model_name(asked["name"]),)
    return (parse_reference(asked["version"]).name,)


def _promote(act: Act, asked: Values) -> Found:
    from gitreg.registry.proposal_names import promotion
    from gitreg.registry.proposing import open_proposing

    if asked.get("assign") and asked.get("archive_existing"):
        raise UsageError("assign and archive_existing exclude each other", where="body.assign")
    check_head(act)
    with open_proposing(act.registries.place, draft=asked.get("draft", False)) as proposing:
        version = proposing.at().version(asked["version"])
        stage = proposing.settings.stage(asked["stage"]).name
        selector = version_selector(version.version)
        request: Assign | Transition = Transition(
            name=version.name,
            selector=selector,
            stage=stage,
            archive_existing=asked.get("archive_existing", False),
        )
        if asked.get("assign"):
            request = Assign(name=version.name, selector=selector, stage=stage)
        proposing.branch = promotion(version.name, version.version, stage, prefix=proposing.store.prefix)
        wanted = proposing.asked([request], message=asked.get("message", ""))
        receipt = proposing.carry_out(replace(wanted, author=act.person) if act.person else wanted)
        state = receipt.edit[version.name].after if receipt.edit else proposing.at().state(version.name)
        document = documents.receipt_document(receipt, dict.fromkeys(proposing.warnings))
        document |= documents.written_document(state, version.version)
        done = proposing.proposed
        document["branch"] = done.branch if done else proposing.branch
        if done is not None:
            number = done.opened.number if done.opened else done.number
            document["proposal"] = {
                "number": number,
                "branch": done.branch,
                "url": done.opened.url if done.opened else done.page or None,
                "made": done.made,
                "words": list(done.words),
                "passes": done.verdict is not None and done.verdict.clean,
            }
    made = done is not None and done.made
    return Found(document=document, status=201 if made else 200)


def _approve(act: Act, asked: Values) -> Found:
    from gitreg.registry.open_proposals import find
    from gitreg.registry.remote_branch import upstream

    store, who = act.registry.store, identity.current()
    check_head(act)
    up = upstream(store)
    name = find(store, up, asked["proposal"]).name
    wish = vouching.wish_of(store, up, name, who, key=act.key, reason=asked.get("message", ""))
    wanted = vouching.planned(store, wish)
    if wanted.proposal.head != asked["head"]:
        raise Conflict(
            f"the proposal is at commit {wanted.proposal.head[:10]} now",
            where="body.head",
            hint="read it again before you approve it",
        )
    added = vouching.signed(store, wish, wanted, key=act.key)
    document = documents.approved_document(wanted, added) | {"already": list(wanted.already)}
    return Found(document=document)


def _merge(act: Act, asked: Values) -> Found:
    from gitreg.registry.merge_proposal import Wish, merge

    store = act.registry.store
    head = _allowed(act, asked, Role.APPROVER)
    wish = Wish(
        first=asked["proposal"],
        second=None,
        mode=asked.get("mode", "merge"),
        committer=act.person or store.repository.identity(os.environ, "committer"),
        clock=utc_now,
        reason=asked.get("message", ""),
        head=head,
    )
    done = merge(store, wish)
    return Found(document=documents.merged_document(done), commit=done.commit)


def _withdraw(act: Act, asked: Values) -> Found:
    from gitreg.registry.withdrawing import withdraw

    _allowed(act, asked, Role.WRITER)
    return Found(document=documents.withdrawn_document(withdraw(act.registry.store, asked["proposal"])))


def _allowed(act: Act, asked: Values, role: Role) -> str:
    """The head of a proposal, of which the caller may change all that it reaches.

    Raises:
        Denied: They may not.
    """
    from gitreg.registry.open_proposals import find
    from gitreg.registry.reaching import reached
    from gitreg.registry.remote_branch import upstream

    who = identity.current()
    store = act.registry.store
    check_head(act)
    up = upstream(store)
    found = find(store, up, asked["proposal"])
    if who.may(role):
        return found.head
    for name in sorted(reached(store, up.base, found.head)):
        identity.require(role, name or None)
    return found.head


def _set(act: Act, asked: Values) -> Found:
    from gitreg.registry.configure import Wish

    check_head(act)
    asking = act.registry.asked([])
    receipt = act.registry.configure(
        Wish(
            key=asked["key"],
            value=asked["value"],
            author=asking.author,
            committer=asking.committer,
            when=utc_now(),
            reason=asked.get("message", ""),
        )
    )
    return Found(document=documents.receipt_document(receipt, receipt.warnings), commit=receipt.commit)


def _known_setting(asked: Values) -> tuple[str, ...]:
    if not asked["key"].isascii():
        raise InvalidInput("there is no such setting", where="path.key", hint="name, stages, tags.for …")
    return ()


OPERATIONS = (
    Operation(
        id="listProposals",
        method="GET",
        path="/proposals",
        group="Proposals",
        summary="The open proposals, and what each lacks by the rules",
        description="Those that this server knows: with a remote, what was fetched from it last.",
        answer=ref("Proposals"),
        failures=(409,),
        read=_list,
        steady=False,
    ),
    Operation(
        id="propose",
        method="POST",
        path="/proposals",
        group="Proposals",
        summary="Propose that a version enters a stage",
        description="As gitreg promote: asking again finds the proposal again, and changes nothing.",
        body=record(
            {
                "version": {**SOME_TEXT, "description": "Such as churn/12."},
                "stage": {**SOME_TEXT, "description": "The stage."},
                "archive_existing": {**FLAG, "description": "Archive the versions that hold the stage."},
                "assign": {**FLAG, "description": "Add the stage to those that the version holds."},
                "draft": {**FLAG, "description": "Mark the pull request as unfinished."},
                **WHY,
            },
            optional=("archive_existing", "assign", "draft", "message"),
        ),
        answer=ref("Written"),
        status=201,
        failures=(404, 409),
        write=_promote,
        role=Role.WRITER,
        models=_promoted,
    ),
    Operation(
        id="getProposal",
        method="GET",
        path="/proposals/{proposal}",
        group="Proposals",
        summary="One proposal, with all that its reviewer needs",
        description="The review is that of gitreg review --json; null for one that is closed, or that can't "
        "be merged as it is.",
        parameters=(_PROPOSAL,),
        answer=ref("ReviewedProposal"),
        failures=(404, 409),
        read=_read,
        steady=False,
    ),
    Operation(
        id="approveProposal",
        method="POST",
        path="/proposals/{proposal}/approve",
        group="Proposals",
        summary="Approve a proposal in the name of the caller, signed by the server",
        description="Counts where the rule names this server in approvals.signed_in, and the caller among "
        "its approvers. The server needs a key (serve --signing-key), the caller a token or a proxy's name.",
        parameters=(_PROPOSAL,),
        body=record(
            {
                "head": {
                    **SOME_TEXT,
                    "description": "The commit that was reviewed, full hex id: nothing later is approved.",
                },
                **WHY,
            },
            optional=("message",),
        ),
        answer=ref("Approved"),
        failures=(404, 409),
        write=_approve,
        somewhere=Role.APPROVER,
    ),
    Operation(
        id="mergeProposal",
        method="POST",
        path="/proposals/{proposal}/merge",
        group="Proposals",
        summary="Merge a proposal that passes",
        description="The caller must be an approver of every model that it changes, and of the registry "
        "as a whole where it changes other files.",
        parameters=(_PROPOSAL,),
        body=record(
            {"mode": {**TEXT, "enum": ["merge", "squash", "rebase"], "default": "merge"}, **WHY},
            optional=("mode", "message"),
        ),
        body_needed=False,
        answer=ref("Merged"),
        failures=(404, 409),
        write=_merge,
        somewhere=Role.APPROVER,
    ),
    Operation(
        id="withdrawProposal",
        method="DELETE",
        path="/proposals/{proposal}",
        group="Proposals",
        summary="Take a proposal back",
        description="The caller must be a writer of every model that it changes, and of the registry "
        "as a whole where it changes other files.",
        parameters=(_PROPOSAL,),
        answer=ref("Withdrawn"),
        failures=(404, 409),
        write=_withdraw,
        somewhere=Role.WRITER,
    ),
    Operation(
        id="setSetting",
        method="PUT",
        path="/settings/{key}",
        group="Registry",
        summary="Change a setting of gitreg.yaml, as gitreg config set",
        parameters=(
            Parameter(
                name="key",
                where="path",
                schema=SOME_TEXT,
                description="name, description, branch, stages, tags.prefix, tags.for or tags.style.",
            ),
        ),
        body=record(
            {"value": {**TEXT, "description": "As it is typed: Staging,Production!,Archived."}, **WHY},
            optional=("message",),
        ),
        answer=ref("Written"),
        failures=(409,),
        write=_set,
        role=Role.ADMIN,
        models=_known_setting,
    ),
)
