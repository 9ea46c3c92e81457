"""Describing the environment that a notebook's kernel has, and what is different in it now.

Installed packages are known by the names of their metadata folders (the Core Metadata specification fixes these), so
that describing takes milliseconds and runs nothing in that environment but its interpreter.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from jupyter_pipelines.diagnostics import Diagnostic, Severity
from jupyter_pipelines.orchestration.versions.model import Environment

_PATIENCE = 20.0  # seconds for another interpreter to say what it is
_ASK = "import json, platform, sys; print(json.dumps([platform.python_version(), sys.path]))"
_INSTALL = "Install it in the kernel's environment, or publish the notebook as it works today."


def describe_environment(kernel_name: str, modules: Collection[str] = ()) -> Environment:
    """The environment of the kernel called ``kernel_name``; ``modules`` are the top-level ones that are imported.

    A kernel that is not installed, or not Python, has no packages and no Python version.
    """
    name = kernel_name or "python3"
    version, places = _interpreter(name)
    metadata = _metadata_folders(places)
    packages = {package: number for package, (number, _) in sorted(metadata.items())}
    imported = _distributions_of(set(modules) - sys.stdlib_module_names, metadata)
    system = f"{platform.system()}-{platform.machine()}".lower()
    return Environment(name, version, system, packages, tuple(sorted(imported)))


def compare_environments(then: Environment, now: Environment) -> list[Diagnostic]:
    """What speaks against running today what worked in ``then``: errors where it cannot, warnings where it may not."""
    found: list[Diagnostic] = []
    if then.python and now.python and _minor(then.python) != _minor(now.python):
        found.append(_warning("JP603", f"it was published with Python {then.python}, now it is {now.python}"))
    if then.platform != now.platform:
        found.append(_warning("JP604", f"it was published on {then.platform}, this is {now.platform}"))
    if not now.packages:
        return found
    rest_gone, rest_other = [], []
    for package, version in then.packages.items():
        today = now.packages.get(package)
        imported = package in then.imported
        if today is None and imported:
            message = f"{package} {version}, which it imports, is not installed"
            found.append(Diagnostic("JP605", Severity.ERROR, message, _INSTALL))
        elif today is None:
            rest_gone.append(package)
        elif _major(today) != _major(version) and imported:
            found.append(_warning("JP606", f"{package} was {version} and is {today} now"))
        elif _major(today) != _major(version):
            rest_other.append(f"{package} {version} → {today}")
    if rest_gone:
        found.append(Diagnostic("JP605", Severity.INFO, f"not installed any more: {_listed(rest_gone)}"))
    if rest_other:
        found.append(Diagnostic("JP606", Severity.INFO, f"other major versions: {_listed(rest_other)}"))
    return found


def _warning(code: str, message: str) -> Diagnostic:
    return Diagnostic(code, Severity.WARNING, message, "Run `jupyter pipelines verify`, and publish it again.")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _minor(version: str) -> tuple[str, ...]:
    return tuple(version.split(".")[:2])


def _major(version: str) -> tuple[str, ...]:
    """What changes when a release may break its users: the first number, and the second below 1.0."""
    parts = version.rpartition("!")[2].split(".")
    return tuple(parts[:2]) if parts[0] == "0" else tuple(parts[:1])


def _interpreter(kernel_name: str) -> tuple[str, list[str]]:
    """The version of the Python that the kernel runs on, and where it looks for packages."""
    from jupyter_client.kernelspec import KernelSpecManager

    try:
        python = KernelSpecManager().get_kernel_spec(kernel_name).argv[0]
    except (KeyError, IndexError):  # NoSuchKernel is a KeyError
        return "", []
    if re.fullmatch(r"python(3(\.\d+)?)?", python) or os.path.realpath(python) == os.path.realpath(sys.executable):
        here = os.getcwd()  # may be on the path: what is installed there only we would find
        return platform.python_version(), [place for place in sys.path if os.path.abspath(place) != here]
    if not re.match(r"(python|pypy)[\d.]*(\.exe)?$", Path(python).name):
        return "", []
    try:
        asked = subprocess.run(
            [python, "-c", _ASK], capture_output=True, timeout=_PATIENCE, check=True, cwd=Path(python).anchor or None
        )
        version, places = json.loads(asked.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return "", []
    return str(version), [str(place) for place in places]


def _metadata_folders(places: Sequence[str]) -> dict[str, tuple[str, Path]]:
    """Version and metadata folder of each package; the first place on the path counts, as for imports."""
    found: dict[str, tuple[str, Path]] = {}
    for place in places:
        try:
            names = sorted(os.listdir(place)) if place else []
        except OSError:
            continue
        for name in names:
            stem, kind = os.path.splitext(name)
            if kind in {".dist-info", ".egg-info"}:
                package, dash, version = stem.partition("-")
                version = version.partition("-py")[0] if dash else _stated_version(Path(place, name))
                found.setdefault(_normal(package), (version, Path(place, name)))
    return found


def _stated_version(folder: Path) -> str:
    try:
        text = (folder / "PKG-INFO").read_text(errors="replace")
    except OSError:
        return ""
    stated = re.search(r"^Version: (\S+)", text, re.MULTILINE)
    return stated[1] if stated else ""


def _distributions_of(modules: Collection[str], metadata: Mapping[str, tuple[str, Path]]) -> Iterator[str]:
    """The packages that ``modules`` come from; what is not installed as a package is passed over."""
    rest = set()
    for module in modules:
        if _normal(module) in metadata:
            yield _normal(module)
        else:
            rest.add(module)
    if not rest:
        return
    for package, (_, folder) in metadata.items():
        if rest & _top_level(folder):
            yield package


def _top_level(folder: Path) -> set[str]:
    for name in ("top_level.txt", "RECORD"):
        try:
            lines = (folder / name).read_text(errors="replace").splitlines()
        except OSError:
            continue
        return {re.split(r"[/.,]", line, maxsplit=1)[0] for line in lines if ".dist-info" not in line}
    return set()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
