"""How pipelines stand, told from what is on disk."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.model import RunRecord, RunState, StepRecord, TableRecord
from jupyter_pipelines.orchestration.pipelines import PipelineStatus
from jupyter_pipelines.orchestration.schedules import Handled, Schedule
from jupyter_pipelines.orchestration.scheduling.model import Progress, ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.orchestration.tables import tables_written_by
from jupyter_pipelines.store import Store

NOW = datetime.now(UTC)
DAILY = Schedule(cron="0 6 * * *", zone="UTC")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(home))
    monkeypatch.delenv("JUPYTER_PIPELINES_STORE", raising=False)
    return home


@pytest.fixture
def online(home: Path) -> Iterator[None]:
    with ServiceHome(home).held():
        yield


@pytest.fixture
def notebook(write) -> Path:
    return write(("step:one", "x = 1"))


def ran(home: Path, notebook: Path, *states: RunState, step_error: str = "") -> list[str]:
    """Put runs on record, one after the other."""
    store = Store(str(home / "store"))
    ids = []
    for state in states:
        number = len(list(store.run_ids()))
        ended = 0.0 if state in {"pending", "running"} else 1_000.0 + number
        steps = (StepRecord("one", "failed", error=step_error),) if step_error else ()
        record = RunRecord(f"run-{number}", "n", str(notebook), "", state, {}, 990.0 + number, ended, steps)
        store.save_run(record.id, asdict(record) | {"process": None})
        if not ended:
            store.mark_active(record.id, True)
        ids.append(record.id)
    return ids


def scheduled(home: Path, notebook: Path, schedule: Schedule = DAILY, *, since: datetime = NOW) -> ScheduleRecord:
    name = f"s{len(Shelf(home).records())}"
    record = ScheduleRecord(name, str(notebook), schedule, since, str(home / "store"), "", str(notebook))
    Shelf(home).save(record)
    return record


def the_one() -> PipelineStatus:
    (found,) = jp.pipelines()
    return found


def test_a_notebook_with_nothing_is_a_draft(home: Path, notebook: Path) -> None:
    assert jp.pipelines() == []
    (found,) = jp.pipelines(notebook)
    assert (found.state, found.name, found.notebook, found.version) == ("draft", "nb", str(notebook), None)
    assert (found.last_runs, found.next, found.schedules, found.problem) == ((), None, 0, "")
    assert found.owner == notebook.owner()


def test_the_last_twenty_runs_newest_first(home: Path, notebook: Path) -> None:
    ids = ran(home, notebook, *["completed"] * 25)
    assert [run.id for run in the_one().last_runs] == ids[:4:-1]
    assert (the_one().last_runs[0].state, the_one().last_runs[0].started) == ("completed", 1014.0)
    assert the_one().state == "draft"


@pytest.mark.usefixtures("online")
def test_what_is_published_counts_its_versions(home: Path, notebook: Path, write) -> None:
    first = jp.publish(notebook, author="ann")
    write(("step:one", "x = 2"))
    second = jp.publish(notebook, author="bob")
    found = the_one()
    assert found.state == "active"
    assert found.version is not None
    assert (found.version.id, found.version.label, found.owner) == (second.id, "v2", "bob")
    assert (first.number, second.number) == (1, 2)
    jp.rollback(notebook, first.id)
    found = the_one()
    assert found.version is not None
    assert (found.version.id, found.version.label) == (first.id, "v1")


@pytest.mark.usefixtures("online")
def test_states_in_their_order(home: Path, notebook: Path) -> None:
    record = scheduled(home, notebook)
    assert the_one().state == "active"
    assert the_one().next == record.next_time()
    Shelf(home).save(replace(record, schedule=replace(DAILY, paused=True)))
    assert (the_one().state, the_one().next, the_one().schedules) == ("paused", None, 1)
    Shelf(home).save(record)
    ran(home, notebook, "completed", "failed", "cancelled", step_error="Traceback\n  …\nValueError: no data")
    assert (the_one().state, the_one().problem) == ("failing", "Step one failed: ValueError: no data")
    ran(home, notebook, "pending")
    assert the_one().state == "running"


@pytest.mark.usefixtures("online")
def test_a_time_that_has_passed_is_late_until_it_is_dealt_with(home: Path, notebook: Path) -> None:
    hourly = Schedule(interval=timedelta(hours=1), anchor=NOW - timedelta(days=1, minutes=30), zone="UTC")
    record = scheduled(home, notebook, hourly, since=NOW - timedelta(hours=1))
    assert the_one().state == "late"
    assert "It should have run at" in the_one().problem
    handled = Handled(record.active_since, datetime.now(UTC))
    Shelf(home).save_progress(record, Progress(record.active_since, handled))
    assert (the_one().state, the_one().problem) == ("active", "")


def test_without_the_service_nothing_is_started(home: Path, notebook: Path) -> None:
    scheduled(home, notebook)
    assert the_one().state == "offline"
    assert "service" in the_one().problem


def test_a_run_that_waits_for_the_service_is_not_running(
    home: Path, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    ran(home, notebook, "completed", "pending")
    assert (the_one().state, the_one().problem) == ("offline", "The service is not running, and starts no runs.")


def test_a_notebook_that_is_gone(home: Path, notebook: Path) -> None:
    ran(home, notebook, "completed")
    notebook.unlink()
    found = the_one()
    assert (found.missing, found.notebook) == (True, str(notebook))
    assert str(notebook) in found.problem


def test_of_many_it_is_told_quickly(home: Path, tmp_path: Path) -> None:
    for number in range(50):
        path = tmp_path / f"{number}.ipynb"
        path.write_text("{}")
        ran(home, path, "completed")
        scheduled(home, path)
    assert len(jp.pipelines()) == 50
    began = time.process_time()
    for _ in range(5):
        jp.pipelines()
    assert (time.process_time() - began) / 5 < 0.1


LOADS = (("setup", "%load_ext jupyter_pipelines"), ("step:a", "%%sql --table raw.flights\nfrom 'flights.csv'"))
REPORTS = (
    ("setup", "%load_ext jupyter_pipelines"),
    ("step:a", "%%sql --table mart.daily\nselect * from Raw.Flights join raw.airports using (id)"),
)


def test_who_builds_the_tables_that_others_read(home: Path, write) -> None:
    load, report, plain = write(*LOADS, name="load.ipynb"), write(*REPORTS, name="report.ipynb"), write(("step:a", "1"))
    for notebook in (load, report, plain):
        ran(home, notebook, "completed")
    by_name = {Path(status.notebook).name: status for status in jp.pipelines()}
    assert (by_name["load.ipynb"].tables_written, by_name["load.ipynb"].upstream) == (("raw.flights",), ())
    assert by_name["report.ipynb"].tables_read == ("Raw.Flights", "raw.airports")
    [above] = by_name["report.ipynb"].upstream
    assert (above.table, above.pipeline, above.notebook) == ("Raw.Flights", str(load), str(load))
    assert jp.pipeline(report).upstream == (above,)
    assert by_name["nb.ipynb"].tables_read == ()
    write(*REPORTS, name="load.ipynb")  # it is another notebook now
    assert jp.pipeline(report).upstream == ()


def test_the_tables_that_a_run_has_written(home: Path, write) -> None:
    store = Store(str(home / "store"))
    version = store.put_notebook(write(*LOADS, ("step:b", "%%sql\ninsert into raw.log select 1")).read_bytes())
    steps = (
        StepRecord("a", "completed", tables=(TableRecord("raw.flights", "table", 3),)),
        StepRecord("b", "failed"),
    )
    run = RunRecord("r", "nb", "/nb.ipynb", version, "failed", {}, 1.0, 2.0, steps)
    assert tables_written_by(run, store) == ("raw.flights",)
    done = replace(run, steps=(steps[0], StepRecord("b", "completed")))
    assert tables_written_by(done, store) == ("raw.flights", "raw.log")
    assert tables_written_by(replace(done, version="gone"), store) == ("raw.flights",)
