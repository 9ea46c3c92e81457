"""Making triggers, listing and changing them: the public API of this room.

Pausing, resuming and removing is one thing for schedules and triggers, by id.
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.notebook.table_names import read_table_name
from jupyter_pipelines.orchestration import scheduling
from jupyter_pipelines.orchestration.backfills import Backfill, pause_backfill, resume_backfill
from jupyter_pipelines.orchestration.backfills.changing import is_backfill
from jupyter_pipelines.orchestration.loading import load, load_runnable, read_source
from jupyter_pipelines.orchestration.redaction import seal, unseal
from jupyter_pipelines.orchestration.schedules.expressions import check_plain
from jupyter_pipelines.orchestration.scheduling import ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.making import (
    MAKING,
    check_name,
    choose_version,
    is_schedule,
    require_service,
)
from jupyter_pipelines.orchestration.service import ensure_service
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.orchestration.service.wake import LOOK, tell_worker
from jupyter_pipelines.orchestration.triggers import events, files, patterns, runs, tokens
from jupyter_pipelines.orchestration.triggers.loops import named_upstream, refuse_loops
from jupyter_pipelines.orchestration.triggers.model import (
    AfterRuns,
    ByToken,
    Cause,
    On,
    OnEvent,
    OnFiles,
    OnUpdate,
    Overlap,
    TriggerRecord,
)
from jupyter_pipelines.orchestration.triggers.names import AnyName, example, parameters_of
from jupyter_pipelines.orchestration.triggers.reading import require_something_read, waited_for
from jupyter_pipelines.orchestration.triggers.shelf import Shelf
from jupyter_pipelines.orchestration.versions.identity import pipeline_of, real_path
from jupyter_pipelines.orchestration.versions.publishing import find_version, read_content
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import locked
from jupyter_pipelines.typed import typed

TABLE = "table:"  # before the name of a table that is to be updated
_ONE_CAUSE = "Give exactly one of after, file, updated, token and event."
_UNSURE = re.compile(r"\{\{.*\b(?:upstream|event)\b.*\}\}", re.DOTALL)  # of which type that is a run will show
_OVERLAPS_OF_FILES = ("queue", "parallel")


@typed
def trigger(
    notebook: Path | str,
    parameters: Mapping[str, object] | None = None,
    *,
    after: Path | str | Sequence[Path | str] | None = None,
    on: On = "success",
    all_of: bool = False,
    file: Path | str | None = None,
    together: bool = False,
    updated: str | Sequence[str] | bool | None = None,
    token: bool = False,
    event: str | None = None,
    name: str = "",
    version: str | None = None,
    overlap: Overlap = "queue",
    replacing: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> TriggerRecord:
    """Have the service run the pipeline of ``notebook`` when something happens; it is started when it is missing.

    What happens is one of these. ``after``: a run of another notebook's pipeline has ended ``on`` ``"success"``,
    ``"failure"`` or ``"always"``; of several notebooks any one, or ``all_of`` them. ``file``: a file that matches the
    pattern (beside the notebook, unless it is absolute) appears or changes; one run for each, or for all that come
    ``together``. ``updated``: a run of another pipeline has written one of these files, made an output,
    ``"NOTEBOOK:NAME"``, or built or changed a table, ``"table:mart.orders"``; ``True`` means the tables and files that
    the notebook reads, as its source names them. ``token``: somebody asks with the trigger's token, which only the
    returned record holds. ``event``: the Prefect server has an event of that name, ``*`` standing for anything.

    Parameters are values, or texts with expressions: ``{{ upstream.parameters.day }}``, ``{{ file }}``,
    ``{{ files }}``, ``{{ event.payload }}``, ``{{ triggered_at.date() }}``. ``version`` is as for
    :func:`~jupyter_pipelines.schedule`; ``overlap`` says what an occurrence does before the run of the one before it
    has ended: ``"queue"``, ``"skip"``, ``"parallel"`` or ``"cancel-previous"``.

    Asked for a trigger that is there already, it returns that one, with ``is_new`` false; each token is another.
    ``replacing`` is the id of a trigger that becomes this one: it keeps its id, its runs and its token, and stays
    paused if it is.

    What counts is what happens from now on, also while the service is down. Raises :class:`RequestError`,
    :class:`NotebookError` or :class:`ServiceError`, and then nothing is kept.
    """
    require_service("Triggers")
    check_name(name, "a trigger")
    settings = Settings.load()
    store = Store(settings.store)
    path, pipeline, chosen = choose_version(notebook, version, store)
    before = get_trigger(replacing) if replacing is not None else None
    trigger_id = before.id if before is not None else uuid.uuid4().hex[:8]
    shown = ""
    causes: list[Cause] = []
    if after is not None:
        above = [after] if isinstance(after, str | Path) else after
        causes.append(AfterRuns(tuple(dict.fromkeys(_pipeline(store, one) for one in above)), on, all_of))
    if file is not None:
        pattern = patterns.absolute(str(file), Path(path).parent)
        causes.append(OnFiles(pattern, together))
        if not Path(folder := patterns.root(pattern)).is_dir():
            say(f"The folder {folder} is not there yet: nothing is seen until it is.")
    if updated is True:
        causes.append(OnUpdate(reads=True))
    elif updated is not None and updated is not False:
        causes.append(_on_update(store, path, [updated] if isinstance(updated, str) else updated))
    if token and before is not None and isinstance(before.cause, ByToken):
        causes.append(before.cause)
    elif token:
        shown, digest = tokens.new_token(trigger_id)
        causes.append(ByToken(digest))
    if event is not None:
        causes.append(OnEvent(_event_name(event)))
    if len(causes) != 1:
        raise RequestError("A trigger needs one thing that sets it off.", _ONE_CAUSE)
    record = TriggerRecord(
        trigger_id,
        path,
        causes[0],
        datetime.now(UTC),
        str(store.root),
        chosen,
        pipeline,
        name,
        dict(parameters or {}),
        overlap,
    )
    if before is not None:
        record = _in_place_of(before, record)
    document = _check(record)
    same = _there_already(record, document) if before is None else None
    if same is not None:
        return same
    record = replace(record, parameters=seal(store, document, record.parameters, expressions=True))
    ensure_service(settings, say)
    if before is None or before.active_since != record.active_since:
        record = replace(record, baseline=baseline_of(record))
    with locked(settings.home / MAKING):
        same = _there_already(record, document) if before is None else None
        if same is not None:  # somebody else has asked for it meanwhile
            return same
        if before is not None:
            now = get_trigger(record.id)  # it may have been paused meanwhile, or be gone
            since = max(record.active_since, now.active_since)
            record = replace(record, paused=now.paused, active_since=since)
        refuse_loops(record, triggers())
        Shelf(settings.home).save(record)
    tell_worker(settings.home, LOOK)
    return replace(record, token=shown, is_new=before is None)


def _there_already(record: TriggerRecord, document: NotebookDocument) -> TriggerRecord | None:
    """The trigger that runs the same for the same cause. Raises :class:`RequestError` when it is paused."""
    store = Store(record.store)
    names = ("notebook", "cause", "store", "version", "name", "overlap")
    wanted = unseal(store, document, record.parameters)
    for one in triggers(record.notebook):
        alike = all(getattr(one, name) == getattr(record, name) for name in names)
        if alike and unseal(store, document, one.parameters) == wanted:
            if one.paused:
                raise RequestError(
                    f"There is such a trigger, {one.id}, and it is paused.",
                    f"Have it run again: jupyter pipelines unpause {one.id}",
                )
            return one
    return None


def _in_place_of(before: TriggerRecord, record: TriggerRecord) -> TriggerRecord:
    """``record`` as what becomes of the trigger ``before``; with the same cause it goes on from where that was."""
    record = replace(record, paused=before.paused)
    same = record.cause == before.cause
    return replace(record, active_since=before.active_since, baseline=before.baseline) if same else record


@typed
def triggers(notebook: Path | str | None = None) -> list[TriggerRecord]:
    """The triggers of this project home, or those of one notebook."""
    found = Shelf(Settings.load().home).records()
    if notebook is None:
        return found
    path = real_path(notebook)
    return [record for record in found if path == record.notebook or record.pipeline == str(notebook)]


def get_trigger(trigger_id: str) -> TriggerRecord:
    """The trigger whose id is, or begins with, ``trigger_id``, or whose name it is. Raises :class:`RequestError`."""
    found = _find(trigger_id)
    if found is None:
        raise RequestError(f"There is no trigger {trigger_id!r}.", "`jupyter pipelines triggers` lists them.")
    return found


def _find(trigger_id: str) -> TriggerRecord | None:
    found = triggers()
    named = [record for record in found if trigger_id in {record.id, record.name}]
    same = named or [record for record in found if trigger_id and record.id.startswith(trigger_id)]
    if not trigger_id or not same:
        return None
    if len(same) > 1:
        raise RequestError(f"{len(same)} triggers are meant by {trigger_id!r}.", "Give more of the id.")
    return same[0]


@typed
def pause(schedule_id: str) -> ScheduleRecord | TriggerRecord | Backfill:
    """Have a schedule, a trigger or a backfill start no more runs, until :func:`unpause`.

    Runs that go on are left alone.
    """
    record = _find(schedule_id)
    if record is not None:
        return _set_paused(record.id, True)
    if is_backfill(schedule_id) and not is_schedule(schedule_id):
        return pause_backfill(schedule_id)
    return scheduling.pause(schedule_id)


@typed
def unpause(schedule_id: str) -> ScheduleRecord | TriggerRecord | Backfill:
    """Have a paused one run again from now on. What would have set it off meanwhile is not made up for.

    A backfill goes on with the windows that are left; those that failed are run once more.
    """
    record = _find(schedule_id)
    if record is not None:
        return _set_paused(record.id, False)
    if is_backfill(schedule_id) and not is_schedule(schedule_id):
        return resume_backfill(schedule_id)
    return scheduling.unpause(schedule_id)


@typed
def unschedule(schedule_id: str) -> ScheduleRecord | TriggerRecord:
    """Remove a schedule or a trigger; returns what it was. Its runs stay, and one that goes on is left alone."""
    record = _find(schedule_id)
    if record is None:
        return scheduling.unschedule(schedule_id)
    settings = Settings.load()
    with _alone_with(record.id, settings) as record:
        Shelf(settings.home).remove(record.id)
    tell_worker(settings.home, LOOK)
    return record


def describe(record: ScheduleRecord | TriggerRecord) -> dict[str, object]:
    """All about a schedule or a trigger as JSON values: its record, the same in words, its runs, what it skipped."""
    if isinstance(record, ScheduleRecord):
        return scheduling.describe(record)
    progress = Shelf(Settings.load().home).progress(record)
    cause: Cause = record.cause
    if isinstance(cause, OnUpdate):
        with suppress(PipelinesError):  # its notebook cannot be read just now, which is a problem that is told
            cause = waited_for(record)
    found = record.to_json() | {"cause": asdict(cause)}
    del found["baseline"]
    if isinstance(record.cause, ByToken):
        found["cause"] = {}
    return found | {
        "words": str(cause),
        "runs": progress.runs,
        "waiting": [each.key for each in progress.waiting],
        "skipped": progress.skipped,
        "problem": progress.problem,
    }


def document_of(record: TriggerRecord) -> NotebookDocument:
    """The notebook that the trigger would run now. Raises :class:`PipelinesError` when it cannot."""
    return load_runnable(source_of(record)[1], Path(record.notebook).name, Store(record.store)).document


def source_of(record: TriggerRecord) -> tuple[str | None, bytes]:
    """The id of the version that the trigger would run now, if it is one, and the notebook."""
    if not record.version:
        return None, read_source(Path(record.notebook))
    store = Store(record.store)
    published = find_version(store, record.pipeline, record.version, record.notebook).id
    return published, store.get_notebook(read_content(store, published).notebook)


def baseline_of(record: TriggerRecord) -> object:
    """The cursor from which on things count, as of now."""
    match record.cause:
        case AfterRuns() | OnUpdate():
            return runs.now(Store(record.store))
        case OnFiles(pattern):
            return files.now(pattern)
        case OnEvent():
            return events.now()
        case ByToken():
            return None


def _pipeline(store: Store, notebook: Path | str) -> str:
    """The pipeline of another notebook, which must be there."""
    found = pipeline_of(store, notebook)
    if found == real_path(notebook) and not Path(found).is_file():
        raise RequestError(f"There is no notebook {notebook}.", "Check the path.")
    return found


def _on_update(store: Store, notebook: str, wanted: Iterable[str]) -> OnUpdate:
    """``table:NAME`` is a table, ``NOTEBOOK:NAME`` an output, all else are files."""
    outputs, paths, tables = [], [], []
    if not isinstance(wanted, Iterable):
        raise RequestError(f"{wanted!r} is nothing that is updated.", "Name a file, NOTEBOOK:OUTPUT, or table:NAME.")
    for text in wanted:
        if not isinstance(text, str):
            raise RequestError(f"{text!r} is nothing that is updated.", "Name a file, NOTEBOOK:OUTPUT, or table:NAME.")
        whose, colon, name = text.rpartition(":")
        if text.startswith(TABLE):
            tables.append(_table(text.removeprefix(TABLE)))
        elif colon and name.isidentifier() and not text.startswith("/"):
            other = whose if Path(whose).is_file() else Path(notebook).parent / whose
            outputs.append(_output(store, other, name))
        elif colon and name.isidentifier() and Path(whose).is_file():
            outputs.append(_output(store, whose, name))
        else:
            paths.append(patterns.absolute(text, Path(notebook).parent))
    if not outputs and not paths and not tables:
        raise RequestError("It is not said which update is waited for.", "Name a file, NOTEBOOK:OUTPUT, or table:NAME.")
    return OnUpdate(tuple(paths), tuple(outputs), tuple(tables))


def _output(store: Store, notebook: Path | str, name: str) -> tuple[str, str]:
    """A value that the steps of another pipeline hand over. Raises :class:`RequestError` when they never do."""
    whose = _pipeline(store, notebook)
    if Path(notebook).is_file():
        made = sorted({output for step in load(Path(notebook)).steps for output in step.outputs})
        if name not in made:
            near = difflib.get_close_matches(name, made, 1)
            raise RequestError(
                f"No step of {Path(notebook).name} hands over a value {name!r}.",
                f"Did you mean {near[0]!r}?" if near else f"These are handed over: {', '.join(made) or 'none'}.",
            )
    return whose, name


def _table(text: str) -> str:
    name = read_table_name(text)
    if name is None:
        raise RequestError(f"{text!r} is no name of a table.", "Write for example table:mart.orders")
    return str(name)


def _event_name(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise RequestError(f"{text!r} is no name of an event.", "Write for example orders.loaded, or orders.*")
    return text.strip()


def _check(record: TriggerRecord) -> NotebookDocument:
    """Raise what the first run would raise before it begins, as far as that is known; returns the notebook."""
    from jupyter_pipelines.notebook import coerce_parameters

    if isinstance(record.cause, OnFiles) and record.overlap not in _OVERLAPS_OF_FILES:
        raise RequestError(
            f"A trigger by files cannot have overlap {record.overlap!r}: files would be lost.",
            f"Choose one of {', '.join(_OVERLAPS_OF_FILES)}.",
        )
    refuse_loops(record, triggers())
    check_plain(record.parameters)
    document = document_of(record)
    if isinstance(record.cause, OnUpdate):
        require_something_read(record)
    plain = {name: value for name, value in record.parameters.items() if "{{" not in str(value)}
    coerce_parameters(document, plain, partial=True)
    known = {parameter.name: parameter for parameter in document.parameters}
    coerce_parameters(document, {name: None for name in record.parameters if name not in known}, partial=True)
    missing = [each.name for each in document.parameters if each.required and each.name not in record.parameters]
    if missing and not isinstance(record.cause, ByToken):
        coerce_parameters(document, plain)
    above = named_upstream(record)
    tried = parameters_of(record, example(record, _declared(above[0]) if len(above) == 1 else AnyName()))
    sure = {name: value for name, value in tried.items() if not _UNSURE.search(str(record.parameters[name]))}
    coerce_parameters(document, sure, partial=True)
    return document


def _declared(pipeline: str) -> Mapping[str, object]:
    """The parameters of a pipeline with their defaults; any, where its notebook cannot be read."""
    try:
        document = load(pipeline).document
    except RequestError:  # it is known by a name
        return AnyName()
    return dict.fromkeys((one.name for one in document.parameters), "") | runs.defaults(document)


def _set_paused(trigger_id: str, paused: bool) -> TriggerRecord:
    settings = Settings.load()
    with _alone_with(trigger_id, settings) as record:
        if record.paused == paused:
            return record
        changed = replace(record, paused=paused)
        if not paused:
            changed = replace(changed, active_since=datetime.now(UTC), baseline=baseline_of(record))
        Shelf(settings.home).save(changed)
    tell_worker(settings.home, LOOK)
    return changed


@contextmanager
def _alone_with(trigger_id: str, settings: Settings) -> Iterator[TriggerRecord]:
    """The trigger, which nobody else changes or removes meanwhile. Raises :class:`RequestError`."""
    refuse_later(settings.home)
    with locked(settings.home / MAKING):
        yield get_trigger(trigger_id)
