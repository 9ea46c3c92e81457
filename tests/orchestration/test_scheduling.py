"""Schedules at work: each occurrence runs once, whatever is killed; paused ones rest; the missed is made up for."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.scheduling import describe, get_schedule
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service import Endpoint, service_status
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]


def wait_for(condition: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def ended() -> list[RunRecord]:
    """The runs that have ended, by their scheduled times."""
    found = [run for run in jp.list_runs() if run.state not in {"pending", "running"}]
    return sorted(found, key=lambda run: run.scheduled_time)


def kill_worker() -> None:
    status = service_status(Settings.load())
    assert status is not None
    os.kill(status.parts["worker"].pid, signal.SIGKILL)


def test_each_occurrence_runs_once_though_the_worker_is_killed(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("parameters", "second: int = 0"), ("step:note", "open('noted', 'a').write(f'{second}\\n')"))
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    every = Schedule(interval=timedelta(seconds=2), anchor=start, start=start, count=4)
    made = jp.schedule(notebook, every, {"second": "{{ scheduled_time.second }}"})
    expected = [start + timedelta(seconds=2 * number) for number in range(4)]
    for number in (1, 2):
        wait_for(lambda number=number: len(jp.list_runs()) >= number)  # type: ignore[misc]  # its default is its type
        kill_worker()
    wait_for(lambda: len(ended()) >= 4)
    assert [run.state for run in ended()] == ["completed"] * 4
    assert [datetime.fromtimestamp(run.scheduled_time, UTC) for run in ended()] == expected
    assert {run.schedule for run in ended()} == {made.id}
    noted = (notebook.parent / "noted").read_text().split()
    assert noted == [str(moment.second) for moment in expected]  # in order: they wait for each other
    assert get_schedule(made.id).next_time() is None
    jp.unschedule(made.id)


def test_of_missed_occurrences_the_latest_runs_once(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "1"))
    now = datetime.now(UTC).replace(microsecond=0)
    made = jp.schedule(notebook, Schedule(interval=timedelta(days=1), anchor=now - timedelta(days=9, minutes=2)))
    assert not jp.list_runs()
    # As if nobody had been there for three days.
    Shelf(Settings.load().home).save(replace(made, active_since=now - timedelta(days=3)))
    wait_for(ended)
    (skipped,) = Shelf(Settings.load().home).progress(get_schedule(made.id)).skipped
    assert (skipped["count"], "missed" in str(skipped["reason"])) == (2, True)
    kill_worker()
    (run,) = ended()
    assert run.scheduled_time == (now - timedelta(minutes=2)).timestamp()
    jp.unschedule(made.id)


def test_a_paused_schedule_rests_and_makes_up_for_nothing(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "1"))
    made = jp.schedule(notebook, Schedule(interval=timedelta(seconds=1), missed="all"), name="rests")
    jp.pause("rests")
    wait_for(lambda: len(ended()) == len(jp.list_runs()))
    before = len(ended())
    other = write(("step:two", "2"), name="other.ipynb")
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
    once = jp.schedule(other, Schedule(interval=timedelta(days=1), anchor=start, start=start, count=1))
    wait_for(lambda: len(ended()) == before + 1)  # the clock has gone on, and only the other schedule has run
    paused = datetime.now(UTC)
    jp.unpause(made.id)
    wait_for(lambda: len(ended()) > before + 1)
    jp.unschedule(made.id)
    jp.unschedule(once.id)
    later = [run.scheduled_time for run in ended() if run.schedule == made.id][before:]
    assert later and min(later) > paused.timestamp() - 1
    assert not jp.schedules()


def test_a_run_that_cannot_begin_is_on_record(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "1"))
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    made = jp.schedule(notebook, Schedule(interval=timedelta(days=1), anchor=start, start=start, count=1))
    notebook.unlink()
    wait_for(ended)
    (run,) = ended()
    assert (run.state, run.schedule) == ("failed", made.id)
    assert "nb.ipynb" in run.error
    jp.unschedule(made.id)


def test_a_version_that_the_store_has_lost_is_on_record(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "1"))
    version = jp.publish(notebook)
    made = jp.schedule(notebook, Schedule(interval=timedelta(days=1), anchor=datetime.now(UTC) + timedelta(seconds=3)))
    Store(str(store)).object_path(version.content.notebook).unlink()
    wait_for(ended)
    (run,) = ended()
    assert (run.state, run.schedule, "is not in the store" in run.error) == ("failed", made.id, True)
    assert "Publish the notebook again" in run.error
    jp.unschedule(made.id)


def test_what_could_not_run_is_refused_before_it_is_kept(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", "day: str = ''\ncount: int = 1"), ("step:one", "day, count"))
    with pytest.raises(RequestError, match="count"):
        jp.schedule(notebook, "daily at 06:00", {"day": "{{ interval_start.date() }}", "count": "many"}, window="day")
    with pytest.raises(RequestError, match="not understood"):
        jp.schedule(notebook, "every blue moon", {"day": "x"})
    with pytest.raises(RequestError, match="never runs"):
        jp.schedule(notebook, Schedule(cron="0 6 * * *", end=datetime(2020, 1, 1)), {"day": "x"})
    assert not jp.schedules()


def test_a_notebook_that_became_a_pipe_stops_nobody(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("step:one", "1"))
    made = jp.schedule(notebook, Schedule(interval=timedelta(days=1), anchor=datetime.now(UTC) + timedelta(seconds=4)))
    notebook.unlink()
    os.mkfifo(notebook)
    wait_for(ended)
    (run,) = ended()
    assert (run.state, "no ordinary file" in run.error) == ("failed", True)
    jp.unschedule(made.id)
    with pytest.raises(RequestError, match="no ordinary file"):
        jp.schedule(notebook, "daily 07:00")


def test_a_record_that_makes_no_sense_hides_no_other(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    made = jp.schedule(write(("step:one", "1")), "every year")
    path = Settings.load().home / "schedules" / f"{made.id}.json"
    path.with_name("0bad.json").write_text(path.read_text().replace("+00:00", ""))
    try:
        assert [record.id for record in jp.schedules()] == [made.id]
    finally:
        path.with_name("0bad.json").unlink()
        jp.unschedule(made.id)


def test_a_date_is_given_as_the_text_that_is_declared(store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", "day: str = '2020-01-01'\nwhen: str = ''"), ("step:one", "1"))
    given = {"day": "{{ interval_start.date() }}", "when": "{{ interval_end }}"}
    jp.schedule(notebook, "daily 07:00", given, window="day", dry_run=True)


def test_what_waits_when_a_schedule_is_paused_is_dropped_and_said(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("step:wait", "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"))
    made = jp.schedule(notebook, Schedule(interval=timedelta(seconds=1)))
    shelf = Shelf(Settings.load().home)
    wait_for(lambda: shelf.progress(made).waiting)
    paused = jp.pause(made.id)
    progress = shelf.progress(paused)
    assert not progress.waiting
    assert any("paused while it waited" in str(skip["reason"]) for skip in progress.skipped)
    (notebook.parent / "go").touch()
    wait_for(lambda: len(ended()) == len(jp.list_runs()))
    assert len(ended()) == 1
    jp.unschedule(made.id)


def test_the_previous_run_is_cancelled_and_the_next_begins_when_it_has_ended(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    slow = write(("step:wait", "import time\ntime.sleep(300)"), name="slow.ipynb")
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    every = Schedule(interval=timedelta(seconds=4), anchor=start, start=start, count=2, overlap="cancel-previous")
    made = jp.schedule(slow, every)
    wait_for(lambda: any(run.state == "cancelled" for run in ended()))
    wait_for(lambda: sum(run.state == "running" for run in jp.list_runs()) == 1)
    jp.unschedule(made.id)
    (first, second) = sorted(jp.list_runs(), key=lambda run: run.scheduled_time)
    assert (first.state, second.state) == ("cancelled", "running")
    assert second.started >= first.ended
    jp.cancel(second.id)


def test_a_dry_run_finds_what_the_first_run_would(store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", "count: int = 1"), ("step:one", "count"))
    with pytest.raises(RequestError, match="count"):
        jp.schedule(notebook, "daily", {"count": "many"}, dry_run=True)
    with pytest.raises(RequestError, match="no notebook"):
        jp.schedule(notebook.parent / "none.ipynb", "daily", dry_run=True)
    assert jp.schedule(notebook, "daily", {"count": 2}, dry_run=True).schedule.parameters == {"count": 2}
    assert not jp.schedules(notebook)


@pytest.mark.parametrize("content", ["{", "[]", '{"since": 3}'])
def test_a_schedule_whose_progress_cannot_be_read_is_left_alone_until_it_is_removed(
    service: Endpoint, store: Path, write: WriteNotebook, content: str
) -> None:
    notebook = write(("step:one", "1"))
    made = jp.schedule(notebook, Schedule(interval=timedelta(days=1)))
    shelf = Shelf(Settings.load().home)
    kept = Settings.load().home / "schedules" / "progress" / f"{made.id}.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(content)
    # As if it had been made two days ago.
    past = made.active_since - timedelta(days=2)
    shelf.save(replace(made, active_since=past, schedule=replace(made.schedule, anchor=past)))
    other = jp.schedule(write(("step:one", "1"), name="other.ipynb"), Schedule(interval=timedelta(seconds=1)))
    wait_for(lambda: len([run for run in jp.list_runs() if run.schedule == other.id]) >= 2)  # the others go on
    assert not [run for run in jp.list_runs() if run.schedule == made.id]
    assert kept.read_text() == content
    problem = str(describe(get_schedule(made.id))["problem"])
    assert str(kept) in problem and "Remove the file" in problem
    jp.unschedule(other.id)
    kept.unlink()
    wait_for(lambda: [run for run in jp.list_runs() if run.schedule == made.id])
    assert not describe(get_schedule(made.id))["problem"]
    jp.unschedule(made.id)
