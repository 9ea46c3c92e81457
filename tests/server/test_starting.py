"""JupyterLab starts the service when it is missing, waits for nothing, and does not take it along when it ends."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from jupyter_server.serverapp import ServerApp

from jupyter_pipelines.orchestration.service import service_status, stop_service
from jupyter_pipelines.settings import Settings


async def test_the_service_is_started_once_and_in_a_session_of_its_own(
    jp_serverapp: ServerApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(tmp_path / "pipelines", str(tmp_path / "store"), 2)
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(settings.home))
    extension = jp_serverapp.extension_manager.extension_apps["jupyter_pipelines"].copy().pop()
    try:
        extension.start_service = False
        await jp_serverapp.extension_manager.start_all_extensions()
        assert not settings.home.exists()
        extension.start_service = True
        await jp_serverapp.extension_manager.start_all_extensions()
        async with asyncio.timeout(20):
            while (status := service_status(settings)) is None:  # noqa: ASYNC110 - nothing tells us
                await asyncio.sleep(0.05)
        assert os.getsid(status.pid) == status.pid
        await jp_serverapp.extension_manager.start_all_extensions()
        again = service_status(settings)
        assert again is not None and again.pid == status.pid
    finally:
        assert stop_service(settings)
