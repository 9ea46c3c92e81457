"""How long runs are kept: by number, age and size, for each pipeline or for all; and runs that are kept for good.

Nothing is removed by default. Limits are kept in ``retention.json`` in the project home; where nothing is said there,
``JUPYTER_PIPELINES_KEEP_RUNS``, ``_KEEP_DAYS`` and ``_KEEP_SIZE`` are the limits of all pipelines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.history import get_run
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service.home_format import refuse_later
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import RunSizes
from jupyter_pipelines.store.files import locked, read_json, write_json
from jupyter_pipelines.store.run_index import EndedRun, RunIndex
from jupyter_pipelines.typed import typed

DAY = 86400.0
LARGEST = 10**18


@dataclass(frozen=True)
class Retention:
    """What is kept of a pipeline's runs; ``None`` sets no limit. A run goes when it is beyond any of them.

    Runs that go on, that another run continues, or that are marked as kept stay, and do not count.
    """

    keep_runs: int | None = None  # the newest so many
    keep_days: float | None = None  # those that ended in the last so many days
    keep_size: int | None = None  # bytes: the newest whose values and executed notebooks take no more together

    def __post_init__(self) -> None:
        for name, limit in asdict(self).items():
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | float):
                raise RequestError(f"{name} = {limit!r} is no number.", "Give a number above 0, or `all`.")
            if not 0 < limit < LARGEST:
                what = "would keep nothing" if limit <= 0 else "is no number to count with"
                raise RequestError(f"{name} = {limit} {what}.", "Give a number above 0, or `all`.")
            if name != "keep_days" and limit != int(limit):
                raise RequestError(f"{name} = {limit} is no whole number.", "Give one above 0, or `all`.")

    def __bool__(self) -> bool:
        return self != Retention()

    def over(self, other: Retention) -> Retention:
        """These limits, and those of ``other`` where there are none."""
        own = {name: limit for name, limit in asdict(self).items() if limit is not None}
        return Retention(**{**asdict(other), **own})


class Limits:
    """The limits of the project home ``home``. Raises :class:`RequestError` when they cannot be read."""

    def __init__(self, home: Path) -> None:
        self._path = home / "retention.json"
        found = read_json(self._path) if self._path.exists() else {}
        pipelines = found.get("pipelines", {}) if isinstance(found, dict) else None
        if not isinstance(found, dict) or not isinstance(pipelines, dict):
            raise _unreadable(self._path)
        self.default = _read(found.get("default"), self._path)
        self.pipelines = {str(name): _read(one, self._path) for name, one in pipelines.items()}

    def of(self, pipeline: str) -> Retention:
        """The limits that hold for the runs of ``pipeline``."""
        return self.pipelines.get(pipeline, Retention()).over(self.of_all())

    def of_all(self) -> Retention:
        """The limits of pipelines that have none of their own."""
        settings = Settings.load()
        return self.default.over(Retention(settings.keep_runs, settings.keep_days, settings.keep_size))

    def __bool__(self) -> bool:
        return bool(self.of_all()) or any(self.pipelines.values())

    def save(self) -> None:
        """Write them. Raises :class:`StoreError`."""
        pipelines = {name: asdict(one) for name, one in self.pipelines.items() if one}
        write_json(self._path, {"default": asdict(self.default), "pipelines": pipelines})


@typed
def retention(notebook: Path | str | None = None) -> Retention:
    """The limits that hold for the runs of ``notebook`` (or of the pipeline of that name); by default for all.

    Raises :class:`RequestError` when what is set cannot be read.
    """
    settings = Settings.load()
    limits = Limits(settings.home)
    return limits.of_all() if notebook is None else limits.of(_pipeline(settings, notebook))


@typed
def set_retention(
    notebook: Path | str | None = None,
    *,
    keep_runs: int | None = None,
    keep_days: float | None = None,
    keep_size: int | None = None,
) -> Retention:
    """Set the limits of ``notebook``'s pipeline, or of all pipelines, in place of what was set; see :class:`Retention`.

    A limit that a pipeline does not set is that of all. The service removes what is beyond within hours, and
    ``jupyter pipelines gc`` at once. Returns the limits that hold now. Raises :class:`RequestError`.
    """
    settings = Settings.load()
    refuse_later(settings.home)
    made = Retention(keep_runs, keep_days, keep_size)
    with locked(settings.home / "retention.lock"):
        limits = Limits(settings.home)
        if notebook is None:
            limits.default = made
        else:
            limits.pipelines[_pipeline(settings, notebook)] = made
        limits.save()
    return retention(notebook)


def own_retention(notebook: Path | str | None = None) -> Retention:
    """The limits that were set for ``notebook``'s pipeline itself, or by default for all."""
    settings = Settings.load()
    limits = Limits(settings.home)
    if notebook is None:
        return limits.default
    return limits.pipelines.get(_pipeline(settings, notebook), Retention())


def own_retentions() -> dict[str, Retention]:
    """The limits that hold for each pipeline that has some of its own."""
    limits = Limits(Settings.load().home)
    return {pipeline: limits.of(pipeline) for pipeline, own in sorted(limits.pipelines.items()) if own}


@typed
def keep(run_id: str, keep: bool = True) -> RunRecord:
    """Have cleaning leave a run alone for good, or, with ``keep=False``, no longer. Raises :class:`RequestError`."""
    settings = Settings.load()
    refuse_later(settings.home)
    record = get_run(run_id)
    Store(settings.store).mark_kept(record.id, keep)
    return record


@typed
def is_kept(run_id: str) -> bool:
    """Whether cleaning leaves a run alone for good. Raises :class:`RequestError`."""
    return get_run(run_id).id in Store(Settings.load().store).kept_runs()


def expired(store: Store, limits: Limits, now: float) -> set[str]:
    """The ids of the runs that are beyond their limits. ``now`` is in seconds since the epoch."""
    if not limits:
        return set()
    index = RunIndex(store.root)
    kept = store.kept_runs() | set(store.active_runs())
    runs = index.ended()
    by_pipeline: defaultdict[str, list[EndedRun]] = defaultdict(list)
    for run in runs:
        if run.id not in kept:
            by_pipeline[run.pipeline].append(run)
    gone: set[str] = set()
    for pipeline, found in by_pipeline.items():
        gone |= _beyond(found, limits.of(pipeline), store, now)
    return gone - _continued(runs, gone, index.resumed_now())


def _beyond(runs: Sequence[EndedRun], limits: Retention, store: Store, now: float) -> set[str]:
    """Those of ``runs``, newest first, that are beyond ``limits``."""
    gone = set()
    if limits.keep_runs is not None:
        gone = {run.id for run in runs[limits.keep_runs :]}
    if limits.keep_days is not None:
        gone |= {run.id for run in runs if run.ended < now - limits.keep_days * DAY}
    if limits.keep_size is not None:
        sizes, full = RunSizes(store), False
        for run in runs:
            if run.id not in gone:
                full = full or sizes.add(run.id) > limits.keep_size
                if full:
                    gone.add(run.id)
    return gone


def _continued(runs: Sequence[EndedRun], gone: set[str], resumed: set[str]) -> set[str]:
    """The runs that others continue which stay, and those that these continue in turn."""
    continues = {run.id: run.resumed_from for run in runs if run.resumed_from}
    wanted = [*resumed, *(before for run, before in continues.items() if run not in gone)]
    found: set[str] = set()
    while wanted:
        run = wanted.pop()
        if run and run not in found:
            found.add(run)
            wanted.append(continues.get(run, ""))
    return found


def _pipeline(settings: Settings, notebook: Path | str) -> str:
    """What the pipeline is called. Raises :class:`RequestError` where there is no such notebook, and nothing of one."""
    from jupyter_pipelines.orchestration.versions.identity import known_pipeline

    return known_pipeline(Store(settings.store), notebook)


def _read(found: object, where: Path) -> Retention:
    if found is None:
        return Retention()
    try:
        if not isinstance(found, Mapping):
            raise TypeError
        return Retention(**{field.name: _number(found.get(field.name)) for field in fields(Retention)})  # type: ignore[arg-type]  # checked
    except (TypeError, RequestError):
        raise _unreadable(where) from None


def _unreadable(where: Path) -> RequestError:
    return RequestError(
        f"The limits in {where} cannot be read, so nothing is removed.",
        "Mend the file, or remove it and set them again with `jupyter pipelines retention`.",
    )


def _number(value: object) -> int | float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise TypeError
