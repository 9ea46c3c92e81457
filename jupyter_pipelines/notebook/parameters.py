from __future__ import annotations
from jupyter_pipelines.diagnostics import Diagnostic
from jupyter_pipelines.notebook.model import Cell, Parameter


def read_parameters(cells: list[Cell], *, python: bool) -> tuple[tuple[Parameter, ...], list[Diagnostic]]:
    return (), []
