"""Loads with the Jupyter server and adds our routes to it."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp

from jupyter_pipelines.server.handlers import CompileHandler, StatusHandler


class PipelinesApp(ExtensionApp):
    """The extension; ``jupyter_server_config.d`` switches it on."""

    name = "jupyter_pipelines"
    load_other_extensions = True

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(
            [
                (r"/jupyter-pipelines/api/status", StatusHandler),
                (r"/jupyter-pipelines/api/compile", CompileHandler),
            ]
        )
