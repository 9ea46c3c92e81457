"""Making schedules, listing and changing them: the public API of this room."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.orchestration.following.candidate import first_candidate, followed_of, publish_first
from jupyter_pipelines.orchestration.following.git import check_ref
from jupyter_pipelines.orchestration.following.model import REF, forget_followed, load_followed, save_followed
from jupyter_pipelines.orchestration.loading import load_runnable, read_source
from jupyter_pipelines.orchestration.redaction import seal, unseal
from jupyter_pipelines.orchestration.schedules import (
    Schedule,
    Understanding,
    expression_of,
    in_words,
    next_occurrence,
    parse_phrase,
    preview,
    when_in_words,
)
from jupyter_pipelines.orchestration.schedules.json_form import read_field
from jupyter_pipelines.orchestration.schedules.model import Missed, Overlap, WindowUnit
from jupyter_pipelines.orchestration.scheduling import POLICIES
from jupyter_pipelines.orchestration.scheduling.foreseeing import foreseen
from jupyter_pipelines.orchestration.scheduling.model import Progress, ScheduleRecord, parameters_of
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service import configured_endpoint, ensure_service, works_for
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.versions.identity import pipeline_of, real_path
from jupyter_pipelines.orchestration.versions.publishing import PUBLISHED, find_version, read_content, read_entries
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import locked
from jupyter_pipelines.typed import typed

FILE = "file"
"""The word for the notebook as it is when a run starts, in place of a version."""

LONGEST_NAME = 200
MOST_SHOWN = 100_000
MAKING = "making.lock"
"""In the project home: who looks at what is there, and makes, changes or removes it, is the only one to do so."""
_TIMES = ("cron", "interval", "rrule", "zone", "anchor", "start", "end", "count")


@typed
def schedule(
    notebook: Path | str,
    when: str | Schedule,
    parameters: Mapping[str, object] | None = None,
    *,
    name: str | None = None,
    timezone: str | None = None,
    missed: Missed | None = None,
    overlap: Overlap | None = None,
    max_parallel: int | None = None,
    window: WindowUnit | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    done_by: time | timedelta | str | None = None,
    timeout: timedelta | str | None = None,
    retries: int | None = None,
    version: str | None = None,
    follow: bool = False,
    ref: str | None = None,
    verify: bool = False,
    replacing: str | None = None,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> ScheduleRecord:
    """Have the service run the pipeline of ``notebook`` at certain times; it is started when it is missing.

    ``when`` is a phrase such as ``"every weekday 07:00"``, a cron expression, a rule of RFC 5545, or a
    :class:`~jupyter_pipelines.orchestration.schedules.Schedule`; ``timezone`` is this machine's unless given. What the
    other arguments say wins over ``when``: it runs from ``start`` to ``end``, both included; with
    ``overlap="parallel"`` up to ``max_parallel`` runs go on at once. Parameters are values, or texts with expressions
    such as ``"{{ interval_start.date() }}"``. A run is late (see :func:`jupyter_pipelines.alert`) that is not done by
    ``done_by``, which is ``"08:00"``, or ``"2h"`` after its time; one that takes longer than ``timeout`` is stopped.
    A run that fails is tried again up to ``retries`` times, as a run of its own that continues it.
    ``version`` is what runs: ``"published"``, the id of a version, or ``"file"``; by default what is published, and the
    file where nothing is. ``replacing`` is the id of a schedule that becomes this one: it keeps its id and its runs,
    and stays paused if it is; when its times are others, they count from now on. ``say`` is told once what is being
    started. Asked for a schedule that is there already, it returns that one, with ``is_new`` false.

    With ``follow`` the notebook is published now and whenever it is saved, or with ``ref`` whenever that git ref moves,
    as long as `check` finds no errors, and `verify` no difference where ``verify`` is asked for; else the last good
    version goes on running, and :func:`describe` says why.

    Everything is checked as for the first run: raises :class:`RequestError`, :class:`NotebookError` or
    :class:`ServiceError`, and then nothing is kept; nor is anything with ``dry_run``.
    """
    now = datetime.now(UTC)
    made = _understood(when, now, {"name": name} | _policies(locals()))
    if parameters:
        made = replace(made, parameters={**made.parameters, **parameters})
    check_name(made.name, "a schedule")
    settings = Settings.load()
    require_service("Schedules")
    followed = _followed(follow, ref, verify, version)
    path, pipeline, chosen = choose_version(notebook, FILE if followed else version, Store(settings.store))
    record = ScheduleRecord(
        uuid.uuid4().hex[:8], str(path), made, now, str(Store(settings.store).root), chosen, pipeline, followed, verify
    )
    if replacing is not None:
        record = _in_place_of(get_schedule(replacing), record)
        made = record.schedule
    with first_candidate(Path(path), followed) as found:
        document = _check(record, now, found.origin if found is not None else None)
        if dry_run:
            return record
        same = _there_already(record, document) if replacing is None else None
        if same is not None:
            return same
        if found is not None:
            first = publish_first(found, settings, verify=verify, say=say)
            record = replace(record, version=PUBLISHED, pipeline=first.pipeline)
            save_followed(settings.home, record.id, followed_of(found, first))
        else:
            forget_followed(settings.home, record.id)  # which the schedule that is replaced may have done
    hidden = seal(Store(record.store), document, made.parameters, expressions=True)
    record = replace(record, schedule=replace(made, parameters=hidden))
    ensure_service(settings, say)
    with locked(settings.home / MAKING):
        same = _there_already(record, document) if replacing is None else None
        if same is not None:  # somebody else has asked for it meanwhile
            forget_followed(settings.home, record.id)
            return same
        if replacing is not None:
            record = _as_it_is_now(record, settings)
        Shelf(settings.home).save(record)
    _tell_scheduler(settings)
    return replace(record, is_new=replacing is None)


def check_name(name: object, whose: str) -> None:
    """Raise :class:`RequestError` unless it can be the name of ``whose``."""
    if not isinstance(name, str) or len(name) > LONGEST_NAME or not name.isprintable():
        raise RequestError(
            f"The name of {whose} is one line of text.", f"Give one of {LONGEST_NAME} characters at most."
        )


def _there_already(record: ScheduleRecord, document: NotebookDocument) -> ScheduleRecord | None:
    """The schedule that runs the same at the same times. Raises :class:`RequestError` when it is paused."""
    store = Store(record.store)
    wanted = unseal(store, document, record.schedule.parameters)
    for one in schedules(record.notebook):
        alike = all(getattr(one, name) == getattr(record, name) for name in ("notebook", "store", "follow", "verify"))
        times = replace(one.schedule, parameters=record.schedule.parameters, paused=record.schedule.paused)
        if not alike or times != record.schedule or not (record.follow or one.version == record.version):
            continue
        if unseal(store, document, one.schedule.parameters) == wanted:
            if one.schedule.paused:
                raise RequestError(
                    f"There is such a schedule, {one.id}, and it is paused.",
                    f"Have it run again: jupyter pipelines unpause {one.id}",
                )
            return one
    return None


def _in_place_of(before: ScheduleRecord, record: ScheduleRecord) -> ScheduleRecord:
    """``record`` as what becomes of the schedule ``before``."""
    made = replace(record.schedule, paused=before.schedule.paused)
    same = all(getattr(made, name) == getattr(before.schedule, name) for name in _TIMES)
    since = before.active_since if same else record.active_since
    return replace(record, id=before.id, schedule=made, active_since=since)


def _as_it_is_now(record: ScheduleRecord, settings: Settings) -> ScheduleRecord:
    """``record`` in place of one that may have been paused meanwhile. Raises :class:`RequestError` where it is gone."""
    try:
        before = get_schedule(record.id)
    except RequestError:
        forget_followed(settings.home, record.id)
        raise
    made = replace(record.schedule, paused=before.schedule.paused)
    return replace(record, schedule=made, active_since=max(record.active_since, before.active_since))


@typed
def preview_schedule(
    when: str | Schedule,
    count: int = 5,
    *,
    timezone: str | None = None,
    missed: Missed | None = None,
    overlap: Overlap | None = None,
    max_parallel: int | None = None,
    window: WindowUnit | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    done_by: time | timedelta | str | None = None,
    timeout: timedelta | str | None = None,
    retries: int | None = None,
) -> Understanding:
    """How ``when`` is understood, and its next ``count`` times; nothing is kept. Raises :class:`RequestError`."""
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST_SHOWN:
        raise RequestError(f"{count!r:.80} times cannot be shown.", f"Give a number up to {MOST_SHOWN:,}.")
    now = datetime.now(UTC)
    made = _understood(when, now, _policies(locals()))
    return Understanding(made, expression_of(made), when_in_words(made), preview(made, count, now))


@typed
def schedules(notebook: Path | str | None = None) -> list[ScheduleRecord]:
    """The schedules of this project home, or those of one notebook."""
    found = Shelf(Settings.load().home).records()
    if notebook is None:
        return found
    path = real_path(notebook)
    return [record for record in found if path == record.notebook or record.pipeline == str(notebook)]


def get_schedule(schedule_id: str) -> ScheduleRecord:
    """The schedule whose id is, or begins with, ``schedule_id``, or whose name it is. Raises :class:`RequestError`."""
    found = Shelf(Settings.load().home).records()
    named = [record for record in found if schedule_id in {record.id, record.schedule.name}]
    same = named or [record for record in found if schedule_id and record.id.startswith(schedule_id)]
    if not schedule_id or not same:
        raise RequestError(f"There is no schedule {schedule_id!r}.", "`jupyter pipelines schedules` lists them.")
    if len(same) > 1:
        raise RequestError(f"{len(same)} schedules are meant by {schedule_id!r}.", "Give more of the id.")
    return same[0]


def is_schedule(schedule_id: str) -> bool:
    """Whether there is a schedule whose id is, or begins with, ``schedule_id``, or whose name it is."""
    found = Shelf(Settings.load().home).records()
    return any(one.id.startswith(schedule_id) or one.schedule.name == schedule_id for one in found if schedule_id)


def pause(schedule_id: str) -> ScheduleRecord:
    """Have a schedule start no more runs, until :func:`unpause`; runs that go on are left alone."""
    return _set_paused(schedule_id, True)


def unpause(schedule_id: str) -> ScheduleRecord:
    """Have a paused schedule run again from now on. What was due meanwhile is not made up for."""
    return _set_paused(schedule_id, False)


def unschedule(schedule_id: str) -> ScheduleRecord:
    """Remove a schedule; returns what it was. Its runs stay on record, and one that goes on is left alone."""
    settings = Settings.load()
    with _alone_with(schedule_id, settings) as record:
        Shelf(settings.home).remove(record.id)
        forget_followed(settings.home, record.id)
    _tell_scheduler(settings)
    return record


def describe(record: ScheduleRecord) -> dict[str, object]:
    """All about a schedule as JSON values: its record, the same in words, its next time, its runs, what it skipped."""
    home = Settings.load().home
    followed, problem = load_followed(home, record.id), ""
    try:
        progress = Shelf(home).progress(record)
    except StoreError as error:
        progress, problem = Progress.of(record, None), str(error)
    following = record.next_time()
    problem = problem or foreseen(home, record)
    return record.to_json() | {
        "name": record.schedule.name,
        "paused": record.schedule.paused,
        "words": in_words(record.schedule),
        "expression": expression_of(record.schedule),
        "next": following.isoformat() if following is not None else None,
        "runs": progress.runs,
        "waiting": progress.waiting,
        "skipped": progress.skipped,
        "followed": followed.to_json() if followed is not None else None,
        "problem": problem,
    }


def machine_zone() -> str:
    """The time zone of this machine, as an IANA name; UTC where it does not say."""
    place = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime")
    name = place.rpartition("zoneinfo/")[2]
    try:
        Schedule(cron="0 0 * * *", zone=name)
    except RequestError:
        return "UTC"
    return name


def _policies(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of a function's arguments those that say how a schedule runs."""
    return {name: arguments[name] for name in POLICIES}


def _understood(when: str | Schedule, now: datetime, given: Mapping[str, Any]) -> Schedule:
    timezone = given["timezone"]
    if isinstance(when, Schedule):
        found = when if timezone is None else replace(when, zone=timezone)
    else:
        found = parse_phrase(when, timezone or machine_zone(), now)
    policies: dict[str, Any] = {
        name: read_field(name, value) if isinstance(value, str) else value
        for name, value in given.items()
        if value is not None and name != "timezone"
    }
    return replace(found, **policies)


def require_service(what: str) -> None:
    """Raise :class:`RequestError` where the service of this machine, which carries ``what`` out, is not in use."""
    configured = configured_endpoint()
    if configured is not None and not works_for(Settings.load(), configured):
        raise RequestError(
            f"{what} are carried out by the service of this machine, which does not work for {configured.api_url}.",
            "Start it with `jupyter pipelines up --detach`: it then uses that server, and starts none of its own.",
        )


def choose_version(notebook: Path | str, version: str | None, store: Store) -> tuple[str, str, str]:
    """The notebook's path, its pipeline, and what of it is to run; see :class:`ScheduleRecord`."""
    path = real_path(notebook)
    pipeline = pipeline_of(store, notebook)
    entries = read_entries(store, pipeline)
    if not Path(path).exists() and entries:
        path = entries[-1].notebook
    if version == FILE or (version is None and not entries):
        return path, pipeline, ""
    found = find_version(store, pipeline, version or "published", str(notebook))
    return path, pipeline, "published" if version in {None, "published"} else found.id


def _followed(follow: bool, ref: str | None, verify: bool, version: str | None) -> str:
    """What is followed, as :class:`ScheduleRecord` says it. Raises :class:`RequestError` for a contradiction."""
    if not follow and ref is None:
        if verify:
            raise RequestError("There is nothing to verify: the schedule follows nothing.", "Add --follow or --ref.")
        return ""
    if version is not None or (follow and ref is not None):
        raise RequestError("Only one of a version, --follow and --ref says what runs.", "Leave the others out.")
    if ref is not None:
        check_ref(ref)
    return FILE if ref is None else f"{REF}{ref}"


def _check(record: ScheduleRecord, now: datetime, origin: Path | None = None) -> NotebookDocument:
    """Raise what the first run would raise before it begins; returns the notebook that it would run.

    ``origin`` is where the notebook is read that is about to be published.
    """
    from jupyter_pipelines.notebook import coerce_parameters

    occurrence = next_occurrence(record.schedule, now)
    if occurrence is None:
        raise RequestError("The schedule never runs: its last time is past.", "Give a later `end`.")
    store = Store(record.store)
    if origin is None and record.version:
        published = find_version(store, record.pipeline, record.version, record.notebook).id
        content = store.get_notebook(read_content(store, published).notebook)
    else:
        content = read_source(origin or Path(record.notebook))
    document = load_runnable(content, Path(record.notebook).name, store).document
    declared = {parameter.name: parameter for parameter in document.parameters}
    coerce_parameters(document, unseal(store, document, parameters_of(record.schedule, occurrence, declared)))
    return document


def _set_paused(schedule_id: str, paused: bool) -> ScheduleRecord:
    settings = Settings.load()
    with _alone_with(schedule_id, settings) as record:
        if record.schedule.paused == paused:
            return record
        since = record.active_since if paused else datetime.now(UTC)
        changed = replace(record, schedule=replace(record.schedule, paused=paused), active_since=since)
        Shelf(settings.home).save(changed)
    _tell_scheduler(settings)
    return changed


@contextmanager
def _alone_with(schedule_id: str, settings: Settings) -> Iterator[ScheduleRecord]:
    """The schedule, which nobody else changes or removes meanwhile. Raises :class:`RequestError`."""
    found = get_schedule(schedule_id)
    refuse_later(settings.home)
    with locked(settings.home / MAKING):
        yield get_schedule(found.id)


def _tell_scheduler(settings: Settings) -> None:
    from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker

    tell_worker(settings.home, LOOK)
