"""SQL cells in the graph: tables join the edges, and what no order can make good is said."""

from __future__ import annotations

import time

import pytest

from jupyter_pipelines.graph import compile_pipeline, explain, render, step_digests, to_json
from jupyter_pipelines.graph.model import EdgeKind, Pipeline
from tests.graph import sql_notebooks
from tests.graph.edits import document
from tests.graph.sql_notebooks import SETUP

WORDS = {"setup", "parameters", "skip"}


def pipeline(*cells: str, sources: frozenset[str] = frozenset()) -> Pipeline:
    pairs = [cell.partition(": ") for cell in cells]
    return compile_pipeline(
        document(
            [
                (f"c{number}", word if word in WORDS else f"step:{word}", source)
                for number, (word, _, source) in enumerate(pairs)
            ]
        ),
        sources=sources,
    )


def tables(made: Pipeline) -> set[str]:
    """``source>target:name`` of every edge because of a table; a question mark where it is only possible."""
    edges = (edge for edge in made.edges if edge.kind is EdgeKind.TABLE)
    return {f"{edge.source}>{edge.target}:{edge.name}{'' if edge.certain else '?'}" for edge in edges}


def codes(made: Pipeline) -> list[str]:
    return [finding.code for finding in made.diagnostics]


def test_a_warehouse_in_sql_is_a_graph() -> None:
    made = pipeline(*sql_notebooks.WAREHOUSE)
    assert codes(made) == []
    assert tables(made) == {
        "stage>mart:stage.flights",
        "mart>check:mart.daily",
        "mart>report:mart.daily",
        "check>report:mart.daily",
    }
    assert made.upstream("stage") == {"load"}
    assert [value.name for value in made.step("stage").inputs] == ["flights"]
    assert made.upstream("plot") == {"report"}
    assert made.tables_written == ("mart.daily", "stage.flights")
    assert made.tables_read == ("raw.airports",)
    assert made.step("check").tables_read == ("mart.daily", "raw.airports")
    assert (
        "report runs after check because check checks mart.daily at cell 6 line 1, "
        "and report reads it at cell 7 line 2" in explain(made, "report")
    )
    for form in ("text", "mermaid", "svg"):
        assert "mart" in render(made, form)  # type: ignore[arg-type]  # each of the literals
    steps = to_json(made)["steps"]
    assert isinstance(steps, list)
    assert steps[1]["tables_written"] == ["stage.flights"]


def test_order_is_kept_whoever_writes() -> None:
    made = pipeline(
        SETUP,
        "a: %%sql\ncreate table t (a int)",
        "b: %%sql\nfrom t",
        "c: %%sql\nfrom MAIN.T",
        "d: %%sql\nupdate t set a = 1",
        "e: %%sql\nfrom t",
        "f: %%sql\nfrom u",
    )
    assert tables(made) == {"a>b:t", "a>c:t", "a>d:t", "b>d:t", "c>d:t", "d>e:t"}
    assert codes(made) == []


def test_two_readers_are_free() -> None:
    assert tables(pipeline(SETUP, "a: %%sql\nfrom t", "b: %%sql\nfrom t", "c: %%check t\nid: unique")) == set()


def test_who_reads_a_view_reads_what_it_is_made_of() -> None:
    made = pipeline(*sql_notebooks.VIEWS)
    assert {"c>d:t", "d>e:t", "b>d:v"} <= tables(made)
    assert codes(made) == []


def test_a_schema_comes_before_its_tables() -> None:
    made = pipeline(
        SETUP, "a: %%sql\ncreate schema mart", "b: %%sql\ncreate table mart.t as select 1", "c: %%sql\nfrom x.t"
    )
    assert tables(made) == {"a>b:mart.t"}


def test_sql_in_python_joins() -> None:
    made = pipeline(*sql_notebooks.PYTHON)
    assert {"a>c:t", "a>d:t?", "c>d:t?", "d>e:t?"} <= tables(made)
    assert "d" in made.upstream("e")
    assert made.step("f").tables_read == ("t", "mart.x")


def test_who_touches_tables_takes_no_earlier_result() -> None:
    made = pipeline(
        SETUP,
        "setup: %%sql\ncreate schema if not exists mart",
        "a: for day in [1, 2]:\n    jp.warehouse().sql('insert into mart.x select $day')",
        "b: y = 1",
        "c: %%sql\nselect 1",
        "d: %%sql\nselec 1",
    )
    assert [step.name for step in made.steps if step.uses_warehouse] == ["a", "d"]
    assert made.step("a").tables_written == ("mart.x",)
    temporary = pipeline(SETUP, "setup: %%sql\ncreate temp table t as from base.t", "a: x = 1", "b: y = 2")
    assert all(step.uses_warehouse for step in temporary.steps)  # setup reads a table in each


def test_a_frame_of_the_notebook_is_not_a_table_of_the_warehouse() -> None:
    made = pipeline(
        SETUP, "a: orders = pd.DataFrame()", "b: %%sql --table mart.x\nfrom orders", "c: %%check orders\nid: unique"
    )
    assert made.tables_read == ()
    assert [value.name for value in made.step("b").inputs] == ["orders"]
    assert [value.name for value in made.step("c").inputs] == ["orders"]


def test_names_of_cte_and_of_schemas_are_no_variables() -> None:
    made = pipeline(
        SETUP,
        "a: late = [1]\nown = [2]\nx = [3]",
        "b: %%sql\nwith late as (select 1) select x from late, main.own, own.x",
    )
    assert made.step("b").inputs == ()


def test_parameters_are_names_of_the_notebook() -> None:
    made = pipeline(SETUP, "parameters: day = 1", "a: least = 3", "b: %%sql\nfrom t where a > $least and day = $day")
    assert [value.name for value in made.step("b").inputs] == ["least"]
    wrong = pipeline(SETUP, "a: %%sql\n\nfrom t where a = $lesat and b > $interval_start")
    assert [(finding.code, finding.location.line) for finding in wrong.diagnostics if finding.location] == [
        ("JP301", 3),
        ("JP301", 3),
    ]
    assert "parameters cell" in wrong.diagnostics[1].fix


def test_sql_that_is_not_understood_keeps_its_place() -> None:
    made = pipeline(SETUP, "a: %%sql --table t\nselect 1", "b: %%sql\nselec 1", "c: %%sql\nfrom t", "d: x = 1")
    assert tables(made) == {"a>b:t?", "a>c:t", "b>c:t?"}
    [finding] = made.diagnostics
    assert (finding.code, finding.severity, finding.step) == ("JP350", "warning", "b")
    assert made.upstream("d") == frozenset()


def test_files_are_read_and_written_in_sql() -> None:
    made = pipeline(SETUP, "a: %%sql\ncopy t to 'out.csv'", "b: %%sql\nfrom 'out.csv'", "c: open('out.csv')")
    assert made.step("a").files_written == ("out.csv",)
    assert made.upstream("b") == {"a"}
    assert made.upstream("c") == {"a"}


def test_upstream_that_is_ignored() -> None:
    made = pipeline(
        SETUP, "a: %%sql --table t\nselect 1", "b: %%sql\nselect *\nfrom t -- ignore-upstream\njoin u using (id)"
    )
    assert tables(made) == set()
    assert made.step("b").tables_read == ("u",)


@pytest.mark.parametrize(
    ("cells", "code", "says", "fix"),
    [
        (("a: %%sql\nselect 1",), "JP152", "known only after", "`%load_ext jupyter_pipelines`"),
        (("a: %%check t\nid: unique",), "JP152", "known only after", "`%load_ext jupyter_pipelines`"),
        ((SETUP, "a: %%sql --tabel t\nselect 1"), "JP150", "--tabel", "--table"),
        ((SETUP, "a: %%check t\nid: uniqe"), "JP151", "uniqe", "unique"),
        ((SETUP, "a: %%sql\nselect 1\n%%check\nid: unique"), "JP151", "builds no table", "--table"),
        ((SETUP, "setup: %%sql\ncreate table t as select 1", "a: x = 1", "b: x = 2"), "JP351", "setup writes", "step"),
        ((SETUP, "setup: %%sql k <<\nfrom t", "a: %%sql --table t\nselect 1", "b: k"), "JP351", "setup reads", "step"),
        ((SETUP, "a: %%sql\ncreate temp table t as select 1", "b: %%sql\nfrom t"), "JP352", "step a", "--table t"),
        ((SETUP, "a: %%sql\nuse mart", "b: %%sql\nfrom t"), "JP353", "holds for the connection", "setup"),
        ((SETUP, "a: %%sql\nbegin; insert into t from u"), "JP353", "does not end", "COMMIT"),
        ((SETUP, "a: %%sql\n-- nothing"), "JP354", "no statement", "write one"),
        ((SETUP, "a: %%sql --table t\ninsert into t from u"), "JP354", "gives no rows", "SELECT"),
        ((SETUP, "a: %%sql df <<\ninsert into t from u"), "JP354", "gives no rows", "df <<"),
        (
            (SETUP, "a: watermark = 1", "a: %%sql --table t\nfrom u where a > $watermark"),
            "JP354",
            "which column",
            "--time-column",
        ),
        ((SETUP, "a: %%sql\nfrom t where a = ?"), "JP355", "names", "$name"),
        (
            (
                SETUP,
                'parameters: token: str = "x"  # secret',
                "a: %%sql --table v --materialize view\nfrom t where k = $token",
            ),
            "JP357",
            "the secret `token`",
            "build a table",
        ),
        ((SETUP, "skip: %%sql --table t\nselect 1", "a: %%sql\nfrom t"), "JP356", "cell 2 only", "skip"),
    ],
)
def test_what_is_wrong_is_said(cells: tuple[str, ...], code: str, says: str, fix: str) -> None:
    found = [finding for finding in pipeline(*cells).diagnostics if finding.severity != "info"]
    assert [finding.code for finding in found] == [code]
    assert says in found[0].message
    assert fix in found[0].fix


def test_external_sources_are_only_read() -> None:
    made = pipeline(
        SETUP,
        "load: %%sql --table staging.orders\nselect * from crm.public.orders",
        "mart: %%sql --table mart.orders\nselect * from staging.orders join crm.customers using (id)",
        "bad: %%sql --table crm.mine\nselect 1",
        "worse: %%sql\nselect 1;\ndelete from crm.public.orders",
        "view: %%sql --table v --materialize view\nfrom crm.public.orders",
        sources=frozenset({"CRM"}),
    )
    assert [(one.code, str(one.location)) for one in made.diagnostics] == [
        ("JP358", "cell 4 line 1"),
        ("JP358", "cell 5 line 3"),
        ("JP358", "cell 6 line 2"),
    ]
    assert made.steps[0].tables_read == ("crm.public.orders",)
    assert "load>mart:staging.orders" in tables(made)


def test_what_is_the_steps_own_is_no_finding() -> None:
    made = pipeline(
        SETUP,
        "setup: %%sql\ncreate schema if not exists mart;\ncreate temp table known as from base.known;\nuse mart",
        "a: %%sql\ncreate temp table own as from known;\nbegin; insert into t from own; commit",
        "a: %%sql\nfrom own",
        "b: %%sql\nfrom known",
        "c: %%sql --table w --materialize append --time-column day\nfrom u where day > $watermark",
    )
    assert codes(made) == []
    assert tables(made) == set()
    assert made.step("a").tables_read == ()


def test_a_temporary_table_of_setup_that_a_step_fills_is_not_what_others_have() -> None:
    made = pipeline(
        SETUP,
        "setup: %%sql\ncreate temp table seen (id int)",
        "a: %%sql\ninsert into seen values (1)",
        "b: %%sql\nfrom seen",
    )
    assert codes(made) == ["JP352"]


def test_pieces_of_a_step_that_need_each_other_are_a_cycle() -> None:
    made = pipeline(SETUP, "a: %%sql --table t\nselect 1", "b: %%sql\nfrom t", "a: %%sql\ninsert into t values (1)")
    assert codes(made) == ["JP310"]


def test_cells_of_other_extensions_are_left_alone() -> None:
    made = pipeline(*sql_notebooks.FOREIGN)
    assert tables(made) == set()
    assert made.upstream("b") == {"a"}  # it may touch files
    ours = pipeline("setup: %load_ext sql\n%load_ext jupyter_pipelines", *sql_notebooks.FOREIGN[1:])
    assert tables(ours) == {"a>b:t"}


def test_a_digest_changes_with_the_sql() -> None:
    one, other = (
        step_digests(pipeline(SETUP, f"a: %%sql --table t\nselect {n}", "b: %%sql\nfrom t").document) for n in (1, 2)
    )
    assert one["a"] != other["a"]
    assert one["b"] == other["b"]


def test_two_hundred_sql_cells() -> None:
    cells = [
        f"s{n}: %%sql --table mart.t{n}\nselect a.id, sum(b.amount) filter (where b.ok) as total, count(*) as n\n"
        f"from mart.t{max(n - 1, 0)} a left join raw.orders b on a.id = b.id\n"
        f"join (select id, max(day) as day from raw.days where day >= $day group by all) c using (id)\n"
        f"group by all qualify row_number() over (partition by a.id order by total) = {n}"
        for n in range(200)
    ]
    pipeline(SETUP, "a: %%sql\nselect 1")  # what is imported once
    started = time.process_time()
    made = pipeline(SETUP, "parameters: day = 1", *cells)
    cold = time.process_time() - started
    assert len(tables(made)) == 199
    assert made.diagnostics == ()
    cells[100] += " -- edited"
    started = time.process_time()
    pipeline(SETUP, "parameters: day = 1", *cells)
    edit = time.process_time() - started
    assert cold < 10  # generous: half a second on an idle machine, and 30 ms for an edit
    assert edit < 1
