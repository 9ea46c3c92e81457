"""A version that would not work here today says so, and why."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.changes import Changes
from jupyter_pipelines.orchestration.scheduling import describe, get_schedule
from jupyter_pipelines.orchestration.scheduling.foreseeing import Foreseer
from jupyter_pipelines.orchestration.service.home import ServiceHome
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

Project = Callable[..., Path]


def _install(folder: Path, name: str, module: str, version: str) -> Path:
    (folder / f"{module}.py").write_text("x = 1\n")
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (metadata / "RECORD").write_text(f"{module}.py,,\n{metadata.name}/METADATA,,\n")
    return metadata


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path where packages are installed."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def _codes(version: str) -> list[tuple[str, str]]:
    return [(finding.code, str(finding.severity)) for finding in jp.check_version(version)]


def test_packages_that_are_missing_or_have_another_major_version(project: Project, packages: Path) -> None:
    used = _install(packages, "Used_Thing", "usedmodule", "1.2")
    young = _install(packages, "young", "young", "0.3.1")
    other = _install(packages, "other", "other", "5")
    notebook = project(("setup", "import usedmodule, young"), ("step:a", "x = usedmodule.x"))
    version = jp.publish(notebook)
    environment = version.content.environment
    assert environment.imported == ("used-thing", "young")
    assert environment.packages["used-thing"] == "1.2"
    assert _codes(version.id) == []

    used = used.rename(packages / "Used_Thing-1.9.dist-info")
    assert _codes(version.id) == []
    used = used.rename(packages / "Used_Thing-2.0.dist-info")
    young = young.rename(packages / "young-0.4.0.dist-info")
    other.rename(packages / "other-6.dist-info")
    assert _codes(version.id) == [("JP606", "warning"), ("JP606", "warning"), ("JP606", "info")]
    for file in (*used.iterdir(), *young.iterdir()):
        file.unlink()
    used.rmdir()
    young.rmdir()
    assert _codes(version.id) == [("JP605", "error"), ("JP605", "error"), ("JP606", "info")]
    (finding, *_) = jp.check_version(version.id[:10])
    assert "used-thing 1.2, which it imports, is not installed" in finding.message
    assert ("used-thing", "1.2", None) in {
        (change.name, change.before, change.after) for change in jp.diff(notebook).environment
    }


def test_a_kernel_that_is_gone(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = tmp_path / "jupyter" / "kernels" / "mine"
    kernel.mkdir(parents=True)
    spec = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "Mine"}
    (kernel / "kernel.json").write_text(json.dumps(spec | {"language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    notebook = project(("step:a", "x = 1"))
    content = nbformat.read(notebook, 4)
    content.metadata["kernelspec"] = {"name": "mine", "display_name": "Mine", "language": "python"}
    nbformat.write(content, notebook)
    version = jp.publish(notebook)
    assert version.content.environment.kernel == "mine"
    (kernel / "kernel.json").unlink()
    assert _codes(version.id) == [("JP501", "error")]
    with pytest.raises(NotebookError, match="JP501"):
        jp.publish(notebook)


def test_parts_that_the_store_has_lost(project: Project) -> None:
    notebook = project(("step:a", "x = 1"), files=["a.txt"])
    (notebook.parent / "a.txt").write_text("a")
    version = jp.publish(notebook)
    Store(Settings.load().store).object_path(version.content.files[0].address).unlink()
    assert _codes(version.id) == [("JP602", "error")]


def test_another_python_or_system(project: Project) -> None:
    from dataclasses import replace

    from jupyter_pipelines.orchestration.versions.environment import compare_environments

    now = jp.publish(project(("step:a", "x = 1"))).content.environment
    then = replace(now, python="3.8.1", platform="plan9-mips")
    assert [finding.code for finding in compare_environments(then, now)] == ["JP603", "JP604"]
    assert compare_environments(now, now) == []


@pytest.mark.parametrize("wanted", ["", "0" * 40, "../x"])
def test_a_version_that_is_not_there(wanted: str) -> None:
    with pytest.raises(RequestError, match="There is no version"):
        jp.check_version(wanted)


def test_a_schedule_says_what_its_next_run_will_fail_of(
    project: Project, packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("jupyter_pipelines.orchestration.scheduling.making.ensure_service", lambda *_: None)
    used = _install(packages, "Used_Thing", "usedmodule", "1.2")
    notebook = project(("setup", "import usedmodule"), ("step:a", "x = usedmodule.x"))
    jp.publish(notebook)
    made = jp.schedule(notebook, "every year on 1 march")
    assert made.version == "published"

    def told() -> object:
        Foreseer(tmp_path / "home", after=0.0).look()
        return describe(get_schedule(made.id))["problem"]

    assert told() == ""
    changes = Changes(Settings.load())
    away = used.rename(tmp_path / "away")
    problem = str(told())
    assert ("schedule", made.id) in {(change.kind, change.id) for change in changes.look()}
    assert "Its next run will fail as things are: used-thing 1.2, which it imports, is not installed." in problem
    with ServiceHome(tmp_path / "home").held():
        assert [(one.state, one.problem) for one in jp.pipelines()] == [("will-fail", problem)]
        jp.pause(made.id)
        assert [one.state for one in jp.pipelines()] == ["paused"]
        jp.unpause(made.id)
    project(("step:a", "x = 1"))
    jp.publish(notebook)
    assert describe(get_schedule(made.id))["problem"] == ""  # what was said is of another version
    jp.rollback(notebook, jp.versions(notebook)[-1].id)
    assert "used-thing" in str(told())
    away.rename(used)
    assert told() == ""
    with ServiceHome(tmp_path / "home").held():
        assert [one.state for one in jp.pipelines()] == ["active"]
    assert Foreseer(tmp_path / "home").look() > 1  # not while everything starts
