"""Which sources there are: ``sources.toml``, read and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from jupyter_pipelines.errors import PipelinesError, RequestError
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.typed import typed
from jupyter_pipelines.warehouse.sources.model import (
    SECRET_FIELDS,
    ConnectedSource,
    Source,
    SourceSummary,
    SourceType,
)
from jupyter_pipelines.warehouse.sources.secrets import FORMS, find_secret, is_reference

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.catalog import Column

FORMATS: Final = ("parquet", "csv", "json")
_FIELDS: Final[Mapping[str, Mapping[str, type]]] = {
    "postgres": {"host": str, "port": int, "database": str, "user": str, "password": str, "sslmode": str},
    "files": {
        "url": str,
        "format": str,
        "tables": dict,
        "endpoint": str,
        "region": str,
        "key": str,
        "secret": str,
        "session_token": str,
        "token": str,
    },
}
_NEEDED: Final = {"postgres": "database", "files": "url"}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_TAKEN: Final = frozenset({"main", "temp", "system", "memory", "information_schema", "pg_catalog", "warehouse"})


@typed
def sources(settings: Settings | None = None) -> Sources:
    """The external sources of this project home, or those in the file that ``JUPYTER_PIPELINES_SOURCES`` names."""
    return Sources((settings or Settings.load()).sources)


class Sources:
    """The sources in the file at ``path``, which need not be there; it is read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state: tuple[int, int] | None = None
        self._tables: dict[str, Any] = {}

    def names(self) -> tuple[str, ...]:
        """What they are called. Raises :class:`RequestError` for a file that is no TOML."""
        self._look()
        return tuple(self._tables)

    def get(self, name: str) -> Source:
        """One as it is declared. Raises :class:`RequestError` for what it cannot be, or when there is none."""
        for known in self.names():
            if known.casefold() == name.casefold():
                return _checked(known, self._tables[known], self.path)
        near = get_close_matches(name, self.names(), 1)
        fix = f"Did you mean {near[0]}?" if near else f"Declare it in {self.path}: a table [{name}]."
        raise RequestError(f"There is no source {name}.", fix)

    def described(self) -> tuple[SourceSummary, ...]:
        """All of them for people; none is asked. Raises :class:`RequestError` for a file that is no TOML."""
        return tuple(self._described(name) for name in self.names())

    def _described(self, name: str) -> SourceSummary:
        try:
            source = self.get(name)
        except RequestError as error:
            return SourceSummary(name, "", "", str(error))
        return SourceSummary(source.name, source.type, source.place, "")

    def connect(self, name: str) -> ConnectedSource:
        """One with its secrets. Raises :class:`RequestError` when one of them is not to be had."""
        source = self.get(name)
        values = {
            field: find_secret(str(value), f"the source {source.name}") if is_reference(value) else value
            for field, value in source.values.items()
        }
        return ConnectedSource(source.name, source.type, values)

    def tables(self, name: str) -> tuple[str, ...]:
        """What can be read of one, as SQL names it; asks it. Raises :class:`RequestError` when it does not answer."""
        from jupyter_pipelines.warehouse.sources.looking import list_tables

        return list_tables(self.connect(name))

    def columns(self, name: str, table: str) -> tuple[Column, ...]:
        """Those of a table of one, which :meth:`tables` names; asks it. Raises :class:`RequestError`."""
        from jupyter_pipelines.warehouse.sources.looking import list_columns

        return list_columns(self.connect(name), table)

    def needed(self, sql: str) -> dict[str, ConnectedSource]:
        """Those that a text may name, with their secrets. Raises :class:`RequestError`."""
        return {name: self.connect(name) for name in self.names() if _mentions(sql, name)}

    def known_secrets(self) -> tuple[str, ...]:
        """The secrets in the environment of this process, to be kept out of what it writes. Never raises."""
        found = []
        for name in self._names_if_any():
            try:
                for field, value in self.get(name).values.items():
                    if field in SECRET_FIELDS and str(value).startswith("env:"):
                        found.append(find_secret(str(value), f"the source {name}"))
            except PipelinesError:
                continue
        return tuple(found)

    def _names_if_any(self) -> tuple[str, ...]:
        try:
            return self.names()
        except PipelinesError:
            return ()

    def known_names(self) -> frozenset[str]:
        """What they are called; none when the file cannot be read."""
        return frozenset(self._names_if_any())

    def _look(self) -> None:
        try:
            found = self.path.stat()
        except OSError:
            self._state, self._tables = None, {}
            return
        state = found.st_mtime_ns, found.st_size
        if state == self._state:
            return
        try:
            self._tables = tomllib.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            self._state, self._tables = None, {}
            raise RequestError(f"{self.path} cannot be read: {error}.", "Correct it, or move it away.") from None
        self._state = state


def _mentions(sql: str, name: str) -> bool:
    """As the first part of a name, or as that of a schema."""
    name = re.escape(name)
    schema = rf'\bschema\s+(?:if\s+(?:not\s+)?exists\s+)?"?{name}\b'
    return re.search(rf'(?<![\w.])"?{name}"?\s*\.|{schema}', sql, re.IGNORECASE) is not None


def _checked(name: str, table: Any, path: Path) -> Source:
    """A source of the file. No error shows a value: it might be a secret that stands where none may."""
    if not isinstance(table, dict):
        raise RequestError(f"{name} in {path} is no source.", f"Write a table: [{name}], and below it its fields.")
    if _NAME.fullmatch(name) is None or name.casefold() in _TAKEN:
        fix = "Choose another one: letters, digits and _, beginning with a letter."
        raise RequestError(f"A source cannot be called {name!r}, as in {path}.", fix)
    kind: SourceType = table.get("type", "")
    if kind not in _FIELDS:
        raise RequestError(
            f"The source {name} in {path} has no type that is known.", 'Write type = "postgres" or "files".'
        )
    fields = _FIELDS[kind]
    values = {field: value for field, value in table.items() if field != "type"}
    for field, value in values.items():
        if field not in fields:
            near = get_close_matches(field, fields, 1)
            fix = f"Did you mean {near[0]}?" if near else f"Use {', '.join(fields)}."
            raise RequestError(f"The source {name} in {path} has a field {field}, which {kind} has not.", fix)
        if field in SECRET_FIELDS and not is_reference(value):
            fix = f"Write where it is kept instead: {field} = {FORMS}. Change it, too, if others could read the file."
            raise RequestError(f"The {field} of the source {name} is written in {path}.", fix)
        if not isinstance(value, fields[field]) and not is_reference(value):
            raise RequestError(f"{field} of the source {name} in {path} is no {_WORDS[fields[field]]}.")
    if not values.get(_NEEDED[kind]):
        raise RequestError(f"The source {name} in {path} has no {_NEEDED[kind]}.", "Add it.")
    if kind == "files":
        _check_files(name, values, path)
    return Source(name, kind, values)


def _check_files(name: str, values: Mapping[str, Any], path: Path) -> None:
    url = str(values["url"])
    parts = urlsplit(url)
    if "@" in parts.netloc:
        fix = f"Leave it out of the address, and add token = {FORMS}."
        raise RequestError(f"The address of the source {name} in {path} holds a user, or a password.", fix)
    if "?" in url and parts.scheme in {"http", "https"}:
        fix = f"Leave out all from the ? on; what lets one in is token = {FORMS}."
        raise RequestError(f"The address of the source {name} in {path} holds more than where the files are.", fix)
    if not parts.scheme and not url.startswith(("/", "~")) and not is_reference(url):
        raise RequestError(f"The url of the source {name} in {path} is no whole path.", "Write it from / on, or a URL.")
    if values.get("format", "csv") not in FORMATS:
        raise RequestError(f"The format of the source {name} in {path} is not known.", f"Use {', '.join(FORMATS)}.")
    if not all(isinstance(one, str) for one in values.get("tables", {}).values()):
        raise RequestError(
            f"tables of the source {name} in {path} is not understood.", 'Write table = "path/to/*.csv".'
        )


_WORDS: Final = {str: "text", int: "number", dict: "table"}
