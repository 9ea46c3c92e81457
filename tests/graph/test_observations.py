"""What runs have seen drops possible changes, adds unseen ones, and never touches what is certain."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_pipelines.graph import compile_pipeline, explain
from jupyter_pipelines.graph.model import Observations
from jupyter_pipelines.notebook.model import StepOptions
from tests.graph.notebooks import notebook
from tests.graph.test_cases import edges_of

CELLS = ("setup: from somewhere import look", "a: x = []", "b: look(x)", "c: print(x)")


def test_an_unknown_call_possibly_changes_its_argument() -> None:
    pipeline = compile_pipeline(notebook(*CELLS))
    assert edges_of(pipeline) == {"a>b:x", "b>c:x"}
    assert pipeline.step("b").possibly_changed == ("x",)
    assert not next(edge for edge in pipeline.edges if edge.target == "c").certain


def test_seen_unchanged_drops_the_edge_and_keeps_the_guard() -> None:
    digest = compile_pipeline(notebook(*CELLS)).step("b").digest
    pipeline = compile_pipeline(notebook(*CELLS), Observations(unchanged=frozenset({(digest, "x")})))
    assert edges_of(pipeline) == {"a>b:x", "a>c:x"}
    assert pipeline.step("b").guarded == ("x",)
    assert pipeline.step("b").outputs == ()


def test_seen_unchanged_says_nothing_about_other_source() -> None:
    digest = compile_pipeline(notebook(*CELLS)).step("b").digest
    changed = notebook(*CELLS[:2], "b: look(x, 2)", CELLS[3])
    pipeline = compile_pipeline(changed, Observations(unchanged=frozenset({(digest, "x")})))
    assert edges_of(pipeline) == {"a>b:x", "b>c:x"}


def test_the_digest_covers_setup_and_definitions_of_other_steps() -> None:
    def digest(*cells: str) -> str:
        return compile_pipeline(notebook(*cells)).step("b").digest

    first = digest("setup: k = 1", "a: def f(x): return g(x)\ndef g(x): return x", "b: f(1)", "c: z = 1")
    assert first == digest("setup: k = 1", "a: def f(x): return g(x)\ndef g(x): return x", "b: f(1)", "c: z = 2")
    assert first != digest("setup: k = 2", "a: def f(x): return g(x)\ndef g(x): return x", "b: f(1)", "c: z = 1")
    assert first != digest("setup: k = 1", "a: def f(x): return g(x)\ndef g(x): return 2", "b: f(1)", "c: z = 1")


def test_seen_unchanged_does_not_drop_a_certain_change() -> None:
    cells = ("a: x = []", "b: x.append(1)", "c: print(x)")
    digest = compile_pipeline(notebook(*cells)).step("b").digest
    pipeline = compile_pipeline(notebook(*cells), Observations(unchanged=frozenset({(digest, "x")})))
    assert edges_of(pipeline) == {"a>b:x", "b>c:x"}


def test_seen_changed_adds_an_edge() -> None:
    cells = ("a: x = []", "b: print(x)", "c: print(x)")
    digest = compile_pipeline(notebook(*cells)).step("b").digest
    pipeline = compile_pipeline(notebook(*cells), Observations(changed=frozenset({(digest, "x")})))
    assert edges_of(pipeline) == {"a>b:x", "b>c:x"}


def test_an_edge_that_only_a_run_has_shown_says_so_and_invents_no_line() -> None:
    cells = ("a: x = []", "b: import m\nprint('no x here')", "b: m.work()", "c: print(x)")
    digest = compile_pipeline(notebook(*cells)).step("b").digest
    seen = Observations(changed=frozenset({(digest, "x")}), state_changed=frozenset({(digest, "cwd")}))
    pipeline = compile_pipeline(notebook(*cells), seen)
    first, second = (edge for edge in pipeline.edges if edge.name == "x")
    assert first.explain() == (
        "b needs `x`; written by a at cell 1 line 1; an earlier run showed that b (cells 2, 3) changes it"
    )
    assert second.explain() == (
        "c needs `x` because cell 4 line 1 reads it; written by a at cell 1 line 1; "
        "an earlier run showed that b (cells 2, 3) changes it"
    )
    assert (first.read, second.changed) == (None, ())
    assert "the state of cwd because cell 4 line 1 reads it; an earlier run showed that b (cells 2, 3) changes it" in (
        explain(pipeline, "c")
    )


def test_seen_aliases_change_together() -> None:
    cells = ("a: x = []\ny = []", "b: x.append(1)", "c: print(y)")
    digest = compile_pipeline(notebook(*cells)).step("a").digest
    seen = Observations(aliases=frozenset({(digest, frozenset({"x", "y"}))}))
    assert edges_of(compile_pipeline(notebook(*cells), seen)) == {"a>b:x", "a>b:y", "b>c:y"}


def test_random_state_seen_untouched_breaks_the_chain() -> None:
    cells = ("setup: import random\nfrom m import work\nrandom.seed(1)", "a: work()", "b: print(random.random())")
    pipeline = compile_pipeline(notebook(*cells))
    assert pipeline.step("b").state_inputs == {"random": "a"}
    digest = pipeline.step("a").digest
    seen = Observations(state_untouched=frozenset({(digest, "random"), (digest, "numpy.random")}))
    assert compile_pipeline(notebook(*cells), seen).step("b").state_inputs == {}


@pytest.mark.parametrize("field", ["state_set", "state_set_up"])
def test_a_generator_seen_set_makes_draws_come_in_order(field: str) -> None:
    cells = ("setup: from lib import np, prepare", "a: prepare()", "b: np.draw()", "c: np.draw()")
    assert edges_of(compile_pipeline(notebook(*cells))) == set()
    digests = {step.name: step.digest for step in compile_pipeline(notebook(*cells)).steps}
    drawn = frozenset((digests[name], "random") for name in "bc")
    seen = Observations(state_changed=drawn, **{field: frozenset({(digests["a"], "random")})})
    if field == "state_set":
        seen = replace(seen, state_changed=drawn | {(digests["a"], "random")})
    assert edges_of(compile_pipeline(notebook(*cells), seen)) >= {"b>c:random"}


def test_files_seen_written_order_steps() -> None:
    cells = ("setup: from m import save, load", "a: save()", "b: load()")
    plain = compile_pipeline(notebook(*cells))
    assert plain.edges == ()
    seen = Observations(
        files_written=frozenset({(plain.step("a").digest, "/d/x.csv")}),
        files_read=frozenset({(plain.step("b").digest, "/d/x.csv")}),
    )
    assert [(edge.source, edge.target, edge.name) for edge in compile_pipeline(notebook(*cells), seen).edges] == [
        ("a", "b", "/d/x.csv")
    ]


def test_the_author_knows_better() -> None:
    unchanged = notebook(*CELLS, options={"b": StepOptions(unchanged=("x",))})
    assert edges_of(compile_pipeline(unchanged)) == {"a>b:x", "a>c:x"}
    writes = notebook("a: x = 1", "b: exec(open('f').read())", "c: print(x)", options={"b": StepOptions(writes=("x",))})
    pipeline = compile_pipeline(writes)
    assert not pipeline.errors
    assert "b>c:x" in edges_of(pipeline)
    reads = notebook("a: x = 1", "b: pass", options={"b": StepOptions(reads=("x",))})
    assert edges_of(compile_pipeline(reads)) == {"a>b:x"}


def test_compiling_is_a_pure_function() -> None:
    document = notebook(*CELLS)
    first, second = compile_pipeline(document), compile_pipeline(replace(document))
    assert (first.steps, first.edges, first.diagnostics) == (second.steps, second.edges, second.diagnostics)


def test_definitions_that_values_turned_out_to_need_are_repeated() -> None:
    cells = ("a: x = [1]", "b: class Model: pass", "c: m = held(x)", "d: print(x)")
    digest = compile_pipeline(notebook(*cells)).step("d").digest
    needed = Observations(definitions_needed=frozenset({(digest, "Model"), (digest, "nothing"), (digest, "x")}))
    replayed = compile_pipeline(notebook(*cells), needed).step("d").definitions
    assert [definition.names for definition in replayed] == [("Model",)]


def test_a_class_may_read_what_is_passed_on_to_keep_it_shared() -> None:
    pipeline = compile_pipeline(
        notebook(
            "a: from lib import load\nw = load()\nT, E = w['T'], w['E']",
            "b: from lib import Base, Other\nax = 1",
            "c: T_ = T + 10\nclass A(Base):\n    bound = T.min()",
            "d: t = A()\nax = Other().fit(T_, E).plot(ax=ax)",
            "e: Other().fit(T, E).plot(ax=ax)",
        )
    )
    assert pipeline.errors == ()
    assert {"c>d:T", "c>d:E", "c>d:T_"} <= edges_of(pipeline)
