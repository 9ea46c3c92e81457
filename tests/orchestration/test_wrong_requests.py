"""What people get wrong when they ask for schedules, backfills, triggers and limits is told, and not kept."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]


FIVE: Any = 5
NO: Any = "no"


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))


@pytest.fixture
def notebook(write: WriteNotebook) -> Path:
    return write(
        ("parameters", "from datetime import date\n\ninterval_start: date = date(2020, 1, 1)"), ("step:a", "1")
    )


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"retries": 1.5}, "whole number"),
        ({"retries": True}, "whole number"),
        ({"overlap": "parallel", "max_parallel": 2.5}, "whole number"),
        ({"timeout": 5.0}, "`timeout` of schedule cannot be"),
        ({"timezone": 5}, "`timezone` of schedule cannot be"),
        ({"ref": 5}, "`ref` of schedule cannot be"),
        ({"name": 5}, "`name` of schedule cannot be"),
        ({"name": "two\nlines"}, "one line"),
        ({"name": "x" * 201}, "one line"),
        ({"when": 7}, "`when` of schedule cannot be"),
        ({"parameters": ["day"]}, "`parameters` of schedule cannot be"),
        ({"start": "2030-01-02", "end": date(2030, 1, 1)}, "before it starts"),
        ({"when": "0 7 31 2,4 *"}, "in none of its months"),
    ],
)
def test_a_schedule_that_cannot_be(notebook: Path, given: dict[str, Any], told: str) -> None:
    arguments = {"when": "daily", **given}
    with pytest.raises(RequestError, match=told):
        jp.schedule(notebook, **arguments, dry_run=True)
    assert not jp.schedules()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "x" * 300),
        ("HOME", "/tmp/\udcff"),
        ("STORE", "/tmp/\udcff"),
        ("WAREHOUSE", "x" * 300),
        ("WAREHOUSE_IDLE", "abc"),
        ("WAREHOUSE_IDLE", "nan"),
        ("MAX_RUNS", "many"),
        ("MAX_PARALLEL", "0"),
        ("WARM_KERNELS", "perhaps"),
        ("KEEP_RUNS", "1.5"),
        ("KEEP_DAYS", "0"),
        ("KEEP_SIZE", "lots"),
        ("JOB_VARIABLES", "[1]"),
        ("WORK_POOL", "\udcff"),
    ],
)
def test_settings_that_cannot_be(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"JUPYTER_PIPELINES_{name}", value)
    assert main(["schedules"]) == 2
    told = capsys.readouterr().err
    assert f"JUPYTER_PIPELINES_{name}" in told and "Traceback" not in told
    assert name == "HOME" or "which is no " in told


@pytest.mark.parametrize("address", ["garbage", "ftp://x", "http://", "http://[::1", "http://localhost:99999"])
def test_an_address_that_cannot_be_is_told(
    address: str, notebook: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", address)
    for command in (["run", str(notebook)], ["up", "--detach"]):
        assert main(command) == 2
        assert "is no address of a Prefect server" in capsys.readouterr().err


def test_no_worker_is_started_for_a_server_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("PREFECT_API_URL", f"http://127.0.0.1:{free.getsockname()[1]}/api")  # nobody listens
        monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
        assert main(["up", "--detach"]) == 2
    assert "does not answer" in (told := capsys.readouterr().err) and "Traceback" not in told
    assert not ServiceHome(tmp_path / "home").holder()


def test_a_home_that_is_set_to_nothing_is_not_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", "")
    assert Settings.load().home == tmp_path / "jupyter-pipelines"


def test_a_notebook_whose_name_is_no_text(notebook: Path) -> None:
    named = notebook.rename(notebook.with_name("\udcff.ipynb"))
    for ask in (jp.run, jp.submit, jp.publish, lambda path: jp.schedule(path, "daily")):
        with pytest.raises(RequestError, match="no text in UTF-8"):
            ask(named)
    assert [step.name for step in jp.load(named).steps] == ["a"]  # it can be looked at


def test_an_argument_of_another_type_is_told_before_anything_is_done(tmp_path: Path) -> None:
    asked = 0
    for function in (getattr(jp, name) for name in jp.__all__ if inspect.isfunction(getattr(jp, name))):
        parameters = inspect.signature(function).parameters.values()
        given = {one.name: str(tmp_path / "none.ipynb") for one in parameters if one.default is one.empty}
        given |= {"grid": {}} if "grid" in given else {}
        for name in (one.name for one in parameters if function not in {jp.compile_pipeline, jp.inspection, jp.metric}):
            if name != "session":
                with pytest.raises(RequestError, match=f"`{name}` of {function.__name__} cannot be <object"):
                    function(**{**given, name: object()})
                asked += 1
    assert asked > 150


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: jp.get_run(FIVE), "`run_id` of get_run cannot be 5.\n  fix: Give a text."),
        (lambda: jp.trigger("x.ipynb", after=FIVE), "Give a path, a text or several of them: each a path or a text."),
        (lambda: jp.trigger("x.ipynb", after=["y", FIVE]), "`after` of trigger cannot be ['y', 5]."),
        (lambda: jp.preview_schedule("daily", timeout=FIVE), "Give a length of time or a text."),
        (lambda: jp.gc(dry_run=NO), "Give True or False."),
    ],
)
def test_what_was_given_and_what_may_be_is_told(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(RequestError) as error:
        ask()
    assert told in str(error.value)


@pytest.mark.parametrize("count", [-1, True, 10**9])
def test_a_preview_of_so_many_times_is_none(count: Any) -> None:
    with pytest.raises(RequestError, match="times cannot be shown"):
        jp.preview_schedule("daily", count)


def test_a_date_bounds_a_schedule_with_its_whole_day(notebook: Path) -> None:
    made = jp.schedule(notebook, "daily", start=date(2030, 1, 1), end=date(2030, 1, 1), timezone="UTC", dry_run=True)
    start, end = made.schedule.start, made.schedule.end
    assert (f"{start:%d %H:%M:%S}", f"{end:%d %H:%M:%S}") == ("01 00:00:00", "01 23:59:59")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"parallel": "3"}, "`parallel` of backfill cannot be"),
        ({"parallel": 70}, "at once"),
        ({"order": "random"}, "no choice for `order`"),
        ({"parameters": 5}, "`parameters` of backfill cannot be"),
        ({"first": date.min}, "no day that"),
        ({"last": date.max}, "no day that"),
    ],
)
def test_a_backfill_that_cannot_be(notebook: Path, given: dict[str, Any], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        jp.backfill(notebook, **{"first": "2024-01-01", "last": "2024-01-02", **given}, dry_run=True)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"after": []}, "after which notebook"),
        ({"after": "other.ipynb", "on": "sometimes"}, "no choice for `on`"),
        ({"updated": 5}, "nothing that is updated"),
        ({"updated": [None]}, "`updated` of trigger cannot be"),
        ({"file": "\udcff.csv"}, "no text in UTF-8"),
        ({"token": True, "name": "two\nlines"}, "one line"),
        ({"token": True, "parameters": 5}, "`parameters` of trigger cannot be"),
    ],
)
def test_a_trigger_that_cannot_be(write: WriteNotebook, notebook: Path, given: dict[str, Any], told: str) -> None:
    other = write(("step:a", "1"), name="other.ipynb")
    with pytest.raises(RequestError, match=told):
        jp.trigger(notebook, **{name: other if value == "other.ipynb" else value for name, value in given.items()})
    assert not jp.triggers()


def test_limits_that_could_not_be_read_again_are_not_kept(notebook: Path) -> None:
    wrong: list[dict[str, Any]] = [
        {"keep_runs": 1.5}, {"keep_runs": True}, {"keep_size": "lots"}, {"keep_days": float("nan")}, {"keep_size": 0}
    ]  # fmt: skip
    for given in wrong:
        with pytest.raises(RequestError):
            jp.set_retention(notebook, **given)
    assert jp.set_retention(notebook, keep_days=0.5).keep_days == 0.5


def test_limits_set_at_once_are_all_kept(write: WriteNotebook) -> None:
    notebooks = [write(("step:a", str(number)), name=f"{number}.ipynb") for number in range(12)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda one: jp.set_retention(one, keep_runs=7), notebooks))
    assert [jp.retention(one).keep_runs for one in notebooks] == [7] * 12


def test_what_becomes_of_a_schedule_while_it_is_changed_stands(
    write: WriteNotebook, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(do: Callable[[], Any]) -> None:
        for room in ("scheduling", "triggers"):  # all is checked by then, and about to be kept
            monkeypatch.setattr(f"jupyter_pipelines.orchestration.{room}.making.ensure_service", lambda *_: do())

    meanwhile(lambda: None)
    yearly = jp.schedule(notebook, "every year on 1 march").id
    event = jp.trigger(notebook, event="x").id
    meanwhile(lambda: (jp.pause(yearly), jp.pause(event)))
    jp.schedule(notebook, "every year on 2 march", replacing=yearly)
    jp.trigger(notebook, event="y", replacing=event)
    assert [one.schedule.paused for one in jp.schedules()] == [True]
    assert [one.paused for one in jp.triggers()] == [True]
    meanwhile(lambda: jp.unschedule(yearly))
    with pytest.raises(RequestError, match="There is no schedule"):
        jp.schedule(notebook, "every year on 3 march", replacing=yearly)
    meanwhile(lambda: jp.unschedule(event))
    with pytest.raises(RequestError, match="There is no trigger"):
        jp.trigger(notebook, event="z", replacing=event)
    assert (jp.schedules(), jp.triggers()) == ([], [])


def test_what_is_removed_while_others_pause_it_is_gone(notebook: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_pipelines.orchestration.scheduling.making.ensure_service", lambda *_: None)

    def tried(change: Callable[[str], Any], one: str) -> None:
        with suppress(RequestError):
            change(one)

    for _ in range(10):
        made = jp.schedule(notebook, "every year on 1 march").id
        with ThreadPoolExecutor(5) as pool:
            for change in (jp.pause, jp.unpause, jp.unschedule, jp.pause, jp.unpause):
                pool.submit(tried, change, made)
        assert not jp.schedules()


def test_what_is_asked_for_twice_at_once_is_made_once(
    write: WriteNotebook, notebook: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = Barrier(4, timeout=60)
    for room in ("scheduling", "triggers", "alerts"):  # all have seen that there is none when one makes it
        monkeypatch.setattr(f"jupyter_pipelines.orchestration.{room}.making.ensure_service", lambda *_: together.wait())
    other = write(("step:a", "1"), name="other.ipynb")

    def at_once(*make: Callable[[], Any]) -> list[Any]:
        def tried(one: Callable[[], Any]) -> Any:
            try:
                return one()
            except RequestError as error:
                return error

        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(tried, make * (4 // len(make))))

    assert len({made.id for made in at_once(lambda: jp.schedule(notebook, "every year on 1 march"))}) == 1
    assert len({made.id for made in at_once(lambda: jp.trigger(notebook, event="x"))}) == 1
    assert len({made.id for made in at_once(lambda: jp.alert(notebook, "https://example.com/hook"))}) == 1
    assert (len(jp.schedules()), len(jp.triggers()), len(jp.alerts())) == (1, 1, 1)
    found = at_once(lambda: jp.trigger(notebook, after=other), lambda: jp.trigger(other, after=notebook))
    refused = [one for one in found if isinstance(one, RequestError)]
    assert len(refused) == 2
    assert "itself off for ever" in str(refused[0])
    assert len(jp.triggers()) == 2


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("monthly on day 31", "At 00:00 on the 31st day of every month, not in months without that day"),
        ("0 7 29 * *", "At 07:00 on the 29th day of every month, of February in leap years only"),
        ("every year on 29 february", "At 00:00 on February 29, in leap years only"),
        ("0 0 22 * *", "At 00:00 on the 22nd day of every month"),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=31", "Every month on the 31st at 00:00, not in months without that day"),
        ("last day of the month", "Every month on the last day at 00:00"),
        (
            "*/90 * * * *",
            "Every 90th minute of every hour, which is minute 0 of every hour: cron counts anew with each",
        ),
    ],
)
def test_words_tell_of_days_that_not_every_month_has(when: str, words: str) -> None:
    assert jp.preview_schedule(when, timezone="UTC").words == f"{words} (UTC)"
