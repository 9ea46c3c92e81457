"""The warehouse: one DuckDB file that many processes read and write at once, and what is built and checked in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.engine import EngineSession
    from jupyter_pipelines.warehouse.session import Session

__all__ = ["EngineSession", "Session", "open_session"]

__getattr__ = lazy_names(__name__, {"EngineSession": f"{__name__}.engine", "Session": f"{__name__}.session"})


def open_session(settings: Settings | None = None) -> Session:
    """A session with the warehouse of ``settings`` (of the environment by default).

    It is opened at its first statement, which raises :class:`~jupyter_pipelines.errors.WarehouseError` when that
    cannot be.
    """
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession

    return RemoteSession(WarehouseFiles.of((settings or Settings.load()).warehouse))
