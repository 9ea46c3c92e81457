"""Pieces of HTML that read well in JupyterLab's themes, in nbviewer, and where styles are taken out."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta

from jupyter_pipelines.results.showing.words import GLYPHS

LONGEST = 300  # characters of one text
VIEW = "jp-PipelinesView"  # the class of what is around our widgets; the arrows of ipywidgets are black in every theme

STYLE = """<style>
.jp-PipelinesResult { font-size: 13px; line-height: 1.45; color: var(--jp-ui-font-color1, inherit); max-width: 100%;
  --good: var(--jp-success-color0, #1b5e20); --bad: var(--jp-error-color0, #b71c1c);
  --warn: var(--jp-warn-color0, #8a5300); --busy: var(--jp-brand-color1, #0d47a1);
  --line: var(--jp-border-color2, #8886); }
[data-jp-theme-light="false"] .jp-PipelinesResult { --good: var(--jp-success-color2, #81c784);
  --bad: var(--jp-error-color2, #e57373); }
.jp-PipelinesResult h4 { margin: 12px 0 4px; font-size: 13px; font-weight: 600; }
.jp-PipelinesResult.jp-PipelinesResult table { border: none; border-collapse: collapse; margin: 4px 0;
  font-size: 12px; }
.jp-PipelinesResult.jp-PipelinesResult table tr { background: none; }
.jp-PipelinesResult.jp-PipelinesResult table :is(th, td) { text-align: left; padding: 3px 12px 3px 0; border: none;
  vertical-align: top; border-bottom: 1px solid var(--line); background: none; max-width: 420px;
  overflow-wrap: anywhere; }
.jp-PipelinesResult.jp-PipelinesResult table th { font-weight: 600; white-space: nowrap;
  color: var(--jp-ui-font-color2, inherit); }
.jp-PipelinesResult.jp-PipelinesResult table td.number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.jp-PipelinesResult.jp-PipelinesResult pre { margin: 4px 0; padding: 6px 8px; max-height: 240px; overflow: auto;
  font-size: 12px; background: var(--jp-layout-color2, #8881); white-space: pre-wrap; overflow-wrap: anywhere; }
.jp-PipelinesResult.jp-PipelinesResult table th small { display: block; font-weight: normal; opacity: .75; }
.jp-PipelinesResult .rows { overflow-x: auto; }
.jp-PipelinesResult.jp-PipelinesResult .runs :is(th, td) { overflow-wrap: break-word; }
.jp-PipelinesResult.jp-PipelinesResult .runs td:not(:last-child) { white-space: nowrap; }
.jp-PipelinesResult .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr));
  gap: 8px; }
.jp-PipelinesResult .pair > div { min-width: 0; }
.jp-PipelinesResult.jp-PipelinesResult .pair pre { white-space: pre; overflow-wrap: normal; }
.jp-PipelinesResult img { max-width: 100%; height: auto; background: #fff; }
.jp-PipelinesResult summary { cursor: pointer; }
.jp-PipelinesResult .muted { color: var(--jp-ui-font-color2, inherit); }
.jp-PipelinesResult :is(.completed, .reused) { color: var(--good); }
.jp-PipelinesResult :is(.failed, .crashed, .timed-out, .refused) { color: var(--bad); }
.jp-PipelinesResult .warned { color: var(--warn); }
.jp-PipelinesResult .running { color: var(--busy); }
.jp-PipelinesResult :is(.pending, .skipped, .cancelled) { opacity: .8; }
.jp-PipelinesResult svg { display: block; max-width: 100%; height: auto; }
.jp-PipelinesResult svg text { fill: currentColor; font-size: 12px; }
.jp-PipelinesResult progress { width: 90px; height: 8px; vertical-align: middle; accent-color: var(--busy); }
.jp-PipelinesView .widget-dropdown > select { background-repeat: no-repeat; background-size: 5px 5px;
  background-position: right 10px center, right 5px center;
  background-image: linear-gradient(45deg, transparent 50%, currentcolor 50%),
    linear-gradient(135deg, currentcolor 50%, transparent 50%); }
</style>"""


def framed(*parts: str) -> str:
    """One output."""
    return f'{STYLE}<div class="jp-PipelinesResult">{"".join(parts)}</div>'


def text(value: object, most: int = LONGEST) -> str:
    """A text from anywhere, as text. Only plain values are given here: no ``__repr__`` of a notebook's is called."""
    shown = value if isinstance(value, str) else str(value)
    shown = shown if len(shown) <= most else f"{shown[:most]} …"
    return html.escape(shown.replace("\x00", ""))


def plain(value: object) -> str:
    """A parameter's or number's value as text."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{int(value):,}" if value.is_integer() and abs(value) < 1e12 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Iterable[int] = (),
    types: Sequence[str] = (),
    below: Sequence[str] = (),
) -> str:
    """A table of pieces of HTML; columns ``numbers`` are set to the right.

    Below the heads, which are texts, stand ``types``, or the pieces of HTML that are given as ``below``.
    """
    right = set(numbers)
    below = below or [f"<small>{text(one)}</small>" for one in types] or [""] * len(heads)
    head = "".join(f'<th scope="col">{text(one)}{small}</th>' for one, small in zip(heads, below, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{' class=number' if place in right else ''}>{cell}</td>" for place, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def state(name: str) -> str:
    """A state as a sign and a word, so that its colour is not needed to read it."""
    return f'<span class="{text(name)}">{GLYPHS.get(name, "")} {text(name.replace("-", " "))}</span>'


def lasted(seconds: float | timedelta | None) -> str:
    """A length of time: ``0.4 s``, ``12 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds is None:
        return ""
    length = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if length < 10:
        return f"{max(length, 0):.1f} s"
    whole = round(length)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def moment(seconds: float) -> str:
    """A time, here: ``14:03:20`` today, else ``2026-11-22 14:03``."""
    if not seconds:
        return ""
    then = time.localtime(seconds)
    today = time.strftime("%Y-%m-%d", then) == time.strftime("%Y-%m-%d")
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", then)
