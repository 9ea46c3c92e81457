"""What is wrong with a notebook, or might be: what its text tells, and what DuckDB would say of its SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from jupyter_pipelines.typed import typed

if TYPE_CHECKING:
    from jupyter_pipelines.graph.fixes import Checked
    from jupyter_pipelines.graph.model import Pipeline

KEY_SECONDS: Final = 0.2  # that somebody who types waits at most for what the warehouse has
COMMAND_SECONDS: Final = 5.0  # that somebody does who has asked


@typed
def check(source: bytes | str, name: str) -> Checked:
    """Compile a notebook, and find out what is wrong with it and how that can be put right.

    Nothing is run: SQL is held against the tables of the warehouse, if that is open already. Never raises for the
    notebook's content, and is fast enough for every key.
    """
    from jupyter_pipelines.graph.fixes import check as check_text
    from jupyter_pipelines.warehouse.dry_run import check_with_dry_run, known_tables
    from jupyter_pipelines.warehouse.sources import sources

    checked = check_text(source, name, sources=sources().known_names())
    return check_with_dry_run(checked, known_tables(checked.pipeline, KEY_SECONDS, fresh=False))


def with_findings(pipeline: Pipeline) -> Pipeline:
    """A compiled notebook with what DuckDB would say of its SQL."""
    from jupyter_pipelines.warehouse.dry_run import known_tables, with_dry_run

    return with_dry_run(pipeline, known_tables(pipeline, COMMAND_SECONDS))
