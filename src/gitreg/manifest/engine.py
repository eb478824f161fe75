"""PyYAML's two parsers behind one face, with the scalars of the strict profile.

libyaml's is ten times faster; the one in Python serves where PyYAML was built without it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.nodes import Node, ScalarNode
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner, ScannerError
from yaml.tokens import Token

from gitreg.manifest.scalars import STR, plain_type


class _Resolver:
    """Gives each scalar its type; PyYAML's own resolvers know YAML 1.1 alone."""

    def resolve(self, kind: type[Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is ScalarNode and implicit[0]:
            return plain_type(value) or STR
        return STR if kind is ScalarNode else ""

    def descend_resolver(self, current_node: object, current_index: object) -> None: ...

    def ascend_resolver(self) -> None: ...


class _Pure(Reader, Scanner, Parser, Composer, _Resolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)

    # Composer inherits from nothing that has these; the order of bases must not matter.
    resolve = _Resolver.resolve
    descend_resolver = _Resolver.descend_resolver
    ascend_resolver = _Resolver.ascend_resolver


class Engine:
    """One of the parsers: tokens and node trees of a text, with marks in characters."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def compose(self, text: str) -> Node | None:
        """The node tree, or None for a text without content; raises yaml.YAMLError."""
        try:
            node: Node | None = self._loader(text).get_single_node()
        except (ValueError, OverflowError):
            raise _beyond_unicode() from None
        return node

    def tokens(self, text: str) -> Iterator[Token]:
        """The scanner's tokens; raises yaml.YAMLError where it gets stuck."""
        loader = self._loader(text)
        try:
            while loader.check_token():
                yield loader.get_token()
        except (ValueError, OverflowError):
            raise _beyond_unicode() from None


def _beyond_unicode() -> yaml.YAMLError:
    # The parser in Python hands any escape to chr() and lets its complaint through.
    return ScannerError(problem="found invalid Unicode character escape code")


PURE = Engine(_Pure)


def _fast_engine() -> Engine:
    if not yaml.__with_libyaml__:
        return PURE
    from yaml import _yaml  # fails to import without libyaml

    class _C(_yaml.CParser, _Resolver):
        pass

    return Engine(_C)


ENGINE = _fast_engine()
