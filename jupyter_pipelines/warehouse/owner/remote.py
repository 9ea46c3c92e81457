"""A session with a warehouse that another process has open: its owner, which is found or started when it is needed.

When the owner is gone, the next statement finds or starts another one. What was going on then is carried out again
where that changes nothing: reads, and writes of which the next owner knows that they were not committed. A transaction
that was open fails as a whole, and one that was being committed ends as it truly did (see :mod:`.outcomes`).
"""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import pyarrow
from pyarrow import flight

from jupyter_pipelines.errors import OutcomeUnknown, SqlError, WarehouseError
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.owner import wire
from jupyter_pipelines.warehouse.owner.files import Endpoint, WarehouseFiles
from jupyter_pipelines.warehouse.owner.start import START_SECONDS, ensure_owner
from jupyter_pipelines.warehouse.session import Frames, Parameters
from jupyter_pipelines.warehouse.values import arrow_table

LOST: Final = (flight.FlightUnavailableError, flight.FlightCancelledError, wire.SessionLostError)
TRIES: Final = 3  # of a statement whose owner was lost
HEARD_SECONDS: Final = 0.1  # until Ctrl-C is heard: libraries (polars) have waits go on in spite of signals
END_SECONDS: Final = 10.0  # for a statement to end that was interrupted
_STATE: Final = re.compile(
    r"(?:^|;)\s*(?:use|set|attach|load|pragma|prepare|begin)\b|\bcreate\s+(?:or\s+replace\s+)?temp", re.IGNORECASE
)
"""Statements after which a session is not like a new one."""
_Result = TypeVar("_Result")


class RemoteSession:
    """A :class:`~jupyter_pipelines.warehouse.session.Session` with the warehouse whose files are ``files``."""

    def __init__(self, files: WarehouseFiles) -> None:
        self._files = files
        self._line: _Line | None = None
        self._transaction = ""
        self._tables: tuple[str, ...] | None = None
        self._has_begun = False  # something of the transaction was sent
        self._has_state = False  # temporary tables, settings
        self._has_lost_state = False

    def query(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> pyarrow.Table:
        return self._statement(sql, parameters, frames, _Line.query)

    def stream(
        self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None
    ) -> pyarrow.RecordBatchReader:
        return self._statement(sql, parameters, frames, _Line.stream)

    def execute(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> int:
        return int(self._statement(sql, parameters, frames, _Line.execute))

    @contextmanager
    def transaction(self, writes: Collection[TableName | str] | None = None) -> Iterator[None]:
        if self._transaction:
            raise SqlError("A transaction is open already.", "Leave its `with` block before another begins.")
        self._transaction, self._has_begun = secrets.token_hex(16), False
        self._tables = None if writes is None else tuple(map(str, writes))
        try:
            yield
        except BaseException:
            self._roll_back()
            raise
        self._commit()

    def interrupt(self) -> None:
        if self._line is not None:
            self._line.interrupt()

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _statement(
        self, sql: str, parameters: Parameters | None, frames: Frames | None, do: Callable[[_Line, _Call], _Result]
    ) -> Any:
        call: _Call = {
            "id": secrets.token_hex(16),
            "sql": sql,
            "values": wire.encode_values(parameters or {}),
            "frames": {name: arrow_table(name, frame) for name, frame in (frames or {}).items()},
            "directory": _directory(),
            "time_zone": os.environ.get("TZ") or None,
        }
        if self._transaction:
            call |= {"transaction": self._transaction, "writes": self._tables}
            result = self._in_transaction(lambda line: do(line, call))
        else:
            result = self._repeated(call, do)
        self._has_state = self._has_state or _STATE.search(sql) is not None
        return result

    def _repeated(self, call: _Call, do: Callable[[_Line, _Call], _Result]) -> Any:
        """Carry out a statement that is in no transaction, again when its owner was lost and it has done nothing."""
        for left in reversed(range(TRIES)):
            self._require_state()
            line = self._connected()
            try:
                return do(line, call)
            except LOST:
                self._lose()
                if not left:
                    raise _gone(self._files) from None
            if (done := self._outcome(line, call["id"])) is not None and done:
                return self._already(call, done, do)
        raise AssertionError("unreachable")

    def _already(self, call: _Call, done: list[list[int]], do: Callable[[_Line, _Call], _Result]) -> Any:
        """The result of what was committed although its owner could not say so any more."""
        line = self._connected()
        number = line.count_statements(call["sql"])
        if done[-1][0] != number - 1:
            raise OutcomeUnknown(
                f"The warehouse's owner ended while statements were carried out: {done[-1][0] + 1} of {number} were.",
                "Look at what they have changed, and run the others; in a transaction all or none of them would be.",
            )
        if do is _Line.execute:
            return sum(counted for _, counted in done)
        raise OutcomeUnknown(
            "The warehouse's owner ended after the statement was carried out, and before its result was here.",
            "It was committed: do not run it again.",
        )

    def _in_transaction(self, do: Callable[[_Line], _Result]) -> _Result:
        if not self._has_begun:
            self._require_state()
        line = self._connected() if not self._has_begun else self._line
        self._has_begun = True
        try:
            if line is None:
                raise wire.SessionLostError
            return do(line)
        except LOST:
            self._lose()
            raise _rolled_back(self._files) from None

    def _commit(self) -> None:
        transaction, line = self._end_transaction()
        if not self._has_begun:
            return
        if line is None:
            raise _rolled_back(self._files)
        try:
            line.act("commit", transaction=transaction)
        except LOST:
            self._lose()
            done = self._outcome(line, transaction)
            if done is None:
                raise OutcomeUnknown(
                    f"The owner of the warehouse {self._files.path} was lost while a transaction was committed, and "
                    "cannot be reached again: it is not known whether the transaction is in the warehouse.",
                    "When the warehouse can be opened again, look before the step is run again.",
                ) from None
            if not done:
                raise _rolled_back(self._files) from None

    def _roll_back(self) -> None:
        transaction, line = self._end_transaction()
        if self._has_begun and line is not None:
            try:
                line.act("rollback", transaction=transaction)
            except LOST:
                self._lose()

    def _end_transaction(self) -> tuple[str, _Line | None]:
        transaction, self._transaction, self._tables = self._transaction, "", None
        return transaction, self._line

    def _outcome(self, lost: _Line, transaction: str) -> list[list[int]] | None:
        """What was committed under an id; ``None`` when nobody can say."""
        try:
            found: list[list[int]] = self._connected().act("outcome", session=lost.name, transaction=transaction)
        except (*LOST, WarehouseError):
            return None
        return found

    def _connected(self) -> _Line:
        """A line to the owner; another one when this process is a copy of the one that has made it."""
        if self._line is not None and self._line.pid != os.getpid():
            self._line.forget()
            self._line = None
        if self._line is None:
            self._line = _connect(self._files)
        return self._line

    def _lose(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()
        self._has_lost_state, self._has_state = self._has_lost_state or self._has_state, False

    def _require_state(self) -> None:
        """Raise, once, when statements may mean something else than before."""
        if self._has_lost_state:
            self._has_lost_state = False
            raise WarehouseError(
                "The warehouse was closed in between: temporary tables and settings of this session are gone.",
                "Run the cells again that have made them.",
            )


_Call = dict[str, Any]


class _Line:
    """The connection of one session to one owner. Its methods raise those of ``LOST`` when that owner is gone."""

    def __init__(self, address: str, token: str) -> None:
        self.pid = os.getpid()
        self._client = flight.FlightClient(address)
        self._options = _options(token)
        self._worker: ThreadPoolExecutor | None = None
        self._open: Any = None
        with _raised():
            command = flight.FlightDescriptor.for_command(wire.encode({"pid": self.pid}))
            self._lease = self._client.do_exchange(command, self._options)
            told = self._lease[1].read_chunk().app_metadata
        self.name = str(wire.decode(told)["session"])
        # Arrow complains on standard error about an exchange that nobody has ended.
        self._end = weakref.finalize(self, _hang_up, self._lease[0], self._client)

    def query(self, call: _Call) -> pyarrow.Table:
        return self._interruptible(lambda: self._get(call).read_all())

    def stream(self, call: _Call) -> pyarrow.RecordBatchReader:
        reader = self._interruptible(lambda: self._get(call))
        schema = self._interruptible(lambda: reader.schema)
        self._open = reader
        return pyarrow.RecordBatchReader.from_batches(schema, self._batches(reader))

    def execute(self, call: _Call) -> int:
        return self._interruptible(lambda: int(self.act("execute", **self._sent(call))))

    def act(self, kind: str, **call: object) -> Any:
        return _act(self._client, self._options, kind, {"session": self.name, **call})

    def count_statements(self, sql: str) -> int:
        import duckdb

        return len(duckdb.connect().extract_statements(sql))

    def interrupt(self) -> None:
        with suppress(Exception):  # gone: nothing runs there any more
            self.act("interrupt")

    def close(self) -> None:
        self._end()
        if self._worker is not None:
            self._worker.shutdown(wait=False)

    def forget(self) -> None:
        """Leave the connection alone: it is that of the process of which this one is a copy."""
        self._end.detach()

    def _sent(self, call: _Call) -> _Call:
        """The call, after its frames were sent ahead."""
        if self._open is not None:
            self._open.cancel()
            self._open = None
        for name, table in call["frames"].items():
            with _raised():
                command = wire.encode({"session": self.name, "name": name})
                descriptor = flight.FlightDescriptor.for_command(command)
                writer, _ = self._client.do_put(descriptor, table.schema, self._options)
                try:
                    writer.write_table(table)
                except BaseException:
                    _hang_up(writer)
                    raise
                writer.close()
        return {**call, "session": self.name, "frames": list(call["frames"])}

    def _get(self, call: _Call) -> Any:
        sent = self._sent(call)
        with _raised():
            return _Reader(self._client.do_get(flight.Ticket(wire.encode(sent)), self._options))

    def _batches(self, reader: Any) -> Iterator[pyarrow.RecordBatch]:
        while (batch := self._interruptible(reader.next_batch)) is not None:
            yield batch

    def _interruptible(self, do: Callable[[], _Result]) -> _Result:
        """``do`` in another thread, so that Ctrl-C in the main one is heard, and interrupts the statement."""
        if threading.current_thread() is not threading.main_thread():
            return do()
        if self._worker is None:
            self._worker = ThreadPoolExecutor(1, thread_name_prefix="warehouse")
        doing = self._worker.submit(do)
        try:
            while not wait([doing], HEARD_SECONDS).done:
                continue
            return doing.result()
        except KeyboardInterrupt:
            deadline = time.monotonic() + END_SECONDS
            while not doing.done() and time.monotonic() < deadline:  # it may not have come to the owner yet
                self.interrupt()
                with suppress(Exception):
                    doing.result(0.2)
            raise


def _hang_up(*connections: Any) -> None:
    for connection in connections:
        with suppress(Exception):
            connection.close()


class _Reader:
    """A result on its way, with errors of ours."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    @property
    def schema(self) -> pyarrow.Schema:
        with _raised():
            return self._reader.schema

    def read_all(self) -> pyarrow.Table:
        with _raised():
            return self._reader.read_all()

    def next_batch(self) -> pyarrow.RecordBatch | None:
        with _raised():
            try:
                return self._reader.read_chunk().data
            except StopIteration:
                return None

    def cancel(self) -> None:
        with suppress(Exception):
            self._reader.cancel()


@contextmanager
def _raised() -> Iterator[None]:
    """Raise what the owner has told, and one of ``LOST`` when it is gone."""
    try:
        yield
    except LOST:
        raise
    except flight.FlightUnauthenticatedError:  # the port of one that is gone is another one's now
        raise wire.SessionLostError from None
    except flight.FlightError as error:
        told = wire.decode_error(error.extra_info)
        if told is not None:
            raise told from None
        if "Socket closed" in str(error) or "Connection reset" in str(error):
            raise wire.SessionLostError from None
        raise WarehouseError(str(error)) from None


def ask(endpoint: Endpoint, kind: str, **call: object) -> Any:
    """Have an owner do something that needs no session. Raises :class:`WarehouseError` when it is gone."""
    with flight.FlightClient(endpoint.address) as client:
        try:
            return _act(client, _options(endpoint.token), kind, call)
        except LOST:
            raise WarehouseError(
                f"The owner of the warehouse, process {endpoint.pid}, does not answer.", "Try it again."
            ) from None


def _act(client: Any, options: Any, kind: str, call: _Call) -> Any:
    with _raised():
        (result,) = client.do_action(flight.Action(kind, wire.encode(call)), options)
        return wire.decode(result.body)["answer"]


def _options(token: str) -> Any:
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])


def _connect(files: WarehouseFiles) -> _Line:
    deadline = time.monotonic() + START_SECONDS
    while True:
        endpoint = ensure_owner(files)
        try:
            return _Line(endpoint.address, endpoint.token)
        except LOST:  # it has ended since, or is about to
            if time.monotonic() > deadline:
                raise _gone(files) from None
            time.sleep(0.05)


def _directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None


def _gone(files: WarehouseFiles) -> WarehouseError:
    return WarehouseError(
        f"The owner of the warehouse {files.path} ends again and again.", f"See its log, {files.log}."
    )


def _rolled_back(files: WarehouseFiles) -> WarehouseError:
    return WarehouseError(
        f"The owner of the warehouse {files.path} ended while a transaction was open: none of it was written.",
        "Run it again, as a whole.",
    )
