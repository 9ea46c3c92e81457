"""A frame of 512 MB through a diamond: made once, read by five steps."""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import notebooks
from measure import Row, Skipped, Table, at_least, drive, scratch, service, watched_memory

MEGABYTES = int(os.environ.get("BENCHMARK_MEGABYTES", "512"))


def benchmark() -> list[Table]:
    """Runs of the whole diamond, then with next to nothing in it; the difference is what the frame costs."""
    times: dict[str, float] = {}
    peaks = []
    with scratch() as folder, service():
        for megabytes in (1, MEGABYTES):
            work = notebooks.frame_diamond(megabytes)
            at = folder / str(megabytes)
            at.mkdir()
            path = notebooks.write(notebooks.tagged(work), at / "frame.ipynb")
            _need_room(at, 4 * megabytes)
            with watched_memory() as (mark, ours_peak):
                ours = drive("pipeline_runs", 3, path, env=mark)
            steps = notebooks.step_notebooks(work, at)
            with watched_memory() as (mark, pickle_peak):
                by_hand = drive("papermill_runs", "default", 2, *steps, env=mark)
            times[f"ours {megabytes}"] = statistics.median(ours["again"])
            times[f"pickle {megabytes}"] = statistics.median(by_hand["again"])
            peaks = [
                Row("ours", ours_peak.resident, f"{ours_peak.own:,.0f} MB when shared pages count once"),
                Row("pickle per step", pickle_peak.resident, f"{pickle_peak.own:,.0f} MB when shared pages count once"),
            ]
    ours_costs = times[f"ours {MEGABYTES}"] - times["ours 1"]
    pickle_costs = times[f"pickle {MEGABYTES}"] - times["pickle 1"]
    title = f"Hand-over of a frame of {MEGABYTES} MB through a diamond"
    seconds = Table(
        title,
        "ours",
        [
            Row("ours", times[f"ours {MEGABYTES}"], f"{ours_costs:.1f} s more than with 1 MB"),
            Row("pickle per step", times[f"pickle {MEGABYTES}"], f"{pickle_costs:.1f} s more than with 1 MB"),
        ],
        how="Whole runs, the frame made in the first step. papermill runs the other's steps, a fresh kernel each.",
        targets=(
            at_least(
                "at least 5 times faster than pickle per step",
                times[f"pickle {MEGABYTES}"] / times[f"ours {MEGABYTES}"],
                5,
            ),
        ),
    )
    memory = Table(f"{title}: peak memory", "ours", peaks, "MB", "Resident memory of all processes, summed.")
    return [seconds, memory]


def _need_room(folder: Path, megabytes: int) -> None:
    status = os.statvfs(folder)
    if status.f_bavail * status.f_frsize < megabytes * 1e6:
        raise Skipped(f"{folder} has not the {megabytes} MB that this writes")
