"""A month of 5,000 runs a day: what asking for some of them costs, and what the index costs a run."""

from __future__ import annotations

import json
import logging
import os
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from measure import Row, Table, at_most, run, scratch

RUNS = int(os.environ.get("HISTORY_RUNS", "150000"))
PIPELINES, SCHEDULES = 20, 100
DAY = 86400.0
STATES = ["failed", "crashed", *["completed"] * 98]


def benchmark() -> list[Table]:
    """Records are made without running anything; every figure is asked through the public interface."""
    with scratch() as folder:
        logging.disable(logging.WARNING)
        store = _month(folder / "home" / "store")
        from jupyter_pipelines.orchestration.history import History
        from jupyter_pipelines.store import Store

        kept = Store(str(store))
        history = History(kept)
        began = time.perf_counter()
        mark = history.mark()
        made = time.perf_counter() - began
        now = time.time()
        asked = {
            "the newest 50": history.query,
            "50 failed ones of one pipeline": lambda: history.query(pipeline="/home/a/nb7.ipynb", state="failed"),
            "50 of one schedule": lambda: history.query(schedule="schedule42"),
            "50 of one pipeline, three weeks ago": lambda: history.query(
                pipeline="/home/a/nb3.ipynb", until=now - 21 * DAY
            ),
            "none: a state that one pipeline never had": lambda: history.query(
                pipeline="/home/a/nb3.ipynb", state="cancelled"
            ),
            "one by the beginning of its id": lambda: history.find("abcdef"),
            "what ended since the last look: nothing": lambda: history.ended_since(mark),
        }
        rows = [Row(name, 1000 * _median(ask)) for name, ask in asked.items()]
        worst = max(row.value for row in rows)
        command = Path(sys.executable).parent / "jupyter-pipelines"
        environment = {"JUPYTER_PIPELINES_HOME": str(folder / "home")}
        began = time.perf_counter()
        run([command, "runs", "--state", "failed", "--format", "json"], env=environment)
        rows.append(
            Row("`jupyter pipelines runs --state failed`", 1000 * (time.perf_counter() - began), "Python's start")
        )
        rows.append(Row("saving a record of a run that begins or ends", 1000 * _saving(kept), "index included"))
        rows.append(Row("the same without the index", 1000 * _saving(kept, index=False)))
        rows.append(Row("making the index anew", 1000 * made, "once, when it was lost"))
        size = sum(path.stat().st_size for path in (store / "index").glob("runs.db*")) / 1e6
    title = f"History of {RUNS:,} runs"
    targets = (at_most("a question under 50 ms", worst, 50.0, "ms"),)
    return [Table(title, "the newest 50", rows, "ms", f"The index takes {size:.0f} MB.", targets)]


def _median(ask: Callable[[], object], times: int = 15) -> float:
    found = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        found.append(time.perf_counter() - began)
    return statistics.median(found)


def _saving(store: object, *, index: bool = True) -> float:
    from jupyter_pipelines.store.files import write_json

    record = _record(0, time.time())

    def save() -> None:
        name = str(uuid.uuid4())
        if index:
            store.save_run(name, record)
        else:
            write_json(store.run_folder(name) / "run.json", record)

    return _median(save, 40)


def _month(store: Path) -> Path:
    """Write the records, the newest last, as runs do."""
    begin = time.time() - 30 * DAY
    runs = store / "runs"
    runs.mkdir(parents=True)
    for number in range(RUNS):
        record = _record(number, begin + number * 30 * DAY / RUNS)
        folder = runs / str(record["id"])
        folder.mkdir()
        (folder / "run.json").write_text(json.dumps(record))
    return store


def _record(number: int, started: float) -> dict[str, object]:
    step = {"name": "", "state": "completed", "started": started, "ended": started + 4.0, "attempts": 1}
    output = {"name": "df", "type": "DataFrame", "size": 1, "summary": "3 rows x 4 columns", "container": "a" * 36}
    notebook = f"/home/a/nb{number % PIPELINES}.ipynb"
    return {
        "id": str(uuid.uuid4()),
        "name": "nb",
        "notebook": notebook,
        "pipeline": notebook,
        "version": "0" * 32 + ".ipynb",
        "state": STATES[number // PIPELINES % len(STATES)],
        "parameters": {"day": number},
        "started": started,
        "ended": started + 20.0,
        "saved": started + 20.0,
        "schedule": f"schedule{number % SCHEDULES}",
        "steps": [step | {"name": f"step{part}", "outputs": [output]} for part in range(5)],
        "process": None,
    }
