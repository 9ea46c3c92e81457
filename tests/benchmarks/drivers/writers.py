"""One of several processes that write to a warehouse at once: ``writers.py WAY PATH TRANSACTIONS``.

``WAY`` is ``owner`` (our sessions) or ``retry`` (``duckdb.connect()``, again until it is free). Each transaction
inserts a row and counts up in another table; a read follows. Prints the milliseconds of each.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

INSERT = "INSERT INTO rows VALUES ($process, $number)"
COUNT = "UPDATE counter SET n = n + 1"
READ = "SELECT count(*) AS n FROM rows WHERE process = $process"


def with_owner(path: str) -> tuple[Callable[[int], object], Callable[[], int]]:
    """Our sessions."""
    from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession

    session, process = RemoteSession(WarehouseFiles.of(Path(path))), os.getpid()

    def write(number: int) -> None:
        with session.transaction():
            session.execute(INSERT, {"process": process, "number": number})
            session.execute(COUNT)

    def read() -> int:
        return int(session.query(READ, {"process": process}).column("n")[0].as_py())

    return write, read


def with_retries(path: str) -> tuple[Callable[[int], object], Callable[[], int]]:
    """What a program does without us: open the file, again until nobody else has it open."""
    import duckdb

    process = os.getpid()

    def opened(do: Callable[[duckdb.DuckDBPyConnection], int]) -> int:
        pause = 0.002
        while True:
            try:
                with duckdb.connect(path) as connection:
                    return do(connection)
            except duckdb.IOException:  # it is locked, or was changed by another process while it was opened
                time.sleep(pause * random.random())
                pause = min(pause * 1.5, 0.2)

    def write(number: int) -> int:
        def all_of_it(connection: duckdb.DuckDBPyConnection) -> int:
            connection.execute("BEGIN")
            connection.execute(INSERT, {"process": process, "number": number})
            connection.execute(COUNT)
            connection.execute("COMMIT")
            return 1

        return opened(all_of_it)

    def read() -> int:
        return opened(lambda connection: int(connection.execute(READ, {"process": process}).fetchall()[0][0]))

    return write, read


def main(way: str, path: str, transactions: int) -> None:
    write, read = {"owner": with_owner, "retry": with_retries}[way](path)
    read()  # loaded, and connected
    print("ready", flush=True)
    sys.stdin.readline()  # all begin together
    writes, reads = [], []
    for number in range(transactions):
        began = time.perf_counter()
        write(number)
        written = time.perf_counter()
        read()
        reads.append((time.perf_counter() - written) * 1000)
        writes.append((written - began) * 1000)
    print(json.dumps({"writes": writes, "reads": reads}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
