"""Where registries for measuring come from: made once, copied for whoever changes them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import fixtures
import history
from fixtures import BEGAN, Shape
from programs import git

from gitreg.domain.settings import Settings
from gitreg.registry.create import create, create_bare


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a registry is filled: ``fill`` gets an empty bare one, and how large it is to become."""

    name: str
    fill: Callable[[Path, Shape], None]


SNAPSHOT = Recipe(name="original", fill=fixtures.fill)
HISTORY = Recipe(name="history", fill=history.fill)


class Workshop:
    """Makes registries in one folder; the originals that an earlier run left there are used again.

    Args:
        folder: Where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def clear(self) -> None:
        """Remove all registries but the originals."""
        for place in self.folder.glob("run-*"):
            shutil.rmtree(place)

    def original(self, shape: Shape, recipe: Recipe = SNAPSHOT) -> Path:
        """The bare registry that the others are copies of: for who only reads."""
        place = self.folder / f"{recipe.name}-{shape.models}x{shape.versions}.git"
        if not place.exists():
            aside = place.with_suffix(".making")
            shutil.rmtree(aside, ignore_errors=True)
            create_bare(aside, settings=Settings(), branch=None, env=os.environ, now=BEGAN)
            recipe.fill(aside, shape)
            aside.rename(place)
        return place

    def bare(self, shape: Shape, recipe: Recipe = SNAPSHOT) -> Path:
        """A bare registry of its own, no file of it shared with another one."""
        return self.copy(self.original(shape, recipe))

    def copy(self, registry: Path) -> Path:
        """A copy of a bare registry, its index too where it has one."""
        place = self.place()
        shutil.copytree(registry, place)
        return place

    def work_tree(self, shape: Shape, recipe: Recipe = SNAPSHOT) -> Path:
        """A registry with a work tree."""
        bare = self.original(shape, recipe)
        place = self.place()
        create(place, settings=Settings(), branch=None, env=os.environ, now=BEGAN)
        for name in ("objects", "packed-refs", "refs"):
            _replace(bare / name, place / ".git" / name)
        shutil.copy(bare / "gitreg" / "tagged", place / ".git" / "gitreg" / "tagged")
        git(place, "reset", "--hard", "--quiet")
        git(place, "update-index", "--refresh", "-q")
        return place

    def empty(self) -> Path:
        """A bare registry without models."""
        place = self.place()
        create_bare(place, settings=Settings(), branch=None, env=os.environ, now=BEGAN)
        return place

    def place(self) -> Path:
        """A path for a registry, not taken yet."""
        self._made += 1
        return self.folder / f"run-{self._made}"


def _replace(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target)
    else:
        shutil.copy(source, target)
