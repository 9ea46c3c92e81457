"""What the kernel is given and what the analysis reads, with line numbers kept."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.notebook.python_source import read_source

SAME = ["x = 1", "", "# only a comment", "x = '''\n!ls\n%time\n'''", "a = (1\n% 2)", "await f()", "async for x in y: z"]


@pytest.mark.parametrize("source", SAME)
def test_python_is_left_alone(source: str) -> None:
    found = read_source(source)
    assert (found.code, found.python, found.problems) == (source, source, ())


TRANSFORMED = [
    ("!ls {x}", "get_ipython().system('ls {x}')"),
    ("x = !ls", "x = get_ipython().getoutput('ls')"),
    ("x = %magic a", "x = get_ipython().run_line_magic('magic', 'a')"),
    ("x\n%time y = 2", "x\nget_ipython().run_line_magic('time', 'y = 2')"),
    ("if a:\n    !ls\nb", "if a:\n    get_ipython().system('ls')\nb"),
    ("f?", "get_ipython().run_line_magic('pinfo', 'f')"),
    ("\n\n!ls\nx", "\n\nget_ipython().system('ls')\nx"),
    ("x = !ls \\\n  a \\\n  b\ny = 1", "x = get_ipython().getoutput('ls    a    b')\n\n\ny = 1"),
    ("!a \\\n b\n!c \\\n d\ny", "get_ipython().system('a   b')\n\nget_ipython().system('c   d')\n\ny"),
    ("  x = 1\n  y = 2", "x = 1\ny = 2"),
    (">>> x = 1\n... y", "x = 1\ny"),
]


@pytest.mark.parametrize(("source", "python"), TRANSFORMED)
def test_ipython_is_transformed_line_by_line(source: str, python: str) -> None:
    found = read_source(source)
    assert found.python is not None
    assert found.python.rstrip("\n") == python
    assert found.python.rstrip("\n").count("\n") == source.count("\n")
    assert found.code == source


CELL_MAGICS = [
    ("%%time\nx = 1", "time", "", "\nx = 1"),
    ("%%capture out --no-stderr\nx = 1", "capture", "out --no-stderr", "\nx = 1"),
    ("%%timeit -n 3 setup()\nx", "timeit", "-n 3 setup()", "\nx"),
    ("%%prun\n!ls", "prun", "", "\nget_ipython().system('ls')"),
    ("%%capture out\n%%time\nx", "capture", "out", "\n\nx"),
    ("%%bash\nls | wc", "bash", "", None),
    ("%%html\n<b>", "html", "", None),
    ("%%sql result <<\nselect 1", "sql", "result <<", None),
    ("%%check orders\nnot null", "check", "orders", None),
    ("\n %%bash\n ls", "bash", "", None),
]


@pytest.mark.parametrize(("source", "magic", "line", "python"), CELL_MAGICS)
def test_cell_magics(source: str, magic: str, line: str, python: str | None) -> None:
    found = read_source(source)
    assert (found.cell_magic, found.cell_magic_line, found.python) == (magic, line, python)
    assert found.code == source
    assert found.problems == ()


def test_our_magic_is_taken_out_and_lines_stay() -> None:
    found = read_source("%%step load --retries 2\n%%time\nx = 1\nraise_here")
    assert found.code == "\n%%time\nx = 1\nraise_here"
    assert found.python == "\n\nx = 1\nraise_here"
    assert found.cell_magic == "time"
    assert read_source("%%stepper\nx").role_magic is None
    assert read_source("x = '''\n%%step a\n'''").problems == ()


@pytest.mark.parametrize(
    ("source", "line"),
    [("x = (", 1), ("ok\nx = = 1", 2), ("%%time\nx = = 1", 2), ("def f():\nx", 2), ("\n\n!ls\nx y", 4), ("'''\n\n", 1)],
)
def test_syntax_errors_have_their_line(source: str, line: int) -> None:
    (problem,) = read_source(source).problems
    assert (problem.code, problem.line) == ("JP120", line)
    assert read_source(source).python is None


@given(st.text(max_size=60) | st.lists(st.sampled_from(["x = 1", "!ls", "%%time", "  y", "(", "'''", "%%step a", "?"]),
                                       max_size=5).map("\n".join))  # fmt: skip
def test_any_source_gives_python_or_says_why(source: str) -> None:
    found = read_source(source)
    if found.python is not None:
        compile(found.python, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    else:
        assert found.problems or found.cell_magic


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(90, 90), ("90", 90), ("10s", 10), ("5m", 300), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("1H 5S", 3605)],
)
def test_durations(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "5 minutes", "m", None, True, -1, float("nan"), [1]])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValueError, match="a duration such as"):
        parse_duration(text)


def test_plain_notebooks_need_neither_nbformat_nor_ipython() -> None:
    program = (
        "import json, sys\n"
        "from jupyter_pipelines.notebook import read_notebook\n"
        "source = '%matplotlib inline\\nx = !ls'\n"
        "cell = {'cell_type': 'code', 'source': source, 'metadata': {}, 'outputs': []}\n"
        "read_notebook(json.dumps({'cells': [cell], 'metadata': {}, 'nbformat': 4}), 'a.ipynb')\n"
        "print([name for name in ('nbformat', 'IPython', 'prefect', 'papermill') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"


_LINES = [
    "%time x = 1", "%matplotlib inline", "!ls {x} | wc", "x = !ls", "x = %magic a  b", "if x:", "    %time y", "    !a",
    "y = [1,", " 2]", "s = '''", "!no", "%no", "'''", "z = 1 % 2", "%time", "!ls # c", "%a?", "!!ls", "x = !ls \\",
    "%x ", "%time  two", "for i in x: pass", "# %time", "%%x", "w: int = !ls", "a.b = %c", "%cd ..", "%time f('é')",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(_LINES), min_size=1, max_size=6))
def test_the_short_way_gives_what_ipython_gives(lines: list[str]) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    found = read_source("\n".join(lines))
    if found.python is not None and found.cell_magic is None:
        theirs = TransformerManager().transform_cell("\n".join(lines))
        assert ast.dump(_parse(found.python)) == ast.dump(_parse(theirs))


def _parse(source: str) -> ast.AST:
    return compile(source, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
