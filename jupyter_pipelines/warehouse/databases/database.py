"""A warehouse in a DuckDB file."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from jupyter_pipelines.errors import WarehouseError
from jupyter_pipelines.notebook.table_names import TableName

HOLDER: Final = re.compile(r"lock is held in (.*?) \(PID (\d+)\)")
"""What DuckDB says of a file that another process has open: the program, and its number."""
_OTHER_FORMAT: Final = re.compile(r"different version|newer version|storage version|database version", re.IGNORECASE)


def connect(path: str = ":memory:", **config: str) -> Any:
    """A connection of duckdb to a database in memory, or to the file at ``path``, as sessions need it."""
    import duckdb

    # A name that is no table is not to be looked up among the variables of whoever calls.
    return duckdb.connect(path, config={"python_enable_replacements": False, **config})


class Database:
    """A warehouse that this process has open through ``connection``, of duckdb. This one keeps no versions."""

    def __init__(self, connection: Any, path: str) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: str) -> Database:
        """Raises :class:`WarehouseError`, which says why it cannot be opened."""
        import duckdb

        try:
            return cls(connect(path), path)
        except duckdb.Error as error:
            raise _cannot_open(path, str(error)) from None

    def prepare(self, make: Callable[[Any], None]) -> None:
        """Have ``make`` make what the warehouse needs itself. Raises :class:`WarehouseError`."""
        import duckdb

        try:
            make(self.connection)
        except duckdb.Error as error:
            raise _cannot_open(self.path, str(error)) from None

    def cursor(self) -> Any:
        """A connection for one session: its temporary tables and its transaction are its own."""
        return self.connection.cursor()

    def require_allowed(self, text: str) -> None:
        """Raise :class:`~jupyter_pipelines.errors.SqlError` for a statement that nobody may carry out."""

    def describe(self, connection: Any, about: Mapping[str, Any], tables: Collection[TableName]) -> None:
        """Have the transaction that is open say for which run it was made (``about``), and which tables it writes."""

    def commit(self, commit: Callable[[], None], connection: Any) -> int | None:
        """``commit`` the connection's transaction; gives the version that it has made, where versions are kept."""
        commit()
        return None

    def version(self, connection: Any) -> int | None:
        """The version that the connection reads now; ``None`` where no versions are kept."""
        return None

    def expire(self, versions: Collection[int]) -> None:
        """Forget versions, and remove the files that only they have."""

    def close(self) -> None:
        """Close it: what is in a log beside the file is written into it."""
        self.connection.close()


def _cannot_open(path: str, said: str) -> WarehouseError:
    import duckdb

    if holder := HOLDER.search(said):
        program, pid = holder.groups()
        return WarehouseError(
            f"The warehouse {path} is open in another program: process {pid} ({program}).",
            "Close the connection there, or end that process. To have both, open a copy there: "
            "jp.warehouse().copy_to(path).",
        )
    if "not a valid DuckDB database" in said or "checksum" in said or "corrupt" in said.lower() or "WAL" in said:
        return WarehouseError(
            f"The warehouse {path} is damaged, or is no DuckDB database: {said}",
            "Put a copy of it in its place, or move it away: then an empty one is made.",
        )
    if _OTHER_FORMAT.search(said):
        return WarehouseError(
            f"Another version of DuckDB has written the warehouse {path}: {said}",
            "Install that version again, or set JUPYTER_PIPELINES_WAREHOUSE to another file. There, "
            f"`jupyter pipelines warehouse copy FILE --storage v{duckdb.__version__}` writes one for this version.",
        )
    return WarehouseError(
        f"The warehouse {path} cannot be opened: {said}",
        "Check the file and its folder, or set JUPYTER_PIPELINES_WAREHOUSE to another one.",
    )
