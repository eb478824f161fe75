"""How long it takes to judge: a staged file, a push, a proposal, an approval, a whole history."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

from fixtures import Shape, model_name
from pairs import Row, at_most, interleave, milliseconds
from programs import GITREG, git, run
from workshop import HISTORY, Workshop

from gitreg.domain.approval import Approval
from gitreg.signing import sshsig
from gitreg.signing.signers import Signers
from gitreg.signing.statement import APPROVAL_NAMESPACE, decode, encode, encode_file, split_file

RULES = """\
stages:
  - name: Staging
  - name: Production
    exclusive: true
    no_worse:
      - metric: roc_auc
        direction: higher
        tolerance: 1
    approvals:
      count: 1
      approvers: [ann@example.com]
  - name: Archived
"""


def validating(workshop: Workshop, many: Shape, rounds: int) -> list[Row]:
    """``gitreg hook validate``, which pre-commit runs: one staged file, and every file of a registry."""
    place = workshop.work_tree(many)
    name = model_name(many.models // 2)
    one = f"models/{name}/versions/1.yaml"
    times = interleave(
        {
            "one": partial(run, [GITREG, "hook", "validate", one], place),
            "click": partial(run, [sys.executable, "-c", "import click"], place),
        },
        rounds=rounds,
        warmup=3,
    )
    files = sorted(str(path.relative_to(place)) for path in (place / "models").rglob("*.yaml"))
    # Two processes side by side would be pre-commit's own way; one of them is what is promised here.
    whole = interleave(
        {"all": partial(run, [GITREG, "hook", "validate", *files], place)}, rounds=3, warmup=0
    )["all"]
    took = median(times["one"])
    return [
        Row(
            what="`gitreg-validate`, one staged file",
            target="≤ 150 ms",
            ours=milliseconds(times["one"]),
            rival="",
            ratio="",
            met=took <= 0.15,
        ),
        at_most("the same beside a bare start", 2.5, times["one"], times["click"], against="import click"),
        Row(
            what=f"`gitreg-validate`, {len(files):,} files",
            target="≤ 10 s",
            ours=milliseconds(whole),
            rival="",
            ratio="",
            met=median(whole) <= 10,
        ),
    ]


def pushing(workshop: Workshop, shape: Shape, rounds: int) -> list[Row]:
    """A push of one change to a server with hooks, and to one without; and the verdicts by themselves."""
    server, _, clone = _world(workshop, shape)
    name = model_name(shape.models // 2)
    count = iter(range(1, 10_000))

    def push(remote: str) -> None:
        git(clone, "push", "--quiet", remote, "main")

    def change() -> None:
        run([GITREG, "tag", f"{name}/2", f"round={next(count)}"], clone)

    guarded, bare, judged, proposed = [], [], [], []
    for number in range(rounds + 1):
        change()
        before = git(server, "rev-parse", "main")
        judged.append(_seconds(lambda before=before: run([GITREG, "verify", before, "HEAD"], clone)))
        bare.append(_seconds(lambda: push("plain")))
        guarded.append(_seconds(lambda: push("server")))
        git(clone, "branch", "--force", "proposed", "HEAD")
        if number == 0:
            _propose(clone, name)
        proposed.append(_seconds(lambda: _red([GITREG, "verify", "--proposal", "main", "proposal"], clone)))
    guarded, bare, judged, proposed = (each[1:] for each in (guarded, bare, judged, proposed))
    within = partial(_within, 1.0)
    return [
        within(
            f"a push of one change, server hooks installed, {shape}",
            guarded,
            f"no hooks {milliseconds(bare)}",
        ),
        within(f"`gitreg verify OLD NEW`, one commit, {shape}", judged, ""),
        within(f"`gitreg verify --proposal BASE HEAD`, a promotion, {shape}", proposed, ""),
    ]


def histories(workshop: Workshop, shapes: Iterable[Shape]) -> list[Row]:
    """``gitreg verify --all``: every commit from the root on."""
    rows = []
    for shape in shapes:
        place = workshop.bare(shape, HISTORY)
        commits = int(git(place, "rev-list", "--count", "--first-parent", "main"))
        run([GITREG, "index"], place)
        took = _seconds(lambda place=place: run([GITREG, "verify", "--all"], place))
        rows.append(
            Row(
                what=f"`gitreg verify --all`, {commits:,} commits, {shape}",
                target="–",
                ours=f"{took:.1f} s",
                rival="",
                ratio=f"{commits / took:,.0f} commits/s",
                met=None,
            )
        )
    return rows


def approvals(workshop: Workshop, rounds: int) -> list[Row]:
    """One approval, from the bytes of its file to the person: in process, and by ssh-keygen."""
    folder = workshop.place()
    folder.mkdir()
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    (folder / "signers").write_text(f"ann@example.com {public}\n")
    signers = Signers.parse((folder / "signers").read_bytes())
    statement = encode(_approval())
    signed = _sign(key, statement)
    (folder / "signature").write_bytes(signed)
    data = encode_file(statement, signed)
    when = datetime(2026, 1, 2, tzinfo=UTC)

    def check() -> None:
        text, armor = split_file(data)
        decode(text)
        signers.check(sshsig.verify(text, armor, namespace=APPROVAL_NAMESPACE), APPROVAL_NAMESPACE, when)

    command = ["ssh-keygen", "-Y", "verify", "-n", APPROVAL_NAMESPACE, "-I", "ann@example.com"]
    command += ["-f", str(folder / "signers"), "-s", str(folder / "signature")]

    def second_opinion() -> None:
        subprocess.run(command, input=statement, capture_output=True, check=True)

    times = interleave({"ours": check, "keygen": second_opinion}, rounds=rounds, warmup=5)
    return [
        Row(
            what="one approval, checked in process",
            target="≤ 1 ms",
            ours=milliseconds(times["ours"]),
            rival=f"ssh-keygen -Y verify {milliseconds(times['keygen'])}",
            ratio="",
            met=median(times["ours"]) <= 0.001,
        )
    ]


def _approval() -> Approval:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return Approval(
        registry="0" * 40,
        model="churn",
        version=12,
        stage="Production",
        number=3,
        origin="1" * 64,
        rule="2" * 64,
        proposed_by=("bob@example.com",),
        approver="ann@example.com",
        at=began,
        expires=began + timedelta(days=30),
        reason="Better in every region",
    )


def _sign(key: Path, data: bytes) -> bytes:
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", APPROVAL_NAMESPACE, "-f", str(key)]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _world(workshop: Workshop, shape: Shape) -> tuple[Path, Path, Path]:
    """A server with hooks, one without, and a clone with rules that both have."""
    server = workshop.bare(shape, HISTORY)
    clone = workshop.place()
    git(server.parent, "clone", "--quiet", "--origin", "server", str(server), str(clone))
    settings = clone / "gitreg.yaml"
    settings.write_text(_without_stages(settings.read_text()) + RULES)
    git(clone, "commit", "--quiet", "--all", "--message", "Rules for Production")
    git(clone, "push", "--quiet", "server", "main")
    plain = workshop.place()
    shutil.copytree(server, plain)
    git(clone, "remote", "add", "plain", str(plain))
    run([GITREG, "hooks", "install", "--server"], server)
    run([GITREG, "index"], server)
    run([GITREG, "index"], clone)
    return server, plain, clone


def _without_stages(text: str) -> str:
    before, _, after = text.partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    return before + "".join(rest)


def _propose(clone: Path, name: str) -> None:
    git(clone, "switch", "--quiet", "--create", "proposal")
    run([GITREG, "transition", f"{name}/3", "Production"], clone)
    git(clone, "switch", "--quiet", "main")


def _red(argv: list[str], at: Path) -> None:
    """Run what must find that approvals are missing."""
    done = subprocess.run(argv, cwd=at, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 1 or b"GR206" not in done.stdout:
        raise SystemExit(f"{argv}: {done.stdout.decode()}{done.stderr.decode()}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _within(most: float, what: str, times: list[float], rival: str) -> Row:
    return Row(
        what=what,
        target=f"≤ {most:g} s",
        ours=milliseconds(times),
        rival=rival,
        ratio="",
        met=median(times) <= most,
    )
