"""Say how the pipeline service is: what runs, since when, how often it was restarted, its memory, its address.

--format json: {"running": true | false, "api_url": "...", "pid": N, "since": T, "memory": BYTES, "python": "...",
"parts": {NAME: {"state": "starting"|"running"|"restarting", "pid", "since", "restarts", "last_end"}},
"schedules": {"count": N, "next": TIME or null}, "triggers": {"count": N, "paused": N},
"backfills": {"running": N, "paused": N, "stopped": N}, "limits": {"count": N, "waiting": N},
"database": {"bytes": N, "prefect": VERSION, "backups": [PATH],
"problem": "what is wrong with it", "event": "what happened to it last", "event_time": T},
"warehouse": {"path": "...", "owner": {"pid", "since", "sessions"} or null}}
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from jupyter_pipelines.orchestration.service import Endpoint
    from jupyter_pipelines.orchestration.service.home import ServiceStatus
    from jupyter_pipelines.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from jupyter_pipelines.cli.arguments import add_format

    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    from jupyter_pipelines.orchestration.service import configured_endpoint, endpoint_of, service_status, works_for
    from jupyter_pipelines.settings import Settings

    settings = Settings.load()
    endpoint = endpoint_of(settings)
    if endpoint is not None and configured_endpoint() is not None:
        answers = endpoint.is_healthy()
        status = service_status(settings) if works_for(settings, endpoint) else None
    else:
        status = service_status(settings)
        answers = status is not None and endpoint is not None
    if arguments.format == "json":
        _print_json(answers, endpoint, status)
    elif status is not None:
        _print_service(settings, endpoint, status)
    elif endpoint is not None:
        print(f"{endpoint.api_url}: the configured server, {'running' if answers else 'does not answer'}")
    else:
        print("The pipeline service is not running; `jupyter pipelines up`, or the next run, starts it.")
    if arguments.format != "json":
        _print_schedules(status is not None)
        _print_others()
        if configured_endpoint() is None:
            _print_database(settings)
        _print_warehouse()
    return 0


def _schedules() -> tuple[int, datetime | None]:
    """How many schedules there are, and the time at which the first of them runs next."""
    from jupyter_pipelines.orchestration.scheduling import schedules

    found = schedules()
    return len(found), min((time for record in found if (time := record.next_time())), default=None)


def _others() -> dict[str, dict[str, int]]:
    """How many triggers, backfills that have not ended, and limits there are, and how it stands with them."""
    from jupyter_pipelines.orchestration.backfills import backfills
    from jupyter_pipelines.orchestration.limits import limits
    from jupyter_pipelines.orchestration.triggers import triggers

    causes, bounds = triggers(), limits()
    states = [backfill.state for backfill in backfills()]
    return {
        "triggers": {"count": len(causes), "paused": sum(cause.paused for cause in causes)},
        "backfills": {state: states.count(state) for state in ("running", "paused", "stopped")},
        "limits": {"count": len(bounds), "waiting": sum(len(bound.waiting) for bound in bounds)},
    }


def _print_others() -> None:
    from jupyter_pipelines.cli.output import count

    found = _others()
    triggers, limits = found["triggers"], found["limits"]
    if triggers["count"]:
        paused = f", {triggers['paused']} paused" if triggers["paused"] else ""
        print(f"  {count(triggers['count'], 'trigger')}{paused}")
    if going_on := [f"{number} {state}" for state, number in found["backfills"].items() if number]:
        print(f"  backfills: {', '.join(going_on)}")
    if limits["count"]:
        waiting = f"; {limits['waiting']} in line" if limits["waiting"] else ""
        print(f"  {count(limits['count'], 'limit')}{waiting}")


def _print_schedules(served: bool) -> None:
    from jupyter_pipelines.cli.output import count

    number, following = _schedules()
    if number:
        told = f"; the next run at {following.astimezone():%Y-%m-%d %H:%M:%S %Z}" if following else ""
        rest = "" if served else "; they rest while the service is down"
        print(f"  {count(number, 'schedule')}{told}{rest}")


def _print_database(settings: Settings) -> None:
    from jupyter_pipelines.cli.output import clean
    from jupyter_pipelines.cli.report import moment
    from jupyter_pipelines.orchestration.service.database.keeping import describe

    found = describe(settings.home)
    if found["problem"]:
        print(clean(f"  problem   {found['problem']}"))
    if found["event"]:
        print(clean(f"  {moment(float(str(found['event_time'])))}: {found['event']}"))


def _print_warehouse() -> None:
    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import clean, count

    warehouse = jp.warehouse()
    if (owner := warehouse.owner()) is not None:
        told = f"open in process {owner['pid']}, {count(len(owner['sessions']), 'session')}"
        print(clean(f"  warehouse {warehouse.path}: {told}"))


def _print_json(answers: bool, endpoint: Endpoint | None, status: ServiceStatus | None) -> None:
    from dataclasses import asdict

    import jupyter_pipelines as jp
    from jupyter_pipelines.cli.output import print_json
    from jupyter_pipelines.orchestration.service import service_memory
    from jupyter_pipelines.orchestration.service.database.keeping import describe
    from jupyter_pipelines.settings import Settings

    number, following = _schedules()
    planned = {"count": number, "next": following.isoformat() if following else None}
    found: dict[str, object] = {
        "schedules": planned,
        **_others(),
        "database": describe(Settings.load().home),
        "warehouse": {"path": str(jp.warehouse().path), "owner": jp.warehouse().owner()},
        "running": answers,
        "api_url": endpoint.api_url if endpoint else "",
        "pid": 0,
    }
    if status is not None:
        found |= asdict(status) | {"memory": service_memory(status)}
    print_json(found)


def _print_service(settings: Settings, endpoint: Endpoint | None, status: ServiceStatus) -> None:
    import time

    from jupyter_pipelines.cli.output import count, duration, size
    from jupyter_pipelines.orchestration.service import service_memory

    now = time.time()
    address = endpoint.api_url if endpoint is not None else "does not answer yet"
    since = f"up {duration(now - status.since)}, " if status.since else ""
    print(f"{address}: the service of {settings.home} (process {status.pid})")
    print(f"  {since}{size(service_memory(status))}, Python at {status.python}")
    for name, part in status.parts.items():
        text = f"{part.state:<10} "
        if part.since:
            text += f"{duration(now - part.since):>12}"
        if part.restarts:
            text += f"  {count(part.restarts, 'restart')}, the last after: {part.last_end}"
        print(f"  {name:<9} {text}".rstrip())
