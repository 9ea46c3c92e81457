"""Reading notebooks: cells and their roles, options, parameters, Python source. Pure: no I/O, no Jupyter server."""

from __future__ import annotations

from jupyter_pipelines.notebook.codes import CODES
from jupyter_pipelines.notebook.parameters import (
    coerce_parameters,
    parameters_json,
    parameters_schema,
    parameters_source,
)
from jupyter_pipelines.notebook.parse import parse_notebook
from jupyter_pipelines.notebook.read import read_notebook

__all__ = [
    "CODES",
    "coerce_parameters",
    "parameters_json",
    "parameters_schema",
    "parameters_source",
    "parse_notebook",
    "read_notebook",
]
