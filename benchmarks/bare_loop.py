"""The rival of ``register`` in one process: the least that a durable registration can be.

It knows one repository's trees by heart and checks nothing: no lock, no manifest schema, no gc beside
it, no ref that moved, no recovery. It writes the same seven objects, as gitreg does into one pack with
its index (three fsyncs) or as Git does into loose files (two for each), and lets one ``git update-ref``
move the branch and make the tag. Only the standard library.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import time
import zlib
from bisect import bisect_right
from pathlib import Path

_IDENT = "Bench Mark <bench@example.com>"
_KINDS = {b"commit": 1, b"tree": 2, b"blob": 3, b"tag": 4}
_DURABLE = ("-c", "core.fsync=all", "-c", "core.fsyncMethod=fsync")


class BareLoop:
    """Registers versions in a bare SHA-1 repository with the flat layout.

    Args:
        repository: Its path.
        models: The models that will be registered into.
        storage: ``"pack"`` or ``"loose"``.
    """

    def __init__(self, repository: Path, models: list[str], storage: str) -> None:
        self._write = {"pack": _write_pack, "loose": _write_loose}[storage]
        self._git = [shutil.which("git") or "git", *_DURABLE, "-C", str(repository)]
        self._at = str(repository)
        self._head = self._ask("rev-parse", "refs/heads/main").decode().strip()
        self._root = self._ask("cat-file", "tree", "refs/heads/main^{tree}")
        self._models = self._ask("cat-file", "tree", "refs/heads/main:models")
        self._model = {m: self._ask("cat-file", "tree", f"refs/heads/main:models/{m}") for m in models}
        self._versions = {
            m: self._ask("cat-file", "tree", f"refs/heads/main:models/{m}/versions") for m in models
        }
        self._names = {m: self._listed(m) for m in models}

    def _ask(self, *args: str) -> bytes:
        return subprocess.run([*self._git, *args], check=True, stdout=subprocess.PIPE).stdout

    def _listed(self, model: str) -> list[bytes]:
        answer = self._ask("ls-tree", "-z", "--name-only", f"refs/heads/main:models/{model}/versions")
        return answer.split(b"\0")[:-1]

    def register(self, model: str, number: int, manifest: bytes) -> None:
        """Write the manifest of one version, commit and tag it; it is on the disk at the return."""
        objects: dict[str, bytes] = {}
        blob = _add(objects, b"blob", manifest)
        self._insert(model, b"%d.yaml" % number, blob)
        versions = _add(objects, b"tree", self._versions[model])
        self._model[model] = _pointed(self._model[model], b"versions", versions)
        folder = _add(objects, b"tree", self._model[model])
        self._models = _pointed(self._models, model.encode(), folder)
        models = _add(objects, b"tree", self._models)
        self._root = _pointed(self._root, b"models", models)
        root = _add(objects, b"tree", self._root)
        signed = f"{_IDENT} {int(time.time())} +0000"
        subject = f"{model}: register version {number}"
        trailers = f"Gitreg-Event: register\nGitreg-Model: {model}\nGitreg-Version: {number}"
        commit = _add(
            objects,
            b"commit",
            f"tree {root}\nparent {self._head}\nauthor {signed}\ncommitter {signed}\n\n"
            f"{subject}\n\n{trailers}\n".encode(),
        )
        name = f"{model}/v{number}"
        tag = _add(
            objects,
            b"tag",
            f"object {commit}\ntype commit\ntag {name}\ntagger {signed}\n\n"
            f"{model} version {number}\n".encode(),
        )
        self._write(f"{self._at}/objects", objects)
        self._move(commit, f"refs/tags/{name}", tag, subject)
        self._head = commit

    def _insert(self, model: str, name: bytes, oid: str) -> None:
        names, raw = self._names[model], self._versions[model]
        at = bisect_right(names, name)
        place = raw.index(b"100644 %s\0" % names[at]) if at < len(names) else len(raw)
        names.insert(at, name)
        self._versions[model] = raw[:place] + b"100644 %s\0" % name + bytes.fromhex(oid) + raw[place:]

    def _move(self, commit: str, tag: str, oid: str, reason: str) -> None:
        folders = [f"{self._at}/refs/heads", os.path.dirname(f"{self._at}/{tag}")]
        if not os.path.exists(folders[1]):
            folders.append(f"{self._at}/refs/tags")
        text = f"update refs/heads/main\0{commit}\0{self._head}\0update {tag}\0{oid}\0{'0' * 40}\0"
        argv = [*self._git, "update-ref", "-m", reason, "-z", "--stdin"]
        subprocess.run(argv, input=text.encode(), check=True)
        for folder in folders:
            _sync(folder)


def _add(objects: dict[str, bytes], kind: bytes, data: bytes) -> str:
    framed = b"%s %d\0%s" % (kind, len(data), data)
    oid = hashlib.sha1(framed, usedforsecurity=False).hexdigest()
    objects[oid] = framed
    return oid


def _pointed(raw: bytes, name: bytes, oid: str) -> bytes:
    line = b"40000 %s\0" % name
    place = raw.index(line) + len(line)
    return raw[:place] + bytes.fromhex(oid) + raw[place + 20 :]


def _write_pack(folder: str, objects: dict[str, bytes]) -> None:
    chunks, rows, at = [struct.pack(">4sII", b"PACK", 2, len(objects))], [], 12
    for oid, framed in objects.items():
        head, _, data = framed.partition(b"\0")
        kind, rest = _KINDS[head.split(b" ")[0]], len(data)
        code, rest = kind << 4 | rest & 15, rest >> 4
        size = bytearray()
        while rest:
            size.append(code | 128)
            code, rest = rest & 127, rest >> 7
        chunk = bytes([*size, code]) + zlib.compress(data, 1)
        rows.append((bytes.fromhex(oid), zlib.crc32(chunk), at))
        chunks.append(chunk)
        at += len(chunk)
    pack = b"".join(chunks)
    trailer = hashlib.sha1(pack, usedforsecurity=False).digest()
    rows.sort()
    fan = [sum(oid[0] <= first for oid, _, _ in rows) for first in range(256)]
    table = b"\xfftOc\0\0\0\2" + struct.pack(">256I", *fan) + b"".join(oid for oid, _, _ in rows)
    table += struct.pack(f">{len(rows)}I", *(crc for _, crc, _ in rows))
    table += struct.pack(f">{len(rows)}I", *(offset for _, _, offset in rows)) + trailer
    name = f"{folder}/pack/pack-{trailer.hex()}"
    for ending, data in (
        ("pack", pack + trailer),
        ("idx", table + hashlib.sha1(table, usedforsecurity=False).digest()),
    ):
        descriptor = os.open(f"{name}.{ending}.new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        os.write(descriptor, data)
        os.fsync(descriptor)
        os.close(descriptor)
        os.replace(f"{name}.{ending}.new", f"{name}.{ending}")
    _sync(f"{folder}/pack")


def _write_loose(folder: str, objects: dict[str, bytes]) -> None:
    temporary: dict[str, str] = {}
    descriptors = []
    for oid, data in objects.items():
        temporary[oid] = f"{folder}/tmp_obj_{oid}"
        descriptors.append(os.open(temporary[oid], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444))
        os.write(descriptors[-1], zlib.compress(data, 1))
    for descriptor in descriptors:
        os.fsync(descriptor)
    folders = sorted({f"{folder}/{oid[:2]}" for oid in objects})
    new = [each for each in folders if not os.path.isdir(each)]
    for each in new:
        os.mkdir(each)
    for oid, path in temporary.items():
        os.replace(path, f"{folder}/{oid[:2]}/{oid[2:]}")
    for each in [*folders, folder] if new else folders:
        _sync(each)
    for descriptor in descriptors:
        os.close(descriptor)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
