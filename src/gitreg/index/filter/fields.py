"""What versions and models can be searched by, and where the index has it.

Aliases in the SQL: ``v`` is the version, ``m`` the model that is looked at; ``$v`` means that it stands at
the commit that is asked about (``reading.Slice.rows``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gitreg.domain.settings import did_you_mean
from gitreg.index.filter.source import Source, Token
from gitreg.index.schema import LIVE

Type = Literal["text", "number", "whole", "time", "stage", "status", "uri", "mark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing that can be searched by.

    Attributes:
        type: What it is compared as.
        values: SQL of what is compared; where there are two, either may match.
        table: Where the values are, with an alias; ``""``: in the row itself.
        link: SQL that ties ``table`` to the row.
        only: SQL that chooses among the rows of ``table``; ``?`` is the key that the filter gives.
        many: There may be several. Then ``!=`` and ``NOT`` mean: none of them.
        driver: ``SELECT`` … of the rows of versions, by an index over the values; ``""``: there is none.
        kind: ``attribute.kind`` of what is found by key.
        order: SQL to order by; ``""``: it has no order.
        sure: SQL that is true where history tells it; where it is false, nothing fits and nothing differs.
    """

    type: Type
    values: tuple[str, ...]
    table: str = ""
    link: str = ""
    only: str = "1"
    many: bool = False
    driver: str = ""
    kind: str = ""
    order: str = ""
    sure: str = "1"


def _column(name: str, type: Type = "text", *, driver: str = "") -> Field:
    # The + keeps SQLite from taking an index over the column: the plan of a search is made in search.py.
    return Field(type=type, values=(f"+{name}",), driver=driver, order=name)


def _in_document(path: str, type: Type = "text") -> Field:
    return Field(type=type, values=(f"json_extract(v.doc, '$.{path}')",))


def _attribute(
    kind: str, type: Type = "text", *, key: str = "?", value: str = "a.value", many: bool
) -> Field:
    only = f"a.kind = '{kind}'" + (f" AND a.key = {key}" if key else "")
    return Field(
        type=type,
        values=(value,),
        table="attribute a",
        link="a.row = v.row",
        only=only,
        many=many,
        driver="a.row AS row FROM attribute a",
        kind=kind if key == "?" else "",
    )


_OWN = "v.row AS row FROM version v"
_TAG = _attribute("tag", many=False)
_NAME = _column("v.name", driver=_OWN)
_NUMBER = _column("v.number", "whole")
_SOURCE = _column("v.source")
_CREATED = _column("v.created", "time")
_UPDATED = _column("v.updated", "time")

_REGISTERED = "(v.registered > 1 OR NOT EXISTS (SELECT 1 FROM meta WHERE key = 'boundary' AND value <> ''))"
"""Nobody knows what the first commit of a shallow clone's history brought."""

_MLFLOWS = frozenset(
    {"version_number", "source_path", "creation_timestamp", "last_updated_timestamp", "timestamp"}
)
"""MLflow's names of things that have a shorter one."""

VERSION_FIELDS: Mapping[str, Field] = {
    "name": _NAME,
    "version": _NUMBER,
    "version_number": _NUMBER,
    "stage": Field(
        type="stage",
        values=("h.stage",),
        table="holding h",
        link="h.name = v.name AND h.number = v.number",
        only="$h",
        many=True,
        driver="v.row AS row FROM holding h CROSS JOIN version v "
        "ON v.name = h.name AND v.number = h.number AND $v",
    ),
    "alias": Field(
        type="text",
        values=("s.alias",),
        table="alias s",
        link="s.name = v.name AND s.number = v.number",
        only="$s",
        many=True,
        driver="v.row AS row FROM alias s CROSS JOIN version v "
        "ON v.name = s.name AND v.number = s.number AND $v",
    ),
    "status": _column("v.status", "status"),
    "created": _CREATED,
    "updated": _UPDATED,
    "author": Field(
        type="text",
        values=("c.author", "c.email"),
        table="chain c",
        link="c.seq = v.registered",
        only=_REGISTERED,
        many=True,
        sure=_REGISTERED,
    ),
    "description": _in_document("description"),
    "deprecated": _in_document("deprecated", "mark"),
    "run_id": _column("v.run_id", driver=_OWN),
    "source": _SOURCE,
    "source_path": _SOURCE,
    "experiment": _in_document("experiment"),
    "model_id": _in_document("model_id"),
    "flavor": _attribute("flavor", key="", value="a.key", many=True),
    "digest": _in_document("artifact.digest"),
    "dataset": _attribute("dataset", key="", many=True),
    "dataset.name": _attribute("dataset", key="'name'", many=True),
    "dataset.uri": _attribute("dataset", key="'uri'", many=True),
    "dataset.digest": _attribute("dataset", key="'digest'", many=True),
    "repository": _attribute("code", key="'repository'", many=False),
    "commit": _attribute("code", key="'commit'", many=False),
    "parent": _attribute("parent", "uri", key="''", many=True),
    "creation_timestamp": _CREATED,
    "last_updated_timestamp": _UPDATED,
    "timestamp": _UPDATED,
}
"""The names that stand for themselves, for versions."""

VERSION_KEYED: Mapping[str, Field] = {
    "tags": _TAG,
    "tag": _TAG,
    "metrics": _attribute("metric", "number", many=False),
    "params": _attribute("param", many=False),
}
"""The names that take a key behind a dot, for versions."""

MODEL_UPDATED = (
    "max(m.updated, "
    f"ifnull((SELECT v.created FROM version v WHERE v.name = m.name AND $v AND v.state = {LIVE} "
    "ORDER BY v.number DESC LIMIT 1), 0), "
    "ifnull((SELECT max(h.at) FROM holding h WHERE h.name = m.name AND $h), 0))"
)
"""A model's own file, its newest version, its last promotion: the latest of them."""

_MODEL_TAG = Field(
    type="text", values=("t.value",), table="model_tag t", link="t.row = m.row", only="t.key = ?", kind="tag"
)
_MODEL_UPDATED = _column(MODEL_UPDATED, "time")
_MODEL_CREATED = _column("m.created", "time")

MODEL_FIELDS: Mapping[str, Field] = {
    "name": _column("m.name"),
    "description": Field(type="text", values=("json_extract(m.doc, '$.description')",)),
    "owner": Field(
        type="text",
        values=("o.value",),
        table="json_each(m.doc, '$.owners') o",
        link="1",
        many=True,
    ),
    "alias": Field(
        type="text", values=("s.alias",), table="alias s", link="s.name = m.name", only="$s", many=True
    ),
    "stage": Field(
        type="stage", values=("h.stage",), table="holding h", link="h.name = m.name", only="$h", many=True
    ),
    "created": _MODEL_CREATED,
    "updated": _MODEL_UPDATED,
    "creation_timestamp": _MODEL_CREATED,
    "last_updated_timestamp": _MODEL_UPDATED,
    "timestamp": _MODEL_UPDATED,
}
"""The names that stand for themselves, for models."""

MODEL_KEYED: Mapping[str, Field] = {"tags": _MODEL_TAG, "tag": _MODEL_TAG}
"""The names that take a key behind a dot, for models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The fields of one search; ``plain`` and ``keyed`` as above."""

    plain: Mapping[str, Field]
    keyed: Mapping[str, Field]

    def find(self, source: Source, token: Token) -> tuple[Field, str | None]:
        """The field that ``token`` names, and its key where it has one.

        Raises:
            InvalidFilter: There is none; the hint names the nearest.
        """
        name, key = token.value, token.key
        if key is not None and name in ("attribute", "attributes"):  # MLflow's long form
            name, key = key, None
        if key is None and name in self.plain:
            return self.plain[name], None
        if key is not None and name in self.keyed:
            return self.keyed[name], key
        if key is not None and f"{name}.{key}" in self.plain:
            return self.plain[f"{name}.{key}"], None
        raise source.fault(f'"{token.text}" is not a field', token.at, len(token.text), self._hint(name, key))

    def _hint(self, name: str, key: str | None) -> str:
        if key is None and name in self.keyed:
            return f"{name} takes a key: {name}.KEY"
        if key is not None:
            near = did_you_mean(name, list(self.keyed))
            if near:
                return near.replace('"?', f'.{key}"?')
            if name in self.plain:
                return f'did you mean "{name}"?'
        keyed = [f"{each}.KEY" for each in self.keyed if each != "tag"]
        listed = [each for each in self.plain if each not in _MLFLOWS]
        return did_you_mean(name, list(self.plain)) or f"fields: {', '.join([*listed, *keyed])}"


VERSIONS = Fields(plain=VERSION_FIELDS, keyed=VERSION_KEYED)
MODELS = Fields(plain=MODEL_FIELDS, keyed=MODEL_KEYED)
