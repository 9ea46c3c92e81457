"""Triggers that go by runs of other pipelines: after their end, and when they have updated a file or an output."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.notebook import parameters_json, read_notebook
from jupyter_pipelines.notebook.model import NotebookDocument
from jupyter_pipelines.notebook.table_names import read_table_name
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.records import read_record
from jupyter_pipelines.orchestration.tables import tables_written_by
from jupyter_pipelines.orchestration.triggers.model import AfterRuns, Occurrence, OnUpdate, TriggerRecord
from jupyter_pipelines.orchestration.triggers.patterns import matches
from jupyter_pipelines.orchestration.triggers.reading import waited_for
from jupyter_pipelines.orchestration.versions.identity import real_path
from jupyter_pipelines.store import Store

FAILED = frozenset({"failed", "crashed"})
MOST_IN_CHAIN = 20
"""How many runs may follow from one another through triggers."""


def now(store: Store) -> object:
    """The cursor of what has ended by now."""
    return {"mark": History(store).mark(), "arrived": {}}


class Ends:
    """The ends of runs, each asked for once in one look at all triggers: most have come equally far."""

    def __init__(self) -> None:
        self._known: dict[tuple[Path, int], tuple[int, list[RunRecord]]] = {}

    def since(self, store: Store, mark: int) -> tuple[int, list[RunRecord]]:
        """As :meth:`History.ended_since`."""
        key = (store.root, mark)
        if key not in self._known:
            self._known[key] = History(store).ended_since(mark)
        return self._known[key]


def look(record: TriggerRecord, cursor: object, store: Store, ends: Ends) -> tuple[object, list[Occurrence]]:
    """What has happened since ``cursor``: the cursor to go on with, and the occurrences, in order.

    Raises :class:`PipelinesError` where it cannot be told what is waited for.
    """
    known: Mapping[str, object] = cursor if isinstance(cursor, dict) else {}
    mark, arrived = known.get("mark"), known.get("arrived")
    waiting = {str(key): str(run) for key, run in arrived.items()} if isinstance(arrived, dict) else {}
    following, ended = ends.since(store, mark if isinstance(mark, int) else 0)
    cause = waited_for(record) if isinstance(record.cause, OnUpdate) else record.cause
    found: list[Occurrence] = []
    for run in ended:
        if pipeline(run) == record.pipeline and isinstance(cause, OnUpdate):
            continue  # what it writes itself is no news to it
        found += _met(cause, run, waiting, store)
    return {"mark": following, "arrived": waiting}, found


def _met(cause: object, run: RunRecord, arrived: dict[str, str], store: Store) -> list[Occurrence]:
    """The occurrence that the end of ``run`` makes, if it does; ``arrived`` are those that others are waited for."""
    match cause:
        case AfterRuns() if pipeline(run) in cause.pipelines and _ended(run, cause.on):
            if not cause.all_of:
                return [_occurrence([run], store)]
            arrived[pipeline(run)] = run.id
            if set(cause.pipelines) <= set(arrived):
                others = [read_record(store, each) for key, each in arrived.items() if each != run.id]
                arrived.clear()
                return [_occurrence([*(other for other in others if other is not None), run], store)]
        case OnUpdate():
            updated = [*_files(cause, run), *_outputs(cause, run), *_tables(cause, run, store)]
            if updated:
                return [_occurrence([run], store, updated)]
    return []


def _ended(run: RunRecord, on: str) -> bool:
    return on == "always" or (run.state == "completed" if on == "success" else run.state in FAILED)


def _files(cause: OnUpdate, run: RunRecord) -> Iterable[str]:
    """The files among those it is about that the run has written."""
    written = dict.fromkeys(real_path(path) for step in run.steps for path in step.files_written)
    return [path for path in written if any(matches(path, pattern) for pattern in cause.files)]


def _outputs(cause: OnUpdate, run: RunRecord) -> Iterable[str]:
    made = {output.name for step in run.steps if step.state == "completed" for output in step.outputs}
    return [name for whose, name in cause.outputs if whose == pipeline(run) and name in made]


def _tables(cause: OnUpdate, run: RunRecord, store: Store) -> Iterable[str]:
    if not cause.tables:
        return []
    written = {read_table_name(table) for table in tables_written_by(run, store)}
    return [table for table in cause.tables if read_table_name(table) in written]


def _occurrence(runs: list[RunRecord], store: Store, updated: Iterable[str] = ()) -> Occurrence:
    """``runs`` in the order of their ends; the last one met the trigger."""
    last = runs[-1]
    key = last.id if len(runs) == 1 else blake2b(" ".join(run.id for run in runs).encode(), digest_size=16).hexdigest()
    names: dict[str, object] = {"upstream": described(last, store)}
    if updated := list(updated):
        names["updated"] = updated
    return Occurrence(key, last.ended, names, upstream=last.id)


def described(run: RunRecord, store: Store) -> dict[str, object]:
    """What expressions can know of a run; its parameters with the defaults of those that were not given."""
    known = ("id", "name", "notebook", "version", "state", "started", "ended", "error", "executed_notebook")
    parameters = dict(run.parameters)
    with suppress(PipelinesError):
        parameters = defaults(read_notebook(store.get_notebook(run.version), run.name)) | parameters
    return {name: getattr(run, name) for name in known} | {"pipeline": pipeline(run), "parameters": parameters}


def defaults(document: NotebookDocument) -> dict[str, object]:
    """The defaults of a notebook's parameters, in the form that a run's have on record."""
    known = {one.name: one.default for one in document.parameters if not (one.required or one.computed)}
    return parameters_json(document, known)


def pipeline(run: RunRecord) -> str:
    """The pipeline that a run belongs to."""
    return run.pipeline or real_path(run.notebook)


def chain(store: Store, upstream: str) -> int:
    """How many runs have followed from one another through triggers, ``upstream`` being the last."""
    length = 0
    while upstream and length <= MOST_IN_CHAIN:
        run = read_record(store, upstream)
        length, upstream = length + 1, run.upstream if run is not None else ""
    return length
