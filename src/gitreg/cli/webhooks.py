"""``gitreg webhooks``: who is told of what happens, and how that went."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import STAGE, chosen_place, json_option, yes_option
from gitreg.cli.output import block, document, line, note, table, warning

if TYPE_CHECKING:
    from gitreg.subscribers.courier import Courier, Report
    from gitreg.subscribers.ledger import Attempt
    from gitreg.subscribers.webhook import Mode, Webhook

_OVERLAP = 24.0  # hours that a former secret goes on signing


@click.group("webhooks")
def command() -> None:
    """Tell other programs what happens in the registry, by signed HTTP requests.

    They are kept beside the repository, not in it: no commit, clone or push takes them along.
    """


@command.command("add")
@click.argument("url")
@click.option("--name", metavar="NAME", default="", help="By which it is known  [default: its host].")
@click.option(
    "--events", metavar="EVENT,…", multiple=True, help="Only these, such as registered,transitioned."
)
@click.option(
    "--model", "models", metavar="PATTERN", multiple=True, help="Only these models, such as 'churn*'."
)
@click.option(
    "--stage",
    "stages",
    metavar="STAGE",
    type=STAGE,
    multiple=True,
    help="Only what gives this stage or takes it away.",
)
@click.option(
    "--mode",
    type=click.Choice(["structured", "binary"]),
    default="structured",
    show_default=True,
    help="Whether a CloudEvent is one JSON document, or has its attributes in headers.",
)
@click.option("--secret-file", metavar="FILE", type=click.Path(path_type=Path), help="Holds the secret.")
@click.option("--secret-env", metavar="VARIABLE", help="Environment variable that holds the secret.")
@click.option("--source", metavar="URI", default="", help="What events say that they come from.")
@click.option(
    "--since", metavar="WHEN", default="", help="Begin after this commit, or on this date, not now."
)
@click.option(
    "--allow-private", is_flag=True, help="The address may be this machine's or a private network's."
)
@click.option("--allow-http", is_flag=True, help="Without TLS: others on the way can read what is sent.")
@json_option
def add(
    url: str,
    name: str,
    events: tuple[str, ...],
    models: tuple[str, ...],
    stages: tuple[str, ...],
    mode: Mode,
    secret_file: Path | None,
    secret_env: str | None,
    source: str,
    since: str,
    allow_private: bool,
    allow_http: bool,
    as_json: bool,
) -> None:
    """Send to URL what happens from now on.

    Without --secret-file or --secret-env a secret is made, and printed once.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.service import ServiceStore
    from gitreg.subscribers import setting_up, signature

    given = _given_secret(secret_file, secret_env)
    wish = setting_up.Wish(
        url=url,
        secret=given or signature.new_secret(),
        name=name,
        events=tuple(one.strip() for text in events for one in text.split(",")),
        models=models,
        stages=stages,
        mode=mode,
        source=source,
        since=since,
        allow_private=allow_private,
        allow_http=allow_http,
    )
    courier = _courier()
    with ServiceStore(courier.repository) as store:
        added = setting_up.add(store, wish, utc_now())
    made = None if given else wish.secret
    if as_json:
        secret = {"secret": made} if made else {}
        document({**_document(added.webhook), **secret, "warnings": list(added.warnings)})
        return
    for text in added.warnings:
        warning(text)
    line(f"{added.webhook.name} is told of {_interest(added.webhook)}")
    if made:
        line(f"secret: {made}")
        note("keep the secret where the receiver reads it: it is not shown again")


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the webhooks."""
    found = _courier().ledger.webhooks()
    if as_json:
        document({"webhooks": [_document(one) for one in found]})
        return
    rows = [(one.name, _shown(one), _interest(one), one.state) for one in found]
    table(("webhook", "url", "events", "state"), rows)
    if not found:
        note("there is no webhook: gitreg webhooks add URL")


@command.command("remove")
@click.argument("name")
@yes_option
def remove(name: str, yes: bool) -> None:
    """Forget a webhook, its secret and what it was not told yet."""
    from gitreg.cli.writing import confirm

    ledger = _courier().ledger
    webhook = ledger.webhook(name)
    confirm(f"forget the webhook {name}", yes=yes)
    ledger.remove(webhook)
    line(f"{name} is told of nothing any more")


@command.command("rotate")
@click.argument("name")
@click.option("--secret-file", metavar="FILE", type=click.Path(path_type=Path), help="Holds the new secret.")
@click.option("--secret-env", metavar="VARIABLE", help="Environment variable that holds the new secret.")
@click.option(
    "--overlap",
    metavar="HOURS",
    type=click.FloatRange(0, 24 * 90),
    default=_OVERLAP,
    show_default=True,
    help="How long deliveries are signed with the former secret, too.",
)
def rotate(name: str, secret_file: Path | None, secret_env: str | None, overlap: float) -> None:
    """Give a webhook another secret; both sign for a while, so that the receiver can follow."""
    import time

    from gitreg.subscribers import signature

    ledger = _courier().ledger
    webhook = ledger.webhook(name)
    given = _given_secret(secret_file, secret_env)
    secret = given or signature.new_secret()
    ledger.renew_secret(webhook, secret, former_until=time.time() + overlap * 3600)
    line(f"{name} has a new secret; the former one signs, too, for {overlap:g} hours")
    if not given:
        line(f"secret: {secret}")
        note("keep the secret where the receiver reads it: it is not shown again")


@command.command("test")
@click.argument("name")
@json_option
def test(name: str, as_json: bool) -> None:
    """Send a ping, and show the answer. It is tried once, and no event waits for it."""
    from gitreg.errors import EnvironmentFailure
    from gitreg.registry.clock import utc_now
    from gitreg.subscribers.ping import ping

    courier = _courier()
    webhook = courier.ledger.webhook(name)
    answer = courier.attempt(webhook, ping(webhook, utc_now()))
    said = answer.excerpt.decode("utf-8", "replace").strip()
    if as_json and answer.taken:
        document({"status": answer.status, "seconds": round(answer.seconds, 3), "body": said})
    elif answer.taken:
        line(f"{name} answered {answer.status} after {answer.seconds:.2f} s")
        if said:
            line(said[:500])
    else:
        raise EnvironmentFailure(
            f"the ping was not taken: {answer.fault}",
            where=_shown(webhook),
            hint=f"it said: {said[:300]}" if said else "is the receiver running? see: gitreg webhooks list",
        )


@command.command("deliver")
@click.argument("name", required=False)
@click.option(
    "--retry", is_flag=True, help="Also what is parked; by NAME what is disabled, too. All at once."
)
@click.option(
    "--seconds", type=click.FloatRange(0.1, 86400), help="Begin nothing any more after so many seconds."
)
@json_option
def deliver(name: str | None, retry: bool, seconds: float | None, as_json: bool) -> int:
    """Send what is due now: for cron, where neither a server's hook nor gitreg serve does.

    Exit code 1: some of it was not taken; it is tried again later.
    """
    from gitreg.errors import EnvironmentFailure

    courier = _courier()
    ledger = courier.ledger
    if ledger.path.exists() and not ledger.usable:
        raise EnvironmentFailure(
            "the webhooks belong to another user", where=str(ledger.path), hint="deliver as that user"
        )
    chosen = [ledger.webhook(name)] if name else ledger.webhooks()
    for webhook in chosen if retry else ():
        if webhook.attempts or webhook.state == "parked" or (name and webhook.state == "disabled"):
            ledger.resume(webhook)
    report = courier.deliver(seconds=seconds, only=name)
    _tell(report, as_json=as_json)
    return 1 if report.failed else 0


@command.command("skip")
@click.argument("name")
@yes_option
def skip(name: str, yes: bool) -> None:
    """Pass over the next event of a webhook: for one that its receiver will never take."""
    from gitreg.cli.writing import confirm

    courier = _courier()
    webhook = courier.ledger.webhook(name)
    event = courier.skip(webhook, lambda event: confirm(f"leave out {event}", yes=yes))
    line(f"{name} is not told of {event}" if event else f"{name} has been told of everything")


@command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show how far each webhook has come, and what hinders it."""
    courier = _courier()
    found = [(one, courier.waiting(one)) for one in courier.ledger.webhooks()]
    if as_json:
        told = [{**_document(one), **_progress(one), "waiting": waiting} for one, waiting in found]
        document({"webhooks": told})
        return
    rows = [
        (one.name, one.state, waiting, one.attempts, _time(one.due) if one.attempts else None, _words(one))
        for one, waiting in found
    ]
    table(("webhook", "state", "waiting", "attempts", "next", "note"), rows)
    if not found:
        note("there is no webhook: gitreg webhooks add URL")


@command.command("log")
@click.argument("name")
@click.option("-n", "--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="How many.")
@json_option
def log(name: str, limit: int, as_json: bool) -> None:
    """Show the last deliveries of a webhook, newest first."""
    ledger = _courier().ledger
    found = ledger.attempts(ledger.webhook(name), limit)
    if as_json:
        document({"deliveries": [_attempt(one) for one in found]})
        return
    rows = [
        (_time(one.at), one.type, one.subject, one.status, f"{one.seconds:.2f}", one.fault) for one in found
    ]
    table(("time", "type", "subject", "status", "seconds", "fault"), rows)
    if not found:
        note("nothing was sent yet")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of what events carry as their data."""
    from gitreg.subscribers.event import schema_text

    block(schema_text().rstrip("\n"))


def _courier() -> Courier:
    from gitreg.gitstore.repository import Repository
    from gitreg.subscribers.courier import Courier

    return Courier(Repository.discover(chosen_place(click.get_current_context())))


def _given_secret(file: Path | None, variable: str | None) -> str:
    """The secret from where it was said to be; ``""``: nothing was said."""
    from gitreg.errors import InvalidInput, UsageError
    from gitreg.subscribers.signature import check_secret

    if file is not None and variable is not None:
        raise UsageError("--secret-file and --secret-env exclude each other")
    if file is not None:
        try:
            return check_secret(file.read_bytes()[:4096].decode(), where=str(file))
        except UnicodeDecodeError:
            raise InvalidInput("the secret is no text", where=str(file)) from None
    if variable is not None:
        if variable not in os.environ:
            raise InvalidInput("there is no such environment variable", where=variable)
        return check_secret(os.environ[variable], where=variable)
    return ""


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        document({"busy": report.busy, "delivered": report.delivered, "failed": report.failed})
        return
    for name, count in report.delivered.items():
        line(f"{name}: {count} delivered")
    for name, fault in report.failed.items():
        warning(f"{name}: {fault}")
    if report.busy:
        note("another process is delivering")
    elif not report.delivered and not report.failed:
        note("nothing is due")


def _document(webhook: Webhook) -> dict[str, Any]:
    interest = webhook.interest
    return {
        "name": webhook.name,
        "url": _shown(webhook),
        "events": list(interest.events),
        "models": list(interest.models),
        "stages": list(interest.stages),
        "mode": webhook.mode,
        "source": webhook.source,
        "allow_private": webhook.allow_private,
        "allow_http": webhook.allow_http,
        "created": webhook.created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "state": webhook.state,
    }


def _progress(webhook: Webhook) -> dict[str, Any]:
    return {
        "commit": webhook.cursor.commit or None,
        "attempts": webhook.attempts,
        "next": _time(webhook.due) if webhook.attempts and webhook.state == "active" else None,
        "note": webhook.note,
        "missed": webhook.missed,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "id": one.event,
        "type": one.type,
        "subject": one.subject,
        "time": _time(one.at),
        "status": one.status,
        "fault": one.fault,
        "seconds": round(one.seconds, 3),
    }


def _interest(webhook: Webhook) -> str:
    interest = webhook.interest
    parts = [", ".join(interest.events) or "everything"]
    parts += [f"models {', '.join(interest.models)}"] if interest.models else []
    parts += [f"stages {', '.join(interest.stages)}"] if interest.stages else []
    return "; ".join(parts)


def _words(webhook: Webhook) -> str:
    return "; ".join(filter(None, (webhook.note, webhook.missed)))


def _shown(webhook: Webhook) -> str:
    from gitreg.subscribers.destination import parse

    return parse(webhook.url, allow_http=True).shown


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
