"""What cleaning leaves can be read; what it takes is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.cleaning import find_old, remove
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store


def test_values_that_a_kept_run_took_over_stay(store: Path, write: Callable[..., Path]) -> None:
    cells = [("step:load", "x = list(range(1000))"), ("step:show", "y = len(x)"), ("step:end", "print(y)")]
    first = jp.run(write(*cells))
    second = jp.run(write(*cells), reuse=True)
    garbage = find_old(keep_last=1)
    assert garbage.runs == (first.id,)
    remove(garbage)
    assert [record.id for record in jp.list_runs()] == [second.id]
    kept = Store(Settings.load().store)
    assert kept.get_notebook(second.version)
    for step in second.steps:
        for output in step.outputs:
            assert kept.has_object(output.container), output.name
    assert {step.state for step in jp.run(write(*cells), reuse=True).steps} == {"reused"}


def test_everything_goes_with_the_last_run(store: Path, write: Callable[..., Path]) -> None:
    jp.run(write(("step:load", "x = [1]"), ("step:end", "print(x)")))
    assert find_old(keep_last=1, older_than=0.0).runs == ()
    garbage = find_old(older_than=0.0)
    assert len(garbage.runs) == 1
    assert garbage.kept_bytes == 0
    remove(garbage)
    assert jp.list_runs() == []
