"""``gitreg fmt``: write manifests in canonical form."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import click

from gitreg.cli.options import chosen_place
from gitreg.cli.output import line, note
from gitreg.domain.findings import Finding
from gitreg.errors import InvalidInput, InvalidManifests, NotARegistry, NotFound
from gitreg.render.text import plural, safe_block


@click.command("fmt")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when a file is not in canonical form.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: tuple[Path, ...], check: bool, diff: bool) -> int:
    """Write manifests in canonical form, with all their comments.

    PATHS are files and folders; without any, the whole registry.
    """
    files = list(dict.fromkeys(_files(paths)))
    findings: list[Finding] = []
    changed = 0
    for file in files:
        before = file.read_bytes()
        try:
            after = _formatted(file, before)
        except InvalidManifests as error:
            findings += error.findings
            continue
        if after == before:
            continue
        changed += 1
        if diff:
            _show_diff(file, before, after)
        else:
            line(str(file))
        if not (check or diff):
            _replace(file, after)
    return _conclude(len(files), changed, findings, writing=not (check or diff), judging=check)


def _conclude(files: int, changed: int, findings: list[Finding], *, writing: bool, judging: bool) -> int:
    from gitreg.render.findings import text

    sys.stderr.write(text(findings))
    broken = len({one.path for one in findings})
    told = f"{'wrote' if writing else 'would change'} {changed:,} of {plural(files, 'file')}"
    note(told + (f", left {plural(broken, 'file')} that can't be read" if broken else ""))
    if judging:
        return 1 if changed or findings else 0
    return InvalidManifests.exit_code if findings else 0


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The manifests under ``paths``: what is named is taken, of a folder every ``.yaml`` of a registry."""
    for path in paths or (_registry_root(),):
        if path.is_dir():
            yield from (path / name for name in ("gitreg.yaml",) if (path / name).is_file())
            inside = path / "models" if (path / "gitreg.yaml").is_file() else path
            yield from sorted(each for each in inside.rglob("*.yaml") if is_manifest(each))
        elif path.is_file():
            if not is_manifest(path):
                raise InvalidInput(
                    "the file is no manifest of a registry",
                    where=str(path),
                    hint="gitreg.yaml, models/NAME/model.yaml or models/NAME/versions/N.yaml",
                )
            yield path
        else:
            raise NotFound("there is no such file", where=str(path))


def is_manifest(path: Path) -> bool:
    """Whether a file is a manifest of a registry that it lies in."""
    named = path.name in ("gitreg.yaml", "model.yaml") or (
        path.parent.name == "versions" and path.stem.isdigit()
    )
    # Other tools have files of these names, too: only those below a gitreg.yaml are ours.
    ours = any((folder / "gitreg.yaml").is_file() for folder in path.absolute().parents)
    return named and ours and path.is_file() and not path.is_symlink()


def _registry_root() -> Path:
    from gitreg.gitstore.repository import Repository

    repository = Repository.discover(chosen_place(click.get_current_context()))
    if repository.work_tree is None:
        raise NotARegistry("a bare repository has no files to format", where=str(repository.git_dir))
    root = repository.work_tree / repository.prefix
    return Path(os.path.relpath(root))


def _formatted(path: Path, data: bytes) -> bytes:
    from gitreg.manifest.fields import MODEL, SETTINGS, VERSION
    from gitreg.manifest.fmt import format_text, kind_of
    from gitreg.manifest.yaml import parse

    names = {"gitreg.yaml": SETTINGS, "model.yaml": MODEL}
    kind = VERSION if path.parent.name == "versions" else names.get(path.name)
    return format_text(data, kind or kind_of(parse(data, str(path)).data), str(path))


def _show_diff(path: Path, before: bytes, after: bytes) -> None:
    old, new = (
        data.decode("utf-8", "backslashreplace").splitlines(keepends=True) for data in (before, after)
    )
    for row in unified_diff(old, new, f"a/{path}", f"b/{path}"):
        sys.stdout.write(safe_block(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n"))


def _replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the file's place in one step, with its permissions; a link is followed."""
    target = path.resolve()
    handle, aside = tempfile.mkstemp(prefix=".gitreg-", dir=target.parent)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), target.stat().st_mode & 0o7777)
        Path(aside).replace(target)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
