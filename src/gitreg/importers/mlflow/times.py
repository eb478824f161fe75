"""What MLflow's API does not let anybody set, put into its tables: times, statuses, sources."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gitreg.errors import EnvironmentFailure
from gitreg.importers.mlflow.place import Place
from gitreg.importers.mlflow.tables import Tables, Unlike
from gitreg.importers.mlflow.values import SourceModel, SourceVersion

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

_COLUMNS = {
    "registered_models": ("name", "creation_time", "last_updated_time"),
    "model_versions": (
        "name",
        "version",
        "creation_time",
        "last_updated_time",
        "status",
        "status_message",
        "source",
        "storage_location",
    ),
}
_AT_ONCE = 1_000


class TableTimes:
    """Sets what the API does not, in one transaction a model.

    Args:
        connection: Open.
        place: For messages.

    Raises:
        EnvironmentFailure: The tables are not those that this class knows.
    """

    def __init__(self, connection: Connection, place: Place) -> None:
        # One connection commits by itself, which is right for reading alone.
        self._connection = connection.execution_options(isolation_level="SERIALIZABLE")
        try:
            self._tables = Tables(self._connection, _COLUMNS)
        except Unlike as error:
            raise EnvironmentFailure(
                f"the tables are not as expected: {error}",
                where=str(place),
                hint="export to this MLflow's server instead, which leaves the times out",
            ) from error
        finally:
            self._connection.rollback()

    def put(self, model: SourceModel, versions: Iterable[SourceVersion], unresolved: set[int]) -> None:
        """Write the times and statuses of a model and its versions.

        Args:
            model: The model, which is there.
            versions: Its versions, which are there.
            unresolved: Those whose source MLflow could not resolve, and which have another one yet.
        """
        from sqlalchemy import bindparam

        table = self._tables["model_versions"]
        change = (
            table.update()
            .where(*self._default(table), table.c.name == model.name, table.c.version == bindparam("number"))
            .values({column: bindparam(f"new_{column}") for column in _VALUES})
        )
        source = (
            table.update()
            .where(*self._default(table), table.c.name == model.name, table.c.version == bindparam("number"))
            .values(source=bindparam("new_source"), storage_location=bindparam("new_source"))
        )
        with self._connection.begin():
            rows: list[dict[str, Any]] = []
            for version in versions:
                rows.append(_row(version))
                if version.number in unresolved:
                    self._connection.execute(source, {"number": version.number, "new_source": version.source})
                if len(rows) >= _AT_ONCE:
                    self._connection.execute(change, rows)
                    rows = []
            if rows:
                self._connection.execute(change, rows)
            models = self._tables["registered_models"]
            self._connection.execute(
                models.update()
                .where(*self._default(models), models.c.name == model.name)
                .values(creation_time=model.created, last_updated_time=model.updated)
            )

    @staticmethod
    def _default(table: Table) -> list[Any]:
        return [table.c.workspace == "default"] if "workspace" in table.c else []


_VALUES = ("creation_time", "last_updated_time", "status", "status_message")


def _row(version: SourceVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "new_creation_time": version.created,
        "new_last_updated_time": version.updated,
        "new_status": version.status,
        "new_status_message": version.status_message or None,
    }
