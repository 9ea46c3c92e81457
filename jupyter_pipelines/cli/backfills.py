"""Backfills as text: one line for each, or one with all its windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.cli.output import clean, console, count, short_path

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.backfills import Backfill, BackfillWindow

_GLYPHS = {
    "waiting": ("·", "dim"),
    "running": ("▸", "cyan"),
    "completed": ("✓", "green"),
    "done": ("✓", "dim"),
    "skipped": ("–", "dim"),
    "failed": ("✗", "bold red"),
    "crashed": ("✗", "bold red"),
    "cancelled": ("■", "yellow"),
}
_LONGEST_ERROR = 300


def print_backfill(made: Backfill, *, dry_run: bool = False) -> None:
    """One backfill with all its windows, and what one can do about it."""
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.report import print_table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for window in made.windows:
        glyph, style = _GLYPHS[window.state]
        table.add_row(
            Text(glyph, style), window.key, _state(window, made), window.run[:8], Text(_parameters(window), "dim")
        )
    print_table(table)
    screen = console()
    failed = [window for window in made.windows if window.error and window.state in {"failed", "crashed"}]
    for window in failed[:3]:
        screen.print(Text(f"{window.key}: {clean(window.error)[:_LONGEST_ERROR]}", "red"))
    for note in made.notes:
        print(clean(note))
    what = f"version {made.version[:8]}" if made.version else "the notebook as it is now"
    if made.id:
        far = "left alone" if made.problem else progress(made)
        print(clean(f"backfill {made.id}: {made.state}; {far}; {short_path(made.notebook)}"))
        if advice := _advice(made):
            print(advice)
    elif dry_run:
        at_once = f", {made.parallel} at once" if made.parallel > 1 else ""
        print(clean(f"nothing is run: this is a dry run of {what}{at_once}; {progress(made)}"))
    else:
        print("run them once more with --again")


def print_backfills(found: Sequence[Backfill]) -> None:
    """One line for each."""
    from rich.table import Table
    from rich.text import Text

    from jupyter_pipelines.cli.report import moment, print_table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for one in found:
        table.add_row(
            one.id,
            Text(clean(short_path(one.notebook))),
            f"{one.windows[0].key}..{one.windows[-1].key}",
            one.state,
            progress(one) if not one.problem else "left alone",
            moment(one.created),
        )
    print_table(table)
    for one in found:
        if one.problem:
            print(clean(f"{one.id}: {one.problem}"))


def progress(made: Backfill) -> str:
    """``12 of 31 windows are done, 1 running, 18 waiting``."""
    counts = made.counts
    done = counts.pop("completed", 0) + counts.pop("done", 0)
    rest = "".join(f", {number:,} {state}" for state, number in counts.items())
    return f"{done:,} of {count(len(made.windows), 'window')} done{rest}"


def _state(window: BackfillWindow, made: Backfill) -> str:
    if window.state == "done":
        return "done already"
    if window.state == "waiting" and not made.id:
        return f"will run ({window.before} before)" if window.before else "will run"
    return window.state


def _parameters(window: BackfillWindow) -> str:
    return clean(", ".join(f"{name} = {value}" for name, value in window.parameters.items()))


def _advice(made: Backfill) -> str:
    program = "jupyter pipelines"
    if made.problem:
        return clean(made.problem)
    if made.state in {"stopped", "failed"}:
        return (
            f"`{program} unpause {made.id}` tries what failed once more, `unpause {made.id} --skip` gives it up, "
            f"`cancel {made.id}` all that is left"
        )
    if made.state == "paused":
        return f"`{program} unpause {made.id}` has it go on"
    if made.state == "running":
        return f"follow it with: {program} backfills {made.id}"
    return ""
