"""Objects that two names share must reach a step that changes them together, out of one container."""

from __future__ import annotations

from jupyter_pipelines.graph.facts import Facts, StepFacts
from jupyter_pipelines.graph.replay import STATE, Planner


def lost_sharing(facts: Facts, planner: Planner) -> frozenset[tuple[str, str]]:
    """Pairs of a step and a name it has to pass on, so that names that share objects come from one step.

    A step that changes ``a`` and loads ``b``, which shares with ``a``, must get both from the same producer; else the
    change would not be seen through ``b``. The later of the two producers takes the other name along.
    """
    lost: set[tuple[str, str]] = set()
    order = list(facts.steps)
    for name, step in facts.steps.items():
        inputs = planner.needs[name].inputs
        relevant = inputs.keys() | planner.needs[name].outputs | step.setup_reads.keys()
        for changed in step.changes:
            if changed.startswith(STATE) or changed not in relevant:
                continue
            for partner, makers in facts.ties.get(changed, {}).items():
                if partner not in relevant or not _made_before(makers, step, facts):
                    continue
                first = inputs[changed].version.step if changed in inputs else None
                second = inputs[partner].version.step if partner in inputs else None
                if first == second or partner.startswith(STATE):
                    continue
                if any(other not in inputs and not _from_setup(other, step) for other in (changed, partner)):
                    continue
                later = max((maker for maker in (first, second) if maker is not None), key=order.index)
                lost.add((later, partner if later == first else changed))
    return frozenset(lost)


def _made_before(makers: set[str | None], step: StepFacts, facts: Facts) -> bool:
    """Whether the names shared objects before the step loaded them: what it ties itself, it ties in its own process."""
    return any(
        maker is None or (maker != step.name and facts.steps[maker].cells[0] < step.cells[-1]) for maker in makers
    )


def _from_setup(name: str, step: StepFacts) -> bool:
    """Whether the step's own version of the name comes from what setup made."""
    version = step.own.get(name)
    while version is not None and version.step is not None and version.previous is not None:
        version = version.previous
    return (version is not None and version.step is None) or name in step.setup_reads
