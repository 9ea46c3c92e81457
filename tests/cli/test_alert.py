"""`alert`, `alerts` and `unalert`."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jupyter_pipelines.cli import main
from jupyter_pipelines.orchestration.service import Endpoint

Write = Callable[..., Path]
TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"


def told(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> dict:
    assert main([*words, "--format", "json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def web() -> Iterator[tuple[str, list[dict]]]:
    """A web server: its address, and what it was sent."""
    got: list[dict] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()


def test_an_alert_is_made_listed_tried_and_removed(
    service: Endpoint,
    store: Path,
    write: Write,
    web: tuple[str, list[dict]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url, got = web
    notebook = str(write(("step:one", "1")))
    (tmp_path / "to").write_text(f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}")
    words = ["alert", notebook, "--to", f"{url}/{TOKEN}", "--to", f"file:{tmp_path}/to"]
    made = told([*words, "--on", "late,failure", "--repeat", "1h", "--slow", "3"], capsys)["alerts"]
    assert [one["to"] for one in made] == [f"{url}/***", f"file:{tmp_path}/to"]
    assert [(one["on"], one["repeat"], one["slow"]) for one in made] == [(["failure", "late"], 3600, 3)] * 2
    try:
        assert main(["alerts", notebook]) == 0
        listed = capsys.readouterr().out
        assert made[0]["id"] in listed
        assert "nothing sent yet" in listed
        assert TOKEN not in listed
        assert told(["alerts", str(write(("step:one", "1"), name="other.ipynb"))], capsys) == {"alerts": []}
        assert told(["unalert", made[1]["id"][:6]], capsys)["id"] == made[1]["id"]
        assert told(["unalert", made[1]["id"], "--undo"], capsys)["to"] == f"file:{tmp_path}/to"
        assert main(["unalert", made[1]["id"]]) == 0
        assert "--undo` brings it back" in capsys.readouterr().out
        assert main(["unalert", "none", "--undo"]) == 2
        capsys.readouterr()
        (delivery,) = told(["alert", notebook, "--test"], capsys)["deliveries"]
        assert (delivery["alert"], delivery["to"], delivery["problem"]) == (made[0]["id"], f"{url}/***", "")
        assert [one["event"] for one in got] == ["test"]
    finally:
        assert main(["unalert", made[0]["id"]]) == 0
    assert main(["unalert", made[0]["id"]]) == 2
    assert TOKEN not in capsys.readouterr().out


def test_a_test_says_of_each_destination_what_happened(
    web: tuple[str, list[dict]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, _ = web
    words = ["alert", "--test", "--to", url, "--to", f"{url}/gone", "--to", f"http://127.0.0.1:9/{TOKEN}"]
    assert main(words) == 1
    good, gone, made_anew, down, nobody = capsys.readouterr().out.splitlines()
    assert good == f"✓ {url}/***  taken"
    assert gone.endswith("answered 404 Not Found")
    assert "have a new one made there" in made_anew
    assert "Connection refused" in down
    assert "check host and port" in nobody
    assert TOKEN not in down


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--to", "https://example.com"], "which pipeline"),
        (["--all"], "where alerts go"),
        (["nb.ipynb", "--all", "--to", "https://example.com"], "Choose one"),
        (["--all", "--to", "mailtos://ann:pw@example.com/?to=a@b.com"], "read by everybody"),
        (["--all", "--to", "https://example.com", "--on", "sunrise"], "no event"),
        (["--all", "--to", "https://example.com", "--repeat", "often"], "repeated"),
        (["--all", "--to", "https://example.com", "--slow", "0.1"], "slow"),
    ],
)
def test_wrong_requests_are_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alert", *words]) == 2
    assert said in capsys.readouterr().err
