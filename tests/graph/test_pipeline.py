"""The compiled pipeline as people and programs see it: IPython, libraries, files, state, pictures, speed."""

from __future__ import annotations

import json
import time
import xml.etree.ElementTree as ElementTree

import pytest

from jupyter_pipelines.diagnostics import Location, Severity
from jupyter_pipelines.graph import ancestors, compile_pipeline, explain, render, to_json
from jupyter_pipelines.graph.model import EdgeKind
from jupyter_pipelines.notebook import read_notebook
from jupyter_pipelines.notebook.model import StepOptions
from tests.graph.notebooks import notebook
from tests.graph.test_cases import edges_of

LIBRARIES = (
    "setup: import numpy as np, pandas as pd, matplotlib.pyplot as plt, seaborn as sns\n"
    "from sklearn.linear_model import LinearRegression\n"
    "from sklearn.model_selection import train_test_split"
)


@pytest.mark.parametrize(
    ("cells", "edges"),
    [
        (("a: x = 1", "b: %time y = x + 1", "c: print(y)"), "a>b:x b>c:y"),
        (("a: x = 1", "b: %timeit x + 1", "c: print(x)"), "a>b:x a>c:x"),
        (("a: files = !ls", "b: print(files)"), "a>b:files"),
        (("a: x = [1]", "b: x.append?", "c: %psource x"), "a>b:x a>c:x"),
        (("a: x = 1\ny = 2", "b: !echo {x} $y"), "a>b:x a>b:y"),
        (("a: %%capture out\nprint(1)", "b: print(out)"), "a>b:out"),
        (("a: %%bash --out o\nls", "b: print(o)"), "a>b:o"),
        (("a: x = 1", "b: %%time\ny = x", "c: print(y)"), "a>b:x b>c:y"),
        (("a: lim = 3\ndf = []", "b: df.query('a > @lim')"), "a>b:df a>b:lim"),
        (
            (
                "setup: import sqlite3\ncon = sqlite3.connect('a.db')",
                "a: rows = con.execute('select 1').fetchall()",
                "b: print(rows, con.execute('select 2').fetchone())",
            ),
            "a>b:rows",
        ),
        ((LIBRARIES, "a: df = pd.DataFrame()", "b: df['x'] = 1", "c: print(df)"), "a>b:df b>c:df"),
        ((LIBRARIES, "a: df = pd.DataFrame()", "b: df.dropna(inplace=True)", "c: print(df)"), "a>b:df b>c:df"),
        ((LIBRARIES, "a: df = pd.DataFrame()", "b: df.plot()\nplt.show()", "c: print(df.mean())"), "a>b:df a>c:df"),
        ((LIBRARIES, "a: df = pd.DataFrame()", "b: sns.histplot(df)", "c: df.groupby('x').size()"), "a>b:df a>c:df"),
        ((LIBRARIES, "a: x = np.zeros(3)", "b: np.add(1, 2, out=x)", "c: print(x)"), "a>b:x b>c:x"),
        ((LIBRARIES, "a: x = np.zeros(3)", "b: np.add.at(x, [0], 1)", "c: print(x)"), "a>b:x b>c:x"),
        ((LIBRARIES, "a: x = np.zeros(3)\nv = x[1:]", "b: v[:] = 1", "c: print(x)"), "a>b:v a>b:x b>c:x"),
        (
            (LIBRARIES, "a: X, y = [1], [2]", "b: m = LinearRegression()\nm.fit(X, y)", "c: print(m.score(X, y))"),
            "a>b:X a>b:y a>c:X a>c:y b>c:m",
        ),
        ((LIBRARIES, "a: fig, ax = plt.subplots()", "b: ax.plot([1])", "c: fig"), "a>b:ax a>b:fig b>c:fig"),
        (
            (
                LIBRARIES,
                "a: f1 = pd.DataFrame()\nf2 = pd.DataFrame()",
                "b: for f in [f1, f2]: f.drop('x', inplace=True)",
                "c: print(f1, f2)",
            ),
            "a>b:f1 a>b:f2 b>c:f1 b>c:f2",
        ),
        (
            (
                LIBRARIES,
                "a: df = pd.DataFrame()",
                "b: t, u = train_test_split(df, random_state=0)",
                "c: t['x'] = 1",
                "d: print(u)",
            ),
            "a>b:df b>c:t b>d:u",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-2][:30],
)
def test_libraries_and_magics(cells: tuple[str, ...], edges: str) -> None:
    pipeline = compile_pipeline(notebook(*cells))
    assert not pipeline.errors
    assert edges_of(pipeline) == set(edges.split())


def test_hidden_state_reaches_later_steps() -> None:
    pipeline = compile_pipeline(
        notebook(
            LIBRARIES, "a: plt.rcParams['figure.figsize'] = (3, 3)", "b: plt.plot([1])", "c: import os\nos.chdir('/')"
        )
    )
    assert pipeline.step("b").state_inputs == {"matplotlib.rcParams": "a"}
    assert pipeline.step("c").state_inputs == {"matplotlib.rcParams": "a"}
    assert pipeline.step("a").state_outputs == ("matplotlib.rcParams",)


def test_state_that_is_restored_reaches_nobody() -> None:
    cells = (
        "setup: import warnings",
        "a: with warnings.catch_warnings():\n    warnings.simplefilter('ignore')",
        "b: pass",
    )
    assert compile_pipeline(notebook(*cells)).edges == ()


def test_kernel_configuration_is_repeated() -> None:
    pipeline = compile_pipeline(notebook("a: %matplotlib inline", "b: x = 1"))
    assert "matplotlib" in pipeline.step("b").definitions[0].source
    assert pipeline.edges == ()


@pytest.mark.parametrize("magic", ["%alias greet echo hello", "%alias_magic elapsed time"])
def test_an_alias_is_made_again(magic: str) -> None:
    pipeline = compile_pipeline(notebook(f"a: {magic}", "b: x = 1"))
    assert magic[1:6] in pipeline.step("b").definitions[0].source


def test_the_name_of_a_logging_level_is_repeated() -> None:
    pipeline = compile_pipeline(
        notebook("a: import logging\nlogging.addLevelName(25, 'NOTE')", "b: print(logging.getLevelName(25))")
    )
    assert "logging.addLevelName(25, 'NOTE')" in {one.source for one in pipeline.step("b").definitions}


def test_xdel_deletes_one_name() -> None:
    pipeline = compile_pipeline(notebook("a: x = y = 1", "b: %xdel x", "c: print(y)"))
    assert not pipeline.errors
    assert "JP304" in {one.code for one in compile_pipeline(notebook("a: x = 1", "b: %xdel x", "c: print(x)")).errors}


def test_configuration_by_a_name_that_a_star_import_brings_is_repeated() -> None:
    pipeline = compile_pipeline(notebook("a: from sympy import *\ninit_printing()", "b: x = Symbol('x')", "c: x"))
    assert "init_printing()" in [replay.source for replay in pipeline.step("c").definitions]


def test_reloading_a_module_is_repeated_behind_what_was_set_in_it() -> None:
    cells = ("a: import json\njson.dumps = str", "b: from importlib import reload\nreload(json)", "c: json.dumps(1)")
    replays = compile_pipeline(notebook(*cells)).step("c").definitions
    assert [one.source for one in replays][-2:] == ["from importlib import reload", "reload(json)"]


def test_what_an_earlier_execution_was_given_is_to_be_deleted() -> None:
    sources = {"parameters": "n = 1", "injected-parameters": "n = 2", "step:a": "print(n)"}
    cells = [{"cell_type": "code", "metadata": {"tags": [tag]}, "source": text} for tag, text in sources.items()]
    executed = read_notebook(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), "executed.ipynb")
    [error] = [one for one in compile_pipeline(executed).diagnostics if one.is_error]
    assert error.code == "JP303"
    assert "what an earlier execution was given for `n`" in error.message
    assert error.fix == "delete cell 2: parameters are given anew for each run"


@pytest.mark.parametrize("call", ["patsy.dmatrix('half(x)', data)", "dmatrices(data=data, formula_like='half(x)')"])
def test_a_formula_of_patsy_has_the_names_that_it_mentions(call) -> None:
    setup = "setup: import patsy\nfrom patsy import dmatrices\ndata = {'x': [1]}"
    pipeline = compile_pipeline(notebook(setup, "a: def half(v): return v / 2", f"b: {call}"))
    assert [one.names for one in pipeline.step("b").definitions] == [("half",)]


def test_files_order_steps() -> None:
    pipeline = compile_pipeline(
        notebook(
            LIBRARIES,
            "a: pd.DataFrame().to_csv('out/x.csv')",
            "b: pd.read_csv('out/x.csv')",
            "c: pd.read_csv('other.csv')",
        )
    )
    assert [(edge.source, edge.target, edge.kind) for edge in pipeline.edges] == [("a", "b", EdgeKind.FILE)]


@pytest.mark.parametrize("written", ["open('made.py', 'w').write('v = 1')", "%%writefile made.py\nv = 1"])
@pytest.mark.parametrize(("imported", "read"), [("import made", "made.v"), ("from made import *", "v")])
def test_a_step_that_repeats_an_import_waits_for_the_module_to_be_written(written, imported, read) -> None:
    pipeline = compile_pipeline(
        notebook(f"a: {written}", f"b: {imported}", f"c: {read}", "d: import json\njson.dumps(1)")
    )
    files = {(edge.source, edge.target) for edge in pipeline.edges if edge.kind is EdgeKind.FILE}
    assert {("a", "b"), ("a", "c")} <= files


@pytest.mark.parametrize("state", ["sys.path.append('lib')", "os.chdir('lib')", "os.environ['BACKEND'] = 'x'"])
def test_an_import_that_depends_on_hidden_state_is_repeated_behind_it(state) -> None:
    before, after = "a: import made", "c: import made"
    pipeline = compile_pipeline(notebook("setup: import os, sys", before, f"b: {state}", "c: print(made.v)"))
    assert [one.source for one in pipeline.step("c").definitions] == ["import made"]
    pipeline = compile_pipeline(notebook("setup: import os, sys", f"b: {state}", after, "d: print(made.v)"))
    assert [one.source for one in pipeline.step("d").late_definitions] == ["import made"]


@pytest.mark.parametrize(
    "asked",
    [
        *("os.path.isdir('x')", "os.path.getmtime('x')", "os.access('x', os.R_OK)", "os.listdir('.')"),
        *("Path('x').exists()", "(Path('.') / 'x').is_file()", "p = Path('d')\nq = p / 'x'\nq.stat()"),
        *("Path('x').rename('y')", "Path('x').unlink()", "Path('y').replace('x')", "os.symlink('y', 'x')"),
    ],
)
def test_asking_for_a_file_waits_for_what_was_done_to_it(asked) -> None:
    pipeline = compile_pipeline(
        notebook("setup: import os\nfrom pathlib import Path", "a: open('x', 'w')", f"b: {asked}")
    )
    assert [(edge.source, edge.target, edge.kind) for edge in pipeline.edges] == [("a", "b", EdgeKind.FILE)]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("zipfile.ZipFile('x', 'w')", "zipfile.ZipFile('x')"),
        ("shelve.open('x')", "shelve.open('x')"),
        ("with contextlib.chdir('d'): open('x', 'w')", "open('d/x')"),
        ("with chdir('d'): open('x', 'w')", "open('d/x')"),
        ("def f():\n    with chdir('d'): open('x', 'w')\nf()", "open('d/x')"),
        ("os.makedirs('d')", "with contextlib.chdir('d'): pass"),
    ],
)
def test_what_opens_a_file_by_other_means_waits_for_it(written, read) -> None:
    imports = "import os, zipfile, shelve, contextlib\nfrom contextlib import chdir"
    pipeline = compile_pipeline(notebook(f"setup: {imports}", f"a: {written}", f"b: {read}"))
    assert [(edge.source, edge.target, edge.kind) for edge in pipeline.edges] == [("a", "b", EdgeKind.FILE)]


def test_resources_keep_notebook_order() -> None:
    pipeline = compile_pipeline(
        notebook(
            "setup: import sqlite3\ncon = sqlite3.connect('x.db')",
            "a: con.execute('create table t (n)')",
            "b: con.execute('select * from t')",
        )
    )
    assert [(edge.source, edge.target, edge.kind) for edge in pipeline.edges] == [("a", "b", EdgeKind.RESOURCE)]
    assert pipeline.step("b").resources == ("con",)
    assert pipeline.step("b").inputs == ()


def test_another_language_runs_in_notebook_order() -> None:
    pipeline = compile_pipeline(notebook("a: x <- 1", "b: print(x)", language="R"))
    assert pipeline.sequential
    assert [(edge.source, edge.target) for edge in pipeline.edges] == [("a", "b")]
    assert [finding.code for finding in pipeline.diagnostics] == ["JP340"]


def test_after() -> None:
    options = {"b": StepOptions(after=("a",)), "c": StepOptions(after=("nowhere",))}
    pipeline = compile_pipeline(notebook("a: pass", "b: pass", "c: pass", options=options))
    assert [(edge.source, edge.target, edge.kind) for edge in pipeline.edges] == [("a", "b", EdgeKind.ORDER)]
    assert [error.code for error in pipeline.errors] == ["JP341"]


def test_a_cycle_is_told_with_its_reasons() -> None:
    options = {"a": StepOptions(after=("c",))}
    pipeline = compile_pipeline(notebook("a: x = 1", "b: y = x", "c: z = y", options=options))
    (error,) = pipeline.errors
    assert error.code == "JP310"
    assert "a → b → c → a" in error.message
    assert "b needs `x`" in error.message


def test_a_finding_names_cell_line_and_fix() -> None:
    pipeline = compile_pipeline(notebook("a: rows = (r for r in [1])", "b: # use\nprint(next(rows))"))
    (error,) = pipeline.errors
    assert (error.code, error.severity, error.location) == ("JP401", Severity.ERROR, Location(2, 2))
    assert error.first_line == "# use"
    assert "rows = list(...)" in error.fix


def test_an_edge_explains_itself() -> None:
    pipeline = compile_pipeline(notebook("load: df = {}", "clean: df['a'] = 1", "train: # fit\nprint(df)"))
    assert (
        "train needs `df` because cell 3 line 2 reads it; written by load at cell 1 line 1, "
        "changed in place by clean at cell 2 line 1"
    ) in explain(pipeline, "train")
    with pytest.raises(KeyError):
        explain(pipeline, "nothing")


DIAMOND = ("load: x = 1", "left: y = x", "right: z = x", "join: print(y, z)")


def test_ancestors() -> None:
    pipeline = compile_pipeline(notebook(*DIAMOND))
    assert ancestors(pipeline, "join") == {"load", "left", "right"}
    assert ancestors(pipeline, "load") == frozenset()


def test_text() -> None:
    lines = render(compile_pipeline(notebook(*DIAMOND)), "text").splitlines()
    assert [line.split()[line.split().index("(cell") - 1] for line in lines if "(cell" in line] == [
        "load", "left", "right", "join"
    ]  # fmt: skip
    assert any("●" in line and "← left, right" in line for line in lines)


def test_mermaid_and_svg() -> None:
    pipeline = compile_pipeline(notebook(*DIAMOND))
    assert 's0 -->|"x"| s1' in render(pipeline, "mermaid")
    picture = ElementTree.fromstring(render(pipeline, "svg"))
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert sorted(texts) == ["join", "left", "load", "right"]


def test_json() -> None:
    pipeline = compile_pipeline(notebook("parameters: n = 2", *DIAMOND))
    data = json.loads(render(pipeline, "json"))
    assert data == json.loads(json.dumps(to_json(pipeline)))
    assert [(step["name"], step["cells"], step["after"]) for step in data["steps"]] == [
        ("load", [2], []),
        ("left", [3], ["load"]),
        ("right", [4], ["load"]),
        ("join", [5], ["left", "right"]),
    ]
    assert data["parameters"][0]["name"] == "n"
    assert data["edges"][0]["explanation"].startswith("left needs `x`")


def test_an_empty_notebook() -> None:
    pipeline = compile_pipeline(notebook())
    assert pipeline.steps == ()
    for format_ in ("text", "mermaid", "svg", "json"):
        assert render(pipeline, format_)  # type: ignore[arg-type]  # each of the literals


def test_two_thousand_cells() -> None:
    cells = [f"s{i // 10}: v{i} = v{max(0, i - 1)} + {i}\nprint(v{i})" if i else "s0: v0 = []" for i in range(2000)]
    started = time.process_time()
    pipeline = compile_pipeline(notebook(*cells))
    assert len(pipeline.steps) == 200
    assert not pipeline.errors
    assert time.process_time() - started < 30  # generous: it takes two seconds on an idle machine
