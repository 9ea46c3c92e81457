"""Prefect's server does not stand still for what its garbage waits for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A statement of a connection that waits for the lock, held by nothing but a cycle, and then plenty to collect.
SCRIPT = """
import sqlite3, sys, threading, time
from jupyter_pipelines.orchestration.service.collector import collect_aside

def connect(seconds):
    return sqlite3.connect(sys.argv[1], check_same_thread=False, isolation_level=None, timeout=seconds)

class Cycle:
    def __init__(self):
        self.itself = self

holder, waiter = connect(0), connect(60)
holder.execute("PRAGMA journal_mode = WAL")
holder.execute("BEGIN IMMEDIATE")
if sys.argv[2] == "aside":
    collect_aside()
garbage = Cycle()
garbage.cursor = waiter.execute("SELECT 1 UNION SELECT 2")
garbage.cursor.fetchone()
waiting = threading.Thread(target=waiter.execute, args=["BEGIN IMMEDIATE"], daemon=True)
waiting.start()
time.sleep(0.5)  # until it waits
del garbage
until = time.monotonic() + 3
while time.monotonic() < until:
    [Cycle() for _ in range(10_000)]
holder.execute("COMMIT")
waiting.join(30)
print(waiting.is_alive())
"""


def held_up(path: Path, how: str = "aside") -> bool:
    try:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, path, how], capture_output=True, text=True, timeout=20, check=True
        )
    except subprocess.TimeoutExpired:
        return True
    assert done.stdout == "False\n"
    return False


def test_who_holds_the_lock_goes_on_while_garbage_waits_for_it(tmp_path: Path) -> None:
    assert not held_up(tmp_path / "one.db", "aside")
