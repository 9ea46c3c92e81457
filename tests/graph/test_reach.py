"""Which tables a notebook can touch: known where only SQL that names them can."""

from __future__ import annotations

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_pipelines.graph.reach import reachable_tables
from jupyter_pipelines.notebook import read_notebook


def reached(*sources: str) -> list[str] | None:
    notebook = new_notebook(cells=[new_code_cell(text) for text in ("%load_ext jupyter_pipelines", *sources)])
    found = reachable_tables(read_notebook(nbformat.writes(notebook), "n.ipynb"))
    return None if found is None else sorted(map(str, found))


@pytest.mark.parametrize(
    ("cell", "tables"),
    [
        (
            "%%sql --table mart.b\nSELECT a.i FROM raw.a JOIN df USING (i)\n%%check\ni: in raw.c.i",
            "df mart.b raw.a raw.c",
        ),
        ("%%sql df <<\nWITH x AS (FROM raw.a) SELECT (SELECT max(i) FROM raw.b) FROM x", "raw.a raw.b"),
        ("%%check raw.a\nnone: SELECT * FROM raw.a ANTI JOIN raw.b USING (i)", "raw.a raw.b"),
        ("%%sql\nCREATE SCHEMA s; CREATE TABLE s.t AS FROM 'x.parquet'; DROP TABLE s.old", "s.old s.t"),
        (
            "import pandas as pd\nfrom collections import Counter\nprint(pd.DataFrame({'a': [1]}))\n%matplotlib inline",
            "",
        ),
    ],
)
def test_tables_that_are_named_are_all_there_are(cell: str, tables: str) -> None:
    assert reached(cell) == tables.split()


@pytest.mark.parametrize(
    "cell",
    [
        "%%sql\nFROM duckdb_tables()",
        "%%sql\nSHOW TABLES",
        "%%sql\nFROM sqlite_master",
        "%%sql\nUSE raw",
        "%%sql\nSET search_path = 'raw'; FROM a",
        "%%sql\nSELECT of_a_macro(1)",
        "%%sql\nFROM raw.a -- ignore-upstream",
        "%%sql\nFROM query('FROM raw.a')",
        "%%sql\nFROM not understood at all (",
        "import jupyter_pipelines as jp\njp.warehouse().sql('FROM raw.a')",
        "import helpers",
        "from . import helpers",
        "import duckdb",
        "!jupyter pipelines warehouse query 'FROM raw.a'",
        "%run other.ipynb",
        "get_ipython().run_cell_magic('sql', '', 'FROM raw.a')",
        "exec('import duckdb')",
        "%%bash\necho",
    ],
)
def test_where_a_cell_could_reach_any_table_nothing_is_said(cell: str) -> None:
    assert reached("%%sql\nFROM raw.a", cell) is None
