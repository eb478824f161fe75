"""Histories in which anything may be wrong, made in one go: nothing of gitreg has a hand in them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random
from zlib import crc32

_ANN, _BOB = "Ann <ann@example.com>", "Bob <bob@example.com>"
_BEGAN = 1_767_225_600  # 2026-01-01
_TIME = '"2026-01-01T00:00:00.000Z"'
_SETTINGS = "format: 1\nbranch: main\nlayout: {layout}\nstages:\n  - name: Staging\n  - name: Production\n{rules}  - name: Archived\n"
RULES = (
    "",
    "    exclusive: true\n",
    "    exclusive: true\n    from: [Staging]\n",
    "    no_worse:\n      - metric: auc\n        direction: higher\n",
    "    requires: [card]\n",
    "    approvals:\n      count: 1\n      approvers: [bob@example.com]\n",
)


class History:
    """A repository in the making: every call is a commit on ``main``.

    Args:
        place: Where it is made, bare.
        random: Decides.
        prefix: The registry's folder: ``""`` or ``sub/``.
        names: Of the models.
        rules: Whether the settings change, and may be broken.
        clocks: Whether they may be wrong.
    """

    BRANCHES = ("main", "side", "merged", "squashed", "rebased")

    def __init__(
        self,
        place: Path,
        random: Random,
        *,
        prefix: str = "",
        names: tuple[str, ...] = ("churn", "fraud", "Churn"),
        rules: bool = True,
        clocks: bool = True,
    ) -> None:
        self.place, self.random, self.prefix = place, random, prefix
        self.names, self.rules, self.clocks = names, rules, clocks
        self.files: dict[str, str] = {}  # what main holds, from the registry's root
        self._stream: list[str] = []
        self._count = 0

    def make(self, commits: int, *, rules: str = "", proposal: bool = False) -> None:
        """All of it; the first commit sets the registry up.

        Args:
            commits: How many there are about.
            rules: For Production, in the settings of the first.
            proposal: Whether ``propose`` ends it.
        """
        self._commit({"gitreg.yaml": self._settings(rules)})
        for _ in range(commits):
            self._merge() if self.random.random() < 0.15 else self._commit(self._change())
        if proposal:
            self.propose()
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.place)], check=True)
        subprocess.run(
            ["git", "fast-import", "--quiet", "--force"],
            cwd=self.place,
            input="".join(self._stream).encode(),
            check=True,
        )

    def propose(self) -> None:
        """A proposal of two commits on ``side``, and what merge, squash and rebase make of it.

        Meanwhile ``main`` has gone on with another model.
        """
        first, second = self._change(), self._change()
        touched = [{path.split("/")[1] for path in one if "/" in path} for one in (first, second)]
        ruled = any(path.startswith(("keys/", "gates/")) for path in first)  # they count for the second
        commits = [first] if ruled or touched[0] & touched[1] else [first, second]
        both = {path: text for one in commits for path, text in one.items()}
        self._stream.append("reset refs/heads/side\nfrom refs/heads/main\n\n")
        self._commit({"models/other/model.yaml": self._model("other", "")})
        for name in ("merged", "squashed", "rebased"):
            self._stream.append(f"reset refs/heads/{name}\nfrom refs/heads/main\n\n")
        for name in ("side", "rebased"):
            for changes in commits:
                self._commit(changes, ref=f"refs/heads/{name}")
        self._commit(both, ref="refs/heads/merged", parents="merge refs/heads/side\n")
        self._commit(both, ref="refs/heads/squashed")

    def _commit(
        self, changes: dict[str, str | None], *, ref: str = "refs/heads/main", parents: str = ""
    ) -> None:
        self._count += 1
        # Now and then a clock is wrong.
        wrong = self.clocks and self.random.random() < 0.03
        when = _BEGAN + self._count * 60 - (400_000 if wrong else 0)
        author = self.random.choice((_ANN, _BOB))
        self._stream.append(
            f"commit {ref}\nauthor {author} {when} +0000\ncommitter {_ANN} {when} +0000\ndata 2\nx\n{parents}"
        )
        for path, text in changes.items():
            self._stream.append(self._file(self.prefix + path, text))
        if ref == "refs/heads/main":
            self.files.update({path: text for path, text in changes.items() if text is not None})
            for path in [path for path, text in changes.items() if text is None]:
                gone = [one for one in self.files if one == path or one.startswith(f"{path}/")]
                for one in gone:
                    del self.files[one]

    def _file(self, path: str, text: str | None) -> str:
        if text is None:
            return f"D {path}\n"
        chance = crc32(f"{path}\n{text}".encode())  # the same each time: it comes by a merge and by a squash
        odd = chance % 33 == 0 and (self.rules or not path.endswith("gitreg.yaml"))
        mode = ("120000", "100755")[chance % 2] if odd else "100644"
        return f"M {mode} inline {path}\ndata {len(text.encode())}\n{text}\n"

    def _merge(self) -> None:
        """A side branch of some commits, merged; what it brings is told by the merge, too."""
        side, brought = f"refs/heads/side{self._count}", self._change()
        self._stream.append(f"reset {side}\nfrom refs/heads/main\n\n")
        self._commit(brought, ref=side)
        if self.random.random() < 0.5:
            self._commit(self._change())  # main goes on meanwhile
        self._commit(brought, parents=f"merge {side}\n")

    def _settings(self, rules: str) -> str:
        layout = "sharded" if self.random.random() < 0.1 else "flat"
        return _SETTINGS.format(rules=rules, layout=layout)

    def _change(self) -> dict[str, str | None]:
        """What one commit does: most often something sound."""
        name = self.random.choice(self.names)
        kinds = [self._register] * 4 + [self._stage] * 6 + [self._alias, self._edit, self._remove, self._odd]
        found: dict[str, str | None] = {}
        for _ in range(self.random.choice((1, 1, 1, 2))):
            found |= self.random.choice(kinds)(name)
        if self.rules and self.random.random() < 0.08:
            found["gitreg.yaml"] = self._settings(self.random.choice((*RULES, "    nonsense: 1\n")))
        return found or self._register(name)

    def _versions(self, name: str) -> list[str]:
        return [path for path in self.files if path.startswith(f"models/{name}/versions/")]

    def _register(self, name: str) -> dict[str, str | None]:
        number = len(self._versions(name)) + self.random.choice((1, 1, 1, 1, 0, 2))
        found: dict[str, str | None] = {f"models/{name}/versions/{number}.yaml": self._version(number)}
        if f"models/{name}/model.yaml" not in self.files:
            found[f"models/{name}/model.yaml"] = self._model(name, "")
        return found

    def _model(self, name: str, more: str) -> str:
        return f"name: {name}\ncreated: {_TIME}\nupdated: {_TIME}\n{more}"

    def _version(self, number: int) -> str:
        auc = self.random.randrange(80, 99) / 100
        head = f"version: {number}\ncreated: {_TIME}\nupdated: {_TIME}\nsource: s3://b/{number}\n"
        return f"{head}metrics:\n  auc: {auc}\n"

    def _stage(self, name: str) -> dict[str, str | None]:
        if not (there := self._versions(name)):
            return {}
        path = self.random.choice(there)
        text = self.files[path].partition("stages:")[0]
        stage = self.random.choice(("Production", "Production", "Staging", "Archived", "Nowhere"))
        return {path: f"{text}stages:\n  {stage}: {_TIME}\n"}

    def _alias(self, name: str) -> dict[str, str | None]:
        number = self.random.randrange(1, 5)
        return {f"models/{name}/model.yaml": self._model(name, f"aliases:\n  champion: {number}\n")}

    def _edit(self, name: str) -> dict[str, str | None]:
        if not (there := self._versions(name)):
            return {}
        path = self.random.choice(there)
        text = self.files[path]
        broken = ("source: s3://b/", "source: s3://evil/"), ("version: ", "version: 0"), ("created", "creatd")
        return {path: text.replace(*self.random.choice(broken))}

    def _remove(self, name: str) -> dict[str, str | None]:
        there = [path for path in self.files if path.startswith(f"models/{name}/")]
        kind = self.random.random()
        if not there:
            return {}
        if kind < 0.3:
            return {self.random.choice(there): None}
        path = self.random.choice(there)
        if path.endswith("model.yaml"):
            gone = f"name: {name}\nlast_version: {len(there)}\ndeleted:\n  at: {_TIME}\n  reason: old\n"
            return dict.fromkeys(self._versions(name)) | {path: gone}
        number = path.rpartition("/")[2].removesuffix(".yaml")
        return {path: f"version: {number}\ndeleted:\n  at: {_TIME}\n  reason: old\n"}

    def _odd(self, name: str) -> dict[str, str | None]:
        texts: dict[str, str | None] = {
            f"models/{name}/stray.txt": "x",
            f"models/{name}/README.md": "# card",
            f"models/{name}/versions/01.yaml": "version: 1\n",
            f"approvals/{name}/1/Production/1/bob@example.com.sig": "{}",
            "keys/allowed_signers": "nonsense",
            "gates/production.json": "{}",
            "models/readme": "x",
            f"models/{name}/versions/3.yaml/inside": "x",
        }
        path = self.random.choice(list(texts))
        if path.endswith("/inside"):  # a folder where a manifest was
            above = path.removesuffix("/inside")
            return ({above: None} if above in self.files else {}) | {path: "x"}
        return {path: texts[path]}
