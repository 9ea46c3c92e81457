"""The wheel: what is in it, and that it works where there is no Node."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]


@pytest.fixture(scope="session")
def wheel(distributions: Path) -> Path:
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs commands of an environment that has the wheel, and no Node on its path.

    Its dependencies are those of the environment the tests run in: installing them again would only take long.
    """
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--python", str(folder / "bin" / "python"), "install", "--no-deps", str(wheel)], check=True)
    # Paths come after the environment's own; `.pth` files in there, such as the editable install's, are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "VIRTUAL"))}
    environment |= {"PATH": str(folder / "bin"), "JUPYTER_CONFIG_DIR": str(folder / "config")}

    def run(*arguments: str) -> str:
        command = [str(folder / "bin" / "python"), *arguments]
        result = subprocess.run(command, check=False, env=environment, cwd=folder, capture_output=True, text=True)
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    return run


def test_it_holds_the_front_end_once_and_no_sources_of_it(wheel, repository):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (package,) = [name for name in names if name.endswith("labextensions/jupyter-pipelines/package.json")]
        shipped = json.loads(archive.read(package))
    source = json.loads((repository / "labextension" / "package.json").read_text())
    assert shipped["version"] == source["version"]
    folder = package.removesuffix("package.json")
    assert f"{folder}{shipped['jupyterlab']['_build']['load']}" in names
    assert f"{folder}install.json" in names
    assert {f"{folder}schemas/jupyter-pipelines/{name}.json" for name in ("cells", "panel")} <= set(names)
    assert any(name.endswith("etc/jupyter/jupyter_server_config.d/jupyter_pipelines.json") for name in names)
    assert not [name for name in names if name.endswith((".ts", ".tsx")) or "node_modules" in name]
    assert not [name for name in names if name.startswith("jupyter_pipelines/labextension")]
    assert not [name for name in names if name.startswith(("tests/", "example_notebooks/"))]


def test_jupyterlab_and_the_server_find_it(installed):
    place = installed("-c", "import jupyter_pipelines; print(jupyter_pipelines.__file__)")
    assert "environment" in place
    listing = installed("-m", "jupyterlab.labextensions", "list")
    (line,) = [line for line in listing.splitlines() if "jupyter-pipelines v" in line]
    assert "enabled" in line
    assert "OK" in line
    assert "(python, jupyter_pipelines)" in line
    listing = installed("-m", "jupyter_server.extension.serverextension", "list")
    (line,) = [line for line in listing.splitlines() if "jupyter_pipelines" in line and "OK" in line]


def test_the_command_line_is_there(installed):
    assert "usage: jupyter pipelines" in installed("-m", "jupyter", "pipelines", "--help")
