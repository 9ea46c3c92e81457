"""Backfills: the windows of a range, in order, each once, whatever is killed; paused, resumed, cancelled."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.backfills import Backfill
from jupyter_pipelines.orchestration.backfills.model import PlannedWindow, Tried
from jupyter_pipelines.orchestration.backfills.shelf import BackfillShelf
from jupyter_pipelines.orchestration.schedules import Schedule
from jupyter_pipelines.orchestration.scheduling import ScheduleRecord
from jupyter_pipelines.orchestration.service import Endpoint, service_status
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]

DAYS = "from datetime import date\n\ninterval_start: date = date(2020, 1, 1)"
NOTE = "with open('noted', 'a') as noted:\n    noted.write(f'{interval_start}\\n')"


@pytest.fixture(autouse=True)
def _nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """A store of the test's own, also where no service is needed."""
    if "store" not in request.fixturenames:
        monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))


def wait_for(condition: Callable[[], object], seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def until(made: Backfill, *states: str) -> Backfill:
    """The backfill when it has come to one of ``states``, and nothing of it is running."""

    def settled() -> bool:
        found = jp.get_backfill(made.id)
        return found.state in states and "running" not in found.counts

    wait_for(settled)
    return jp.get_backfill(made.id)


def states(found: Backfill) -> list[str]:
    return [window.state for window in found.windows]


def noted(notebook: Path) -> list[str]:
    path = notebook.parent / "noted"
    return path.read_text().split() if path.exists() else []


def kill_worker() -> None:
    status = service_status(Settings.load())
    assert status is not None
    os.kill(status.parts["worker"].pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("unit", "first", "last", "zone", "keys", "hours"),
    [
        ("day", "2024-03-30", "2024-04-01", "Europe/Paris", ["2024-03-30", "2024-03-31", "2024-04-01"], [24, 23, 24]),
        ("day", "2024-04-06", "2024-04-07", "Australia/Lord_Howe", ["2024-04-06", "2024-04-07"], [24, 24.5]),
        ("month", "2024-01-15", "2024-03", "UTC", ["2024-01", "2024-02", "2024-03"], [744, 696, 744]),
        ("week", "2024-W52", "2025-W01", "America/New_York", ["2024-W52", "2025-W01"], [168, 168]),
        ("quarter", date(2024, 1, 1), date(2024, 6, 30), "Asia/Kathmandu", ["2024-Q1", "2024-Q2"], [2184, 2184]),
        ("year", "2023", "2024", "UTC", ["2023", "2024"], [8760, 8784]),
    ],
)
def test_windows_are_those_of_the_calendar(
    write: WriteNotebook, unit: str, first: date | str, last: date | str, zone: str, keys: list[str], hours: list[float]
) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    found = jp.backfill(notebook, first, last, window=unit, timezone=zone, dry_run=True)  # type: ignore[arg-type]  # of a table
    assert (found.id, [window.key for window in found.windows]) == ("", keys)
    lengths = [
        (window.end.astimezone(UTC) - window.start.astimezone(UTC)) / timedelta(hours=1) for window in found.windows
    ]
    assert lengths == hours
    assert [window.start.strftime("%Y-%m-%d") for window in found.windows] == [
        window.parameters["interval_start"] for window in found.windows
    ]
    assert {window.state for window in found.windows} == {"waiting"}
    assert not jp.backfills(notebook)


def test_a_day_of_25_hours_has_25_windows(write: WriteNotebook) -> None:
    source = "from datetime import datetime\n\ninterval_start: datetime\ninterval_end: datetime\nday: str = ''"
    notebook = write(("parameters", source), ("step:note", NOTE))
    expression = {"day": "{{ interval_start.strftime('%j') }}"}
    found = jp.backfill(
        notebook,
        "2024-11-03",
        "2024-11-03",
        window="hour",
        timezone="America/New_York",
        parameters=expression,
        dry_run=True,
    )
    assert len(found.windows) == 25
    assert found.windows[1].end == found.windows[2].start
    first, second = (found.windows[number].parameters["interval_start"] for number in (1, 2))
    assert (first, second) == (
        "2024-11-03T01:00:00-04:00[America/New_York]",
        "2024-11-03T01:00:00-05:00[America/New_York]",
    )
    assert found.windows[1].parameters["day"] == "308"
    assert len({str(window.parameters) for window in found.windows}) == 25


def test_what_a_notebook_declares_is_what_it_is_given(write: WriteNotebook) -> None:
    source = "from datetime import datetime\n\ninterval_start = '2020-01-01'\ninterval_end: datetime | None = None"
    notebook = write(("parameters", source), ("step:note", NOTE))
    found = jp.backfill(notebook, "2024-07-01", "2024-07-01", timezone="Europe/Paris", dry_run=True)
    assert found.windows[0].parameters == {
        "interval_start": "2024-07-01",
        "interval_end": "2024-07-02T00:00:00+02:00[Europe/Paris]",
    }


def test_what_cannot_be_is_refused_with_a_reason(write: WriteNotebook) -> None:
    notebook = write(("parameters", f"{DAYS}\ncount: int = 1"), ("step:note", NOTE))
    plain = write(("step:note", "1"), name="plain.ipynb")

    def refused(message: str, *arguments: object, **options: object) -> None:
        with pytest.raises(RequestError, match=message):
            jp.backfill(*arguments, dry_run=True, **options)  # type: ignore[arg-type]  # wrong ones

    refused("ends before it begins", notebook, "2024-02-01", "2024-01-01")
    refused("at most 10,000", notebook, "1910", "2150", window="hour")
    refused("at most 10,000", notebook, "1991", "2024", timezone="UTC")
    refused("no day, week", notebook, "yesterday", "2024-01-01")
    refused("no day, week", notebook, "2024-02-30", "2024-03-01")
    refused("is over yet", notebook, "2150-01-01", "2150-01-02")
    refused("no choice for `window`", notebook, "2024-01-01", "2024-01-02", window="decade")
    refused("no time zone", notebook, "2024-01-01", "2024-01-02", timezone="Mars/Olympus")
    refused("windows at once", notebook, "2024-01-01", "2024-01-02", parallel=0)
    refused("There is no schedule", notebook, "2024-01-01", "2024-01-02", schedule="nightly")
    refused("'count'.*__class__", notebook, "2024-01-01", "2024-01-02", parameters={"count": "{{ date.__class__ }}"})
    refused("no parameter `size`", notebook, "2024-01-01", "2024-01-02", parameters={"size": 1})
    refused("must be an integer|must be", notebook, "2024-01-01", "2024-01-02", parameters={"count": "many"})
    refused("same parameters", plain, "2024-01-01", "2024-01-02")
    refused("There is no notebook", notebook.parent / "none.ipynb", "2024-01-01", "2024-01-02")


def test_windows_run_in_order_and_those_done_are_not_run_again(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    made = jp.backfill(notebook, "2024-01-01", "2024-01-03")
    assert states(until(made, "completed")) == ["completed"] * 3
    assert noted(notebook) == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert {run.backfill for run in jp.list_runs()} == {made.id}
    same = jp.backfill(notebook, "2024-01-01", "2024-01-03")
    assert (same.id, states(same)) == ("", ["done"] * 3)
    assert "already" in same.notes[-1]
    assert [window.run for window in same.windows] == [window.run for window in jp.get_backfill(made.id).windows]
    wider = jp.backfill(notebook, "2023-12-31", "2024-01-01")
    assert states(until(wider, "completed")) == ["completed", "done"]
    again = jp.backfill(notebook, "2024-01-01", "2024-01-02", again=True, order="newest-first")
    until(again, "completed")
    assert noted(notebook)[3:] == ["2023-12-31", "2024-01-02", "2024-01-01"]


def test_a_failed_window_stops_those_after_it_until_somebody_decides(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    check = "import os\nassert interval_start.day != 2 or os.path.exists('mended')"
    notebook = write(("parameters", DAYS), ("step:note", NOTE), ("step:check", f"{check}\nprint(interval_start)"))
    stopped = until(jp.backfill(notebook, "2024-01-01", "2024-01-03"), "stopped")
    assert states(stopped) == ["completed", "failed", "waiting"]
    assert "AssertionError" in stopped.windows[1].error
    with pytest.raises(RequestError, match="2024-01-03 still to do"):
        jp.backfill(notebook, "2024-01-02", "2024-01-03")
    jp.resume_backfill(stopped.id)
    assert states(until(stopped, "stopped")) == ["completed", "failed", "waiting"]
    (notebook.parent / "mended").touch()
    jp.resume_backfill(stopped.id)
    whole = until(stopped, "completed")
    assert states(whole) == ["completed"] * 3
    assert jp.get_run(whole.windows[1].run).step("note").state == "reused"  # what had succeeded is taken over
    assert noted(notebook) == ["2024-01-01", "2024-01-02", "2024-01-03"]
    with pytest.raises(RequestError, match="is complete"):
        jp.resume_backfill(stopped.id)
    with pytest.raises(RequestError, match="has ended: completed"):
        jp.pause_backfill(stopped.id)


def test_what_another_run_has_completed_meanwhile_is_not_run_again(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    check = "import os\nassert interval_start.day != 1 or os.path.exists('mended')"
    notebook = write(("parameters", DAYS), ("step:note", f"{check}\n{NOTE}"))
    stopped = until(jp.backfill(notebook, "2024-01-01", "2024-01-03"), "stopped")
    (notebook.parent / "mended").touch()
    one, two = (jp.run(notebook, {"interval_start": f"2024-01-0{day}"}) for day in (1, 3))
    assert (one.state, two.state) == ("completed", "completed")
    jp.resume_backfill(stopped.id)
    whole = until(stopped, "completed")
    assert (whole.windows[0].run, whole.windows[2].run) == (one.id, two.id)
    assert states(whole) == ["completed"] * 3
    assert noted(notebook) == ["2024-01-01", "2024-01-03", "2024-01-02"]


def test_a_failed_window_can_be_given_up_or_left_behind(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", DAYS), ("step:check", "assert interval_start.day != 1\nprint(interval_start)"))
    stopped = until(jp.backfill(notebook, "2024-01-01", "2024-01-02"), "stopped")
    jp.resume_backfill(stopped.id, skip_failed=True)
    assert states(until(stopped, "completed")) == ["skipped", "completed"]
    left = until(jp.backfill(notebook, "2024-02-01", "2024-02-02", keep_going=True), "failed")
    assert states(left) == ["failed", "completed"]
    assert states(jp.backfill(notebook, "2024-01-01", "2024-01-02", dry_run=True)) == ["waiting", "done"]


def test_as_many_as_wanted_run_at_once_and_cancelling_ends_them(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    began = "import os, time\nopen(f'began-{interval_start.day}', 'w').close()"
    wait = f"{began}\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"
    notebook = write(("parameters", DAYS), ("step:wait", wait))
    folder = notebook.parent
    made = jp.backfill(notebook, "2024-01-01", "2024-01-03", parallel=2)
    wait_for(lambda: (folder / "began-1").exists() and (folder / "began-2").exists())
    jp.pause_backfill(made.id)
    assert jp.get_backfill(made.id).state == "paused"
    runs = [window.run for window in jp.get_backfill(made.id).windows[:2]]
    jp.resume_backfill(made.id)
    jp.cancel_backfill(made.id)
    ended = until(made, "cancelled")
    assert states(ended) == ["cancelled"] * 3
    assert [jp.get_run(run).state for run in runs] == ["cancelled"] * 2
    assert not (folder / "began-3").exists()
    with pytest.raises(RequestError, match="was cancelled"):
        jp.resume_backfill(made.id)


def test_no_window_is_lost_and_none_runs_twice_though_the_worker_is_killed(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    made = jp.backfill(notebook, "2024-01-01", "2024-01-05")
    for number in (1, 3):
        wait_for(lambda number=number: len(noted(notebook)) >= number)  # type: ignore[misc]  # its default is its type
        kill_worker()
    assert states(until(made, "completed")) == ["completed"] * 5
    assert noted(notebook) == [f"2024-01-0{day}" for day in range(1, 6)]
    assert len(jp.list_runs()) == 5


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("cancelled", [False, True])
def test_who_dies_while_asking_for_a_run_asks_for_the_same_again(
    service: Endpoint, store: Path, write: WriteNotebook, asked: bool, cancelled: bool
) -> None:
    from jupyter_pipelines.orchestration.model import RunRequest
    from jupyter_pipelines.orchestration.submission import submit_request

    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    shelf = BackfillShelf(Settings.load().home)
    until(jp.backfill(notebook, "2024-01-01", "2024-01-01"), "completed")
    model = next(one for one in shelf.records() if one.notebook == str(notebook))
    values = {"interval_start": "2024-01-02"}
    window = PlannedWindow("2024-01-02", "2024-01-02T00:00:00+00:00", "2024-01-03T00:00:00+00:00", values)
    record = replace(model, id=f"died{asked:d}{cancelled:d}", windows=(window,), cancelled=cancelled)
    if asked:
        request = RunRequest(notebook, values, backfill=record.id)
        submit_request(request, Settings.load(), service, f"backfill-{record.id}-2024-01-02-1")
    # As it was left by a worker that had put down what it was about to do.
    shelf.save_progress(record.id, {"2024-01-02": Tried("running", 1)})
    shelf.save(record)
    tell_worker(Settings.load().home, LOOK)
    if cancelled and not asked:
        wait_for(lambda: shelf.progress(record.id) == {})
    else:
        wait_for(lambda: shelf.progress(record.id)["2024-01-02"].state in {"completed", "cancelled"})
    runs = [run for run in jp.list_runs() if run.backfill == record.id]
    assert len(runs) == (0 if cancelled and not asked else 1)
    assert noted(notebook).count("2024-01-02") == (0 if not runs or runs[0].state == "cancelled" else 1)


def test_a_schedules_windows_zone_and_parameters_are_taken(write: WriteNotebook) -> None:
    notebook = write(("parameters", "day: str = ''\nscheduled_time: str = ''\nsize: int = 1"), ("step:one", "day"))
    parameters = {"day": "{{ interval_start.date() }}", "size": 2}
    timing = Schedule(
        cron="0 6 * * *",
        zone="Europe/Paris",
        window="day",
        parameters={**parameters, "day": "{{ str(interval_start.date()) }}"},
    )
    now = datetime.now(UTC)
    settings = Settings.load()
    record = ScheduleRecord("s", str(notebook), timing, now, settings.store)
    found = jp.backfill(record, "2024-03-30", "2024-03-31", dry_run=True)
    assert [window.parameters for window in found.windows] == [
        {"day": "2024-03-30", "scheduled_time": "2024-03-31T06:00:00+02:00", "size": 2},
        {"day": "2024-03-31", "scheduled_time": "2024-04-01T06:00:00+02:00", "size": 2},
    ]
    assert (found.schedule, found.timezone) == ("s", "Europe/Paris")
    with pytest.raises(RequestError, match="The schedule says"):
        jp.backfill(record, "2024-03-30", "2024-03-31", window="week", dry_run=True)
    with pytest.raises(RequestError, match="no data window"):
        jp.backfill(replace(record, schedule=Schedule(cron="0 6 * * *")), "2024-03-30", "2024-03-31", dry_run=True)


def test_what_was_published_or_saved_when_it_was_asked_for_is_what_runs(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    published = jp.publish(notebook)
    write(("parameters", DAYS), ("step:note", "raise RuntimeError(interval_start)"))
    made = jp.backfill(notebook, "2024-01-01", "2024-01-01")
    assert made.version == published.id
    jp.publish(notebook)
    assert states(until(made, "completed")) == ["completed"]


def test_an_edit_changes_nothing_of_what_was_asked_for_neither_in_files_nor_in_modules(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    source = (
        "from helper import mark\n\nwith open('noted', 'a') as noted:\n    noted.write(mark + open('word.txt').read())"
    )
    notebook = write(("parameters", DAYS), ("step:note", source))
    helper, word = notebook.with_name("helper.py"), notebook.with_name("word.txt")
    document = json.loads(notebook.read_text())
    document["metadata"]["pipeline"] = {"files": ["word.txt"]}
    notebook.write_text(json.dumps(document))
    with pytest.raises(RequestError, match=r"word\.txt"):
        jp.backfill(notebook, "2024-01-01", "2024-01-02", dry_run=True)
    helper.write_text("mark = 'old '")
    word.write_text("word\n")
    made = jp.backfill(notebook, "2024-01-01", "2024-01-02")
    helper.write_text("mark = 'new '")
    word.unlink()
    notebook.write_text("{}")
    found = until(made, "completed", "stopped")
    assert states(found) == ["completed"] * 2
    assert notebook.with_name("noted").read_text() == "old word\n" * 2
    run = jp.get_run(found.windows[0].run)
    assert (found.version, run.published, bool(run.frozen)) == ("", "", True)


def test_a_notebook_that_cannot_run_any_more_is_on_record(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))
    shelf = BackfillShelf(Settings.load().home)
    until(jp.backfill(notebook, "2024-01-01", "2024-01-01"), "completed")
    model = next(one for one in shelf.records() if one.notebook == str(notebook))
    window = PlannedWindow("2024-01-02", "2024-01-02T00:00:00+00:00", "2024-01-03T00:00:00+00:00", {"gone": 1})
    record = replace(model, id="unfit", windows=(window,))
    shelf.save(record)
    tell_worker(Settings.load().home, LOOK)
    wait_for(lambda: "2024-01-02" in shelf.progress("unfit"))
    wait_for(lambda: shelf.progress("unfit")["2024-01-02"].state == "failed")
    found = jp.get_backfill("unfit")
    assert "gone" in found.windows[0].error
    run = jp.get_run(found.windows[0].run)
    assert (run.state, run.backfill) == ("failed", "unfit")
    # Neither does what the store has lost come back: that is told, and not tried for ever.
    shelf.save(replace(record, id="lost", frozen="0" * 32, windows=(replace(window, parameters={}),)))
    tell_worker(Settings.load().home, LOOK)
    wait_for(lambda: jp.get_backfill("lost").state == "failed")
    assert "is not in the store" in jp.get_backfill("lost").windows[0].error


def test_asked_for_twice_at_once_it_is_done_once(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", DAYS), ("step:note", NOTE))

    def ask(_: int) -> str:
        try:
            return jp.backfill(notebook, "2024-01-01", "2024-01-01").id
        except RequestError:  # another one has it still to do
            return ""

    with ThreadPoolExecutor(4) as threads:
        (one,) = filter(None, threads.map(ask, range(4)))
    wait_for(lambda: jp.get_backfill(one).state == "completed")
    assert noted(notebook) == ["2024-01-01"]


@pytest.mark.parametrize("content", ["{", "[]", '{"2024-01-01": {"state": "well", "attempt": 1}}'])
def test_a_backfill_whose_progress_cannot_be_read_is_left_alone_until_it_is_removed(
    service: Endpoint, store: Path, write: WriteNotebook, content: str
) -> None:
    notebook = write(("parameters", DAYS), ("step:check", f"{NOTE}\nassert interval_start.day != 1"))
    made = until(jp.backfill(notebook, "2024-01-01", "2024-01-02"), "stopped")
    kept = Settings.load().home / "backfills" / "progress" / f"{made.id}.json"
    kept.write_text(content)
    with pytest.raises(StoreError, match="Remove the file"):
        jp.resume_backfill(made.id)
    shelf = BackfillShelf(Settings.load().home)
    (record,) = [one for one in shelf.records() if one.id == made.id]
    shelf.save(replace(record, attempt=2))  # as who asked for another attempt before it was damaged
    tell_worker(Settings.load().home, LOOK)
    other = write(("parameters", DAYS), ("step:note", "print(interval_start)"), name="other.ipynb")
    until(jp.backfill(other, "2024-01-01", "2024-01-01"), "completed")  # the others go on
    (found,) = jp.backfills(notebook)
    assert (found.state, noted(notebook)) == ("stopped", ["2024-01-01"])
    assert str(kept) in found.problem
    assert kept.read_text() == content
    kept.unlink()
    wait_for(lambda: kept.exists() and noted(notebook) == ["2024-01-01"] * 2)
    assert not jp.get_backfill(made.id).problem
