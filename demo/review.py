"""``make demo-review``: a promotion by pull request, from the proposal to the tag, on a real Git server.

Ann proposes, Bob approves, Carol merges, each with a clone, a home and a key of their own. The server is
sshd with gitolite on this machine, run by the user who types ``make``; without these programs it is a bare
repository with the same hooks. All of it lies in a temporary folder. What stays is ``demo-review/``: the
repository, a clone for Ann and one for Bob, and a proposal that waits for Bob.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from run import ROOT, WIDTH, on_terminal, plain

sys.path.insert(0, str(ROOT))  # the servers are those of the end-to-end tests

from tests.servers import gitolite
from tests.servers import plain as over_files
from tests.servers.host import Server
from tests.servers.people import Person
from tests.servers.programs import missing

FOLDER = ROOT / "demo-review"
NAMES = ("ann", "bob", "carol")
PROPOSED = "origin/gitreg/promote/churn/2/Production"
EDIT = Path("models/churn/versions/2.yaml")
RULES = """\
  - name: Production
    exclusive: true
    no_worse:
      - metric: auc
        direction: higher
    approvals:
      count: 1
      approvers: [bob@example.com, carol@example.com]
"""
POLICY = """\
policy:
  approvals:
    count: 1
    approvers: [bob@example.com, carol@example.com]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where somebody types, and what they see: a terminal 100 columns wide."""

    who: Person
    coloured: bool

    def type(self, command: str, *, code: int = 0) -> str:
        """Run one command line, show it with its output, and return what it printed.

        Args:
            command: As it is typed.
            code: What it must end with; a refusal is part of the story.

        Raises:
            SystemExit: It ended otherwise; so does the demo.
        """
        print(self._prompt(command), flush=True)
        env = {**self.who.env, "COLUMNS": str(WIDTH), "GIT_PAGER": "cat", "TERM": "xterm"}
        got, out, err = on_terminal(shlex.split(command), self.who.work, env)
        shown = out + err if self.coloured else plain(out + err)
        print("".join(f"{line.rstrip()}\n" for line in shown.splitlines()), end="", flush=True)
        if got != code:
            raise SystemExit(f"demo: the command above ended with {got}, not {code}")
        return plain(out + err)

    def _prompt(self, command: str) -> str:
        prompt = f"{self.who.name}$ "
        return f"\x1b[1m{prompt}{command}\x1b[0m" if self.coloured else prompt + command


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The server, the people at their desks, and the one who tells the story."""

    server: Server
    ann: Desk
    bob: Desk
    carol: Desk

    def say(self, text: str) -> None:
        """A comment between the commands."""
        print(f"\n\x1b[36m# {text}\x1b[0m" if self.ann.coloured else f"\n# {text}")


def main(argv: Sequence[str] = ()) -> None:
    """Tell the story; ``--plain`` does without a server."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="gitreg-review-"))
    try:
        with ExitStack() as stack:
            lacking = "--plain was given" if "--plain" in argv else missing(*gitolite.PROGRAMS)
            if lacking:
                print(f"No Git server can be had here: {lacking}.")
                print("The same story with a bare repository on this disk, and the same hooks.")
                server = stack.enter_context(over_files.plain(folder, NAMES))
            else:
                print("Starting sshd with gitolite on a port of this machine ...")
                server = stack.enter_context(gitolite.gitolite(folder, NAMES))
            tell(server)
            keep(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    farewell(time.monotonic() - started)


def tell(server: Server) -> None:
    """From the registry to the tag."""
    coloured = sys.stdout.isatty()
    seats = {name: Desk(who=server.people[name], coloured=coloured) for name in NAMES}
    stage = Stage(server=server, **seats)
    set_up(stage)
    direct(stage)
    proposed(stage)
    approved(stage)
    merged(stage)


def set_up(stage: Stage) -> None:
    """A registry with rules, on the server; everybody takes a clone."""
    ann = stage.ann
    stage.say("Ann's registry: churn/1 serves, churn/2 is new")
    ann.who.work.mkdir()
    ann.type("gitreg init")
    ann.type("gitreg register churn s3://models/churn/1 --metric auc=0.90")
    ann.type("gitreg transition churn/1 Production")
    ann.type("gitreg register churn s3://models/churn/2 --metric auc=0.92")
    stage.say("From now on Bob or Carol must approve what enters Production: rules and keys are files")
    settings = (ann.who.work / "gitreg.yaml").read_text(encoding="utf-8")
    ann.who.write("gitreg.yaml", settings.replace("  - Production\n", RULES) + POLICY)
    keys = "".join(f"{who.email} {who.public_key}\n" for who in stage.server.people.values())
    ann.who.write("keys/allowed_signers", keys)
    ann.type("git add gitreg.yaml keys")
    ann.type("git commit --quiet -m 'Rules for Production'")
    ann.type("gitreg policy show")
    ann.who.git("remote", "add", "origin", ann.who.url)
    ann.type("git push --quiet --set-upstream origin main")
    for desk in (stage.bob, stage.carol):
        desk.who.clone()


def direct(stage: Stage) -> None:
    """The rules hold on the laptop and on the server."""
    ann = stage.ann
    stage.say("Ann can't just promote it")
    ann.type("gitreg transition churn/2 Production", code=5)
    stage.say("Nor with an editor: the server judges what arrives, not how it was made")
    path = ann.who.work / EDIT
    path.write_text(path.read_text("utf-8") + 'stages:\n  Production: "2026-11-01T09:00:00.000Z"\n', "utf-8")
    ann.type("git commit --quiet --all -m 'Into Production'")
    ann.type("git push origin main", code=1)
    ann.type("git reset --quiet --hard origin/main")


def proposed(stage: Stage) -> None:
    """What Ann asks for, and what a reviewer sees."""
    stage.say("So she proposes it: one commit on a branch of its own")
    stage.ann.type("gitreg promote churn/2 Production -m 'Finds the customers whom we lost in May'")
    stage.say("What Bob sees, and what the required check says: red, for want of approval")
    stage.bob.type("git fetch --quiet")
    stage.bob.type("gitreg review churn/2 Production")
    stage.bob.type(f"gitreg verify --proposal origin/main {PROPOSED}", code=1)


def approved(stage: Stage) -> None:
    """Bob signs, and the check turns green."""
    stage.say("Bob approves: a signed file on the proposal's branch")
    stage.bob.type("gitreg approve churn/2 Production --yes -m 'Tried on last week'")
    stage.bob.type("gitreg approvals churn/2 Production")
    stage.say("Green")
    stage.bob.type(f"gitreg verify --proposal origin/main {PROPOSED}")


def merged(stage: Stage) -> None:
    """Carol squashes it, with plain Git; the server makes the tag."""
    carol = stage.carol
    stage.say("Carol merges with plain Git, by squash, as a hosting service would; the server makes the tag")
    carol.type("git fetch --quiet")
    carol.type(f"git merge --quiet --squash {PROPOSED}")
    carol.type("git commit --quiet -m 'Promote churn/2 (#1)'")
    carol.type("git push --quiet origin main")
    carol.type("git fetch --quiet --tags")
    carol.type("git tag -n1 --list churn/Production/*")
    stage.say("Who proposed, who approved, who merged?")
    carol.type("gitreg log -n 1")
    carol.type("gitreg verify --all")
    carol.type("gitreg resolve churn/Production")


def keep(server: Server) -> None:
    """Leave the registry in ``FOLDER``, without its server, and a proposal of Ann's that waits for Bob."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    bare = FOLDER / "registry.git"
    ann, bob = (replace(server.people[name], work=FOLDER / name, url=str(bare)) for name in ("ann", "bob"))
    ann.run("git", "clone", "--quiet", "--mirror", str(server.bare), str(bare), at=FOLDER)
    ann.run("git", "remote", "remove", "origin", at=bare)
    ann.run("gitreg", "--registry", str(bare), "hooks", "install", "--server", "--proposals", at=FOLDER)
    for who in (ann, bob):
        who.clone()
        who.git("config", "user.name", who.name.capitalize())
        who.git("config", "user.email", who.email)
    shutil.copy2(bob.home / "key", FOLDER / "bob.key")
    ann.gitreg("register", "churn", "s3://models/churn/3", "--metric", "auc=0.94")
    ann.git("push", "--quiet")
    ann.gitreg("promote", "churn/3", "Production", "-m", "Trained on June, too")


def farewell(seconds: float) -> None:
    """Where it all is, and what to try next."""
    here = FOLDER.relative_to(Path.cwd()) if FOLDER.is_relative_to(Path.cwd()) else FOLDER
    print(f"\nDone in {seconds:.0f} s. The registry stays in {here} until the next make demo-review.")
    print("Ann has proposed churn/3 meanwhile. You are Bob:\n")
    print(f"  source {Path(sys.prefix, 'bin', 'activate')} && cd {FOLDER / 'bob'}")
    for command, meaning in {
        "gitreg proposals": "what waits, and for what",
        "gitreg review churn/3 Production": "better than churn/2?",
        "gitreg approve churn/3 Production --key ../bob.key": "sign it",
        "gitreg merge churn/3 Production": "in",
        "git pull --tags && gitreg log": "who did what",
        "gitreg rollback churn Production": "refused: a way back is approved here, too",
        "gitreg rollback churn Production --propose": "so it is proposed; nobody approves their own",
        "gitreg policy show": "the rules; they stand in gitreg.yaml",
        "git tag -f churn/Production/1 && git push -f --tags": "whatever you try: the repository refuses it",
    }.items():
        print(f"  {command:<53} # {meaning}")
    print("\ndocs/team.md sets up such a registry for a team, docs/promotion.md has all the rules.")


if __name__ == "__main__":
    main(sys.argv[1:])
