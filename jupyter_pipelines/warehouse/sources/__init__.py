"""External sources: databases and files that others keep, read by name in SQL, and never written.

What there is stands in ``sources.toml``, a table per source; secrets are named there, never written. A statement that
names a source gets what it reads of it as temporary views and tables of its own session, which are gone when it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.sources.declared import Sources, sources
    from jupyter_pipelines.warehouse.sources.model import ConnectedSource, Source

__all__ = ["ConnectedSource", "Source", "Sources", "sources"]

__getattr__ = lazy_names(
    __name__,
    {
        "ConnectedSource": f"{__name__}.model",
        "Source": f"{__name__}.model",
        "Sources": f"{__name__}.declared",
        "sources": f"{__name__}.declared",
    },
)
