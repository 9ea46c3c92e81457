"""The routes. Each is authenticated and authorized, and holds no logic of its own."""

from __future__ import annotations

import asyncio
import json
from importlib.metadata import version
from typing import ClassVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from jupyter_pipelines.errors import PipelinesError
from jupyter_pipelines.server.requests import CompileRequest


class PipelinesHandler(ExtensionHandlerMixin, APIHandler):
    """What all routes share."""

    auth_resource: ClassVar[str] = "pipelines"

    def refuse(self, reason: str) -> None:
        """Answer 400 with a reason for the user."""
        self.set_status(400)
        self.finish(json.dumps({"reason": reason}))


class StatusHandler(PipelinesHandler):
    """``GET status``: that we are here, and which version."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer ``{"version": "…"}``."""
        self.finish(json.dumps({"version": version("jupyter_pipelines")}))


class CompileHandler(PipelinesHandler):
    """``POST compile``: a notebook in, its pipeline out. Nothing is run and nothing is kept.

    It is a *read*: it tells what a notebook means to someone who has the notebook.
    """

    # `authorized` takes POST for a write; people who may only look can still see their steps.
    @web.authenticated
    @authorized("read")  # type: ignore[untyped-decorator]  # jupyter_server types only the form without arguments
    async def post(self) -> None:
        """Answer the pipeline, or 400 with a reason."""
        try:
            request = CompileRequest.parse(self.request.body)
            # Compiling is up to a second of work on a large notebook: not on the loop that serves everyone.
            answer = await asyncio.get_running_loop().run_in_executor(None, _compile, request)
        except PipelinesError as error:
            self.refuse(error.message)
        else:
            self.finish(answer)


def _compile(request: CompileRequest) -> str:
    from jupyter_pipelines.graph import compile_pipeline, to_json
    from jupyter_pipelines.notebook import read_notebook

    return json.dumps(to_json(compile_pipeline(read_notebook(request.source, request.name))))
