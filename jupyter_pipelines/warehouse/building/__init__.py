"""Building tables: whole, by key, by time range, as history; always in one transaction.

>>> build(session, BuildSpec(read_table_name("mart.daily"), "incremental", time_column="day"), sql, parameters)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.building.making import build
    from jupyter_pipelines.warehouse.building.model import BuildResult, BuildSpec, TableDifference
    from jupyter_pipelines.warehouse.building.trying import Trial, try_builds

__all__ = ["BuildResult", "BuildSpec", "TableDifference", "Trial", "build", "try_builds"]

__getattr__ = lazy_names(
    __name__,
    {
        "build": f"{__name__}.making",
        **dict.fromkeys(("BuildResult", "BuildSpec", "TableDifference"), f"{__name__}.model"),
        **dict.fromkeys(("Trial", "try_builds"), f"{__name__}.trying"),
    },
)
