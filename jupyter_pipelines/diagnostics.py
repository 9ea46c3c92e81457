"""What we tell an author about a notebook: stable codes, a place, a message, a fix.

Every room reports with these, so that a problem looks the same in the command line, in the panel and over REST.

==========  ==================================================
codes       about
==========  ==================================================
``JP1xx``   reading the notebook: file, cells, roles, options
``JP2xx``   parameters
``JP3xx``   the graph: names, order, definitions, hidden state
``JP4xx``   values that are carried between steps
``JP5xx``   running a step
``JP6xx``   versions: what cannot be frozen, what is different today
==========  ==================================================
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: an *error* keeps the pipeline from running, a *warning* does not, an *info* only explains."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a notebook.

    ``cell`` is the 1-based position among all cells of the notebook, ``line`` the 1-based line within that cell.
    """

    cell: int
    line: int = 1

    def __str__(self) -> str:
        return f"cell {self.cell} line {self.line}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about a notebook.

    ``first_line`` is the first line of the cell's source, shown so that the author recognises the cell;
    ``fix`` says what to do next, as an imperative sentence.
    """

    code: str
    severity: Severity
    message: str
    fix: str = ""
    location: Location | None = None
    first_line: str = ""
    step: str | None = None

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def to_dict(self) -> dict[str, object]:
        """The JSON form used by ``--format json`` and REST."""
        return asdict(self)

    def render(self, notebook: str) -> str:
        """One finding as text, like a linter prints it."""
        place = notebook
        if self.location is not None:
            place += f": cell {self.location.cell}, line {self.location.line}"
            if self.first_line:
                place += f" ({self.first_line})"
        text = f"{place}\n  {self.severity} {self.code}: {self.message}"
        return f"{text}\n  fix: {self.fix}" if self.fix else text
