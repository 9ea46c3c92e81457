"""DuckDB's errors as ours: its own words, the line within all that was given, and what to do where that is known."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from jupyter_pipelines.errors import Interrupted, PipelinesError, SqlError, WarehouseError
from jupyter_pipelines.warehouse.sources.secrets import without_secrets

_LINE = re.compile(r"^LINE (\d+):", re.MULTILINE)
_WORDS = re.compile(r"([A-Z]\w+)(?: \w+)? Error: ")
_GUESS = re.compile(r'Did you mean ("[^"]+")\?')
_CATALOG = {'"pg_', '"duckdb_', '"sqlite_', '"pragma_'}  # DuckDB's own tables, which nobody means
_CONFLICT = re.compile(r"^TransactionContext Error: .*onflict", re.DOTALL)
_FULL = re.compile(r"No space left on device|File too large|Disk quota exceeded")
_EXTENSION = re.compile(r"(?:extension|Extension) \"?'?(\w+)")


@contextmanager
def translated(before: int = 0) -> Iterator[None]:
    """Raise what DuckDB raises inside as errors of ours. ``before``: lines of the text before the statement."""
    try:
        yield
    except PipelinesError:
        raise
    except Exception as error:
        if (ours := mistake(error, before)) is None:
            raise
        raise ours from None


def mistake(error: Exception, before: int = 0) -> PipelinesError | None:
    """The error of ours for one of DuckDB's, or ``None`` for what is not of DuckDB's making."""
    import duckdb
    import pyarrow

    if isinstance(error, duckdb.InterruptException) or "INTERRUPT Error" in str(error):
        return Interrupted("The query was interrupted.")
    # What goes wrong while a result is read comes through Arrow, as an OSError with DuckDB's words.
    through_arrow = isinstance(error, OSError) and _WORDS.match(str(error))
    if not isinstance(error, duckdb.Error | pyarrow.ArrowException) and not through_arrow:
        return None
    said = without_secrets(str(error).strip())
    line = 0
    if found := _LINE.search(said):
        line = int(found.group(1)) + before
        said = f"{said[: found.start()]}LINE {line}:{said[found.end() :]}"
    if _FULL.search(said):
        return WarehouseError(said, "Free space on that disk; what was being written has been rolled back.")
    said, fix = _fix(said)
    return SqlError(said, fix, line=line, kind=_kind(error))


def _kind(error: Exception) -> str:
    if _CONFLICT.search(str(error)):
        return "Conflict"
    found = _WORDS.match(str(error)) if isinstance(error, OSError) else None
    return found[1] if found else type(error).__name__.removesuffix("Exception")


def missing_parameters(names: Sequence[str], before: int) -> SqlError:
    named = ", ".join(f"${name}" for name in names)
    return SqlError(
        f"There is no value for {named}.",
        f"Define `{names[0]}` in the parameters cell, or in a cell above."
        if names[0].isidentifier()
        else "Name it: `$day` is the value of `day`.",
        line=before + 1,
        kind="Parameter",
    )


def _fix(said: str) -> tuple[str, str]:
    """What was said, less a guess that helps nobody, and what to do about it."""
    if guess := _GUESS.search(said):
        said = re.sub(r"\n{2,}", "\n\n", said.replace(guess.group(0), "")).strip()
        helps = not any(guess.group(1).startswith(name) for name in _CATALOG)
        return said, f"Did you mean {guess.group(1)}?" if helps else ""
    if _CONFLICT.search(said):
        return said, "Another session changed the same at the same time: run it again."
    if "is aborted" in said:
        return said, "An earlier statement of this transaction failed: roll back, then begin again."
    if "single attached database" in said:
        return said, "The warehouse notes each change in itself: write another database with `duckdb.connect`."
    if "does not support time travel" in said or "No snapshot found" in said:
        return (
            said,
            "A lake keeps versions of its tables (README, *Where the tables are*), and `verify` runs on a copy.",
        )
    if "Unsupported Arrow type" in said:
        return said, "Cast that column in the query: column::VARCHAR."
    if "prepared parameter" in said:
        return said, "This kind of statement takes no $parameters: write the value itself."
    if "extension" in said.lower() and (found := _EXTENSION.search(said)):
        return said, f"Install DuckDB's extension `{found.group(1)}` for the version of DuckDB that is used here."
    return said, ""
