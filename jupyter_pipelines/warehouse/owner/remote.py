"""A session with a warehouse that another process has open: its owner, which is found or started when it is needed.

When the owner is gone, the next statement finds or starts another one. What was going on then is carried out again
where that changes nothing: reads, and writes of which the next owner knows that they were not committed. A transaction
that was open fails as a whole, and one that was being committed ends as it truly did (see :mod:`.outcomes`).
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import pyarrow

from jupyter_pipelines.errors import OutcomeUnknown, SqlError, WarehouseError
from jupyter_pipelines.graph.sql import read_statements
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.owner import wire
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.line import LOST, Call, Line
from jupyter_pipelines.warehouse.owner.start import START_SECONDS, ensure_owner
from jupyter_pipelines.warehouse.run_notes import run_of_this_kernel, tell_run_version
from jupyter_pipelines.warehouse.session import Frames, Parameters
from jupyter_pipelines.warehouse.sources.declared import Sources
from jupyter_pipelines.warehouse.sources.declared import sources as declared_sources
from jupyter_pipelines.warehouse.values import arrow_table

TRIES: Final = 3  # of a statement whose owner was lost
_STATE: Final = re.compile(
    r"(?:^|;)\s*(?:use|set|attach|load|pragma|prepare|begin)\b|\bcreate\s+(?:or\s+replace\s+)?temp", re.IGNORECASE
)
"""Statements after which a session is not like a new one."""
_Result = TypeVar("_Result")


class RemoteSession:
    """A :class:`~jupyter_pipelines.warehouse.session.Session` with the warehouse whose files are ``files``."""

    def __init__(self, files: WarehouseFiles, sources: Sources | None = None) -> None:
        self._files = files
        self._sources = sources or declared_sources()
        self._line: Line | None = None
        self._transaction = ""
        self._tables: tuple[str, ...] | None = None
        self._has_begun = False  # something of the transaction was sent
        self._has_state = False  # temporary tables, settings
        self._has_lost_state = False
        self._version: int | None = None

    @property
    def version(self) -> int | None:
        return self._version

    def query(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> pyarrow.Table:
        return self._statement(sql, parameters, frames, Line.query)

    def stream(
        self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None
    ) -> pyarrow.RecordBatchReader:
        return self._statement(sql, parameters, frames, Line.stream)

    def execute(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> int:
        return int(self._statement(sql, parameters, frames, Line.execute))

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

    def progress(self) -> float | None:
        line = self._line
        return line.progress() if line is not None else None

    def close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _statement(
        self, sql: str, parameters: Parameters | None, frames: Frames | None, do: Callable[[Line, Call], _Result]
    ) -> Any:
        call: Call = {
            "id": secrets.token_hex(16),
            "sql": sql,
            "values": wire.encode_values(parameters or {}),
            "frames": {name: arrow_table(name, frame) for name, frame in (frames or {}).items()},
            "about": run_of_this_kernel(),
            "directory": _directory(),
            "time_zone": os.environ.get("TZ") or None,
            # Their secrets are found here, where the notebook runs, and are in no text that anybody keeps.
            "sources": {name: source.to_wire() for name, source in self._sources.needed(sql).items()},
        }
        if self._transaction:
            call |= {"transaction": self._transaction, "writes": self._tables}
            result = self._in_transaction(lambda line: do(line, call))
        else:
            result = self._repeated(call, do)
        self._has_state = self._has_state or _STATE.search(sql) is not None
        return result

    def _repeated(self, call: Call, do: Callable[[Line, Call], _Result]) -> Any:
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
            done = self._outcome(line, call["id"])
            if done is None and not _only_reads(call["sql"]):
                raise OutcomeUnknown(
                    f"The owner of the warehouse {self._files.path} was lost while a statement was carried out, and "
                    "cannot be reached again: it is not known whether it was.",
                    "When the warehouse can be opened again, look before it is run again.",
                )
            if done:
                return self._already(call, done, do)
        raise AssertionError("unreachable")

    def _already(self, call: Call, done: list[list[int]], do: Callable[[Line, Call], _Result]) -> Any:
        """The result of what was committed although its owner could not say so any more."""
        line = self._connected()
        number = line.count_statements(call["sql"])
        if done[-1][0] != number - 1:
            raise OutcomeUnknown(
                f"The warehouse's owner ended while statements were carried out: {done[-1][0] + 1} of {number} were.",
                "Look at what they have changed, and run the others; in a transaction all or none of them would be.",
            )
        if do is Line.execute:
            return sum(counted for _, counted in done)
        raise OutcomeUnknown(
            "The warehouse's owner ended after the statement was carried out, and before its result was here.",
            "It was committed: do not run it again.",
        )

    def _in_transaction(self, do: Callable[[Line], _Result]) -> _Result:
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
            self._version = line.act("commit", transaction=transaction)
            tell_run_version(self._version)
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

    def _end_transaction(self) -> tuple[str, Line | None]:
        transaction, self._transaction, self._tables = self._transaction, "", None
        return transaction, self._line

    def _outcome(self, lost: Line, transaction: str) -> list[list[int]] | None:
        """What was committed under an id; ``None`` when nobody can say."""
        try:
            found: list[list[int]] = self._connected().act("outcome", session=lost.name, transaction=transaction)
        except (*LOST, WarehouseError):
            return None
        return found

    def _connected(self) -> Line:
        """A line to the owner; another one when this process is a copy of the one that has made it."""
        if self._line is not None and self._line.pid != os.getpid():
            self._line.forget()
            self._line = None
        if self._line is None:
            self._line = _connect(self._files)
            tell_run_version(self._line.version)
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


def _connect(files: WarehouseFiles) -> Line:
    deadline = time.monotonic() + START_SECONDS
    while True:
        endpoint = ensure_owner(files)
        try:
            return Line(endpoint.address, endpoint.token)
        except LOST:  # it has ended since, or is about to
            if time.monotonic() > deadline:
                raise _gone(files) from None
            time.sleep(0.05)


def _only_reads(sql: str) -> bool:
    return all(statement.is_query and not statement.writes for statement in read_statements(sql))


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
