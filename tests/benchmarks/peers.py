"""The six-step diamond in other tools, each in an environment of its own that is kept under the user's cache.

Each is run as its documentation has it, with what makes it faster than its defaults where that changes no result:
telemetry and version checks off, bytecode compiled ahead, two processes where it can run steps in parallel. All steps
run. What no longer installs or runs is skipped, and said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import notebooks
from diamond import check_answer
from measure import Row, Skipped, Table, drive, run, scratch, service, timed

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "jupyter-pipelines-benchmarks"
COMMON = ("ipykernel", "nbformat", "numpy", "pandas", "scikit-learn")
Measure = TypeVar("Measure", bound=Callable[..., float])
QUIET = {"DO_NOT_TRACK": "1", "PLOOMBER_STATS_ENABLED": "false", "MARIMO_SKIP_UPDATE_CHECK": "1"}


@dataclass(frozen=True)
class Peer(Generic[Measure]):
    """``measure(folder, environment)`` gives the seconds of one run of the diamond. ``common``: what all need."""

    name: str
    requirements: tuple[str, ...]
    measure: Measure
    note: str
    common: tuple[str, ...] = COMMON


def benchmark() -> list[Table]:
    work = notebooks.DIAMOND
    with scratch() as folder, service():
        path = notebooks.write(notebooks.tagged(work), folder / "diamond.ipynb")
        ours = drive("pipeline_runs", 4, path)
    rows = [
        Row("ours", ours["first"], "new process, service up; kernel per step; one executed notebook"),
        Row("ours, again", statistics.median(ours["again"]), "in the same process"),
    ]
    for peer in PEERS:
        try:
            with scratch() as folder:
                rows.append(Row(peer.name, peer.measure(folder, environment(peer)), peer.note))
        except Skipped as error:
            print(f"skipped {peer.name}: {error}", file=sys.stderr, flush=True)
    return [Table("Six-step diamond in other tools", "ours", rows, how="From the start of the command to its end.")]


def environment(peer: Peer[Any]) -> Path:
    """The peer's virtual environment, made at its first use."""
    home = CACHE / peer.requirements[0]
    python = home / "bin" / "python"
    wanted = [*peer.requirements, *peer.common]
    made = home / "made.json"
    if made.exists() and json.loads(made.read_text()) == wanted:
        return home
    print(f"installing {peer.name} into {home} …", file=sys.stderr, flush=True)
    uv = shutil.which("uv")
    if uv:
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home])
        run([uv, "pip", "install", "--quiet", "--python", python, *wanted])
    else:
        run([sys.executable, "-m", "venv", "--clear", home])
        run([python, "-m", "pip", "install", "--quiet", *wanted])
    run([python, "-m", "compileall", "-q", "-j", "2", home / "lib"], check=False)
    made.write_text(json.dumps(wanted))
    return home


# --- ploomber: one notebook per task, `upstream` declared by hand, files between ------------------------------------


def ploomber(folder: Path, home: Path) -> float:
    work = notebooks.DIAMOND
    tasks = ["executor:", "  dotted_path: ploomber.executors.Parallel", "  processes: 2", "tasks:"]
    for step in work.steps:
        producers = {value: work.producer(value, step.name) for value in step.takes}
        upstream = json.dumps(sorted({*step.after, *producers.values()})) if step.after else "None"
        load = [f"{v} = pickle.load(open(upstream[{task!r}][{v!r}], 'rb'))" for v, task in producers.items()]
        save = [f"pickle.dump({value}, open(product[{value!r}], 'wb'))" for value in step.leaves]
        cells = [
            ("parameters", f"upstream = {upstream}\nproduct = None"),
            ("", "\n".join(["import pickle", work.setup, *load, step.source, *save])),
        ]
        notebooks.write(notebooks.notebook(cells), folder / f"{step.name}.ipynb")
        tasks += [f"- source: {step.name}.ipynb", f"  name: {step.name}", "  static_analysis: disable", "  product:"]
        tasks += [f"    nb: products/{step.name}.ipynb", *(f"    {v}: products/{v}.pickle" for v in step.leaves)]
    (folder / "pipeline.yaml").write_text("\n".join(tasks) + "\n")
    seconds = timed([home / "bin" / "ploomber", "build", "--force"], 1, cwd=folder, env=_path(home))
    check_answer(folder / "products" / "report.ipynb")
    return seconds


# --- dagstermill: one notebook per op, wired in Python, pickles between ---------------------------------------------


def dagstermill(folder: Path, home: Path) -> float:
    for step in notebooks.DIAMOND.steps:
        parameters = "\n".join(f"{value} = None" for value in step.takes) or "pass"
        body = f"import dagstermill\n{notebooks.DIAMOND.setup}\n{step.source}"
        leave = [("", f"dagstermill.yield_result({value}, output_name={value!r})") for value in step.leaves]
        cells = [("parameters", parameters), ("", body), *leave]
        notebooks.write(notebooks.notebook(cells), folder / f"{step.name}.ipynb")
    (folder / "work.json").write_text(json.dumps(asdict(notebooks.DIAMOND)))
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    shutil.copy(Path(__file__).parent / "drivers" / "dagster_job.py", folder)
    command = [home / "bin" / "python", folder / "dagster_job.py"]
    return timed(command, 1, cwd=folder, env={**_path(home), "DAGSTER_HOME": str(folder)})


# --- Kale: the same notebook with its tags and edges by hand; compiled for Kubeflow, run by kfp's local runner -------


def kale(folder: Path, home: Path) -> float:
    notebooks.write(notebooks.kale(notebooks.DIAMOND), folder / "diamond.ipynb")
    run([home / "bin" / "kale", "--nb", "diamond.ipynb"], cwd=folder, env=_path(home))
    pipeline = folder / ".kale" / "kale-pipeline.kale.py"
    # Its components would install their packages with pip each time; they are there already.
    installed = "packages_to_install=[], install_kfp_package=False"
    text = re.sub(r"packages_to_install=\[.*?\]", installed, pipeline.read_text(), flags=re.DOTALL)
    # The folder it hands values over in is fixed; nobody else's is touched.
    pipeline.write_text(text.replace("/tmp/marshal", str(folder / "marshal")))
    driver = Path(__file__).parent / "drivers" / "kale_local.py"
    seconds = timed([home / "bin" / "python", driver, pipeline], 1, cwd=folder, env=_path(home))
    check_answer(next((folder / "root").rglob("report_html_report")))
    return seconds


# --- jupyter-scheduler: the whole notebook in one kernel, as a job of a server that is up ---------------------------


def scheduler(folder: Path, home: Path) -> float:
    notebooks.write(notebooks.tagged(notebooks.DIAMOND), folder / "diamond.ipynb")
    answer = drive("scheduler_job", folder, python=home / "bin" / "python", env=_path(home))
    check_answer(next((folder / "data").rglob("diamond-*.ipynb")))
    return float(answer["seconds"])


# --- marimo: one process, cells in the order of their names, `name` defined once ------------------------------------


def marimo(folder: Path, home: Path) -> float:
    notebooks.write(notebooks.tagged(notebooks.DIAMOND), folder / "diamond.ipynb")
    run([home / "bin" / "marimo", "convert", "diamond.ipynb", "-o", "diamond.py"], cwd=folder, env=_path(home))
    export = [home / "bin" / "marimo", "export", "ipynb", "--include-outputs", "diamond.py", "-o", "out.ipynb", "-f"]
    seconds = timed(export, 1, cwd=folder, env=_path(home))
    check_answer(folder / "out.ipynb")
    return seconds


def _path(home: Path) -> dict[str, str]:
    """The environment of a shell in which the peer's virtual environment is active."""
    jupyter = {name: "" for name in os.environ if name.startswith("JUPYTER")}
    return {**QUIET, **jupyter, "VIRTUAL_ENV": str(home), "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"}


PEERS = (
    # setuptools: it imports pkg_resources, which later ones have not
    Peer("ploomber", ("ploomber", "setuptools<81"), ploomber, "`ploomber build`, 2 processes, pickle files between"),
    Peer("dagstermill", ("dagstermill", "dagster"), dagstermill, "multiprocess executor, 2 at once, pickle between"),
    Peer("Kale", ("kubeflow-kale",), kale, "run by `kfp.local`, without containers; steps one after the other"),
    Peer("jupyter-scheduler", ("jupyter-scheduler",), scheduler, "one kernel; from the request to the job's end"),
    Peer("marimo", ("marimo",), marimo, "one process, no kernels; `marimo export ipynb --include-outputs`"),
)
