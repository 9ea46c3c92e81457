"""DuckDB's extensions: each belongs to exactly one version of DuckDB, and is nothing that can be downloaded everywhere.

So they come as packages (``pip install jupyter_pipelines[ducklake]``), or as somebody has installed them in DuckDB.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from jupyter_pipelines.errors import WarehouseError
from jupyter_pipelines.notebook.table_names import text_literal

TESTED: Final = "1.5.5"
"""The version of DuckDB that the extra ``ducklake`` brings, with extensions of the same."""


def load(connection: Any, *names: str) -> None:
    """Load extensions by name. Raises :class:`WarehouseError`, which says what to install."""
    import duckdb

    for name in names:
        packaged = _packaged(name, duckdb.__version__)
        try:
            connection.execute(f"LOAD {name if packaged is None else text_literal(str(packaged))}")
        except duckdb.Error as error:
            said = "" if packaged is None else f" It says: {str(error).splitlines()[0]}"
            raise WarehouseError(
                f"A lake needs DuckDB's extension `{name}`, and there is none for DuckDB {duckdb.__version__}, which "
                f"is installed here.{said}",
                f"pip install 'jupyter_pipelines[ducklake]', which brings DuckDB {TESTED} and its extensions; or "
                "unset JUPYTER_PIPELINES_WAREHOUSE: a DuckDB file needs none.",
            ) from None


def _packaged(name: str, version: str) -> Path | None:
    """The extension's file in its package, if that is for this ``version`` of DuckDB."""
    spec = find_spec(f"duckdb_extension_{name}")
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder, "extensions", f"v{version}", f"{name}.duckdb_extension")
        if path.exists():
            return path
    return None
