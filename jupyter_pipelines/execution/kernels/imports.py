"""Which modules a ready kernel may have imported already, from the import statements of the notebook's setup."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from jupyter_pipelines.notebook.parsing import parse_python

NEVER = frozenset(
    {
        *("__future__", "IPython", "jupyter_pipelines", "zmq"),
        *("polars", "ray", "tensorflow", "torch"),
        *("bokeh", "holoviews", "hvplot", "ipywidgets", "itables", "panel", "plotly", "tqdm"),
    }
)
"""Not worth trying: they start threads, or behave differently depending on who imports them."""

FOR_SQL = "jupyter_pipelines.magics.ahead"
"""Imports what ``%%sql`` cells need, all of it safe."""


def modules_of(statements: Iterable[str]) -> tuple[str, ...]:
    """The modules that import statements name, in order, each once; what is not an import is passed over."""
    found: dict[str, None] = {}
    for statement in statements:
        try:
            tree = parse_python(statement.strip())
        except SyntaxError:
            continue
        for node in tree.body:
            if isinstance(node, ast.Import):
                found.update(dict.fromkeys(alias.name for alias in node.names))
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found[node.module] = None
    return tuple(name for name in found if name == FOR_SQL or name.partition(".")[0] not in NEVER)


def shadowed(directory: Path, modules: Iterable[str]) -> bool:
    """Whether ``directory`` holds modules that a notebook there would import instead of these top-level ones."""
    try:
        names = {path.name for path in directory.iterdir()}
    except OSError:
        return True
    own = {name.partition(".")[0] for name in names if name.endswith((".py", ".so"))}
    own |= {name for name in names if "." not in name and (directory / name / "__init__.py").exists()}
    return not own.isdisjoint(modules)
