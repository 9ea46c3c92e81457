"""Publishing, listing, rolling back, pinning: the log of versions is complete, and nobody's publication is lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.versions import get_version, history, unpack
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.collection import collect, find_garbage

Project = Callable[..., Path]

SPAWN = multiprocessing.get_context("spawn")  # other tests may have left threads here
CELLS = (("parameters", "n = 3"), ("setup", "from helper import double"), ("step:make", "x = double(n)"))


def _with_files(project: Project) -> Path:
    notebook = project(*CELLS, files=["data/*.csv"])
    (notebook.parent / "helper.py").write_text("def double(n):\n    return 2 * n\n")
    (notebook.parent / "data").mkdir()
    (notebook.parent / "data" / "ä b.csv").write_text("1,2\n")
    return notebook


def test_a_version_is_the_notebook_its_files_and_its_environment(project: Project, tmp_path: Path) -> None:
    notebook = _with_files(project)
    version = jp.publish(notebook, message="first", author="ada")
    assert (version.message, version.author, version.published, version.is_new) == ("first", "ada", True, True)
    assert [file.path for file in version.content.files] == ["data/ä b.csv", "helper.py"]
    environment = version.content.environment
    assert environment.python == ".".join(map(str, sys.version_info[:3]))
    assert "nbformat" in environment.packages
    copy = unpack(version, tmp_path / "copy")
    for path in ("helper.py", "data/ä b.csv"):
        assert (copy.parent / path).read_bytes() == (notebook.parent / path).read_bytes()
    assert [cell.source for cell in nbformat.read(copy, 4).cells] == [source for _, source in CELLS]
    assert sorted(path.name for path in copy.parent.iterdir()) == ["data", "helper.py", "nb.ipynb"]
    with pytest.raises(RequestError, match="there already"):
        unpack(version, copy.parent)


def test_the_same_content_is_the_same_version(project: Project) -> None:
    notebook = _with_files(project)
    first = jp.publish(notebook)
    executed = nbformat.read(notebook, 4)
    executed.cells[2].outputs = [nbformat.v4.new_output("stream", text="six")]
    executed.cells[2].execution_count = 7
    executed.cells[2].metadata["execution"] = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    nbformat.write(executed, notebook)
    again = jp.publish(notebook, message="executed since")
    assert again.id == first.id
    assert not again.is_new
    assert len(history(notebook)) == 1
    (notebook.parent / "helper.py").write_text("def double(n):\n    return n + n\n")
    assert jp.publish(notebook).id != first.id
    assert len(jp.versions(notebook)) == 2


def test_what_check_refuses_is_not_published(project: Project) -> None:
    notebook = project(("step:a", "x = ("))
    with pytest.raises(NotebookError, match="JP120"):
        jp.publish(notebook)
    assert jp.versions(notebook) == []


def test_rolling_back_and_pinning(project: Project) -> None:
    notebook = project(("step:a", "x = 1"))
    first = jp.publish(notebook)
    project(("step:a", "x = 2"))
    second = jp.publish(notebook)
    assert [version.id for version in jp.versions(notebook)] == [second.id, first.id]
    assert jp.rollback(notebook, first.id[:8]).published
    assert get_version(notebook).id == first.id
    assert jp.publish(notebook).id == second.id  # the file as it is was published before: it is so again
    assert get_version(notebook).id == second.id

    assert jp.pin(notebook, first.id).pinned
    project(("step:a", "x = 3"))
    third = jp.publish(notebook)
    assert third.is_new
    assert not third.published
    assert get_version(notebook).id == first.id
    with pytest.raises(RequestError, match="pinned"):
        jp.rollback(notebook, second.id)
    assert jp.unpin(notebook).id == third.id
    assert [entry.kind for entry in history(notebook)] == [
        *("publish", "publish", "rollback", "publish", "pin", "publish", "unpin")
    ]
    assert len(jp.versions(notebook)) == 3


@pytest.mark.parametrize("wanted", ["", "zz", "../x", "published\0"])
def test_versions_that_are_not_there(project: Project, wanted: str) -> None:
    notebook = project(("step:a", "x = 1"))
    with pytest.raises(RequestError, match="No version"):
        get_version(notebook, wanted)
    jp.publish(notebook)
    with pytest.raises(RequestError, match="has no version"):
        get_version(notebook, wanted)


def test_two_that_publish_at_once_are_both_in_the_list(project: Project) -> None:
    cells = [[("step:a", f"x = {number}")] for number in range(2)]
    notebooks = [project(*one, name="shared", at=f"{number}/nb.ipynb") for number, one in enumerate(cells)]
    jp.publish(notebooks[0])
    jp.publish(notebooks[1], continuing="shared")
    writers = [SPAWN.Process(target=_swap, args=(path,)) for path in notebooks]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(jp.versions("shared")) == 2 + 2 * 5
    assert len([version for version in jp.versions("shared") if version.published]) == 1


def _swap(path: Path) -> None:
    for number in range(5):
        text = path.read_text()
        path.write_text(text.replace("x = ", f"y{number} = {path.parent.name}\\nx = ", 1))
        jp.publish(path, continuing="shared")


def test_a_kill_in_the_middle_leaves_whole_versions_only(project: Project) -> None:
    notebook = _with_files(project)
    store = Store(Settings.load().store)
    jp.publish(notebook)
    for delay in (0.3, 0.37, 0.41, 0.53, 0.6):  # anywhere in the loop
        before = len(jp.versions(notebook))
        writer = SPAWN.Process(target=_publish_for_ever, args=(notebook,))
        writer.start()
        while len(jp.versions(notebook)) == before:
            time.sleep(0.01)
        time.sleep(delay)
        writer.kill()
        writer.join()
        listed = jp.versions(notebook)
        for version in listed:
            store.get_notebook(version.content.notebook)
            for file in version.content.files:
                store.get(file.address)
        assert sum(version.published for version in listed) == 1
    (notebook.parent / "helper.py").write_text("def double(n): return 'after'")
    assert jp.publish(notebook).is_new


def _publish_for_ever(path: Path) -> None:
    for number in range(10**6):
        (path.parent / "helper.py").write_text(f"def double(n): return {number, os.getpid()}")
        jp.publish(path)


def test_an_entry_that_was_cut_short_is_as_if_it_was_not(project: Project, tmp_path: Path) -> None:
    notebook = project(("step:a", "x = 1"))
    first = jp.publish(notebook)
    (log,) = (tmp_path / "store" / "pipelines").iterdir()
    (log / "00000002.json").write_text('{"kind": "publi')
    (log / "00000003.json").write_text('["not", "an", "entry"]')
    project(("step:a", "x = 2"))
    second = jp.publish(notebook)
    assert [version.id for version in jp.versions(notebook)] == [second.id, first.id]


def test_a_damaged_object_is_mended_by_publishing_again(project: Project) -> None:
    notebook = _with_files(project)
    version = jp.publish(notebook)
    store = Store(Settings.load().store)
    for address in (version.content.notebook, version.content.files[0].address, f"{version.id}.json"):
        store.object_path(address).write_bytes(b"rubbish")
    assert jp.publish(notebook).id == version.id
    assert jp.check_version(version.id) == ()


def test_cleaning_keeps_what_was_published(project: Project) -> None:
    notebook = _with_files(project)
    version = jp.publish(notebook)
    store = Store(Settings.load().store)
    loose = store.put(b"nobody refers to this", ".file")
    garbage = find_garbage(store, now=time.time() + 10**6)
    assert list(garbage.objects) == [store.object_path(loose)]
    collect(store, garbage)
    assert not store.has_object(loose)
    assert jp.check_version(version.id) == ()


def test_cleaning_leaves_what_was_put_again_since_it_looked(project: Project) -> None:
    store = Store(Settings.load().store)
    address = store.put(b"old", ".file")
    os.utime(store.object_path(address), (1, 1))
    garbage = find_garbage(store, now=time.time() - 1)
    assert list(garbage.objects) == [store.object_path(address)]
    store.put(b"old", ".file")
    collect(store, garbage)
    assert store.has_object(address)


# Which pipeline a notebook is


def test_a_moved_notebook_continues_its_history_when_it_says_so(project: Project) -> None:
    old = project(("step:a", "x = 1"), at="old.ipynb")
    first = jp.publish(old)
    new = old.rename(old.with_name("new.ipynb"))
    assert jp.versions(new) == []
    with pytest.raises(RequestError, match="Nothing was published as"):
        jp.publish(new, continuing="elsewhere.ipynb")
    assert jp.publish(new, continuing=str(old)).id == first.id
    assert [version.id for version in jp.versions(new)] == [first.id]
    assert jp.versions(new)[0].notebook == str(new)
    assert jp.drift(new).is_clean
    project(("step:a", "x = 2"), at="new.ipynb")
    assert len({jp.publish(new).id, *(version.id for version in jp.versions(old))}) == 2
    # Another notebook at the old path is another pipeline; it must be told from the one that was there.
    project(("step:b", "y = 1"), at="old.ipynb")
    with pytest.raises(RequestError, match="is published from"):
        jp.publish(old)


def test_a_named_pipeline_moves_along_and_a_copy_is_refused(project: Project) -> None:
    first = jp.publish(project(("step:a", "x = 1"), name="sales", at="a/nb.ipynb"))
    copy = project(("step:a", "x = 2"), name="sales", at="b/nb.ipynb")
    with pytest.raises(RequestError, match="is published from"):
        jp.publish(copy)
    Path(first.notebook).unlink()
    second = jp.publish(copy)
    assert second.pipeline == "sales"
    assert [version.id for version in jp.versions("sales")] == [second.id, first.id]
    other = project(("step:a", "x = 3"), at="c/nb.ipynb")
    jp.publish(other)
    with pytest.raises(RequestError, match="calls its pipeline 'sales'"):
        jp.publish(copy, continuing=str(other))


def test_a_name_that_is_a_path_is_refused(project: Project) -> None:
    with pytest.raises(RequestError, match="is a path"):
        jp.publish(project(("step:a", "x = 1"), name="/tmp/other.ipynb"))


def test_a_notebook_with_half_a_character(project: Project) -> None:
    notebook = project(("step:a", "x = 1"))
    content = json.loads(notebook.read_text())
    content["cells"].append({"cell_type": "markdown", "id": "half", "metadata": {}, "source": "half: \ud83d"})
    notebook.write_text(json.dumps(content))
    version = jp.publish(notebook)
    assert jp.drift(notebook).is_clean
    assert jp.diff(notebook).is_empty
    assert jp.publish(notebook).id == version.id
