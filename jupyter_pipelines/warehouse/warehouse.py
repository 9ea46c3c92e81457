"""The warehouse as an object: ask it, look what is in it, give its file back, copy it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jupyter_pipelines.errors import RequestError, WarehouseError
from jupyter_pipelines.notebook.sql_magic import FrameForm
from jupyter_pipelines.notebook.table_names import TableName, read_table_name
from jupyter_pipelines.typed import typed
from jupyter_pipelines.warehouse.catalog import Table, TableDetails, describe_table, list_tables
from jupyter_pipelines.warehouse.databases import is_lake
from jupyter_pipelines.warehouse.frames import frame_as
from jupyter_pipelines.warehouse.owner.copying import remove_database
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.start import ensure_owner, running_owner

if TYPE_CHECKING:
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession
    from jupyter_pipelines.warehouse.versions import Version

_STORAGE: Final = re.compile(r"v\d+\.\d+\.\d+|latest")
RELEASE_SECONDS: Final = 60.0  # for an owner to write its log into the file, and to end


def warehouse(settings: Settings | None = None) -> Warehouse:
    """The warehouse of this project home, or the one that ``JUPYTER_PIPELINES_WAREHOUSE`` names.

    >>> orders = jp.warehouse().sql("select * from mart.orders where day = $day", day=date(2024, 1, 31))
    >>> jp.warehouse().release()  # from now on `duckdb.connect(jp.warehouse().path)` works
    """
    from jupyter_pipelines.settings import Settings

    return Warehouse((settings or Settings.load()).warehouse)


class Warehouse:
    """One DuckDB file, or one lake, which many processes use at once through the process that has it: its owner.

    Nothing is started, and no file made, before something is asked.
    """

    def __init__(self, path: Path | str) -> None:
        self._files = WarehouseFiles.of(Path(path))

    @property
    def path(self) -> Path:
        """The file; of a lake its catalog, or what describes it."""
        return self._files.path

    @property
    def bytes(self) -> int:
        """What it takes on this machine's disk: the file; of a lake its catalog and its folder, if they are here."""
        beside = Path(f"{self.path}.files").rglob("*") if self.keeps_versions else ()
        files = [self.path, *(file for file in beside if file.is_file())]
        return sum(file.stat().st_size for file in files if file.exists())

    def __repr__(self) -> str:
        return f"Warehouse({str(self.path)!r})"

    @typed
    def sql(self, query: str, /, *, form: FrameForm = "arrow", **parameters: object) -> Any:
        """What ``query`` gives, as an Arrow table, or as a pandas or polars frame.

        ``parameters`` are the values of ``$name`` in it. Raises :class:`SqlError`, :class:`WarehouseError`.
        """
        if form not in {"arrow", "pandas", "polars"}:
            raise RequestError(f"There is no form {form!r}.", "Choose arrow, pandas or polars.")
        with self._session() as session:
            table = session.query(query, parameters)
        return table.to_pandas() if form == "pandas" else frame_as(table, form)

    def tables(self) -> tuple[Table, ...]:
        """All tables and views, by schema and name."""
        with self._session() as session:
            return list_tables(session)

    @typed
    def table(self, name: TableName | str, *, rows: int = 20) -> TableDetails:
        """One table or view, as `schema.table`: its columns, and its first ``rows``."""
        wanted = read_table_name(name) if isinstance(name, str) else name
        if wanted is None:
            raise RequestError(f"{name!r} is no name of a table.", "Write schema.table, such as mart.orders.")
        with self._session() as session:
            return describe_table(session, wanted, rows=rows)

    def as_built(self, name: str, runs: Collection[str], *, form: FrameForm = "arrow") -> Any:
        """All rows of a table whose last build one of ``runs`` (ids) has made; the form is as for :meth:`sql`.

        Raises :class:`RequestError` when the table was built again since, or is gone.
        """
        from jupyter_pipelines.warehouse.recording import last_build

        wanted = read_table_name(name)
        if wanted is None:
            raise RequestError(f"{name!r} is no name of a table.", "Write schema.table, such as mart.orders.")
        with self._session() as session:
            table = describe_table(session, wanted, rows=0).table
            with session.transaction(writes=()):  # in which nobody builds it again
                builder = last_build(session, name)
                if builder not in runs:
                    by = f"run {builder[:8]} has built it" if builder else "it was built by hand"
                    raise RequestError(
                        f"{name} is not what it was: {by} since.",
                        f'jp.warehouse().sql("from {name}") reads it as it is now.',
                    )
                found = session.query(f"FROM {TableName(table.schema, table.name).sql}")
        return found.to_pandas() if form == "pandas" else frame_as(found, form)

    def owner(self) -> dict[str, Any] | None:
        """The process that has the file: its ``pid``, since when, and its ``sessions``; ``None`` when none has."""
        from jupyter_pipelines.warehouse.owner.line import OwnerGoneError, ask

        endpoint = running_owner(self._files)
        if endpoint is None:
            return None
        try:
            return {**ask(endpoint, "status"), "since": endpoint.since}
        except OwnerGoneError:
            return None

    def release(self, *, force: bool = False) -> bool:
        """Have the file closed, so that another program can open it; says whether it was open.

        Whoever uses the warehouse next has it opened again. Raises :class:`WarehouseError` when somebody is at work
        with it; with ``force`` that is stopped, and rolled back.
        """
        from jupyter_pipelines.warehouse.owner.line import OwnerGoneError, ask

        endpoint = running_owner(self._files)
        if endpoint is None:
            return False
        with contextlib.suppress(OwnerGoneError):  # it ends by itself
            ask(endpoint, "release", force=force)
        deadline = time.monotonic() + RELEASE_SECONDS
        while self._files.is_owned_by(endpoint):
            if time.monotonic() > deadline:
                raise WarehouseError(
                    f"The owner of the warehouse {self.path}, process {endpoint.pid}, does not end.",
                    f"See its log, {self._files.log}; then end that process.",
                )
            time.sleep(0.01)
        return True

    @typed
    def copy_to(
        self,
        path: Path | str,
        *,
        only: Collection[TableName | str] | None = None,
        version: int | None = None,
        storage: str = "",
    ) -> Path:
        """Write a copy, as it is at this moment, for `duckdb.connect(path, read_only=True)`; returns its path.

        A file that is there already is replaced when the copy is whole. ``only``: tables and views; all others may be
        empty in the copy, for one that is soon made of a large warehouse. ``version``: an earlier one of a lake.
        ``storage``: the version of DuckDB that is to be able to read the file, such as "v1.5.0". A path ``*.ducklake``
        makes a lake, which is never replaced. Raises :class:`WarehouseError`, :class:`RequestError`.
        """
        from jupyter_pipelines.warehouse.owner.line import ask

        target = Path(os.path.expanduser(path)).absolute()
        if version is not None:
            self._require_versions()
        if WarehouseFiles.of(target).path == self.path:
            raise RequestError("A warehouse cannot be copied onto itself.", "Choose another path.")
        if not target.parent.is_dir():
            raise RequestError(f"There is no folder {target.parent}.", "Make it, or choose another path.")
        if storage and (is_lake(target) or not _STORAGE.fullmatch(storage)):
            raise RequestError(f"There is no storage {storage!r} of {target.name}.", "Write v1.5.0, for a DuckDB file.")
        if is_lake(target) and target.exists():  # its folder cannot be put in the place of another one's at once
            raise RequestError(f"{target} is there already.", "Remove it and its folder, or choose another path.")
        made = target if is_lake(target) else target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        names = None if only is None else [str(name) for name in only]
        is_whole = False
        try:
            ask(ensure_owner(self._files), "copy", path=str(made), only=names, version=version, storage=storage)
            made.replace(target)
            is_whole = True
        except OSError as error:
            raise WarehouseError(
                f"{target} cannot be written: {error.strerror}.", "Choose a folder that you may write."
            ) from None
        finally:
            if not is_whole:
                remove_database(made)
        return target

    def versions(self) -> tuple[Version, ...]:
        """All versions that a lake keeps, the last one first; ``at (version => 12)`` behind a table reads it so.

        Raises :class:`RequestError` where none are kept.
        """
        from jupyter_pipelines.warehouse.versions import list_versions

        self._require_versions()
        with self._session() as session:
            return list_versions(session)

    @typed
    def expire(self, before: float, pinned: Collection[int]) -> tuple[int, ...]:
        """Have a lake forget for good versions made before a time, and remove the files that only they have.

        Kept are those in ``pinned``, what runs on record have made, and the last one. Gives the numbers of those that
        went. :func:`jupyter_pipelines.expire_versions` knows what is pinned. Raises :class:`RequestError`.
        """
        from jupyter_pipelines.warehouse.owner.line import ask
        from jupyter_pipelines.warehouse.versions import expirable

        self._require_versions()
        with self._session() as session:
            found = expirable(session, before, pinned)
        ask(ensure_owner(self._files), "expire", versions=found)
        return found

    @property
    def keeps_versions(self) -> bool:
        """Whether it is a lake, which keeps every version of its tables."""
        return is_lake(self.path)

    def _require_versions(self) -> None:
        if not self.keeps_versions:
            raise RequestError(
                f"The warehouse {self.path} is a DuckDB file, and keeps its tables as they are now only.",
                "A lake keeps versions: JUPYTER_PIPELINES_WAREHOUSE=FILE.ducklake.",
            )

    @typed
    def restore(self, backfill: str, table: str = "") -> tuple[str, ...]:
        """Bring back what a backfill (its id, or that of one of its runs) has overwritten, in ``table`` or wherever.

        Gives the tables, as SQL names them. Raises :class:`RequestError` when nothing is kept.
        """
        from jupyter_pipelines.warehouse.building.restoring import restore

        with self._session() as session:
            return restore(session, backfill, table)

    @contextlib.contextmanager
    def _session(self) -> Iterator[RemoteSession]:
        from jupyter_pipelines.warehouse.owner.remote import RemoteSession

        session = RemoteSession(self._files)
        try:
            yield session
        finally:
            session.close()
