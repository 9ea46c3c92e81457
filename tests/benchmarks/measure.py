"""Measuring: processes timed from outside, tables of ratios, the memory of everything a process started."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
TIMEOUT = 900.0  # seconds, for one measured process


@dataclass(frozen=True)
class Row:
    """One measured way. ``ratio`` is set by the table: how many times the base's value."""

    way: str
    value: float
    note: str = ""


@dataclass(frozen=True)
class Target:
    """What was promised, what was seen, and whether that is enough."""

    promise: str
    seen: str
    met: bool


@dataclass(frozen=True)
class Table:
    """Ways to do the same work in one run of the benchmark; each is a ratio against ``base``."""

    title: str
    base: str
    rows: Sequence[Row]
    unit: str = "s"
    how: str = ""
    targets: Sequence[Target] = field(default_factory=tuple)

    def ratio(self, way: str) -> float:
        """How many times the base's value ``way`` has."""
        return self.value(way) / self.value(self.base)

    def value(self, way: str) -> float:
        return next(row.value for row in self.rows if row.way == way)

    def lines(self) -> list[list[str]]:
        return [
            [row.way, f"{row.value:,.{_digits(row.value)}f} {self.unit}", f"{self.ratio(row.way):.2f} ×", row.note]
            for row in self.rows
        ]

    def as_json(self) -> dict[str, object]:
        rows = [{**asdict(row), "ratio": self.ratio(row.way)} for row in self.rows]
        return {**asdict(self), "rows": rows}

    def as_text(self) -> str:
        lines = [["", "measured", f"against {self.base}", ""], *self.lines()]
        widths = [max(len(line[column]) for line in lines) for column in range(4)]
        body = [
            "  ".join(
                text.ljust(width) if column in {0, 3} else text.rjust(width)
                for column, (text, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        targets = [
            f"{'met   ' if target.met else 'MISSED'}  {target.promise}: {target.seen}" for target in self.targets
        ]
        return "\n".join([self.title, "-" * len(self.title), *([self.how] if self.how else []), *body, *targets, ""])

    def as_markdown(self) -> str:
        lines = [f"| {way} | {value} | {ratio} | {note} |" for way, value, ratio, note in self.lines()]
        head = [f"| | measured | against {self.base} | |", "| --- | ---: | ---: | --- |"]
        targets = [
            f"- {'met' if target.met else '**missed**'}: {target.promise} ({target.seen})" for target in self.targets
        ]
        blank = [""] if targets else []
        return "\n".join(
            [f"**{self.title}**", "", *([self.how, ""] if self.how else []), *head, *lines, *blank, *targets, ""]
        )


def at_least(promise: str, seen: float, wanted: float) -> Target:
    return Target(promise, f"{seen:.1f} times", seen >= wanted)


def at_most(promise: str, seen: float, wanted: float, unit: str = "s") -> Target:
    return Target(promise, f"{seen:.{_digits(seen)}f} {unit}", seen <= wanted)


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 20 else 2 if value >= 1 else 3


class Skipped(Exception):
    """This cannot be measured here; the message says why."""


def timed(command: Sequence[str | Path], repeat: int = 1, **options: object) -> float:
    """The median wall time in seconds of ``command``, process start and end included; raises if it fails."""
    times = []
    for _ in range(repeat):
        started = time.perf_counter()
        run(command, **options)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def run(
    command: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``command``; raises :class:`Skipped` with its last words when it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Skipped(f"{command[0]} did not end in {TIMEOUT:.0f} s") from error
    if check and done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()[-8:]
        raise Skipped(
            f"{Path(str(command[0])).name} {command[1] if len(command) > 1 else ''} failed: " + "\n".join(words)
        )
    return done


def drive(
    driver: str, *arguments: object, python: str | Path = sys.executable, env: Mapping[str, str] | None = None
) -> dict:
    """Run ``drivers/DRIVER.py`` in a process of its own; what it prints last is its JSON answer.

    Its first argument is when it was asked for, so that it can count the start of its process in.
    """
    command = [str(python), str(HERE / "drivers" / f"{driver}.py"), repr(time.time()), *map(str, arguments)]
    return json.loads(run(command, env=env).stdout.splitlines()[-1])


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def service() -> Iterator[Path]:
    """A project home of its own with a running service; stopped and gone afterwards."""
    from jupyter_pipelines.orchestration.service import ensure_service, stop_service
    from jupyter_pipelines.settings import Settings

    with scratch() as home:
        kept = {name: os.environ.pop(name, None) for name in ("PREFECT_API_URL", "JUPYTER_PIPELINES_STORE")}
        kept["JUPYTER_PIPELINES_HOME"] = os.environ.get("JUPYTER_PIPELINES_HOME")
        os.environ["JUPYTER_PIPELINES_HOME"] = str(home)
        settings = Settings.load()
        try:
            ensure_service(settings)
            yield home
        finally:
            stop_service(settings)
            for name, value in kept.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


@dataclass
class Memory:
    """The peak of a group of processes, in MB. ``resident`` counts shared pages once per process, ``own`` once."""

    resident: float = 0.0
    own: float = 0.0


MARK = "BENCHMARKED_BY"  # not a name of ours: those are not part of what ready kernels are chosen by


@contextmanager
def watched_memory(every: float = 0.1) -> Iterator[tuple[dict[str, str], Memory]]:
    """Gives an environment and the peak memory of all processes that inherit it, wherever they were reparented to."""
    import psutil

    token = uuid.uuid4().hex
    peak = Memory()
    ended = threading.Event()
    known: dict[int, bool] = {}

    def is_ours(process: psutil.Process) -> bool:
        if process.pid not in known:
            known[process.pid] = process.environ().get(MARK) == token
        return known[process.pid]

    def look() -> None:
        resident = own = 0
        for process in psutil.process_iter():
            try:
                if is_ours(process):
                    memory = process.memory_full_info()
                    resident, own = resident + memory.rss, own + memory.pss
            except psutil.Error:
                continue
        peak.resident, peak.own = max(peak.resident, resident / 1e6), max(peak.own, own / 1e6)

    def watch() -> None:
        while not ended.wait(every):
            look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield {MARK: token}, peak
    finally:
        ended.set()
        watcher.join()


Benchmark = Callable[[], list[Table]]
