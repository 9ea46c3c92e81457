"""The graph in a terminal, drawn like a history: one line per step, a rail for everything still needed."""

from __future__ import annotations

from jupyter_pipelines.graph.layout import layout
from jupyter_pipelines.graph.model import Pipeline, StepPlan


def render_text(pipeline: Pipeline) -> str:
    """One line per step in an order in which they can run; lines on the left join steps that wait for each other."""
    if not pipeline.steps:
        return "no steps\n"
    arrangement = layout(pipeline)
    order = [name for level in arrangement.levels for name in level]
    targets: dict[str, list[str]] = {name: [] for name in order}
    sources: dict[str, list[str]] = {name: [] for name in order}
    for source, target in arrangement.links:
        targets[source].append(target)
        sources[target].append(source)
    rails: list[str | None] = []  # each carries what one step passes on, until the last that wants it
    waiting: dict[str, int] = {}
    lines: list[tuple[str, str]] = []
    for name in order:
        wanted = [position for position, rail in enumerate(rails) if rail in sources[name]]
        for source in sources[name]:
            waiting[source] -= 1
        ending = [position for position in wanted if waiting[str(rails[position])] == 0]
        place = ending[0] if ending else next((p for p, rail in enumerate(rails) if rail is None), len(rails))
        if place == len(rails):
            rails.append(None)
        others = [position for position in wanted if position != place]
        if others:
            ends = set(ending)
            lines.append((_join(rails, place, others, ends, starts=place not in wanted), ""))
        for position in ending:
            rails[position] = None
        drawn = ["│" if rail is not None else " " for rail in rails]
        drawn[place] = "●"
        lines.append((" ".join(drawn), _label(pipeline, pipeline.step(name))))
        if targets[name]:
            rails[place] = name
            waiting[name] = len(targets[name])
        while rails and rails[-1] is None:
            rails.pop()
    width = max(len(rail) for rail, _ in lines)
    return "\n".join(f"{rail:<{width}}  {label}".rstrip() for rail, label in lines) + "\n"


def _join(rails: list[str | None], place: int, others: list[int], ends: set[int], *, starts: bool) -> str:
    """The line above a step that waits for more than one rail."""
    left, right = min([place, *others]), max([place, *others])
    cells = []
    for position in range(len(rails)):
        if position == place:
            corner = "╭" if position == left else "╮" if position == right else "┬"
            tee = "├" if position == left else "┤" if position == right else "┼"
            cells.append(corner if starts else tee)
        elif position in others:
            end = "╰" if position == left else "╯" if position == right else "┴"
            tee = "├" if position == left else "┤" if position == right else "┼"
            cells.append(end if position in ends else tee)
        elif left < position < right:
            cells.append("┼" if rails[position] is not None else "─")
        else:
            cells.append("│" if rails[position] is not None else " ")
    text = ""
    for position, cell in enumerate(cells):
        text += cell + ("─" if left <= position < right else " ")
    return text.rstrip()


def _label(pipeline: Pipeline, step: StepPlan) -> str:
    """The step's name, cells and what it passes on."""
    first, last = step.cells[0] + 1, step.cells[-1] + 1
    contiguous = last - first + 1 == len(step.cells)
    cells = f"cell {first}" if first == last else f"cells {first}–{last}"
    if not contiguous:
        cells = "cells " + ", ".join(str(index + 1) for index in step.cells)
    label = f"{step.name}  ({cells})"
    upstream = pipeline.upstream(step.name)
    if upstream:
        order = [plan.name for plan in pipeline.steps]
        label += f"  ← {', '.join(sorted(upstream, key=order.index))}"
    if step.outputs:
        shown = ", ".join(step.outputs[:6]) + (", …" if len(step.outputs) > 6 else "")
        label += f"  → {shown}"
    return label
