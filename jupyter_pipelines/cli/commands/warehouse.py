"""Look at the warehouse, the DuckDB file or lake that %%sql cells read and write; ask it, give its file back, copy it.

`jupyter pipelines warehouse` says where it is, and who uses it.
`jupyter pipelines warehouse tables [SCHEMA.TABLE]` lists its tables, or shows one.
`jupyter pipelines warehouse query "select …" [-p name=value]` asks it; the values of $name are texts.
`jupyter pipelines warehouse release [--force]` has its file closed, so that `duckdb.connect()` can open it.
`jupyter pipelines warehouse copy FILE` writes a consistent copy of it; `--storage v1.5.0` one that DuckDB 1.5 can read.
`jupyter pipelines warehouse versions` lists the versions that a lake keeps; `expire 90d` has it forget older ones
to which no run refers.
`jupyter pipelines warehouse restore BACKFILL` brings back what a backfill, or one of its runs, has overwritten.

--format json: status {"path", "exists": true | false, "bytes": N, "owner": {"pid", "since", "sessions": [{"pid",
"since", "doing", "busy"}]} or null}; tables {"tables": [{"schema", "name", "kind": "table"|"view", "columns", "rows":
N or null, "changed": T or null}]}, of one {"table", "columns": [{"name", "type", "nullable"}], "preview": [[TEXT or
null]]}; query {"columns": [NAME], "rows": [[VALUE]]}; release {"released": true | false}; copy {"path"};
restore {"tables": [NAME]}; versions {"versions": [{"number", "made", "author", "tables", "run", "notebook", "step"}]};
expire {"expired": [NUMBER]}
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.catalog import TableDetails
    from jupyter_pipelines.warehouse.warehouse import Warehouse

MOST_ROWS = 50  # of a result that a person reads


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    actions = ["status", "tables", "query", "release", "copy", "restore", "versions", "expire"]
    parser.add_argument("action", nargs="?", choices=actions, default="status", metavar="|".join(actions))
    parser.add_argument("what", nargs="?", metavar="TABLE|SQL|FILE|BACKFILL|AGE")
    parser.add_argument("-p", "--parameter", dest="parameters", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--force", action="store_true", help="release it even if that ends what somebody does")
    parser.add_argument("--storage", default="", metavar="VERSION", help="the DuckDB that is to read the copy: v1.5.0")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.errors import RequestError

    action, what, warehouse = arguments.action, arguments.what, jp.warehouse()
    if action in {"query", "copy", "restore", "expire"} and not what:
        fix = 'Write query "select …", copy FILE, restore BACKFILL, or expire 90d.'
        raise RequestError(f"What to {action} is missing.", fix)
    if action in {"status", "release", "versions"} and what:
        raise RequestError(f"{action} takes nothing more than its options.", f"Leave out {what!r}.")
    document, lines = _ACTIONS[action](warehouse, arguments)
    if arguments.format == "json":
        print_json(document)
    else:
        _print(lines)
    return 0


def _status(warehouse: Warehouse, _: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from jupyter_pipelines.cli.output import count, duration, size

    exists = warehouse.path.exists()
    found = warehouse.bytes
    owner = warehouse.owner()
    document = {"path": str(warehouse.path), "exists": exists, "bytes": found, "owner": owner}
    lines = [f"{warehouse.path}: {size(found) if exists else 'not made yet; the first %%sql cell makes it'}"]
    if owner is None:
        lines.append("  nobody has it open")
    else:
        import time

        now = time.time()
        sessions = owner["sessions"]
        lines.append(f"  open in process {owner['pid']} since {duration(now - owner['since'])}")
        lines.append(f"  {count(len(sessions), 'session')}")
        for session in sessions:
            if session["busy"]:
                doing = " ".join(session["doing"].split())[:80] or "a transaction"
                lines.append(f"  process {session['pid']} is at work since {duration(now - session['since'])}: {doing}")
    return document, lines


def _tables(warehouse: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from dataclasses import asdict

    from jupyter_pipelines.cli.output import count
    from jupyter_pipelines.cli.report import moment

    if arguments.what:
        details = warehouse.table(arguments.what)
        return asdict(details), _shown(details)
    tables = warehouse.tables() if warehouse.path.exists() else ()
    lines = []
    for table in tables:
        rows = "a view" if table.rows is None else count(table.rows, "row")
        changed = f", changed {moment(table.changed)}" if table.changed else ""
        lines.append(f"{table.schema}.{table.name}: {rows}, {count(table.columns, 'column')}{changed}")
    return {"tables": [asdict(table) for table in tables]}, lines or ["the warehouse has no tables"]


def _shown(details: TableDetails) -> list[str]:
    columns = [f"  {column.name}  {column.type}{'' if column.nullable else '  not null'}" for column in details.columns]
    names = [column.name for column in details.columns]
    return [f"{details.table.schema}.{details.table.name}", *columns, "", *_grid(names, details.preview)]


def _query(warehouse: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from jupyter_pipelines.cli.arguments import split_assignment
    from jupyter_pipelines.cli.output import count

    given: dict[str, Any] = dict(split_assignment(text, "-p") for text in arguments.parameters)
    table = warehouse.sql(arguments.what, **given)
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    lines = _grid(table.column_names, rows[:MOST_ROWS])
    if len(rows) > MOST_ROWS:
        lines.append(f"… {count(len(rows) - MOST_ROWS, 'more row')}; --format json gives all")
    return {"columns": table.column_names, "rows": rows}, lines


def _release(warehouse: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    released = warehouse.release(force=arguments.force)
    told = f"{warehouse.path} is closed, until somebody uses it" if released else "nobody has it open"
    return {"released": released}, [told]


def _copy(warehouse: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    path = warehouse.copy_to(arguments.what, storage=arguments.storage)
    return {"path": str(path)}, [f"copied to {path}"]


def _restore(warehouse: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    tables = warehouse.restore(arguments.what)
    return {"tables": list(tables)}, [f"{table} is as it was before the backfill" for table in tables]


def _versions(warehouse: Warehouse, _: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    from dataclasses import asdict
    from pathlib import Path

    from jupyter_pipelines.cli.report import moment

    versions = warehouse.versions()
    shown = [version for version in versions if version.tables and not version.is_own][:MOST_ROWS]
    rows = []
    for one in shown:
        run = f"run {one.run[:8]}, step {one.step} of {Path(one.notebook).name}" if one.run else f"by {one.author}"
        rows.append([one.number, moment(one.made), ", ".join(one.tables), run])
    lines = _grid(["version", "made", "tables", ""], rows)
    return {"versions": [asdict(one) for one in versions]}, lines


def _expire(_: Warehouse, arguments: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import count

    expired = jp.expire_versions(arguments.what)
    return {"expired": list(expired)}, [f"{count(len(expired), 'version')} forgotten"]


def _grid(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Columns below each other, as wide as what is in them."""
    texts = [[*names], *(["" if value is None else str(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in texts]


def _print(lines: Sequence[str]) -> None:
    from jupyter_pipelines.cli.output import clean

    for line in lines:
        print(clean(line))


_ACTIONS = {
    "status": _status,
    "tables": _tables,
    "query": _query,
    "release": _release,
    "copy": _copy,
    "restore": _restore,
    "versions": _versions,
    "expire": _expire,
}
