"""A session on a DuckDB connection of this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import Interrupted, SqlError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.databases import Database, open_database
from jupyter_pipelines.warehouse.mistakes import missing_parameters, mistake, translated
from jupyter_pipelines.warehouse.session import Frames, Parameters
from jupyter_pipelines.warehouse.sources.model import ConnectedSource
from jupyter_pipelines.warehouse.sources.use import SourceTable, bring, forget, renamed
from jupyter_pipelines.warehouse.values import arrow_table, bindable

if TYPE_CHECKING:
    import pyarrow

ROWS_AT_ONCE = 100_000  # of one batch
_COUNTED = {"INSERT", "UPDATE", "DELETE", "MERGE_INTO", "COPY", "CREATE", "MULTI"}


@dataclass(frozen=True)
class Statement:
    """One statement of a text: as DuckDB has parsed it, its own text, and the number of lines before it.

    ``sources``: the tables of external sources that it reads; in ``text`` they go by their whole names.
    """

    parsed: Any
    text: str
    line: int
    sources: tuple[SourceTable, ...] = ()

    @property
    def kind(self) -> str:
        """DuckDB's name for what it is: ``"SELECT"``, ``"INSERT"``, ``"CREATE"`` …"""
        return str(self.parsed.type.name)


class EngineSession:
    """A :class:`~jupyter_pipelines.warehouse.session.Session` that has ``connection``, of duckdb, to itself.

    ``sources`` gives the external sources that a text names. ``database``: the warehouse, where that is one.
    """

    def __init__(
        self,
        connection: Any,
        sources: Callable[[str], Mapping[str, ConnectedSource]] = lambda _: {},
        database: Database | None = None,
    ) -> None:
        self.sources = sources
        self._connection = connection
        self._database = database or Database(connection, "")
        self._version: int | None = None
        self._connected: Mapping[str, ConnectedSource] = {}
        self._brought: tuple[TableName, ...] = ()
        self._stopped = threading.Event()
        self._frames: tuple[str, ...] = ()
        self._reader: Any = None
        self._in_transaction = False
        for setting in ("enable_progress_bar_print = false", "enable_progress_bar = true"):  # measured, not shown
            connection.execute(f"SET {setting}")

    @classmethod
    def open(cls, path: Path | str = ":memory:") -> EngineSession:
        """A session on a database of this process: in memory, or the warehouse that is called by the file ``path``."""
        from jupyter_pipelines.warehouse.sources.declared import sources

        database = open_database(str(path))
        return cls(database.connection, sources().needed, database)

    @property
    def version(self) -> int | None:
        return self._version

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._in_transaction

    def query(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> pyarrow.Table:
        return self.query_statements(self.statements(sql), parameters, frames)

    def stream(
        self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None
    ) -> pyarrow.RecordBatchReader:
        return self.stream_statements(self.statements(sql), parameters, frames)

    def execute(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> int:
        return self.execute_statements(self.statements(sql), parameters, frames)

    def statements(self, sql: str) -> tuple[Statement, ...]:
        """The statements of a text. Raises :class:`SqlError` for what cannot be parsed, or writes into a source."""
        with translated():
            parsed = self._connection.extract_statements(sql)
        self._connected = self.sources(sql)
        found, end = [], 0
        for each in parsed:
            text = each.query.strip()  # before 2.0 it begins where the one before has ended
            begin = max(sql.find(text, end), end)
            found.append(self._sourced(Statement(each, text, sql.count("\n", 0, begin))))
            end = begin + len(text)
        return tuple(found)

    def _sourced(self, statement: Statement) -> Statement:
        """The statement as it can be carried out once what it reads of sources is there."""
        if not self._connected:
            return statement
        try:
            text, tables = renamed(statement.text, self._connected)
        except SqlError as error:
            error.line += statement.line if error.line else 0
            raise
        if not tables:
            return statement
        with translated(statement.line):
            (parsed,) = self._connection.extract_statements(text)
        return Statement(parsed, text, statement.line, tables)

    def query_statements(
        self, statements: Sequence[Statement], parameters: Parameters | None, frames: Frames | None
    ) -> pyarrow.Table:
        """As :meth:`query`, with statements of this session."""
        try:
            return self.stream_statements(statements, parameters, frames).read_all()
        finally:
            self.settle()

    def stream_statements(
        self, statements: Sequence[Statement], parameters: Parameters | None, frames: Frames | None
    ) -> pyarrow.RecordBatchReader:
        """As :meth:`stream`, with statements of this session."""
        import pyarrow

        values = self._prepare(statements, parameters, frames)
        if not statements:
            return pyarrow.RecordBatchReader.from_batches(pyarrow.schema([]), [])
        for statement, bound in zip(statements[:-1], values, strict=False):
            self._carry_out(statement, bound)
        last = statements[-1]
        relation = self._relation(last, values[-1])
        if relation is None:
            self.settle()
            return pyarrow.RecordBatchReader.from_batches(pyarrow.schema([]), [])
        with translated(last.line):
            self._reader = reader = _reader(relation)
        return pyarrow.RecordBatchReader.from_batches(reader.schema, self._batches(reader, last.line))

    def execute_statements(
        self, statements: Sequence[Statement], parameters: Parameters | None, frames: Frames | None
    ) -> int:
        """As :meth:`execute`, with statements of this session."""
        try:
            values = self._prepare(statements, parameters, frames)
            return sum(self._carry_out(statement, bound) for statement, bound in zip(statements, values, strict=True))
        finally:
            self.settle()

    @contextmanager
    def transaction(self, writes: Collection[TableName | str] | None = None) -> Iterator[None]:
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
            self._version = self._database.commit(lambda: self._command("COMMIT"), self._connection)
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
        self._stopped.set()
        self._connection.interrupt()

    def progress(self) -> float | None:
        percent = float(self._connection.query_progress())
        return percent / 100 if percent >= 0 else None

    def close(self) -> None:
        with suppress(Exception):
            self.settle()
        self._connection.close()

    def settle(self) -> None:
        """End an open result, and take the frames of its statement, and what it read of sources, out of sight."""
        reader, self._reader = self._reader, None
        frames, self._frames = self._frames, ()
        if reader is not None:
            reader.close()
        for name in frames:
            with suppress(Exception):  # in a transaction that was aborted nothing can be done: rolling back removes it
                self._connection.unregister(name)
        brought, self._brought = self._brought, ()
        for table in brought:
            with suppress(Exception):  # as above
                forget(self._connection, table)

    def _command(self, sql: str) -> None:
        self.settle()
        with translated():
            self._connection.execute(sql)

    def _prepare(
        self, statements: Sequence[Statement], parameters: Parameters | None, frames: Frames | None
    ) -> list[dict[str, object] | None]:
        """The values that each statement needs, after all frames were made visible."""
        self.settle()
        given, prepared = parameters or {}, []
        for statement in statements:
            names = sorted(statement.parsed.named_parameters)
            if missing := [name for name in names if name not in given]:
                raise missing_parameters(missing, statement.line)
            prepared.append({name: bindable(name, given[name]) for name in names} or None)
        self._show(frames or {})
        values = {name: value for bound in prepared for name, value in (bound or {}).items()}
        self._bring([table for statement in statements for table in statement.sources], values)
        return prepared

    def _bring(self, tables: Sequence[SourceTable], values: Mapping[str, object]) -> None:
        """Have what statements read of sources be there until the next statement, or the end of this one's result."""
        self._stopped.clear()
        wanted: dict[TableName, SourceTable] = {}
        for table in tables:
            wanted[table.name] = table.together(wanted.get(table.name, table))
        for table in wanted.values():
            self._brought += (table.name,)
            try:
                with translated():
                    bring(self._connection, table, self._connected, self._stopped.is_set, values)
            except InterruptedError:
                raise Interrupted("The query was interrupted.") from None
            except SqlError as error:  # its line is none of the author's
                said = error.message.partition("\n\nLINE ")[0]
                raise SqlError(f"{table.name} cannot be read: {said}", error.fix, kind=error.kind) from None

    def _show(self, frames: Mapping[str, object]) -> None:
        """Make frames visible; they are until the next statement, or the end of this one's result."""
        tables = {name: arrow_table(name, frame) for name, frame in frames.items()}
        for name, table in tables.items():
            self._frames += (name,)
            with translated():
                self._connection.register(name, table)

    def _relation(self, statement: Statement, values: dict[str, object] | None) -> Any:
        """A statement as a relation, which gives batches without copying them; ``None`` where it has no result."""
        with translated(statement.line):
            try:
                return self._connection.sql(statement.parsed, params=values)
            except Exception as error:
                self._look_for_line(error, statement, values)
                raise

    def _look_for_line(self, error: Exception, statement: Statement, values: dict[str, object] | None) -> None:
        """Raise ``error`` with its line, which relations leave out."""
        if type(error).__name__ in {"BinderException", "CatalogException"}:
            try:
                self._connection.execute("EXPLAIN\n" + statement.text, values).fetchall()
            except type(error) as same:
                raise mistake(same, statement.line - 1) or same from None

    def _carry_out(self, statement: Statement, values: dict[str, object] | None) -> int:
        with translated(statement.line):
            self._connection.execute(statement.parsed, values)
            count = self._count(statement)
            if hasattr(self._connection, "complete"):  # from 2.0 on a result that is not read is in the way
                self._connection.complete()
            return count

    def _count(self, statement: Statement) -> int:
        told = self._connection.description
        if statement.kind not in _COUNTED or not told:
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
                    self.settle()
                    return
            yield batch
        raise SqlError("The next statement of the session has ended this result.", "Read it before, or use `query`.")


def _reader(relation: Any) -> Any:
    if hasattr(relation, "to_arrow_reader"):
        return relation.to_arrow_reader(ROWS_AT_ONCE)
    return relation.fetch_arrow_reader(ROWS_AT_ONCE)  # before 2.0
