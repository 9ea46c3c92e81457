"""The errors that leave this package. Each is a sentence for a user; none needs a traceback to be understood."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_pipelines.diagnostics import Diagnostic

FIX = "\n  fix: "  # stands between what is wrong and what to do about it


class PipelinesError(Exception):
    """Base of every error we raise for something a user can act on.

    ``exit_code`` is the command line's: 2 when the request was wrong, 1 when the pipeline failed.
    """

    exit_code = 2

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}{FIX}{self.fix}" if self.fix else self.message


class NotebookError(PipelinesError):
    """A notebook that cannot be a pipeline: unreadable, or with errors among its diagnostics."""

    def __init__(self, notebook: str, diagnostics: Sequence[Diagnostic]) -> None:
        self.notebook = notebook
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(diagnostic.render(notebook) for diagnostic in self.diagnostics))


class RequestError(PipelinesError):
    """A request that cannot be carried out: unknown step, unknown run, unknown or ill-typed parameter."""


class ServiceError(PipelinesError):
    """The Prefect server or another part of the service cannot be reached or started."""


class StoreError(PipelinesError):
    """Something announced cannot be read back from the store, or the store cannot be written."""


class LostError(StoreError):
    """The store is there, and what it had kept is not, or was altered: trying again does not bring it back."""


class WarehouseError(PipelinesError):
    """The warehouse cannot be opened, reached or written; what was being done has not been done."""


class OutcomeUnknown(WarehouseError):  # noqa: N818  # a state that is told, more than a mistake
    """Contact with the warehouse was lost while a transaction was being committed: it was, or it was not."""


class Interrupted(PipelinesError):  # noqa: N818
    """A statement was interrupted before its end."""


class SqlError(PipelinesError):
    """A mistake in SQL, in DuckDB's own words.

    ``line`` is the line within the text that was given, from 1, or 0 where DuckDB names none. ``kind`` is DuckDB's
    name for the mistake: ``"Parser"``, ``"Catalog"``, ``"Binder"``, ``"Conversion"``, ``"Constraint"``,
    ``"Transaction"`` …; also ``"Parameter"``: a ``$name`` without a value, and ``"Conflict"``: another session has
    changed the same at the same time.
    """

    exit_code = 1

    def __init__(self, message: str, fix: str = "", *, line: int = 0, kind: str = "") -> None:
        super().__init__(message, fix)
        self.line = line
        self.kind = kind


class BuildError(PipelinesError):
    """A table that cannot be built as it was asked for; what was there before still is."""

    exit_code = 1


class CheckError(PipelinesError):
    """Checks that failed: what they guard is not published, and nothing that depends on it goes on."""

    exit_code = 1


class StepError(PipelinesError):
    """A step did not succeed.

    ``kind`` says what happened: ``"error"`` (a cell raised), ``"timeout"``, ``"cancelled"``, ``"kernel-died"``, or
    ``"refused"`` (the guard: going on would have given a different result than a plain run).
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        fix: str = "",
        *,
        kind: str = "error",
        step: str = "",
        cell: int | None = None,
        first_line: str = "",
        ename: str = "",
        evalue: str = "",
    ) -> None:
        super().__init__(message, fix)
        self.kind = kind
        self.step = step
        self.cell = cell
        self.first_line = first_line
        self.ename = ename
        self.evalue = evalue
