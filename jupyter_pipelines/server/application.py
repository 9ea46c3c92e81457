"""Loads with the Jupyter server and adds our routes to it."""

from __future__ import annotations

import asyncio

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Bool

from jupyter_pipelines.server.events import PATH as EVENTS
from jupyter_pipelines.server.events import EventsHandler
from jupyter_pipelines.server.handler import SETTING, State, handlers_of
from jupyter_pipelines.server.openapi import ROUTE
from jupyter_pipelines.server.route import PREFIX
from jupyter_pipelines.server.table import ROUTES
from jupyter_pipelines.server.trigger import ROUTE as BY_TOKEN
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

    def initialize_settings(self) -> None:
        """Make what the handlers share."""
        self.settings[SETTING] = State()

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(handlers_of((*ROUTES, ROUTE), {BY_TOKEN.path: TriggerHandler}))
        self.handlers.append((f"{PREFIX}/{EVENTS}", EventsHandler))

    async def stop_extension(self) -> None:
        """Look for no more changes, and begin nothing more."""
        state: State = self.settings[SETTING]
        state.stream.end()
        state.threads.end()

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
