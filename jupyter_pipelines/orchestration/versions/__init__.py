"""Versions: a notebook, its files and its environment frozen together; which one is published; how far one has drifted.

The log of a pipeline's versions only grows. What a version froze is kept in the store by content, so that publishing
the same again costs nothing and gives the same version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.orchestration.versions.comparison import VersionDiff, diff
    from jupyter_pipelines.orchestration.versions.drifting import Drift, drift
    from jupyter_pipelines.orchestration.versions.folders import unpack
    from jupyter_pipelines.orchestration.versions.health import check_version, load_version
    from jupyter_pipelines.orchestration.versions.model import Version
    from jupyter_pipelines.orchestration.versions.publishing import (
        get_version,
        history,
        pin,
        publish,
        rollback,
        unpin,
        versions,
    )

__all__ = [
    "Drift",
    "Version",
    "VersionDiff",
    "check_version",
    "diff",
    "drift",
    "get_version",
    "history",
    "load_version",
    "pin",
    "publish",
    "rollback",
    "unpack",
    "unpin",
    "versions",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("VersionDiff", "diff"), f"{__name__}.comparison"),
        **dict.fromkeys(("Drift", "drift"), f"{__name__}.drifting"),
        "unpack": f"{__name__}.folders",
        **dict.fromkeys(("check_version", "load_version"), f"{__name__}.health"),
        "Version": f"{__name__}.model",
        **dict.fromkeys(
            ("get_version", "history", "pin", "publish", "rollback", "unpin", "versions"), f"{__name__}.publishing"
        ),
    },
)
