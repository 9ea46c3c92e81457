"""Checks that run something: a kernel, papermill with our engine, a pipeline of two steps, the store, DuckDB."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.cli.doctor.check import ProblemError

if TYPE_CHECKING:
    from nbformat import NotebookNode

_ENGINE = "jupyter-pipelines"


def kernel() -> str:
    """A kernel starts and runs a cell."""
    import threading

    from jupyter_pipelines.execution.engine import KernelRequest, execute_cells

    with tempfile.TemporaryDirectory() as folder:
        outcome = execute_cells(
            _notebook("import sys; print(6 * 7, sys.executable)"),
            KernelRequest("python3", Path(folder)),
            on_cell=lambda *_: None,
            cancel=threading.Event(),
            timeout=60,
        )
    if outcome.error is not None:
        raise ProblemError(outcome.error.message, outcome.error.fix or "pip install ipykernel, into this environment")
    answer, _, executable = _printed(outcome.notebook).partition(" ")
    if answer != "42":
        raise ProblemError(f"the kernel answered {answer!r} to 6 * 7", "jupyter kernelspec list shows what is started")
    return f"started in {outcome.kernel_seconds:.1f} s, Python at {executable}"


def papermill() -> str:
    """Papermill knows our engine by its entry point and runs a notebook with it."""
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillException
    from papermill.execute import execute_notebook

    papermill_engines.register_entry_points()
    try:
        papermill_engines.get_engine(_ENGINE)
    except PapermillException:
        raise ProblemError(
            f"papermill does not know the engine {_ENGINE}", "install the package again: its entry point is missing"
        ) from None
    notebook = execute_notebook(
        _notebook("print(6 * 7)"), None, engine_name=_ENGINE, kernel_name="python3", progress_bar=False
    )
    if _printed(notebook) != "42":
        raise ProblemError("the engine ran a cell, but its output is missing", "report this, it is a mistake of ours")
    return f"the engine {_ENGINE} runs notebooks"


def store() -> str:
    """The store can be written, and gives back what was put in."""
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.store import Store

    place = Store(Settings.load().store)
    probe = place.objects / f"doctor-{os.getpid()}"  # not at an address: nobody takes it for an object
    content = os.urandom(1 << 20)
    try:
        with probe.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if probe.read_bytes() != content:
            raise ProblemError(f"{place.root} gives back other bytes than were written", "check the disk")
    except OSError as error:
        raise ProblemError(
            f"{place.root} cannot be written: {error.strerror}", "set JUPYTER_PIPELINES_STORE to another folder"
        ) from None
    finally:
        probe.unlink(missing_ok=True)
    import shutil

    free = shutil.disk_usage(place.root).free
    return f"{place.root}, {free / 1e9:.0f} GB free"


def duckdb() -> str:
    """DuckDB opens a file, writes a table and reads it in a second connection."""
    import duckdb as database

    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "doctor.duckdb")
        with database.connect(path) as connection:
            connection.execute("create table answers as select 6 * 7 as answer")
        with database.connect(path) as connection:
            row = connection.execute("select answer from answers").fetchone()
    if row != (42,):
        raise ProblemError(f"DuckDB answered {row!r} to 6 * 7", "pip install --force-reinstall duckdb")
    return f"version {database.__version__}"


def warehouse() -> str:
    """The process that owns a warehouse starts, two sessions see the same table, and its file is given back."""
    import time

    from jupyter_pipelines.warehouse import Warehouse
    from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "doctor.duckdb"
        began = time.monotonic()
        try:
            session = RemoteSession(WarehouseFiles.of(path))
            session.execute("create table answers as select 6 * $factor as answer", {"factor": 7})
            seconds = time.monotonic() - began
            session.close()
            answers = Warehouse(path).sql("from answers").to_pylist()
        finally:
            Warehouse(path).release(force=True)
    if answers != [{"answer": 42}]:
        raise ProblemError(f"the warehouse answered {answers!r} to 6 * 7", "pip install --force-reinstall pyarrow")
    return f"its owner started in {seconds:.1f} s"


def sources() -> str:
    """The external sources are declared so that they can be read; they are not asked."""
    from jupyter_pipelines.warehouse.sources import sources as declared

    found = declared()
    for name in found.names():
        found.get(name)
    return ", ".join(found.names()) or "none are declared"


def pipeline() -> str:
    """A notebook of two steps runs as a Prefect flow, and a frame goes unchanged from one step to the other."""
    import importlib.util

    import nbformat

    from jupyter_pipelines.orchestration import run
    from jupyter_pipelines.verification.scratch import scratch_store

    if importlib.util.find_spec("pandas"):
        made = "import pandas\ntable = pandas.DataFrame({'n': range(1000), 'word': ['é'] * 1000})"
        used = "assert table.n.sum() == 499500 and set(table.word) == {'é'}"
    else:
        made = "table = {'n': list(range(1000))}"
        used = "assert sum(table['n']) == 499500"
    notebook = _notebook(made, used)
    for cell, name in zip(notebook.cells, ("make", "use"), strict=True):
        cell.metadata["tags"] = [f"step:{name}"]
    with scratch_store() as folder:
        path = folder / "doctor.ipynb"
        nbformat.write(notebook, path)
        record = run(path)
    if record.state != "completed":
        said = next((step.error for step in record.steps if step.error), record.error)
        raise ProblemError(f"the run {record.state}: {said}", "report this, with what `doctor --format json` says")
    return f"two steps in {record.ended - record.started:.1f} s"


def _notebook(*sources: str) -> NotebookNode:
    from nbformat.v4 import new_code_cell, new_notebook

    kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook: NotebookNode = new_notebook(
        cells=[new_code_cell(source) for source in sources], metadata={"kernelspec": kernelspec}
    )
    return notebook


def _printed(notebook: NotebookNode) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output["text"] for output in outputs if output["output_type"] == "stream").strip()
