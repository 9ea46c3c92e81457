"""The owner's face: sessions of clients, over Arrow Flight.

``do_exchange`` opens a session, which lasts as long as the exchange: when the client ends, however it ends, so does
its session, and what it has not committed is rolled back. ``do_put`` brings a frame for the next statement, ``do_get``
gives a statement's result, ``do_action`` does the rest. Commands, tickets and bodies are JSON, see :mod:`.wire`.
"""

from __future__ import annotations

import hmac
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow
from pyarrow import flight

from jupyter_pipelines.errors import PipelinesError, RequestError, WarehouseError
from jupyter_pipelines.warehouse.databases import Database
from jupyter_pipelines.warehouse.frames import with_texts
from jupyter_pipelines.warehouse.mistakes import mistake
from jupyter_pipelines.warehouse.owner import outcomes, wire
from jupyter_pipelines.warehouse.owner.copying import copy_database, copy_version
from jupyter_pipelines.warehouse.owner.hosted import HostedSession
from jupyter_pipelines.warehouse.owner.turns import Turns

LOOPBACK = "grpc://127.0.0.1:0"  # a port that is free
HEADER = "authorization"
_FATAL = "database has been invalidated"  # DuckDB's words after an error that it cannot go on from


class OwnerServer(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow ships no types
    """Serves sessions on ``database`` to those who have ``token``.

    ``stop`` is called, from some thread, when the warehouse is to be given back, or cannot be used any more.
    """

    def __init__(self, database: Database, token: str, stop: Callable[[], None]) -> None:
        super().__init__(LOOPBACK, middleware={"token": _TokenCheck(token)})
        self._database = database
        self._stop = stop
        self._turns = Turns()
        self._sessions: dict[str, HostedSession] = {}
        self._changing = threading.Lock()
        self._released = False
        self._last_used = time.monotonic()
        self._actions: dict[str, Callable[[Mapping[str, Any]], object]] = {
            "execute": self._execute,
            "commit": lambda call: self._session(call).commit(call["transaction"]),
            "rollback": lambda call: self._session(call).rollback(call["transaction"]),
            "interrupt": lambda call: self._session(call).interrupt(),
            "progress": lambda call: self._session(call).progress(),
            "outcome": self._outcome,
            "status": lambda _: self._status(),
            "copy": self._copy,
            "expire": self._expire,
            "release": self._release,
        }

    def ends_after(self, seconds: float) -> bool:
        """Whether nobody has had a session for ``seconds``; then nobody gets one any more."""
        with self._changing:
            if not self._sessions and time.monotonic() - self._last_used >= seconds:
                self._released = True
            return self._released

    def end_orphans(self) -> None:
        """End sessions whose process is gone, should a copy of it, a fork, keep its connection open."""
        for name, session in list(self._sessions.items()):
            try:
                os.kill(session.pid, 0)
            except ProcessLookupError:
                self._end(name)
            except PermissionError:
                continue

    def close(self) -> None:
        """End all sessions: what is not committed is rolled back. Nobody gets another one."""
        with self._changing:
            self._released = True
        for name in list(self._sessions):
            self._end(name)

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        with self._told():
            about = wire.decode(descriptor.command)
            name, version = self._open(int(about["pid"]))
        try:
            writer.write_metadata(wire.encode({"session": name, "version": version}))
            with suppress(StopIteration, pyarrow.ArrowException):
                reader.read_chunk()  # comes back when the client ends
        finally:
            self._end(name)

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        with self._told():
            call = wire.decode(descriptor.command)
            self._session(call).put_frame(call["name"], reader.read_all())

    def do_get(self, context: Any, ticket: Any) -> Any:
        with self._told():
            call = wire.decode(ticket.ticket)
            schema, batches = self._session(call).stream(call, wire.decode_values(call["values"]))
            sent = with_texts(schema)
            return flight.GeneratorStream(sent, self._batches(batches, None if sent.equals(schema) else sent))

    def do_action(self, context: Any, action: Any) -> Iterable[bytes]:
        with self._told():
            if (act := self._actions.get(action.type)) is None:
                raise RequestError(f"The warehouse's owner knows no action {action.type!r}.")
            answer = act(wire.decode(action.body))
            return [wire.encode({"answer": answer})]

    def _batches(
        self, batches: Iterator[pyarrow.RecordBatch], sent: pyarrow.Schema | None
    ) -> Iterator[pyarrow.RecordBatch]:
        with self._told():
            for batch in batches:
                yield batch if sent is None else _cast(batch, sent)

    def _open(self, pid: int) -> tuple[str, int | None]:
        """The name of a new session, and the version of the warehouse that it finds."""
        name, connection = secrets.token_hex(8), self._database.cursor()
        version = self._database.version(connection)
        with self._changing:
            if self._released:
                raise wire.SessionLostError
            self._sessions[name] = HostedSession(self._database, connection, self._turns, pid)
        return name, version

    def _end(self, name: str) -> None:
        with self._changing:
            session = self._sessions.pop(name, None)
            self._last_used = time.monotonic()
        if session is not None:
            session.close()

    def _session(self, call: Mapping[str, Any]) -> HostedSession:
        session = self._sessions.get(call["session"])
        if session is None or self._released:
            raise wire.SessionLostError
        return session

    def _execute(self, call: Mapping[str, Any]) -> int:
        return self._session(call).execute(call, wire.decode_values(call["values"]))

    def _outcome(self, call: Mapping[str, Any]) -> list[tuple[int, int]]:
        """What was committed under an id, when it is certain that nothing more will be."""
        before = call.get("session")
        while before in self._sessions:  # contact was lost, and yet the owner lives: its end is near
            time.sleep(0.02)
        return outcomes.committed(self._database.cursor(), call["transaction"])

    def _status(self) -> dict[str, object]:
        sessions = [
            {"pid": session.pid, "since": session.since, "doing": session.doing, "busy": session.is_busy}
            for session in list(self._sessions.values())
        ]
        return {"pid": os.getpid(), "sessions": sessions}

    def _copy(self, call: Mapping[str, Any]) -> None:
        """Write a copy, as one transaction sees it or of an earlier version, to a file that is not there yet."""
        connection, path, only = self._database.cursor(), str(call["path"]), call.get("only")
        if call.get("version") is not None:
            copy_version(connection, path, int(call["version"]), only)
        else:
            copy_database(connection, path, only, str(call.get("storage") or ""))

    def _expire(self, call: Mapping[str, Any]) -> None:
        """Expire versions of a lake, and remove files that only they have."""
        self._database.expire([int(version) for version in call["versions"]])

    def _release(self, call: Mapping[str, Any]) -> None:
        with self._changing:
            busy = [session for session in self._sessions.values() if session.is_busy]
            if busy and not call.get("force"):
                raise _in_use(busy[0])
            self._released = True
        self._stop()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise errors so that the client gets them whole."""
        try:
            yield
        except (PipelinesError, wire.SessionLostError) as error:
            if _FATAL in str(error):
                self._stop()  # the next one can open the file again
            raise flight.FlightServerError(str(error), extra_info=wire.encode_error(error)) from None
        except Exception as error:
            if _FATAL in str(error):
                self._stop()
            if (ours := mistake(error)) is None:
                raise
            raise flight.FlightServerError(str(ours), extra_info=wire.encode_error(ours)) from None


def _cast(batch: pyarrow.RecordBatch, schema: pyarrow.Schema) -> pyarrow.RecordBatch:
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pyarrow.RecordBatch.from_arrays(columns, schema=schema)


class _TokenCheck(flight.ServerMiddlewareFactory):  # type: ignore[misc]
    """Turns away whoever does not have the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def start_call(self, info: Any, headers: Mapping[str, list[str]]) -> None:
        given = next(iter(headers.get(HEADER, [])), "")
        if not hmac.compare_digest(given.encode(), self._expected):
            raise flight.FlightUnauthenticatedError("This is not the token of this warehouse's owner.")


def _in_use(session: HostedSession) -> WarehouseError:
    since = time.strftime("%H:%M:%S", time.localtime(session.since))
    doing = " ".join(session.doing.split())[:80] or "a transaction"
    return WarehouseError(
        f"The warehouse is in use: process {session.pid} is at work since {since} ({doing}).",
        "Wait for its end, or stop it.",
    )
