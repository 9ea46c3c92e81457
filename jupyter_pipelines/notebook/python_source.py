"""A cell's source as the kernel gets it and as plain Python, with line numbers kept.

IPython's input transformer is asked only about cells that are not valid Python as they are: most cells are, and
valid Python passes IPython unchanged.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.parsing import parse_python
from jupyter_pipelines.notebook.role_magics import RoleMagic, is_role_magic, read_role_magic

if TYPE_CHECKING:
    from IPython.core.inputtransformer2 import TransformerManager

# Cell magics whose body is Python that runs in the notebook's own namespace (timeit's in a function).
PYTHON_CELL_MAGICS = frozenset({"time", "timeit", "capture", "prun"})

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # str.splitlines also splits where Python does not
_SIMPLE_MAGIC = re.compile(
    r"""([ \t]*([A-Za-z_]\w*[ ]=[ ])?)                     # nothing but `name = ` before it
        (?:%([A-Za-z_][\w.]*)(?:[ ](\S(?:.*\S)?))?          # %magic arguments
          |!([^\s!](?:.*\S)?))(?<![?\\])                    # !command; neither help nor continued""",
    re.ASCII | re.VERBOSE,
)
_MOST_MAGICS = 20  # each costs a parse of the cell; IPython itself is faster for more
_CELL_MAGIC = re.compile(r"%%(\w[\w.]*)[ \t]*(.*)")


@dataclass(frozen=True, slots=True)
class CellSource:
    """One cell's source, taken apart; see :class:`~jupyter_pipelines.notebook.model.Cell` for the fields."""

    role_magic: RoleMagic | None
    code: str
    python: str | None
    cell_magic: str | None
    cell_magic_line: str
    problems: tuple[Problem, ...]


@lru_cache(maxsize=8192)
def read_source(source: str, *, python: bool = True) -> CellSource:
    """Take a code cell's source apart. Pure and cached: an unchanged cell costs nothing the second time.

    ``python=False`` is for notebooks of other languages: our magics are understood, the rest is left alone.
    """
    problems: list[Problem] = []
    lines = _LINE.findall(source)
    role_magic: RoleMagic | None = None
    at = _first_code_line(lines)
    if at is not None and (role_magic := read_role_magic(lines[at])) is not None:
        problems += [_moved(problem, at + 1) for problem in role_magic.problems]
        lines[at] = _line_end(lines[at])
    problems += _misplaced(lines)
    code = "".join(lines)
    at = _first_code_line(lines)
    match = _CELL_MAGIC.match(lines[at].strip()) if at is not None else None
    name, arguments = (match[1], match[2].strip()) if match else (None, "")
    if not python or any(problem.code == "JP121" for problem in problems):
        return CellSource(role_magic, code, None, name, arguments, tuple(problems))
    text, problem = _to_python(lines)
    if problem is not None:
        problems.append(problem)
    return CellSource(role_magic, code, text, name, arguments, tuple(problems))


def _first_code_line(lines: list[str]) -> int | None:
    """Position of the first line that is not blank."""
    return next((at for at, line in enumerate(lines) if line.strip()), None)


def _line_end(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def _moved(problem: Problem, line: int) -> Problem:
    return Problem(problem.code, problem.message, problem.fix, line, problem.severity)


def _misplaced(lines: list[str]) -> list[Problem]:
    """Role magics of ours after the first line, outside of strings as far as a failed parse can tell."""
    found = [at for at, line in enumerate(lines) if line.startswith("%%") and is_role_magic(line)]
    if not found or _valid("".join(lines)):
        return []
    line = lines[found[0]].strip()
    message = f"`{line}` is not the first line of its cell, so IPython would not see a cell magic."
    return [Problem("JP121", message, "Move it to the top of the cell.", found[0] + 1)]


def _to_python(lines: list[str]) -> tuple[str | None, Problem | None]:
    """The lines as Python, or why they are not; ``(None, None)`` for a cell magic whose body is not Python."""
    at = _first_code_line(lines)
    if at is not None and (match := _CELL_MAGIC.match(lines[at].strip())):
        if match[1] not in PYTHON_CELL_MAGICS:
            return None, None
        body, problem = _to_python([*lines[:at], _line_end(lines[at]), *lines[at + 1 :]])
        return body, problem
    text = "".join(lines)
    simple = _replace_simple_magics(lines)
    if simple is not None:
        return simple, None
    transformed = _transform(lines, at or 0)
    if transformed is not None and (error := _syntax_error(transformed)) is None:
        return transformed, None
    return None, _explain(error if transformed is not None else _syntax_error(text), text)


def _valid(text: str) -> bool:
    return _syntax_error(text) is None


def _syntax_error(text: str) -> Exception | None:
    try:
        # Top-level await is IPython's; ast alone accepts it nowhere else.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parse_python(text, top_level_await=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        return error
    return None


def _explain(error: Exception | None, text: str) -> Problem:
    if isinstance(error, SyntaxError):
        last = text.count("\n") + 1
        line = min(max(error.lineno or 1, 1), last)
        message = f"The cell is not valid Python: {error.msg}"
        message += "" if message.endswith("?") else "."
        return Problem("JP120", message, "Correct it, or tag it `skip`.", line)
    if isinstance(error, ValueError):  # NUL characters, or half of a surrogate pair
        reason = "it contains a character that no source may contain"
    else:
        reason = "it is nested too deeply"
    return Problem("JP120", f"The cell is not valid Python: {reason}.", "Correct it, or tag it `skip`.")


def _replace_simple_magics(lines: list[str]) -> str | None:
    """The lines as Python when all that Python refuses are plain ``%magic`` and ``!command`` lines, else ``None``.

    Importing IPython costs more than reading a large notebook, and most magics are these. Only a line at which Python
    itself stops is replaced, so that text in strings never is; the result is what IPython's transformer gives.
    """
    lines = list(lines)
    for _ in range(_MOST_MAGICS):
        text = "".join(lines)
        error = _syntax_error(text)
        if error is None:
            return text
        at = (error.lineno or 0) - 1 if isinstance(error, SyntaxError) else -1
        match = _SIMPLE_MAGIC.fullmatch(lines[at].rstrip("\n")) if 0 <= at < len(lines) else None
        if match is None:
            return None
        before, assigned, name, arguments, command = match.groups()
        if command is None:
            call = f"run_line_magic({name!r}, {arguments or ''!r})"
        else:
            call = f"{'getoutput' if assigned else 'system'}({command!r})"
        lines[at] = f"{before}get_ipython().{call}" + _line_end(lines[at])
    return None


def _transform(lines: list[str], first: int) -> str | None:
    """IPython's transformation; the blank lines above are kept, which IPython would drop."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # IPython warns about odd line ends; the parser judges them
            return "".join(lines[:first]) + _transformer().transform_cell("".join(lines[first:]))
    except (SyntaxError, ValueError, RecursionError, IndexError):  # what IPython raises for unfinished input
        return None


@cache
def _transformer() -> TransformerManager:
    """IPython's transformer, made to keep line numbers: it joins a continued magic into one line."""
    from IPython.core.inputtransformer2 import TransformerManager

    class KeepingLines(TransformerManager):
        def do_one_token_transform(self, lines: list[str]) -> tuple[bool, list[str]]:
            before = list(lines)
            changed, after = super().do_one_token_transform(lines)  # type: ignore[no-untyped-call]  # IPython's own
            missing = len(before) - len(after)
            if changed and missing > 0:
                at = next((at for at, (old, new) in enumerate(zip(before, after, strict=False)) if old != new), 0)
                after = [*after[: at + 1], *["\n"] * missing, *after[at + 1 :]]
            return changed, after

    return KeepingLines()  # type: ignore[no-untyped-call]  # IPython has no annotation here
