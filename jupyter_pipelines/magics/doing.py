"""What each command of ``%pipeline`` does: it asks the public API, and gives what is to be seen."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError

if TYPE_CHECKING:
    from jupyter_pipelines.magics.commands import Do
    from jupyter_pipelines.notebook.model import NotebookDocument
    from jupyter_pipelines.results import NotebookPipeline, Run, RunComparison
    from jupyter_pipelines.results.lineage import Lineage
    from jupyter_pipelines.results.plan import Plan
    from jupyter_pipelines.verification.model import Report
    from jupyter_pipelines.widgets import HistoryView, RunView, TrendsView


def show(_: argparse.Namespace, notebook: Path) -> NotebookPipeline:
    """Draw the steps."""
    pipeline = jp.pipeline(notebook)
    for diagnostic in pipeline.graph.errors:
        print(diagnostic.render(notebook.name))
    for above in pipeline.upstream if pipeline.graph.tables_read else ():
        print(f"{above.table} is built by {above.pipeline}")
    return pipeline


def check(_: argparse.Namespace, notebook: Path) -> None:
    """Say what is wrong."""
    pipeline = jp.pipeline(notebook)
    diagnostics = pipeline.diagnostics
    for diagnostic in diagnostics:
        print(diagnostic.render(notebook.name))
    if not diagnostics:
        print(f"✓ nothing is wrong with {notebook.name}: {len(pipeline.steps)} steps")


def explain(arguments: argparse.Namespace, notebook: Path) -> None:
    """Say why steps need each other."""
    print(jp.pipeline(notebook).explain(arguments.name))


def lineage(arguments: argparse.Namespace, notebook: Path) -> Lineage:
    """Draw which columns its tables are made of."""
    return jp.pipeline(notebook).lineage(arguments.table)


def run(arguments: argparse.Namespace, notebook: Path) -> RunView:
    """Have the service run it."""
    from jupyter_pipelines.widgets import show_run

    pipeline = jp.pipeline(notebook)
    if pipeline.graph.errors:
        raise NotebookError(notebook.name, pipeline.graph.errors)
    for step in (arguments.from_step, arguments.only, arguments.until):
        _known_step(pipeline, step)
    made = pipeline.submit(
        read_parameters(pipeline.graph.document, arguments.parameters),
        from_step=arguments.from_step,
        only=arguments.only,
        until=arguments.until,
        reuse=arguments.reuse,
        version="published" if arguments.published else None,
        say=print,
    )
    if arguments.wait:
        try:
            made.wait()
        except KeyboardInterrupt:
            made.cancel()
    return show_run(made)


def status(_: argparse.Namespace, notebook: Path) -> None:
    """Say how it stands."""
    from jupyter_pipelines.results.showing.html import moment

    found = jp.pipeline(notebook).status
    version = f", {found.version.label}" if found.version is not None else ", not published"
    print(f"{found.name}: {found.state}{version}{f' ({found.problem})' if found.problem else ''}")
    if found.next is not None:
        print(f"  next     {found.next:%a %Y-%m-%d %H:%M %Z}")
    for last in found.last_runs[:5]:
        print(f"  {last.state:<9} {last.id[:8]}  {moment(last.started)}")
    counts = {"schedule": found.schedules, "trigger": found.triggers}
    told = ", ".join(f"{number} {what}{'' if number == 1 else 's'}" for what, number in counts.items() if number)
    print(f"  {told or 'nothing starts it by itself'}")


def schedule(arguments: argparse.Namespace, notebook: Path) -> None:
    """Have the service run it then; told as cron, in words, and as the next times."""
    options = {"timezone": arguments.timezone} if arguments.timezone else {}
    understood = jp.preview_schedule(arguments.when, **options)
    pipeline = jp.pipeline(notebook)
    made = pipeline.schedule(
        arguments.when,
        read_parameters(pipeline.graph.document, arguments.parameters),
        dry_run=arguments.dry_run,
        say=print,
        **options,
    )
    done = "nothing is kept: this is a dry run" if arguments.dry_run else f"scheduled {made.id}"
    print(f"{done}: {notebook.name}\n  {understood.words}\n  {understood.expression}")
    for one in understood.next.occurrences[:5]:
        notes = f"  ({'; '.join(one.notes)})" if one.notes else ""
        print(f"  {one.time:%a %Y-%m-%d %H:%M %Z}{notes}")


def pause(arguments: argparse.Namespace, notebook: Path) -> None:
    """Have schedules start no more runs."""
    for identifier in _schedules(arguments.schedule, notebook):
        print(f"{jp.pause(identifier).id}: paused")


def unpause(arguments: argparse.Namespace, notebook: Path) -> None:
    """Have schedules run again."""
    for identifier in _schedules(arguments.schedule, notebook):
        print(f"{jp.unpause(identifier).id}: runs again")


def backfill(arguments: argparse.Namespace, notebook: Path) -> None:
    """Run it over a range."""
    from jupyter_pipelines.orchestration.schedules import split_range

    pipeline = jp.pipeline(notebook)
    first, last = split_range(arguments.range)
    given = {"parameters": read_parameters(pipeline.graph.document, arguments.parameters)}
    made = pipeline.backfill(first, last, dry_run=arguments.dry_run, say=print, **given)
    for window in made.windows[:40]:
        print(f"  {window.state:<10} {window.key}")
    for note in made.notes:
        print(note)
    print(f"backfill {made.id}: {len(made.windows)} windows" if made.id else "nothing is run")


def history(arguments: argparse.Namespace, notebook: Path) -> HistoryView:
    """Show its runs."""
    from jupyter_pipelines.widgets import show_history

    filters: dict[str, object] = {name: value for name in ("state", "since") if (value := getattr(arguments, name))}
    if arguments.limit is not None:
        if not arguments.limit.isdecimal():
            raise RequestError(f"{arguments.limit!r} is no number of runs.", "%pipeline history 20")
        filters["limit"] = int(arguments.limit)
    if arguments.parameters:
        from jupyter_pipelines.notebook import parameters_json

        document = jp.pipeline(notebook).graph.document
        filters["parameters"] = parameters_json(document, read_parameters(document, arguments.parameters))
    return show_history(notebook, **filters)


def trend(arguments: argparse.Namespace, notebook: Path) -> TrendsView:
    """Draw a number over runs."""
    from jupyter_pipelines.widgets import show_trends

    return show_trends(notebook, arguments.metric or "duration")


def diff(arguments: argparse.Namespace, notebook: Path) -> RunComparison:
    """Compare two runs: the first that is named with the second, or with the last one."""
    last = list(jp.runs(notebook, limit=2))
    if arguments.first is None and len(last) < 2:
        raise RequestError(f"{notebook.name} has no two runs to compare.", "Run it twice.")
    first = last[1] if arguments.first is None else find_run(arguments.first, notebook)
    return first.compare(find_run(arguments.second, notebook))


def value(arguments: argparse.Namespace, notebook: Path) -> object:
    """Give a value."""
    return find_run(arguments.run, notebook).value(arguments.value)


def debug(arguments: argparse.Namespace, notebook: Path) -> object:
    """Make a notebook with what a step had."""
    return jp.debug(find_run(arguments.run, notebook).id, arguments.step)


def apply(arguments: argparse.Namespace, notebook: Path) -> object:
    """Put the fix into the source, and resume."""
    from jupyter_pipelines.widgets import show_run

    session: Any = sys.modules.get("_jupyter_pipelines_kernel.session")
    applied = jp.apply_fix(notebook, session.last_run() if session is not None else None)
    print(applied)
    if arguments.no_resume or jp.get_run(applied.run).state == "completed":
        return None
    return show_run(jp.get_run(jp.submit_resume(applied.run, notebook=applied.notebook)).id)


def plan(_: argparse.Namespace, notebook: Path) -> Plan:
    """Say what publishing it would change."""
    return jp.plan(notebook)


def publish(arguments: argparse.Namespace, notebook: Path) -> None:
    """Freeze it."""
    version = jp.pipeline(notebook).publish(arguments.message or "")
    print(f"published v{version.number} ({version.id[:8]})" if version.is_new else f"nothing new: v{version.number}")
    for note in version.notes:
        print(note.render(notebook.name))


def suggest_checks(arguments: argparse.Namespace, _: Path) -> None:
    """Propose checks, in a cell below this one where there can be one."""
    from IPython.core.getipython import get_ipython

    cell = jp.suggest_checks(arguments.table)
    shell = get_ipython()
    if shell is not None:
        shell.set_next_input(cell)
    print(cell)


def verify(arguments: argparse.Namespace, notebook: Path) -> Report:
    """Prove it."""
    pipeline = jp.pipeline(notebook)
    return pipeline.verify(read_parameters(pipeline.graph.document, arguments.parameters))


DO: Mapping[str, Do] = {
    one.__name__.replace("_", "-"): one
    for one in (
        *(show, check, explain, lineage, run, status, schedule, pause, unpause, backfill),
        *(history, trend, diff, value, debug, apply, plan, publish, suggest_checks, verify),
    )
}


def read_parameters(document: NotebookDocument, assignments: Sequence[str]) -> dict[str, object]:
    """``NAME=VALUE`` as values of the parameters' types. Raises :class:`RequestError`."""
    from jupyter_pipelines.notebook import coerce_parameters

    texts = {}
    for assignment in assignments:
        name, equals, given = assignment.partition("=")
        if not equals or not name.strip():
            raise RequestError(f"-p {assignment} is not of the form NAME=VALUE.", "Write -p NAME=VALUE.")
        texts[name.strip()] = given
    return coerce_parameters(document, texts, from_text=True, partial=True)


def find_run(name: str | None, notebook: Path) -> Run:
    """The run with this id, or the beginning of one; ``last`` or nothing is the notebook's last one."""
    found = jp.runs(notebook)
    if name not in {None, "last"}:
        return found[str(name)]
    if not found:
        raise RequestError(f"{notebook.name} has no runs yet.", "%pipeline run")
    return found[0]


def _schedules(named: str | None, notebook: Path) -> list[str]:
    if named:
        return [named]
    found = [record.id for record in jp.schedules(notebook)]
    if not found:
        raise RequestError(f"{notebook.name} has no schedules.", '%pipeline schedule "every weekday 07:00"')
    return found


def _known_step(pipeline: NotebookPipeline, name: str | None) -> None:
    names = [step.name for step in pipeline.steps]
    if name is not None and name not in names:
        raise RequestError(f"There is no step {name!r}.", f"The steps are: {', '.join(names) or 'none'}.")
