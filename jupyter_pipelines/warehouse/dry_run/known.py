"""The tables that a warehouse has, asked of its owner if one is up: no owner is started, and no file made."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles

if TYPE_CHECKING:
    from pathlib import Path

    from jupyter_pipelines.warehouse.dry_run.asking import Columns

FRESH_SECONDS: Final = 3.0
_COLUMNS: Final = """
    SELECT schema_name, table_name, list(column_name ORDER BY column_index) AS names,
      list(data_type ORDER BY column_index) AS types
    FROM duckdb_columns()
    WHERE NOT internal AND database_name = current_database() AND NOT starts_with(schema_name, '_')
    GROUP BY ALL
"""
_FUNCTIONS: Final = "SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions() WHERE NOT internal"


@dataclass(frozen=True)
class KnownTables:
    """The columns of tables and views by name, and the names of macros in lower case."""

    tables: Mapping[TableName, Columns]
    functions: frozenset[str] = frozenset()


class _Warehouse:
    """What was told of one warehouse last, asked again by a thread when that is old."""

    def __init__(self, path: Path) -> None:
        self._files = WarehouseFiles.of(path)
        self._told: KnownTables | None = None
        self._when = float("-inf")
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def known(self, wait: float, fresh: bool) -> KnownTables | None:
        with self._lock:
            if time.monotonic() - self._when < FRESH_SECONDS:
                return self._told
            is_asked = self._asking is not None
            if self._asking is None:
                self._asking = threading.Thread(target=self._ask, name="known-tables", daemon=True)
                self._asking.start()
            asking = self._asking
        if fresh or not (is_asked or self._told):
            asking.join(wait)
        return self._told

    def _ask(self) -> None:
        told = None
        try:
            told = _told_by_owner(self._files)
        finally:
            with self._lock:
                self._told, self._when, self._asking = told, time.monotonic(), None


@lru_cache(maxsize=8)
def _warehouse(path: Path) -> _Warehouse:
    return _Warehouse(path)


def known_tables(path: Path, wait: float, *, fresh: bool) -> KnownTables | None:
    """The tables of the warehouse at ``path``; ``None`` where nobody can say.

    An answer is waited for during ``wait`` seconds; else it is the one before. Unless it is to be ``fresh``, only the
    first one is waited for: what is told is what was so when this was asked last.
    """
    return _warehouse(path).known(wait, fresh)


def _told_by_owner(files: WarehouseFiles) -> KnownTables | None:
    from jupyter_pipelines.warehouse.owner import wire
    from jupyter_pipelines.warehouse.owner.line import LOST, Line
    from jupyter_pipelines.warehouse.owner.start import running_owner

    endpoint = running_owner(files)
    if endpoint is None:
        return None
    call = {"id": secrets.token_hex(16), "values": wire.encode_values({}), "frames": {}, "directory": None}
    try:
        line = Line(endpoint.address, endpoint.token)
        try:
            columns = line.query({**call, "sql": _COLUMNS}).to_pylist()
            functions = line.query({**call, "sql": _FUNCTIONS})["name"].to_pylist()
        finally:
            line.close()
    except (*LOST, PipelinesError):
        return None
    tables = {
        TableName(row["schema_name"], row["table_name"]): tuple(zip(row["names"], row["types"], strict=True))
        for row in columns
    }
    return KnownTables(tables, frozenset(functions))
