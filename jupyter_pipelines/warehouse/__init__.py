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

    Raises :class:`~jupyter_pipelines.errors.WarehouseError` when it cannot be opened.
    """
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.warehouse.engine import EngineSession

    return EngineSession.open((settings or Settings.load()).warehouse)
