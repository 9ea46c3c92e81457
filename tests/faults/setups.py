"""Two notebooks with different environments at once; setups that print, sleep, fail or call ``sys.exit``.

python tests/faults/setups.py [--rounds 5]
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from common import FaultError, own_home, report, rounds, say, write_notebook

SETUPS = {
    "prints": ("print('hello')", "completed"),
    "sleeps": ("import time\ntime.sleep(0.5)", "completed"),
    "fails": ("raise RuntimeError('broken')", "failed"),
    "exits": ("import sys\nsys.exit(3)", "failed"),
}
SHOW = "import os\nprint('VALUE', os.environ.get('WHICH'), 'numpy' in __import__('sys').modules)"


def check(count: int) -> str:
    with own_home() as folder:
        for number in range(1, count + 1):
            two_environments(folder)
            for name, (setup, expected) in SETUPS.items():
                run_setup(folder, name, setup, expected)
            say(f"{number:3} two environments at once; a setup that {', '.join(SETUPS)}")
    return f"{count} rounds"


def run_setup(folder: Path, name: str, setup: str, expected: str) -> None:
    import jupyter_pipelines as jp

    path = write_notebook(folder, f"{name}.ipynb", ("setup", setup), ("step:a", "x = 1"), ("step:b", "y = x + 1"))
    run = jp.run(path)
    if run.state != expected:
        raise FaultError(f"with a setup that {name} the run {run.state}: {run.error}")
    if expected == "failed" and run.step("a").error_cell != 1:
        raise FaultError(f"with a setup that {name} the error is at cell {run.step('a').error_cell}")


def two_environments(folder: Path) -> None:
    import jupyter_pipelines as jp

    said: dict[str, str] = {}

    def work(which: str) -> None:
        imports = "import numpy" if which == "one" else "import json"
        path = write_notebook(folder, f"{which}.ipynb", ("setup", imports), ("step:a", "x = 1"), ("step:b", SHOW))
        notebook = json.loads(path.read_text())
        for cell in notebook["cells"][1:]:
            cell["metadata"]["pipeline"] = {"env": {"WHICH": which}}
        path.write_text(json.dumps(notebook))
        run = jp.run(path)
        cells = json.loads(Path(run.executed_notebook).read_text())["cells"]
        texts = [output.get("text", "") for cell in cells for output in cell.get("outputs", [])]
        said[which] = run.error + "".join("".join(text) for text in texts)

    threads = [threading.Thread(target=work, args=(which,)) for which in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for which, numpy in (("one", True), ("two", False)):
        if said.get(which, "").strip() != f"VALUE {which} {numpy}":
            raise FaultError(f"environment {which} saw {said.get(which)!r}")


if __name__ == "__main__":
    sys.exit(report(lambda: check(rounds(__doc__ or "", 5))))
