"""Start the pipeline service: a Prefect server and a worker, kept running, one for each project home.

It stays in the foreground until Ctrl-C; with --detach it goes on in the background. Where the service runs already,
it is told, and nothing is started. With PREFECT_API_URL (or a Prefect profile) set no server is started: the worker
works for that server, in the work pool that JUPYTER_PIPELINES_WORK_POOL names, and schedules are kept here. Where that
pool is not of type process, others start its runs; schedules, backfills and alerts are looked after here all the same.

--systemd prints a systemd user unit that keeps the service up from login on; with --install it is put in its place.

--format json (with --detach): {"running": true, "api_url": "...", "pid": N}
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_pipelines.settings import Settings

UNIT = """\
[Unit]
Description=Jupyter Pipelines
After=network.target

[Service]
ExecStart={command}
Environment={environment}
Restart=on-failure
KillMode=process

[Install]
WantedBy=default.target
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    parser.add_argument("--detach", action="store_true", help="go on in the background")
    parser.add_argument("--systemd", action="store_true", help="print a systemd user unit instead")
    parser.add_argument("--install", action="store_true", help="with --systemd: write the unit to its place")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.errors import RequestError
    from jupyter_pipelines.orchestration.service import (
        configured_endpoint,
        ensure_service,
        ensure_worker,
        service_status,
    )
    from jupyter_pipelines.settings import Settings

    settings = Settings.load()
    if arguments.install and not arguments.systemd:
        raise RequestError("--install goes with --systemd.")
    if arguments.systemd:
        return _unit(settings, install=arguments.install)
    configured = configured_endpoint()
    if not arguments.detach and service_status(settings) is None:
        from jupyter_pipelines.orchestration.service.database.versions import refuse_newer
        from jupyter_pipelines.orchestration.service.home import require_locks
        from jupyter_pipelines.orchestration.service.home_format import refuse_later
        from jupyter_pipelines.orchestration.service.supervisor import main

        require_locks()
        refuse_later(settings.home)
        refuse_newer(settings.home)
        print("Ctrl-C stops the service; `jupyter pipelines status` says how it is.", file=sys.stderr)
        return main(settings.home)
    say = partial(print, file=sys.stderr)
    endpoint = ensure_service(settings, say)
    if configured is not None:
        ensure_worker(settings, configured, say)
    if arguments.format == "json":
        from jupyter_pipelines.cli.output import print_json

        print_json({"running": True, "api_url": endpoint.api_url, "pid": endpoint.pid})
    elif endpoint.pid:
        print(f"running at {endpoint.api_url} (process {endpoint.pid})")
    else:
        print(f"a worker and the schedules of {settings.home} are up; the server is {endpoint.api_url}")
    return 0


def _unit(settings: Settings, *, install: bool) -> int:
    from jupyter_pipelines.cli.output import write_file
    from jupyter_pipelines.orchestration.service.control import supervisor_command

    command = " ".join(_quoted(word) for word in supervisor_command(settings))
    text = UNIT.format(command=command, environment=_quoted(f"JUPYTER_PIPELINES_STORE={settings.store}"))
    if not install:
        print(text, end="")
        return 0
    folder = Path("~/.config/systemd/user").expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / "jupyter-pipelines.service", text)
    print(f"written to {folder / 'jupyter-pipelines.service'}; start it with:")
    print("  systemctl --user daemon-reload && systemctl --user enable --now jupyter-pipelines")
    return 0


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'
