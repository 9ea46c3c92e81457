"""Triggers that go by events of the Prefect server, which are asked for by their names.

Events reach the server's database late and out of order, so the last seconds are asked for again each time; what was
seen is known by the keys of its occurrences, and by the cursor.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from jupyter_pipelines.orchestration.service.endpoint import Endpoint
from jupyter_pipelines.orchestration.triggers.model import Occurrence, OnEvent

EVERY: Final = 5.0  # seconds between two looks
LATE: Final = timedelta(seconds=60)  # how much later than it occurred an event may arrive
_PAGE: Final = 50  # what Prefect's server gives at most
_MOST_PAGES: Final = 40
_MOST_SEEN: Final = 2000
_OF_A_RUN: Final = "prefect.flow-run."


def now() -> object:
    """The cursor of what has occurred by now."""
    moment = datetime.now(UTC).isoformat()
    return {"from": moment, "until": moment, "seen": []}


def look(cause: OnEvent, cursor: object, endpoint: Endpoint, own: set[str]) -> tuple[object, list[Occurrence]]:
    """What has occurred since ``cursor``; ``own`` are the trigger's own runs, whose events are none to it.

    Raises :data:`~jupyter_pipelines.orchestration.service.endpoint.UNREACHABLE`.
    """
    known: Mapping[str, object] = cursor if isinstance(cursor, dict) else {}
    present = datetime.now(UTC)  # what is later was noted by a clock that has been set back since
    begin = min(_moment(known.get("from")), present)
    until = min(max(_moment(known.get("until")), begin), present)
    since = max(begin, until - LATE)
    listed = known.get("seen")
    seen = dict.fromkeys(map(str, listed if isinstance(listed, list) else []))
    found = []
    for event in _events(cause.pattern, since, endpoint):
        key = str(event.get("id"))
        runs = _runs(event)
        if key not in seen and not (own & set(runs)) and fnmatch.fnmatchcase(str(event.get("event")), cause.pattern):
            found.append(_occurrence(event, runs))
        seen[key] = None
        until = max(until, _moment(event.get("occurred")))
    return {"from": begin.isoformat(), "until": until.isoformat(), "seen": list(seen)[-_MOST_SEEN:]}, found


def _events(pattern: str, since: datetime, endpoint: Endpoint) -> list[Mapping[str, object]]:
    """The events since then whose names may match, the oldest first."""
    fixed = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    name = {"prefix": [fixed]} if fixed != pattern else {"name": [pattern]}
    occurred = {"since": since.isoformat(), "until": (datetime.now(UTC) + timedelta(minutes=5)).isoformat()}
    wanted: dict[str, object] = {"occurred": occurred, "order": "ASC"}
    if fixed:
        wanted["event"] = name
    answer = endpoint.call("/events/filter", {"filter": wanted, "limit": _PAGE})
    found: list[Mapping[str, object]] = []
    for _ in range(_MOST_PAGES):
        page = answer if isinstance(answer, dict) else {}
        found += [event for event in page.get("events", []) if isinstance(event, dict)]
        following = page.get("next_page")
        if not isinstance(following, str) or "/events/" not in following:
            break
        answer = endpoint.call("/events/" + following.partition("/events/")[2])
    return found


def _runs(event: Mapping[str, object]) -> list[str]:
    """The flow runs that the event is about, or comes from."""
    related = event.get("related")
    resources = [event.get("resource"), *(related if isinstance(related, list) else [])]
    names = [str(one.get("prefect.resource.id")) for one in resources if isinstance(one, dict)]
    return [name.removeprefix(_OF_A_RUN) for name in names if name.startswith(_OF_A_RUN)]


def _occurrence(event: Mapping[str, object], runs: list[str]) -> Occurrence:
    resource = event.get("resource")
    payload = event.get("payload")
    named = {
        "id": str(event.get("id")),
        "name": str(event.get("event")),
        "occurred": _moment(event.get("occurred")).timestamp(),
        "resource": str(resource.get("prefect.resource.id")) if isinstance(resource, dict) else "",
        "payload": payload if isinstance(payload, dict) else {},
    }
    moment = _moment(event.get("occurred")).timestamp()
    return Occurrence(str(event.get("id")), moment, {"event": named}, upstream=runs[0] if runs else "")


def _moment(text: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
