"""Reading a notebook: everything the other modules of this room find out, put together in one document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.notebook.codes import Problem
from jupyter_pipelines.notebook.model import Cell, NotebookDocument, NotebookOptions, Role
from jupyter_pipelines.notebook.options import StepOptionsBuilder, read_notebook_options
from jupyter_pipelines.notebook.parameters import read_parameters
from jupyter_pipelines.notebook.parse import ParsedNotebook, parse
from jupyter_pipelines.notebook.python_source import CellSource, read_source
from jupyter_pipelines.notebook.roles import Roles, assign_roles
from jupyter_pipelines.notebook.sql_cells import OWN_MAGICS, understand_sql
from jupyter_pipelines.notebook.tags import read_tags
from jupyter_pipelines.typed import typed

# Languages of kernels whose notebooks often lack language information.
_KERNEL_LANGUAGES = {"python": "python", "julia": "julia", "bash": "bash", "xcpp": "C++", "ir": "R"}
_SEVERITIES = list(Severity)


@typed
def read_notebook(source: bytes | str, name: str) -> NotebookDocument:
    """Read a notebook (``.ipynb``, or a jupytext ``.py``/``.md``) and understand it.

    ``name`` is how users know the notebook, with its suffix. Never raises for bad content: what is wrong is in the
    document's ``diagnostics``, and ``cells`` may be empty.
    """
    parsed = parse(source, name)
    if not parsed.readable:
        return NotebookDocument(name, "python", "", (), {}, (), NotebookOptions(), tuple(parsed.diagnostics))
    return understand(parsed, name)


def understand(parsed: ParsedNotebook, name: str) -> NotebookDocument:
    """The document of a parsed notebook."""
    diagnostics = list(parsed.diagnostics)
    language, kernel = _language(parsed.metadata, diagnostics)
    python = language.lower() in {"python", "ipython", "python3", ""}
    options, defaults, kale = _notebook_options(parsed.metadata, diagnostics)
    sources = {cell.index: read_source(cell.source, python=python) for cell in parsed.cells if cell.kind == "code"}
    roles = assign_roles(parsed.cells, sources, defaults, kale=kale)
    diagnostics += roles.diagnostics
    diagnostics += _source_findings(roles, sources)
    if not any(cell.role is Role.STEP for cell in roles.cells):
        diagnostics.append(_nothing_to_run(roles.cells))
    if python and any(cell.cell_magic in OWN_MAGICS for cell in roles.cells):
        roles.cells, findings = understand_sql(roles.cells)
        diagnostics += findings
    parameters, findings = read_parameters(roles.cells, python=python)
    diagnostics += findings
    return NotebookDocument(
        name=name,
        language=language,
        kernel_name=kernel,
        cells=tuple(roles.cells),
        steps=roles.steps,
        parameters=parameters,
        options=options,
        diagnostics=tuple(sorted(diagnostics, key=_by_place)),
    )


def _by_place(diagnostic: Diagnostic) -> tuple[int, int, int]:
    place = diagnostic.location
    severity = _SEVERITIES.index(diagnostic.severity)
    return (place.cell, place.line, severity) if place is not None else (0, 0, severity)


def _language(metadata: Mapping[str, Any], diagnostics: list[Diagnostic]) -> tuple[str, str]:
    spec, info = metadata.get("kernelspec"), metadata.get("language_info")
    spec = spec if isinstance(spec, dict) else {}
    info = info if isinstance(info, dict) else {}
    kernel = spec.get("name")
    kernel = kernel if isinstance(kernel, str) else ""
    language = spec.get("language") or info.get("name")
    if not isinstance(language, str) or not language:
        language = _KERNEL_LANGUAGES.get(re.sub(r"[-.\d].*", "", kernel.lower()), "")
    if not language and kernel:
        diagnostics.append(
            Problem(
                "JP109",
                f"The kernel `{kernel}` does not say its language; the notebook is read as Python.",
                "Open the notebook in Jupyter, choose its kernel and save it.",
                severity=Severity.WARNING,
            ).at(None)
        )
    elif not kernel:
        diagnostics.append(
            Problem(
                "JP109",
                f"The notebook names no kernel; the default one for {language or 'Python'} is used.",
                "Open the notebook in Jupyter, choose its kernel and save it.",
            ).at(None)
        )
    language = language or "python"
    if language.lower() not in {"python", "ipython", "python3"}:
        diagnostics.append(
            Problem(
                "JP110",
                f"This is a notebook in {language}: its steps run in notebook order in one kernel, nothing is inferred "
                "and no values are carried.",
            ).at(None)
        )
    return language, kernel


def _notebook_options(
    metadata: Mapping[str, Any], diagnostics: list[Diagnostic]
) -> tuple[NotebookOptions, dict[str, Any], bool]:
    """The pipeline's options, the defaults of its steps, and whether the metadata are Kale's."""
    problems: list[Problem] = []
    options, defaults = read_notebook_options(metadata.get("pipeline", {}), problems)
    kale = metadata.get("kubeflow_notebook")
    if isinstance(kale, dict):
        name, description = kale.get("pipeline_name"), kale.get("pipeline_description")
        options = NotebookOptions(
            name=options.name or (name if isinstance(name, str) else ""),
            description=options.description or (description if isinstance(description, str) else ""),
            files=options.files,
            max_parallel=options.max_parallel,
            timeout=options.timeout,
            tags=options.tags,
        )
        if extra := _kale_defaults(kale.get("steps_defaults")):
            defaults["extra"] = extra
    diagnostics += [problem.at(None) for problem in problems]
    return options, defaults, isinstance(kale, dict)


def _kale_defaults(given: object) -> Mapping[str, Any]:
    """Kale's ``steps_defaults``: a list of tags such as ``limit:cpu:1`` that hold for every step."""
    if not isinstance(given, list):
        return {}
    builder = StepOptionsBuilder.empty("")
    builder.add({"extra": read_tags(tuple(tag for tag in given if isinstance(tag, str))).extra}, "")
    extra = builder.values["extra"]
    assert isinstance(extra, dict)
    return extra


def _source_findings(roles: Roles, sources: Mapping[int, CellSource]) -> list[Diagnostic]:
    """What is wrong with the sources: a skipped cell may hold anything, and one that is to fail need not be Python."""
    return [
        problem.at(cell, cell.step)
        for cell in roles.cells
        if cell.role not in (Role.SKIP, Role.TEXT)
        for problem in sources[cell.index].problems
        if not (problem.code == "JP120" and cell.may_fail)
    ]


def _nothing_to_run(cells: list[Cell]) -> Diagnostic:
    if not cells:
        return Problem("JP106", "The notebook has no cells.", "Add a code cell.").at(None)
    if all(cell.role is Role.TEXT for cell in cells):
        return Problem("JP106", "The notebook has no code cells.", "Add a code cell.").at(None)
    return Problem(
        "JP106",
        "No cell of the notebook belongs to a step: all are skip, setup or parameters.",
        "Tag the first cell of each step `step:NAME`.",
    ).at(None)
