"""The Prefect server that pipelines report to: the embedded one of a project home, or the one that is configured."""

from jupyter_pipelines.orchestration.service.embedded import Endpoint, endpoint_of, ensure_service, stop_service

__all__ = ["Endpoint", "endpoint_of", "ensure_service", "stop_service"]
