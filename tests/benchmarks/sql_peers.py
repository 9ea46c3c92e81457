"""The same tables in other tools that build tables in SQL, each with the version of DuckDB that it takes.

Each is run as its documentation has it, without telemetry. Measured is the command that builds all tables once more.
What does not install or run is skipped, and said.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from measure import Row, Skipped, run, scratch, timed
from peers import QUIET, Peer, environment

FILL = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute(sys.argv[2])"
CONTENT = """
import duckdb, json, sys
connection = duckdb.connect(sys.argv[1], read_only=True)
print(json.dumps([connection.execute("SELECT count(*) FROM " + name).fetchone()[0] for name in sys.argv[2:]]))
"""
HOW = "From the start of the command to its end; all tables are built once more."
Tables = Mapping[str, str]


def rows(source: str, tables: Tables, counts: list[int]) -> list[Row]:
    """A row for each tool that can be had. ``source`` makes the data; ``counts`` are the rows that each table has."""
    found = []
    for peer in PEERS:
        try:
            with scratch() as folder:
                home = environment(peer)
                run([home / "bin" / "python", "-c", FILL, folder / "plain.duckdb", source])
                seconds = peer.measure(folder, home, tables)
                _check(folder, home, tables, counts)
                found.append(Row(peer.name, seconds, peer.note))
        except Skipped as error:
            print(f"skipped {peer.name}: {error}", file=sys.stderr, flush=True)
    return found


def sqlmesh(folder: Path, home: Path, tables: Tables) -> float:
    (folder / "models").mkdir()
    (folder / "config.yaml").write_text(
        "gateways:\n  local:\n    connection:\n      type: duckdb\n      database: plain.duckdb\n"
        "default_gateway: local\nmodel_defaults:\n  dialect: duckdb\ndisable_anonymized_analytics: true\n"
    )
    for name, sql in tables.items():
        (folder / "models" / f"{name}.sql").write_text(f"MODEL (name {name}, kind FULL);\n{sql}\n")
    plan = [home / "bin" / "sqlmesh", "plan", "--auto-apply", "--no-prompts"]
    run(plan, cwd=folder, env=QUIET)
    again = [part for name in tables for part in ("--restate-model", name)]
    return timed([*plan, *again], 3, cwd=folder, env=QUIET)


def dbt(folder: Path, home: Path, tables: Tables) -> float:
    (folder / "models").mkdir()
    (folder / "macros").mkdir()
    (folder / "dbt_project.yml").write_text(
        "name: tables\nversion: 1.0.0\nconfig-version: 2\nprofile: tables\nmodel-paths: [models]\n"
    )
    (folder / "profiles.yml").write_text(
        "tables:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: plain.duckdb, threads: 2}\n"
    )
    (folder / "macros" / "schemas.sql").write_text(  # the schema that a model names, not one that begins with dbt's own
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}\n"
    )
    for name, sql in tables.items():
        schema, _, table = name.partition(".")
        text = re.sub("|".join(map(re.escape, tables)), lambda one: f"{{{{ ref('{one[0].partition('.')[2]}') }}}}", sql)
        head = f"{{{{ config(materialized='table', schema='{schema}') }}}}\n"
        (folder / "models" / f"{table}.sql").write_text(head + text + "\n")
    command = [home / "bin" / "dbt", "run", "--profiles-dir", ".", "--no-partial-parse"]
    quiet = {**QUIET, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "HOME": str(folder), "PATH": os.environ["PATH"]}
    run(command, cwd=folder, env=quiet)
    return timed(command[:-1], 3, cwd=folder, env=quiet)


def _check(folder: Path, home: Path, tables: Tables, counts: list[int]) -> None:
    told = run([home / "bin" / "python", "-c", CONTENT, folder / "plain.duckdb", *tables]).stdout
    if told.strip() != str(counts):
        raise Skipped(f"it has built tables of {told.strip()} rows, not of {counts}")


Measure = Callable[[Path, Path, Tables], float]
PEERS: tuple[Peer[Measure], ...] = (
    Peer("SQLMesh", ("sqlmesh",), sqlmesh, "`sqlmesh plan --restate-model …`, tables one after the other", ()),
    # dbt-core: later ones fetch a part of themselves from elsewhere while they are installed
    Peer("dbt-duckdb", ("dbt-duckdb", "dbt-core<1.12"), dbt, "`dbt run`, 2 threads", ()),
)
