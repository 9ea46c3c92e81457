"""A number over runs, as a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.results.showing.html import framed, lasted, moment, plain, text

if TYPE_CHECKING:
    from jupyter_pipelines.results.trends import Trend

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 640, 190, 64, 22, 10
MOST_DOTS = 60


def trend_html(trend: Trend) -> str:
    """The line, what it was last, and what it usually is."""
    if not trend.points:
        known = ", ".join(trend.known)
        return framed(
            f"<p><strong>{text(trend.name)}</strong> is not on record for any run.</p>"
            f'<p class="muted">There are trends of {text(known)}.</p>'
        )
    last = trend.points[-1]
    usual = sorted(point.value for point in trend.points)[len(trend.points) // 2]
    runs = f"{len(trend.points):,} run{'s' if len(trend.points) != 1 else ''}"
    head = (
        f"<div><strong>{text(trend.name)}</strong> {text(_value(trend, last.value))} "
        f'<span class="muted">last · {text(_value(trend, usual))} at the median · {runs}</span></div>'
    )
    return framed(head, _line(trend))


def _value(trend: Trend, value: float) -> str:
    seconds = trend.name == "duration" or trend.name.endswith(".duration")
    return lasted(value) if seconds else plain(value)


def _line(trend: Trend) -> str:
    points = trend.shown()
    low, high = min(point.value for point in points), max(point.value for point in points)
    first, last = points[0].moment, points[-1].moment
    if low == high:
        low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1

    def x(moment: float) -> float:
        return LEFT + (WIDTH - LEFT - 8) * ((moment - first) / (last - first) if last > first else 0.5)

    def y(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (1 - (value - low) / (high - low))

    places = [(x(point.moment), y(point.value)) for point in points]
    path = "M" + "L".join(f"{across:.1f} {down:.1f}" for across, down in places)
    grid = "".join(
        f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - 8}" stroke="currentColor" opacity=".18"/>'
        f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{text(_value(trend, value))}</text>'
        for value in (low, (low + high) / 2, high)
    )
    dots = "".join(
        f'<circle class="{"failed" if point.state != "completed" else "running"}" cx="{across:.1f}" cy="{down:.1f}" '
        f'r="3.5" fill="currentColor"><title>run {text(point.run[:8])} ({text(point.state)}), '
        f"{text(moment(point.moment))}: {text(_value(trend, point.value))}</title></circle>"
        for point, (across, down) in zip(points, places, strict=True)
    )
    ends = (
        f'<text x="{LEFT}" y="{HEIGHT - 5}">{text(moment(first))}</text>'
        f'<text x="{WIDTH - 8}" y="{HEIGHT - 5}" text-anchor="end">{text(moment(last))}</text>'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="{text(trend.name)} over {len(trend.points):,} runs, from {text(_value(trend, low))} to '
        f'{text(_value(trend, high))}">{grid}<path class="running" d="{path}" fill="none" stroke="currentColor" '
        f'stroke-width="1.5"/>{dots if len(points) <= MOST_DOTS else ""}{ends if len(points) > 1 else ""}</svg>'
    )
