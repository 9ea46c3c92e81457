"""The work that is measured, said once: a graph of small steps, and how each tool wants it written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode


@dataclass(frozen=True)
class Step:
    """A step: what it runs after, which values it takes from there, and which it leaves."""

    name: str
    source: str
    after: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """A setup that every step needs, and the steps in notebook order."""

    name: str
    setup: str
    steps: tuple[Step, ...]

    def producer(self, value: str, before: str) -> str:
        """The last step before ``before`` that leaves ``value``."""
        names = [step.name for step in self.steps]
        earlier = self.steps[: names.index(before)]
        return next(step.name for step in reversed(earlier) if value in step.leaves)


DIAMOND = Work(
    "diamond",
    "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LinearRegression",
    (
        Step("load", "df = pd.DataFrame({'x': np.arange(100.0), 'y': np.arange(100.0) * 2 + 1})", leaves=("df",)),
        Step("fit", "model = LinearRegression().fit(df[['x']], df['y'])", ("load",), ("df",), ("model",)),
        Step("slope", "slope = float(model.coef_[0])", ("fit",), ("model",), ("slope",)),
        Step("describe", "table = df.describe()", ("load",), ("df",), ("table",)),
        Step("spread", "spread = float(table.loc['std', 'x'])", ("describe",), ("table",), ("spread",)),
        Step("report", "answer = slope * spread\nprint(answer)", ("slope", "spread"), ("slope", "spread"), ("answer",)),
    ),
)
ANSWER = "58.02"  # what the diamond prints, in front


def frame_diamond(megabytes: int) -> Work:
    """A diamond through which a frame of ``megabytes`` goes: both branches read it, one makes a new one of its size."""
    rows = megabytes * 1_000_000 // (8 * 16)
    return Work(
        f"frame of {megabytes} MB",
        "import numpy as np\nimport pandas as pd",
        (
            Step("load", f"df = pd.DataFrame(np.random.default_rng(1).random(({rows}, 16)))", leaves=("df",)),
            Step("first", "first = float(df[0].iloc[0])", ("load",), ("df",), ("first",)),
            Step("second", "second = float(df[1].iloc[-1])", ("load",), ("df",), ("second",)),
            Step("third", "third = len(df)", ("load",), ("df",), ("third",)),
            Step("fourth", "fourth = df.shape[1]", ("load",), ("df",), ("fourth",)),
            Step(
                "report",
                "answer = (first, second, third, fourth, float(df[2].iloc[0]))\nprint(answer)",
                ("first", "second", "third", "fourth"),
                ("first", "second", "third", "fourth", "df"),
                ("answer",),
            ),
        ),
    )


def chain(length: int, setup: str = "import math") -> Work:
    """``length`` trivial steps, each of which needs the one before it."""
    steps = [Step("step-1", "x1 = 1", leaves=("x1",))]
    for number in range(2, length + 1):
        source = f"x{number} = x{number - 1} + 1"
        steps.append(
            Step(f"step-{number}", source, (f"step-{number - 1}",), (f"x{number - 1}",), (f"x{number}",)),
        )
    return Work(f"chain of {length}", setup, tuple(steps))


def notebook(cells: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> NotebookNode:
    """A notebook of ``(tags, source)`` pairs for the default kernel."""
    import nbformat

    made = nbformat.v4.new_notebook()
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for number, (tags, source) in enumerate(cells):
        cell = nbformat.v4.new_code_cell(source, id=f"cell-{number}")
        cell.metadata["tags"] = tags.split()
        made.cells.append(cell)
    return made


def write(made: NotebookNode, path: Path) -> Path:
    import nbformat

    nbformat.write(made, path)
    return path


def tagged(work: Work) -> NotebookNode:
    """The work as a Jupyter Pipelines notebook; any Jupyter tool runs it from top to bottom."""
    return notebook([("setup", work.setup), *((f"step:{step.name}", step.source) for step in work.steps)])


def kale(work: Work) -> NotebookNode:
    """The work with Kale's tags."""
    cells = [("imports", work.setup)]
    for step in work.steps:
        before = " ".join(f"prev:{name}" for name in step.after)
        cells.append((f"step:{step.name} {before}", step.source))
    return notebook(cells)


def script(work: Work) -> str:
    """The work as ``python script.py`` would have it."""
    return "\n".join([work.setup, *(step.source for step in work.steps)]) + "\n"


def with_pickles(work: Work, step: Step, folder: Path) -> str:
    """One step that takes its values from pickles in ``folder`` and leaves its own there, as one does by hand."""
    load = [f"{name} = pickle.load(open({str(folder / name)!r} + '.pickle', 'rb'))" for name in step.takes]
    save = [f"pickle.dump({name}, open({str(folder / name)!r} + '.pickle', 'wb'))" for name in step.leaves]
    return "\n".join(["import pickle", work.setup, *load, step.source, *save])


def step_notebooks(work: Work, folder: Path) -> list[Path]:
    """One notebook per step, values pickled between them, in an order that works."""
    return [
        write(notebook([("", with_pickles(work, step, folder))]), folder / f"{step.name}.ipynb") for step in work.steps
    ]
