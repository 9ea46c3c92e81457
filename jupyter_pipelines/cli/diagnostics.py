"""How findings about a notebook are shown: in colour on a terminal, like a linter's lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from jupyter_pipelines.cli.output import clean, console, is_terminal
from jupyter_pipelines.diagnostics import Diagnostic, Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def print_diagnostics(notebook: str, diagnostics: Iterable[Diagnostic]) -> None:
    """Print findings on standard output, a blank line after each."""
    if not is_terminal(sys.stdout):
        for diagnostic in diagnostics:
            print(clean(diagnostic.render(notebook)), end="\n\n")
        return
    from rich.text import Text

    screen = console()
    for diagnostic in diagnostics:
        place, said, *fix = clean(diagnostic.render(notebook)).split("\n")
        screen.print(Text(place, "bold"))
        screen.print(Text.styled(said, _STYLES[diagnostic.severity]))
        screen.print(Text("\n".join([*fix, ""])))
