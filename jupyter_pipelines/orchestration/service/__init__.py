"""The service of a project home: a Prefect server and a worker, kept running; or the server that is configured."""

from jupyter_pipelines.orchestration.service.control import (
    ensure_service,
    ensure_worker,
    require_answer,
    service_memory,
    service_status,
    start_missing_service,
    start_service,
    stop_service,
    works_for,
)
from jupyter_pipelines.orchestration.service.endpoint import Endpoint, configured_endpoint, endpoint_of

__all__ = [
    "Endpoint",
    "configured_endpoint",
    "endpoint_of",
    "ensure_service",
    "ensure_worker",
    "require_answer",
    "service_memory",
    "service_status",
    "start_missing_service",
    "start_service",
    "stop_service",
    "works_for",
]
