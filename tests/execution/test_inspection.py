"""Values of a live kernel, as a client that sends the expression to it is told of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

from jupyter_pipelines.execution import inspection

SOURCE = """
import io, itertools, math, socket, sqlite3, sys, threading, time
import numpy as np, pandas as pd
exec = type = globals = getattr = 3                       # names that a user may have taken
touched = []

class Mean:
    def __init__(self): self.rows = [1.0] * 1000
    def __touch(self, *_): touched.append(1); raise RuntimeError
    __repr__ = __str__ = __len__ = __sizeof__ = __eq__ = __bool__ = __iter__ = __getattr__ = __touch
    __hash__ = None
    shape = dtype = nbytes = property(__touch)

class Meta(Mean.__class__):
    def __eq__(self, other): touched.append(2); raise RuntimeError
    def __getattribute__(self, name): touched.append(3); raise RuntimeError
    __hash__ = None

class Meaner(Mean, metaclass=Meta): pass

mean, meaner = Mean(), None
try: meaner = object.__new__(Meaner)
except Exception: pass
touched.clear()
frame = pd.DataFrame({"a": np.arange(1000.0), "b": ["word"] * 1000})
array = np.zeros((1000, 250))
text, number, large, flag = "x" * 1000, 3.5, 10**5000, True
rows, table = list(range(1234)), {"a": 1, "b": 2}
generator, lines = (i for i in rows), itertools.count()
connection, lock, file = sqlite3.connect(":memory:"), threading.Lock(), open("/dev/null")
held = {"deep": [1, {"er": [lock]}]}
loop = []
loop.append(loop)
def function(): pass
many = [[float(i)] * 100 for i in range(200_000)]
"""


@pytest.fixture(scope="module")
def kernel() -> Iterator[BlockingKernelClient]:
    manager = KernelManager(kernel_name="python3", transport="ipc")  # a port may be taken by another test meanwhile
    manager.start_kernel()
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        reply = client.execute_interactive(SOURCE, output_hook=lambda _: None, timeout=60)
        assert reply["content"]["status"] == "ok", reply
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def evaluate(kernel: BlockingKernelClient, expression: str) -> dict[str, Any]:
    kernel.execute("", silent=True, store_history=False, user_expressions={"found": expression})
    found = kernel.get_shell_msg(timeout=30)["content"]["user_expressions"]["found"]
    assert found["status"] == "ok", found
    data: dict[str, Any] = found["data"]
    return data


def inspect(kernel: BlockingKernelClient, *names: str) -> dict[str, Any]:
    found: dict[str, Any] = evaluate(kernel, inspection(names))["application/json"]
    return found


def test_types_sizes_and_summaries(kernel: BlockingKernelClient) -> None:
    found = inspect(kernel, "frame", "array", "text", "number", "flag", "rows", "table", "large", "nothing")
    told = {name: (one["type"], one["summary"]) for name, one in found.items()}
    assert told == {
        "frame": (told["frame"][0], "1,000 × 2"),
        "array": ("numpy.ndarray", "1,000 × 250 float64"),
        "text": ("str", f"'{'x' * 60}'… (1,000 long)"),
        "number": ("float", "3.5"),
        "flag": ("bool", "True"),
        "rows": ("list", "1,234 items"),
        "table": ("dict", "2 items"),
        "large": ("int", "16,610 bits"),
    }
    assert told["frame"][0].startswith("pandas.") and told["frame"][0].endswith("DataFrame")
    assert found["array"]["size"] == 2_000_000
    assert 12_000 < found["frame"]["size"] < 100_000
    assert 30_000 < found["rows"]["size"] < 60_000
    assert all(one["carried"] and not one["reason"] for one in found.values())


def test_what_stays_in_its_process(kernel: BlockingKernelClient) -> None:
    found = inspect(kernel, "generator", "lines", "connection", "lock", "file", "held", "function", "math", "loop")
    refused = {name: one["reason"] for name, one in found.items() if not one["carried"]}
    assert refused == {
        "generator": "a generator, which goes on only where it was started",
        "lines": "an iterator, which goes on only where it was started",
        "connection": "an open database connection",
        "lock": "a lock, which belongs to one process",
        "file": "an open file",
        "held": "it holds a lock, which belongs to one process",
    }


def test_nothing_of_the_users_is_called(kernel: BlockingKernelClient) -> None:
    found = inspect(kernel, "mean", "meaner", "touched")
    assert (found["mean"]["type"], found["mean"]["summary"], found["touched"]["summary"]) == ("Mean", "", "0 items")
    assert found["mean"]["size"] > 8000


def test_nothing_is_left_behind(kernel: BlockingKernelClient) -> None:
    names = "sorted(name for name in (lambda: 0).__globals__ if name != '__builtins__')"
    before = evaluate(kernel, names)["text/plain"], evaluate(kernel, "sorted(sys.modules)")["text/plain"]
    inspect(kernel, "rows", "mean", "frame")
    assert (evaluate(kernel, names)["text/plain"], evaluate(kernel, "sorted(sys.modules)")["text/plain"]) == before


def test_it_takes_no_long_time(kernel: BlockingKernelClient) -> None:
    timed = "(lambda began, found: time.process_time() - began)(time.process_time(), {})"
    seconds = float(evaluate(kernel, timed.format(inspection(["many", "rows", "held", "frame"])))["text/plain"])
    assert seconds < 1.0
    assert inspect(kernel, "many")["many"]["size"] > 100_000_000
