"""What every test shares: nothing a test does may reach the state of the person who runs it."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the service, its store and Prefect's own files in a folder of this test session."""
    os.environ["JUPYTER_PIPELINES_HOME"] = str(tmp_path_factory.mktemp("home"))
    os.environ.pop("JUPYTER_PIPELINES_STORE", None)
    os.environ.pop("PREFECT_API_URL", None)
