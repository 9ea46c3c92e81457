"""Where steps go in a picture: levels by longest way from the start, fewest edges, few crossings."""

from __future__ import annotations

from dataclasses import dataclass

from jupyter_pipelines.graph.model import Pipeline


@dataclass(frozen=True, slots=True)
class Layout:
    """``levels``: names of the steps, top to bottom, left to right. ``links``: what is drawn, shortcuts left out."""

    levels: tuple[tuple[str, ...], ...]
    links: tuple[tuple[str, str], ...]


def layout(pipeline: Pipeline) -> Layout:
    """Lay the steps out. Cycles are broken in notebook order, so that a wrong pipeline can be drawn too."""
    names = [step.name for step in pipeline.steps]
    waits: dict[str, set[str]] = {name: set() for name in names}
    for edge in pipeline.edges:
        if edge.source in waits and edge.target in waits and edge.source != edge.target:
            waits[edge.target].add(edge.source)
    order = _topological(names, waits)
    reaches: dict[str, set[str]] = {}
    links = []
    level: dict[str, int] = {}
    for name in order:
        before = {source for source in waits[name] if source in level}
        level[name] = 1 + max((level[source] for source in before), default=-1)
        indirect = set[str]().union(*(reaches[source] for source in before))
        reaches[name] = before | indirect
        links += [(source, name) for source in names if source in before and source not in indirect]
    rows: list[list[str]] = [[] for _ in range(1 + max(level.values(), default=-1))]
    for name in order:
        rows[level[name]].append(name)
    _untangle(rows, links)
    return Layout(tuple(tuple(row) for row in rows), tuple(links))


def _topological(names: list[str], waits: dict[str, set[str]]) -> list[str]:
    order: list[str] = []
    left = list(names)
    placed: set[str] = set()
    while left:
        ready = next((name for name in left if waits[name] <= placed), left[0])
        left.remove(ready)
        placed.add(ready)
        order.append(ready)
    return order


def _untangle(rows: list[list[str]], links: list[tuple[str, str]]) -> None:
    """Put each step below the middle of those it waits for."""
    sources: dict[str, list[str]] = {}
    for source, target in links:
        sources.setdefault(target, []).append(source)
    place = {name: float(position) for row in rows[:1] for position, name in enumerate(row)}
    for row in rows[1:]:
        middle = {
            name: sum(place[source] for source in sources.get(name, ())) / max(1, len(sources.get(name, ())))
            for name in row
        }
        row.sort(key=lambda name: middle[name])
        for position, name in enumerate(row):
            place[name] = float(position)
