"""Prefect's own "run now" against the server that is up, with its defaults. Arguments: serve|worker FOLDER

Tells how long it took from the request to the first line of a flow that only says when it ran.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_, way, place = sys.argv[1:]
folder = Path(place)

from jupyter_pipelines.orchestration.service import endpoint_of  # noqa: E402
from jupyter_pipelines.settings import Settings  # noqa: E402

environment = {**os.environ, **endpoint_of(Settings.load()).settings(), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
os.environ.update(environment)
told = folder / f"{way}.txt"
module = folder / "prefect_now.py"
module.write_text(
    "import sys, time\nfrom pathlib import Path\nfrom prefect import flow\n\n@flow\ndef now(path: str):\n"
    "    Path(path).write_text(repr(time.time()))\n\nif __name__ == '__main__':\n    now.serve(name='served')\n"
)
sys.path.insert(0, str(folder))

from prefect.client.orchestration import get_client  # noqa: E402
from prefect.deployments import run_deployment  # noqa: E402

if way == "serve":
    command = [sys.executable, str(module)]
else:
    from prefect import flow

    prefect = Path(sys.executable).parent / "prefect"
    subprocess.run([prefect, "work-pool", "create", "now", "--type", "process"], check=True, capture_output=True)
    deployed = flow.from_source(str(folder), "prefect_now.py:now")
    deployed.deploy(name="served", work_pool_name="now", print_next_steps=False)
    command = [prefect, "worker", "start", "--pool", "now"]

helper = subprocess.Popen(
    command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
)
try:
    deadline = time.time() + 90
    with get_client(sync_client=True) as client:
        while time.time() < deadline:  # the deployment, or its pool, is polled
            try:
                deployment = client.read_deployment_by_name("now/served")
                if way == "serve" or client.read_work_pool("now").status.value == "READY":
                    break
            except Exception:
                deployment = None
            time.sleep(0.2)
    time.sleep(3)  # it is up and idle
    asked = time.time()
    run_deployment("now/served", parameters={"path": str(told)}, timeout=0)
    while not told.exists() or not told.read_text():
        if time.time() > asked + 120:
            sys.exit(f"Prefect's {way} did not run the flow")
        time.sleep(0.01)
    print(json.dumps({"wait": float(told.read_text()) - asked}))
finally:
    helper.terminate()
    try:
        helper.wait(30)
    except subprocess.TimeoutExpired:
        helper.kill()
