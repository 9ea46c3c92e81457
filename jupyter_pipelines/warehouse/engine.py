"""A session on a DuckDB connection of this process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import SqlError
from jupyter_pipelines.warehouse.mistakes import missing_parameters, mistake, translated
from jupyter_pipelines.warehouse.session import Frames, Parameters
from jupyter_pipelines.warehouse.values import arrow_table, bindable

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 100_000  # of one batch
_COUNTED = {"INSERT", "UPDATE", "DELETE", "MERGE_INTO", "COPY", "CREATE", "MULTI"}


class EngineSession:
    """A :class:`~jupyter_pipelines.warehouse.session.Session` that has ``connection``, of duckdb, to itself."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._frames: tuple[str, ...] = ()
        self._reader: Any = None
        self._in_transaction = False

    @classmethod
    def open(cls, path: Path | str = ":memory:") -> EngineSession:
        """A session on a database of this process: in memory, or the file at ``path``."""
        import duckdb

        # A name that is no table is not looked up among the variables of whoever calls.
        return cls(duckdb.connect(str(path), config={"python_enable_replacements": False}))

    @property
    def in_transaction(self) -> bool:
        """Whether a block of :meth:`transaction` is open."""
        return self._in_transaction

    def query(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> pyarrow.Table:
        try:
            return self.stream(sql, parameters, frames=frames).read_all()
        finally:
            self._settle()

    def stream(
        self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None
    ) -> pyarrow.RecordBatchReader:
        import pyarrow

        with translated():
            relation, line = self._run(sql, parameters, frames)
            if relation is None:
                self._settle()
                return pyarrow.RecordBatchReader.from_batches(pyarrow.schema([]), [])
            self._reader = reader = _reader(relation, line)
            return pyarrow.RecordBatchReader.from_batches(reader.schema, self._batches(reader, line))

    def execute(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> int:
        count = 0
        try:
            for statement, line, values in self._prepare(sql, parameters, frames):
                count += self._carry_out(statement, line, values)
        finally:
            self._settle()
        return count

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.begin()
        try:
            yield
        except BaseException:
            self.rollback()
            raise
        self.commit()

    def begin(self) -> None:
        """Begin a transaction. Raises :class:`SqlError` when one is open."""
        if self._in_transaction:
            raise SqlError("A transaction is open already.", "Leave its `with` block before another begins.")
        self._command("BEGIN TRANSACTION")
        self._in_transaction = True

    def commit(self) -> None:
        """Commit; when that cannot be, all is rolled back, and :class:`SqlError` says why."""
        try:
            self._command("COMMIT")
        except BaseException:
            self.rollback()
            raise
        self._in_transaction = False

    def rollback(self) -> None:
        """Undo what was done since :meth:`begin`, if it can be undone still."""
        self._in_transaction = False
        with suppress(Exception):  # DuckDB has rolled back by itself
            self._command("ROLLBACK")

    def interrupt(self) -> None:
        self._connection.interrupt()

    def close(self) -> None:
        with suppress(Exception):
            self._settle()
        self._connection.close()

    def _command(self, sql: str) -> None:
        self._settle()
        with translated():
            self._connection.execute(sql)

    def _run(self, sql: str, parameters: Parameters | None, frames: Frames | None) -> tuple[Any, int]:
        """Carry out all statements but the last; that one's relation, and the line at which it begins."""
        prepared = self._prepare(sql, parameters, frames)
        if not prepared:
            return None, 0
        for statement, line, values in prepared[:-1]:
            self._carry_out(statement, line, values)
        statement, line, values = prepared[-1]
        with translated(line):
            try:
                return self._connection.sql(statement, params=values), line
            except Exception as error:
                self._look_for_line(error, statement, line, values)
                raise

    def _look_for_line(self, error: Exception, statement: Any, line: int, values: dict[str, object] | None) -> None:
        """Raise ``error`` with its line: relations, which give batches without copying them, leave it out."""
        if type(error).__name__ in {"BinderException", "CatalogException"}:
            try:
                self._connection.execute("EXPLAIN\n" + statement.query, values).fetchall()
            except type(error) as same:
                raise mistake(same, line - 1) or same from None

    def _prepare(
        self, sql: str, parameters: Parameters | None, frames: Frames | None
    ) -> list[tuple[Any, int, dict[str, object] | None]]:
        """Each statement with the number of lines before it and the values that it needs."""
        self._settle()
        given = parameters or {}
        with translated():
            statements = self._connection.extract_statements(sql)
        prepared, line = [], 0
        for statement in statements:
            names = sorted(statement.named_parameters)
            if missing := [name for name in names if name not in given]:
                raise missing_parameters(missing, line)
            values = {name: bindable(name, given[name]) for name in names}
            prepared.append((statement, line, values or None))
            line += statement.query.count("\n")
        self._show(frames or {})
        return prepared

    def _show(self, frames: Mapping[str, object]) -> None:
        """Make frames visible; they are until the next statement, or the end of this one's result."""
        tables = {name: arrow_table(name, frame) for name, frame in frames.items()}
        for name, table in tables.items():
            self._frames += (name,)
            with translated():
                self._connection.register(name, table)

    def _carry_out(self, statement: Any, line: int, values: dict[str, object] | None) -> int:
        with translated(line):
            self._connection.execute(statement, values)
            count = self._count(statement)
            if hasattr(self._connection, "complete"):  # from 2.0 on a result that is not read is in the way
                self._connection.complete()
            return count

    def _count(self, statement: Any) -> int:
        told = self._connection.description
        if statement.type.name not in _COUNTED or not told:
            return 0
        if [column[0] for column in told] == ["Count"]:
            row = self._connection.fetchone()
            return int(row[0]) if row else 0
        return len(self._connection.fetchall())  # RETURNING

    def _batches(self, reader: Any, line: int) -> Iterator[pyarrow.RecordBatch]:
        while self._reader is reader:
            with translated(line):
                try:
                    batch = reader.read_next_batch()
                except StopIteration:
                    self._settle()
                    return
            yield batch
        raise SqlError("The next statement of the session has ended this result.", "Read it before, or use `query`.")

    def _settle(self) -> None:
        """End an open result, and take frames out of sight."""
        reader, self._reader = self._reader, None
        frames, self._frames = self._frames, ()
        if reader is not None:
            reader.close()
        for name in frames:
            with suppress(Exception):  # in a transaction that was aborted nothing can be done: rolling back removes it
                self._connection.unregister(name)


def _reader(relation: Any, line: int) -> pyarrow.RecordBatchReader:
    with translated(line), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(relation, "to_arrow_reader"):
            return relation.to_arrow_reader(ROWS_AT_ONCE)
        return relation.fetch_arrow_reader(ROWS_AT_ONCE)
