"""Notebooks of random SQL: steps in any order that the graph allows, each with a connection of its own, leave in the
tables and give to every cell what running the notebook from top to bottom does."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.graph import compile_pipeline
from jupyter_pipelines.graph.model import Pipeline
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, Role
from jupyter_pipelines.notebook.sql_cells import magic_body
from jupyter_pipelines.warehouse.cells import Assigned, Looked, run_check_cell, run_sql_cell
from jupyter_pipelines.warehouse.databases import connect
from jupyter_pipelines.warehouse.engine import EngineSession
from tests.graph.edits import document

NOTEBOOKS = 10
SETUP = [
    "%load_ext jupyter_pipelines",
    "%%sql\ncreate schema if not exists s;\ncreate temp table base as select 7 as a",
]
FIRST = [
    f"%%sql --table {table}\nselect {number} as a union all select 1"
    for number, table in enumerate(["t0", "t1", "s.t2"])
]
CELLS = (
    "%%sql --table {t}\nselect {n} as a union all select a from base",
    "%%sql\ninsert into {t} select a + {n} from {u}",
    "%%sql\nupdate {t} set a = a + (select coalesce(max(a), 0) from {u}) % 5",
    "%%sql\ndelete from {t} where a > (select avg(a) from {u})",
    "%%sql --table {v} --materialize view\nselect a * 2 as a from {q}",
    "%%sql\ninsert into {t} select max(a) from {v}",
    "%%sql {f} <<\nselect sum(a)::int as a from {t}",
    "%%sql --table {t}\nselect a from {f} union all select {n}",
    "%%sql\ninsert into {t} with late as (select a from {f}) select a from late",
    "%%sql\nselect * from {u} order by a",
    "%%sql\ncreate temp table own as from {q};\ninsert into {t} select max(a) from own",
    "%%sql\ncreate or replace macro m() as table select max(a) as a from {q}",
    "%%sql\ninsert into {t} from m()",
    "%%sql --table {t} --materialize incremental --unique-key a\nselect distinct a from {u}",
    "%%check {t}\nrows: >= 0",
)
Cells = list[tuple[str, str, str]]
TABLES, QUALIFIED, FRAMES, VIEWS = (
    ("t0", "t1", "s.t2"),
    ("main.t0", "main.t1", "s.t2"),
    ("f0", "f1", "t1"),
    ("v0", "v1"),
)


class Kernel:
    """A connection, and what the cells that ran on it have bound."""

    def __init__(self, database: Any) -> None:
        self.session = EngineSession(database.cursor())
        self.names: dict[str, Any] = {}

    def run(self, cell: Cell) -> object:
        """What the cell gives, in a form that can be compared."""
        _, body = magic_body(cell)
        if cell.sql is None:
            if cell.check is not None:
                run_check_cell(self.session, cell.check, self.names, lambda _: None)
            return None
        made = run_sql_cell(self.session, cell.sql, body, self.names, lambda _: None)
        if isinstance(made, Assigned):
            self.names[cell.sql.assign] = made.frame
            return repr(made.frame.to_dict("list"))  # NaN is not equal to itself
        return made.rows if isinstance(made, Looked) else None


def left_in(database: Any) -> dict[str, list[Any]]:
    """The rows of all tables and views."""
    query = "select schema_name, table_name from duckdb_tables() where not temporary and schema_name in ('main', 's')"
    names = database.execute(f"{query} order by all").fetchall()
    return {
        table: sorted(database.execute(f'from "{schema}"."{table}"').fetchall(), key=repr) for schema, table in names
    }


def a_notebook(random: Random) -> tuple[NotebookDocument, list[object], dict[str, list[Any]]]:
    """A notebook whose cells all run from top to bottom; what each gives, and what is left in the tables."""
    cells: Cells = [(f"setup{number}", "setup", source) for number, source in enumerate(SETUP)]
    cells += [(f"first{number}", f"step:first{number}", source) for number, source in enumerate(FIRST)]
    for number in range(random.randint(6, 12)):
        f, v = random.choice(FRAMES), random.choice(VIEWS)
        t, u = random.choice(TABLES), random.choice(TABLES)
        values = {"t": t, "u": u, "q": random.choice(QUALIFIED), "f": f, "v": v, "n": random.randint(2, 9)}
        step = random.choice([f"s{number}"] * 5 + [cells[-1][1].removeprefix("step:")])
        cells.append((f"c{number}", f"step:{step}", random.choice(CELLS).format(**values)))
    database = connect()
    kernel, kept, given = Kernel(database), list[tuple[str, str, str]](), list[object]()
    for cell, written in zip(document(cells).cells, cells, strict=True):
        try:
            given.append(kernel.run(cell))
        except PipelinesError:  # which leaves everything as it was
            continue
        kept.append(written)
    return document(kept), given, left_in(database)


def orders(pipeline: Pipeline, random: Random) -> Iterator[str]:
    """The steps, in some order that the graph allows."""
    left = {step.name: set(pipeline.upstream(step.name)) for step in pipeline.steps}
    while left:
        name = random.choice([name for name, waits in left.items() if waits.isdisjoint(left)])
        del left[name]
        yield name


def run_steps(pipeline: Pipeline, random: Random) -> tuple[dict[int, object], dict[str, list[Any]]]:
    """What the cells give, and what is left in the tables, step by step."""
    database, given = connect(), dict[int, object]()
    passed_on: dict[tuple[str, str], Any] = {}
    cells = pipeline.document.cells
    for name in orders(pipeline, random):
        step = pipeline.step(name)
        kernel = Kernel(database)
        for cell in cells:
            if cell.role is Role.SETUP:
                kernel.run(cell)
        for value in step.inputs:
            kernel.names[value.name] = deepcopy(passed_on[value.producer, value.name])
        for index in step.cells:
            given[index] = kernel.run(cells[index])
        passed_on |= {(name, output): kernel.names[output] for output in step.outputs if output in kernel.names}
    return given, left_in(database)


def test_any_order_that_the_graph_allows_gives_the_same() -> None:
    compared = 0
    for seed in range(NOTEBOOKS):
        random = Random(seed)
        read, given, left = a_notebook(random)
        pipeline = compile_pipeline(read)
        if pipeline.errors:  # refused, with the reason
            continue
        compared += 1
        for _ in range(2):
            ours, tables = run_steps(pipeline, random)
            sources = [cell.source for cell in read.cells]
            assert ours == {index: given[index] for index in ours}, (seed, sources)
            assert tables == left, (seed, sources)
    assert compared > NOTEBOOKS / 2
