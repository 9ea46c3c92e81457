"""Runs that are tried again as a whole: as attempts of their own, in the order of things, once each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.model import RunOptions, RunRecord, StepRecord
from jupyter_pipelines.orchestration.retrying import LONGEST_DELAY, Asker, Progress, delay_after
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]


def options(notebook: Path, **values: object) -> Path:
    """Give a notebook options of its own."""
    content = json.loads(notebook.read_text())
    content["metadata"]["pipeline"] = values
    notebook.write_text(json.dumps(content))
    return notebook


def failed(store: Store, notebook: Path, **changes: object) -> RunRecord:
    record = RunRecord.pending(
        "run", "nb", str(notebook), store.put_notebook(notebook.read_bytes()), {}, RunOptions(schedule="s"), ["one"]
    )
    return replace(record, state="failed", **changes)  # type: ignore[arg-type]  # the tests say what is right


def test_attempts_come_ever_later_and_end(tmp_path: Path, write: WriteNotebook) -> None:
    store = Store(str(tmp_path / "store"))
    notebook = options(write(("step:one", "1")), run_retries=9, run_retry_delay="10s", run_retry_jitter=0.5)
    asker = Asker(str(store.root))
    for attempt, at_least in ((1, 10), (2, 20), (3, 40), (9, 2560)):
        delays = [delay_after(failed(store, notebook, attempt=attempt), asker, store) for _ in range(50)]
        assert all(delay is not None and at_least <= delay <= at_least * 1.5 for delay in delays)
        assert len(set(delays)) > 1
    assert delay_after(failed(store, notebook, attempt=10), asker, store) is None
    late = delay_after(failed(store, notebook, attempt=50), replace(asker, retries=99), store)
    assert late is not None and LONGEST_DELAY <= late <= LONGEST_DELAY * 1.5
    assert delay_after(failed(store, notebook), replace(asker, retries=0), store) is None, "the schedule says it better"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "completed"},
        {"state": "cancelled"},
        {"backfill": "b"},
        {"version": ""},
        {"steps": (StepRecord("one", "refused"),)},
    ],
)
def test_some_runs_are_not_tried_again(tmp_path: Path, write: WriteNotebook, changes: dict[str, object]) -> None:
    store = Store(str(tmp_path / "store"))
    notebook = options(write(("step:one", "1")), run_retries=3)
    assert delay_after(failed(store, notebook), Asker(""), store) is not None
    assert delay_after(replace(failed(store, notebook), **changes), Asker(""), store) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("found", [None, [], {"marks": 1}, {"marks": {}, "due": {"a": 1}}])
def test_progress_that_cannot_be_read_is_begun_anew(found: object) -> None:
    assert Progress.of(found) == Progress()


def test_a_schedule_says_how_often(store: Path, write: WriteNotebook) -> None:
    with pytest.raises(RequestError, match="tried again -1 times"):
        jp.schedule(write(("step:one", "1")), "every day 07:00", retries=-1)
    made = jp.schedule(write(("step:one", "1")), "every day 07:00", retries=2)
    assert made.schedule.retries == 2
    assert [one.schedule.retries for one in jp.schedules() if one.id == made.id] == [2]
    jp.unschedule(made.id)


def test_a_scheduled_run_that_fails_is_continued_by_attempts_of_its_own(store: Path, write: WriteNotebook) -> None:
    once = "open('made', 'a').write('x')\nx = 1"
    luck = "import os\nos.makedirs(f'try-{len([n for n in os.listdir() if n[:4] == \"try-\"])}')\n"
    notebook = write(("step:one", once), ("step:two", f"{luck}assert os.path.exists('try-2'), x"))
    options(notebook, run_retry_delay=0.5, run_retry_backoff=1)
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    made = jp.schedule(
        notebook, Schedule(interval=timedelta(days=1), anchor=start, start=start, count=1, retries=5, missed="all")
    )
    deadline = time.monotonic() + 120
    while not any(run.state == "completed" for run in jp.list_runs(schedule=made.id)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    runs = sorted(jp.list_runs(schedule=made.id), key=lambda run: run.attempt)
    assert [(run.attempt, run.state) for run in runs] == [(1, "failed"), (2, "failed"), (3, "completed")]
    assert [run.resumed_from for run in runs] == ["", runs[0].id, runs[1].id]
    assert {run.scheduled_time for run in runs} == {start.timestamp()}
    assert runs[2].step("one").state == "reused"
    assert (notebook.parent / "made").read_text() == "x", "what has succeeded is not done again"
    assert Settings.load().home.joinpath("retries.json").exists()
    jp.unschedule(made.id)
