"""Schedules that follow a file or a git ref: what is good is published, what is not is said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import jupyter_pipelines as jp
from jupyter_pipelines.errors import NotebookError, RequestError
from jupyter_pipelines.orchestration.following import follower
from jupyter_pipelines.orchestration.following.follower import Follower
from jupyter_pipelines.orchestration.following.model import Followed, load_followed
from jupyter_pipelines.orchestration.scheduling import ScheduleRecord, describe
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *who, "-C", str(folder), *words], check=True, capture_output=True, env=environment)


def known(made: ScheduleRecord) -> Followed:
    found = load_followed(Settings.load().home, made.id)
    assert found is not None
    return found


@pytest.fixture
def looks(service: Endpoint, store: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have a worker's follower look until it has nothing more to do."""
    monkeypatch.setattr(follower, "OF_REFS", 0.0)
    one = Follower(Settings.load().home)

    def look() -> None:
        one.look()
        one.look()  # at the files, too, that were frozen the first time
        while one.look() == follower.OF_PROOFS:
            pass

    return look


def test_what_is_saved_is_published_while_it_is_good(looks: Callable[[], None], write: WriteNotebook) -> None:
    notebook = write(("step:one", "import helper\nprint(helper.one)"))
    (notebook.parent / "helper.py").write_text("one = 1")
    made = jp.schedule(notebook, "every year on 1 march", follow=True)
    (first,) = jp.versions(notebook)
    assert (made.version, known(made).version, known(made).state) == ("published", first.id, "current")
    looks()
    assert len(jp.versions(notebook)) == 1
    (notebook.parent / "helper.py").write_text("one = 2")
    looks()
    assert len(jp.versions(notebook)) == 2
    write(("step:one", "print(nobody_knows_this)"))
    looks()
    refused = describe(made)["followed"]
    assert isinstance(refused, dict)
    assert (refused["state"], "nobody_knows_this" in refused["problem"]) == ("refused", True)
    assert refused["version"] == jp.versions(notebook)[0].id
    notebook.unlink()
    looks()
    assert "no notebook" in known(made).problem
    write(("step:one", "print('good')"))
    looks()
    assert (known(made).state, len(jp.versions(notebook))) == ("current", 3)
    jp.unschedule(made.id)
    assert load_followed(Settings.load().home, made.id) is None


def test_with_verify_only_what_is_equivalent_is_published(looks: Callable[[], None], write: WriteNotebook) -> None:
    notebook = write(("step:one", "x = 1"), ("step:two", "print(x)"))
    made = jp.schedule(notebook, "every year on 1 march", follow=True)
    Shelf(Settings.load().home).save(replace(made, verify=True))
    lock = "import importlib\nx = importlib.import_module('threading').Lock()"
    write(("step:one", lock), ("step:two", "print(x)"))
    looks()
    assert (known(made).state, len(jp.versions(notebook))) == ("refused", 1)
    assert "verify" in known(made).problem
    jp.unschedule(made.id)


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_a_ref_is_published_when_it_moves_whatever_the_file_is(looks: Callable[[], None], write: WriteNotebook) -> None:
    notebook = write(("step:one", "import helper\nprint(helper.one)"))
    folder = notebook.parent
    (folder / "helper.py").write_text("one = 1")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "nb.ipynb", "helper.py")
    git(folder, "commit", "--quiet", "-m", "first")
    write(("step:one", "print('half done')"))
    made = jp.schedule(notebook, "every year on 1 march", ref="main")
    (first,) = jp.versions(notebook)
    assert [file.path for file in first.content.files] == ["helper.py"]
    assert "main at " in first.message
    looks()
    assert len(jp.versions(notebook)) == 1  # that the file was saved is nothing to it
    git(folder, "commit", "--quiet", "-am", "second")
    looks()
    assert len(jp.versions(notebook)) == 2
    assert "half done" in notebook.read_text()
    git(folder, "branch", "-m", "main", "other")
    looks()
    assert (known(made).state, known(made).version) == ("refused", jp.versions(notebook)[0].id)
    jp.unschedule(made.id)


def test_what_cannot_be_followed_is_refused_and_nothing_kept(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    notebook = write(("step:one", "1"))
    for ref in ("--upload-pack=touch x", "main; touch x", "a..b", "", "@{u}", "x^{/y}"):
        with pytest.raises(RequestError, match="no name of a git ref"):
            jp.schedule(notebook, "daily", ref=ref)
    for contradiction in ({"verify": True}, {"follow": True, "ref": "main"}, {"follow": True, "version": "published"}):
        with pytest.raises(RequestError):
            jp.schedule(notebook, "daily", **contradiction)  # type: ignore[arg-type]  # wrong ones
    with pytest.raises(RequestError, match="git"):
        jp.schedule(notebook, "daily", ref="main")
    write(("step:one", "print(nobody_knows_this)"))
    with pytest.raises(NotebookError):
        jp.schedule(notebook, "daily", follow=True)
    assert not jp.schedules(notebook)
    assert not jp.versions(notebook)
