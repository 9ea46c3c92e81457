"""Errors of SQL cells as a cell shows them: what is wrong, in which line, what to do; without a traceback."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import PipelinesError, SqlError

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.codes import Problem


_LINE = re.compile(r"^LINE \d+:", re.MULTILINE)


@contextmanager
def shown_in_cell(shell: Any, magic: str, body: str, problems: Sequence[Problem]) -> Iterator[None]:
    """Have our errors shown with the line of the cell whose ``%%magic`` has ``body``; ``problems`` of it are one."""
    try:
        if problems:
            raise SqlError(problems[0].message, problems[0].fix, line=(problems[0].line or 1) - 1)
        yield
    except PipelinesError as error:
        raise _in_cell(error, _lines_above(shell, magic, body), body) from None


def _in_cell(error: PipelinesError, above: int, body: str) -> PipelinesError:
    lines = body.splitlines()
    at = error.line if isinstance(error, SqlError) else 0
    place = f"----> {at + above} {lines[at - 1]}" if 0 < at <= len(lines) else ""
    if place:  # DuckDB counts from the first line of the SQL
        error.message = _LINE.sub(f"LINE {at + above}:", error.message, count=1)
    shown = [place, "", f"{type(error).__name__}: {error}"] if place else [f"{type(error).__name__}: {error}"]
    error._render_traceback_ = lambda: shown  # type: ignore[attr-defined]  # what IPython asks an exception for
    return error


def _lines_above(shell: Any, magic: str, body: str) -> int:
    """How many lines of the cell stand above ``body``: the magic's own, and that of a role before it."""
    raw = str(shell.history_manager.input_hist_raw[-1]) if shell is not None else ""
    lines = raw.strip().splitlines()
    found = next((at for at, line in enumerate(lines, 1) if line.lstrip().startswith(f"%%{magic}")), 1)
    return found if body.strip() in raw else 1
