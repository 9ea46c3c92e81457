"""A session as the owner has it: its connection, its transaction, and what keeps its writes from being lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from jupyter_pipelines.errors import Interrupted, SqlError
from jupyter_pipelines.notebook.table_names import TableName, read_table_name, text_literal
from jupyter_pipelines.warehouse.databases import Database
from jupyter_pipelines.warehouse.engine import EngineSession, Statement
from jupyter_pipelines.warehouse.mistakes import translated
from jupyter_pipelines.warehouse.owner import outcomes
from jupyter_pipelines.warehouse.owner.turns import Turn, Turns
from jupyter_pipelines.warehouse.owner.writing import begins_transaction, with_absolute_target, writes, written_tables
from jupyter_pipelines.warehouse.sources.model import ConnectedSource
from jupyter_pipelines.warehouse.sources.secrets import keep_out_of_errors

if TYPE_CHECKING:
    import pyarrow

CONFLICTS: Final = 50  # times that a statement is carried out again which another one was in the way of
LONGEST_PAUSE: Final = 0.1  # seconds between two of them
_SETTINGS: Final = {"directory": "file_search_path", "time_zone": "TimeZone"}
_Result = TypeVar("_Result")


class HostedSession:
    """One client's conversation. Calls come from several threads, and are carried out one at a time.

    A *call* has ``id``, ``sql``, ``values``, ``frames`` (names of tables put before), ``directory`` (what relative
    paths are relative to), ``time_zone``, ``sources`` (the external ones it may read), and, in a transaction,
    ``transaction`` (its id) and ``writes`` (the tables that it writes, or ``None``); ``about`` is the run it is for.
    """

    def __init__(self, database: Database, connection: Any, turns: Turns, pid: int) -> None:
        self.pid = pid
        self.doing = ""  # the text that is being carried out
        self.since = time.time()  # when that, or the transaction, began
        self._connection = connection
        self._database = database
        self._engine = EngineSession(connection, database=database)
        self._about: Mapping[str, Any] = {}
        self._turns = turns
        self._turn: Turn | None = None
        self._transaction = ""
        self._has_written = False
        self._written: set[TableName] = set()  # in the transaction
        self._by_hand = False  # a BEGIN was among the statements
        self._calls = threading.RLock()
        self._interrupted = threading.Event()
        self._closed = False
        self._frames: dict[str, pyarrow.Table] = {}
        self._settings: dict[str, object] = {}

    @property
    def is_busy(self) -> bool:
        """Whether a statement runs, or a transaction is open."""
        return bool(self.doing or self._transaction or self._by_hand)

    @property
    def transaction(self) -> str:
        """The id of the open transaction; empty when none is."""
        return self._transaction

    def put_frame(self, name: str, frame: pyarrow.Table) -> None:
        """Keep a table for the next statement."""
        with self._calls:
            self._frames[name] = frame

    def stream(
        self, call: Mapping[str, Any], values: Mapping[str, object]
    ) -> tuple[pyarrow.Schema, Iterator[pyarrow.RecordBatch]]:
        """The last statement's result: its columns, and its batches."""
        with self._called(call) as frames:
            statements, engine = self._statements(call), self._engine
            if call.get("transaction"):
                reader = engine.stream_statements(statements, values, frames)
                return reader.schema, self._batches(call, reader)
            for number, statement in enumerate(statements[:-1]):
                self._carry_out(call, number, statement, engine.execute_statements, values, frames)
            last = statements[-1:]
            if last and writes(last[0]):  # whole, so that it can be committed
                number = len(statements) - 1
                table = self._carry_out(call, number, last[0], engine.query_statements, values, frames)
                reader = table.to_reader()
            else:
                reader = engine.stream_statements(last, values, frames)
            return reader.schema, self._batches(call, reader)

    def execute(self, call: Mapping[str, Any], values: Mapping[str, object]) -> int:
        """The rows that the statements have changed."""
        with self._called(call) as frames:
            statements = self._statements(call)
            if call.get("transaction"):
                return self._engine.execute_statements(statements, values, frames)
            return sum(
                self._carry_out(call, number, statement, self._engine.execute_statements, values, frames)
                for number, statement in enumerate(statements)
            )

    def commit(self, transaction: str) -> int | None:
        """Commit what was done in a transaction; nothing was when it is not known. Gives the version that it made."""
        with self._calls:
            if self._transaction != transaction:
                return None
            try:
                if self._has_written:
                    self._engine.settle()
                    self._note(transaction, self._written)
                self._engine.commit()
                return self._engine.version if self._has_written else None
            finally:
                self._end_transaction()

    def rollback(self, transaction: str) -> None:
        with self._calls:
            if self._transaction == transaction:
                self._end_transaction()

    def interrupt(self) -> None:
        self._interrupted.set()
        self._engine.interrupt()

    def progress(self) -> float | None:
        """How much of the statement that runs is done."""
        return self._engine.progress() if self.doing else None

    def close(self) -> None:
        """End what runs, and roll back what is open."""
        self._closed = True
        self.interrupt()
        while not self._calls.acquire(timeout=0.1):
            self._engine.interrupt()
        try:
            self._end_transaction()
            self._engine.close()
        finally:
            self._calls.release()

    @contextmanager
    def _called(self, call: Mapping[str, Any]) -> Iterator[dict[str, pyarrow.Table]]:
        """Carry out one call: gives the frames that it has sent."""
        with self._calls:
            frames = {name: self._frames[name] for name in call.get("frames", ()) if name in self._frames}
            self._frames.clear()
            self._interrupted.clear()
            self.doing = str(call["sql"])
            self._about = call.get("about", {})
            connected = {name: ConnectedSource.from_wire(told) for name, told in call.get("sources", {}).items()}
            keep_out_of_errors(*(secret for source in connected.values() for secret in source.secrets))
            self._engine.sources = lambda _: connected
            try:
                self._set(call)
                if call.get("transaction"):
                    self._join(call)
                else:
                    self.since = time.time()
                yield frames
            except InterruptedError:
                raise Interrupted("The query was interrupted.") from None
            finally:
                self.doing = ""

    def _set(self, call: Mapping[str, Any]) -> None:
        for key, setting in _SETTINGS.items():
            value = call.get(key)
            if value is not None and self._settings.get(key) != value:
                with suppress(Exception):  # a time zone that DuckDB does not know: its own is used
                    self._connection.execute(f"SET {setting} = {text_literal(str(value))}")
                self._settings[key] = value

    def _join(self, call: Mapping[str, Any]) -> None:
        """Be in the call's transaction: it begins with its first statement, when it is its turn to write."""
        if self._transaction:
            return
        self._turn = self._turns.take(_tables(call.get("writes")), self._is_gone)
        try:
            self._engine.begin()
        except BaseException:
            self._end_transaction()
            raise
        self._transaction, self.since = str(call["transaction"]), time.time()
        self._has_written, self._written = False, set()

    def _end_transaction(self) -> None:
        if self._engine.in_transaction:
            self._engine.rollback()
        self._transaction = ""
        turn, self._turn = self._turn, None
        if turn is not None:
            self._turns.give_back(turn)

    def _statements(self, call: Mapping[str, Any]) -> tuple[Statement, ...]:
        found = self._engine.statements(call["sql"])
        for statement in found:
            self._database.require_allowed(statement.text)
        if self._transaction:
            for statement in filter(writes, found):
                self._has_written = True
                self._written |= written_tables(statement.text) or set()
        return tuple(self._placed(statement, call) if statement.kind == "COPY" else statement for statement in found)

    def _placed(self, statement: Statement, call: Mapping[str, Any]) -> Statement:
        text = with_absolute_target(statement.text, call.get("directory") or "/")
        if text == statement.text:
            return statement
        return replace(self._engine.statements(text)[0], line=statement.line, sources=statement.sources)

    def _carry_out(
        self,
        call: Mapping[str, Any],
        number: int,
        statement: Statement,
        do: Callable[[Sequence[Statement], Mapping[str, object], Mapping[str, pyarrow.Table]], _Result],
        values: Mapping[str, object],
        frames: Mapping[str, pyarrow.Table],
    ) -> _Result:
        """``do`` a statement that is in no transaction of the client's; if it writes, in one of its own."""
        if self._by_hand or not writes(statement):
            result = do([statement], values, frames)
            if statement.kind == "TRANSACTION":
                self._by_hand = begins_transaction(statement)
            return result
        tables = written_tables(statement.text)
        with self._turns.taken(tables, self._is_gone):
            for attempt in range(CONFLICTS):
                try:
                    with self._engine.transaction():
                        result = do([statement], values, frames)
                        counted = result if isinstance(result, int) else 0
                        self._note(str(call["id"]), tables or (), statement=number, counted=counted)
                    return result
                except SqlError as error:
                    if error.kind != "Conflict" or attempt == CONFLICTS - 1:
                        raise
                if self._interrupted.wait(min(LONGEST_PAUSE, 0.001 * 2**attempt)):
                    raise InterruptedError
        raise AssertionError("unreachable")

    def _note(self, transaction: str, tables: Collection[TableName], *, statement: int = 0, counted: int = 0) -> None:
        """Leave in the transaction that is open what it was; see :func:`.outcomes.note`."""
        with translated():
            self._database.describe(self._connection, self._about, tables)
            outcomes.note(self._connection, transaction, tables, statement=statement, counted=counted)

    def _batches(self, call: Mapping[str, Any], reader: pyarrow.RecordBatchReader) -> Iterator[pyarrow.RecordBatch]:
        """What is read, one batch at a time: between two of them another call may come."""
        self.doing = text = str(call["sql"])
        try:
            while True:
                with self._calls:
                    try:
                        batch = reader.read_next_batch()
                    except StopIteration:
                        return
                yield batch
        finally:
            if self.doing is text:
                self.doing = ""

    def _is_gone(self) -> bool:
        return self._interrupted.is_set() or self._closed


def _tables(names: Sequence[str] | None) -> list[TableName] | None:
    """The tables of these names; ``None``, which is any, where one of them is no name of a table."""
    found = [read_table_name(name) for name in names or ()]
    return None if names is None or None in found else [name for name in found if name is not None]
