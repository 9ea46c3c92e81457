"""Run a notebook as a pipeline: each step starts as soon as what it needs is there.

The notebook itself is never changed; an executed copy, with every output in the author's order, is kept with the run.

With --version the notebook runs as it was published, with the files that were frozen: `--version published`, or the id
of a version (see `jupyter pipelines versions NB`). It then works in a folder of its own where files were frozen: those
are as they were, all others are found beside the notebook as they are, and new files are put there when the run ends.

With --detach the service runs it, whatever becomes of this terminal; the run's id is printed at once. `jupyter
pipelines runs` and `inspect` follow it, `cancel` stops it. --format json: {"id": "..."}.

With --schedule ID, in place of a notebook, the service runs now what that schedule runs, with its parameters as of now;
the schedule's own times stay as they are. The run's id is printed at once, as with --detach.

Grid: --grid NAME=A,B,C makes one run for each value, and for each combination when given several times. Commas within
quotes or brackets do not separate: --grid 'city="Paris, TX",Rome' --grid 'layers=[8,8],[16]'.

Exit codes: 0 completed, 1 the pipeline failed, 2 the request was wrong (nothing was run), 130 cancelled by Ctrl-C.

--format json: the record of the run: {"id", "name", "notebook", "state", "parameters", "started", "ended", "steps":
[{"name", "state", "started", "ended", "attempts", "outputs": [{"name", "type", "size", "summary", "container"}],
"error", "error_kind", "error_cell", "error_first_line", "fix", "reused_from"}], "executed_notebook", "error",
"resumed_from", "parent", "version", "published"}; with --grid {"runs": [...]}. Times are seconds since 1970, sizes
bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.errors import NotebookError, RequestError

if TYPE_CHECKING:
    from jupyter_pipelines.notebook.model import NotebookDocument
    from jupyter_pipelines.orchestration.model import OnRunEvent, RunRecord


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, add_parameters, positive_int
    from jupyter_pipelines.cli.durations import seconds

    parser.add_argument("notebook", metavar="NB", nargs="?", help="the notebook (or --schedule ID)")
    parser.add_argument("--schedule", metavar="ID", help="have the service run now what this schedule runs")
    add_parameters(parser)
    parser.add_argument(
        "--window",
        metavar="PERIOD",
        help="the data window: its interval_start and interval_end, of a day (2024-01-05), week (2024-W01), month …",
    )
    parser.add_argument(
        "--grid", action="append", default=[], metavar="NAME=A,B,C", help="one run for each value (may be repeated)"
    )
    parser.add_argument("--version", metavar="ID", help="run what was published: `published`, or the id of a version")
    part = parser.add_argument_group(
        "part of the pipeline", "what is left out is taken from earlier runs, as far as nothing about it has changed"
    )
    part.add_argument("--only", metavar="STEP", help="run this step alone")
    part.add_argument("--from", dest="from_step", metavar="STEP", help="run this step and all that depend on it")
    part.add_argument("--until", metavar="STEP", help="run this step and all that it needs")
    parser.add_argument("--reuse", action="store_true", help="skip the steps for which nothing has changed")
    parser.add_argument("--output", metavar="OUT.ipynb", help="put a copy of the executed notebook here")
    parser.add_argument("--detach", action="store_true", help="have the service run it; print its id and return")
    parser.add_argument("--timeout", type=seconds, metavar="TIME", help="stop it when it takes longer, such as 2h")
    parser.add_argument("--max-parallel", type=positive_int, metavar="N", help="run at most N steps at a time")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.arguments import known_step, load_pipeline, notebook_path, read_grid, read_parameters
    from jupyter_pipelines.cli.running import execute

    if arguments.schedule is not None:
        return _as_scheduled(arguments)
    if arguments.notebook is None:
        raise RequestError("It is not said what is to run.", "Name a notebook, or give --schedule ID.")
    if arguments.version is None:
        notebook, version = notebook_path(arguments.notebook), None
        pipeline = load_pipeline(arguments.notebook)
    else:
        from jupyter_pipelines.orchestration.versions import get_version, load_version

        chosen = get_version(arguments.notebook, arguments.version)
        notebook, version, pipeline = Path(os.path.expanduser(arguments.notebook)), chosen.id, load_version(chosen)
    if pipeline.errors:
        raise NotebookError(arguments.notebook, pipeline.errors)
    for step in (arguments.only, arguments.from_step, arguments.until):
        if step:
            known_step(pipeline, step)
    parameters = read_parameters(pipeline.document, arguments.parameters, arguments.parameters_file)
    parameters = _of_window(arguments, pipeline.document) | parameters
    grid = read_grid(pipeline.document, arguments.grid)
    if grid:
        _check_grid(arguments, set(grid) & set(parameters))
    from jupyter_pipelines.orchestration import run as run_once
    from jupyter_pipelines.orchestration import run_grid

    options = {name: getattr(arguments, name) for name in ("reuse", "max_parallel", "timeout")} | {"version": version}
    part = {"only": arguments.only, "from_step": arguments.from_step, "until": arguments.until}
    if arguments.detach:
        return _detach(arguments, notebook, parameters, part | options)
    output = Path(os.path.expanduser(arguments.output)) if arguments.output else None

    def start(on_event: OnRunEvent) -> list[RunRecord]:
        if grid:
            return run_grid(notebook, grid, parameters, on_event=on_event, **options)
        return [run_once(notebook, parameters, output=output, on_event=on_event, **part, **options)]

    return execute(start, pipeline, parameters, grid=grid, as_json=arguments.format == "json", output=output)


def _of_window(arguments: argparse.Namespace, document: NotebookDocument) -> dict[str, object]:
    """What ``--window`` gives the run; where the notebook cannot do without, and nothing else says it, that is said."""
    if arguments.window is not None:
        from jupyter_pipelines.orchestration.backfills.planning import window_values
        from jupyter_pipelines.orchestration.scheduling.making import machine_zone

        return window_values(document, arguments.window, machine_zone())
    given = {text.partition("=")[0].strip() for text in [*arguments.parameters, *arguments.grid]}
    needed = {parameter.name for parameter in document.parameters if parameter.required} - given
    missing = sorted(needed & {"interval_start", "interval_end"}, reverse=True)
    if missing and not arguments.parameters_file:
        raise RequestError(
            f"{document.name} works on a data window: {' and '.join(missing)} have no default and were not given.",
            "Give the period, such as --window 2024-01-05 or --window 2024-01, or each of them with -p.",
        )
    return {}


_SCHEDULED = ("schedule", "detach", "format")


def _as_scheduled(arguments: argparse.Namespace) -> int:
    """Run now what a schedule runs: all about it is what the schedule says."""
    if any(value not in (None, False, []) for name, value in vars(arguments).items() if name not in _SCHEDULED):
        raise RequestError(
            "--schedule goes with no notebook, parameters or other options: the schedule has its own.",
            "Leave the others out, or name the notebook instead of --schedule.",
        )
    from jupyter_pipelines.orchestration.scheduling import submit_scheduled

    return _handed_over(submit_scheduled(arguments.schedule), arguments)


def _detach(
    arguments: argparse.Namespace, notebook: Path, parameters: Mapping[str, object], options: Mapping[str, Any]
) -> int:
    if arguments.grid or arguments.output:
        raise RequestError("--detach goes with neither --grid nor --output.", "Each run keeps its executed notebook.")
    from jupyter_pipelines.orchestration import submit

    return _handed_over(submit(notebook, parameters, **options), arguments)


def _handed_over(run_id: str, arguments: argparse.Namespace) -> int:
    if arguments.format == "json":
        from jupyter_pipelines.cli.output import print_json

        print_json({"id": run_id})
    else:
        print(run_id)
        print(f"follow it with: jupyter pipelines inspect {run_id[:8]}", file=sys.stderr)
    return 0


def _check_grid(arguments: argparse.Namespace, twice: set[str]) -> None:
    if twice:
        names = ", ".join(sorted(twice))
        raise RequestError(f"{names}: given by -p or -f and by --grid as well.", "Give it in one place.")
    if arguments.output:
        raise RequestError("--output is for one run, a grid makes many.", "Leave it out: each run keeps its notebook.")
    if arguments.only or arguments.from_step or arguments.until:
        raise RequestError("A grid runs whole pipelines.", "Leave out --only, --from and --until.")
