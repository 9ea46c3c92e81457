"""Limits: how many runs of a pipeline, and how many steps that need one resource, go on at once.

They hold for all runs of a project home, whatever started them. A slot is a lock that the system takes back when the
run's process ends, in whatever way: none is ever leaked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.limits.setting import Limit, limit, limits

__all__ = ["Limit", "limit", "limits"]

__getattr__ = lazy_names(__name__, dict.fromkeys(__all__, f"{__name__}.setting"))
