"""A registration-shaped write at the level of the store, as a command that can be killed.

    python -m tests.faults.driver register NAME      next version of a model, with its tag
    python -m tests.faults.driver transition NAME    the highest version to Production, with its tag

It answers with one line on stdout once the change is durable.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from gitreg.errors import GitregError
from gitreg.gitstore.objects import Person
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.writer import Session, open_session

ADA = Person(name="Ada Lovelace", email="ada@example.com")


def main() -> None:
    verb, name = sys.argv[1:]
    repository = Repository.discover(Path.cwd())
    ref = "refs/heads/main"
    with Reader(repository) as reader, open_session(repository, reader, ref=ref) as session:
        changed, tag = VERBS[verb](session, repository.prefix, name)
        oid = session.commit(
            parent=session.base,
            changes=changed,
            message=f"{name}: {verb}",
            author=ADA,
            committer=ADA,
            when=datetime.now(UTC),
        )
        session.tag(name=tag, target=oid, message=tag, tagger=ADA, when=datetime.now(UTC))
        session.publish()
    sys.stdout.write(f"{tag} {oid}\n")
    sys.stdout.flush()


def register(session: Session, prefix: str, name: str) -> tuple[dict[str, bytes], str]:
    number = last_version(session, prefix, name) + 1
    path = f"{prefix}models/{name}/versions/{number}.yaml"
    return {path: f"version: {number}\nsource: s3://bucket/{name}/{number}\n".encode()}, f"{name}/v{number}"


def transition(session: Session, prefix: str, name: str) -> tuple[dict[str, bytes], str]:
    number = last_version(session, prefix, name)
    path = f"{prefix}models/{name}/versions/{number}.yaml"
    entry = session.reader.entry(session.tree_of(session.base or ""), path)
    assert entry is not None
    before = session.reader.blob(entry.oid)
    count = before.count(b"stage:") + 1
    return {path: before + f"stage: Production {count}\n".encode()}, f"{name}/Production/{count}"


def last_version(session: Session, prefix: str, name: str) -> int:
    tree = session.tree_of(session.base or "")
    folder = session.reader.entry(tree, f"{prefix}models/{name}/versions")
    names = session.reader.tree(folder.oid) if folder else {}
    return max((int(file.removesuffix(".yaml")) for file in names), default=0)


VERBS = {"register": register, "transition": transition}

if __name__ == "__main__":
    try:
        main()
    except GitregError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
