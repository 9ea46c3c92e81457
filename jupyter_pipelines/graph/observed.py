"""What runs observed, sorted by the step they observed it about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from jupyter_pipelines.graph.model import Observations


class Seen(NamedTuple):
    """What runs observed about one step, names in a stable order."""

    unchanged: frozenset[str] = frozenset()
    changed: tuple[str, ...] = ()
    aliases: tuple[tuple[str, ...], ...] = ()
    state_changed: tuple[str, ...] = ()
    state_untouched: frozenset[str] = frozenset()
    state_set: tuple[str, ...] = ()
    state_set_up: tuple[str, ...] = ()
    definitions_needed: tuple[str, ...] = ()


NOTHING_SEEN = Seen()


def seen_by_digest(observations: Observations) -> Mapping[str, Seen]:
    """What was observed about each step, by the digest of its source."""
    aliases: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for digest, group in observations.aliases:
        aliases[digest].append(tuple(sorted(group)))
    unchanged, changed = _by_digest(observations.unchanged), _by_digest(observations.changed)
    state_changed, untouched = _by_digest(observations.state_changed), _by_digest(observations.state_untouched)
    were_set, set_up = _by_digest(observations.state_set), _by_digest(observations.state_set_up)
    needed = _by_digest(observations.definitions_needed)
    return {
        digest: Seen(
            frozenset(unchanged.get(digest, ())),
            tuple(sorted(changed.get(digest, ()))),
            tuple(sorted(aliases.get(digest, ()))),
            tuple(sorted(state_changed.get(digest, ()))),
            frozenset(untouched.get(digest, ())),
            tuple(sorted(were_set.get(digest, ()))),
            tuple(sorted(set_up.get(digest, ()))),
            tuple(sorted(needed.get(digest, ()))),
        )
        for digest in {*unchanged, *changed, *aliases, *state_changed, *untouched, *were_set, *set_up, *needed}
    }


def _by_digest(pairs: frozenset[tuple[str, str]]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for digest, name in pairs:
        found.setdefault(digest, []).append(name)
    return found
