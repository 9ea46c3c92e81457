"""Edges the author asked for, and cycles among all edges, told with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.facts import Facts
from jupyter_pipelines.graph.model import Edge, EdgeKind
from jupyter_pipelines.notebook.model import NotebookDocument


def order_edges(document: NotebookDocument, reporter: Reporter, sequential: Sequence[str] = ()) -> list[Edge]:
    """Edges of ``after:``, and of plain notebook order for languages nothing is inferred for."""
    edges = [Edge(before, after, EdgeKind.ORDER, before) for before, after in pairwise(sequential)]
    for name, options in document.steps.items():
        for before in dict.fromkeys(options.after):
            if before in document.steps:
                edges.append(Edge(before, name, EdgeKind.ORDER, before))
            else:
                reporter.unknown_after(name, before)
    return edges


def report_cycles(facts: Facts, edges: Sequence[Edge], reporter: Reporter) -> None:
    """Report one cycle per group of steps that wait for each other."""
    reasons: dict[tuple[str, str], Edge] = {}
    for edge in edges:
        if edge.source in facts.steps and edge.target in facts.steps:
            reasons.setdefault((edge.source, edge.target), edge)
    waits: dict[str, list[str]] = {name: [] for name in facts.steps}
    for source, target in reasons:
        waits[source].append(target)
    done = _beside_cycles(waits)
    for name in facts.steps:
        path = [] if name in done else _find_cycle(name, waits, done)
        if path:
            steps = [*path, path[0]]
            reporter.cycle(path, [reasons[pair].explain() for pair in pairwise(steps)])
            done.update(path)


def _beside_cycles(waits: dict[str, list[str]]) -> set[str]:
    """The steps that come before all cycles: nearly always all, and found much sooner than that each is on none."""
    before = dict.fromkeys(waits, 0)
    for targets in waits.values():
        for target in targets:
            before[target] += 1
    first = [name for name, count in before.items() if count == 0]
    for name in first:
        for target in waits[name]:
            before[target] -= 1
            if before[target] == 0:
                first.append(target)
    return set(first)


def _find_cycle(start: str, waits: dict[str, list[str]], done: set[str]) -> list[str]:
    """The shortest way from ``start`` back to it, without steps that have been looked at."""
    came: dict[str, str] = {}
    pending = [start]
    while pending:
        current = pending.pop(0)
        for following in waits[current]:
            if following == start and start not in done:
                path = [current]
                while path[-1] != start:
                    path.append(came[path[-1]])
                return path[::-1]
            if following not in came and following not in done:
                came[following] = current
                pending.append(following)
    return []
