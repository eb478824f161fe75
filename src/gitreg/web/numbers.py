"""Numbers of versions in addresses."""

from __future__ import annotations

from starlette.convertors import Convertor, register_url_convertor


class VersionNumber(Convertor[int]):
    """1 to 999,999,999, as it is written in links: anything else is another address."""

    regex = "[1-9][0-9]{0,8}"

    def convert(self, value: str) -> int:
        """The number that stands there."""
        return int(value)

    def to_string(self, value: int) -> str:
        """As it is written."""
        return str(value)


register_url_convertor("version", VersionNumber())
