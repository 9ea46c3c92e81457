"""What is frozen without being published: a backfill holds the notebook and the files that its runs are of.

``held/NAME.json`` in the store says which version it is, and in which project home it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_pipelines.store.files import read_json, write_json

if TYPE_CHECKING:
    from jupyter_pipelines.store.store import Store


def hold(store: Store, name: str, version: str, home: Path) -> None:
    """Keep what ``version`` is made of until :func:`release`. Raises :class:`StoreError`."""
    write_json(_path(store, name), {"version": version, "home": str(home)})


def release(store: Store, name: str) -> None:
    """Keep it no longer for this."""
    _path(store, name).unlink(missing_ok=True)


def held(store: Store) -> Mapping[str, str]:
    """What is held: versions by what they are held for."""
    return {name: found["version"] for name, found in _holds(store).items()}


def held_for(store: Store, home: Path) -> list[str]:
    """What something is held for in the project home ``home``."""
    return [name for name, found in _holds(store).items() if found["home"] == str(home)]


def _holds(store: Store) -> dict[str, dict[str, str]]:
    found = {path.stem: read_json(path) for path in (store.root / "held").glob("[!.]*.json")}
    return {
        name: one
        for name, one in found.items()
        if isinstance(one, dict) and isinstance(one.get("version"), str) and isinstance(one.get("home"), str)
    }


def _path(store: Store, name: str) -> Path:
    return store.root / "held" / f"{name}.json"
