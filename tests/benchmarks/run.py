"""``python tests/benchmarks/run.py [NAME …]``: measure, against peers, in one run.

Times say as much about the machine and what else it does as about us: read the ratios.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from measure import Skipped, Table, run

NAMES = {
    "diamond": "six steps that import pandas, numpy and scikit-learn",
    "chain": "what one of twenty steps costs",
    "cells": "many cells, a large output: our papermill engine against its own",
    "parallel": "two fits at once, against one after the other",
    "handover": "a frame of 512 MB through a diamond",
    "latency": "from run-now to the first line",
    "lateness": "how late scheduled runs begin, 200 schedules active",
    "idle": "CPU and memory of the service while it waits",
    "history": "finding some of 150,000 runs",
    "tables": "six tables in SQL, against a plain script, SQLMesh and dbt",
    "compiling": "compile, import and start times",
    "keystroke": "from a key in a large notebook to the graph beside it, in JupyterLab",
    "values": "dump and load of values",
    "kernels": "taking a ready kernel",
    "warehouse": "eight processes that write to one warehouse",
    "peers": "the diamond in ploomber, dagstermill, Kale, jupyter-scheduler and marimo",
}
SCRIPTS = {"values", "kernels"}  # these print their own tables


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    names = ", ".join(f"{name} ({about})" for name, about in NAMES.items())
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run, all by default: {names}")
    parser.add_argument("--format", choices=["text", "markdown", "json"], default="text")
    chosen = parser.parse_args(arguments)
    if unknown := set(chosen.names) - NAMES.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the services are stopped
    results: dict[str, object] = {}
    if chosen.format != "json":
        print(
            f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n", flush=True
        )
    for name in chosen.names or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        try:
            if name in SCRIPTS:
                results[name] = run([sys.executable, Path(__file__).with_name(f"{name}.py")]).stdout
                if chosen.format != "json":
                    print(results[name], flush=True)
                continue
            tables: list[Table] = importlib.import_module(name).benchmark()
        except Skipped as error:
            print(f"skipped {name}: {error}", file=sys.stderr, flush=True)
            results[name] = {"skipped": str(error)}
            continue
        results[name] = [table.as_json() for table in tables]
        if chosen.format != "json":
            for table in tables:
                print(table.as_text() if chosen.format == "text" else table.as_markdown(), flush=True)
    if chosen.format == "json":
        print(json.dumps({"load": os.getloadavg()[0], "benchmarks": results}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
