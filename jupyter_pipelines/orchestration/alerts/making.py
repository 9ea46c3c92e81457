"""Making alerts, listing and removing them, trying them out: the public API of this room."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.notebook.options import parse_duration
from jupyter_pipelines.orchestration.alerts import advice, destinations, wording
from jupyter_pipelines.orchestration.alerts.model import EVENTS, AlertRecord, Delivery, events_of
from jupyter_pipelines.orchestration.alerts.shelf import Shelf
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.scheduling.making import MAKING
from jupyter_pipelines.orchestration.service import configured_endpoint, ensure_service, works_for
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.versions.identity import pipeline_of, real_path
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import locked
from jupyter_pipelines.typed import typed

PATIENCE: Final = 20.0  # seconds that a sample has to be taken


@typed
def alert(
    notebook: Path | str | None,
    to: str,
    *,
    on: str | Sequence[str] = EVENTS,
    repeat: timedelta | float | str | None = None,
    slow: float | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> AlertRecord:
    """Have the service tell ``to`` when the pipeline of ``notebook``, or any for ``None``, fails, works again, is late.

    ``to`` is a destination such as ``"mailtos://ann@smtp.example.com/?to=ann@example.com&password_file=PATH"``,
    ``"slack://…"``, ``"https://…"``, or ``"file:PATH"`` and ``"env:NAME"`` for where it is written. ``on`` is some of
    ``failure``, ``recovery`` and ``late``. A failing streak is told of once for each way of failing, and again after
    ``repeat`` (seconds, or ``"1h"``) if that is given. A run is late when its schedule's ``done_by`` has passed, and
    with ``slow`` also when it takes that many times its usual. ``say`` is told once what is being started.

    Asked for an alert that is there already, it returns that one: nobody is told twice. Raises :class:`RequestError`,
    and then nothing is kept.
    """
    settings = Settings.load()
    configured = configured_endpoint()
    if configured is not None and not works_for(settings, configured):
        raise RequestError(
            f"Alerts are sent by the service of this machine, which does not work for {configured.api_url}.",
            "Start it with `jupyter pipelines up --detach`: it then uses that server, and starts none of its own.",
        )
    path = "" if notebook is None else real_path(notebook)
    if path and not Path(path).is_file():
        raise RequestError(f"There is no notebook {notebook}.", "Check the path.")
    store = Store(settings.store)
    record = AlertRecord(
        id=uuid.uuid4().hex[:8],
        notebook=path,
        on=events_of(on if isinstance(on, str) else list(on)),
        to=destinations.kept_form(to),
        store=str(store.root),
        since=time.time(),
        mark=History(store).mark(),
        repeat=_seconds(repeat),
        pipeline=_name(store, path) if path else "",
        slow=_factor(slow),
    )
    ensure_service(settings, say)
    with locked(settings.home / MAKING):
        for one in Shelf(settings.home).records():
            if replace(one, id=record.id, since=record.since, mark=record.mark) == record:
                return one
        Shelf(settings.home).save(record)
    tell_worker(settings.home, LOOK)
    return record


@typed
def alerts(notebook: Path | str | None = None) -> list[AlertRecord]:
    """The alerts of this project home, or those that concern one notebook."""
    found = Shelf(Settings.load().home).records()
    return found if notebook is None else [one for one in found if one.notebook in {"", real_path(notebook)}]


def get_alert(alert_id: str) -> AlertRecord:
    """The alert whose id is, or begins with, ``alert_id``. Raises :class:`RequestError`."""
    found = [one for one in Shelf(Settings.load().home).records() if alert_id and one.id.startswith(alert_id)]
    if len(found) != 1:
        what = f"There is no alert {alert_id!r}." if not found else f"{len(found)} alerts are meant by {alert_id!r}."
        raise RequestError(what, "`jupyter pipelines alerts` lists them.")
    return found[0]


@typed
def unalert(alert_id: str) -> AlertRecord:
    """Remove an alert; returns what it was. What has not been sent yet is not sent."""
    home = Settings.load().home
    refuse_later(home)
    record = get_alert(alert_id)
    Shelf(home).remove(record.id)
    return record


def removed_alert(alert_id: str) -> AlertRecord:
    """An alert that was removed in the last minutes. Raises :class:`RequestError` when it is gone."""
    found = Shelf(Settings.load().home).removed(alert_id) if alert_id.isalnum() else None
    if found is None:
        raise RequestError(f"There is no alert {alert_id!r} that was removed just now.", "Make it again.")
    return found


@typed
def restore_alert(alert_id: str) -> AlertRecord:
    """Have an alert again that was removed in the last minutes, with its secrets; what happens from now on counts.

    Raises :class:`RequestError` when it is gone.
    """
    settings = Settings.load()
    refuse_later(settings.home)
    found = removed_alert(alert_id)
    record = replace(found, since=time.time(), mark=History(Store(found.store)).mark())
    Shelf(settings.home).save(record)
    tell_worker(settings.home, LOOK)
    return record


@typed
def try_alert(to: str | AlertRecord) -> Delivery:
    """Send a sample now, to an alert's destination or one as :func:`alert` takes it; says what became of it.

    A destination that answers a little at a time, and never to the end, is given up after :data:`PATIENCE`.
    Raises :class:`RequestError` for what is no destination.
    """
    refuse_later(Settings.load().home)
    kept, alert_id = (to.to, to.id) if isinstance(to, AlertRecord) else (destinations.kept_form(to), "")
    shown = destinations.shown(kept)
    sent: queue.SimpleQueue[Delivery] = queue.SimpleQueue()

    def send() -> None:
        try:
            destinations.send(kept, wording.sample(str(uuid.uuid4())))
        except destinations.NotTakenError as error:
            sent.put(Delivery(alert_id, shown, str(error), error.fix))
        else:
            sent.put(Delivery(alert_id, shown, ""))

    threading.Thread(target=send, daemon=True, name="jupyter-pipelines-sample").start()
    try:
        return sent.get(timeout=PATIENCE)
    except queue.Empty:
        problem = f"it did not answer to the end within {PATIENCE:.0f} seconds"
        return Delivery(alert_id, shown, problem, advice.after_fault(TimeoutError()))


def describe(record: AlertRecord) -> dict[str, object]:
    """All about an alert as JSON values, without the secrets of its destination."""
    shelf = Shelf(Settings.load().home)
    progress = shelf.progress(record)
    return {
        "id": record.id,
        "notebook": record.notebook or None,
        "on": list(record.on),
        "to": destinations.shown(record.to),
        "repeat": record.repeat or None,
        "slow": record.slow or None,
        "since": record.since,
        "sent": progress.sent,
        "last_sent": progress.last_sent or None,
        "waiting": len(shelf.outbox(record.id)),
        "dropped": progress.dropped,
        "problem": progress.problem,
    }


def _name(store: Store, path: str) -> str:
    name = pipeline_of(store, path)
    return name if name != path else ""


def _seconds(given: timedelta | float | str | None) -> float:
    if given is None:
        return 0.0
    try:
        return parse_duration(given)
    except ValueError as expected:
        raise RequestError(f"An alert cannot be repeated every {given!r}.", f"Give {expected}.") from None


def _factor(given: float | None) -> float:
    if given is None:
        return 0.0
    if not 1 <= given <= 1000:
        raise RequestError(f"A run cannot be slow at {given} times its usual.", "Give a number above 1, such as 3.")
    return float(given)
