"""Checks of what is installed: Python, the versions of what we build on, the two extensions."""

from __future__ import annotations

import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from jupyter_pipelines.cli.doctor.check import ProblemError

PACKAGE = "jupyter_pipelines"
LAB_EXTENSION = "jupyter-pipelines"

_REASONS = {
    "fastapi": "with a newer one Prefect's server does not import",
    "sqlalchemy": "with 2.1 Prefect's scheduler fails to insert, and no scheduled run ever appears",
    "prefect": "deployments, task runs and events are tested with these",
    "duckdb": "each major version may change the format of the file",
    "papermill": "older ones do not pass options on to engines",
    "jupyterlab": "the front end is built for these",
}


def python() -> str:
    """Python is one that we support."""
    from importlib import metadata

    version = ".".join(map(str, sys.version_info[:3]))
    wanted = metadata.metadata(PACKAGE)["Requires-Python"]
    if not SpecifierSet(wanted).contains(version, prereleases=True):
        raise ProblemError(f"Python {version} is not {wanted}", f"make a new environment with Python {wanted}")
    return f"{version} at {sys.executable}"


def versions() -> str:
    """Everything we depend on is installed, in a version that works."""
    from importlib import metadata

    wrong, fixes, number = [], [], 0
    for text in metadata.requires(PACKAGE) or []:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        number += 1
        try:
            installed = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            installed = "nothing"
        if installed == "nothing" or not requirement.specifier.contains(installed, prereleases=True):
            reason = _REASONS.get(requirement.name.lower(), "")
            wrong.append(f"{requirement} is needed, {installed} is installed" + (f" ({reason})" if reason else ""))
            fixes.append(f'"{requirement}"')
    if wrong:
        raise ProblemError("\n".join(wrong), f"pip install {' '.join(fixes)}")
    return f"{number} packages within their bounds"


def lab_extension() -> str:
    """JupyterLab finds our extension and has not been told to leave it out."""
    import json

    from jupyter_core.paths import jupyter_path
    from jupyterlab_server.config import get_page_config

    paths = jupyter_path("labextensions")
    found = [Path(path) / LAB_EXTENSION / "package.json" for path in paths]
    manifest = next((path for path in found if path.is_file()), None)
    if manifest is None:
        raise ProblemError(
            f"JupyterLab finds no extension {LAB_EXTENSION} in {', '.join(paths)}",
            "install the package with pip (not from a bare checkout), into the environment JupyterLab runs in",
        )
    built = json.loads(manifest.read_text(encoding="utf-8")).get("jupyterlab", {}).get("_build", {})
    if not built.get("load") or not (manifest.parent / built["load"]).is_file():
        raise ProblemError(f"the extension in {manifest.parent} has not been built", "make build, or install the wheel")
    disabled = get_page_config(paths).get("disabledExtensions", {})
    if any(name == LAB_EXTENSION or name.startswith(f"{LAB_EXTENSION}:") for name in disabled):
        raise ProblemError("the extension is disabled", f"jupyter labextension enable {LAB_EXTENSION}")
    return str(manifest.parent)


def server_extension() -> str:
    """Jupyter Server is configured to load our extension, and it can be loaded."""
    from jupyter_core.paths import jupyter_config_path
    from jupyter_server.extension.config import ExtensionConfigManager
    from jupyter_server.extension.manager import ExtensionPackage

    folders = [str(Path(path) / "jupyter_server_config.d") for path in jupyter_config_path()]
    enabled: dict[str, bool] = {}
    for folder in reversed(jupyter_config_path()):
        manager = ExtensionConfigManager(read_config_path=[folder, str(Path(folder) / "jupyter_server_config.d")])
        enabled |= manager.get_jpserver_extensions()  # type: ignore[no-untyped-call]  # typed in parts
    if PACKAGE not in enabled:
        raise ProblemError(
            f"no file in {', '.join(folders)} names {PACKAGE}",
            f"jupyter server extension enable {PACKAGE} --sys-prefix",
        )
    if not enabled[PACKAGE]:
        raise ProblemError("the server extension is disabled", f"jupyter server extension enable {PACKAGE}")
    package = ExtensionPackage(name=PACKAGE, enabled=True)  # type: ignore[no-untyped-call]  # typed in parts
    if not package.validate():  # type: ignore[no-untyped-call]  # typed in parts
        raise ProblemError("the server extension cannot be loaded", "jupyter server extension list tells why")
    return "enabled"
