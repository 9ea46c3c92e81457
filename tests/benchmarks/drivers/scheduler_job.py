"""jupyter-scheduler: start a server, ask for a job, wait for its end. Arguments: FOLDER with diamond.ipynb

Runs in jupyter-scheduler's environment. The second job is measured, the server has been up for a while then.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

_, folder = sys.argv[1:]
token = secrets.token_hex(16)
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]

log = open(f"{folder}/server.log", "w")  # noqa: SIM115 - as long as we live
server = subprocess.Popen(
    [sys.executable, "-m", "jupyter_server", f"--port={port}", "--ServerApp.port_retries=0", "--allow-root"]
    + ["--no-browser", f"--ServerApp.root_dir={folder}", f"--SchedulerApp.db_url=sqlite:///{folder}/scheduler.sqlite"],
    env={**os.environ, "JUPYTER_TOKEN": token, "JUPYTER_DATA_DIR": f"{folder}/data"},
    stdin=subprocess.DEVNULL,
    stdout=log,
    stderr=log,
)


def ask(path: str, body: object = None) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/scheduler/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)


def wait_for_server() -> str:
    for _ in range(600):
        try:
            return ask("runtime_environments")[0]["name"]
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    with open(log.name) as words:
        sys.exit(f"the server did not start: {words.read()[-500:]}")


def run_job(environment: str) -> float:
    started = time.time()
    job = ask("jobs", {"input_uri": "diamond.ipynb", "runtime_environment_name": environment, "name": "diamond",
                       "output_formats": ["ipynb"]})["job_id"]  # fmt: skip
    while (state := ask(f"jobs/{job}"))["status"] not in {"COMPLETED", "FAILED"}:  # new ones are "STOPPED"
        if time.time() > started + 300:
            sys.exit("the job did not end")
        time.sleep(0.05)
    if state["status"] != "COMPLETED":
        sys.exit(f"the job {state['status']}: {state['status_message']}")
    return time.time() - started


try:
    environment = wait_for_server()
    run_job(environment)
    print(json.dumps({"seconds": run_job(environment)}))
finally:
    server.kill()  # asked politely, it waits for its own task runner
    server.wait()
