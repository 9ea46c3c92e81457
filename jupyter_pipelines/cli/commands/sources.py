"""List the external sources that SQL cells may read by name, or try one out.

`jupyter pipelines sources` lists those that are declared, in the project home's sources.toml or in the file that
JUPYTER_PIPELINES_SOURCES names. `jupyter pipelines sources test NAME` connects with its secrets, and lists its tables.

[crm]                              # SELECT * FROM crm.public.customers
type = "postgres"
host = "db.example.com"
database = "crm"
user = "reader"
password = "env:CRM_PASSWORD"      # or "keyring:service/user", "prefect:block-name"; never the secret itself

[landing]                          # SELECT * FROM landing.orders: orders.parquet, .csv, .json, or a folder of them
type = "files"
url = "s3://bucket/landing"        # or "https://…", "/data/landing"
key = "env:LANDING_KEY"
secret = "env:LANDING_SECRET"

--format json: {"path", "sources": [{"name", "type", "place", "problem"}]}; type and place are empty, and problem says
why, where a source is declared wrongly. test: {"name", "tables": [NAME]}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("action", nargs="?", choices=["list", "test"], default="list", metavar="list|test")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the source to try out")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import clean, count, print_json
    from jupyter_pipelines.errors import RequestError

    if (arguments.action == "test") != bool(arguments.name):
        raise RequestError("One source is tried out at a time.", "Write `jupyter pipelines sources test NAME`.")
    found = jp.sources()
    if arguments.action == "test":
        tables = found.tables(arguments.name)
        document: dict[str, object] = {"name": arguments.name, "tables": tables}
        lines = [f"{arguments.name} answers, and has {count(len(tables), 'table')}", *(f"  {name}" for name in tables)]
    else:
        listed = [asdict(one) for one in found.described()]
        document = {"path": str(found.path), "sources": listed}
        lines = [f"{one['name']}: {one['problem'] or one['type'] + ', ' + one['place']}" for one in listed]
        lines = lines or [f"no sources are declared in {found.path}; --help shows how"]
    if arguments.format == "json":
        print_json(document)
    else:
        print(clean("\n".join(lines)))
    return 0
