"""The table of all routes, from which handlers and the description of the API are made."""

from __future__ import annotations

from jupyter_pipelines.server.resources import (
    alerts,
    backfills,
    compilation,
    debugging,
    limits,
    pipelines,
    retention,
    runs,
    schedules,
    service,
    triggers,
    verifications,
    versions,
    warehouse,
)
from jupyter_pipelines.server.route import Route

ROUTES: tuple[Route, ...] = (
    *compilation.ROUTES,
    *pipelines.ROUTES,
    *runs.ROUTES,
    *debugging.ROUTES,
    *versions.ROUTES,
    *verifications.ROUTES,
    *schedules.ROUTES,
    *triggers.ROUTES,
    *backfills.ROUTES,
    *alerts.ROUTES,
    *limits.ROUTES,
    *retention.ROUTES,
    *warehouse.ROUTES,
    *service.ROUTES,
)
