"""git http-backend behind nginx, with a name and a password for each person."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from tests.servers.daemon import answers, at_free_port, daemon
from tests.servers.host import Server, asked, host_env, with_hooks
from tests.servers.people import Person, person
from tests.servers.programs import path_of

PROGRAMS = ("nginx", "fcgiwrap", "openssl")
REPOSITORY = "registry.git"


@contextmanager
def web(folder: Path, names: Sequence[str]) -> Iterator[Server]:
    """Serve an empty repository by HTTP until the end of the block; ``names`` may write."""
    host = folder / "server"
    host.mkdir(parents=True)
    env = host_env(host)
    people = {name: person(name, folder) for name in names}
    bare = host / REPOSITORY
    asked(["git", "init", "-q", "--bare", str(bare)], env)
    (host / "passwords").write_text("".join(_entry(name) for name in names))
    wrapper = host / "fcgi.sock"
    argv = [path_of("fcgiwrap"), "-c", "4", "-s", f"unix:{wrapper}"]
    with ExitStack() as stack:
        stack.enter_context(daemon(argv, ready=wrapper.exists, log=folder / "fcgiwrap.log", env=env))

        def serve(port: int) -> AbstractContextManager[int]:
            config = folder / "nginx.conf"
            config.write_text(_nginx(host, port), encoding="utf-8")
            argv = [path_of("nginx"), "-c", str(config), "-p", str(host), "-e", "stderr"]
            return daemon(argv, ready=lambda: answers(port), log=folder / "nginx.log", env=env)

        port = at_free_port(stack, serve)
        met = {name: _introduced(each, port) for name, each in people.items()}
        yield with_hooks(Server(bare=bare, people=met, env=env))


def password(name: str) -> str:
    """The password of somebody in these tests."""
    return f"{name}-opens-sesame"


def _entry(name: str) -> str:
    command = ["openssl", "passwd", "-apr1", "-stdin"]
    done = subprocess.run(command, input=password(name), capture_output=True, text=True, check=True)
    return f"{name}:{done.stdout.strip()}\n"


def _nginx(host: Path, port: int) -> str:
    folders = "\n".join(
        f'    {each}_temp_path "{host / "tmp" / each}";'
        for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (host / "tmp").mkdir(exist_ok=True)
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""\
daemon off;
{user}
pid "{host / "nginx.pid"}";
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
{folders}
    server {{
        listen 127.0.0.1:{port};
        client_max_body_size 0;
        auth_basic "registry";
        auth_basic_user_file "{host / "passwords"}";
        location / {{
            fastcgi_pass "unix:{host / "fcgi.sock"}";
            fastcgi_param SCRIPT_FILENAME "{_backend()}";
            fastcgi_param GIT_PROJECT_ROOT "{host}";
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param HOME "{host}";
            fastcgi_param GIT_CONFIG_NOSYSTEM 1;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_read_timeout 60;
        }}
    }}
}}
"""


def _backend() -> str:
    done = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True)
    return f"{done.stdout.strip()}/git-http-backend"


def _introduced(who: Person, port: int) -> Person:
    """Somebody who knows the server's address, and whose Git knows the password."""
    address = f"127.0.0.1:{port}"
    store = who.home / "passwords"
    store.touch(mode=0o600)
    store.write_text(f"http://{who.name}:{password(who.name)}@{address}\n")
    who.configure(("credential.helper", f"store --file='{store}'"))
    return Person(
        name=who.name, home=who.home, work=who.work, url=f"http://{who.name}@{address}/{REPOSITORY}"
    )
