"""Servers with our extension. The fixtures are brought in here, so that their event loop stays out of other tests."""

from __future__ import annotations

import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403
from traitlets.config import Config


@pytest.fixture
def jp_server_config() -> Config:
    return Config(
        {
            "ServerApp": {
                "jpserver_extensions": {"jupyter_pipelines": True},
                # With this, the server warns of routes that forget to ask who is there.
                "allow_unauthenticated_access": False,
            }
        }
    )
