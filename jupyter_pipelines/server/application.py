"""Loads with the Jupyter server and adds our routes to it."""

from __future__ import annotations

import asyncio

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool

from jupyter_pipelines.server.handlers import CompileHandler, StatusHandler
from jupyter_pipelines.server.trigger import TriggerHandler


class PipelinesApp(ExtensionApp):
    """The extension; ``jupyter_server_config.d`` switches it on."""

    name = "jupyter_pipelines"
    load_other_extensions = True

    start_service = Bool(
        True,
        config=True,
        help="""Start the pipeline service in the background when it is missing, so that schedules are kept and the
        first run need not wait. It goes on when this server ends; `jupyter pipelines down` stops it.""",
    )

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(
            [
                (r"/jupyter-pipelines/api/status", StatusHandler),
                (r"/jupyter-pipelines/api/compile", CompileHandler),
                (r"/jupyter-pipelines/api/triggers/([0-9a-f]+)", TriggerHandler),
            ]
        )

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        if self.start_service:
            await asyncio.get_running_loop().run_in_executor(None, self._start_service)

    def _start_service(self) -> None:
        from jupyter_pipelines.errors import ServiceError
        from jupyter_pipelines.orchestration.service import start_missing_service
        from jupyter_pipelines.settings import Settings

        try:
            if start_missing_service(Settings.load()):
                self.log.info("Started the pipeline service; `jupyter pipelines down` stops it.")
        except (ServiceError, OSError) as error:
            self.log.warning("The pipeline service could not be started: %s", error)
