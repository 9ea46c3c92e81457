"""Each rule as a query of the rows that break it. NULL breaks a rule only where the rule is about NULL, as in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from jupyter_pipelines.notebook.check_magic import CheckLine, Rule
from jupyter_pipelines.notebook.table_names import free_name, quoted

_SECONDS: Final = {
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
    "week": 7 * 86400.0,
    "month": 30.436875 * 86400.0,
    "year": 365.2425 * 86400.0,
}


@dataclass(frozen=True, slots=True)
class Violations:
    """``rows`` is a query of what breaks the rule; ``count`` what of it is counted, ``value`` a number to keep.

    Where another query is counted in less time, it is ``counted``.
    """

    rows: str
    count: str = "count(*)"
    value: str = "NULL"
    counted: str = ""


def violations_of(table: str, line: CheckLine, rule: Rule) -> Violations | None:
    """The query for ``rule`` about ``table`` (as SQL names it); ``None`` for rules that no query of rows answers."""
    if rule.kind in {"columns", "type", "drift"}:
        return None
    if rule.kind == "query":
        return Violations(f"SELECT * FROM ({_alone(rule.values[0])}\n)")
    if line.subject.lower() == "rows" and not line.columns:
        number = f"SELECT count(*) AS n FROM {table}"
        return Violations(f"SELECT n FROM ({number}) WHERE NOT ({_condition('n', rule)})", value=f"({number})")
    if rule.kind == "unique":
        columns = ", ".join(map(quoted, line.columns))
        known = " AND ".join(f"{quoted(one)} IS NOT NULL" for one in line.columns)
        n = quoted(free_name("n", line.columns))
        rows = f"SELECT {columns}, count(*) AS {n} FROM {table} WHERE {known} GROUP BY {columns} HAVING count(*) > 1"
        if len(line.columns) == 1:
            values = f"SELECT {columns} AS value FROM {table}"
            return Violations(rows, count="count(value) - count(DISTINCT value)", counted=values)
        return Violations(rows, count=f"coalesce(sum({n} - 1), 0)::BIGINT")
    if rule.kind == "not null":
        empty = " OR ".join(f"{quoted(one)} IS NULL" for one in line.columns)
        return _where(table, empty)
    column = quoted(line.columns[0])
    if rule.kind == "within":
        oldest = f"now() - to_seconds({float(rule.values[0]) * _SECONDS[rule.values[1]]})"
        latest = f"SELECT max({column}) AS latest FROM {table}"
        return Violations(f"{latest} HAVING latest IS NULL OR latest::TIMESTAMPTZ < {oldest}")
    if rule.kind == "in table":
        assert rule.table is not None
        known = f"SELECT 1 FROM {rule.table.sql} AS r WHERE r.{quoted(rule.column)} = o.{column}"
        return _where(f"{table} AS o", f"o.{column} IS NOT NULL AND NOT EXISTS ({known})")
    return _where(table, f"NOT ({_condition(column, rule)})")


def _where(table: str, condition: str) -> Violations:
    """Rows of a table; what is only counted has no columns: of a thousand, naming them takes longer than the count."""
    return Violations(f"SELECT * FROM {table} WHERE {condition}", counted=f"SELECT 1 FROM {table} WHERE {condition}")


def _alone(query: str) -> str:
    """A query without what follows its last word: it is to stand in parentheses."""
    from jupyter_pipelines.graph.sql import read_statements

    statements = read_statements(query)
    return statements[0].text if len(statements) == 1 else query


def _condition(column: str, rule: Rule) -> str:
    """What must hold of a value."""
    values = rule.values
    match rule.kind:
        case "between":
            return f"{column} BETWEEN {values[0]} AND {values[1]}"
        case "in" | "not in":
            return f"{column} {rule.kind.upper()} ({', '.join(values)})"
        case "matches":
            return f"regexp_matches({column}::VARCHAR, {values[0]})"
        case "like" | "not like":
            return f"{column}::VARCHAR {rule.kind.upper()} {values[0]}"
        case _:
            return f"{column} {values[0]} {values[1]}"
