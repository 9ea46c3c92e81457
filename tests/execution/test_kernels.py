"""Ready kernels: they behave like new ones, can always be done without, and leave nothing behind."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_pipelines.execution.engine import KernelRequest, Outcome, execute_cells, prepare
from jupyter_pipelines.execution.kernels import pool

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    pool.close()  # other tests leave stocks that nobody waits for
    yield
    pool.close()


def run(directory: Path, *cells: str, imports: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Outcome:
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    request = KernelRequest("python3", directory, env or {}, imports)
    nb = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    return execute_cells(nb, request, on_cell=lambda *_: None, cancel=threading.Event(), timeout=60)


def make_ready(
    directory: Path, imports: tuple[str, ...] = (), env: dict[str, str] | None = None, count: int = 1
) -> None:
    """Prepare kernels and wait until one is ready."""
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    prepare(KernelRequest("python3", directory, env or {}, imports), count)
    wait_until(lambda: all(stock._ready or stock.closed for stock in pool._stocks.values()))


def wait_until(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def text(cell: NotebookNode) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


DESCRIBE = """
import json, os, signal, sys
print(json.dumps({
    "cwd": os.getcwd(), "a": os.environ.get("A"), "backend": os.environ["MPLBACKEND"], "argv": sys.argv[0],
    "path": sys.path, "main": __name__, "names": sorted(n for n in globals() if not n.startswith("_")),
    "stdin": os.readlink("/proc/self/fd/0") in ("/dev/null",) or "pipe" in os.readlink("/proc/self/fd/0"),
    "leads_its_group": os.getpgrp() == os.getpid() == os.getsid(0),
    "sigint": str(signal.getsignal(signal.SIGINT)), "sigterm": str(signal.getsignal(signal.SIGTERM)),
    "shell": type(get_ipython()).__name__, "cache": get_ipython().execution_count,
    "environ": sorted(n for n in os.environ if not n.startswith(("JPY_", "JUPYTER_PIPELINES_"))),
    "hidden": [n for n in os.environ if n == "JUPYTER_PIPELINES_LEASH"],
    "known": {"json", "ipykernel"} <= get_ipython()._sys_modules_keys and json.__file__ in sorted(
        getattr(get_ipython().kernel, "_kernel_modules", [json.__file__])
    ),
    "sys": __import__("ipykernel.ipkernel").ipkernel.sys is sys,
}))
"""


def test_a_ready_kernel_is_like_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    imports = ("import json", "import numpy as np")
    make_ready(tmp_path, imports, {"A": "1"})
    began = time.monotonic()
    warm = run(
        tmp_path,
        DESCRIBE,
        "x = 5\nx",
        "import numpy; print(len(numpy.random.rand(3)))",
        imports=imports,
        env={"A": "1"},
    )
    assert warm.kernel_seconds < 0.5, f"not taken from the pool: {time.monotonic() - began}"
    monkeypatch.setenv("JUPYTER_PIPELINES_WARM_KERNELS", "0")
    cold = run(tmp_path, DESCRIBE, "x = 5\nx", env={"A": "1"})
    monkeypatch.delenv("JUPYTER_PIPELINES_WARM_KERNELS")
    assert (warm.error, cold.error) == (None, None)
    described = [json.loads(text(outcome.notebook.cells[0])) for outcome in (warm, cold)]
    assert described[0] == described[1]
    assert described[0]["cwd"] == str(tmp_path)
    assert warm.notebook.cells[1].outputs == cold.notebook.cells[1].outputs


def test_figures_show_and_widgets_work(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    imports = ("import matplotlib.pyplot as plt", "import ipywidgets")
    make_ready(tmp_path, imports)
    outcome = run(
        tmp_path,
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "import ipywidgets; ipywidgets.IntSlider()",
        imports=imports,
    )
    assert outcome.error is None
    assert outcome.kernel_seconds < 0.5
    assert "image/png" in outcome.notebook.cells[0].outputs[-1].data
    assert "application/vnd.jupyter.widget-view+json" in outcome.notebook.cells[1].outputs[0].data


USES = {
    "numpy": "import numpy as np; a = np.random.rand(800, 800); (a @ a).sum()",
    "sklearn": "from sklearn.ensemble import HistGradientBoostingRegressor as H; import numpy as np\n"
    "from sklearn.cluster import KMeans\nX = np.random.rand(2000, 5); H(max_iter=5).fit(X, X[:, 0]); KMeans(3).fit(X)",
    "pyarrow": "import pyarrow as pa, pyarrow.compute as pc; pc.sum(pa.array(range(100000)))",
    "polars": "import polars as pl; pl.DataFrame({'a': range(100000)}).group_by(pl.col('a') % 7).len().shape",
    "duckdb": "import duckdb; duckdb.sql('select sum(i) from range(1000000) t(i)').fetchall()",
    "matplotlib": "import matplotlib.pyplot as plt; plt.plot([1]); plt.savefig('x.png')",
    "numba": "import numba; numba.njit(parallel=True)(lambda n: n + 1)(1)",
    "lightgbm": "import lightgbm, numpy as np; X = np.random.rand(500, 3)\n"
    "lightgbm.LGBMRegressor(n_estimators=3).fit(X, X[:, 0])",
    "xgboost": "import xgboost, numpy as np; X = np.random.rand(500, 3)\n"
    "xgboost.XGBRegressor(n_estimators=3).fit(X, X[:, 0])",
}


@pytest.mark.slow
def test_libraries_that_dislike_fork(tmp_path: Path) -> None:
    import importlib.util

    there = [name for name in USES if importlib.util.find_spec(name)]
    imports = tuple(f"import {name}" for name in there)
    make_ready(tmp_path, imports, count=4)
    kernels = []
    for _ in range(3):
        outcome = run(tmp_path, *(USES[name] for name in there), imports=imports)
        assert outcome.error is None, outcome.error.message
        kernels.append(outcome.kernel_seconds)
        make_ready(tmp_path, imports)
    assert min(kernels) < 0.5


def test_random_numbers_differ_between_kernels(tmp_path: Path) -> None:
    imports = ("import numpy",)
    drawn = set()
    for _ in range(2):
        make_ready(tmp_path, imports, count=2)
        outcome = run(tmp_path, "import random, numpy\nprint(random.random(), numpy.random.rand())", imports=imports)
        assert outcome.kernel_seconds < 0.5
        drawn.update(text(outcome.notebook.cells[0]).split())
    assert len(drawn) == 4


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("print('hello from the import')", "hello from the import\nVALUE 7\n"),
        ("import time; time.sleep(0.3)", "VALUE 7\n"),
        ("raise RuntimeError('broken')", None),
        ("import sys; sys.exit(3)", None),
        ("import os; os._exit(3)", None),
        ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "VALUE 7\n"),
        ("import os; os.environ['SET_BY_IMPORT'] = 'yes'", "VALUE 7\n"),
        ("from IPython import get_ipython; shell = get_ipython(); assert shell is not None", "VALUE 7\n"),
    ],
    ids=["prints", "sleeps", "fails", "exits", "dies", "threads", "environ", "asks"],
)
def test_a_setup_import_that_misbehaves_behaves_as_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, expected: str | None
) -> None:
    packages = tmp_path / "site-packages"  # looks installed, so that it is imported ahead
    packages.mkdir()
    (packages / "odd_module.py").write_text(f"value = 7\n{body}\n")
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    imports = ("import json", "import odd_module")
    make_ready(tmp_path, imports)
    outcome = run(
        tmp_path / "work",
        "import odd_module\nprint('VALUE', odd_module.value)",
        "import os; print(os.environ.get('SET_BY_IMPORT'))",
        imports=imports,
    )
    assert outcome.kernel_seconds < 0.5
    if expected is None:
        assert outcome.error is not None
    else:
        assert outcome.error is None
        assert text(outcome.notebook.cells[0]) == expected
        assert text(outcome.notebook.cells[1]).strip() == ("yes" if "SET_BY_IMPORT" in body else "None")


def test_modules_beside_the_notebook_and_changed_ones_are_not_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, work = tmp_path / "site-packages", tmp_path / "work"
    for folder in (packages, work):
        folder.mkdir()
    (packages / "twice_there.py").write_text("where = 'installed'\n")
    (work / "beside.py").write_text("where = 'beside'\n")
    monkeypatch.setenv("PYTHONPATH", str(packages))
    imports = ("import twice_there", "import beside")
    code = "import twice_there, beside; print(twice_there.where, beside.where)"
    make_ready(work, imports, count=2)
    assert text(run(work, code, imports=imports).notebook.cells[0]) == "installed beside\n"
    make_ready(work, imports, count=2)
    (work / "twice_there.py").write_text("where = 'shadow'\n")
    # PYTHONPATH comes before the working directory; what counts is that ready and new kernels agree.
    monkeypatch.setenv("JUPYTER_PIPELINES_WARM_KERNELS", "0")
    fresh = text(run(work, code).notebook.cells[0])
    monkeypatch.delenv("JUPYTER_PIPELINES_WARM_KERNELS")
    assert text(run(work, code, imports=imports).notebook.cells[0]) == fresh
    (work / "twice_there.py").unlink()
    make_ready(work, imports, count=2)
    (packages / "twice_there.py").write_text("where = 'upgraded'\n")
    (packages / "new_file.py").write_text("")  # as an installation does
    assert text(run(work, code, imports=imports).notebook.cells[0]) == "upgraded beside\n"


def test_steps_in_a_row_leave_nothing_behind(tmp_path: Path) -> None:
    def state() -> tuple[int, int, int]:
        gc.collect()
        files = [
            name for name in os.listdir(tempfile.gettempdir()) if name.startswith(f"jupyter-pipelines-{os.getpid()}-")
        ]
        return len(psutil.Process().children(recursive=True)), psutil.Process().num_fds(), len(files)

    make_ready(tmp_path, count=100)
    for _ in range(3):
        run(tmp_path, "1")
    wait_until(lambda: all(len(stock._ready) == pool.MAX_READY for stock in pool._stocks.values()))
    before = state()
    for _ in range(50):
        assert run(tmp_path, "1").error is None
    wait_until(lambda: all(len(stock._ready) == pool.MAX_READY for stock in pool._stocks.values()))
    assert state() == before


def test_kill_9_of_zygote_and_ready_kernels(tmp_path: Path) -> None:
    make_ready(tmp_path, count=10)
    stock = next(iter(pool._stocks.values()))
    wait_until(lambda: len(stock._ready) == pool.MAX_READY)
    assert stock._zygote is not None
    os.kill(stock._zygote._process.pid, signal.SIGKILL)
    assert run(tmp_path, "1").error is None  # was ready, lives on
    for ready in list(stock._ready):
        os.kill(ready.process.pid, signal.SIGKILL)
    assert run(tmp_path, "1").error is None
    wait_until(lambda: bool(stock._ready) or stock.closed)
    assert not stock.closed
    assert run(tmp_path, "1").kernel_seconds < 0.5
    outcome = run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert outcome.error is not None
    assert outcome.error.kind == "kernel-died"
    assert "signal 9, SIGKILL" in outcome.error.message


OWNER = """
import sys, threading
from pathlib import Path
import nbformat.v4 as v4
from jupyter_pipelines.execution.engine import KernelRequest, execute_cells, prepare
request = KernelRequest("python3", Path(sys.argv[1]))
if sys.argv[2] == "warm":
    from jupyter_pipelines.execution.kernels import pool
    import time
    prepare(request, 5)
    while not any(stock._ready for stock in pool._stocks.values()):
        time.sleep(0.01)
code = "import subprocess, os; c = subprocess.Popen(['sleep', '600']); open('pid', 'w').write(str(os.getpid()))\\n"
code += "subprocess.Popen(['sleep', '600'], start_new_session=True)\\n"
code += "os.rename('pid', 'running'); c.wait()"
execute_cells(v4.new_notebook(cells=[v4.new_code_cell(code)]), request, on_cell=lambda *_: None,
              cancel=threading.Event(), timeout=None)
"""


@pytest.mark.parametrize("kind", ["warm", "cold"])
def test_kill_9_of_our_process_leaves_no_orphans(tmp_path: Path, kind: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(tmp_path), kind])
    wait_until((tmp_path / "running").exists)
    family = psutil.Process(owner.pid).children(recursive=True)
    assert len(family) >= (5 if kind == "warm" else 3)
    owner.kill()
    owner.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("ready", [True, False], ids=["ready", "new"])
def test_threads_wait_asleep_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ready: bool
) -> None:
    """Threads that spin take the processors from the step beside theirs. How many there are is left alone."""
    code = "import os; print(os.environ['OMP_WAIT_POLICY'], os.environ.get('OMP_NUM_THREADS'))"
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    if ready:
        make_ready(tmp_path)
    assert text(run(tmp_path, code).notebook.cells[0]) == "PASSIVE None\n"
    assert text(run(tmp_path, code, env={"OMP_WAIT_POLICY": "ACTIVE"}).notebook.cells[0]) == "ACTIVE None\n"


def test_nothing_runs_behind_a_failure_that_was_sent_before(tmp_path: Path) -> None:
    cells = ["1", "raise RuntimeError('here')", *["open('ran', 'a').close()"] * 6]
    outcome = run(tmp_path, *cells)
    assert outcome.error is not None
    assert "here" in outcome.error.message
    assert [cell.execution_count for cell in outcome.notebook.cells] == [1, 2, *[None] * 6]
    assert not (tmp_path / "ran").exists()


def test_two_directories_at_once(tmp_path: Path) -> None:
    make_ready(tmp_path, count=6)
    outcomes: dict[str, Outcome] = {}

    def work(name: str) -> None:
        (tmp_path / name).mkdir()
        outcomes[name] = run(tmp_path / name, "import os; print(os.getcwd()); open('here', 'w').close()")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name, outcome in outcomes.items():
        assert text(outcome.notebook.cells[0]) == f"{tmp_path / name}\n"
        assert (tmp_path / name / "here").exists()


def test_files_left_open_are_written_when_a_ready_kernel_ends(tmp_path: Path) -> None:
    make_ready(tmp_path)
    outcome = run(
        tmp_path,
        "f = open('left-open.txt', 'w'); f.write('all of it')\nimport atexit; atexit.register(open, 'at-exit', 'w')",
    )
    assert outcome.kernel_seconds < 0.5
    assert (tmp_path / "left-open.txt").read_text() == "all of it"
    assert (tmp_path / "at-exit").exists()


def test_kernels_started_ahead_the_ordinary_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool.sys, "platform", "darwin")
    make_ready(tmp_path, env={"A": "1"})
    monkeypatch.undo()
    outcome = run(tmp_path, "import os; print(os.getcwd(), os.environ['A'])", "input()", env={"A": "1"})
    assert outcome.kernel_seconds < 0.5
    assert text(outcome.notebook.cells[0]) == f"{tmp_path} 1\n"
    assert outcome.error is not None
    assert outcome.error.ename == "StdinNotImplementedError"
