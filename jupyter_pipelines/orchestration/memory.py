"""What runs observed about a step's source, remembered from run to run and merged into what the compiler is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from jupyter_pipelines.execution.model import Observed
from jupyter_pipelines.graph.model import Observations
from jupyter_pipelines.store import Store

MOST_FILES = 500  # remembered per step and kind; a step that touches more is ordered by what it touched last


def merge(earlier: Observed, later: Observed) -> Observed:
    """Both observations of one step's source as one: what was seen to change once is never called unchanged."""
    changed = {*earlier.changed, *later.changed}
    state_changed = {*earlier.state_changed, *later.state_changed}
    return Observed(
        unchanged=_names({*earlier.unchanged, *later.unchanged} - changed),
        changed=_names(changed),
        aliases=tuple(sorted({tuple(sorted(group)) for group in (*earlier.aliases, *later.aliases)})),
        state_changed=_names(state_changed),
        state_untouched=_names({*earlier.state_untouched, *later.state_untouched} - state_changed),
        state_set=_names({*earlier.state_set, *later.state_set}),
        state_set_up=_names({*earlier.state_set_up, *later.state_set_up}),
        definitions_needed=_names({*earlier.definitions_needed, *later.definitions_needed}),
        files_read=tuple(dict.fromkeys((*later.files_read, *earlier.files_read)))[:MOST_FILES],
        files_written=tuple(dict.fromkeys((*later.files_written, *earlier.files_written)))[:MOST_FILES],
    )


def remember(store: Store, digest: str, observed: Observed) -> Observed:
    """Add what a run saw to what is known of the step source with ``digest``; returns the sum."""
    earlier = recall(store, digest)
    merged = merge(earlier, observed)
    if merged != earlier:
        store.save_observed(digest, asdict(merged))
    return merged


def recall(store: Store, digest: str) -> Observed:
    """What is known of the step source with ``digest``; empty when it never ran."""
    return observed_from(store.load_observed(digest) or {})


def observed_from(found: Mapping[str, object]) -> Observed:
    """Read the JSON form of :class:`Observed`; unknown keys of another version are passed over."""

    def names(field: str) -> tuple[str, ...]:
        value = found.get(field)
        return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()

    groups = found.get("aliases")
    return Observed(
        unchanged=names("unchanged"),
        changed=names("changed"),
        aliases=tuple(tuple(group) for group in groups) if isinstance(groups, list | tuple) else (),
        state_changed=names("state_changed"),
        state_untouched=names("state_untouched"),
        files_read=names("files_read"),
        files_written=names("files_written"),
        state_set=names("state_set"),
        state_set_up=names("state_set_up"),
        definitions_needed=names("definitions_needed"),
        modules_lent=names("modules_lent"),
        modules_loaded=names("modules_loaded"),
    )


def as_observations(known: Mapping[str, Observed]) -> Observations:
    """What the compiler is told, from what is known of each step digest."""

    def pairs(field: str) -> frozenset[tuple[str, str]]:
        return frozenset((digest, name) for digest, seen in known.items() for name in getattr(seen, field))

    return Observations(
        unchanged=pairs("unchanged"),
        changed=pairs("changed"),
        aliases=frozenset((digest, frozenset(group)) for digest, seen in known.items() for group in seen.aliases),
        state_changed=pairs("state_changed"),
        state_untouched=pairs("state_untouched"),
        state_set=pairs("state_set"),
        state_set_up=pairs("state_set_up"),
        definitions_needed=pairs("definitions_needed"),
        files_read=pairs("files_read"),
        files_written=pairs("files_written"),
    )


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))
