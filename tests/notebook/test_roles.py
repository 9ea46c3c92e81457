"""Tags, magics, metadata and Kale's words: which cell is what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_pipelines.notebook.model import NotebookDocument, StepOptions

Read = Callable[..., NotebookDocument]


def roles(document: NotebookDocument) -> list[str]:
    return [cell.step or f"<{cell.role}>" for cell in document.cells]


def codes(document: NotebookDocument) -> list[str]:
    return [finding.code for finding in document.diagnostics]


TABLE: list[tuple[str, list[Any], list[str]]] = [
    ("untagged is one step", ["a", "b"], ["notebook", "notebook"]),
    ("parameters leave the rest one step", [("a=1", "parameters"), "b"], ["<parameters>", "notebook"]),
    ("above the parameters is setup", ["import a", ("a=1", "parameters"), "b"],
     ["<setup>", "<parameters>", "notebook"]),
    ("setup leaves the rest one step", [("a", "setup"), "b"], ["<setup>", "notebook"]),
    ("skip leaves the rest one step", ["a", ("b", "skip"), "c"], ["notebook", "<skip>", "notebook"]),
    ("before the first step is setup", ["a", ("b", "step:s"), "c"], ["<setup>", "s", "s"]),
    ("untagged belongs to the step above", [("a", "step:s"), "b", ("c", "step:t"), "d"], ["s", "s", "t", "t"]),
    ("a step may be continued", [("a", "step:s"), ("b", "step:t"), ("c", "step:s")], ["s", "t", "s"]),
    ("skip does not end a step", [("a", "step:s"), ("b", "skip"), "c"], ["s", "<skip>", "s"]),
    ("setup does not end a step", [("a", "step:s"), ("b", "setup"), "c"], ["s", "<setup>", "s"]),
    ("magics", ["%%setup\na", "%%step s\nb", "%%skip\nc", "d"], ["<setup>", "s", "<skip>", "s"]),
    ("blank lines above a magic", ["\n\n%%step s\nb"], ["s"]),
    ("a tag and a magic that agree", [("%%step s\na", "step:s")], ["s"]),
    ("foreign tags are nothing", [("a", "hide-input", "raises-exception", "stage:x")], ["notebook"]),
    ("injected parameters never run", [("a=1", "parameters"), ("a=2", "injected-parameters"), "b"],
     ["<parameters>", "<skip>", "notebook"]),
    ("Kale", [("import a", "imports"), "import b", ("def f(): 1", "functions"), "x", ("n=1", "pipeline-parameters"),
              "m=2", ("a", "block:load"), "b", ("c", "block:", "skip"), ("d", "step:use", "prev:load"),
              ("print(1)", "pipeline-metrics"), "print(2)"],
     ["<setup>", "<setup>", "<setup>", "<setup>", "<parameters>", "<parameters>", "load", "load", "<skip>", "use",
      "pipeline-metrics", "pipeline-metrics"]),
    ("Kale's untagged cell follows imports also between steps",
     [("a", "step:s"), ("import b", "imports"), "c", ("d", "step:t")], ["s", "<setup>", "<setup>", "t"]),
    ("Kale's empty block continues", [("a", "block:s"), ("b", "block:"), ("c", "step:")], ["s", "s", "s"]),
]  # fmt: skip


@pytest.mark.parametrize(("cells", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_roles(read: Read, cells: list[Any], expected: list[str]) -> None:
    document = read(*cells)
    assert roles(document) == expected
    assert not [finding for finding in document.diagnostics if finding.is_error]


WRONG: list[tuple[str, list[Any], str, str]] = [
    ("two steps", [("a", "step:s", "step:t")], "JP130", "`step:s` and `step:t`"),
    ("step and skip", [("a", "step:s", "skip")], "JP130", "`step:s` and `skip`"),
    ("tag and magic", [("%%step t\na", "step:s")], "JP130", "`step:s` and `%%step` (t)"),
    ("tag setup and magic", [("%%step t\na", "setup")], "JP130", "`setup` and `%%step` (t)"),
    ("no name", [("a", "step:")], "JP131", "no name"),
    ("no name on the magic", ["%%step\na"], "JP131", "no name"),
    ("reserved", [("a", "step:setup")], "JP132", "reserved"),
    ("reserved whatever its case", [("a", "step:Skip")], "JP132", "reserved"),
    ("case", [("a", "step:load"), ("b", "step:Load")], "JP133", "only by case"),
    ("unknown after", [("a", "step:load"), ("b", "step:use", "after:laod")], "JP135", "`laod`"),
    ("empty after", [("a", "step:load", "after:")], "JP135", "no step"),
    ("after itself", [("a", "step:load", "after:load")], "JP136", "itself"),
    ("after on setup", [("a", "setup", "after:s"), ("b", "step:s")], "JP137", "`after`"),
    ("magic below a comment", ["# hello\n%%step s\na"], "JP121", "first line"),
    ("two magics", ["%%step s\n%%step t\na"], "JP121", "first line"),
    ("unknown flag", ["%%step s --retry 3\na"], "JP122", "--retry"),
    ("flag without value", ["%%step s --retries\na"], "JP122", "no value"),
    ("two names", ["%%step s t\na"], "JP122", "s and t"),
    ("open quote", ["%%step s --env 'A=1\na"], "JP122", "quote"),
    ("setup takes nothing", ["%%setup now\na"], "JP122", "now"),
    ("bad value on the magic", ["%%step s --retries many\na"], "JP141", "many"),
    ("early Kale's many blocks", [("a", "block:s;t")], "JP139", "2 steps"),
    ("all skipped", [("a", "skip")], "JP106", "skip"),
]


@pytest.mark.parametrize(("cells", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_said(read: Read, cells: list[Any], code: str, words: str) -> None:
    document = read(*cells)
    found = [finding for finding in document.diagnostics if finding.code == code]
    assert len(found) == 1, document.diagnostics
    assert found[0].is_error
    assert words in found[0].message
    assert found[0].fix
    assert code == "JP106" or found[0].location is not None


def test_an_unknown_after_is_left_out_of_the_options(read: Read) -> None:
    document = read(("a", "step:load"), ("b", "step:use", "after:laod", "after:load"))
    assert document.steps["use"].after == ("load",)
    assert "Did you mean `load`?" in document.diagnostics[0].fix


@pytest.mark.parametrize(
    ("tag", "meant"),
    [
        ("steps:load", "step:load"), ("Step:load", "step:load"), ("step: load", "step:load"),
        ("setp:load", "step:load"),
        ("step :load", "step:load"), ("After:x", "after:x"), ("step", "step:NAME"), ("param", "parameters"),
        ("paramters", "parameters"), ("Parameters", "parameters"), ("Setup", "setup"), ("steup", "setup"),
        ("SKIP", "skip"), ("Imports", "imports"), ("Block:a", "block:a"),
    ],
)  # fmt: skip
def test_near_misses_are_questioned(read: Read, tag: str, meant: str) -> None:
    (finding,) = read(("a", tag)).diagnostics
    assert (finding.code, finding.is_error) == ("JP134", False)
    assert finding.fix == f"Did you mean `{meant}`?"


@pytest.mark.parametrize(
    "tag",
    ["skip-execution", "hide-input", "remove_cell", "parametric", "slideshow", "stage:a", "nbval:x", "", ":", "t"],
)
def test_foreign_tags_are_left_alone(read: Read, tag: str) -> None:
    assert read(("a", tag)).diagnostics == ()


def test_options_from_everywhere(read: Read) -> None:
    cells = [
        {"cell_type": "code", "source": "a", "metadata": {"tags": ["step:s"], "pipeline": {
            "retries": 2, "timeout": "1h30m", "env": {"A": "1", "N": 2}, "reads": ["x"]}}},
        "%%step s --retry-delay 10s --retry-backoff 2 --no-cache --env B='two words' --tag t --tag u --after=r # y\nb",
        ("c", "step:r", "limit:nvidia.com/gpu:2", "limit:cpu:1", "label:a:b", "annotation:k8s.io/x:y:z", "image:py:3"),
    ]  # fmt: skip
    document = read(*cells, metadata={"pipeline": {"retries": 1, "cache": True, "env": {"Z": "0"}, "step_timeout": 9}})
    assert document.diagnostics == ()
    assert document.steps["s"] == StepOptions(
        retries=2, retry_delay=10, retry_backoff=2, timeout=5400, cache=False, tags=("t", "u"), after=("r",),
        env={"Z": "0", "A": "1", "N": "2", "B": "two words"}, reads=("x",),
    )  # fmt: skip
    extra = {
        "limits": {"nvidia.com/gpu": "2", "cpu": "1"},
        "labels": {"a": "b"},
        "annotations": {"k8s.io/x": "y:z"},
        "image": "py:3",
    }
    assert document.steps["r"] == StepOptions(retries=1, timeout=9, env={"Z": "0"}, extra=extra)


def test_notebook_options(read: Read) -> None:
    given = {"name": "n", "files": ["*.csv"], "max_parallel": 2, "timeout": "2h", "tags": ["x"], "description": "d"}
    options = read("a", metadata={"pipeline": given}).options
    assert (options.name, options.files, options.max_parallel, options.timeout) == ("n", ("*.csv",), 2, 7200)
    kale = {"pipeline_name": "k", "pipeline_description": "e", "steps_defaults": ["limit:cpu:1", "label:a:b"]}
    document = read(("a", "step:s"), metadata={"kubeflow_notebook": kale})
    assert (document.options.name, document.options.description) == ("k", "e")
    assert document.steps["s"].extra == {"limits": {"cpu": "1"}, "labels": {"a": "b"}}


def test_a_bad_notebook_option_has_no_cell(read: Read) -> None:
    document = read("a", metadata={"pipeline": {"retires": 1, "max_parallel": 0, "timeout": "-3"}})
    assert [(finding.code, finding.location) for finding in document.diagnostics] == [
        ("JP140", None), ("JP141", None), ("JP141", None),
    ]  # fmt: skip
    assert document.diagnostics[0].fix == "Did you mean `retries`?"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("retries", -1), ("retries", True), ("retries", "2"), ("retry_delay", "soon"), ("retry_delay", -1),
        ("retry_backoff", 0.5), ("timeout", 0), ("timeout", "10 parsecs"), ("timeout", float("inf")), ("cache", "no"),
        ("env", ["A"]), ("env", {"A B": "1"}), ("env", {"A": None}), ("tags", [1]), ("after", {}), ("reads", [""]),
    ],
)  # fmt: skip
def test_bad_option_values(read: Read, option: str, value: object) -> None:
    cell = {"cell_type": "code", "source": "a", "metadata": {"tags": ["step:s"], "pipeline": {option: value}}}
    (finding,) = read(cell).diagnostics
    assert (finding.code, finding.is_error) == ("JP141", True)
    assert f"`{option}`" in finding.message


def test_options_that_disagree(read: Read) -> None:
    document = read("%%step s --retries 1 --env A=1\na", "%%step s --retries 2 --env A=2 --after r\nb", "%%step r\nc")
    assert codes(document) == ["JP142", "JP142"]
    assert "in cell 1" in document.diagnostics[0].message
    same = read("%%step s --retries 1\na", "%%step s --retries 1 --after r\nb", "%%step r\nc")
    assert same.diagnostics == ()


def test_options_of_the_one_step(read: Read) -> None:
    cell = {"cell_type": "code", "source": "a", "metadata": {"pipeline": {"retries": 3}}}
    assert read(cell).steps["notebook"].retries == 3


def test_kale_can_switch_reuse_off(read: Read) -> None:
    document = read(("a", "step:s", "cache:disabled"), ("b", "step:t", "cache:enabled"))
    assert [options.cache for options in document.steps.values()] == [False, True]


def test_kale_metrics_come_last(read: Read) -> None:
    document = read(("a", "block:s"), ("b", "block:t"), ("print(1)", "pipeline-metrics"))
    assert document.steps["pipeline-metrics"].after == ("s", "t")


def test_a_skipped_cell_may_hold_anything(read: Read) -> None:
    assert read("a", ("this is (not Python", "skip")).diagnostics == ()


def test_findings_name_cell_and_first_line(read: Read) -> None:
    text = {"cell_type": "markdown", "source": "# Hello", "metadata": {}}
    (finding,) = read(text, ("\n  x = 1", "step:s", "skip")).diagnostics[:1]
    assert finding.location is not None
    assert (finding.location.cell, finding.first_line) == (2, "x = 1")
