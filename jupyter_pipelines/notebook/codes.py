"""Every code that reading a notebook can report (JP1xx) or its parameters can (JP2xx): the one table, with its meaning.

A code never changes its meaning; a retired one is never used again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from jupyter_pipelines.diagnostics import Diagnostic, Location, Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A code: how bad it usually is, its name, and what an author should know about it."""

    severity: Severity
    title: str
    documentation: str


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CODES: Mapping[str, Code] = {
    # the file
    "JP101": Code(_ERROR, "not readable", "The file is not JSON, or is cut off, or holds unresolved merge conflicts."),
    "JP102": Code(_ERROR, "empty file", "The file has no content; a notebook has at least a list of cells."),
    "JP103": Code(_ERROR, "not a notebook", "The file is JSON but has no list of cells."),
    "JP104": Code(_INFO, "older format", "The notebook is in an older format and was upgraded in memory only."),
    "JP105": Code(_ERROR, "unusable format", "The notebook's format cannot be upgraded, or is newer than is known."),
    "JP106": Code(_ERROR, "nothing to run", "No code cell is left to run: the notebook has none, or skips them all."),
    "JP107": Code(_WARNING, "malformed cell", "A cell is not shaped as the format wants; what could be read was."),
    "JP108": Code(_INFO, "cell ids", "Two cells share an id; the later one is known by an id made from its source."),
    "JP109": Code(_INFO, "kernel not named", "No kernel or no language is named; the notebook is read as Python."),
    "JP110": Code(
        _INFO,
        "another language",
        "Steps of a notebook in another language than Python run in notebook order in one kernel of that language; "
        "nothing is inferred and no values are carried.",
    ),
    "JP111": Code(_ERROR, "text notebook", "A .py or .md notebook needs jupytext, or jupytext could not read it."),
    "JP112": Code(_ERROR, "malformed metadata", "Metadata or tags are of the wrong type, so roles cannot be known."),
    # source
    "JP120": Code(_ERROR, "syntax error", "The cell is not valid Python, also after IPython's own transformation."),
    "JP121": Code(
        _ERROR,
        "magic not on the first line",
        "IPython runs a cell magic only when it is the first thing in its cell; one of ours below that would fail.",
    ),
    "JP122": Code(_ERROR, "malformed magic", "A flag of %%step, %%setup or %%skip is unknown or unfinished."),
    # roles and names
    "JP130": Code(_ERROR, "contradicting roles", "Tags, or a tag and a magic, give one cell two different roles."),
    "JP131": Code(
        _ERROR,
        "step name",
        "A step's name is an identifier with dashes: A-Z a-z 0-9 _ - and a letter or _ first, at most 100 long. Names "
        "appear in commands, file names and addresses, so nothing else is allowed.",
    ),
    "JP132": Code(
        _ERROR,
        "reserved step name",
        "setup, parameters and skip are roles; notebook is the one step of a notebook that names no steps.",
    ),
    "JP133": Code(_ERROR, "names differ by case", "Step names equal but for case are one file name on many systems."),
    "JP134": Code(_WARNING, "tag like ours", "A tag looks like one of ours but is not, and is therefore left alone."),
    "JP135": Code(_ERROR, "unknown step", "after: names a step that the notebook does not have."),
    "JP136": Code(_ERROR, "after itself", "A step cannot come after itself."),
    "JP137": Code(_ERROR, "not a step", "Only steps have an order and options; setup and parameters do not."),
    "JP138": Code(_INFO, "injected parameters", "A cell that papermill injected in an earlier execution is not run."),
    "JP139": Code(_ERROR, "several steps for a cell", "Early Kale let a cell belong to several steps; a cell has one."),
    # options
    "JP140": Code(_ERROR, "unknown option", "An option in metadata is not one of ours; it would silently do nothing."),
    "JP141": Code(_ERROR, "option value", "An option has a value of the wrong type or out of range."),
    "JP142": Code(_ERROR, "options disagree", "Two places give one step different values for one option."),
    # SQL and checks
    "JP150": Code(_ERROR, "malformed SQL magic", "The line of a %%sql cell has an option that is unknown or unfit."),
    "JP151": Code(_ERROR, "check not understood", "A line of a %%check cell is not of the form `column: rule, rule`."),
    "JP152": Code(
        _ERROR,
        "SQL without its extension",
        "%%sql and %%check need `%load_ext jupyter_pipelines` in a cell above them, also in plain Jupyter.",
    ),
    # parameters
    "JP201": Code(_ERROR, "declared twice", "Two parameters cells declare one parameter: unclear which counts."),
    "JP202": Code(_WARNING, "default and type disagree", "A parameter's default is not of its annotated type."),
    "JP203": Code(_WARNING, "unknown type", "The annotation is not a type we know: any plain value is accepted."),
    "JP204": Code(_WARNING, "parameters not read", "Parameters are read from Python only; others cannot be given."),
    "JP205": Code(_INFO, "no default", "A parameter has a type but no value: every run must give it."),
}


class HasPlace(Protocol):
    """What a finding needs of a cell to name it."""

    @property
    def number(self) -> int: ...

    @property
    def first_line(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding that does not yet know its cell; ``line`` is 1-based within the cell it will get."""

    code: str
    message: str
    fix: str = ""
    line: int = 1
    severity: Severity | None = None  # instead of the code's own

    def at(self, cell: HasPlace | None, step: str | None = None) -> Diagnostic:
        """The finding as a diagnostic about ``cell``, or about the whole notebook."""
        severity = self.severity or CODES[self.code].severity
        if cell is None:
            return Diagnostic(self.code, severity, self.message, self.fix, step=step)
        place = Location(cell.number, self.line)
        return Diagnostic(self.code, severity, self.message, self.fix, place, cell.first_line, step)
