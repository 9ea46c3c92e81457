"""The notebook is the pipeline: one public API behind the command line, the server extension, magics and widgets.

>>> import jupyter_pipelines as jp
>>> pipeline = jp.load("flights.ipynb")          # compile: steps, edges, diagnostics
>>> run = jp.run("flights.ipynb", {"month": 7})  # run it as a Prefect flow
>>> run_id = jp.submit("flights.ipynb")          # have the service run it; returns at once
>>> report = jp.verify("flights.ipynb")          # prove that it gives what Restart & Run All gives
>>> version = jp.publish("flights.ipynb")        # freeze it: jp.run("flights.ipynb", version="published")
>>> jp.schedule("flights.ipynb", "every weekday 07:00")  # have the service run it then
>>> jp.backfill("flights.ipynb", "2024-01-01", "2024-01-31")  # or for each of these days
>>> jp.trigger("report.ipynb", after="flights.ipynb")  # or when something happens
>>> jp.warehouse().sql("from mart.delays limit 5")  # ask what %%sql cells have built
>>> jp.alert("flights.ipynb", "https://example.com/hook")  # be told when it fails
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from jupyter_pipelines.fast_imports import make_imports_fast
from jupyter_pipelines.lazy import lazy_names

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from jupyter_pipelines.execution import inspection
    from jupyter_pipelines.graph import compile_pipeline, suggest
    from jupyter_pipelines.metrics import metric
    from jupyter_pipelines.notebook import read_notebook
    from jupyter_pipelines.orchestration import (
        cancel,
        get_run,
        list_runs,
        load,
        resume,
        run,
        run_grid,
        submit,
        submit_resume,
    )
    from jupyter_pipelines.orchestration.alerts import alert, alerts, restore_alert, try_alert, unalert
    from jupyter_pipelines.orchestration.backfills import (
        backfill,
        backfills,
        cancel_backfill,
        get_backfill,
        pause_backfill,
        resume_backfill,
    )
    from jupyter_pipelines.orchestration.cleaning import gc
    from jupyter_pipelines.orchestration.limits import limit, limits
    from jupyter_pipelines.orchestration.pinned import expire_versions
    from jupyter_pipelines.orchestration.pipelines import pipelines
    from jupyter_pipelines.orchestration.relinking import relink
    from jupyter_pipelines.orchestration.retention import is_kept, keep, retention, set_retention
    from jupyter_pipelines.orchestration.run_log import run_log
    from jupyter_pipelines.orchestration.scheduling import preview_schedule, schedule, schedules, submit_scheduled
    from jupyter_pipelines.orchestration.triggers import pause, trigger, triggers, unpause, unschedule
    from jupyter_pipelines.orchestration.versions import (
        check_version,
        diff,
        drift,
        pin,
        publish,
        rollback,
        unpin,
        versions,
    )
    from jupyter_pipelines.results.checking import check
    from jupyter_pipelines.results.debugging import apply_fix, debug
    from jupyter_pipelines.results.fixing import fix
    from jupyter_pipelines.results.pipeline import pipeline
    from jupyter_pipelines.results.plan import plan
    from jupyter_pipelines.results.runs import runs
    from jupyter_pipelines.verification import (
        cancel_verification,
        get_verification,
        submit_verification,
        verifications,
        verify,
    )
    from jupyter_pipelines.warehouse.checks import suggest_checks
    from jupyter_pipelines.warehouse.sources import sources
    from jupyter_pipelines.warehouse.warehouse import warehouse

make_imports_fast()

__all__ = [
    "alert",
    "alerts",
    "apply_fix",
    "backfill",
    "backfills",
    "cancel",
    "cancel_backfill",
    "cancel_verification",
    "check",
    "check_version",
    "compile_pipeline",
    "debug",
    "diff",
    "drift",
    "expire_versions",
    "fix",
    "gc",
    "get_backfill",
    "get_run",
    "get_verification",
    "inspection",
    "is_kept",
    "keep",
    "limit",
    "limits",
    "list_runs",
    "load",
    "metric",
    "pause",
    "pause_backfill",
    "pin",
    "pipeline",
    "pipelines",
    "plan",
    "preview_schedule",
    "publish",
    "read_notebook",
    "relink",
    "restore_alert",
    "resume",
    "resume_backfill",
    "retention",
    "rollback",
    "run",
    "run_grid",
    "run_log",
    "runs",
    "schedule",
    "schedules",
    "set_retention",
    "sources",
    "submit",
    "submit_resume",
    "submit_scheduled",
    "submit_verification",
    "suggest",
    "suggest_checks",
    "trigger",
    "triggers",
    "try_alert",
    "unalert",
    "unpause",
    "unpin",
    "unschedule",
    "verifications",
    "verify",
    "versions",
    "warehouse",
]

__getattr__ = lazy_names(
    __name__,
    {
        **dict.fromkeys(("compile_pipeline", "suggest"), f"{__name__}.graph"),
        "read_notebook": f"{__name__}.notebook",
        **dict.fromkeys(
            ("cancel", "get_run", "list_runs", "load", "resume", "run", "run_grid", "submit", "submit_resume"),
            f"{__name__}.orchestration",
        ),
        **dict.fromkeys(
            ("alert", "alerts", "restore_alert", "try_alert", "unalert"), f"{__name__}.orchestration.alerts"
        ),
        **dict.fromkeys(
            ("backfill", "backfills", "cancel_backfill", "get_backfill", "pause_backfill", "resume_backfill"),
            f"{__name__}.orchestration.backfills",
        ),
        "gc": f"{__name__}.orchestration.cleaning",
        **dict.fromkeys(("limit", "limits"), f"{__name__}.orchestration.limits"),
        **dict.fromkeys(
            ("preview_schedule", "schedule", "schedules", "submit_scheduled"), f"{__name__}.orchestration.scheduling"
        ),
        **dict.fromkeys(
            ("pause", "trigger", "triggers", "unpause", "unschedule"), f"{__name__}.orchestration.triggers"
        ),
        **dict.fromkeys(
            ("check_version", "diff", "drift", "pin", "publish", "rollback", "unpin", "versions"),
            f"{__name__}.orchestration.versions",
        ),
        "check": f"{__name__}.results.checking",
        "fix": f"{__name__}.results.fixing",
        **dict.fromkeys(("apply_fix", "debug"), f"{__name__}.results.debugging"),
        **dict.fromkeys(("is_kept", "keep", "retention", "set_retention"), f"{__name__}.orchestration.retention"),
        "expire_versions": f"{__name__}.orchestration.pinned",
        "metric": f"{__name__}.metrics",
        "pipeline": f"{__name__}.results.pipeline",
        "plan": f"{__name__}.results.plan",
        "pipelines": f"{__name__}.orchestration.pipelines",
        "relink": f"{__name__}.orchestration.relinking",
        "run_log": f"{__name__}.orchestration.run_log",
        "runs": f"{__name__}.results.runs",
        "inspection": f"{__name__}.execution",
        "suggest_checks": f"{__name__}.warehouse.checks",
        **dict.fromkeys(
            ("cancel_verification", "get_verification", "submit_verification", "verifications", "verify"),
            f"{__name__}.verification",
        ),
        "sources": f"{__name__}.warehouse.sources",
        "warehouse": f"{__name__}.warehouse.warehouse",
    },
)


def load_ipython_extension(shell: InteractiveShell) -> None:
    """``%load_ext jupyter_pipelines``: magics ``step``, ``setup``, ``skip``, ``sql``, ``check`` and ``pipeline``."""
    import_module("jupyter_pipelines.magics").load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """``%unload_ext jupyter_pipelines``."""
    import_module("jupyter_pipelines.magics").unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "jupyter-pipelines"}]


def _jupyter_server_extension_points() -> list[dict[str, object]]:
    application = import_module("jupyter_pipelines.server.application")
    return [{"module": "jupyter_pipelines", "app": application.PipelinesApp}]
