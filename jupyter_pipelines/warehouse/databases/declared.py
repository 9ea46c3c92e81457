"""How a lake is described: by the name of its catalog, or by a file in TOML when it is not on this machine alone.

>>> data = "s3://bucket/warehouse"     # or a folder; with endpoint, region, key, secret, session_token
>>> [catalog]                          # left out: a file beside this one
>>> host = "db.example.com"            # PostgreSQL; port, database, user, password, sslmode
>>> database = "lake"
>>> password = "env:LAKE_PASSWORD"

Secrets are named as those of external sources are, and are found by the process that opens the lake.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.settings import LAKE_SUFFIXES
from jupyter_pipelines.warehouse.sources.model import SECRET_FIELDS
from jupyter_pipelines.warehouse.sources.secrets import FORMS, find_secret, is_reference

CATALOG, DESCRIBED = LAKE_SUFFIXES
_DATA: Final = ("endpoint", "region", "key", "secret", "session_token")
_POSTGRES: Final = ("host", "port", "database", "user", "password", "sslmode")
OBJECT_STORAGE: Final = "s3://"


def is_lake(path: Path | str) -> bool:
    """Whether the warehouse that is called by the file ``path`` is a lake."""
    return Path(path).suffix in LAKE_SUFFIXES


@dataclass(frozen=True)
class Description:
    """Where a lake is. ``catalog`` is its catalog's file, unless it is in the PostgreSQL database ``postgres``.

    Values that are secret are what they are called, such as ``env:NAME``.
    """

    path: Path
    catalog: Path | None
    data: str
    postgres: Mapping[str, str] = field(default_factory=dict)
    storage: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Description:
        """The lake that is called by ``path``. Raises :class:`RequestError` for a description that is none."""
        if path.suffix == CATALOG:
            return cls(path, path, f"{path}.files")
        try:
            told = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            fix = f'Write it: data = "s3://…", or set JUPYTER_PIPELINES_WAREHOUSE to a file *{CATALOG}.'
            raise RequestError(f"There is no {path}, which is to describe the warehouse.", fix) from None
        except (OSError, ValueError) as error:
            raise RequestError(f"{path}, which describes the warehouse, cannot be read: {error}.") from None
        catalog = told.pop("catalog", {})
        if not isinstance(catalog, dict):
            raise RequestError(f"catalog in {path} is no table.", "Write [catalog], and below it its fields.")
        storage = _checked(told, (*_DATA, "data"), path)
        postgres = _checked(catalog, _POSTGRES, path)
        data = storage.pop("data", "")
        if postgres and not postgres.get("database"):
            raise RequestError(f"The catalog in {path} names no database.", 'Add database = "…".')
        if not data:
            raise RequestError(f"{path} does not say where the data is.", 'Add data = "s3://…", or a folder.')
        if not data.startswith(OBJECT_STORAGE):
            if "://" in data or storage:
                what = f"The data in {path} lies where a lake of ours cannot be, or has fields that a folder has not."
                raise RequestError(what, f'Write data = "{OBJECT_STORAGE}bucket/folder", or only a folder.')
            data = os.path.join(path.parent, os.path.expanduser(data))
        return cls(path, None if postgres else path.with_suffix(CATALOG), data, postgres, storage)

    def with_secrets(self, values: Mapping[str, str]) -> dict[str, str]:
        """``values`` with the secrets that they name. Raises :class:`RequestError` when one is not to be had."""
        return {
            name: find_secret(value, "the warehouse") if is_reference(value) else value
            for name, value in values.items()
        }


def known_secrets(path: Path) -> tuple[str, ...]:
    """The secrets of a lake in the environment of this process, to be kept out of what it writes. Never raises."""
    if path.suffix != DESCRIBED:
        return ()
    try:
        found = Description.read(path)
        told = {**found.storage, **found.postgres}
        in_environment = {name: value for name, value in told.items() if value.startswith("env:")}
        return tuple(value for name, value in found.with_secrets(in_environment).items() if name in SECRET_FIELDS)
    except RequestError:
        return ()


def _checked(told: Mapping[str, Any], fields: tuple[str, ...], path: Path) -> dict[str, str]:
    """The values of a table. No error shows one: it might be a secret that stands where none may."""
    for name, value in told.items():
        if name not in fields:
            near = get_close_matches(name, fields, 1)
            fix = f"Did you mean {near[0]}?" if near else f"Use {', '.join(sorted(fields))}."
            raise RequestError(f"{path}, which describes the warehouse, has a field {name} that is not known.", fix)
        if name in SECRET_FIELDS and not is_reference(value):
            fix = f"Write where it is kept instead: {name} = {FORMS}. Change it, too, if others could read the file."
            raise RequestError(f"The {name} of the warehouse is written in {path}.", fix)
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise RequestError(f"{name} in {path} is no text.", f'Write {name} = "…".')
    return {name: str(value) for name, value in told.items()}
