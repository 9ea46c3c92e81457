"""papermill in one process: whole notebooks, one after the other, several times. Arguments: ENGINE REPEAT NOTEBOOK…"""

import json
import sys
import time

asked, engine, repeat, *paths = sys.argv[1:]
started = float(asked)

import papermill  # noqa: E402 # the time to import it belongs to the first run

seconds = []
for _ in range(int(repeat)):
    for path in paths:
        output = path.replace(".ipynb", ".executed.ipynb")
        options = {"engine_name": engine} if engine != "default" else {}
        papermill.execute_notebook(path, output, progress_bar=False, **options)
    seconds.append(time.time() - started)
    started = time.time()
print(json.dumps({"first": seconds[0], "again": seconds[1:]}))
