"""The tables that a notebook builds, as an object that a notebook shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.graph.lineage import BuiltTable, TableLineage


class Lineage:
    """Which tables are made of which, column by column: drawn in a notebook, listed elsewhere."""

    def __init__(self, found: TableLineage) -> None:
        self._found = found

    @property
    def tables(self) -> tuple[BuiltTable, ...]:
        """Each with the step and cell that build it, what it reads, and what its columns are made of."""
        return self._found.tables

    def to_dict(self) -> dict[str, object]:
        """The JSON form."""
        return self._found.to_json()

    def __repr__(self) -> str:
        from jupyter_pipelines.graph.render_lineage import lineage_text

        return lineage_text(self._found).rstrip("\n")

    def _repr_mimebundle_(self, **_options: object) -> dict[str, str]:
        from jupyter_pipelines.graph.render_lineage import lineage_svg

        picture = lineage_svg(self._found)
        shown = {"text/plain": repr(self)}
        return shown | ({"text/html": f'<div style="overflow-x: auto">{picture}</div>'} if picture else {})
