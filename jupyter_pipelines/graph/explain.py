"""The graph in sentences, and the questions people ask of it."""

from __future__ import annotations

from jupyter_pipelines.graph.model import Pipeline, StepPlan


def ancestors(pipeline: Pipeline, step: str) -> frozenset[str]:
    """All steps that must have ended before ``step`` starts. Raises :class:`KeyError` for an unknown step."""
    pipeline.step(step)
    waits: dict[str, set[str]] = {}
    for edge in pipeline.edges:
        waits.setdefault(edge.target, set()).add(edge.source)
    found: set[str] = set()
    pending = [step]
    while pending:
        for before in waits.get(pending.pop(), ()):
            if before not in found:
                found.add(before)
                pending.append(before)
    return frozenset(found - {step})


def explain(pipeline: Pipeline, step: str | None = None) -> str:
    """Every edge and replay with its reason; of one step when it is named. Raises :class:`KeyError` if unknown."""
    chosen = [pipeline.step(step)] if step is not None else list(pipeline.steps)
    return "\n\n".join(_explain_step(pipeline, plan) for plan in chosen)


def explain_name(pipeline: Pipeline, name: str) -> str:
    """Every edge there is because of a name: a variable, a file, a table. ``""`` where there is none."""
    return "\n".join(edge.explain() for edge in pipeline.edges if edge.name == name)


def _explain_step(pipeline: Pipeline, plan: StepPlan) -> str:
    numbers = ", ".join(str(index + 1) for index in plan.cells)
    lines = [f"{plan.name} (cell{'s' if len(plan.cells) > 1 else ''} {numbers})"]
    lines += [f"  {edge.explain()}" for edge in pipeline.edges if edge.target == plan.name]
    if len(lines) == 1:
        lines.append("  waits for no other step")
    for replay in (*plan.definitions, *plan.late_definitions):
        names = ", ".join(f"`{name}`" for name in replay.names) or "`*`"
        lines.append(f"  executes the definition of {names} again (cell {replay.cell + 1} line {replay.line})")
    for label, listed in (
        ("passes on", plan.outputs),
        ("possibly changes", plan.possibly_changed),
        ("must leave unchanged", plan.guarded),
        ("takes from setup", (*plan.setup_names, *plan.resources)),
    ):
        if listed:
            lines.append(f"  {label} {', '.join(f'`{name}`' for name in listed)}")
    return "\n".join(lines)
