"""Order between steps that touch the same file, one of them writing it."""

from __future__ import annotations

import posixpath

from jupyter_pipelines.graph.diagnose import Reporter
from jupyter_pipelines.graph.facts import ANY_FILE, Facts, FileUse
from jupyter_pipelines.graph.model import Edge, EdgeKind, Observations


def file_edges(facts: Facts, observations: Observations, reporter: Reporter) -> list[Edge]:
    """Edges between steps in notebook order, whenever the later one could see what the earlier one did to a file."""
    uses = _observed(facts, observations)
    setup_files = [use for use in uses if use.step is None]
    if len(facts.steps) > 1:
        for use in setup_files:
            if use.writes and use.certain and use.path is not None:
                reporter.setup_writes_file(use.path, use.location)
    by_step: dict[str, list[FileUse]] = {}
    for use in uses:
        if use.step is not None:
            by_step.setdefault(use.step, []).append(use)
    edges: dict[tuple[str, str], Edge] = {}
    names = [name for name in facts.steps if name in by_step]
    for position, later in enumerate(names):
        for earlier in names[:position]:
            found = _conflict(by_step[earlier], by_step[later])
            if found is not None:
                before, after = found
                edges[earlier, later] = Edge(
                    earlier,
                    later,
                    EdgeKind.FILE,
                    next((path for path in (after.path, before.path) if path not in {None, ANY_FILE}), None) or "files",
                    certain=before.certain and after.certain and before.path is not None and after.path is not None,
                    written=before.location,
                    read=after.location,
                )
    return list(edges.values())


def _observed(facts: Facts, observations: Observations) -> list[FileUse]:
    """Uses as the source shows them; unknown paths replaced by those a run has seen.

    Where it has seen none, they stay unknown: libraries that open files in C do that unseen.
    """
    seen: dict[str, list[tuple[str, bool]]] = {}
    for writes, pairs in ((False, observations.files_read), (True, observations.files_written)):
        for digest, path in sorted(pairs):
            seen.setdefault(digest, []).append((path, writes))
    uses = []
    for use in facts.files:
        digest = facts.steps[use.step].digest if use.step is not None else ""
        shown = any(writes == use.writes for _, writes in seen.get(digest, ()))
        if use.path is not None or not shown:
            uses.append(use)
    for name, step in facts.steps.items():
        for path, writes in seen.get(step.digest, ()):
            place = next((use.location for use in facts.files if use.step == name), None)
            if place is None:
                from jupyter_pipelines.diagnostics import Location

                place = Location(step.cells[0] + 1)
            uses.append(FileUse(name, path, writes, True, place))
    return uses


def _conflict(earlier: list[FileUse], later: list[FileUse]) -> tuple[FileUse, FileUse] | None:
    for before in earlier:
        for after in later:
            if (before.writes or after.writes) and _same_file(before.path, after.path):
                return before, after
    return None


def _same_file(one: str | None, other: str | None) -> bool:
    """Whether two paths may be one file; one inside the other counts, as folders and globs do."""
    if one is None or other is None:
        return True
    first, second = posixpath.normpath(one), posixpath.normpath(other)
    if first == second or "." in (first, second):
        return True
    if first.startswith("/") != second.startswith("/"):
        relative, absolute = (second, first) if first.startswith("/") else (first, second)
        return absolute.endswith("/" + relative.lstrip("./"))
    return (
        first.startswith(second.rstrip("/") + "/")
        or second.startswith(first.rstrip("/") + "/")
        or "*" in first + second
    )
