"""kill -9 of a kernel, the zygote, the process that runs the flow, or the server, at random moments.

After each: the run ends in a true state within 15 s, nothing is orphaned, the next run works.

python tests/faults/kills.py [--rounds 50]
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psutil
from common import MARK, FaultError, marked, own_home, report, rounds, say, wait_until, write_notebook

VICTIMS = ("kernel", "zygote", "flow", "server")
STEP = """
import subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
time.sleep(0.3)
child.kill()
child.wait()
del child
x{n} = x{m} + 1
"""
RUN = """
import sys, jupyter_pipelines as jp
seen = lambda event: event.kind == "run-started" and print(event.run_id, flush=True)
print(jp.run(sys.argv[1], on_event=seen).state, flush=True)
"""
ENDED = {"completed", "failed", "crashed", "cancelled"}


def check(count: int, seed: int = 0) -> str:
    chosen = random.Random(seed)
    slowest = 0.0
    with own_home() as folder:
        steps = [(f"step:s{n}", STEP.format(n=n, m=n - 1)) for n in range(1, 6)]
        path = write_notebook(folder, "killed.ipynb", ("setup", "import json"), ("step:s0", "x0 = 1"), *steps)
        ends: dict[str, list[str]] = {victim: [] for victim in VICTIMS}
        for number in range(1, count + 1):
            victim = VICTIMS[number % len(VICTIMS)] if count < 2 * len(VICTIMS) else chosen.choice(VICTIMS)
            state, seconds = strike(path, victim, chosen)
            ends[victim].append(state)
            slowest = max(slowest, seconds)
            say(f"{number:3} {victim:7} killed: the run {state}, all true after {seconds:.1f} s")
        run_whole(path)
    told = "; ".join(f"{victim}: {', '.join(sorted(set(states)))}" for victim, states in ends.items() if states)
    return f"{count} kills; {told}; slowest {slowest:.1f} s"


def strike(path: Path, victim: str, chosen: random.Random) -> tuple[str, float]:
    """One run, one kill; returns the state in which the run ended and how long the truth took."""
    import jupyter_pipelines as jp

    mark = uuid.uuid4().hex
    owner = subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)], env={**os.environ, MARK: mark}, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    run_id = owner.stdout.readline().strip()
    if not run_id:
        raise FaultError("the run did not start")
    time.sleep(chosen.uniform(0.0, 2.5))
    found = find(victim, owner.pid)
    began = time.monotonic()
    if found is not None:
        os.kill(found, signal.SIGKILL)
    if victim == "flow":
        owner.wait()
        limit = 15.0
    else:
        limit = 60.0  # a run that survives goes on to its end, on whatever machine
    wait_until(lambda: owner.poll() is not None, f"the end of the run whose {victim} was killed", limit)
    if victim != "flow":
        began = time.monotonic()
    wait_until(lambda: jp.get_run(run_id).state in ENDED, f"a final state of the run whose {victim} was killed")
    wait_until(lambda: not marked(mark), f"the end of {marked(mark)} after the kill of the {victim}")
    seconds = time.monotonic() - began
    run = jp.get_run(run_id)
    judge(victim, run.state, run.error, owner.returncode)
    return run.state, seconds


def judge(victim: str, state: str, error: str, code: int) -> None:
    """Whether ``state`` can be true."""
    if victim == "flow" and code == -signal.SIGKILL and state == "completed":
        return  # it was killed behind its end
    allowed = {
        "kernel": {"completed", "failed"},  # ready or ending kernels are killed, too
        "zygote": {"completed"},
        "flow": {"crashed"} if code == -signal.SIGKILL else {"completed"},
        "server": {"completed"},
    }
    if state not in allowed[victim]:
        raise FaultError(f"after a kill of the {victim} the run {state}: {error}")


def find(victim: str, owner: int) -> int | None:
    if victim == "flow":
        return owner
    if victim == "server":
        return server()
    try:
        family = psutil.Process(owner).children(recursive=True)
        zygotes = [process for process in family if is_zygote(process.cmdline())]
        parents = {process.pid: process.ppid() for process in zygotes}
    except psutil.Error:
        return None
    forked = [pid for pid, parent in parents.items() if parent != owner]
    made = [pid for pid, parent in parents.items() if parent == owner]
    candidates = forked if victim == "kernel" else made
    return random.choice(candidates) if candidates else None


def is_zygote(command: list[str]) -> bool:
    """Whether it is a zygote, or forked from one: a kernel that is started ahead by itself is neither."""
    return any(word.endswith("zygote.py") for word in command) and "--single" not in command


def server() -> int | None:
    home = os.environ["JUPYTER_PIPELINES_HOME"]
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
        except psutil.Error:
            continue
        if any(word.endswith("orchestration.service.server") for word in words) and home in words:
            return process.pid
    return None


def run_whole(path: Path) -> None:
    import jupyter_pipelines as jp

    run = jp.run(path)
    if run.state != "completed":
        raise FaultError(f"the next run {run.state}: {run.error}")


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 50))))
