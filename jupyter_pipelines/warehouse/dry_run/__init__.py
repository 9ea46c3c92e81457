"""What DuckDB would say of a notebook's SQL, before any of it is run.

=========  ========  ===========================================================================
code       severity  about
=========  ========  ===========================================================================
``JP360``  error     SQL that DuckDB cannot read
``JP361``  warning   a name, a type or a grouping that DuckDB refuses (error where the notebook itself makes the tables)
``JP362``  warning   a table that neither the warehouse has nor a cell above makes
=========  ========  ===========================================================================

Errors follow from the notebook alone: they are the same whatever is in the warehouse, and whether it can be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.diagnostics import Diagnostic
    from jupyter_pipelines.graph.fixes import Checked, Fix
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.warehouse.dry_run.known import KnownTables

__all__ = ["check_with_dry_run", "dry_run", "has_sql", "known_tables", "with_dry_run"]


def has_sql(pipeline: Pipeline) -> bool:
    """Whether there is SQL to be looked at."""
    return any(cell.sql is not None or cell.check is not None for cell in pipeline.document.cells)


def known_tables(pipeline: Pipeline, wait: float, *, fresh: bool = True) -> KnownTables | None:
    """The tables of the warehouse of this process, if its owner is up and the notebook has SQL.

    ``wait`` and ``fresh`` are those of :func:`jupyter_pipelines.warehouse.dry_run.known.known_tables`.
    """
    if not has_sql(pipeline):
        return None
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.dry_run.known import known_tables as known

    return known(Settings.load().warehouse, wait, fresh=fresh)


def with_dry_run(pipeline: Pipeline, warehouse: KnownTables | None = None) -> Pipeline:
    """The pipeline with what DuckDB would say of its SQL among its findings, given these tables of the warehouse."""
    from jupyter_pipelines.graph.fixes import Checked

    return check_with_dry_run(Checked(pipeline, ((),) * len(pipeline.diagnostics)), warehouse).pipeline


def check_with_dry_run(checked: Checked, warehouse: KnownTables | None = None) -> Checked:
    """The same, with fixes."""
    found = dry_run(checked.pipeline, warehouse)
    if not found:
        return checked
    unread = {finding.location for finding, _ in found if finding.code == "JP360"}
    cells = {place.cell for place in unread if place is not None}
    kept = [
        (finding, fixes)
        for finding, fixes in zip(checked.pipeline.diagnostics, checked.fixes, strict=True)
        if not (finding.code == "JP350" and finding.location is not None and finding.location.cell in cells)
    ]
    findings, fixes = zip(*kept, *found, strict=True)
    return replace(checked, pipeline=replace(checked.pipeline, diagnostics=findings), fixes=fixes)


def dry_run(pipeline: Pipeline, warehouse: KnownTables | None = None) -> Sequence[tuple[Diagnostic, tuple[Fix, ...]]]:
    """What DuckDB would say of the SQL of a notebook, each with the edits that put it right.

    Never raises for what the notebook contains. A statement is asked about once; that takes about a millisecond.
    """
    if not pipeline.document.is_python or not has_sql(pipeline):
        return ()
    from jupyter_pipelines.warehouse.dry_run.finding import finding
    from jupyter_pipelines.warehouse.dry_run.walk import Walk

    return tuple(finding(found, pipeline, warehouse) for found in Walk(pipeline, warehouse).go())
