"""All checks, in the order in which they are told."""

from __future__ import annotations

from jupyter_pipelines.cli.doctor import installation, running, service
from jupyter_pipelines.cli.doctor.check import Check

CHECKS: tuple[Check, ...] = (
    Check("python", installation.python),
    Check("versions", installation.versions),
    Check("kernel", running.kernel),
    Check("papermill", running.papermill, ("kernel",)),
    Check("store", running.store),
    Check("duckdb", running.duckdb),
    Check("warehouse", running.warehouse, ("duckdb",)),
    Check("sources", running.sources),
    Check("database", service.database),
    Check("service", service.service),
    Check("launcher", service.launcher, ("service",)),
    Check("worker", service.worker, ("kernel", "service")),
    Check("schedule", service.schedule, ("service",)),
    Check("pipeline", running.pipeline, ("kernel", "service")),
    Check("lab extension", installation.lab_extension),
    Check("server extension", installation.server_extension),
)
