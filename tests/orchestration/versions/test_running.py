"""Running a version: what was frozen is as it was, all else is found where it is, and nothing a run makes is lost."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.orchestration.model import RunRecord
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.orchestration.versions.folders import unused_folders, used, working_folder
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

Project = Callable[..., Path]

READ = """
from pathlib import Path
read = [Path(name).read_text() for name in ("data/frozen.txt", "data/loose.txt", "../shared/common.txt")]
seen = [helper.value, *read]
"""
WRITE = """
with open("log.txt", "a") as log:
    log.write("x")
Path("new.txt").write_text("new")
Path("data/result.txt").write_text("result")
Path("out").mkdir(exist_ok=True)
_ = Path("out/deep.txt").write_text("deep")
"""


def _text(record: RunRecord) -> str:
    assert record.state == "completed", record.error
    executed = nbformat.read(record.executed_notebook, 4)
    return "".join(output["text"] for cell in executed.cells for output in cell.get("outputs", ()))


def _project(project: Project) -> Path:
    notebook = project(
        ("setup", "import helper"),
        ("step:read", READ),
        ("step:write", "from pathlib import Path\n" + WRITE),
        ("step:show", "print(seen, end='')"),
        files=["data/frozen.txt"],
    )
    files = {"data/frozen.txt": "frozen", "data/loose.txt": "loose", "log.txt": "", "../shared/common.txt": "common"}
    for name, content in {**files, "helper.py": "value = 'frozen'\n"}.items():
        path = notebook.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return notebook


def test_a_version_runs_with_what_it_froze(service: Endpoint, project: Project) -> None:
    notebook = _project(project)
    folder = notebook.parent
    version = jp.publish(notebook)
    (folder / "data/frozen.txt").write_text("edited")
    (folder / "helper.py").write_text("value = 'edited'\n")
    (folder / "data/loose.txt").write_text("edited")
    edited = nbformat.read(notebook, 4)
    edited.cells[3].source = "1 / 0"
    nbformat.write(edited, notebook)

    record = jp.run(notebook, version="published")
    assert _text(record) == "['frozen', 'frozen', 'edited', 'common']"
    assert (record.published, record.notebook) == (version.id, str(notebook))
    # What it wrote is beside the notebook; what was edited there since is not touched.
    made = {"log.txt": "x", "new.txt": "new", "data/result.txt": "result", "out/deep.txt": "deep"}
    assert {name: (folder / name).read_text() for name in made} == made
    assert (folder / "helper.py").read_text() == "value = 'edited'\n"
    assert (folder / "data/frozen.txt").read_text() == "edited"
    assert not any(path.is_symlink() for path in folder.rglob("*"))

    reused = jp.run(notebook, version=version.id[:8], reuse=True)
    assert {step.state for step in reused.steps} == {"reused"}

    # The notebook may be gone.
    notebook.unlink()
    assert _text(jp.run(notebook, version="published")) == "['frozen', 'frozen', 'edited', 'common']"


def test_a_failed_run_of_a_version_is_resumed_as_that_version(service: Endpoint, project: Project) -> None:
    notebook = project(
        ("step:a", "x = 1"), ("step:b", "from pathlib import Path\nprint(x + int(Path('y').read_text()))")
    )
    version = jp.publish(notebook)
    failed = jp.run(notebook, version="published")
    assert failed.state == "failed"
    (notebook.parent / "y").write_text("2")
    project(("step:a", "x = 100"), ("step:b", "print(x)"))
    resumed = jp.resume(failed.id)
    assert resumed.published == version.id
    assert [step.state for step in resumed.steps] == ["reused", "completed"]
    assert _text(resumed) == "3\n"


def test_the_service_runs_versions_too(service: Endpoint, project: Project) -> None:
    notebook = project(("setup", "import helper"), ("step:a", "print(helper.value)"))
    (notebook.parent / "helper.py").write_text("value = 'frozen'\n")
    version = jp.publish(notebook)
    (notebook.parent / "helper.py").write_text("value = 'edited'\n")
    run_id = jp.submit(notebook, version="published")
    while not (record := jp.get_run(run_id)).ended:
        time.sleep(0.1)
    assert record.published == version.id
    assert _text(record) == "frozen\n"


# The folder, without running


@pytest.fixture
def store() -> Store:
    return Store(Settings.load().store)


def test_a_version_without_files_runs_beside_its_notebook(project: Project, store: Store) -> None:
    notebook = project(("step:a", "x = 1"))
    assert working_folder(store, jp.publish(notebook).id, notebook) == notebook.parent


def test_the_folder_is_made_as_it_must_be_each_time(project: Project, store: Store) -> None:
    notebook = _project(project)
    home = notebook.parent
    version = jp.publish(notebook)
    folder = working_folder(store, version.id, notebook)
    assert sorted(path.name for path in folder.iterdir()) == ["data", "helper.py", "log.txt", "nb.ipynb"]
    os.chmod(folder / "helper.py", 0o600)
    (folder / "helper.py").write_text("value = 'altered'\n")
    (folder / "data/frozen.txt").unlink()
    (folder / "data/frozen.txt").symlink_to(home / "data/loose.txt")
    (home / "later.txt").write_text("later")
    (home / "log.txt").unlink()
    assert working_folder(store, version.id, notebook) == folder
    assert (folder / "helper.py").read_text() == "value = 'frozen'\n"
    assert (folder / "data/frozen.txt").read_text() == "frozen"
    assert not (folder / "data/frozen.txt").is_symlink()
    assert (folder / "later.txt").read_text() == "later"
    assert not os.path.lexists(folder / "log.txt")
    assert (home / "data/loose.txt").read_text() == "loose"


def test_new_files_go_home_with_the_last_run(project: Project, store: Store) -> None:
    notebook = _project(project)
    home = notebook.parent
    version = jp.publish(notebook).id
    folder = working_folder(store, version, notebook)
    with used(store, version, notebook):
        (home / "both").mkdir()
        (home / "both" / "home.txt").write_text("home")
        (folder / "both").mkdir()
        (folder / "both" / "run.txt").write_text("run")
        (folder / "latest").symlink_to("new.txt")
        with used(store, version, notebook):
            (folder / "new.txt").write_text("half")
        assert not (home / "new.txt").exists()  # somebody may be writing to it
        with open(folder / "new.txt", "a") as file:
            file.write(" and half")
        temporary = folder / "log.tmp"
        temporary.write_text("replaced")
        temporary.replace(folder / "log.txt")
    assert (home / "new.txt").read_text() == "half and half"
    assert (home / "log.txt").read_text() == "replaced"
    assert (folder / "new.txt").read_text() == "half and half"
    assert os.readlink(home / "latest") == "new.txt"
    assert sorted(path.name for path in (home / "both").iterdir()) == ["home.txt", "run.txt"]
    assert (working_folder(store, version, notebook) / "both" / "home.txt").read_text() == "home"


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no second disk")
def test_new_files_go_home_to_another_disk(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = _project(project)
    home = notebook.parent
    with tempfile.TemporaryDirectory(dir="/dev/shm") as disk:
        monkeypatch.setenv("JUPYTER_PIPELINES_STORE", disk)
        version = jp.publish(notebook).id
        folder = working_folder(Store(disk), version, notebook)
        before = {path.name for path in home.iterdir()}
        with used(Store(disk), version, notebook):
            (folder / "new.txt").write_text("new")
            (folder / "latest").symlink_to("new.txt")
            (folder / "made" / "deep").mkdir(parents=True)
            (folder / "made" / "deep" / "run.txt").write_text("run")
        assert (folder / "new.txt").is_symlink()
        assert ((home / "new.txt").read_text(), os.readlink(home / "latest")) == ("new", "new.txt")
        assert (home / "made" / "deep" / "run.txt").read_text() == "run"
        assert {path.name for path in home.iterdir()} == before | {"new.txt", "latest", "made"}


def test_a_folder_that_is_gone_is_not_put_in_place_again(project: Project, store: Store, tmp_path: Path) -> None:
    notebook = _project(project)
    version = jp.publish(notebook).id
    notebook.parent.rename(tmp_path / "elsewhere")
    folder = working_folder(store, version, notebook)
    assert (folder / "helper.py").read_text() == "value = 'frozen'\n"
    with used(store, version, notebook):
        (folder / "new.txt").write_text("kept")
    assert not notebook.parent.exists()
    assert (folder / "new.txt").read_text() == "kept"


def test_cleaning_takes_folders_that_nobody_works_in(project: Project, store: Store) -> None:
    notebook = _project(project)
    version = jp.publish(notebook).id
    folder = working_folder(store, version, notebook)
    later = time.time() + 10_000
    assert unused_folders(store, now=time.time()) == {}
    with used(store, version, notebook):
        assert unused_folders(store, now=later) == {}
    (found,) = unused_folders(store, now=later).values()
    assert found == sum(len((notebook.parent / name).read_bytes()) for name in ("helper.py", "data/frozen.txt"))
    (folder / "made.txt").write_text("a run that was killed has left this")
    assert unused_folders(store, now=later) == {}
