"""What a run has appended is on record with the rows, so that the run does not append it again when it is continued.

The record is part of the transaction that appends: it is there exactly if the rows are. A step that is tried again, in
its run or in one that continues it, finds it and leaves the table as it is. Where the notebook is another by then and
gives other rows, or something else has written the table since, the build is refused: nobody knows what is to be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import MAIN, free_name, quoted
from jupyter_pipelines.warehouse.books import open_book
from jupyter_pipelines.warehouse.building.work import STAGED
from jupyter_pipelines.warehouse.own_schemas import SCHEMA

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.building.work import Work
    from jupyter_pipelines.warehouse.session import Session

BOOK: Final = f"{SCHEMA}.appends"
_COLUMNS: Final = """
  noted DOUBLE, run VARCHAR, step VARCHAR, number INTEGER, table_name VARCHAR, version VARCHAR, content VARCHAR,
  "rows" BIGINT
"""
_FIND: Final = f"""SELECT noted, version, content FROM {BOOK}
WHERE run = $run AND step = $step AND number = $number AND table_name = $table ORDER BY noted DESC LIMIT 1"""
_LAST: Final = f'SELECT "rows" FROM {BOOK} WHERE table_name = $table ORDER BY noted DESC LIMIT 1'
_OTHERS: Final = f"""SELECT count(*) AS n FROM (
  SELECT noted FROM {SCHEMA}.changes WHERE name = $table
  UNION ALL SELECT noted FROM {SCHEMA}.transactions WHERE list_contains(tables, $table)
) WHERE noted > $noted AND noted NOT IN (SELECT noted FROM {BOOK} WHERE table_name = $table)"""


@dataclass(frozen=True)
class Attempt:
    """For whom rows are appended. ``run``: the first of the runs that continue each other; ``number``: which one of the
    step's appends to the table it is; ``version``: that of the notebook."""

    run: str
    step: str
    number: int
    version: str


@dataclass(frozen=True)
class Appended:
    """What an earlier attempt has appended."""

    noted: float
    version: str
    content: str


def open_appends(session: Session) -> None:
    """Have a place for the record."""
    open_book(session, BOOK, _COLUMNS)


def find_append(work: Work) -> Appended | None:
    """What an earlier attempt has appended. Raises :class:`BuildError` when it may be gone."""
    if work.attempt is None or work.is_anew:
        return None
    found = work.session.query(_FIND, _key(work, work.attempt)).to_pylist()
    if not found:
        return None
    earlier = Appended(**found[0])
    if _was_written_since(work, earlier.noted):
        raise BuildError(
            f"An earlier attempt of this run has appended to {work.spec.table}, and something else has written it "
            "since: it is not known whether those rows are still there.",
            "Look at the table, remove what is there twice, and begin a new run.",
        )
    return earlier


def require_same_rows(work: Work, earlier: Appended) -> None:
    """Refuse staged rows that are not those which an earlier attempt has appended."""
    if earlier.content != _content(work):
        raise BuildError(
            f"An earlier attempt of this run has appended to {work.spec.table}, and the notebook gives other rows now.",
            "Remove those that are there, and begin a new run: one that continues another appends nothing twice.",
        )


def note_append(work: Work, rows: int) -> None:
    """Put on record that the staged rows are appended; ``rows`` is how many the table has now."""
    if work.attempt is not None:
        more = {"version": work.attempt.version, "content": _content(work), "rows": rows}
        work.session.execute(
            f"INSERT INTO {BOOK} VALUES (epoch(now()), $run, $step, $number, $table, $version, $content, $rows)",
            _key(work, work.attempt) | more,
        )


def _was_written_since(work: Work, noted: float) -> bool:
    """By anything but other appends. Without an owner, which keeps book of writes, the number of rows has to do."""
    books = f"SELECT count(*) AS n FROM duckdb_tables() WHERE schema_name = '{SCHEMA}' AND table_name IN $names"
    if work.session.query(books, {"names": ["changes", "transactions"]}).to_pylist()[0]["n"] < 2:
        return work.had != int(work.session.query(_LAST, {"table": _name(work.spec.table)}).to_pylist()[0]["rows"])
    asked = {"table": _name(work.spec.table), "noted": noted}
    return bool(work.session.query(_OTHERS, asked).to_pylist()[0]["n"])


def _key(work: Work, attempt: Attempt) -> dict[str, object]:
    named = {"run": attempt.run, "step": attempt.step, "number": attempt.number}
    return named | {"table": _name(work.spec.table)}


def _name(table: TableName) -> str:
    """As the owner's book of writes has it."""
    return str(type(table)((table.schema or MAIN).casefold(), table.table.casefold()))


def _content(work: Work) -> str:
    """Equal for the same rows in any order."""
    row = quoted(free_name("row", work.columns))
    found = work.session.query(
        f"SELECT count(*) AS n, sum(hash({row}))::VARCHAR AS hashes FROM {STAGED} AS {row}"
    ).to_pylist()
    return f"{found[0]['n']} {found[0]['hashes']} {list(work.columns.items())}"
