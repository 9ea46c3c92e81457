"""What the service costs while it waits: CPU time and memory of all its processes, with 200 active schedules."""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import notebooks
import psutil
from measure import Row, Table, at_most, scratch, service

SCHEDULES = 200
SETTLE = 90.0  # seconds after the start: the service has begun, and nothing of it is left over
WATCHED = 120.0  # seconds
MOST_CPU, MOST_MEMORY = 5.0, 450.0  # percent of one core, MB


def benchmark() -> list[Table]:
    """All processes of the service, from /proc, for two minutes."""
    import jupyter_pipelines as jp

    with scratch() as folder, service() as home:
        path = notebooks.write(notebooks.notebook([("step:one", "x = 1")]), folder / "idle.ipynb")
        for number in range(SCHEDULES):
            jp.schedule(path, f"daily at {(time.gmtime().tm_hour + 6) % 24:02}:{number % 60:02}", timezone="UTC")
        time.sleep(SETTLE)
        return tables(watch(home, WATCHED))


def tables(seen: dict[str, dict[str, float]]) -> list[Table]:
    """What was seen of each process, and of all together."""
    cpu = [Row(name, part["cpu"]) for name, part in seen.items()]
    memory = [Row(name, part["pss"], f"resident {part['rss']:.0f} MB") for name, part in seen.items()]
    total_cpu, total_memory = seen["all"]["cpu"], seen["all"]["pss"]
    return [
        Table(
            f"The idle service with {SCHEDULES} active schedules: CPU",
            "all",
            cpu,
            "%",
            "percent of one core",
            (at_most(f"under {MOST_CPU:.0f} % of a core", total_cpu, MOST_CPU, "%"),),
        ),
        Table(
            f"The idle service with {SCHEDULES} active schedules: memory",
            "all",
            memory,
            "MB",
            "proportional set size: shared pages counted once",
            (at_most(f"under {MOST_MEMORY:.0f} MB", total_memory, MOST_MEMORY, "MB"),),
        ),
    ]


def watch(home: Path, seconds: float) -> dict[str, dict[str, float]]:
    """CPU time (percent of one core) and memory (MB) by process, and of all, over so many seconds."""
    processes = service_processes(home)
    before = {pid: spent(pid) for pid in processes}
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    found: dict[str, dict[str, float]] = {}
    for pid, name in {**service_processes(home), **processes}.items():
        part = found.setdefault(name, {"cpu": 0.0, "pss": 0.0, "rss": 0.0})
        try:
            part["cpu"] += 100 * (spent(pid) - before.get(pid, 0.0)) / passed
            memory = psutil.Process(pid).memory_full_info()
            part["pss"] += memory.pss / 1e6
            part["rss"] += memory.rss / 1e6
        except (psutil.Error, OSError):
            continue
    found["all"] = {key: sum(part[key] for part in found.values()) for key in ("cpu", "pss", "rss")}
    return found


def service_processes(home: Path) -> dict[int, str]:
    """The processes of the service of ``home``, and what each is."""
    from jupyter_pipelines.orchestration.service.home import ServiceHome

    status = ServiceHome(home).load_status()
    assert status is not None, "the service runs"
    names = {status.pid: "supervisor"} | {part.pid: name for name, part in status.parts.items() if part.pid}
    for root, name in list(names.items()):
        try:
            for child in psutil.Process(root).children(recursive=True):
                names.setdefault(child.pid, f"child of {name}")
        except psutil.Error:
            continue
    return names


def spent(pid: int) -> float:
    """The CPU time of one process and of its children that have ended, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":  # a service that runs already: `idle.py HOME [SECONDS]`
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    chosen = parser.parse_args()
    print(json.dumps(watch(chosen.home, chosen.seconds), indent=1))
