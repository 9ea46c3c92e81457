"""A warehouse in a lake (DuckLake): each commit makes a version, and every version can be read from then on.

Its catalog is a DuckDB file or a PostgreSQL database, its data are Parquet files in a folder or in object storage. The
process that opens it has it attached to a database in memory, and each session works in it as in a DuckDB file. With
PostgreSQL several machines share one lake: each has an owner process of its own, and PostgreSQL decides between them.
"""

from __future__ import annotations

import getpass
import json
import re
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from jupyter_pipelines.errors import RequestError, SqlError, WarehouseError
from jupyter_pipelines.graph.sql.model import WHOLE_SCHEMA
from jupyter_pipelines.notebook.table_names import TableName, text_literal
from jupyter_pipelines.warehouse.databases.database import HOLDER, Database, connect
from jupyter_pipelines.warehouse.databases.declared import OBJECT_STORAGE, Description
from jupyter_pipelines.warehouse.databases.extensions import load
from jupyter_pipelines.warehouse.sources.secrets import keep_out_of_errors, make_secret, without_secrets

NAME: Final = "warehouse"
"""What a lake is called in SQL, as a catalog."""
TRIES: Final = 5  # of what another owner, of another machine, may be doing, too
_EXPIRING: Final = re.compile(r"\b(ducklake_)?expire_(snapshots|older_than)\b", re.IGNORECASE)


class Lake(Database):
    """A lake that this process has open."""

    def __init__(self, connection: Any, path: str) -> None:
        super().__init__(connection, path)
        self._committing = threading.Lock()

    @classmethod
    def open(cls, path: str) -> Lake:
        import duckdb

        try:
            described = Description.read(Path(path))
            connection = connect(autoinstall_known_extensions="false", temp_directory=f"{path}.tmp")
            attach(connection, NAME, described)
            connection.execute(f"USE {NAME}")
        except RequestError as error:  # it is asked for by whoever needs the warehouse first
            raise WarehouseError(error.message, error.fix) from None
        except duckdb.Error as error:
            raise _cannot_open(path, str(error)) from None
        return cls(connection, path)

    def prepare(self, make: Callable[[Any], None]) -> None:
        import duckdb

        for left in reversed(range(TRIES)):
            try:
                make(self.connection)
            except duckdb.Error as error:
                if not left or not isinstance(error, duckdb.TransactionException):
                    raise _cannot_open(self.path, str(error)) from None
            else:
                return

    def cursor(self) -> Any:
        cursor = super().cursor()
        cursor.execute(f"USE {NAME}")
        return cursor

    def require_allowed(self, text: str) -> None:
        if _EXPIRING.search(text):
            raise SqlError(
                "Versions of the lake are not expired by a statement: runs refer to them.",
                "`jupyter pipelines warehouse expire 90d` expires those that no run refers to.",
            )

    def describe(self, connection: Any, about: Mapping[str, Any], tables: Collection[TableName]) -> None:
        written = sorted(_shown(table) for table in tables if not table.catalog)
        known = {name: str(about.get(name, "")) for name in ("run", "notebook", "step")}
        step = f"step {known['step']} of {Path(known['notebook']).name}" if known["run"] else ""
        connection.execute(
            f"CALL {NAME}.set_commit_message($author, $message, extra_info => $told)",
            {
                "author": _author(),
                "message": ": ".join(filter(None, [", ".join(written), step])),
                "told": json.dumps({**known, "tables": written}),
            },
        )

    def commit(self, commit: Callable[[], None], connection: Any) -> int | None:
        with self._committing:  # so that the last one is this one
            commit()
            return _number(connection, f"FROM {NAME}.last_committed_snapshot()")

    def version(self, connection: Any) -> int | None:
        return _number(connection, f"FROM {NAME}.current_snapshot()")

    def expire(self, versions: Collection[int]) -> None:
        listed = ", ".join(map(str, sorted(versions)))
        cursor = self.cursor()
        if listed:
            cursor.execute(f"CALL ducklake_expire_snapshots('{NAME}', versions => [{listed}])")
        cursor.execute(f"CALL ducklake_cleanup_old_files('{NAME}', cleanup_all => true)")
        # Those of transactions that were killed; younger ones may be of transactions that go on.
        cursor.execute(f"CALL ducklake_delete_orphaned_files('{NAME}', older_than => now() - INTERVAL 2 DAY)")


def attach(connection: Any, name: str, described: Description) -> None:
    """Have a connection know a lake by ``name``; an empty one is made where there is none.

    Raises :class:`WarehouseError` when an extension is missing, :class:`RequestError` when a secret is.
    """
    load(connection, "ducklake")
    options = [f"DATA_PATH {text_literal(described.data)}"]
    if described.data.startswith(OBJECT_STORAGE):
        load(connection, "httpfs")
        make_secret(connection, f"{name}_data", "s3", _storage(described))
    if described.catalog is not None:
        place = str(described.catalog)
    else:
        load(connection, "postgres_scanner")
        given = described.with_secrets(described.postgres)
        keep_out_of_errors(given.get("password"))
        mode = given.pop("sslmode", "")
        place = "postgres:" + (f"sslmode={mode}" if mode else "")
        make_secret(connection, f"{name}_catalog", "postgres", given)
        options.append(f"META_SECRET {text_literal(f'{name}_catalog')}")
    connection.execute(f"ATTACH {text_literal(f'ducklake:{place}')} AS {name} ({', '.join(options)})")


def _storage(described: Description) -> dict[str, str]:
    """What DuckDB's secret for the object storage of a lake holds."""
    given = described.with_secrets(described.storage)
    keep_out_of_errors(given.get("secret"), given.get("session_token"))
    found = {"scope": described.data}
    found |= {"key_id": given["key"]} if "key" in given else {}
    found |= {name: given[name] for name in ("secret", "session_token", "region") if name in given}
    if endpoint := given.get("endpoint"):
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        found |= {"endpoint": parts.netloc, "use_ssl": str(parts.scheme == "https").lower(), "url_style": "path"}
    return found


def _number(connection: Any, sql: str) -> int | None:
    row = connection.execute(sql).fetchone()
    return int(row[0]) if row and row[0] is not None else None


def _shown(table: TableName) -> str:
    """A table as people read it; ``mart.*`` where any of a schema may be meant."""
    return f"{table.schema}.*" if table.table == WHOLE_SCHEMA else str(table)


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, in a container
        return ""


def _cannot_open(path: str, said: str) -> WarehouseError:
    said = without_secrets(said)
    if holder := HOLDER.search(said):
        program, pid = holder.groups()
        return WarehouseError(
            f"The catalog of the lake {path} is open in another program: process {pid} ({program}).",
            "Close it there, or end that process.",
        )
    return WarehouseError(
        f"The lake {path} cannot be opened: {said}",
        "Check where its catalog and its data are, and that both can be reached from here.",
    )
