"""Pipelines that would set each other off for ever: by the ends of their runs, or by what they write and read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.orchestration.triggers.model import AfterRuns, OnFiles, OnUpdate, TriggerRecord
from jupyter_pipelines.orchestration.triggers.reading import Touched, may_set_off, touched_by, waited_for


def named_upstream(record: TriggerRecord) -> tuple[str, ...]:
    """The pipelines that a trigger names, whose runs set it off."""
    match record.cause:
        case AfterRuns(above):
            return above
        case OnUpdate(outputs=outputs):
            return tuple(dict.fromkeys(whose for whose, _ in outputs))
    return ()


def refuse_loops(record: TriggerRecord, others: Iterable[TriggerRecord]) -> None:
    """Raise :class:`RequestError` that names the chain when runs of the pipeline would set off itself.

    ``others`` are the triggers that there are; the one that ``record`` replaces does not count.
    """
    records = [*(one for one in others if one.id != record.id), record]
    after: dict[str, list[str]] = {}
    for each in records:
        for above in (*named_upstream(each), *_writers(each, records)):
            after.setdefault(above, []).append(each.pipeline)
    ways = [[record.pipeline]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for below in after.get(way[-1], []):
            if below == record.pipeline:
                chain = " -> ".join(Path(one).name for one in [*way, below])
                raise RequestError(
                    f"The pipeline would set itself off for ever: {chain}.", "Remove one of these triggers first."
                )
            if below not in seen:
                seen.add(below)
                ways.append([*way, below])


def _writers(record: TriggerRecord, records: Iterable[TriggerRecord]) -> Iterable[str]:
    """The other pipelines with triggers that write what this one waits for: who has none begins no loop."""
    cause = _files_and_tables(record)
    if cause is None:
        return
    for other in records:
        if other.pipeline != record.pipeline and other.store == record.store:  # what it writes itself is no news to it
            written = Touched()
            with suppress(PipelinesError, OSError):
                written = touched_by(other)
            if may_set_off(written, cause):
                yield other.pipeline


def _files_and_tables(record: TriggerRecord) -> OnUpdate | None:
    """What a trigger waits for that a pipeline could write."""
    match record.cause:
        case OnFiles(pattern):
            return OnUpdate((pattern,))
        case OnUpdate():
            with suppress(PipelinesError):
                return waited_for(record)
            return record.cause
    return None
