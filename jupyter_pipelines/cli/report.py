"""The report of a run: a table of its steps and what they produced, what failed and how to go on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from jupyter_pipelines.cli.origins import Origins
from jupyter_pipelines.cli.output import clean, console, count, duration, short_path, size

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table

    from jupyter_pipelines.orchestration.model import OutputRecord, RunRecord, StepRecord, TableRecord

STATES: dict[str, tuple[str, str]] = {
    "completed": ("✓", "green"),
    "reused": ("↺", "green"),
    "skipped": ("–", "dim"),
    "pending": ("·", "dim"),
    "running": ("▸", "cyan"),
    "failed": ("✗", "bold red"),
    "timed-out": ("✗", "bold red"),
    "cancelled": ("■", "yellow"),
    "crashed": ("✗", "bold red"),
    "refused": ("✗", "bold red"),
}


def produced(output: OutputRecord) -> str:
    """``df: 336,776 rows x 19 columns, 51 MB``."""
    return f"{_described(output)}, {size(output.size)}"


def built(table: TableRecord) -> str:
    """``mart.daily: table of 336 rows, 12 added``."""
    if table.rows is None:
        return clean(f"{table.table}: {table.materialize}")
    anew = table.added == table.rows  # all of it, so that nothing is to be told of what was there
    changes = [] if anew else [(table.added, "added"), (table.changed, "changed"), (table.removed, "removed")]
    told = [f"{number:,} {word}" for number, word in changes if number]
    return clean(", ".join([f"{table.table}: table of {count(table.rows, 'row')}", *told]))


def checked(step: StepRecord) -> str:
    """``6 checks, 1 warned``; nothing for a step that has checked nothing."""
    told = [count(len(step.checks), "check")] if step.checks else []
    for status in ("warned", "failed"):
        number = sum(check.status == status for check in step.checks)
        told += [f"{number} {status}"] if number else []
    return ", ".join(told)


def _described(output: OutputRecord) -> str:
    return clean(f"{output.name}: {output.summary or output.type}")


def print_run(record: RunRecord, copy: Path | None = None) -> None:
    """The report of one run, on standard output. ``copy`` is where its executed notebook was asked to be, too."""
    from rich.text import Text

    screen = console()
    print_table(_steps(record))
    screen.print()
    glyph, style = STATES[record.state]
    passed = f" in {duration(record.ended - record.started)}" if record.ended and record.started else ""
    about = f"{count(len(record.steps), 'step')}, run {record.id[:8]}"
    screen.print(Text.assemble((f"{glyph} {record.state}{passed}", style), (f"  {about}", "dim")))
    failed = _failed(record)
    for step in failed:
        print_failure(step)
    if failed:
        screen.print()
    elif record.error or record.waiting:
        screen.print(Text(clean(record.error or record.waiting)))
    if record.executed_notebook:
        screen.print(Text.assemble(("notebook  ", "dim"), short_path(copy or record.executed_notebook)), soft_wrap=True)
    if record.state not in {"completed", "running", "pending"}:
        screen.print(Text.assemble(("continue  ", "dim"), f"jupyter pipelines resume {record.id[:8]}"), soft_wrap=True)


def _failed(record: RunRecord) -> list[StepRecord]:
    """The steps that did not succeed; those that were skipped for their sake are not among them."""
    return [step for step in record.steps if step.error and step.state != "skipped"]


def _steps(record: RunRecord) -> Table:
    from rich.text import Text

    table = _table("", "step", "state", "time", "produced", "size")
    for column in (3, 5):
        table.columns[column].justify = "right"
        table.columns[column].no_wrap = True
    for step in record.steps:
        glyph, style = STATES[step.state]
        state = clean(step.waiting) or step.state.replace("-", " ")
        if step.attempts > 1:
            state += f", {count(step.attempts, 'attempt')}"
        left = (
            Text(glyph, style),
            Text(clean(step.name)),
            Text(state, style if "red" in style else "dim"),
            Text(duration(step.ended - step.started) if step.ended and step.started else ""),
        )
        rows = [(Text(_described(output)), Text(size(output.size), "dim")) for output in step.outputs]
        rows += [(Text(built(made)), Text()) for made in step.tables]
        rows += [(Text(told, "dim"), Text())] if (told := checked(step)) else []
        for number, right in enumerate(rows or [(Text(), Text())]):
            table.add_row(*(left if number == 0 else [Text()] * len(left)), *right)
    return table


def print_table(table: Table) -> None:
    """Print a table on standard output; in a pipe without the spaces that fill up its last column."""
    screen = console()
    if screen.is_terminal:
        screen.print(table)
        return
    with screen.capture() as captured:
        screen.print(table)
    print("\n".join(line.rstrip() for line in captured.get().split("\n")), end="")


def _table(*titles: str) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    return table


def print_failure(step: StepRecord) -> None:
    """What failed: the cell, the line that failed (else its first), the error, the fix."""
    from rich.text import Text

    screen = console()
    place = f" in cell {step.error_cell}" if step.error_cell else ""
    place += f", line {step.error_line}" if step.error_line else ""
    shown = step.error_source or step.error_first_line
    line = f"  {clean(shown)}" if shown else ""
    screen.print()
    screen.print(Text.assemble((f"{clean(step.name)} {step.state.replace('-', ' ')}{place}", "bold"), (line, "dim")))
    for row in clean(step.error).strip().split("\n"):
        screen.print(Text(f"  {row}", "red"))
    if step.fix:
        screen.print(Text(f"  fix: {clean(step.fix)}"))


def print_grid(records: Sequence[RunRecord], names: Sequence[str]) -> None:
    """The report of a grid: one line per run, then what failed."""
    from rich.text import Text

    screen = console()
    table = _table("", "run", *names, "state", "time", "notebook")
    for record in records:
        glyph, style = STATES[record.state]
        table.add_row(
            Text(glyph, style),
            record.id[:8],
            *(Text(clean(str(record.parameters.get(name, "")))) for name in names),
            Text(record.state, style if "red" in style else "dim"),
            duration(record.ended - record.started) if record.ended and record.started else "",
            Text(short_path(record.executed_notebook)),
        )
    print_table(table)
    for record in records:
        for step in _failed(record):
            screen.print(Text(f"\nrun {record.id[:8]}", "dim"))
            print_failure(step)


def print_runs(records: Sequence[RunRecord]) -> None:
    """Earlier runs, the newest first."""
    from rich.text import Text

    origins = Origins()
    table = _table("", "run", "notebook", "version", "started", "by", "time", "state", "parameters")
    for record in records:
        glyph, style = STATES[record.state]
        failed = next((f" at {step.name}" for step in _failed(record)), "")
        table.add_row(
            Text(glyph, style),
            record.id[:8],
            Text(clean(short_path(record.notebook))),
            origins.version(record),
            moment(record.started),
            Text(clean(origins.starter(record)), "dim"),
            duration(record.ended - record.started) if record.ended and record.started else "",
            Text(clean(record.waiting or record.state + failed), style if "red" in style else "dim"),
            Text(clean(", ".join(f"{name} = {value}" for name, value in record.parameters.items())), "dim"),
        )
    print_table(table)


def moment(seconds: float) -> str:
    """A time for people, in local time: ``14:03:20`` today, else ``2026-11-22 14:03``."""
    if not seconds:
        return ""
    then = time.localtime(seconds)
    today = time.strftime("%Y-%m-%d", then) == time.strftime("%Y-%m-%d")
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", then)
