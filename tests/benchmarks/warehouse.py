"""Eight processes that write to one warehouse at once: through its owner, and by opening the file in turns."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
from measure import HERE, Row, Skipped, Table, Target, at_least, at_most, scratch

PROCESSES, TRANSACTIONS = 8, 50


@dataclass(frozen=True)
class Seen:
    """``seconds`` for all; of the writes' milliseconds the median and the 99th percentile; how many were lost."""

    seconds: float
    median: float
    worst: float
    lost: int


def benchmark() -> list[Table]:
    with scratch() as folder:
        owner, retry = _measure("owner", folder), _measure("retry", folder)
    rows = [
        Row("through the owner", owner.seconds, _note(owner)),
        Row("connect and retry", retry.seconds, _note(retry)),
    ]
    how = f"{PROCESSES} processes, {TRANSACTIONS} write transactions each (a row, a counter), a read after each"
    targets = [
        Target("no write is lost", f"{owner.lost} lost", owner.lost == 0),
        at_most("half of the writes take less than 50 ms", owner.median, 50, "ms"),
        at_most("99 % of the writes take less than 250 ms", owner.worst, 250, "ms"),
        at_least("ten times faster than connect and retry", retry.seconds / owner.seconds, 10),
    ]
    return [Table("Many writers, one warehouse", "through the owner", rows, how=how, targets=targets)]


def _note(seen: Seen) -> str:
    return f"writes: half below {seen.median:.0f} ms, 99 % below {seen.worst:.0f} ms; {seen.lost} lost"


def _measure(way: str, folder: Path) -> Seen:
    from jupyter_pipelines.warehouse import Warehouse

    path = folder / f"{way}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE rows (process BIGINT, number INTEGER)")
        connection.execute("CREATE TABLE counter AS SELECT 0 AS n")
    command = [sys.executable, str(HERE / "drivers" / "writers.py"), way, str(path), str(TRANSACTIONS)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)
    ]
    try:
        if any(process.stdout.readline() != "ready\n" for process in processes):
            raise Skipped(f"a writer ({way}) did not start")
        began = time.perf_counter()
        for process in processes:
            process.stdin.write("\n")
            process.stdin.flush()
        told = [json.loads(process.stdout.readline()) for process in processes]
        seconds = time.perf_counter() - began
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    Warehouse(path).release(force=True)
    with duckdb.connect(str(path)) as connection:
        rows, counted = connection.execute("SELECT (SELECT count(*) FROM rows), (SELECT n FROM counter)").fetchone()
    writes = sorted(each for one in told for each in one["writes"])
    wanted = PROCESSES * TRANSACTIONS
    worst = writes[int(len(writes) * 0.99)]
    return Seen(seconds, statistics.median(writes), worst, max(wanted - rows, wanted - counted))
