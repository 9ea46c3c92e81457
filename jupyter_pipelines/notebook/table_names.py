"""Names of tables and columns as SQL has them: how they are written, and when two are one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\s".]+))\s*')
_COLUMN = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\s",]+))\s*')
MAIN = "main"  # the schema of a name that has none


def quoted(name: str) -> str:
    """``name`` as an identifier that SQL takes as it is, whatever is in it."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def text_literal(text: str) -> str:
    """``text`` as SQL has it: in quotes, those inside doubled, which is all that DuckDB and PostgreSQL read in one."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def shown(name: str) -> str:
    """``name`` as people write it: quoted only where it has to be."""
    return name if _PLAIN.fullmatch(name) else quoted(name)


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """``wanted``, or as much longer a name as it takes to be none of ``taken``."""
    known = {name.casefold() for name in taken}
    while wanted.casefold() in known:
        wanted += "_"
    return wanted


@dataclass(frozen=True, slots=True, eq=False)
class TableName:
    """A table or view. ``schema`` is empty where the author gave none, which is ``main``; case does not count."""

    schema: str
    table: str
    catalog: str = ""  # of a database that is attached by that name
    key: tuple[str, str, str] = field(init=False, repr=False)  # equal for two names of one table

    def __post_init__(self) -> None:
        key = self.catalog.casefold(), (self.schema or MAIN).casefold(), self.table.casefold()
        object.__setattr__(self, "key", key)

    @property
    def sql(self) -> str:
        """The name as SQL takes it, every part quoted."""
        return ".".join(quoted(part) for part in (self.catalog, self.schema, self.table) if part)

    def __str__(self) -> str:
        return ".".join(shown(part) for part in (self.catalog, self.schema, self.table) if part)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableName) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __lt__(self, other: TableName) -> bool:
        return self.key < other.key


def is_external(name: TableName, sources: Collection[str]) -> bool:
    """Whether a table is one of the external ``sources``: ``source.table``, or ``source.schema.table``."""
    return (name.catalog or name.schema).casefold() in {source.casefold() for source in sources}


def read_parts(text: str) -> tuple[str, ...] | None:
    """The parts of a dotted name, ``"quoted"`` ones included; ``None`` when it is no such name."""
    parts, at = [], 0
    while True:
        match = _PART.match(text, at)
        if match is None:
            return None
        parts.append(match[1].replace('""', '"') if match[1] else match[2])
        at = match.end()
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            return None
        at += 1


def read_table_name(text: str) -> TableName | None:
    """``orders``, ``mart.orders``, ``lake.mart."Big Orders"``; ``None`` for what is no name of a table."""
    parts = read_parts(text)
    if parts is None or len(parts) > 3:
        return None
    catalog, schema, table = ("", "", *parts)[-3:]
    return TableName(schema, table, catalog)


def read_columns(text: str) -> tuple[str, ...] | None:
    """Names of columns with commas between them; ``None`` when it is no such list."""
    names, at = [], 0
    while True:
        match = _COLUMN.match(text, at)
        if match is None:
            return None
        names.append(match[1].replace('""', '"') if match[1] else match[2])
        at = match.end()
        if at == len(text):
            return tuple(names)
        if text[at] != ",":
            return None
        at += 1
