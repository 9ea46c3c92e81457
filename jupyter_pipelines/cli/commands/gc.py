"""Free the disk space of old runs: their executed notebooks, and every value that no run left refers to.

Without --yes nothing is removed: what would go is shown with its size. What goes is what `jupyter pipelines retention`
says, or with --keep-last or --older-than what these say: then all notebooks' runs count together, failed ones too, and
with both a run goes only if it is neither among the newest N nor younger than TIME. A run that is gone cannot be
resumed. Runs that are going on or marked by `keep`, and published versions, always stay.

--format json: {"runs": [...], "objects": N, "bytes": N, "kept_bytes": N, "removed": true | false}
"""

from __future__ import annotations

import argparse

SHOWN = 50  # runs, one by one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, positive_int
    from jupyter_pipelines.cli.durations import seconds

    parser.add_argument("--keep-last", type=positive_int, metavar="N", help="keep only the newest N runs")
    parser.add_argument("--older-than", type=seconds, metavar="TIME", help="drop runs that ended so long ago: 30d, 12h")
    parser.add_argument("--yes", action="store_true", help="remove it; without this, only show it")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from jupyter_pipelines.cli.output import clean, count, print_json, short_path, size
    from jupyter_pipelines.cli.report import moment
    from jupyter_pipelines.orchestration.cleaning import Freed, find_old, remove
    from jupyter_pipelines.orchestration.records import read_record
    from jupyter_pipelines.settings import Settings
    from jupyter_pipelines.store import Store

    garbage = find_old(keep_last=arguments.keep_last, older_than=arguments.older_than)
    store = Store(Settings.load().store)
    going = [record for run_id in garbage.runs[:SHOWN] if (record := read_record(store, run_id)) is not None]
    total = garbage.bytes
    if arguments.yes:
        remove(garbage)
    if arguments.format == "json":
        print_json(asdict(Freed.of(garbage, removed=arguments.yes)))
        return 0
    verb = "removed" if arguments.yes else "would go"
    for record in sorted(going, key=lambda record: -record.started):
        print(
            f"  {record.id[:8]}  {moment(record.started):<16}  {record.state:<9}  {clean(short_path(record.notebook))}"
        )
    if len(garbage.runs) > SHOWN:
        print(f"  … and {count(len(garbage.runs) - SHOWN, 'more run')}")
    print(f"{verb}: {count(len(garbage.runs), 'run')}, {count(len(garbage.objects), 'value')}, {size(total)}")
    print(f"stays: {size(garbage.kept_bytes)} of values")
    if total and not arguments.yes:
        print("Nothing has been removed yet; add --yes to do it.")
    return 0
