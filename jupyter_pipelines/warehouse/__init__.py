"""The warehouse: one DuckDB file that many processes read and write at once, and what is built and checked in it."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.engine import EngineSession
    from jupyter_pipelines.warehouse.session import Session
    from jupyter_pipelines.warehouse.warehouse import Warehouse

__all__ = ["EngineSession", "Session", "Warehouse", "open_session"]

__getattr__ = lazy_names(
    __name__,
    {"EngineSession": f"{__name__}.engine", "Session": f"{__name__}.session", "Warehouse": f"{__name__}.warehouse"},
)


def open_session(settings: Settings | None = None) -> Session:
    """A session with the warehouse of ``settings`` (of the environment by default).

    It is opened at its first statement, which raises :class:`~jupyter_pipelines.errors.WarehouseError` when that
    cannot be.
    """
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession
    from jupyter_pipelines.warehouse.sources.declared import Sources

    settings = settings or Settings.load()
    return RemoteSession(WarehouseFiles.of(settings.warehouse), Sources(settings.sources))


class _Package(ModuleType):
    """``jp.warehouse()`` works whether or not this package, which has the same name, was imported before."""

    def __call__(self, *arguments: Any) -> Any:
        return import_module(f"{__name__}.warehouse").warehouse(*arguments)


sys.modules[__name__].__class__ = _Package
