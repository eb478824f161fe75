"""sshd with gitolite: several people, each with a key and rights of their own."""

from __future__ import annotations

import getpass
import os
import pwd
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

from tests.servers.daemon import answers, at_free_port, daemon
from tests.servers.host import Server, asked, host_env, with_hooks
from tests.servers.people import Person, person
from tests.servers.programs import path_of

PROGRAMS = ("sshd", "gitolite")
REPOSITORY = "registry"

# Proposal branches are everybody's to move and remove; the registry's branch only goes on.
_RIGHTS = """\
@people = {people}
repo registry
    RW+CD   gitreg/      = @people
    RWC     main         = @people
    RW+CD   refs/tags/   = @people
    RW+CD   refs/for/    = @people
    R                    = @all
"""


@contextmanager
def gitolite(folder: Path, names: Sequence[str], *, readers: Sequence[str] = ()) -> Iterator[Server]:
    """Serve an empty repository by SSH until the end of the block.

    Args:
        folder: An empty folder; everything is made in it.
        names: Who may write.
        readers: Who may only read.
    """
    host = folder / "server"
    host.mkdir(parents=True)
    env = host_env(host)
    people = {name: person(name, folder, url=f"server:{REPOSITORY}") for name in sorted({*names, *readers})}
    _set_up(host, env, people, writers=names)
    bare = host / "repositories" / f"{REPOSITORY}.git"
    server = with_hooks(Server(bare=bare, people=people, env=env))
    with ExitStack() as stack:
        config = folder / "sshd_config"
        asked(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host_key")], env)
        if os.geteuid() == 0:
            with suppress(FileExistsError):  # what the package's service makes at its start
                os.mkdir("/run/sshd", 0o755)

        def serve(port: int) -> AbstractContextManager[int]:
            config.write_text(_sshd(folder, host, port), encoding="utf-8")
            argv = [path_of("sshd"), "-D", "-e", "-f", str(config)]
            return daemon(argv, ready=lambda: answers(port, b"SSH-2.0"), log=folder / "sshd.log")

        port = at_free_port(stack, serve)
        for each in people.values():
            _introduce(each, folder, port)
        yield server


def _set_up(
    host: Path, env: Mapping[str, str], people: Mapping[str, Person], *, writers: Sequence[str]
) -> None:
    program = path_of("gitolite")
    first = next(iter(people.values()))
    key = host / f"{first.name}.pub"
    key.write_text((first.home / "key.pub").read_text())
    asked([program, "setup", "-pk", str(key)], env)
    for each in people.values():
        (host / ".gitolite/keydir" / f"{each.name}.pub").write_text((each.home / "key.pub").read_text())
    (host / ".gitolite/conf/gitolite.conf").write_text(_RIGHTS.format(people=" ".join(writers)))
    asked([program, "compile"], env)
    asked([program, "trigger", "POST_COMPILE"], env)


def _sshd(folder: Path, host: Path, port: int) -> str:
    # The session gets the server's home instead of the account's: gitolite goes by HOME alone.
    return f"""\
Port {port}
ListenAddress 127.0.0.1
HostKey "{folder / "host_key"}"
PidFile none
AuthorizedKeysFile "{host / ".ssh/authorized_keys"}"
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM {"yes" if _locked() else "no"}
PermitUserRC no
SetEnv "HOME={host}" GIT_CONFIG_NOSYSTEM=1
MaxStartups 100
LogLevel ERROR
"""


def _locked() -> bool:
    """Whether the account has ``!`` for a password: sshd lets it in by key only where PAM decides."""
    with suppress(OSError):
        for line in Path("/etc/shadow").read_text().splitlines():
            if line.startswith(f"{getpass.getuser()}:!"):
                return True
    return False


def _introduce(who: Person, folder: Path, port: int) -> None:
    """Let somebody's ssh know the server, by their own file alone."""
    known = who.home / "known_hosts"
    host_key = (folder / "host_key.pub").read_text()
    known.write_text(f"[127.0.0.1]:{port} {host_key}")
    config = who.home / "ssh_config"
    config.write_text(
        f"""\
Host server
    HostName 127.0.0.1
    Port {port}
    User {pwd.getpwuid(os.geteuid()).pw_name}
    IdentityFile "{who.home / "key"}"
    IdentitiesOnly yes
    IdentityAgent none
    UserKnownHostsFile "{known}"
    StrictHostKeyChecking yes
    BatchMode yes
"""
    )
    who.configure(("core.sshCommand", f"ssh -F '{config}'"))
