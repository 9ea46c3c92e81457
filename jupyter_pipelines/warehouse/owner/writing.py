"""What statements do to a warehouse: whether they write, which tables, and which files beside it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from jupyter_pipelines.graph.sql import read_statements
from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.engine import Statement

_WRITING: Final = {
    "ALTER",
    "COPY",
    "CREATE",
    "CREATE_FUNC",
    "DELETE",
    "DROP",
    "INSERT",
    "MERGE_INTO",
    "MULTI",
    "UPDATE",
}
_CHANGE_WITHIN: Final = re.compile(r"\b(insert\s+into|update|delete\s+from|merge\s+into|nextval)\b", re.IGNORECASE)
_TO_FILE: Final = re.compile(r"(\bto\s+')((?:[^']|'')+)(')", re.IGNORECASE)
_BEGINS: Final = re.compile(r"^(?:\s|--[^\n]*\n|/\*.*?\*/)*(begin|start)\b", re.IGNORECASE | re.DOTALL)


def writes(statement: Statement) -> bool:
    """Whether a statement changes the warehouse, or may."""
    return statement.kind in _WRITING or (
        statement.kind == "SELECT" and _CHANGE_WITHIN.search(statement.text) is not None
    )


def begins_transaction(statement: Statement) -> bool:
    """Whether a statement of the kind ``TRANSACTION`` is a BEGIN, rather than a COMMIT or a ROLLBACK."""
    return _BEGINS.match(statement.text) is not None


@lru_cache(maxsize=2048)
def written_tables(text: str) -> frozenset[TableName] | None:
    """The tables that a statement writes; ``None`` when that cannot be said."""
    found = read_statements(text)
    if any(statement.problem or (statement.anything and not statement.only_reads) for statement in found):
        return None
    return frozenset(name for statement in found for name in statement.writes)


def with_absolute_target(text: str, directory: str) -> str:
    """``COPY … TO 'file'`` with the file where its author means it: in ``directory``, not where the owner is."""

    def absolute(found: re.Match[str]) -> str:
        before, path, after = found.groups()
        return found.group() if "://" in path else f"{before}{Path(directory, path)}{after}"

    return _TO_FILE.sub(absolute, text)
