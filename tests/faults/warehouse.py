"""kill -9 of a warehouse's owner at random moments, while four processes write and read.

Afterwards every transaction of which a writer was told that it is committed is there, whole and once, and no other is.

python tests/faults/warehouse.py [--rounds 50]
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from common import FaultError, report, rounds, say, wait_until

WRITERS = 4
WRITER = """
import sys, uuid
from pathlib import Path
from jupyter_pipelines.errors import OutcomeUnknown, WarehouseError
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession

session = RemoteSession(WarehouseFiles.of(Path(sys.argv[1])))
end, number = Path(sys.argv[2]), 0
while not end.exists():
    number += 1
    key = uuid.uuid4().hex
    try:
        if number % 3:
            with session.transaction(["one", "two"] if number % 2 else None):
                session.execute("insert into one values ($key)", {"key": key})
                session.execute("insert into two select $key from range(1000)", {"key": key})
        else:
            session.execute("insert into one values ($key)", {"key": key})
        outcome = "committed"
    except OutcomeUnknown:
        outcome = "unknown"
    except WarehouseError:
        outcome = "failed"
    try:
        session.query("select count(*) from two")
    except WarehouseError:
        pass
    print(outcome, "both" if number % 3 else "one", key, flush=True)
"""


def check(kills: int, seed: int = 0) -> str:
    from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
    from jupyter_pipelines.warehouse.owner.remote import RemoteSession
    from jupyter_pipelines.warehouse.warehouse import Warehouse

    chosen = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        files, end = WarehouseFiles.of(Path(folder) / "warehouse.duckdb"), Path(folder) / "end"
        session = RemoteSession(files)
        session.execute("create table one (key varchar primary key); create table two (key varchar)")
        logs = [Path(folder) / f"writer-{number}" for number in range(WRITERS)]
        writers = []
        for log in logs:
            with log.open("w") as told:
                command = [sys.executable, "-c", WRITER, str(files.path), str(end)]
                writers.append(subprocess.Popen(command, stdout=told))
        for number in range(1, kills + 1):
            pid = _kill(files, chosen.uniform(0.1, 2))
            say(f"{number:3} owner {pid} killed")
        end.touch()
        for writer in writers:
            if writer.wait(120):
                raise FaultError(f"a writer ended with {writer.returncode}")
        outcomes = [line.split() for log in logs for line in log.read_text().splitlines()]
        told = _compare(session, outcomes)
        session.close()
        Warehouse(files.path).release(force=True)
    return f"{kills} kills; {told}"


def _kill(files: object, seconds: float) -> int:
    """Kill the owner some seconds after it was ready; returns its process id."""
    import psutil

    wait_until(lambda: _is_ready(files), "an owner", 60)
    endpoint = files.load_endpoint()
    time.sleep(seconds)
    try:
        psutil.Process(endpoint.pid).kill()
    except psutil.NoSuchProcess:
        return 0
    return endpoint.pid


def _is_ready(files: object) -> bool:
    import psutil

    endpoint = files.load_endpoint()
    try:
        return endpoint is not None and psutil.Process(endpoint.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _compare(session: object, outcomes: list[list[str]]) -> str:
    one = session.query("select key from one").column("key").to_pylist()
    two = {row["key"]: row["n"] for row in session.query("select key, count(*) as n from two group by key").to_pylist()}
    there = set(one)
    if len(one) != len(there) or set(two.values()) - {1000}:
        raise FaultError("something is there twice, or in part")
    for outcome, what, key in outcomes:
        is_there = key in there
        if what == "both" and is_there != (key in two):
            raise FaultError(f"half of the transaction {key} is there")
        if outcome == "committed" and not is_there:
            raise FaultError(f"{key} was committed, and is lost")
        if outcome == "failed" and is_there:
            raise FaultError(f"{key} has failed, and is there")
    counts = {word: sum(outcome == word for outcome, *_ in outcomes) for word in ("committed", "failed", "unknown")}
    return ", ".join(f"{number} {word}" for word, number in counts.items())


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 50))))
