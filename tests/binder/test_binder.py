"""Binder's own steps, in a virtual environment that has nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import venv
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of this repository as Binder clones them, with the front end as `make` built it."""
    folder = tmp_path_factory.mktemp("binder") / "repository"
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=repository,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listing.stdout.splitlines():
        if (repository / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / name, folder / name)
    built = "jupyter_pipelines/labextension"
    shutil.copytree(repository / built, folder / built, dirs_exist_ok=True)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_visitors_find_the_example_and_the_panel(checkout, tmp_path):
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "VIRTUAL"))}
    variables |= {
        "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "HATCH_JUPYTER_BUILDER_SKIP_NPM": "1",  # the front end's build has its own tests
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_PIPELINES_HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
        "PIP_QUIET": "1",
        "PIP_NO_COMPILE": "1",  # most of what is installed is never imported here
    }

    def run(*command: str) -> str:
        result = subprocess.run(command, check=False, cwd=checkout, env=variables, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout + result.stderr

    run("bash", "binder/postBuild")
    listing = run("jupyter", "labextension", "list")
    assert "jupyter-pipelines" in listing
    (workspace,) = (tmp_path / "workspaces").glob("*.jupyterlab-workspace")
    layout = json.loads(workspace.read_text())["data"]["layout-restorer:data"]
    assert layout["right"]["current"] == "jupyter-pipelines-panel"
    assert (checkout / layout["main"]["current"].removeprefix("notebook:")).is_file()
    # What Binder starts is handed through as it is.
    assert run("bash", "binder/start", "python", "-c", "print('Jupyter' + 'Lab')").strip() == "JupyterLab"
    run("jupyter", "pipelines", "down")
