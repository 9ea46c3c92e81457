"""Which runs are asked for, as SQL over the index of runs."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

FILTERS: Final = ("pipeline", "notebook", "state", "schedule", "backfill", "parent")
STARTERS: Final = {
    "hand": "schedule = '' AND backfill = ''",
    "schedule": "schedule <> '' AND backfill = ''",
    "backfill": "backfill <> ''",
}
"""What may have asked for a run; a trigger counts as a schedule."""


@dataclass(frozen=True)
class Question:
    """All that is given must hold.

    ``filters`` are by names in :data:`FILTERS`, ``by`` are names in :data:`STARTERS`; ``since`` and ``until`` are about
    when a run started, in seconds since the epoch; ``folders`` are those below which the notebook is; ``after`` is a
    run, those older than it are meant; ``parameters`` have these values (JSON) among those that the run was given.
    """

    filters: Mapping[str, str | Collection[str]] = field(default_factory=dict)
    since: float | None = None
    until: float | None = None
    folders: Collection[str] | None = None
    after: str | None = None
    by: Collection[str] | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def order(self) -> str:
        """Newest first. Where each run has to be looked at, in the order of the table: that is many times quicker."""
        return f"{'+' if self.parameters and not self.filters else ''}moment DESC, rowid DESC"

    def where(self) -> tuple[str, list[object]]:
        """The condition, and the values in it."""
        where, values = ["1"], list[object]()
        for name, wanted in self.filters.items():
            assert name in FILTERS, name
            some = [wanted] if isinstance(wanted, str) else list(wanted)
            where.append(f"{name} IN ({', '.join('?' * len(some))})" if len(some) != 1 else f"{name} = ?")
            where += [f"{name} <> ''"] if name in {"schedule", "backfill", "parent"} else []  # so its index is used
            values += some
        for comparison, moment in ((">=", self.since), ("<", self.until)):
            if moment is not None:
                where.append(f"moment {comparison} ?")
                values.append(moment)
        if self.folders is not None:
            where.append(f"({' OR '.join(['notebook >= ? AND notebook < ?'] * len(self.folders)) or '0'})")
            for folder in self.folders:
                below = folder.rstrip(os.sep) + os.sep
                values += [below, below[:-1] + chr(ord(os.sep) + 1)]
        if self.by is not None:
            where.append(f"({' OR '.join(STARTERS[name] for name in self.by) or '0'})")
        for name, value in self.parameters.items():
            # Nothing is read as JSON that has no such text in it: that takes most of the time.
            if value is not None:
                where.append("instr(parameters, ?)")
                values.append(_text_of(name, value))
            where.append("json_extract(parameters, ?) IS json_extract(?, '$')")
            # The name as it stands in the text, escapes included: SQLite before 3.45 compares it letter by letter.
            values += [f"$.{json.dumps(name)}", json.dumps(value, default=str)]
        if self.after is not None:
            where.append("(moment, rowid) < (SELECT moment, rowid FROM runs WHERE id = ?)")
            values.append(self.after)
        return " AND ".join(where), values


def _text_of(name: str, value: object) -> str:
    """What is in every JSON text in which ``name`` has this value; numbers may be written in several ways."""
    key = f"{json.dumps(name)}: "
    return key + json.dumps(value) if isinstance(value, str) else key
