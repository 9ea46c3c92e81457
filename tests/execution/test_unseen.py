"""What one kernel has without any name telling of it, and what a cell that fails leaves undone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_pipelines.graph.model import Replay

SPEAKS_OF_FLAGS = "import decimal\nprint(decimal.getcontext().flags[decimal.Inexact])"


@pytest.mark.parametrize("imported", ["import wsgiref", "import wsgiref\nimport os"])
def test_a_module_that_only_another_step_has_loaded_is_lent(make_notebook, imported) -> None:
    named = "print(wsgiref.headers.__name__, hasattr(wsgiref, 'nothing'), '__getattr__' in vars(wsgiref))"
    notebook = make_notebook(setup=imported, a="import wsgiref.headers as h", b=named)
    assert notebook.run("a").observed.modules_loaded == ("wsgiref.headers",)
    lent = notebook.run("b")
    assert lent.state == "completed", lent.error
    assert notebook.text(lent) == "wsgiref.headers False True\n"
    assert lent.observed.modules_lent == ("wsgiref.headers",)


def test_a_class_of_a_module_that_nobody_has_loaded_stays_the_librarys(make_notebook) -> None:
    made = "import sys\nrecords = np.zeros(2, dtype=[('n', 'i4')]).view(np.recarray)\nprint('numpy.rec' in sys.modules)"
    notebook = make_notebook(setup="import numpy as np", a=made, b="print(records['n'], type(records) is np.recarray)")
    assert notebook.text(notebook.run("a", outputs=("records",))) == "False\n"
    used = notebook.run("b", inputs=("records",))
    assert used.state == "completed", used.error
    assert notebook.text(used) == "[0 0] True\n"


def test_a_class_that_belongs_to_no_module_is_carried(make_notebook) -> None:
    made = "Odd = type('Odd', (dict,), {'__module__': None})\nodd = Odd(k=1)"
    notebook = make_notebook(a=made, b="print(odd['k'], type(odd).__module__, type(odd) is Odd)")
    notebook.run("a", outputs=("Odd", "odd"))
    used = notebook.run("b", inputs=("Odd", "odd"))
    assert used.state == "completed", used.error
    assert notebook.text(used) == "1 None True\n"


@pytest.mark.parametrize(
    ("cell", "were_set"),
    [
        ("np.random.random(100_000)\nrandom.random()", ()),
        ("state = np.random.get_state()\nnp.random.random(999)\nnp.random.set_state(state)", ()),
        ("getattr(np.random, 'se' + 'ed')(3)\nrandom.random()", ("numpy.random",)),
        ("getattr(random, 'se' + 'ed')(3)\nrandom.random()", ("random",)),
    ],
)
def test_a_generator_that_was_set_is_told_from_one_that_was_drawn_from(make_notebook, cell, were_set) -> None:
    seen = make_notebook(setup="import random\nimport numpy as np", a=cell).run("a").observed
    assert (seen.state_set, seen.state_set_up) == (were_set, ())


def test_a_generator_that_setup_has_set_is_told(make_notebook) -> None:
    setup = "import random\nimport numpy as np\nrandom.random()\ngetattr(np.random, 'se' + 'ed')(3)"
    seen = make_notebook(setup=setup, a="np.random.random()").run("a").observed
    assert (seen.state_set, seen.state_set_up) == ((), ("numpy.random",))


def test_a_package_that_gives_its_modules_itself_goes_on_doing_so(make_notebook) -> None:
    notebook = make_notebook(a="import lazily\nprint(lazily.inner, lazily.other.__name__)")
    (notebook.folder / "lazily").mkdir()
    (notebook.folder / "lazily" / "__init__.py").write_text(
        "def __getattr__(name):\n    if name == 'inner':\n        return 'given'\n    raise AttributeError(name)\n"
    )
    for name in ("inner", "other"):
        (notebook.folder / "lazily" / f"{name}.py").write_text("")
    made = notebook.run("a")
    assert notebook.text(made) == "given lazily.other\n", made.error
    assert made.observed.modules_lent == ("lazily.other",)


def test_a_module_that_the_step_loads_itself_is_not_lent(make_notebook) -> None:
    loading = "import importlib, wsgiref\nimportlib.import_module('wsgiref.headers')\nprint(wsgiref.headers.__name__)"
    made = make_notebook(a=loading).run("a")
    assert made.state == "completed", made.error
    assert made.observed.modules_lent == ()


def test_flags_of_decimal_numbers_are_state_where_a_later_step_speaks_of_them(make_notebook) -> None:
    divide = "import decimal\ndecimal.Decimal(1) / 3"
    notebook = make_notebook(a=divide, b=SPEAKS_OF_FLAGS)
    assert "decimal" in notebook.run("a").observed.state_changed
    assert notebook.text(notebook.run("b", state_inputs=("decimal",))) == "True\n"
    assert "decimal" not in make_notebook(a=divide, b="1").run("a").observed.state_changed


@pytest.mark.parametrize(
    ("cell", "ends"),
    [
        ("1 / 0\ndef f(): return 1", "refused"),
        ("import json\njson.loads('{')\ndef f(): return 1", "refused"),
        ("try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError from e\ndef f(): return 1", "refused"),
        ("def f(): return 1\n1 / 0", "completed"),
    ],
)
def test_a_definition_below_the_error_of_a_cell_is_not_there(make_notebook, cell, ends) -> None:
    notebook = make_notebook(a=cell, b="print(f())", may_fail=("a",))
    line = cell.splitlines().index("def f(): return 1") + 1
    replay = Replay(0, line, "def f(): return 1", ("f",))
    notebook.plans["b"] = replace(notebook.plans["b"], definitions=(replay,))
    made = notebook.run("a")
    assert made.state == ends, made.error
    if ends == "refused":
        assert "does so before it defines `f`" in made.error.message
        assert made.error.cell == 0
