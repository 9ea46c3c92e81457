"""The connection of one session to one owner: calls, results and frames over Arrow Flight, and errors as ours."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

import pyarrow
from pyarrow import flight

from jupyter_pipelines.errors import SqlError, WarehouseError
from jupyter_pipelines.warehouse.owner import wire
from jupyter_pipelines.warehouse.owner.files import Endpoint

LOST: Final = (flight.FlightUnavailableError, flight.FlightCancelledError, wire.SessionLostError)
"""What is raised when the owner is gone."""
SIGNALS_SEEN: Final = 0.1  # seconds until Ctrl-C is heard: libraries (polars) have waits go on in spite of signals
END_SECONDS: Final = 10.0  # for a statement to end that was interrupted
Call = dict[str, Any]
_Result = TypeVar("_Result")


class Line:
    """The connection of one session to one owner. Its methods raise those of ``LOST`` when that owner is gone."""

    def __init__(self, address: str, token: str) -> None:
        self.pid = os.getpid()
        self._client = flight.FlightClient(address)
        self._options = _options(token)
        self._worker: ThreadPoolExecutor | None = None
        self._open: Any = None
        command = flight.FlightDescriptor.for_command(wire.encode({"pid": self.pid}))
        with _raised():
            writer, reader = self._client.do_exchange(command, self._options)
            # Arrow complains on standard error about an exchange that nobody has ended.
            self._end = weakref.finalize(self, _hang_up, writer, self._client)
            told = reader.read_chunk().app_metadata
        self._lease = reader
        opened = wire.decode(told)
        self.name = str(opened["session"])
        self.version: int | None = opened.get("version")  # of the warehouse, that this session has found

    def query(self, call: Call) -> pyarrow.Table:
        return self._interruptible(lambda: self._get(call).read_all())

    def stream(self, call: Call) -> pyarrow.RecordBatchReader:
        reader = self._interruptible(lambda: self._get(call))
        schema = self._interruptible(lambda: reader.schema)
        self._open = reader
        return pyarrow.RecordBatchReader.from_batches(schema, self._batches(reader))

    def execute(self, call: Call) -> int:
        return self._interruptible(lambda: int(self.act("execute", **self._sent(call))))

    def act(self, kind: str, **call: object) -> Any:
        return _act(self._client, self._options, kind, {"session": self.name, **call})

    def count_statements(self, sql: str) -> int:
        import duckdb

        return len(duckdb.connect().extract_statements(sql))

    def interrupt(self) -> None:
        with suppress(Exception):  # gone: nothing runs there any more
            self.act("interrupt")

    def progress(self) -> float | None:
        with suppress(Exception):  # gone, or of a version that cannot say
            found: float | None = self.act("progress")
            return found
        return None

    def close(self) -> None:
        self._end()
        if self._worker is not None:
            self._worker.shutdown(wait=False)

    def forget(self) -> None:
        """Leave the connection alone: it is that of the process of which this one is a copy."""
        self._end.detach()

    def _sent(self, call: Call) -> Call:
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

    def _get(self, call: Call) -> Any:
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
            while not wait([doing], SIGNALS_SEEN).done:
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
    except pyarrow.ArrowException as error:  # a result that Flight has no form for
        said = str(error).partition(" Detail: ")[0]
        raise SqlError(
            f"The result cannot be read: {said}", "Cast that column in the query: column::VARCHAR."
        ) from None


class OwnerGoneError(WarehouseError):
    """The owner that was asked has ended, or is about to."""


def ask(endpoint: Endpoint, kind: str, **call: object) -> Any:
    """Have an owner do something that needs no session. Raises :class:`OwnerGoneError` when it is gone."""
    with flight.FlightClient(endpoint.address) as client:
        try:
            return _act(client, _options(endpoint.token), kind, call)
        except LOST:
            raise OwnerGoneError(
                f"The owner of the warehouse, process {endpoint.pid}, does not answer.", "Try it again."
            ) from None


def _act(client: Any, options: Any, kind: str, call: Call) -> Any:
    with _raised():
        (result,) = client.do_action(flight.Action(kind, wire.encode(call)), options)
        return wire.decode(result.body)["answer"]


def _options(token: str) -> Any:
    return flight.FlightCallOptions(headers=[(b"authorization", f"Bearer {token}".encode())])
