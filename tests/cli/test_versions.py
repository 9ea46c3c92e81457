"""`publish`, `versions`, `diff`, `rollback` and `run --version` from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.service import Endpoint

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PIPELINES_STORE", str(tmp_path / "store"))


def _json(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*words, "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def test_from_publishing_to_rolling_back(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = str(write(("step:a", "x = 1"), ("step:b", "print(x)")))
    assert main(["versions", notebook]) == 0
    assert "no version" in capsys.readouterr().out
    first = _json(capsys, "publish", notebook, "-m", "the first")
    assert (first["is_new"], first["message"], first["notes"]) == (True, "the first", [])
    assert main(["publish", notebook]) == 0
    assert f"nothing new: this is version {first['id'][:8]}" in capsys.readouterr().out

    write(("step:a", "x = 2"), ("step:b", "print(x)"))
    assert main(["versions", notebook]) == 0
    told = capsys.readouterr().out
    assert "the first" in told
    assert f"has drifted from {first['id'][:8]}: 1 cell changed." in told
    assert main(["diff", notebook]) == 0
    told = capsys.readouterr().out
    assert "cell 1 (x = 2): changed\n  - x = 1\n  + x = 2\n" in told
    assert "cell 2" not in told
    assert main(["publish", notebook, "-m", "the second"]) == 0
    assert "published " in capsys.readouterr().out

    listed = _json(capsys, "versions", notebook)
    assert [version["message"] for version in listed["versions"]] == ["the second", "the first"]
    assert listed["drift"]["clean"]
    second = listed["versions"][0]["id"]
    assert _json(capsys, "diff", notebook, first["id"], second)["cells"][0]["lines"] == ["-x = 1", "+x = 2"]
    assert _json(capsys, "diff", notebook, "v1", "v2")["cells"][0]["lines"] == ["-x = 1", "+x = 2"]
    assert main(["diff", notebook, "published"]) == 0
    assert "are the same" in capsys.readouterr().out

    assert _json(capsys, "rollback", notebook, first["id"][:6], "--pin")["pinned"]
    write(("step:a", "x = 3"), ("step:b", "print(x)"))
    assert main(["publish", notebook]) == 0
    assert "pinned to another version" in capsys.readouterr().out
    assert not _json(capsys, "rollback", notebook, "--unpin")["pinned"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["publish", "nowhere.ipynb"], "There is no notebook"),
        (["versions", "nowhere.ipynb"], "There is no notebook"),
        (["diff", "nowhere.ipynb"], "There is no notebook"),
        (["diff", "NB"], "No version of"),
        (["diff", "NB", "a", "b"], "No version of"),
        (["rollback", "NB"], "A VERSION is needed"),
        (["rollback", "NB", "abc", "--unpin"], "A VERSION is needed"),
        (["rollback", "NB", "abc"], "No version of"),
        (["rollback", "NB", "--unpin"], "No version of"),
        (["run", "NB", "--version", "published"], "No version of"),
        (["publish", "NB", "--as", "nothing"], "Nothing was published as nothing"),
    ],
)
def test_wrong_requests(write: Write, capsys: pytest.CaptureFixture[str], words: list[str], told: str) -> None:
    notebook = str(write(("step:a", "x = 1")))
    assert main([notebook if word == "NB" else word for word in words]) == 2
    assert told in capsys.readouterr().err


def test_what_check_refuses_is_not_published(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(write(("step:a", "x = (")))]) == 2
    assert "JP120" in capsys.readouterr().err


def test_only_what_verify_finds_equivalent_is_published(
    service: Endpoint, write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    # Only a run shows that this value cannot be carried.
    different = write(("step:a", "import socket\ns = vars(socket)['socket']()"), ("step:b", "print(s.fileno() > 0)"))
    good = write(("step:a", "x = 1"), ("step:b", "print(x)"), name="good.ipynb")
    assert main(["publish", str(good), "--verify"]) == 0
    assert "published" in capsys.readouterr().out
    code = main(["publish", str(different), "--verify"])
    captured = capsys.readouterr()
    assert code == 1
    assert "Nothing was published." in captured.err
    assert main(["versions", str(different)]) == 0
    assert "no version" in capsys.readouterr().out


def test_a_version_is_run(service: Endpoint, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    notebook = write(("parameters", "n = 1"), ("step:a", "print(n)"))
    version = _json(capsys, "publish", str(notebook))
    write(("parameters", "m = 1"), ("step:a", "print(m)"))
    run = _json(capsys, "run", str(notebook), "--version", "published", "-p", "n=5")
    assert (run["state"], run["published"], run["parameters"]) == ("completed", version["id"], {"n": 5})
    notebook.unlink()
    assert _json(capsys, "run", str(notebook), "--version", version["id"][:8])["published"] == version["id"]
