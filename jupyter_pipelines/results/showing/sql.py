"""What SQL cells and checks give, as HTML and as text.

No times are told: a cell shows the same whenever it does the same, so that runs can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.results.showing.html import framed, table, text
from jupyter_pipelines.results.showing.text import aligned

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.model import CheckRecord
    from jupyter_pipelines.warehouse.cells import Built, Changed, Looked
    from jupyter_pipelines.warehouse.checks.model import CheckReport, CheckResult

_STATES: Final = {"passed": ("✓", "completed"), "warned": ("▲", "warned"), "failed": ("✗", "failed")}
_NUMBERS: Final = ("INT", "BIGINT", "SMALLINT", "TINYINT", "HUGEINT", "U", "FLOAT", "DOUBLE", "DECIMAL")
MOST_COLUMNS: Final = 60


@dataclass(frozen=True, slots=True)
class Shown:
    """What a cell shows: HTML where that can be, and text."""

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def shown_rows(looked: Looked) -> Shown:
    """The first rows of a result; more are folded away."""
    names = looked.columns[:MOST_COLUMNS]
    right = [place for place, (_, kind) in enumerate(names) if kind.startswith(_NUMBERS)]
    heads, types = [name for name, _ in names], [kind for _, kind in names]

    def part(rows: Sequence[Sequence[object]]) -> str:
        cells = ([_cell(value) for value in row[:MOST_COLUMNS]] for row in rows)
        return f'<div class="rows">{table(heads, cells, right, types)}</div>'

    first, rest = looked.rows[: looked.shown], looked.rows[looked.shown :]
    parts = [part(first)]
    if rest:
        label = f"rows {len(first) + 1:,} to {len(looked.rows):,}"
        parts.append(f"<details><summary>{label}</summary>{part(rest)}</details>")
    about = _about(looked)
    lines = aligned([heads, *([_plain(value) for value in row[:MOST_COLUMNS]] for row in first)])
    return Shown(framed(*parts, f'<p class="muted">{text(about)}</p>'), "\n".join([*lines, about]))


def shown_change(changed: Changed) -> Shown:
    """What statements without rows have done."""
    said = f"{_rows(changed.rows)} affected" if changed.rows else "done"
    return Shown(framed(f'<p class="muted">{said}</p>'), said)


def shown_build(built: Built) -> Shown:
    """A table that was built."""
    result = built.result
    numbers = [] if result.rows is None else [_rows(result.rows)]
    if result.materialize in {"incremental", "append", "snapshot"} or result.is_new:
        counted = {"added": result.added, "changed": result.changed, "removed": result.removed}
        numbers += [f"{number:,} {what}" for what, number in counted.items() if number and not result.is_new]
    elif result.rows is not None:
        numbers.append(f"{result.removed:,} before")
    about = " · ".join([result.materialize, *numbers, *(["new"] if result.is_new else [])])
    html = f'<div><strong>{text(result.table)}</strong> <span class="muted">{text(about)}</span></div>'
    return Shown(framed(html), f"{result.table}: {about}")


def shown_checks(report: CheckReport) -> Shown:
    """How checks came out, with some of the rows that broke one."""
    passed = sum(one.status == "passed" for one in report.results)
    about = f"{passed} of {len(report.results)} checks passed · {_rows(report.rows)}"
    head = f'<div><strong>{text(report.table)}</strong> <span class="muted">{text(about)}</span></div>'
    parts = [head, checks_table(report.results)]
    lines = [f"{report.table}: {about}"]
    lines += aligned([(_STATES[one.status][0], one.name, _numbers(one), one.message) for one in report.results])
    for one in report.results:
        if one.sample:
            rows = [[text(value) for value in row] for row in one.sample]
            parts.append(f"<details><summary>{text(one.name)}: {len(rows)} of {one.violations:,}</summary>")
            parts.append(f'<div class="rows">{table(one.sample_columns, rows)}</div></details>')
            lines += [
                "",
                f"{one.name}, {len(rows)} of {one.violations:,}:",
                *aligned([one.sample_columns, *one.sample]),
            ]
    return Shown(framed(*parts), "\n".join(lines))


def checks_table(checks: Sequence[CheckResult | CheckRecord], *, with_tables: bool = False) -> str:
    """A line of HTML for each check, those first that have not passed."""
    order = ("failed", "warned", "passed")
    rows = [
        (
            _state(one.status),
            text(f"{one.table}: {one.name}" if with_tables else one.name),
            text(_numbers(one)),
            text(one.message),
        )
        for one in sorted(checks, key=lambda one: order.index(one.status) if one.status in order else 0)
    ]
    return table(("", "check", "violations", ""), rows, [2])


def _numbers(one: CheckResult | CheckRecord) -> str:
    if one.value is not None:
        return f"{one.value:,.6g}"
    if not one.violations or one.message:
        return ""
    share = one.violations / one.rows if one.rows else 1.0
    return f"{one.violations:,} ({share:.2%})" if one.violations <= one.rows else f"{one.violations:,}"


def _state(status: str) -> str:
    glyph, style = _STATES.get(status, ("", ""))
    return f'<span class="{style}">{glyph} {text(status)}</span>'


def _about(looked: Looked) -> str:
    counted = f"more than {_rows(looked.counted)}" if looked.has_more else _rows(looked.counted)
    first = min(looked.shown, len(looked.rows))
    said = counted if first == looked.counted and not looked.has_more else f"first {first:,} of {counted}"
    columns = len(looked.columns)
    said += f" · first {MOST_COLUMNS} of {columns:,} columns" if columns > MOST_COLUMNS else ""
    return said


def _rows(number: int) -> str:
    return f"{number:,} row{'s' if number != 1 else ''}"


def _cell(value: object) -> str:
    return '<span class="muted">NULL</span>' if value is None else text(_plain(value))


def _plain(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < 1e6 and not value.is_integer() else f"{value:,.10g}"
    return str(value)
