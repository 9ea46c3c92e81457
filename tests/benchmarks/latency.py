"""From "run now" to the first line of the first step, with the service up."""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from pathlib import Path

import notebooks
from measure import Row, Table, at_most, drive, run, scratch, service

PAUSE = 6.0  # seconds between two runs of a person who looks at what came out
NOW = "import time\nprint('now', time.time())"


def benchmark() -> list[Table]:
    """In a process that has run before, in a new process, through the command line; and Prefect's own ways."""
    cells = [("setup", "import json"), ("step:first", NOW), ("step:second", "x = 1")]
    with scratch() as folder, service():
        path = notebooks.write(notebooks.notebook(cells), folder / "now.ipynb")
        runs = drive("pipeline_runs", 6, path)["runs"]
        waits = [first_line(Path(made["executed"])) - made["asked"] for made in runs]
        commands = Path(sys.executable).parent
        ours = [commands / "jupyter-pipelines", "run", path, "--output"]
        from_shell = _from_shell(ours, folder)
        papermill = _from_shell([commands / "papermill", path], folder)
        handed = _handed_over(path)
        served = drive("prefect_run_now", "serve", folder)["wait"]
        worker = drive("prefect_run_now", "worker", folder)["wait"]
    wait = statistics.median(waits[1:])
    table = Table(
        "Run now: from the request to the first line of the first step, service up",
        "ours",
        [
            Row("ours", wait, "`jp.run()` in a process that ran one before, median of 5"),
            Row("ours, first run of a process", waits[0], "start of Python and imports included"),
            Row("ours, `jupyter pipelines run`", from_shell, "start of the command included; median of 3"),
            Row("papermill, its command", papermill, "the same notebook in one kernel; median of 3"),
            Row("ours, `jp.submit()`", handed, "handed to the service, as `run --detach` does; median of 5"),
            Row("Prefect, `flow.serve()`", served, "an empty flow: no kernel, no notebook"),
            Row("Prefect, process worker", worker, "an empty flow: no kernel, no notebook"),
        ],
        targets=(at_most("under 1 s", wait, 1.0), at_most("handed over: under 1 s", handed, 1.0)),
    )
    return [table]


def _from_shell(command: list[Path | str], folder: Path) -> float:
    """The median of three; the one before them finds nothing in the disk's cache."""
    waits = []
    for _ in range(4):
        asked = time.time()
        run([*command, folder / "out.ipynb"])
        waits.append(first_line(folder / "out.ipynb") - asked)
    return statistics.median(waits[1:])


def _handed_over(path: Path) -> float:
    import jupyter_pipelines as jp

    waits = []
    for _ in range(6):
        asked = time.time()
        run = jp.get_run(jp.submit(path))
        while not run.ended:
            time.sleep(0.2)
            run = jp.get_run(run.id)
        waits.append(first_line(Path(run.executed_notebook)) - asked)
        time.sleep(PAUSE)
    return statistics.median(waits[1:])


def first_line(executed: Path) -> float:
    """When the first line of :data:`NOW` was printed, in seconds since the epoch."""
    cells = json.loads(executed.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    found = re.search(r"now ([\d.]+)", "".join("".join(output.get("text", "")) for output in outputs))
    if found is None:
        raise AssertionError(f"{executed} does not say when its first line ran")
    return float(found[1])
