"""Where the tables of a warehouse are kept: in a DuckDB file, or in a lake that keeps every version of them.

The name of the file that a warehouse is called by says which: ``.ducklake`` is the catalog of a lake whose data lies in
a folder beside it, ``.toml`` the description of a lake elsewhere (see :mod:`.declared`), all others are DuckDB files.
Whatever differs between them is said here, by :class:`~.database.Database` and :class:`~.lake.Lake`.
"""

from __future__ import annotations

from jupyter_pipelines.warehouse.databases.database import Database, connect
from jupyter_pipelines.warehouse.databases.declared import is_lake

__all__ = ["Database", "connect", "is_lake", "open_database"]


def open_database(path: str) -> Database:
    """Open the warehouse that is called by the file ``path``.

    Raises :class:`~jupyter_pipelines.errors.WarehouseError`, which says why it cannot be opened.
    """
    if not is_lake(path):
        return Database.open(path)
    from jupyter_pipelines.warehouse.databases.lake import Lake

    return Lake.open(path)
