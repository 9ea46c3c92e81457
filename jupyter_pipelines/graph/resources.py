"""Things that setup makes and no other process can get: steps that use them keep notebook order."""

from __future__ import annotations

import re
from itertools import pairwise

from jupyter_pipelines.diagnostics import Location
from jupyter_pipelines.graph import knowledge
from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.facts import Facts, ResourceUse
from jupyter_pipelines.graph.model import Edge, EdgeKind
from jupyter_pipelines.notebook.model import Role


def resource_names(facts: Facts) -> set[str]:
    """Names that are replayed by setup and never carried."""
    return {use.name for use in facts.resources}


_WRITES = re.compile(r"\b(insert\s+into|update\s+\w+\s+set|delete\s+from|replace\s+into)\b", re.IGNORECASE)


def report_uncommitted(facts: Facts, reporter: Reporter) -> None:
    """SQLite opens a transaction by itself; what a step does not commit is gone with its connection."""
    document = reporter.document
    setup = " ".join(cell.code for cell in document.cells if cell.role is Role.SETUP)
    if "sqlite3" not in setup or "isolation_level" in setup or "autocommit" in setup:
        return
    users: dict[str, list[str]] = {}
    for use in facts.resources:
        version = facts.latest.get(use.name)
        if (
            version is not None
            and version.value.uncarriable == "a database connection"
            and version.value.maker == "sqlite3"
        ):
            users.setdefault(use.name, [])
            if use.step not in users[use.name]:
                users[use.name].append(use.step)
    for name, steps in users.items():
        for step, later in pairwise(steps):
            cells = [document.cells[index] for index in facts.steps[step].cells]
            code = " ".join(cell.code for cell in cells)
            if _WRITES.search(code) and "commit" not in code and f"with {name}" not in code:
                reporter.uncommitted(name, step, later, Location(cells[0].number))


def resource_edges(facts: Facts, reporter: Reporter) -> list[Edge]:
    """Order between steps that use one resource, whenever one of the two possibly changes it."""
    report_uncommitted(facts, reporter)
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
