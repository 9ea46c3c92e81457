"""What a build works with: the table as it stands, the author's query, and its rows while they are looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import MAIN, free_name, quoted
from jupyter_pipelines.warehouse.building.backups import EVERYTHING, VIEW, Backup, take
from jupyter_pipelines.warehouse.frames import python_values
from jupyter_pipelines.warehouse.statements import values_of

if TYPE_CHECKING:
    from jupyter_pipelines.graph.sql import SqlStatement
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.building.appends import Attempt
    from jupyter_pipelines.warehouse.building.model import BuildSpec
    from jupyter_pipelines.warehouse.session import Session

STAGED = f"temp.main.{quoted('_jupyter_pipelines_staged')}"
_KIND = """SELECT kind FROM (
  SELECT 'table' AS kind, database_name, schema_name, table_name AS name FROM duckdb_tables()
  UNION ALL SELECT 'view', database_name, schema_name, view_name FROM duckdb_views()
) WHERE database_name = coalesce($catalog, current_database()) AND lower(schema_name) = lower($schema)
  AND lower(name) = lower($name)"""


@dataclass
class Work:
    """One build while it goes on."""

    session: Session
    spec: BuildSpec
    query: SqlStatement
    parameters: Mapping[str, object]
    frames: Mapping[str, object]
    backup: Backup | None = None  # for whom what is overwritten is kept
    attempt: Attempt | None = None  # for whom rows are appended
    kind: Literal["", "table", "view"] = ""  # what the table is before the build
    had: int = 0  # rows before
    columns: dict[str, str] = field(default_factory=dict)  # types of what the query gives, by name

    @property
    def target(self) -> str:
        """The table's name as SQL takes it."""
        return self.spec.table.sql

    @property
    def is_anew(self) -> bool:
        """Whether nothing of the table as it stands is kept."""
        return self.kind != "table" or self.spec.full_refresh

    def look(self) -> None:
        """Find out what there is."""
        self.kind = kind_of(self.session, self.spec.table)
        self.had = count(self.session, self.target) if self.kind == "table" else 0

    def run(self, before: str, after: str = "", more: Mapping[str, object] | None = None) -> int:
        """The author's query as part of a statement; its lines keep their numbers. ``more``: values of our own."""
        return self.session.execute(
            f"{before} {self.query.text}\n{after}",
            values_of(self.query, self.parameters) | dict(more or {}),
            frames=self.frames,
        )

    def write(self, head: str) -> int:
        """The author's query into a table, its rows in the order of the partitions."""
        if not self.spec.partition_by:
            return self.run(head)
        return self.run(f"{head} SELECT * FROM (", f") ORDER BY {names(self.spec.partition_by)}")

    def stage(self, more: Mapping[str, object] | None = None) -> None:
        """Have the query's rows in a temporary table, where they are looked at before anything is written."""
        self.run(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS", more=more)
        self.columns = columns_of(self.session, STAGED)

    def keep(self, overwritten: str = EVERYTHING, keys: str = "") -> None:
        """Keep what is about to be overwritten, in a backfill: see :func:`~.backups.take`."""
        if self.backup is not None and self.kind:
            what = VIEW if self.kind == "view" else overwritten
            take(self.session, self.backup, self.target, what, keys)

    def insert_staged(self) -> int:
        """The staged rows into the table."""
        return self.session.execute(f"INSERT INTO {self.target} BY NAME SELECT * FROM {STAGED}{self.order}")

    def create_from_staged(self) -> None:
        """The table made anew of the staged rows."""
        self.keep()
        self.drop_view()
        self.session.execute(f"CREATE OR REPLACE TABLE {self.target} AS SELECT * FROM {STAGED}{self.order}")

    def drop_view(self) -> None:
        """A view of that name makes way for the table."""
        if self.kind == "view":
            self.session.execute(f"DROP VIEW {self.target}")

    @property
    def order(self) -> str:
        """The end of a query whose rows are kept in the order of the partitions."""
        return f" ORDER BY {names(self.spec.partition_by)}" if self.spec.partition_by else ""

    def require(self, *columns: str) -> None:
        """Refuse names of columns that the query does not give."""
        known = {name.casefold() for name in self.columns}
        for column in columns:
            if column.casefold() not in known:
                raise BuildError(
                    f"{self.spec.table} cannot be built: the query gives no column `{column}`.",
                    f"Its columns are {listed(self.columns)}.",
                )

    def same_columns(self, but: tuple[str, ...] = ()) -> None:
        """Refuse rows whose columns or types are not the table's, before anything is written."""
        left_out = {name.casefold() for name in but}
        there = columns_of(self.session, self.target)
        old = {name.casefold(): kind for name, kind in there.items() if name.casefold() not in left_out}
        new = {name.casefold(): kind for name, kind in self.columns.items()}
        told = [f"`{name}` is new" for name in self.columns if name.casefold() not in old]
        told += [f"`{name}` is gone" for name in there if name.casefold() not in new | dict.fromkeys(left_out, "")]
        told += [
            f"`{name}` was {old[name]} and is {new[name]}" for name in old if new.get(name, old[name]) != old[name]
        ]
        if told:
            raise BuildError(
                f"{self.spec.table} cannot take these rows, its columns differ: {'; '.join(told[:8])}.",
                "Change the query, or build the table anew once with --full-refresh.",
            )

    def one_row_each(self, keys: tuple[str, ...]) -> None:
        """Refuse rows that ``keys`` do not tell apart, before anything is written."""
        n = quoted(free_name("n", keys))
        several = f"SELECT {names(keys)}, count(*) AS {n} FROM {STAGED} GROUP BY {names(keys)} HAVING count(*) > 1"
        found = rows(self.session, f"SELECT count(*), sum({n}) FROM ({several})")[0]
        if found[0]:
            example = rows(self.session, f"{several} ORDER BY ALL LIMIT 1")[0]
            told = ", ".join(f"{key} = {value}" for key, value in zip(keys, example, strict=False))
            raise BuildError(
                f"{self.spec.table} cannot be built: {listed(keys)} is to be unique, and {found[0]:,} keys have "
                f"several rows each ({found[1]:,} in all); one is {told:.200}.",
                "Group or filter the query so that each key has one row, or name more columns in --unique-key.",
            )


def kind_of(session: Session, table: TableName) -> Literal["", "table", "view"]:
    """Whether there is a table or a view of that name."""
    asked = {"catalog": table.catalog or None, "schema": table.schema or MAIN, "name": table.table}
    found = rows(session, _KIND, asked)
    return found[0][0] if found else ""


def columns_of(session: Session, source: str) -> dict[str, str]:
    """The types of the columns of ``source``, a quoted name or a query in parentheses, in their order."""
    return dict(rows(session, f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM {source})"))


def count(session: Session, source: str) -> int:
    """How many rows ``source`` has."""
    return int(rows(session, f"SELECT count(*) FROM {source}")[0][0])


def rows(session: Session, sql: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
    """A small result as Python values."""
    table = session.query(sql, parameters)
    columns = [python_values(column) for column in table.columns]
    return list(zip(*columns, strict=True))


def names(columns: tuple[str, ...]) -> str:
    """Columns as SQL takes them."""
    return ", ".join(map(quoted, columns))


def listed(columns: Mapping[str, str] | tuple[str, ...]) -> str:
    """Columns as people read them."""
    found = [f"`{name}`" for name in columns]
    return ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")
