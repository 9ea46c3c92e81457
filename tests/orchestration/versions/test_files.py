"""What a version freezes, and what it refuses: nothing outside of the notebook's folder is read, or written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError, StoreError
from jupyter_pipelines.orchestration.versions import unpack
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store

Project = Callable[..., Path]

STEP = ("step:a", "x = 1")


def _frozen(notebook: Path) -> list[str]:
    return [file.path for file in jp.publish(notebook).content.files]


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


# Declared files


def test_patterns_find_files_and_whole_folders(project: Project) -> None:
    notebook = project(STEP, files=["*.csv", "data", "deep/**/*.txt", "./one.bin", "*.ipynb"])
    names = ("a.csv", "b c.csv", "data/x", "data/.hidden", "data/sub/y", "deep/1/2/z.txt", "one.bin", "other.ipynb")
    for name in names:
        path = notebook.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(10))
    (notebook.parent / "data" / "__pycache__").mkdir()
    (notebook.parent / "data" / "__pycache__" / "x.pyc").touch()
    assert _frozen(notebook) == sorted(names)


@pytest.mark.parametrize(
    "pattern",
    ["../secret", "/etc/passwd", "a/../../secret", "..", "C:/x", "a\\..\\x", "data/../..", "//x", "a\0b", ".", ""],
)
def test_patterns_that_lead_out_are_refused(project: Project, pattern: str) -> None:
    notebook = project(STEP, files=["own.txt", pattern])
    (notebook.parent / "own.txt").touch()
    (notebook.parent.parent / "secret").write_text("secret")
    with pytest.raises((RequestError, NotebookError)):  # `check` refuses an empty text
        jp.publish(notebook)
    assert jp.versions(notebook) == []


@pytest.mark.parametrize("link", ["file", "folder", "above"])
def test_links_that_lead_out_are_refused(project: Project, link: str) -> None:
    notebook = project(STEP, files=["inside/*"])
    outside = notebook.parent.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    inside = notebook.parent / "inside"
    if link == "above":
        inside.symlink_to(outside)
    else:
        inside.mkdir()
        (inside / "x").symlink_to(outside / "secret" if link == "file" else outside)
    with pytest.raises(RequestError, match="leads out of the notebook's folder"):
        jp.publish(notebook)


def test_a_link_within_the_folder_is_frozen_as_a_file(project: Project, tmp_path: Path) -> None:
    notebook = project(STEP, files=["link.txt"])
    (notebook.parent / "real.txt").write_text("real")
    (notebook.parent / "link.txt").symlink_to("real.txt")
    copy = unpack(jp.publish(notebook), tmp_path / "copy")
    assert not (copy.parent / "link.txt").is_symlink()
    assert (copy.parent / "link.txt").read_text() == "real"


def test_what_cannot_be_frozen_is_named(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = project(STEP, files=["thing*"])
    folder = notebook.parent
    with pytest.raises(RequestError, match="which nothing beside the notebook matches"):
        jp.publish(notebook)
    os.mkfifo(folder / "thing")
    with pytest.raises(RequestError, match="thing is not a regular file"):
        jp.publish(notebook)
    (folder / "thing").unlink()
    with open(folder / "thing.big", "wb") as file:
        file.truncate(200_000_001)
    with pytest.raises(RequestError, match=r"thing.big has 200 MB; the most is"):
        jp.publish(notebook)
    (folder / "thing.big").unlink()
    (folder / os.fsdecode(b"thing\xff")).touch()
    with pytest.raises(RequestError, match="name that other systems cannot have"):
        jp.publish(notebook)
    (folder / os.fsdecode(b"thing\xff")).unlink()
    monkeypatch.setattr("jupyter_pipelines.orchestration.versions.files.MOST_FILES", 3)
    for number in range(4):
        (folder / f"thing{number}").touch()
    with pytest.raises(RequestError, match="more than 3 files"):
        jp.publish(notebook)
    monkeypatch.undo()
    assert jp.versions(notebook) == []


def test_names_with_anything_in_them_survive(project: Project, tmp_path: Path) -> None:
    names = ["emoji 🦉.csv", "new\nline.csv", "-rf.csv", "…'\".csv", "םולש.csv"]
    notebook = project(STEP, files=["*.csv"])
    for name in names:
        (notebook.parent / name).write_text(name)
    copy = unpack(jp.publish(notebook), tmp_path / "copy").parent
    assert {path.name: path.read_text() for path in copy.glob("*.csv")} == {name: name for name in names}


@pytest.mark.parametrize("path", ["../evil", "/tmp/evil", "a/../../evil", "a\\evil", "", ".", "x\0y"])
def test_a_manifest_with_unsafe_names_is_refused(project: Project, tmp_path: Path, path: str) -> None:
    """Someone may write to the store, or bring versions from elsewhere."""
    store = Store(Settings.load().store)
    notebook = project(STEP, files=["own.txt"])
    (notebook.parent / "own.txt").write_text("own")
    version = jp.publish(notebook)
    manifest = json.loads(store.get(f"{version.id}.json"))
    manifest["files"][0]["path"] = path
    forged = store.put(json.dumps(manifest).encode(), ".json").removesuffix(".json")
    (log,) = (tmp_path / "store" / "pipelines").iterdir()
    entry = json.loads((log / "00000001.json").read_text())
    (log / "00000002.json").write_text(json.dumps(entry | {"version": forged}))
    assert [one.id for one in jp.versions(notebook)] == [version.id]
    with pytest.raises((StoreError, RequestError)):
        jp.run(notebook, version=forged)
    assert not (tmp_path / "evil").exists()


# Local modules


def test_modules_are_found_through_modules_and_packages(project: Project) -> None:
    notebook = project(
        ("setup", "import sys, numpy, first\nfrom package.part import thing\nsys.path.insert(0, 'src')\nimport below"),
        ("setup", "%run script.py --fast"),
        ("step:a", "def f():\n    import late\nfrom space.inner import x"),
        ("skip", "import never"),
    )
    _write(
        notebook.parent,
        {
            "first.py": "from second import *",
            "second.py": "import first  # a circle",
            "late.py": "import missing_module\nthis is not Python",
            "never.py": "",
            "unrelated.py": "",
            "script.py": "import by_script",
            "by_script.py": "",
            "package/__init__.py": "from . import sibling",
            "package/part.py": "from .sibling import x\nfrom ..package import other",
            "package/sibling.py": "import third",
            "package/deep/lazy.py": "",
            "third.py": "",
            "src/below.py": "",
            "space/inner.py": "",
            "space/outer.py": "",
        },
    )
    assert _frozen(notebook) == [
        *("by_script.py", "first.py", "late.py", "package/__init__.py", "package/deep/lazy.py", "package/part.py"),
        *("package/sibling.py", "script.py", "second.py", "space/inner.py", "src/below.py", "third.py"),
    ]


def test_modules_outside_of_the_folder_are_said_not_frozen(project: Project) -> None:
    notebook = project(("setup", "import sys\nsys.path.append('../lib')\nimport shared"), ("step:a", "x = shared.y"))
    _write(notebook.parent.parent / "lib", {"shared.py": "y = 1"})
    version = jp.publish(notebook)
    assert version.content.files == ()
    (note,) = version.notes
    assert note.code == "JP601"
    assert "lib/shared.py" in note.message


def test_a_module_that_shadows_the_standard_library_is_local(project: Project) -> None:
    notebook = project(("setup", "import statistics"), ("step:a", "x = statistics.y"))
    _write(notebook.parent, {"statistics.py": "y = 1"})
    assert _frozen(notebook) == ["statistics.py"]
