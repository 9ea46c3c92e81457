"""Show one run: its steps, what they produced, what failed and how to go on.

RUN is the id of a run, or its beginning (see `jupyter pipelines runs`). The exit code tells about this command, not
about the run: 0 when there is such a run, 2 when there is none.

--format json: the record, as `jupyter pipelines run` reports it, and "kept": whether it was marked by `keep`.
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("run", metavar="RUN", help="the run")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration import get_run
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.store import Store

    record = get_run(arguments.run)
    kept = record.id in Store(Settings.load().store).kept_runs()
    if arguments.format == "json":
        from dataclasses import asdict

        from jupyter_pipelines.cli.output import print_json

        print_json(asdict(record) | {"kept": kept})
        return 0
    from jupyter_pipelines.cli.origins import Origins
    from jupyter_pipelines.cli.output import clean, short_path
    from jupyter_pipelines.cli.report import moment, print_run

    origins = Origins()
    version, starter = origins.version(record), origins.starter(record)
    ran = "the file as it was" if version == "file" else f"version {version} ({record.published[:8]})"
    when = f" for {moment(record.scheduled_time)}" if record.scheduled_time else ""
    asked = f", asked for by {starter}{when}" if starter else ""
    print(clean(f"{short_path(record.notebook)}, {ran}, started {moment(record.started)}{asked}"))
    for name, value in record.parameters.items():
        print(clean(f"  {name} = {value}"))
    if kept:
        print("kept: cleaning leaves it alone")
    if record.resumed_from:
        print(f"continues run {record.resumed_from[:8]}")
    print_run(record)
    return 0
