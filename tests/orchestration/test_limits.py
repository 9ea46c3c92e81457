"""Limits: no more at once than was said, in the order of arrival, and no slot stays with the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.orchestration.limits import limit, limits
from jupyter_pipelines.orchestration.limits.queues import Queue, Ticket
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

WriteNotebook = Callable[..., Path]

HOLDER = """
import sys, threading, time
from pathlib import Path
from jupyter_pipelines.orchestration.limits.queues import Queue
with Queue(Path(sys.argv[1]), "it", lambda: 1).turn("other", "", threading.Event(), lambda *_: None):
    print("held", flush=True)
    time.sleep(600)
"""


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Visitor(threading.Thread):
    """Somebody who takes a turn, and gives it back when told."""

    def __init__(self, queue: Queue, name: str, order: list[str], asked: float = 0.0) -> None:
        super().__init__(daemon=True)
        self.asked = asked
        self.queue, self.who, self.order = queue, name, order
        self.cancel, self.leave = threading.Event(), threading.Event()
        self.told: list[list[Ticket]] = []
        self.had: bool | None = None

    def run(self) -> None:
        tell = self.told.append
        with self.queue.turn(self.who, "", self.cancel, lambda _, who: tell(who), self.asked) as self.had:
            if self.had:
                self.order.append(self.who)
                self.leave.wait(60)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Callable[..., list[Visitor]]]:
    """``line(slots, "a", "b")`` has visitors line up, one after the other."""
    everybody: list[Visitor] = []

    def line(slots: Callable[[], int | None], *names: str) -> list[Visitor]:
        queue = Queue(tmp_path, "it", slots)
        order: list[str] = everybody[0].order if everybody else []
        for name in names:
            before = sum(map(len, queue.people()))
            everybody.append(Visitor(queue, name, order))
            everybody[-1].start()
            wait_for(lambda before=before: sum(map(len, queue.people())) > before)  # type: ignore[misc]  # its default
        return everybody

    yield line
    for visitor in everybody:
        visitor.cancel.set()
        visitor.leave.set()
        visitor.join(10)


def test_they_take_turns_in_the_order_of_arrival(line: Callable[..., list[Visitor]]) -> None:
    first, second, third, fourth, fifth = line(lambda: 2, "a", "b", "c", "d", "e")
    wait_for(lambda: third.told and fourth.told and fifth.told)
    assert [ticket.run for ticket in third.told[0]] == ["a", "b"]
    assert sorted(first.order) == ["a", "b"] and not first.told
    fourth.cancel.set()
    fourth.join(10)
    assert fourth.had is False
    second.leave.set()
    wait_for(lambda: "c" in first.order)
    assert [[ticket.run for ticket in people] for people in first.queue.people()] == [["a", "c"], ["e"]]
    third.leave.set()
    wait_for(lambda: "e" in first.order)
    assert all(len(visitor.told) <= 1 for visitor in (first, second, third, fourth, fifth))


def test_who_asked_earlier_is_next_and_takes_nothing_from_who_has_it(tmp_path: Path) -> None:
    queue, order, now = Queue(tmp_path, "it", lambda: 1), list[str](), time.time()
    visitors = [Visitor(queue, name, order, now + asked) for name, asked in (("c", 0), ("b", -10), ("a", -20))]
    visitors[0].start()
    wait_for(lambda: order == ["c"])
    for visitor in visitors[1:]:
        visitor.start()
        wait_for(lambda visitor=visitor: visitor.told)  # type: ignore[misc]  # its default is its type
    assert [[ticket.run for ticket in people] for people in queue.people()] == [["c"], ["a", "b"]]
    for visitor in (visitors[0], visitors[2], visitors[1]):
        visitor.leave.set()
        visitor.join(10)
    assert order == ["c", "a", "b"]


def test_a_limit_that_is_changed_holds_for_those_that_wait(line: Callable[..., list[Visitor]]) -> None:
    slots: list[int | None] = [1]
    first, second, third = line(lambda: slots[0], "a", "b", "c")
    wait_for(lambda: second.told and third.told)
    slots[0] = 2
    wait_for(lambda: second.had)
    slots[0] = 1
    first.leave.set()
    first.join(10)
    third.join(0.5)
    assert third.had is None  # `b` has the only slot
    slots[0] = None
    wait_for(lambda: third.had)


def test_a_slot_is_free_as_soon_as_its_holder_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline() == b"held\n"
    visitor = Visitor(Queue(tmp_path, "it", lambda: 1), "a", [])
    visitor.start()
    wait_for(lambda: visitor.told)
    assert visitor.told[0][0].pid == holder.pid
    holder.kill()
    killed = time.monotonic()
    wait_for(lambda: visitor.had)
    assert time.monotonic() - killed < 2.0
    holder.wait()
    holder.stdout.close()
    visitor.leave.set()
    visitor.join(10)
    assert not [name for name in os.listdir(next((tmp_path / "queues").iterdir())) if name.endswith(".ticket")]


def overlap(runs: list[RunRecord]) -> int:
    """The most that went on at one time."""
    return max(sum(other.started <= run.started < other.ended for other in runs) for run in runs)


def settled(runs: list[str]) -> list[RunRecord]:
    wait_for(lambda: all(jp.get_run(run).state not in {"pending", "running"} for run in runs))
    return [jp.get_run(run) for run in runs]


def test_runs_of_a_pipeline_wait_for_each_other_whatever_started_them(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("step:one", "import time\ntime.sleep(0.3)"))
    assert limit(notebook, 1).slots == 1
    events: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        handed_over = [jp.submit(notebook) for _ in range(2)]
        here = pool.submit(jp.run, notebook, on_event=lambda event: events.append(event.kind)).result()
    runs = [*settled(handed_over), here]
    assert {run.state for run in runs} == {"completed"}
    assert overlap(runs) == 1
    limit(notebook, None)
    assert str(notebook) not in {each.name for each in limits()}


def test_a_run_that_waits_says_for_what_and_can_be_cancelled(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("step:one", "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"))
    limit(notebook, 1)
    first = jp.submit(notebook)
    wait_for(lambda: jp.get_run(first).state == "running")
    second, third = jp.submit(notebook), jp.submit(notebook)
    for waits in (second, third):
        wait_for(lambda waits=waits: jp.get_run(waits).waiting)  # type: ignore[misc]  # its default is its type
    assert first[:8] in jp.get_run(second).waiting
    assert jp.get_run(second).state == "pending"
    cancelled = jp.cancel(second)
    assert (cancelled.state, cancelled.started, cancelled.waiting) == ("cancelled", 0.0, "")
    found = (Store(str(store)).load_run(first) or {})["process"]
    assert isinstance(found, dict)
    os.kill(int(found["pid"]), signal.SIGKILL)
    (notebook.parent / "go").touch()
    runs = settled([first, third])
    assert [run.state for run in runs] == ["crashed", "completed"]
    limit(notebook, None)


def test_runs_that_wait_for_a_slot_keep_no_others_from_running(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    slow = write(("step:one", "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.05)"))
    limit(slow, 1)
    waiting = [jp.submit(slow) for _ in range(Settings.load().max_runs)]
    other = jp.submit(write(("step:one", "1"), name="other.ipynb"))
    try:
        assert settled([other])[0].state == "completed"
        assert all(not jp.get_run(run).ended for run in waiting)
    finally:
        for run in waiting:
            jp.cancel(run)
        limit(slow, None)


def test_steps_share_a_resource_across_pipelines(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    source = "import time\nopen('log', 'a').write('+')\ntime.sleep(0.3)\nopen('log', 'a').write('-')"
    notebooks = [
        write(
            (f"step:{name}", f"%%step {name} --resources warehouse\n{source}"),
            ("step:free", "1"),
            name=f"{name}.ipynb",
        )
        for name in ("one", "two")
    ]
    runs = settled([jp.submit(notebook) for notebook in notebooks])
    assert {run.state for run in runs} == {"completed"}
    assert (store.parent / "log").read_text() == "+-+-"
    (found,) = [each for each in limits() if each.name == "warehouse"]
    assert (found.kind, found.slots, found.running, found.waiting) == ("resource", 1, (), ())


def test_what_cannot_be_a_limit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="at once"):
        limit("database", 0)
    with pytest.raises(RequestError, match="no notebook"):
        limit(tmp_path / "gone.ipynb", 1)
    with pytest.raises(RequestError, match="neither"):
        limit("my database", 1)


@pytest.mark.parametrize("content", ["{", "[]", '{"resource": {"database": "two"}}'])
def test_limits_that_cannot_be_read_are_not_lifted(store: Path, write: WriteNotebook, content: str) -> None:
    kept = Settings.load().home / "limits" / "limits.json"
    limit("database", 2)
    notebook = write(("step:one", "%%step one --resources database\nopen('ran', 'w').close()"))
    try:
        kept.write_text(content)
        for ask in (lambda: limit("database", 3), limits):
            with pytest.raises(StoreError, match=r"limits\.json cannot be read.*\n.*Move it away"):
                ask()
        assert kept.read_text() == content
        with pytest.raises(StoreError, match=r"limits\.json cannot be read"):
            jp.run(notebook)
        assert not (notebook.parent / "ran").exists()
    finally:
        kept.unlink()
    assert jp.run(notebook).state == "completed"


def test_limits_that_become_unreadable_while_a_run_goes_on_stop_it(store: Path, write: WriteNotebook) -> None:
    kept = Settings.load().home / "limits" / "limits.json"
    limit("database", 2)
    spoil = f"spoilt = open({str(kept)!r}, 'w').write('{{')"
    use = "%%step two --resources database\nopen('ran', 'w').write(str(spoilt))"
    notebook = write(("step:one", spoil), ("step:two", use))
    try:
        found = jp.run(notebook)
    finally:
        kept.unlink()
    assert found.state == "failed"
    assert "limits.json cannot be read" in f"{found.error} {[step.error for step in found.steps]}"
    assert not (notebook.parent / "ran").exists()
