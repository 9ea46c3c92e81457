"""Which columns the tables of a notebook are made of, as text and as a picture."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from jupyter_pipelines.graph.lineage import TableLineage
from jupyter_pipelines.graph.sql.columns import ColumnSource
from jupyter_pipelines.notebook.table_names import TableName

MOST_ROWS = 14  # columns of a table in the picture; the others share one row
_CHARACTER, _ROW, _GAP_X, _GAP_Y, _MARGIN = 7.2, 18, 90, 22, 8  # pixels


def lineage_text(found: TableLineage) -> str:
    """The tables, and below each its columns with what they are made of."""
    lines: list[str] = []
    for built in found.tables:
        reads = ", ".join(str(name) for name in built.reads)
        line = f"{built.name}  ({built.how}, step {built.step}, cell {built.cell})"
        lines.append(f"{line}  ← {reads}" if reads else line)
        width = max((len(column) for column in built.columns), default=0)
        for column, sources in built.columns.items():
            made_of = f"  ← {', '.join(map(_shown, sources))}" if sources else ""
            lines.append(f"  {column:<{width}}{made_of}".rstrip())
        if not built.columns:
            lines.append("  its columns cannot be told from the SQL")
    return "\n".join(lines) + "\n" if lines else "no tables are built in SQL\n"


def _shown(source: ColumnSource) -> str:
    return f"{source.table}.{source.column}{'' if source.certain else '?'}"


@dataclass(slots=True)
class _Box:
    """A table with its columns; ``x`` and ``y`` are its left upper corner."""

    name: TableName
    built: bool
    columns: list[str]
    x: float = 0
    y: float = 0

    @property
    def rows(self) -> list[str]:
        hidden = len(self.columns) - MOST_ROWS
        return self.columns if hidden <= 1 else [*self.columns[:MOST_ROWS], f"… {hidden} more"]

    @property
    def width(self) -> float:
        return max([len(str(self.name)) + 2, *(len(row) + 2 for row in self.rows)]) * _CHARACTER + 12

    @property
    def height(self) -> float:
        return (len(self.rows) + 1) * _ROW + 6

    def to_json(self) -> dict[str, Any]:
        places = {name: getattr(self, name) for name in ("built", "rows", "x", "y", "width", "height")}
        return {"name": str(self.name), **places}

    def middle_of(self, column: str) -> float:
        """The height at which a column stands."""
        at = self.columns.index(column) if column in self.columns else -1
        return self.y + (min(at, len(self.rows) - 1) + 1.5) * _ROW + 3


def lineage_picture(found: TableLineage) -> dict[str, Any]:
    """Where everything of the picture goes, in pixels: for who draws it.

    ``width``, ``height``; ``boxes``: ``name``, ``built``, ``rows`` (its columns), ``x``, ``y``, ``width``, ``height``;
    ``lines``: ``path`` (as in SVG), ``certain``, ``title``; ``row``: the height of a row; ``summary``.
    """
    boxes = _boxes(found)
    width, height = _place(boxes, found) if boxes else (0.0, 0.0)
    lines = []
    for built in found.tables:
        target = boxes[built.name]
        for column, sources in built.columns.items():
            lines += [_line(boxes[source.table], source, target, column) for source in sources]
        if not built.columns:
            lines += [_line(boxes[name], ColumnSource(name, "", False), target, "") for name in built.reads]
    told = (f"{built.name} is made of {', '.join(map(str, built.reads)) or 'nothing'}" for built in found.tables)
    return {
        "width": width,
        "height": height,
        "row": _ROW,
        "boxes": [box.to_json() for box in boxes.values()],
        "lines": lines,
        "summary": "; ".join(told),
    }


def lineage_svg(found: TableLineage) -> str:
    """Tables from left to right, a line from each column to those that are made of it; in the colours of the page."""
    picture = lineage_picture(found)
    if not picture["boxes"]:
        return ""
    parts = [*map(_drawn_line, picture["lines"]), *map(_drawn, picture["boxes"])]
    size = f'viewBox="0 0 {picture["width"]:.0f} {picture["height"]:.0f}" width="{picture["width"]:.0f}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(picture["summary"][:500])}" '
        f'font-family="monospace" font-size="12">{"".join(parts)}</svg>'
    )


def _boxes(found: TableLineage) -> dict[TableName, _Box]:
    boxes: dict[TableName, _Box] = {}
    for built in found.tables:
        for name in built.reads:
            boxes.setdefault(name, _Box(name, False, []))
        box = boxes.setdefault(built.name, _Box(built.name, True, []))
        box.built = True
        box.columns += [column for column in built.columns if column not in box.columns]
        for source in (source for sources in built.columns.values() for source in sources):
            below = boxes.setdefault(source.table, _Box(source.table, False, []))
            if source.column not in below.columns:
                below.columns.append(source.column)
    return boxes


def _place(boxes: dict[TableName, _Box], found: TableLineage) -> tuple[float, float]:
    """Give each box its place, to the right of all that it is made of; the size of the whole."""
    level = dict.fromkeys(boxes, 0)
    for built in found.tables:  # in notebook order, in which tables are made after what they are made of
        above = [level[name] for name in built.reads if name != built.name]
        level[built.name] = max([level[built.name], *(one + 1 for one in above)])
    followers: dict[TableName, list[int]] = {}
    for built in reversed(found.tables):  # and as near to those as can be, so that few lines pass other tables
        level[built.name] = min(followers.get(built.name, [level[built.name] + 1])) - 1
        for name in built.reads:
            if name != built.name:
                followers.setdefault(name, []).append(level[built.name])
    level |= {name: min(after) - 1 for name, after in followers.items() if not boxes[name].built}
    x: float = _MARGIN
    height = 0.0
    for number in range(min(level.values()), max(level.values()) + 1):
        column = [boxes[name] for name in boxes if level[name] == number]
        y: float = _MARGIN
        for box in column:
            box.x, box.y = x, y
            y += box.height + _GAP_Y
        x += max((box.width for box in column), default=0) + _GAP_X
        height = max(height, y - _GAP_Y + _MARGIN)
    return x - _GAP_X + _MARGIN, height


def _line(source: _Box, column: ColumnSource, target: _Box, made: str) -> dict[str, Any]:
    x1, y1 = source.x + source.width, source.middle_of(column.column)
    x2, y2 = target.x, target.middle_of(made)
    bend = (x1 + x2) / 2
    return {
        "path": f"M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}",
        "certain": column.certain,
        "title": f"{target.name}.{made} ← {_shown(column)}" if made else f"{target.name} ← {column.table}",
    }


def _drawn_line(line: dict[str, Any]) -> str:
    dashes = "" if line["certain"] else ' stroke-dasharray="4 3"'
    drawn = f'<path d="{line["path"]}" fill="none" stroke="currentColor" stroke-opacity=".45"{dashes}>'
    return f"{drawn}<title>{escape(line['title'])}</title></path>"


def _drawn(box: dict[str, Any]) -> str:
    fill = ".12" if box["built"] else ".04"
    drawn = (
        f'<rect x="{box["x"]:.0f}" y="{box["y"]:.0f}" width="{box["width"]:.0f}" height="{box["height"]:.0f}" rx="6" '
        f'fill="currentColor" fill-opacity="{fill}" stroke="currentColor" stroke-opacity=".6"/>'
    )
    for at, row in enumerate([box["name"], *box["rows"]]):
        y, weight = box["y"] + (at + 1) * _ROW - 2, "" if at else ' font-weight="bold"'
        drawn += f'<text x="{box["x"] + 8:.0f}" y="{y:.0f}" fill="currentColor"{weight}>{escape(row)}</text>'
    return drawn
