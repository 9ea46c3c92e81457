"""What identifies the content of a table, whatever the order of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.notebook.table_names import quoted, read_table_name

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

_ROW = quoted("_jupyter_pipelines_row")  # no column is called that


def fingerprints(session: Session, tables: Iterable[str]) -> dict[str, str]:
    """A text for each of ``tables`` (names as SQL has them): equal texts, equal columns and rows.

    ``missing`` is the text of one that is not there. A table of 10,000,000 rows takes about a second.
    """
    return {table: _fingerprint(session, table) for table in tables}


def _fingerprint(session: Session, table: str) -> str:
    name = read_table_name(table)
    if name is None:
        return "missing"
    try:
        rows = session.query(
            f"SELECT count(*) AS n, sum(hash({_ROW})::HUGEINT)::VARCHAR AS h FROM {name.sql} AS {_ROW}"
        )
        columns = session.query(f"SELECT hash(list((column_name, column_type))) AS h FROM (DESCRIBE {name.sql})")
    except SqlError as error:
        if error.kind == "Catalog":
            return "missing"
        raise
    return f"{rows['n'][0].as_py()} rows {rows['h'][0].as_py() or 0} {columns['h'][0].as_py()}"
