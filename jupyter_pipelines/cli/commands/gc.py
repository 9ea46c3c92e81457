"""Free the disk space of old runs: their executed notebooks, and every value that no run left refers to.

Without --yes nothing is removed: what would go is shown with its size. All notebooks' runs count together, failed ones
too; a run that is gone cannot be resumed. Runs that are going on, and published versions, always stay. With
--keep-last and --older-than together, a run goes only if it is neither among the newest N nor younger than TIME.

--format json: {"runs": [...], "objects": N, "bytes": N, "kept_bytes": N, "removed": true | false}
"""

from __future__ import annotations

import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format, positive_int
    from jupyter_pipelines.cli.durations import seconds

    parser.add_argument("--keep-last", type=positive_int, metavar="N", help="keep only the newest N runs")
    parser.add_argument("--older-than", type=seconds, metavar="TIME", help="drop runs that ended so long ago: 30d, 12h")
    parser.add_argument("--yes", action="store_true", help="remove it; without this, only show it")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.cli.output import clean, count, print_json, short_path, size
    from jupyter_pipelines.cli.report import moment
    from jupyter_pipelines.orchestration import list_runs
    from jupyter_pipelines.orchestration.cleaning import EVERY_RUN, find_old, remove

    garbage = find_old(keep_last=arguments.keep_last, older_than=arguments.older_than)
    going = [record for record in list_runs(limit=EVERY_RUN) if record.id in garbage.runs]
    total = garbage.bytes
    if arguments.yes:
        remove(garbage)
    if arguments.format == "json":
        print_json(
            {
                "runs": list(garbage.runs),
                "objects": len(garbage.objects),
                "bytes": total,
                "kept_bytes": garbage.kept_bytes,
                "removed": arguments.yes,
            }
        )
        return 0
    verb = "removed" if arguments.yes else "would go"
    for record in going:
        print(
            f"  {record.id[:8]}  {moment(record.started):<16}  {record.state:<9}  {clean(short_path(record.notebook))}"
        )
    print(f"{verb}: {count(len(garbage.runs), 'run')}, {count(len(garbage.objects), 'value')}, {size(total)}")
    print(f"stays: {size(garbage.kept_bytes)} of values")
    if total and not arguments.yes:
        print("Nothing has been removed yet; add --yes to do it.")
    return 0
