"""What is asked of a build, and what came of it. Plain data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.sql_magic import Materialization, SqlMagic
    from jupyter_pipelines.notebook.table_names import TableName


@dataclass(frozen=True, slots=True)
class BuildSpec:
    """Which table, and how its new content comes to what it has. The fields are those of the ``%%sql`` line."""

    table: TableName
    materialize: Materialization = "table"
    unique_key: tuple[str, ...] = ()
    time_column: str = ""
    partition_by: tuple[str, ...] = ()
    full_refresh: bool = False

    @classmethod
    def of(cls, magic: SqlMagic) -> BuildSpec:
        """What a ``%%sql --table …`` line asks for."""
        assert magic.table is not None
        return cls(
            magic.table,
            magic.materialize,
            magic.unique_key,
            magic.time_column,
            magic.partition_by,
            magic.full_refresh,
        )


@dataclass(frozen=True, slots=True)
class TableDifference:
    """What a build would make of a table. Rows are ``None`` where there is no table.

    ``changed`` counts rows whose ``key`` stays, by column; without a key a changed row is one removed and one added.
    ``problem`` says why it could not be tried.
    """

    table: str
    before: int | None = None
    after: int | None = None
    added: int = 0
    removed: int = 0
    key: tuple[str, ...] = ()
    changed: int = 0
    columns: tuple[tuple[str, int], ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build has done. Rows are ``None`` for a view, which has none of its own.

    ``added`` and ``removed`` count rows, ``changed`` those that stayed with other values. A table that was made anew
    has all its rows added, and all that it had before removed.
    """

    table: str
    materialize: Materialization
    rows: int | None = None
    added: int = 0
    changed: int = 0
    removed: int = 0
    is_new: bool = False  # there was none before
    seconds: float = 0.0
    version: int | None = None  # of the warehouse, that it has made; where versions are kept
