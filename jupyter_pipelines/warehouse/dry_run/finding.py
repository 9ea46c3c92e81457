"""What was found, in words, with the edit that puts it right where DuckDB knows a name that is nearly the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.graph.edits import Draft
from jupyter_pipelines.graph.fixes import Fix
from jupyter_pipelines.notebook.table_names import shown
from jupyter_pipelines.warehouse.dry_run.asking import bind

if TYPE_CHECKING:
    from jupyter_pipelines.graph.model import Pipeline
    from jupyter_pipelines.notebook.table_names import TableName
    from jupyter_pipelines.warehouse.dry_run.asking import Mistake
    from jupyter_pipelines.warehouse.dry_run.known import KnownTables
    from jupyter_pipelines.warehouse.dry_run.walk import Found

_MOST_NAMED = 8


def finding(found: Found, pipeline: Pipeline, warehouse: KnownTables | None) -> tuple[Diagnostic, tuple[Fix, ...]]:
    """The finding as its author is told it."""
    if found.missing is not None:
        return _missing(found, found.missing, pipeline, warehouse)
    assert found.mistake is not None
    mistake = found.mistake
    if mistake.kind == "syntax":
        return _told(found, "JP360", Severity.ERROR, f"DuckDB: {mistake.said}", "correct the SQL"), ()
    said = mistake.said[:1].lower() + mistake.said[1:]
    severity = Severity.ERROR if found.certain else Severity.WARNING
    message = f"DuckDB: {said}" if found.statement is not None else said
    if mistake.kind == "function":
        message = f"neither DuckDB nor the warehouse has a function `{mistake.name}`"
    elif not found.certain:
        message = f"{message}, as the tables are known here"
    guess, fix = _guess(found, mistake)
    fixes = _replaced(found, pipeline, mistake.name, guess) if guess else ()
    return _told(found, "JP361", severity, message, fix), fixes


def _told(found: Found, code: str, severity: Severity, message: str, fix: str) -> Diagnostic:
    cell = found.cell
    return Diagnostic(code, severity, message, fix, found.place, cell.first_line, cell.step)


def _missing(
    found: Found, name: TableName, pipeline: Pipeline, warehouse: KnownTables | None
) -> tuple[Diagnostic, tuple[Fix, ...]]:
    message = f"the warehouse has no table {name}"
    if found.made_below:
        message += f", and cell {found.made_below}, which makes it, stands below"
        return _told(found, "JP362", Severity.WARNING, message, f"move cell {found.made_below} above this one"), ()
    built = {table for cell in pipeline.document.cells if cell.sql is not None and (table := cell.sql.table)}
    known = {str(table): table for table in (*(warehouse.tables if warehouse is not None else ()), *built)}
    near = get_close_matches(str(name), known, 1, 0.8)
    fix = f"did you mean `{near[0]}`?" if near else "build it before this notebook runs"
    message += ", and no cell above makes it"
    fixes = _rewritten(found, pipeline, str(name), near[0]) if near else ()
    return _told(found, "JP362", Severity.WARNING, message, fix), fixes


def _guess(found: Found, mistake: Mistake) -> tuple[str, str]:
    """The name that was meant, if that can be told, and what to do."""
    columns = [column for _, columns in found.tables for column, _ in columns] if mistake.kind == "name" else []
    names = list(dict.fromkeys([*(one.rpartition(".")[2] for one in mistake.candidates), *columns]))
    near = _nearest(mistake.name, names)
    if mistake.name and near and "GROUP BY" not in mistake.said and "Ambiguous" not in mistake.said:
        return near, f"did you mean `{near}`?"
    if "values w" in mistake.said:
        return "", "give a value for each column, or name the columns that get one"
    if mistake.kind == "types":
        return "", "compare and combine values of types that fit, or cast one: `value::TYPE`"
    if "GROUP BY" in mistake.said:
        return "", f"add `{mistake.name}` to GROUP BY, or aggregate it: `any_value({mistake.name})`"
    if "Ambiguous" in mistake.said:
        return "", f"write whose `{mistake.name}` it is: `table.{mistake.name}`"
    listed = ", ".join(f"`{name}`" for name in names[:_MOST_NAMED])
    return "", f"use one of {listed}" if listed and mistake.kind == "name" else "correct the name"


def _nearest(name: str, names: Sequence[str]) -> str:
    by_key = {one.casefold(): one for one in reversed(names) if one.casefold() != name.casefold()}
    near = get_close_matches(name.casefold(), by_key, 1, 0.6)
    return by_key[near[0]] if near else ""


def _replaced(found: Found, pipeline: Pipeline, name: str, new: str) -> tuple[Fix, ...]:
    """An edit that writes another name, if that is rid of the mistake."""
    assert found.mistake is not None
    if found.statement is None:  # a column that a check names, or the line of the magic
        line = found.cell.source.split("\n")[found.place.line - 1 :][:1]
        once = sum(len(_pattern(name).findall(each)) for each in line) == 1
        return _rewritten(found, pipeline, name, shown(new)) if once else ()
    lines = found.statement.text.split("\n")
    at = found.mistake.line - 1
    if at >= len(lines):
        return ()
    lines[at] = _renamed(lines[at], name, shown(new))
    after = bind("\n".join(lines), found.tables, is_query=found.statement.is_query).mistake
    if after is not None and (after.name, after.line) == (name, found.mistake.line):
        return ()
    return _rewritten(found, pipeline, name, shown(new))


def _rewritten(found: Found, pipeline: Pipeline, name: str, new: str) -> tuple[Fix, ...]:
    lines = found.cell.source.split("\n")
    at = found.place.line - 1
    if at >= len(lines) or (line := _renamed(lines[at], name, new)) == lines[at]:
        return ()
    lines[at] = line
    draft = Draft(pipeline.document)
    draft.write(found.cell.number, "\n".join(lines))
    return (Fix(f"Write “{new}”", draft.edits),)


def _renamed(line: str, name: str, new: str) -> str:
    """The line with another name in the place of one, which may stand in quotes."""
    return _pattern(name).sub(lambda _: new, line)


def _pattern(name: str) -> re.Pattern[str]:
    escaped = re.escape(name)
    return re.compile(rf'"{escaped}"|(?<![\w"$\']){escaped}(?![\w"\'])', re.IGNORECASE)
