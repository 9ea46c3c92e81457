"""All that SQL cells import when they run, so that kernels can have done it before they are taken."""

from __future__ import annotations

import duckdb  # noqa: F401
import pandas  # noqa: F401
import pyarrow.flight  # noqa: F401
import sqlglot.dialects.duckdb  # noqa: F401

import jupyter_pipelines.graph.sql.parsing
import jupyter_pipelines.magics
import jupyter_pipelines.magics.sql
import jupyter_pipelines.results.showing.sql
import jupyter_pipelines.warehouse.building.making
import jupyter_pipelines.warehouse.cells
import jupyter_pipelines.warehouse.checks.running
import jupyter_pipelines.warehouse.engine  # noqa: F401
