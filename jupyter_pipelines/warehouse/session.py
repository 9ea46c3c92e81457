"""What every conversation with a warehouse offers, whoever holds the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pyarrow

    from jupyter_pipelines.notebook.table_names import TableName

Parameters = Mapping[str, object]
"""Values by name, for ``$name`` in SQL. They are bound, never formatted in; those that no statement names are left."""
Frames = Mapping[str, object]
"""pandas, polars or Arrow tables by name, each visible to one statement as a table of that name."""


class Session(Protocol):
    """One conversation with a warehouse: its temporary tables and its transaction are its own.

    Not for several threads at once, except :meth:`interrupt` and :meth:`progress`. Text may hold several statements:
    they are carried out in order, and the last one's result counts. All methods raise
    :class:`~jupyter_pipelines.errors.SqlError` for a mistake in SQL, :class:`~jupyter_pipelines.errors.Interrupted`
    when they were interrupted, and :class:`~jupyter_pipelines.errors.WarehouseError` when the warehouse cannot be
    reached or written.
    """

    def query(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> pyarrow.Table:
        """What a statement gives, whole."""
        ...

    def stream(
        self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None
    ) -> pyarrow.RecordBatchReader:
        """The same, batch by batch. The next statement of this session ends it."""
        ...

    def execute(self, sql: str, parameters: Parameters | None = None, *, frames: Frames | None = None) -> int:
        """Carry statements out; returns the rows inserted, changed or deleted, 0 where DuckDB counts none."""
        ...

    def transaction(self, writes: Collection[TableName | str] | None = None) -> AbstractContextManager[None]:
        """All or nothing: committed at the end of the block, rolled back when it raises.

        ``writes``: all tables that it writes. Those that write the same tables take turns, and one that
        does not say which is the only one that writes. A name without a schema is one of ``main``.

        Raises :class:`~jupyter_pipelines.errors.OutcomeUnknown` when contact was lost while it was being committed.
        """
        ...

    @property
    def version(self) -> int | None:
        """The version of the warehouse that its last transaction has made; ``None`` where none are kept."""
        ...

    def interrupt(self) -> None:
        """From another thread: the statement that runs raises :class:`~jupyter_pipelines.errors.Interrupted`."""
        ...

    def progress(self) -> float | None:
        """From another thread: how much of the statement that runs is done, up to 1; ``None`` where nobody can say."""
        ...

    def close(self) -> None:
        """End the conversation; an open transaction is rolled back. May be called again."""
        ...
