"""Objects that two names share must reach a step that changes them together, out of one container."""

from __future__ import annotations

from collections.abc import Sequence

from jupyter_pipelines.graph.facts import Facts, StepFacts
from jupyter_pipelines.graph.replay import STATE, Planner


def lost_sharing(facts: Facts, planner: Planner) -> frozenset[tuple[str, str]]:
    """Pairs of a step and a name it has to pass on, so that names that share objects come from one step.

    A step that changes ``a`` and loads ``b``, which shares with ``a``, must get both from the same producer; else the
    change would not be seen through ``b``. So must one that asks whether they are one object. The later of the two
    producers takes the other name along.
    """
    lost: set[tuple[str, str]] = set()
    order = list(facts.steps)
    relevant = {
        name: planner.needs[name].inputs.keys() | planner.needs[name].outputs | step.setup_reads.keys()
        for name, step in facts.steps.items()
    }
    changes = {
        name: [
            changed
            for changed in (step.changes | step.identified) & relevant[name]
            if not changed.startswith(STATE) and (changed in planner.needs[name].inputs or _from_setup(changed, step))
        ]
        for name, step in facts.steps.items()
    }
    ties = _ties(facts, {changed for several in changes.values() for changed in several})
    for name, step in facts.steps.items():
        inputs = planner.needs[name].inputs
        for changed in changes[name]:
            for partner in _partners(ties.get(changed, ()), step, facts) & relevant[name]:
                first = inputs[changed].version.step if changed in inputs else None
                second = inputs[partner].version.step if partner in inputs else None
                if first == second or partner.startswith(STATE):
                    continue
                if partner not in inputs and not _from_setup(partner, step):
                    continue
                later = max((maker for maker in (first, second) if maker is not None), key=order.index)
                lost.add((later, partner if later == first else changed))
    return frozenset(lost)


_Ties = Sequence[tuple[str | None, set[str]]]  # by cell: whose it is, and the names that shared with the one asked for


def _ties(facts: Facts, names: set[str]) -> dict[str, _Ties]:
    found: dict[str, list[tuple[str | None, set[str]]]] = {}
    for step, ties in facts.ties:
        for name in ties.keys() & names:
            found.setdefault(name, []).append((step, ties[name]))
    return {name: tuple(several) for name, several in found.items()}


def _partners(ties: _Ties, step: StepFacts, facts: Facts) -> set[str]:
    """What shared objects before the step loaded it: what the step ties itself, it ties in its own process."""
    found: set[str] = set()
    for maker, partners in ties:
        if maker is None or (maker != step.name and facts.steps[maker].cells[0] < step.cells[-1]):
            found |= partners
    return found


def _from_setup(name: str, step: StepFacts) -> bool:
    """Whether the step's own version of the name comes from what setup made."""
    version = step.own.get(name)
    while version is not None and version.step is not None and version.previous is not None:
        version = version.previous
    return (version is not None and version.step is None) or name in step.setup_reads
