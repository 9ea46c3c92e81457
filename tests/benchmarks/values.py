"""How long values take from one kernel to the next, against pickle: ``python tests/benchmarks/values.py``.

Times are the best of three, in milliseconds. *check* is what the guard costs at the end of a step that only read.
"""

from __future__ import annotations

import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from jupyter_pipelines.execution.kernel_side.container import Container
from jupyter_pipelines.execution.kernel_side.saving import Saving

ROWS = 1_000_000


def _values() -> dict[str, object]:
    rng = np.random.default_rng(0)
    text = np.array([f"text {number}" for number in range(ROWS)], dtype=object)
    codes = np.array(["north", "south", "east", None], dtype=object)[rng.integers(0, 4, ROWS)]
    return {
        "1,000,000 x 10 mixed frame": pd.DataFrame(
            {
                **{f"f{place}": rng.normal(size=ROWS) for place in range(5)},
                **{f"i{place}": rng.integers(0, 9, ROWS) for place in range(3)},
                "when": pd.date_range("2020", periods=ROWS, freq="s"),
                "kind": pd.Categorical(rng.choice(["a", "b"], ROWS)),
            }
        ),
        "1,000,000 strings (pandas)": pd.DataFrame({"s": pd.Series(text, dtype="str")}),
        "1,000,000 strings (objects)": pd.DataFrame({"s": pd.Series(text, dtype=object)}),
        "1,000,000 repeated strings (objects)": pd.DataFrame({"s": pd.Series(codes, dtype=object)}),
        "800 MB array": rng.normal(size=100_000_000),
        "list of 1,000,000 numbers": list(range(ROWS)),
        "dict of 200,000 lists": {str(number): [number] for number in range(200_000)},
    }


def _best(action: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        began = time.perf_counter()
        kept = action()
        times.append(time.perf_counter() - began)
        del kept
    return min(times) * 1000


def _measure(value: object, folder: Path) -> tuple[float, ...]:
    file = folder / "value.pickle"
    objects = folder / "objects"
    job = dict.fromkeys(("setup_names", "guarded", "possibly_changed", "read_later", "replayed"), ())
    job |= {
        "step": "a",
        "objects": str(objects),
        "definitions": None,
        "inputs": {},
        "outputs": ["value"],
    }

    def dump() -> dict[str, dict[str, object]]:
        shutil.rmtree(objects, ignore_errors=True)
        saving = Saving(job, {"value": value})
        saving.pickle_all()
        return saving.write()["outputs"]

    saved = _best(dump)
    outputs = dump()
    address = str(outputs["value"]["container"])
    loaded = _best(lambda: Container(str(objects), address).load(["value"]))
    given = Container(str(objects), address).load(["value"])

    def check() -> None:
        saving = Saving(job | {"inputs": outputs, "guarded": ["value"], "outputs": []}, given)
        saving.pickle_all()
        saving.check_inputs()
        assert saving.refusal is None, saving.refusal

    checked = _best(check)
    with_pickle = _best(lambda: file.write_bytes(pickle.dumps(value, protocol=5)))
    return saved, loaded, checked, with_pickle, _best(lambda: pickle.loads(file.read_bytes()))


def main() -> None:
    """Print a table."""
    print(f"{'':38}{'save':>8}{'load':>8}{'check':>8}{'pickle':>10}{'unpickle':>10}{'ratio':>8}")
    for name, value in _values().items():
        folder = Path(tempfile.mkdtemp(prefix="jupyter-pipelines-benchmark-"))
        try:
            saved, loaded, checked, dumped, read = _measure(value, folder)
        finally:
            shutil.rmtree(folder)
        ratio = (dumped + read) / (saved + loaded)
        print(f"{name:38}{saved:8.0f}{loaded:8.0f}{checked:8.0f}{dumped:10.0f}{read:10.0f}{ratio:7.1f}x")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
