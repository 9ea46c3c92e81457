"""Following a run from the command line: progress while it goes on, the report at its end, the exit code."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from jupyter_pipelines.cli.application import FAILED, INTERRUPTED
from jupyter_pipelines.cli.output import print_json
from jupyter_pipelines.cli.progress import progress_on
from jupyter_pipelines.cli.report import print_grid, print_run

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.orchestration.model import OnRunEvent, RunRecord


def execute(
    start: Callable[[OnRunEvent], Sequence[RunRecord]],
    pipeline: Pipeline,
    parameters: Mapping[str, object],
    *,
    grid: Mapping[str, Sequence[object]] | None = None,
    as_json: bool,
    output: Path | None = None,
) -> int:
    """Call ``start`` with a listener that shows progress on standard error; report on standard output.

    ``output`` is where a copy of the executed notebook was asked for. Returns the exit code: 0, 1 when a run did not
    complete, 130 when it was cancelled from here.
    """
    progress = progress_on(sys.stderr, pipeline, parameters, grid=grid or {})
    records: Sequence[RunRecord] = ()
    with noting_ctrl_c() as pressed:
        # Where nothing else takes it, Ctrl-C ends up here; a run takes it itself and ends as cancelled.
        with suppress(KeyboardInterrupt), progress:
            records = start(progress)
        interrupted = bool(pressed)
    if interrupted and not records:
        print(f"\ncancelled{_continue(progress.run_ids)}", file=sys.stderr)
        return INTERRUPTED
    if as_json:
        print_json({"runs": [asdict(record) for record in records]} if grid else asdict(records[0]))
    elif grid:
        print_grid(records, list(grid))
    else:
        print_run(records[0], output)
    if interrupted:
        return INTERRUPTED
    return 0 if all(record.state == "completed" for record in records) else FAILED


@contextmanager
def noting_ctrl_c() -> Iterator[list[int]]:
    """The list given gets an entry each time Ctrl-C is pressed inside; what it does is as ever."""
    pressed: list[int] = []
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield pressed
        return

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        before(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _continue(run_ids: Sequence[str]) -> str:
    return "".join(f"\n  continue with: jupyter pipelines resume {run_id[:8]}" for run_id in run_ids)
