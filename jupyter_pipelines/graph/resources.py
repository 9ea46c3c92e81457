"""Things that setup makes and no other process can get: steps that use them keep notebook order."""

from __future__ import annotations

from jupyter_pipelines.graph import knowledge
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.facts import Facts, ResourceUse
from jupyter_pipelines.graph.model import Edge, EdgeKind


def resource_names(facts: Facts) -> set[str]:
    """Names that are replayed by setup and never carried."""
    return {use.name for use in facts.resources}


def resource_edges(facts: Facts, reporter: Reporter) -> list[Edge]:
    """Order between steps that use one resource, whenever one of the two possibly changes it."""
    uses: dict[str, list[ResourceUse]] = {}
    for use in facts.resources:
        uses.setdefault(use.name, []).append(use)
    edges: dict[tuple[str, str, str], Edge] = {}
    for name, group in uses.items():
        steps = list(dict.fromkeys(use.step for use in group))
        version = facts.latest.get(name)
        changing = {use.step for use in group if use.changes}
        if version is not None and len(steps) > 1 and changing:
            kind = version.value.uncarriable or ""
            if kind in knowledge.STATEFUL_KINDS or version.value.in_memory:
                place = next(use.location for use in group if use.step == steps[1])
                reporter.shared_resource(name, kind, version.location, steps, place)
        for position, after in enumerate(group):
            for before in group[:position]:
                if before.step != after.step and (before.changes or after.changes):
                    key = (before.step, after.step, name)
                    edge = Edge(
                        before.step,
                        after.step,
                        EdgeKind.RESOURCE,
                        name,
                        certain=False,
                        written=before.location,
                        read=after.location,
                    )
                    edges.setdefault(key, edge)
    return list(edges.values())
