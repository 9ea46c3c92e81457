"""Python is parsed from many threads at once: the steps of a run, and what the worker attends to."""

from __future__ import annotations

import ast
import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from jupyter_pipelines.notebook.parsing import parse_python


def test_threads_do_not_disturb_each_other() -> None:
    deep = "f(" * 40 + "1" + ")" * 40
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    started = threading.Barrier(4)

    def work() -> int:
        started.wait()
        return sum(len(parse_python(deep + "\n" + "x = 1\n" * 20).body) for _ in range(25))

    # Collecting often, and with a finalizer that lets others in, is what brings the trouble about.
    gc.set_threshold(5)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert {done.result() for done in [pool.submit(work) for _ in range(4)]} == {25 * 21}
    finally:
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(interval)


def test_it_is_ast_parse() -> None:
    assert ast.dump(parse_python("x = [1]")) == ast.dump(ast.parse("x = [1]"))
    assert ast.dump(parse_python("x + 1", "eval")) == ast.dump(ast.parse("x + 1", mode="eval"))
    assert parse_python("await x", top_level_await=True).body
    with pytest.raises(SyntaxError, match="unmatched"):
        parse_python("x)")
