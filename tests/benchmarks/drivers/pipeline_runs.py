"""Our runs in one process. Arguments: REPEAT NOTEBOOK. Tells each run's seconds and the starts of its steps."""

import json
import sys
import time

asked, repeat, path = sys.argv[1:]
started = float(asked)

import jupyter_pipelines as jp  # noqa: E402 # the time to import it belongs to the first run

seconds, steps, runs = [], [], []
for _ in range(int(repeat)):
    run = jp.run(path)
    seconds.append(time.time() - started)
    if run.state != "completed":
        sys.exit(f"the run {run.state}: {run.error}")
    steps.append([{"name": step.name, "started": step.started, "ended": step.ended} for step in run.steps])
    runs.append({"asked": started, "executed": run.executed_notebook})
    started = time.time()
print(json.dumps({"first": seconds[0], "again": seconds[1:], "steps": steps, "runs": runs}))
