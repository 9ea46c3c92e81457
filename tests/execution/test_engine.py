"""Cells run in real kernels through our papermill engine, and every way that can end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_pipelines.execution import client
from jupyter_pipelines.execution.engine import KernelRequest, Outcome, execute_cells, prepare
from jupyter_pipelines.execution.kernels import pool


def notebook(*cells: str | NotebookNode) -> NotebookNode:
    return new_notebook(cells=[new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells])


def run(nb: NotebookNode, directory: Path, **options: object) -> Outcome:
    arguments: dict[str, object] = {"on_cell": lambda *_: None, "cancel": threading.Event(), "timeout": 60}
    env = options.pop("env", {})
    os.environ.pop("PYTEST_CURRENT_TEST", None)  # seeing it, ipykernel leaves descriptors 1 and 2 alone
    kernel = KernelRequest(str(options.pop("kernel", "python3")), directory, env)
    return execute_cells(nb, kernel, **{**arguments, **options})


def texts(cell: NotebookNode, name: str = "stdout") -> str:
    return "".join(output.text for output in cell.outputs if output.get("name") == name)


def test_outputs_are_what_jupyter_would_record(tmp_path: Path) -> None:
    nb = notebook(
        "import sys\nfor i in range(3): print(i)\nprint('warn', file=sys.stderr)\nprint('end')",
        "from IPython.display import display, clear_output\nh = display('first', display_id=True)\n"
        "print('\\r  1%', end='', flush=True); print('\\r100%', flush=True)",
        "h.update('second')\n41 + 1",
        "print('gone'); clear_output(wait=True); print('kept')",
        "print('gone'); clear_output(); None",
        "import subprocess; _ = subprocess.run(['echo', 'from a child'])",
        "# comment only",
        "",
    )
    outcome = run(nb, tmp_path)
    first, second, third, fourth, fifth, sixth, _, empty = outcome.notebook.cells
    assert outcome.error is None
    assert [(output.name, output.text) for output in first.outputs] == [
        ("stdout", "0\n1\n2\n"), ("stderr", "warn\n"), ("stdout", "end\n"),
    ] or texts(first) == "0\n1\n2\nend\n"  # the two streams reach us in either order  # fmt: skip
    assert second.outputs[0].data["text/plain"] == "'second'"  # updated from the next cell
    assert texts(second) == "100%\n"
    assert third.outputs[0].output_type == "execute_result"
    assert (third.execution_count, third.outputs[0].execution_count) == (3, 3)
    assert texts(fourth) == "kept\n"
    assert fifth.outputs == []
    assert texts(sixth) == "from a child\n"
    assert empty.execution_count is None
    nbformat.validate(outcome.notebook)
    assert nb.cells[0].outputs == []  # what was given is not changed


def test_a_long_silence_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client, "OUTPUT_SILENCE", 0.2)
    monkeypatch.setenv("JUPYTER_PIPELINES_WARM_KERNELS", "0")  # starting one leaves replies that nobody takes
    told: list[str] = []

    def on_cell(kind: str, position: int, payload: object) -> None:
        if kind == "finished" and isinstance(payload, dict):
            told.append("".join(output.get("text", "") for output in payload["outputs"]))

    outcome = run(notebook("import time\ntime.sleep(1)\nprint('late')", "print('next')"), tmp_path, on_cell=on_cell)
    assert outcome.error is None
    assert told == ["late\n", "next\n"]
    assert "did not say that it is idle" not in caplog.text


def test_widgets_and_comms(tmp_path: Path) -> None:
    pytest.importorskip("ipywidgets")
    outcome = run(
        notebook(
            "import ipywidgets\nslider = ipywidgets.IntSlider(value=7)\nslider",
            "out = ipywidgets.Output()\nwith out: print('inside')\nout",
        ),
        tmp_path,
    )
    states = outcome.notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    assert any(state["model_name"] == "IntSliderModel" and state["state"]["value"] == 7 for state in states)
    assert any(
        output["text"] == "inside\n"
        for state in states
        if state["model_name"] == "OutputModel"
        for output in state["state"]["outputs"]
    )
    assert "application/vnd.jupyter.widget-view+json" in outcome.notebook.cells[0].outputs[0].data


def test_late_output_goes_to_the_cell_that_caused_it(tmp_path: Path) -> None:
    outcome = run(
        notebook(
            "import asyncio\ngo = asyncio.Event()\n"
            "async def late():\n    await go.wait()\n    print('late')\n"
            "task = asyncio.create_task(late())",
            "go.set(); await task; print('here')",
        ),
        tmp_path,
    )
    assert [texts(cell) for cell in outcome.notebook.cells] == ["late\n", "here\n"]


def test_directories_and_environments_stay_apart_in_threads(tmp_path: Path) -> None:
    before = Path.cwd()
    outcomes: dict[str, Outcome] = {}

    def work(name: str) -> None:
        (tmp_path / name).mkdir()
        nb = notebook("import os, time\nfor _ in range(5): print(os.getcwd(), os.environ['NAME']); time.sleep(0.02)")
        outcomes[name] = run(nb, tmp_path / name, env={"NAME": name})

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, outcome in outcomes.items():
        assert set(texts(outcome.notebook.cells[0]).splitlines()) == {f"{tmp_path / name} {name}"}
    assert Path.cwd() == before


def test_a_failure_is_placed_and_nothing_runs_behind_it(tmp_path: Path) -> None:
    events: list[tuple[str, int]] = []
    hidden = new_code_cell("x = 1\nprint('secret')", metadata={"jupyter_pipelines": {"hidden": True, "index": None}})
    failing = new_code_cell("\n# here\n1 / 0", metadata={"jupyter_pipelines": {"hidden": False, "index": 7}})
    outcome = run(
        notebook(hidden, "x", failing, "print('never')"),
        tmp_path,
        on_cell=lambda kind, position, payload: events.append((kind, position)),
    )
    assert outcome.error is not None
    error = outcome.error
    assert (error.kind, error.cell, error.first_line, error.ename) == ("error", 7, "# here", "ZeroDivisionError")
    assert error.message == "ZeroDivisionError: division by zero"
    assert error.traceback
    cells = outcome.notebook.cells
    assert (cells[0].outputs, cells[0].execution_count) == ([], None)
    assert cells[1].execution_count == 1  # hidden cells do not count
    assert cells[2].outputs[-1].ename == "ZeroDivisionError"
    assert (cells[3].outputs, cells[3].execution_count, cells[3].metadata.papermill.status) == ([], None, "pending")
    assert events == [
        ("started", 0), ("finished", 0), ("started", 1), ("output", 1), ("finished", 1),
        ("started", 2), ("output", 2), ("finished", 2),
    ]  # fmt: skip


def test_a_hidden_cell_that_fails_shows_why(tmp_path: Path) -> None:
    hidden = new_code_cell("1 / 0", metadata={"jupyter_pipelines": {"hidden": True, "index": None}})
    outcome = run(notebook(hidden), tmp_path)
    assert outcome.error is not None
    assert outcome.error.cell is None
    assert outcome.notebook.cells[0].outputs[0].ename == "ZeroDivisionError"


def test_errors_that_are_allowed(tmp_path: Path) -> None:
    tagged = new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    outcome = run(notebook(tagged, "print('on')"), tmp_path)
    assert outcome.error is None
    assert texts(outcome.notebook.cells[1]) == "on\n"
    outcome = run(notebook("1 / 0", "print('on')"), tmp_path, allow_errors=True)
    assert outcome.error is None
    assert texts(outcome.notebook.cells[1]) == "on\n"


def test_input_is_refused(tmp_path: Path) -> None:
    outcome = run(notebook("name = input('who? ')"), tmp_path)
    assert outcome.error is not None
    assert (outcome.error.kind, outcome.error.fix) == ("error", "make it a parameter")


# It dies when its output was heard: what a kernel has not sent yet is lost with it.
DIES = """
print('before', flush=True)
import os, signal, time
while not os.path.exists('heard'):
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_kernel_that_dies_says_how_and_where(tmp_path: Path) -> None:
    def on_cell(kind: str, *_: object) -> None:
        if kind == "output":
            (tmp_path / "heard").touch()

    outcome = run(notebook(DIES.strip(), "1"), tmp_path, on_cell=on_cell)
    assert outcome.error is not None
    assert outcome.error.kind == "kernel-died"
    assert "signal 9, SIGKILL" in outcome.error.message
    assert outcome.error.first_line.startswith("print('before'")
    assert texts(outcome.notebook.cells[0]) == "before\n"
    assert outcome.notebook.cells[1].metadata.papermill.status == "pending"
    outcome = run(notebook("import os; os._exit(3)"), tmp_path)
    assert outcome.error is not None
    assert "exit code 3" in outcome.error.message


def test_the_cell_that_ends_the_process_at_once_is_blamed(tmp_path: Path) -> None:
    outcome = run(notebook("print('before')", "import os; os._exit(3)", "2"), tmp_path)
    assert outcome.error is not None
    assert outcome.error.first_line == "import os; os._exit(3)"
    assert texts(outcome.notebook.cells[0]) == "before\n"
    assert [cell.metadata.papermill.status for cell in outcome.notebook.cells] == ["completed", "failed", "pending"]


CHILDREN = """
import os, subprocess, sys, time
children = [
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]),
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True),
]
open("pids", "w").write(" ".join(str(pid) for pid in [os.getpid()] + [child.pid for child in children]))
os.rename("pids", "all-pids")
"""


def all_gone(file: Path) -> bool:
    pids = [int(pid) for pid in file.read_text().split()]
    assert len(pids) == 3
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


@pytest.mark.parametrize("ending", ["cancel", "timeout", "normal"])
def test_every_ending_takes_the_whole_process_tree(tmp_path: Path, ending: str) -> None:
    cancel, over = threading.Event(), threading.Event()
    ended = 0.0

    def stop_when_running() -> None:
        nonlocal ended
        while not (tmp_path / "all-pids").exists() and not over.wait(0.01):
            pass
        ended = time.monotonic()
        if ending == "cancel":
            cancel.set()

    if ending == "timeout":  # the time is for all of it: what a kernel needs to start must not be what is measured
        prepare(KernelRequest("python3", tmp_path), 1)
        while not all(stock._ready or stock.closed for stock in pool._stocks.values()):
            time.sleep(0.01)
    watcher = threading.Thread(target=stop_when_running)
    watcher.start()
    code = CHILDREN if ending == "normal" else CHILDREN + "\ntime.sleep(600)"
    began = time.monotonic()
    outcome = run(notebook(code), tmp_path, cancel=cancel, timeout=4 if ending == "timeout" else 60)
    took = time.monotonic() - (began + 4 if ending == "timeout" else ended)
    over.set()
    watcher.join()
    pool.close()
    assert all_gone(tmp_path / "all-pids")
    if ending == "normal":
        assert outcome.error is None
    else:
        assert took < 2  # 0.5 where nothing else runs
        assert outcome.error is not None
        assert outcome.error.kind == ("cancelled" if ending == "cancel" else "timeout")


def test_files_left_open_are_written_at_the_end(tmp_path: Path) -> None:
    outcome = run(
        notebook(
            "f = open('left-open.txt', 'w'); f.write('all of it')\nimport atexit; atexit.register(open, 'at-exit', 'w')"
        ),
        tmp_path,
    )
    assert outcome.error is None
    assert (tmp_path / "left-open.txt").read_text() == "all of it"
    assert (tmp_path / "at-exit").exists()


def test_a_flood_of_output_neither_hangs_nor_fills_the_memory(tmp_path: Path) -> None:
    before = psutil.Process().memory_info().rss
    outcome = run(notebook("line = 'x' * 9_999 + '\\n'\nfor _ in range(10_000): print(line, end='')"), tmp_path)
    text = texts(outcome.notebook.cells[0])
    assert outcome.error is None
    assert 20_000_000 <= len(text) < 20_001_000
    assert text.endswith("[80,000,000 more characters were printed here and are not kept]\n")
    assert psutil.Process().memory_info().rss - before < 400_000_000


def test_many_rich_outputs_all_arrive(tmp_path: Path) -> None:
    outcome = run(notebook("from IPython.display import display\nfor i in range(5000): display(i)"), tmp_path)
    assert [output.data["text/plain"] for output in outcome.notebook.cells[0].outputs] == [str(i) for i in range(5000)]


def test_an_unknown_kernel_lists_what_is_installed(tmp_path: Path) -> None:
    outcome = run(notebook("1"), tmp_path, kernel="no-such-kernel")
    assert outcome.error is not None
    assert "no kernel named 'no-such-kernel'" in outcome.error.message
    assert "python3" in outcome.error.message


def install_kernel(directory: Path, name: str, argv: str, language: str = "python") -> None:
    folder = directory / "kernels" / name
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(f'{{"argv": {argv}, "display_name": "{name}", "language": "{language}"}}')


def test_a_kernel_that_cannot_start_shows_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    argv = f'["{sys.executable}", "-c", "raise SystemExit(\'libfoo is missing\')", "{{connection_file}}"]'
    install_kernel(tmp_path, "broken", argv)
    outcome = run(notebook("1"), tmp_path, kernel="broken")
    assert outcome.error is not None
    assert outcome.error.kind == "kernel-died"
    assert "libfoo is missing" in outcome.error.message
    install_kernel(tmp_path, "absent", '["/no/such/command", "{connection_file}"]')
    outcome = run(notebook("1"), tmp_path, kernel="absent")
    assert outcome.error is not None
    assert "/no/such/command" in outcome.error.message + outcome.error.fix


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    outcome = run(notebook("1"), tmp_path / "gone")
    assert outcome.error is not None
    assert "does not exist" in outcome.error.message


def test_another_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("bash_kernel")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    argv = f'["{sys.executable}", "-m", "bash_kernel", "-f", "{{connection_file}}"]'
    install_kernel(tmp_path, "bash", argv, "bash")
    outcome = run(notebook("x=5", "echo $((x + 1)) $PWD", "false", "echo never"), tmp_path, kernel="bash")
    assert texts(outcome.notebook.cells[1]) == f"6 {tmp_path}\n"
    assert outcome.error is not None
    assert outcome.error.first_line == "false"
    assert outcome.notebook.cells[3].outputs == []


def test_anyone_can_use_the_engine_through_papermill(tmp_path: Path) -> None:
    nb = notebook("print('hello')", "1 / 0", "print('never')")
    nb.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nb, tmp_path / "in.ipynb")
    program = (
        "from papermill.engines import papermill_engines\n"
        "from jupyter_pipelines.execution.engine import PipelinesEngine\n"
        "papermill_engines.register('jupyter-pipelines', PipelinesEngine)\n"
        "from papermill.cli import papermill; papermill()"
    )
    command = [sys.executable, "-c", program, "--engine", "jupyter-pipelines", "in.ipynb", "out.ipynb"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr
    executed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    statuses = [cell.metadata.papermill.get("status") for cell in executed.cells if "papermill" in cell.metadata]
    assert statuses == ["completed", "failed", "pending"]
    assert [path.name for path in tmp_path.iterdir()] in (["in.ipynb", "out.ipynb"], ["out.ipynb", "in.ipynb"])
