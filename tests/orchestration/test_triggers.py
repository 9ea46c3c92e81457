"""Triggers: what happens is seen, also while nobody looked, and each occurrence runs once, whatever is killed."""

from __future__ import annotations

import glob
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord, TableRecord
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.orchestration.triggers import describe, patterns
from jupyter_pipelines.orchestration.triggers.duty import Triggers, decide
from jupyter_pipelines.orchestration.triggers.model import Occurrence, Overlap
from jupyter_pipelines.orchestration.triggers.reading import waited_for
from jupyter_pipelines.orchestration.triggers.runs import Ends, look
from jupyter_pipelines.orchestration.triggers.shelf import Shelf
from jupyter_pipelines.orchestration.triggers.tokens import Bucket, Gate, RefusedError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]
ONE = ("step:one", "1")


@pytest.fixture
def home(service: Endpoint, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, whose duty only the test attends to; the session's service does the runs."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    shutil.copy(Settings.load().home / "endpoint.json", home)
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(home))
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(store))
    return home


def until(duty: Triggers, condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Have the duty look until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        duty.look()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ended(notebook: Path) -> list[RunRecord]:
    """The runs of a notebook that have ended, in the order of their triggers."""
    history = History(Store(Settings.load().store))
    found = history.query(notebook=str(notebook), state=("completed", "failed", "cancelled", "crashed"), limit=None)
    return sorted(found, key=lambda run: (run.scheduled_time, run.started))


# --- after another pipeline ---------------------------------------------------------------------------------------


def test_a_chain_hands_on_parameters_and_says_what_it_answers(home: Path, write: WriteNotebook) -> None:
    load = write(("parameters", "day: str = '2027-01-31'"), ONE, name="load.ipynb")
    clean = write(("parameters", "day: str = ''"), ONE, name="clean.ipynb")
    report = write(("parameters", "day: str = ''\nof: str = ''"), ONE, name="report.ipynb")
    first = jp.trigger(clean, {"day": "{{ upstream.parameters.day }}"}, after=load)
    jp.trigger(report, {"day": "{{ upstream.parameters.day }}", "of": "run {{ upstream.id }}"}, after=[clean])
    duty = Triggers(home)
    began = jp.run(load)  # the day is its default
    until(duty, lambda: ended(report))
    (cleaned,), (reported,) = ended(clean), ended(report)
    assert (cleaned.schedule, cleaned.upstream) == (first.id, began.id)
    assert cleaned.parameters == {"day": "2027-01-31"}
    assert (reported.upstream, reported.parameters["of"]) == (cleaned.id, f"run {cleaned.id}")


def test_how_the_other_has_ended_matters(home: Path, write: WriteNotebook) -> None:
    load = write(("parameters", "size: int = 0"), ("step:one", "1 / size"), name="load.ipynb")
    names = ("success", "failure", "always")
    after = {on: write(ONE, name=f"{on}.ipynb") for on in names}
    for on in names:
        jp.trigger(after[on], after=load, on=on)  # type: ignore[arg-type]  # they are its choices
        after[on].unlink()  # what is set off is on record as failed then, and takes no time
    duty = Triggers(home)
    assert jp.run(load).state == "failed"
    until(duty, lambda: ended(after["always"]) and ended(after["failure"]))
    assert jp.run(load, {"size": 1}).state == "completed"
    until(duty, lambda: ended(after["success"]) and len(ended(after["always"])) == 2)
    duty.look()
    assert [len(ended(after[on])) for on in names] == [1, 1, 2]


def test_all_of_several(home: Path, write: WriteNotebook) -> None:
    above = [write(ONE, name=f"{name}.ipynb") for name in ("a", "b")]
    below = write(ONE, name="below.ipynb")
    made = jp.trigger(below, after=above, all_of=True)
    below.unlink()
    jp.run(above[0])
    Triggers(home).look()  # another worker goes on where this one was
    second = jp.run(above[0]), jp.run(above[1])
    duty = Triggers(home)
    until(duty, lambda: ended(below))
    assert [run.upstream for run in ended(below)] == [second[1].id]
    jp.run(above[1])
    duty.look()
    assert len(Shelf(home).progress(made).runs) == 1


def test_loops_are_refused_with_the_chain(home: Path, write: WriteNotebook) -> None:
    a, b = (write(ONE, name=f"{name}.ipynb") for name in "ab")
    c = write(("step:one", "result = 1"), ("step:two", "result"), name="c.ipynb")
    with pytest.raises(RequestError, match=r"a\.ipynb -> a\.ipynb"):
        jp.trigger(a, after=a)
    jp.trigger(b, after=a)
    jp.trigger(c, after=[b], on="always")
    with pytest.raises(RequestError, match=r"a\.ipynb -> b\.ipynb -> c\.ipynb -> a\.ipynb"):
        jp.trigger(a, updated="c.ipynb:result")
    assert len(jp.triggers()) == 2


def test_a_chain_ends_somewhere(home: Path, store: Path, write: WriteNotebook) -> None:
    """What triggers cannot see when they are made, files for example, is stopped when it happens."""
    from dataclasses import asdict, replace

    load, below = write(ONE, name="load.ipynb"), write(ONE, name="below.ipynb")
    jp.trigger(below, after=load)
    record = jp.run(write(ONE, name="above.ipynb"))
    before = ""
    for number in range(25):
        run_id = f"00000000-0000-0000-0000-0000000000{number:02d}"
        notebook = str(load if number == 24 else load.parent / "above.ipynb")
        made = replace(record, id=run_id, upstream=before, notebook=notebook, pipeline="")
        Store(str(store)).save_run(run_id, asdict(made) | {"process": None})
        before = run_id
    until(Triggers(home), lambda: [run for run in ended(below) if "followed" in run.error])


# --- files --------------------------------------------------------------------------------------------------------


def test_files_that_came_while_nobody_looked_run_once_each(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "old.csv").write_text("there before")
    notebook = write(("parameters", "path: str = ''"), ONE)
    made = jp.trigger(notebook, {"path": "{{ file }}"}, file="in/*.csv")
    (tmp_path / "in" / "new.csv").write_text("new")
    (tmp_path / "in" / "other.txt").write_text("another kind")
    duty = Triggers(home)
    until(duty, lambda: len(ended(notebook)) == 1)
    assert [run.parameters["path"] for run in ended(notebook)] == [str(tmp_path / "in" / "new.csv")]
    del duty  # nobody looks
    (tmp_path / "in" / "old.csv").write_text("changed meanwhile")
    (tmp_path / "in" / "late.csv").write_text("came meanwhile")
    duty = Triggers(home)
    until(duty, lambda: len(ended(notebook)) == 3)
    duty.look()
    assert {Path(str(run.parameters["path"])).name for run in ended(notebook)} == {"new.csv", "old.csv", "late.csv"}
    assert not Shelf(home).progress(made).waiting


@pytest.mark.parametrize(("together", "expected"), [(False, 50), (True, 1)])
def test_fifty_files_at_once(home: Path, write: WriteNotebook, tmp_path: Path, together: bool, expected: int) -> None:
    notebook = write(ONE)
    jp.trigger(notebook, file="in/**/*.csv", together=together)
    for number in range(50):
        path = tmp_path / "in" / f"{number % 5}" / f"{number}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(number))
    notebook.unlink()  # each run is on record as failed then, and takes no time
    duty = Triggers(home)
    until(duty, lambda: len(ended(notebook)) >= expected)
    duty = Triggers(home)
    duty.look()
    assert len(ended(notebook)) == expected


def test_a_file_is_left_alone_until_it_is_still(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    notebook = write(ONE)
    made = jp.trigger(notebook, file="big.csv")
    duty = Triggers(home)
    deadline = time.monotonic() + 3.0
    while time.monotonic() < deadline:
        with open(tmp_path / "big.csv", "a") as file:
            file.write("more\n")
        duty.look()
        time.sleep(0.1)
    progress = Shelf(home).progress(made)
    assert not progress.runs and not progress.waiting
    until(duty, lambda: ended(notebook))
    assert len(Shelf(home).progress(made).runs) == 1


def test_what_a_run_itself_writes_does_not_set_it_off_again(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    notebook = write(("step:one", "open('b.csv', 'w').write('mine')\nopen('a.csv', 'a').write('mine')"))
    made = jp.trigger(notebook, file="*.csv")
    (tmp_path / "a.csv").write_text("theirs")
    duty = Triggers(home)
    until(duty, lambda: ended(notebook))
    until(duty, lambda: "b.csv" in str(Shelf(home).progress(made).cursor))
    assert len(Shelf(home).progress(made).runs) == 1


def test_who_dies_between_two_writes_loses_nothing_and_doubles_nothing(
    home: Path, write: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook = write(("parameters", "path: str = ''"), ONE)
    made = jp.trigger(notebook, {"path": "{{ file }}"}, file="*.csv", overlap="parallel")
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(name)

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    for saves in range(4):  # it dies at each of its writes in turn: of what it saw, and after each run it asked for
        duty = Triggers(home)
        left = iter(range(saves))
        real = Shelf.save_progress

        def save(self, record, progress, left=left, real=real) -> None:  # type: ignore[no-untyped-def]
            real(self, record, progress) if next(left, None) is not None else killed()

        monkeypatch.setattr(Shelf, "save_progress", save)
        with pytest.raises(Killed):
            until(duty, lambda: False)
        monkeypatch.setattr(Shelf, "save_progress", real)
    until(Triggers(home), lambda: len(ended(notebook)) >= 3 and not Shelf(home).progress(made).active)
    assert sorted(Path(str(run.parameters["path"])).name for run in ended(notebook)) == ["a.csv", "b.csv", "c.csv"]


def test_a_disk_that_comes_back_brings_nothing_new(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    folder, away = tmp_path / "disk", tmp_path / "away"
    folder.mkdir()
    for name in "abc":
        (folder / f"{name}.csv").touch()
    notebook = write(ONE)
    made = jp.trigger(notebook, file="disk/*.csv")
    notebook.unlink()
    duty = Triggers(home)
    duty.look()
    folder.rename(away)
    until(duty, lambda: "disk is not there" in str(describe(made)["problem"]))
    folder.mkdir()  # where it is mounted
    until(duty, lambda: not describe(made)["problem"])
    folder.rmdir()
    away.rename(folder)
    (folder / "a.csv").rename(tmp_path / "a.csv")
    Triggers(home).look()
    (tmp_path / "a.csv").rename(folder / "a.csv")  # somebody wants it to be looked at again
    until(duty, lambda: ended(notebook))
    Triggers(home).look()
    assert len(ended(notebook)) == 1


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/in/*.csv", "/in/a.csv", True),
        ("/in/*.csv", "/in/deep/a.csv", False),
        ("/in/**/*.csv", "/in/a.csv", True),
        ("/in/**/*.csv", "/in/x/y/a.csv", True),
        ("/in/[ab]?.csv", "/in/a1.csv", True),
        ("/in/[!ab].csv", "/in/a.csv", False),
        ("/in/*", "/in/.hidden", False),
        ("/in/a+b.csv", "/in/a+b.csv", True),
    ],
)
def test_patterns_mean_what_the_shell_means(pattern: str, path: str, fits: bool) -> None:
    assert patterns.matches(path, pattern) is fits


def test_the_same_files_are_found_as_by_the_shell(tmp_path: Path) -> None:
    for name in ("a.csv", "x/a.csv", "x/b1.txt", "x/y/c.csv", ".h/d.csv", "x/.e.csv", "x/y/z/w.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "x" / "y" / "up").symlink_to(tmp_path / "x")
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    for pattern in ("*.csv", "x/*", "x/[ab]?.*", "*/y/*.csv", "**/c.csv", ".h/*", "x/.*.csv", "a.csv", "none/*", "g*"):
        whole = str(tmp_path / pattern)
        found = [path for path in glob.glob(whole, recursive=True) if "/up/" not in path]
        assert sorted(path for path in patterns.find(whole) if "/up/" not in path) == sorted(found), pattern
    assert len(patterns.find(str(tmp_path / "**" / "*.csv"))) < 20, "a link that leads back is gone through once"


def test_a_pattern_about_too_much_is_refused(write: WriteNotebook, home: Path, monkeypatch) -> None:
    monkeypatch.setattr(patterns, "MOST_LOOKED_AT", 1_000)
    for pattern in ("/**", "/**/*.csv"):
        with pytest.raises(RequestError, match="would be looked at"):
            jp.trigger(write(ONE), file=pattern)
    assert jp.triggers() == []


def test_the_same_trigger_is_made_once(write: WriteNotebook, home: Path) -> None:
    notebook = write(ONE)
    made = jp.trigger(notebook, file="in/*.csv")
    again = jp.trigger(notebook, file="in/*.csv")
    assert (made.is_new, again.is_new, again.id) == (True, False, made.id)
    assert jp.trigger(notebook, file="in/*.csv", together=True).is_new
    jp.pause(made.id)
    with pytest.raises(RequestError, match="it is paused"):
        jp.trigger(notebook, file="in/*.csv")
    assert len(jp.triggers()) == 2


# --- what other pipelines update ----------------------------------------------------------------------------------


def test_an_update_by_another_pipeline(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    load = write(
        ("parameters", "size: int = 3"),
        ("step:one", "table = list(range(size))"),
        ("step:two", "open('table.csv', 'w').write(str(table))"),
        name="load.ipynb",
    )
    by_file, by_output = write(("parameters", "what: list = []"), ONE, name="f.ipynb"), write(ONE, name="o.ipynb")
    other = write(ONE, name="other.ipynb")
    write(("step:one", "chart = 1"), ("step:two", "chart"), name="drawn.ipynb")
    jp.trigger(by_file, {"what": "{{ updated }}"}, updated="*.csv")
    jp.trigger(by_output, updated="load.ipynb:table")
    jp.trigger(other, updated=["elsewhere/*.csv", "drawn.ipynb:chart"])
    with pytest.raises(RequestError, match=r"No step of drawn\.ipynb hands over a value 'charts'"):
        jp.trigger(other, updated="drawn.ipynb:charts")
    by_output.unlink()
    duty = Triggers(home)
    (tmp_path / "mine.csv").write_text("by hand: no run has written it")
    run = jp.run(load)
    until(duty, lambda: ended(by_file) and ended(by_output))
    assert ended(by_file)[0].parameters == {"what": [str(tmp_path / "table.csv")]}
    assert ended(by_output)[0].upstream == run.id
    assert not ended(other)


def test_a_table_that_another_pipeline_builds(home: Path, write: WriteNotebook) -> None:
    report, other = write(ONE, name="report.ipynb"), write(ONE, name="other.ipynb")
    record = jp.trigger(report, updated="table:Mart.Orders")
    assert str(record.cause) == "when the table Mart.Orders was updated"
    elsewhere = jp.trigger(other, updated=["table:mart.other"])
    with pytest.raises(RequestError, match="no name of a table"):
        jp.trigger(report, updated="table:a b")
    store = Store(Settings.load().store)
    step = StepRecord("a", "completed", tables=(TableRecord("mart.orders", "table", 3),))
    run = RunRecord(
        "load-1", "load", str(report.with_name("load.ipynb")), "", "completed", {}, 1.0, time.time(), (step,)
    )
    store.save_run(run.id, asdict(run) | {"process": None})
    _, [occurrence] = look(record, record.baseline, store, Ends())
    assert (occurrence.upstream, occurrence.names["updated"]) == ("load-1", ["Mart.Orders"])
    assert look(elsewhere, elsewhere.baseline, store, Ends())[1] == []


def test_what_a_notebook_reads_can_be_what_is_waited_for(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    def report(sql: str) -> Path:
        read = "import pandas\n\nprices = pandas.read_csv('data/prices.csv')\nparts = pandas.read_parquet('parts')"
        own = "prices.to_csv('own.csv')\nopen('own.csv').read()"
        cells = (("step:read", read), ("step:own", own), ("step:build", f"%%sql --table mart.daily\n{sql}"))
        return write(("setup", "%load_ext jupyter_pipelines"), *cells, name="report.ipynb")

    def built(run: str, notebook: str, table: str, file: str = "") -> RunRecord:
        files = (str(tmp_path / file),) if file else ()
        step = StepRecord("a", "completed", tables=(TableRecord(table, "table", 3),), files_written=files)
        record = RunRecord(run, "x", str(tmp_path / notebook), "", "completed", {}, 1.0, time.time(), (step,))
        store.save_run(run, asdict(record) | {"process": None})
        return record

    store = Store(Settings.load().store)
    notebook = report("SELECT * FROM shop.orders JOIN mart.daily USING (id)")
    record = jp.trigger(notebook, updated=True)
    words = describe(record)["words"]
    assert words.startswith("when what it reads was updated: ")
    assert ("the table shop.orders" in words, "prices.csv" in words) == (True, True)
    assert "own.csv" not in words
    assert "mart.daily" not in words
    assert jp.trigger(notebook, updated=True).id == record.id
    for run in (
        built("r1", "load.ipynb", "SHOP.Orders"),
        built("r2", "load.ipynb", "shop.other", "data/prices.csv"),
        built("r3", "load.ipynb", "shop.other", "data/other.csv"),
        built("folder", "load.ipynb", "shop.other", "parts/day=1/a.parquet"),
        built("r4", "report.ipynb", "shop.orders"),
    ):
        assert run.state == "completed"
    cursor, found = look(record, record.baseline, store, Ends())
    assert [one.upstream for one in found] == ["r1", "r2", "folder"]
    # It goes by the notebook as it is; what happens while that cannot be read is not lost.
    report("SELECT * FROM shop.visits")
    built("r5", "load.ipynb", "shop.visits")
    notebook.write_text("{")
    with pytest.raises(NotebookError):
        look(record, cursor, store, Ends())
    assert describe(record)["words"] == "when what it reads was updated"
    report("SELECT * FROM shop.visits")
    assert [one.upstream for one in look(record, cursor, store, Ends())[1]] == ["r5"]
    with pytest.raises(RequestError, match="reads no table and no file"):
        jp.trigger(write(ONE, name="nothing.ipynb"), updated=True)
    with pytest.raises(RequestError, match="which update"):
        jp.trigger(notebook, updated=[])


def test_paths_that_come_from_parameters_are_waited_for(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    declared = """
from datetime import date
from pathlib import Path

path: str = "x.parquet"
folder = Path("data")
month: int = 7
day = date(2027, 1, 31)
given: str
token = "hidden.csv"
again = "again.csv"
"""
    read = """
pd.read_parquet(path), pd.read_csv(f"{folder}/{month:02}/{day}.csv"), pd.read_csv(folder / "plain.csv")
pd.read_csv("a-" + given), open(token), pd.read_csv(f"{path}-{unknown}")
"""
    sql = "%%sql --table mart.daily\nFROM read_csv($path)"
    cells = (("parameters", declared), ("setup", "import pandas as pd\n%load_ext jupyter_pipelines"), ("step:a", read))
    more = (("step:b", sql), ("step:c", "again = again + 'x'\nopen(f'in/{again}')"), ("step:d", "unknown = input"))
    notebook = write(*more[2:], *cells, *more[:2], name="report.ipynb")

    def waited(**parameters: object) -> set[str]:
        cause = waited_for(jp.trigger(notebook, {"given": "b.csv"} | parameters, updated=True))
        return {str(Path(name).relative_to(tmp_path)) for name in cause.files}

    assert waited() == {"x.parquet", "data/07/2027-01-31.csv", "data/plain.csv", "a-b.csv"}
    assert waited(path="y.parquet", month=12) == {
        *("y.parquet", "data/12/2027-01-31.csv", "data/plain.csv", "a-b.csv"),
    }
    # What only an occurrence will know is not guessed from the default.
    assert waited(path="{{ upstream.parameters.path }}", day="{{ triggered_at.date() }}") == {
        *("data/plain.csv", "a-b.csv"),
    }


def test_loops_through_tables_and_files_are_refused(home: Path, write: WriteNotebook) -> None:
    def sql(name: str, text: str) -> Path:
        return write(("setup", "%load_ext jupyter_pipelines"), ("step:a", f"%%sql\n{text}"), name=f"{name}.ipynb")

    load = sql("load", "CREATE OR REPLACE TABLE shop.orders AS FROM mart.known")
    mart = sql("mart", "CREATE OR REPLACE TABLE mart.known AS FROM Shop.Orders")
    copy = sql("copy", "COPY mart.known TO 'out/known.csv'")
    late = sql("late", "CREATE OR REPLACE TABLE late AS FROM 'out/*.csv'")
    alone = sql("alone", "INSERT INTO shop.log SELECT count(*) FROM shop.log")
    first = jp.trigger(mart, updated=True)
    with pytest.raises(RequestError, match=r"load\.ipynb -> mart\.ipynb -> load\.ipynb"):
        jp.trigger(load, updated="table:mart.known")
    jp.trigger(copy, after=mart)
    jp.trigger(late, updated=True)
    with pytest.raises(RequestError, match=r"mart\.ipynb -> copy\.ipynb -> mart\.ipynb"):
        jp.trigger(mart, file="out/*.csv")
    with pytest.raises(RequestError, match=r"load\.ipynb -> mart\.ipynb -> copy\.ipynb -> late\.ipynb -> load\.ipynb"):
        jp.trigger(load, after=late)
    jp.trigger(alone, updated="table:shop.log")  # what it writes itself is no news to it
    # What is replaced is gone: the other way round is no loop then.
    assert jp.trigger(load, updated=True, replacing=first.id).id == first.id


# --- by token -----------------------------------------------------------------------------------------------------


def test_a_token_starts_its_trigger_once_for_each_key(home: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", "count: int = 1\nday: str = ''"), ONE)
    made = jp.trigger(notebook, {"day": "{{ triggered_at.date() }}!"}, token=True)
    assert made.token and made.token not in (home / "triggers" / f"{made.id}.json").read_text()
    assert (home / "triggers" / f"{made.id}.json").stat().st_mode & 0o777 == 0o600
    assert made.token.split("_", 2)[2] not in str(describe(made))
    gate = Gate()
    first, again = gate.fire(made.token, {"count": 2}, "order 7"), gate.fire(made.token, {"count": 2}, "order 7")
    assert (first.new, again.new, first.occurrence == again.occurrence) == (True, False, True)
    gate.fire(made.token, {"count": 3})
    until(Triggers(home), lambda: len(ended(notebook)) == 2)
    assert [run.parameters["count"] for run in ended(notebook)] == [2, 3]
    known = gate.fire(made.token, {"count": 2}, "order 7")
    assert (known.new, known.run) == (False, ended(notebook)[0].id)
    assert all(run.triggered for run in ended(notebook))


def test_what_is_wrong_with_a_request_is_said(home: Path, write: WriteNotebook) -> None:
    notebook = write(("parameters", "count: int = 1"), ONE)
    made, other = jp.trigger(notebook, token=True), jp.trigger(notebook, token=True)
    gate = Gate()

    def refused(token: str, **parameters: object) -> tuple[int, str]:
        with pytest.raises(RefusedError) as refusal:
            gate.fire(token, parameters)
        return refusal.value.status, refusal.value.field

    assert refused(made.token, count="many") == (422, "count")
    assert refused(made.token, speed=1) == (422, "speed")
    secret = made.token.split("_", 2)[2]
    for token in ("", "jpt_", "x", made.token[:-1], f"jpt_{other.id}_{secret}", f"jpt_../../x_{secret}", secret):
        assert refused(token) == (401, "")
    jp.pause(made.id)
    assert refused(made.token) == (409, "")
    jp.unschedule(made.id)
    assert refused(made.token) == (401, "")
    notebook.unlink()
    assert refused(other.token) == (409, "")


def test_requests_are_limited_and_wrong_ones_lock_nobody_out(home: Path, write: WriteNotebook) -> None:
    now = [0.0]
    gate = Gate(lambda: now[0])
    made = jp.trigger(write(ONE), token=True)
    statuses = []
    for _ in range(100):
        with pytest.raises(RefusedError) as refusal:
            gate.fire("jpt_0_wrong", {})
        statuses.append(refusal.value.status)
    assert set(statuses) == {401, 429}
    for number in range(60):
        assert gate.fire(made.token, {}, f"{number}").new
    with pytest.raises(RefusedError) as refusal:
        gate.fire(made.token, {}, "one too many")
    assert (refusal.value.status, refusal.value.retry_after) == (429, 1)
    now[0] += 1
    assert gate.fire(made.token, {}, "one too many").new


def test_a_bucket_fills_again_with_time() -> None:
    now = [0.0]
    bucket = Bucket(60, lambda: now[0])
    assert [bucket.take() for _ in range(61)] == [0] * 60 + [1]
    now[0] = 3600.0
    assert [bucket.take() for _ in range(61)] == [0] * 60 + [1]


# --- events of Prefect --------------------------------------------------------------------------------------------


def test_an_event_of_prefect(home: Path, service: Endpoint, write: WriteNotebook) -> None:
    import uuid
    from datetime import UTC, datetime

    notebook = write(("parameters", "size: int = 0"), ONE)
    made = jp.trigger(notebook, {"size": "{{ event.payload.size }}"}, event="orders.*.loaded")
    for name in ("orders.eu.loaded", "orders.eu.failed"):
        event = {
            "id": str(uuid.uuid4()),
            "event": name,
            "occurred": datetime.now(UTC).isoformat(),
            "resource": {"prefect.resource.id": "orders"},
            "payload": {"size": 7},
        }
        service.call("/events", [event])
    until(Triggers(home), lambda: ended(notebook))
    again = Triggers(home)
    again.look()
    assert len(Shelf(home).progress(made).runs) == 1
    assert ended(notebook)[0].parameters == {"size": 7}


# --- making and changing ------------------------------------------------------------------------------------------


def test_a_paused_trigger_makes_up_for_nothing(home: Path, write: WriteNotebook) -> None:
    load, below = write(ONE, name="load.ipynb"), write(ONE, name="below.ipynb")
    made = jp.trigger(below, after=load, name="rests")
    below.unlink()
    duty = Triggers(home)
    duty.look()
    jp.pause("rests")
    jp.run(load)
    duty.look()
    jp.unpause(made.id[:6])
    later = jp.run(load)
    until(duty, lambda: ended(below))
    assert [run.upstream for run in ended(below)] == [later.id]
    jp.unschedule("rests")
    assert not jp.triggers()
    with pytest.raises(RequestError):
        jp.pause("rests")


def test_a_later_occurrence_takes_the_place_of_what_runs(home: Path, write: WriteNotebook) -> None:
    slow = write(("parameters", "n: int = 0"), ("step:one", "import time\nwhile n < 2:\n    time.sleep(0.05)"))
    made = jp.trigger(slow, token=True, overlap="cancel-previous")
    gate, duty = Gate(), Triggers(home)
    gate.fire(made.token, {"n": 0})
    until(duty, lambda: Shelf(home).progress(made).runs)
    for number in (1, 2):  # before anybody looks: the first of them never begins
        gate.fire(made.token, {"n": number})
    until(duty, lambda: len(ended(slow)) == 2 and len(Shelf(home).progress(made).runs) == 2)
    assert [(run.state, run.parameters["n"]) for run in ended(slow)] == [("cancelled", 0), ("completed", 2)]
    (skipped,) = Shelf(home).progress(made).skipped
    assert "later" in str(skipped["reason"])


@pytest.mark.parametrize(
    ("overlap", "active", "starts", "skips"),
    [
        ("queue", 0, "a", ""),
        ("queue", 1, "", ""),
        ("skip", 0, "a", "bc"),
        ("skip", 1, "", "abc"),
        ("parallel", 1, "abc", ""),
        ("cancel-previous", 1, "c", "ab"),
    ],
)
def test_what_overlapping_occurrences_do(overlap: Overlap, active: int, starts: str, skips: str) -> None:
    start, skip = decide(overlap, active, [Occurrence(key, 0.0) for key in "abc"])
    assert ("".join(one.key for one in start), "".join(one.key for one, _ in skip)) == (starts, skips)


def test_what_could_not_run_is_refused_before_it_is_kept(home: Path, write: WriteNotebook, tmp_path: Path) -> None:
    load = write(("parameters", "day: str = ''"), ONE, name="load.ipynb")
    notebook = write(("parameters", "day: str = ''\ncount: int = 1"), ONE)
    with pytest.raises(RequestError, match="dya"):
        jp.trigger(notebook, {"day": "{{ upstream.parameters.dya }}"}, after=load)
    with pytest.raises(RequestError, match="__class__"):
        jp.trigger(notebook, {"day": "{{ upstream.__class__ }}"}, after=load)
    with pytest.raises(RequestError, match="speed"):
        jp.trigger(notebook, {"speed": "{{ file }}"}, file="*.csv")
    with pytest.raises(RequestError, match="count"):
        jp.trigger(notebook, {"count": "many"}, file="*.csv")
    with pytest.raises(RequestError, match="day"):
        jp.trigger(notebook, {"day": "{{ triggered_at.year }}"}, token=True)
    with pytest.raises(RequestError, match="one thing"):
        jp.trigger(notebook, file="*.csv", token=True)
    with pytest.raises(RequestError, match="no notebook"):
        jp.trigger(notebook, after=tmp_path / "gone.ipynb")
    with pytest.raises(RequestError, match="lost"):
        jp.trigger(notebook, file="*.csv", overlap="skip")
    with pytest.raises(NotebookError):
        jp.trigger(write(("step:one", "x = ("), name="broken.ipynb"), file="*.csv")
    assert not jp.triggers() and not os.path.exists(home / "triggers")
