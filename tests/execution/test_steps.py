"""Running a step: what it is given, what it hands over, what it must not do, and how it ends."""
# ruff: noqa: E501, ISC004  (notebooks, one cell in a line)

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from jupyter_pipelines.errors import StoreError
from jupyter_pipelines.execution.containers import container_path, load_values, verify_container
from jupyter_pipelines.notebook.model import StepOptions


def test_a_step_runs_like_the_notebook_would(make_notebook) -> None:
    notebook = make_notebook(
        parameters="n: int = 1",
        setup="import sys, os\n%matplotlib inline\nhelper = n + 1",
        a="total = helper * 10\ntotal",
        b="print(__name__, os.path.realpath(os.getcwd()), sys.path[0] == '', total, n)\nIn[-1][:5], len(In)",
    )
    made = notebook.run("a", outputs=("total",), setup_names=("helper",), parameters={"n": 4})
    assert made.state == "completed", made.error
    assert [(index, cell.execution_count) for index, cell in made.cells.items()] == [(0, 1), (1, 2), (2, 3)]
    assert made.cells[2].outputs[0].data["text/plain"] == "50"
    assert made.cells[2].outputs[0].execution_count == 3
    assert made.outputs["total"].summary == "50"
    assert set(made.setup_digests) == {"helper"}

    read = notebook.run("b", inputs=("total",), guarded=("total",), parameters={"n": 4})
    assert read.state == "completed", read.error
    assert notebook.text(read) == f"__main__ {os.path.realpath(notebook.folder)} True 50 4\n('print', 5)"
    kinds = [(event.kind, event.cell) for event in notebook.events if event.step == "b"]
    assert kinds[0] == ("step-started", None)
    assert kinds[-1] == ("step-finished", None)
    assert ("cell-started", 3) in kinds
    assert ("output", 3) in kinds


def test_nothing_of_ours_is_in_the_namespace(make_notebook) -> None:
    notebook = make_notebook(
        a="open = exec = compile = print\nx = 1", b="found = sorted(n for n in dir() if 'pipeline' in n.lower())\nfound"
    )
    made = notebook.run("a", outputs=("x",))
    assert made.state == "completed", made.error
    read = notebook.run("b", inputs=("x",))
    assert notebook.text(read) == "[]"


def test_no_library_is_imported_by_us(make_notebook) -> None:
    notebook = make_notebook(
        a="import sys\nsorted({'numpy', 'pandas', 'polars', 'matplotlib', 'torch'} & set(sys.modules))"
    )
    assert notebook.text(notebook.run("a")) == "[]"


def test_definitions_are_replayed_with_the_lines_of_their_cell(make_notebook) -> None:
    notebook = make_notebook(a="class Thing:\n    v = 1\nthing = Thing()", b="isinstance(thing, Thing)")
    notebook.run("a", outputs=("thing",))
    read = notebook.run("b", inputs=("thing",), definitions=("class Thing:\n    v = 1",))
    assert notebook.text(read) == "True"


def test_a_value_whose_definition_is_not_there_is_refused(make_notebook) -> None:
    notebook = make_notebook(a="class Thing: pass\nthing = Thing()", b="thing")
    notebook.run("a", outputs=("thing",))
    read = notebook.run("b", inputs=("thing",))
    assert (read.state, read.error.kind) == ("refused", "refused")
    assert "`thing` is made with `Thing`" in read.error.message
    assert "setup cell" in read.error.fix
    assert 1 not in read.cells


class TestSharing:
    def test_names_of_one_object_stay_one_object(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import numpy as np, pandas as pd",
            a="""
lst = [1]; also = {'inner': lst}; apart = [1]
arr = np.zeros(10); tail = arr[5:]; column = np.zeros((9, 9))[:, 1]
big = np.zeros(100_000); part = big[::2]
things = np.array([[1], [2], [3]], dtype=object); one = things[1:]
base = np.arange(6.0); held = {'all': base, 'rows': base.reshape(2, 3), 'back': base[::-1]}
frame = pd.DataFrame({'a': [1, 2]}); piece = frame[['a']]; same = frame
""",
            b="""
also['inner'].append(2); tail[0] = 7; part[1] = 3; one[0] = 'new'; held['rows'][0, 0] = 50; frame.loc[0, 'a'] = 99
print(lst, apart, arr[5], big[2], things[1], held['all'][0], held['back'][-1], piece.iloc[0, 0], same is frame)
""",
        )
        names = (
            "lst", "also", "apart", "arr", "tail", "column", "big", "part", "things", "one", "held", "frame", "piece", "same"
        )  # fmt: skip
        made = notebook.run("a", outputs=names)
        assert made.state == "completed", made.error
        together = {" ".join(sorted(group)) for group in made.observed.aliases}
        assert together == {"also lst", "arr tail", "big part", "one things", "frame same"}
        read = notebook.run("b", inputs=names)
        assert read.state == "completed", read.error
        assert notebook.text(read) == "[1, 2] [1] 7.0 3.0 ['new'] 50.0 50.0 1 True\n"

    def test_sharing_with_an_input_is_reported(self, make_notebook) -> None:
        notebook = make_notebook(a="data = [1]", b="alias = {'of': data}")
        notebook.run("a", outputs=("data",))
        made = notebook.run("b", inputs=("data",), guarded=("data",), outputs=("alias",))
        assert made.observed.aliases == (("alias", "data"),)

    def test_a_value_is_read_without_what_another_needs_and_can_be_deleted(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import weakref\nclass Thing: pass",
            a="class Model: pass\nmodel = Model(); thing = Thing()",
            b="seen = weakref.ref(thing); del thing\nseen() is None",
        )
        notebook.run("a", outputs=("model", "thing"))
        assert notebook.text(notebook.run("b", inputs=("thing",))) == "True"


class TestIdentity:
    def test_what_is_compared_with_is(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import math, dataclasses, inspect, collections, enum\nimport numpy as np, pandas as pd\n"
            "Pair = collections.namedtuple('Pair', 'left right')\nMade = dataclasses.make_dataclass('Made', ['v'])\n"
            "Colour = enum.Enum('Colour', 'RED BLUE')\n_missing = object()\n"
            "def given(value=_missing): return value is not _missing",
            a="own = float('nan')\nx = [math.nan, np.nan, own, own, {np.nan: 1}, pd.Series([np.nan, 'a'], dtype=object)]\n"
            "y = [Pair(1, 2), Made(3), Colour.RED, Pair]\n"
            "z = [_missing, ..., NotImplemented, pd.NA, pd.NaT, dataclasses.MISSING, inspect.Parameter.empty,\n"
            "     inspect.signature(given), dataclasses.fields(Made)[0].default, np._NoValue, np.ma.masked]\n"
            "local = object(); Late = collections.namedtuple('Late', 'a'); w = [local, local, Late(1), object()]",
            b="Late = collections.namedtuple('Late', 'a')\nprint(x[0] is math.nan, x[1] is np.nan, x[2] is x[3] is not x[1], x[4][np.nan], x[5][0] is np.nan)\n"
            "print(type(y[0]) is Pair, type(y[1]) is Made, y[2] is Colour.RED, y[3] is Pair, len(dataclasses.fields(y[1])))\n"
            "print(z[0] is _missing, given(z[0]), z[1] is ..., z[2] is NotImplemented, z[3] is pd.NA, z[4] is pd.NaT,\n"
            "      z[5] is dataclasses.MISSING, z[6] is inspect._empty, z[7].parameters['value'].default is _missing,\n"
            "      z[8] is dataclasses.MISSING, z[9] is np._NoValue, z[10] is np.ma.masked)\n"
            "print(w[0] is w[1] is local, w[3] is not local)",
            c="print(type(w[2]) is Late)",
        )
        names = ("x", "y", "z", "w", "local")
        notebook.plan("c", inputs=names, definitions=("Late = collections.namedtuple('Late', 'a')",), names=("Late",))
        made = notebook.run("a", outputs=names)
        assert made.state == "completed", made.error
        assert made.observed.aliases == ()
        read = notebook.run("b", inputs=names, guarded=names)
        assert read.state == "completed", read.error
        seen = notebook.text(read).split("\n")
        assert seen[0] == "True True True 1 True"
        assert seen[1] == "True True True True 1"
        assert seen[2] == "True False" + " True" * 10
        assert seen[3] == "True True"
        again = notebook.run("c")
        assert notebook.text(again) == "True\n", again.error
        values = load_values(notebook.objects, {name: made.outputs[name] for name in names})
        assert values["w"][2].a == 1


class TestGuard:
    def test_an_input_that_changed_is_refused(self, make_notebook) -> None:
        notebook = make_notebook(
            a="data = {'k': [1, 2]}", b="def f(x): x['k'].append(3)\nf(data)\nresult = 1", c="data"
        )
        notebook.plan("c", inputs=("data",))
        notebook.run("a", outputs=("data",))
        read = notebook.run("b", inputs=("data",), guarded=("data",), outputs=("result",))
        assert read.state == "refused"
        assert "`data` was changed in place (data['k']: 2 items against 3)" in read.error.message
        assert "copy" in read.error.fix
        assert read.error.cell == 1
        assert read.observed.changed == ("data",)
        assert read.outputs == {}

    def test_a_change_that_no_later_step_sees_is_only_reported(self, make_notebook) -> None:
        notebook = make_notebook(
            a="inner = [1]; data = {'k': inner}; other = {'k': []}",
            b="for x in (data, other): x['k'].append(3)",
            c="inner",
        )
        notebook.run("a", outputs=("data", "inner", "other"))
        read = notebook.run("b", inputs=("data", "other"), guarded=("data", "other"))
        assert (read.state, read.observed.changed) == ("completed", ("data", "other"))
        notebook.plan("c", inputs=("inner",))
        read = notebook.run("b")
        assert read.state == "refused"
        assert "`data` was changed in place" in read.error.message

    def test_reading_what_libraries_cache_changes_nothing(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import numpy as np, statsmodels.api as sm",
            a="x = np.arange(20.0); fitted = sm.OLS(x + np.sin(x), sm.add_constant(x)).fit()\nlines = !echo a b",
            b="fitted.summary(); fitted.f_test(np.eye(2)); fitted.get_robustcov_results(); fitted.aic\n"
            "lines.n, lines.s, lines.p, lines[0].upper(), list(lines)",
        )
        names = ("fitted", "lines")
        notebook.run("a", outputs=names)
        read = notebook.run("b", inputs=names, guarded=names)
        assert (read.state, read.observed.changed) == ("completed", ()), read.error
        read = notebook.run("b", inputs=names, possibly_changed=names, outputs=names)
        assert read.observed.unchanged == names

    def test_reading_changes_nothing(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import pandas as pd, numpy as np, functools\n"
            "class Lazy:\n    @functools.cached_property\n    def size(self): return 3",
            a="frame = pd.DataFrame({'a': [1.0, float('nan')] * 40_000}, index=range(5, 80_005)); lazy = Lazy()\n"
            "words = {'x', 'y', 'z'}; text = 'a' * 3; held = [text, 'aaa', text]",
            b="frame.index.is_unique; frame.loc[7]; frame.groupby('a').size(); frame['a'].sum(); lazy.size; sorted(words)",
        )
        names = ("frame", "lazy", "words", "text", "held")
        notebook.run("a", outputs=names)
        read = notebook.run("b", inputs=names, guarded=names[:3], possibly_changed=names[3:], outputs=names[3:])
        assert read.state == "completed", read.error
        assert read.observed.unchanged == ("text", "held")
        assert read.outputs["held"].container == notebook.values["held"].container

    def test_possible_changes_are_observed(self, make_notebook) -> None:
        notebook = make_notebook(a="one = [1]; two = [2]", b="one.append(3)")
        notebook.run("a", outputs=("one", "two"))
        both = ("one", "two")
        read = notebook.run("b", inputs=both, outputs=both, possibly_changed=both)
        assert (read.observed.changed, read.observed.unchanged) == (("one",), ("two",))
        values = load_values(notebook.objects, read.outputs)
        assert values == {"one": [1, 3], "two": [2]}

    def test_changed_attributes_of_a_class_are_observed(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="class Thing:\n    count = 0\ndef bump(kind): kind.count += 1",
            a="Thing.count = 1; kind = Thing",
            b="bump(kind)",
            c="print(kind.count)",
        )
        notebook.run("a", outputs=("kind",))
        read = notebook.run("b", inputs=("kind",), outputs=("kind",), possibly_changed=("kind",))
        assert read.observed.changed == ("kind",)
        assert notebook.text(notebook.run("c", inputs=("kind",))) == "2\n"

    def test_a_value_of_setup_that_changed_is_refused_when_read_later(self, make_notebook) -> None:
        notebook = make_notebook(setup="cache = {}", a="globals()['cache']['k'] = 1", b="cache")
        notebook.plan("b", setup_names=("cache",))
        made = notebook.run("a", setup_names=("cache",))
        assert made.state == "refused"
        assert "`cache`, which setup makes, was changed in place by step a" in made.error.message


REFUSED = {
    "handle": ("handle = open('x.txt', 'w')", "an open file", "setup cell"),
    "generator": ("generator = (i for i in range(3))", "a generator", "list"),
    "lock": ("import threading\nlock = threading.Lock()", "a lock", "setup cell"),
    "inner": ("import threading\nclass M: pass\ninner = M(); inner.parts = [{'a': threading.Lock()}]",
              "`inner.parts[0]['a']` (_thread.lock) is a lock", "setup cell"),
    "connection": ("import sqlite3\nconnection = sqlite3.connect(':memory:')", "database connection", "open it in"),
    "link": ("import socket\nlink = socket.socket()", "network connection", "open it in"),
    "weak": ("import weakref\nclass M: pass\nm = M()\nweak = weakref.ref(m)", "a weak reference", "itself"),
    "loop": ("import asyncio\nloop = asyncio.new_event_loop()", "event loop", "step"),
    "shown": ("from IPython.display import DisplayHandle\nshown = DisplayHandle()", "display", "step that showed it"),
    "folder": ("import tempfile\nfolder = tempfile.TemporaryDirectory()", "removed when the step ends", "your own"),
    "match": ("import re\nmatch = re.match('a', 'a')", "cannot pickle", "setup cell"),
    "lossy": ("class Lossy:\n    def __init__(self): self.a = self.b = 1\n    def __getstate__(self): return {'a': 1}\n"
              "lossy = Lossy()", "does not give the same back (lossy: attribute 'b' is in one only)", "keep everything"),
    "graph": ("graph = []\nfor _ in range(100_000): graph = [graph]", "nested too deeply", "flat"),
}  # fmt: skip


EXPLAIN = """
import json, sys
kernel_side = sys.modules["_jupyter_pipelines_kernel.saving"], sys.modules["_jupyter_pipelines_kernel.refusals"]
found = {}
for name in NAMES:
    job = {"step": "a", "outputs": [name], "guarded": [], "setup_names": [], "inputs": {}, "definitions": None, "replayed": [], "read_later": [],
           "possibly_changed": [], "objects": "objects"}
    saving = kernel_side[0].Saving(job, globals())
    try:
        saving.pickle_all()
        saving.write()
    except kernel_side[1].UncarriableError as error:
        found[name] = saving.explain(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, notebook_class) -> dict[str, tuple[str, str, str]]:
    """What is said of each value, found in one kernel."""
    source = "\n".join(source for source, _, _ in REFUSED.values())
    notebook = notebook_class(
        tmp_path_factory.mktemp("refused"), "", {"a": f"{source}\nNAMES = {[*REFUSED]}\n{EXPLAIN}"}
    )
    return json.loads(notebook.text(notebook.run("a")))


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_refused(refusals, name: str) -> None:
    _, why, fix = REFUSED[name]
    message, advice, variable = refusals[name]
    assert message.startswith(f"step a cannot hand over `{name}` (")
    assert why in message
    assert fix in advice
    assert variable == name


def test_a_refusal_names_the_cell(make_notebook) -> None:
    made = make_notebook(a="handle = open('x.txt', 'w')").run("a", outputs=("handle",))
    assert (made.state, made.error.kind, made.error.cell) == ("refused", "refused", 0)
    assert made.error.message == "step a cannot hand over `handle` (_io.TextIOWrapper): it is an open file"
    assert made.error.first_line == "handle = open('x.txt', 'w')"


def test_what_setup_makes_already_is_not_told_to_be_made_there(make_notebook) -> None:
    notebook = make_notebook(setup="import threading\nlock = threading.Lock()", a="lock.acquire()")
    made = notebook.run("a", outputs=("lock",), setup_names=("lock",))
    assert made.state == "refused"
    assert made.error.fix.startswith("setup makes `lock` anew in every step: change it there")


class TestEndings:
    def test_an_error(self, make_notebook) -> None:
        notebook = make_notebook(setup="import math", a="x = 1\n1 / 0", b="import nowhere.to_be_found", c="unknown")
        failed = notebook.run("a", outputs=("x",))
        assert failed.state == "failed"
        assert (failed.error.kind, failed.error.cell, failed.error.first_line) == ("error", 1, "x = 1")
        assert (failed.error.ename, failed.error.evalue) == ("ZeroDivisionError", "division by zero")
        assert failed.cells[1].outputs[-1].output_type == "error"
        assert failed.outputs == {}
        assert "install nowhere" in notebook.run("b").error.fix
        assert "set `unknown` before it is used" in notebook.run("c").error.fix

    def test_a_name_of_another_step(self, make_notebook) -> None:
        notebook = make_notebook(a="x = 1", b="x")
        assert "cell 1 in step a sets `x`" in notebook.run("b").error.fix

    def test_a_timeout(self, make_notebook) -> None:
        notebook = make_notebook(a="import time\ntime.sleep(60)")
        result = notebook.run("a", options=StepOptions(timeout=3.0))  # starting the kernel counts
        assert (result.state, result.error.kind) == ("timed-out", "timeout")

    def test_cancelling(self, make_notebook) -> None:
        notebook = make_notebook(a="print('here', flush=True)\nimport time\ntime.sleep(60)")
        seen = notebook.events.append
        notebook.events = _Watching(lambda event: (seen(event), event.kind == "output" and notebook.cancel.set()))
        assert notebook.run("a").state == "cancelled"

    def test_the_kernel_dies(self, make_notebook) -> None:
        notebook = make_notebook(a="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
        result = notebook.run("a")
        assert (result.state, result.error.kind) == ("crashed", "kernel-died")
        assert "the kernel died" in result.error.message

    def test_asking_for_input(self, make_notebook) -> None:
        assert "parameter" in make_notebook(a="input('name?')").run("a").error.fix


class _Watching(list):
    def __init__(self, watch) -> None:
        self.append = watch


def test_an_output_that_is_not_there_is_left_out(make_notebook) -> None:
    notebook = make_notebook(a="x = 1\nif False: y = 2")
    made = notebook.run("a", outputs=("x", "y"))
    assert set(made.outputs) == {"x"}


class TestHiddenState:
    def test_generators_go_on_where_they_were(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import random",
            a="import numpy as np\nrandom.seed(1); np.random.seed(1); first = random.random(), np.random.rand()",
            b="import numpy as np\nprint(random.random(), np.random.rand())",
            c="import numpy as np, random\nrandom.seed(1); np.random.seed(1); random.random(), np.random.rand()\n"
            "print(random.random(), np.random.rand())",
        )
        state = ("random", "numpy.random")
        made = notebook.run("a", state_outputs=state)
        assert set(made.state_outputs) == set(state)
        assert set(state) <= set(made.observed.state_changed)
        read = notebook.run("b", state_inputs=state, state_outputs=state)
        assert notebook.text(read) == notebook.text(notebook.run("c"))

    def test_untouched_state_is_seen_to_be(self, make_notebook) -> None:
        notebook = make_notebook(setup="import numpy as np, pandas as pd", a="x = np.random.default_rng(1).normal()")
        made = notebook.run("a")
        assert {"random", "numpy.random", "pandas.options", "os.environ", "cwd"} <= set(made.observed.state_untouched)

    def test_what_an_import_does_is_no_change_of_the_notebook(self, make_notebook) -> None:
        notebook = make_notebook(
            a="import sklearn.ensemble, json.tool, inspect\nimport scipy.stats as stats\nfrom sklearn import svm\n"
            "print(inspect.getsource(svm)[:3] != '', svm.__loader__ is svm.__spec__.loader, type(svm.__loader__).__name__)",
            b="import os, random\nos.environ['MINE'] = '1'\nimport sklearn.ensemble, numpy as np\nnp.random.rand()",
        )
        made = notebook.run("a")
        assert notebook.text(made) == "True True SourceFileLoader\n"
        assert made.observed.state_changed == ()
        assert notebook.run("b").observed.state_changed == ("numpy.random", "os.environ")

    def test_options_environment_and_directory(self, make_notebook) -> None:
        notebook = make_notebook(
            setup="import os, sys, decimal, warnings\nimport numpy as np, pandas as pd\nimport matplotlib as mpl",
            a="pd.set_option('display.max_rows', 7); mpl.rcParams['font.size'] = 5.0; np.set_printoptions(precision=2)\n"
            "os.environ['NEW'] = 'v'; os.environ.pop('HOME'); os.mkdir('sub'); os.chdir('sub'); sys.path.append('/extra')\n"
            "decimal.getcontext().prec = 3; np.seterr(all='ignore'); warnings.simplefilter('error', FutureWarning)",
            b="print(pd.get_option('display.max_rows'), mpl.rcParams['font.size'], np.array([1.23456]), os.environ['NEW'])\n"
            "print('HOME' in os.environ, os.path.basename(os.getcwd()), sys.path[-1], decimal.Decimal(1) / 3)\n"
            "print(np.geterr()['divide'], warnings.filters[0][0])",
        )
        state = (
            "pandas.options", "matplotlib.rcParams", "numpy.printoptions", "os.environ", "cwd", "sys.path", "decimal",
            "numpy.errstate", "warnings.filters",
        )  # fmt: skip
        made = notebook.run("a", state_outputs=state)
        assert set(state) <= set(made.observed.state_changed)
        read = notebook.run("b", state_inputs=state)
        assert notebook.text(read) == "7 5.0 [1.23] v\nFalse sub /extra 0.333\nignore error\n"
        assert set(state) <= set(read.observed.state_untouched)


def test_files_are_seen(make_notebook) -> None:
    notebook = make_notebook(
        setup="import os, json\nopen('of_setup.txt', 'w').close()",
        a="import pandas as pd\nopen('written.txt', 'w').write('x')\nopen('read.txt').read()\nos.rename('old', 'new')\n"
        "pd.DataFrame({'a': [1]}).to_csv('table.csv'); pd.read_csv('given.csv')",
    )
    for name in ("read.txt", "old", "given.csv"):
        (notebook.folder / name).write_text("a\n1\n")
    observed = notebook.run("a").observed
    names = {Path(path).name for path in observed.files_written}
    assert names == {"written.txt", "old", "new", "table.csv"}
    assert {Path(path).name for path in observed.files_read} == {"read.txt", "old", "given.csv"}
    assert all(Path(path).is_absolute() for path in observed.files_read)


class TestContainers:
    @pytest.fixture(scope="class")
    def made(self, tmp_path_factory: pytest.TempPathFactory, notebook_class):
        notebook = notebook_class(
            tmp_path_factory.mktemp("made"),
            "import numpy as np",
            {"a": "x = np.arange(100_000); y = 'text'", "b": "x.sum()"},
        )
        assert notebook.run("a", outputs=("x", "y")).state == "completed"
        return notebook

    @pytest.fixture
    def written(self, made):
        """A container that may be spoiled."""
        path = container_path(made.objects, made.values["x"].container)
        content = path.read_bytes()
        yield made, path
        path.unlink(missing_ok=True)
        path.write_bytes(content)

    def test_is_private_and_has_its_content_as_its_name(self, written) -> None:
        notebook, path = written
        assert path.stat().st_mode & 0o777 == 0o600
        before = path.stat().st_mtime_ns
        again = notebook.run("a")
        assert again.outputs["x"].container == notebook.values["x"].container
        assert path.stat().st_mtime_ns >= before
        assert [found for found in notebook.objects.rglob("*") if found.is_file()] == [path]

    def test_truncated(self, written) -> None:
        notebook, path = written
        os.truncate(path, path.stat().st_size - 1000)
        read = notebook.run("b", inputs=("x",))
        assert read.state == "refused"
        assert "`x` cannot be read back" in read.error.message
        assert "is damaged" in read.error.message
        with pytest.raises(StoreError, match="is damaged"):
            load_values(notebook.objects, notebook.values)

    def test_removed(self, written) -> None:
        notebook, path = written
        path.unlink()
        with pytest.raises(StoreError, match="is not in the store"):
            load_values(notebook.objects, notebook.values)

    @pytest.mark.parametrize("place", [20, 400, -8])
    def test_altered(self, written, place: int) -> None:
        notebook, path = written
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.write_bytes(content)
        with pytest.raises(StoreError, match="damaged"):
            verify_container(notebook.objects, notebook.values["x"].container)

    def test_from_before_the_system_started_is_checked_completely(self, written) -> None:
        notebook, path = written
        content = bytearray(path.read_bytes())
        content[-8] ^= 1
        path.write_bytes(content)
        os.utime(path, (0, 0))
        with pytest.raises(StoreError, match="was altered"):
            load_values(notebook.objects, notebook.values)


def test_hostile_names(make_notebook) -> None:
    names = ("été", "变量", "job", "self", "_", "__builtins__x", "state", "names", "pickle", "x" * 2000)
    notebook = make_notebook(
        a="\n".join(f"{name} = {place}" for place, name in enumerate(names)), b=f"print({', '.join(names)})"
    )
    made = notebook.run("a", outputs=names)
    assert made.state == "completed", made.error
    read = notebook.run("b", inputs=names, guarded=names)
    assert notebook.text(read) == " ".join(map(str, range(len(names)))) + "\n"


def test_steps_run_at_the_same_time(make_notebook) -> None:
    steps = {name: f"import os\nx = {place}\nos.getcwd(), x" for place, name in enumerate("abc")}
    notebook = make_notebook(**steps)
    results = {}
    threads = [
        threading.Thread(target=lambda name=name: results.update({name: notebook.run(name, outputs=("x",))}))
        for name in steps
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: result.outputs["x"].summary for name, result in results.items()} == {"a": "0", "b": "1", "c": "2"}


def test_the_code_in_the_kernel_is_for_older_pythons_too() -> None:
    import ast

    from jupyter_pipelines.execution import kernel_side

    for file in Path(kernel_side.__file__).parent.glob("*.py"):
        ast.parse(file.read_text(encoding="utf-8"), feature_version=(3, 9))


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        (
            "get_ipython().events.register('post_run_cell', lambda result: print('after'))",
            "a callback for `post_run_cell`",
        ),
        ("get_ipython().input_transformers_cleanup.append(lambda lines: lines)", "a transformer of cells"),
    ],
)
def test_what_ipython_would_do_in_later_steps_is_refused_in_a_step_and_kept_in_setup(make_notebook, cell, what) -> None:
    made = make_notebook(a=cell, b="1").run("a")
    assert made.state == "refused"
    assert f"step a registers {what} with IPython, and b and all behind would not know" in made.error.message
    assert make_notebook(setup=cell, a="1", b="2").run("a").state == "completed"
    assert make_notebook(a="1", b=cell).run("b").state == "completed"


@pytest.mark.parametrize("imported", ["from remembering import kept, keep", "from remembering import *"])
def test_what_a_module_beside_the_notebook_remembers_is_not_lost_unseen(make_notebook, imported) -> None:
    notebook = make_notebook(setup=imported, a="keep(1)", b="print(kept)")
    (notebook.folder / "remembering.py").write_text("kept = []\ndef keep(value):\n    kept.append(value)\n")
    made = notebook.run("a")
    assert made.state == "refused"
    assert (
        "step a changes `remembering.kept`, what the module remembering remembers, and step b uses"
        in made.error.message
    )


def test_a_figure_that_a_later_step_would_go_on_with_is_refused(make_notebook) -> None:
    plotted = "plt.plot([1, 2])"
    made = make_notebook(setup="%matplotlib agg\nimport matplotlib.pyplot as plt", a=plotted, b=plotted).run("a")
    assert made.state == "refused"
    assert "step a leaves figure 1 open, and step b would draw on pyplot's current figure" in made.error.message
    fresh = make_notebook(
        setup="%matplotlib agg\nimport matplotlib.pyplot as plt", a=plotted, b=f"plt.figure()\n{plotted}"
    )
    assert fresh.run("a").state == "completed"
    assert make_notebook(setup="import matplotlib.pyplot as plt", a=plotted, b=plotted).run("a").state == "completed"
