"""Secret parameters: only the kernel gets to see them, and runs that have some go on as any other."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError, StoreError
from jupyter_pipelines.notebook.secrecy import conceal, is_secret
from jupyter_pipelines.orchestration.deployment import create_run
from jupyter_pipelines.orchestration.redaction import is_sealed, shown_parameters
from jupyter_pipelines.orchestration.scheduling import describe
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.orchestration.service.wake import RUN_DUE, tell_worker
from jupyter_pipelines.settings import Settings

WriteNotebook = Callable[..., Path]
SECRET = "c0rrect-h0rse-battery"


@pytest.mark.parametrize(
    "name", ["password", "db_password", "apiToken", "AWS_SECRET_ACCESS_KEY", "api_key", "key", "pwd"]
)
def test_names_that_secrets_have(name: str) -> None:
    assert is_secret(name)
    assert is_secret(name, "str | None")
    assert not is_secret(name, "int")
    assert not is_secret(name, description="not secret: which one")


@pytest.mark.parametrize(
    "name", ["month", "sort_key", "token_column", "keyboard", "passenger", "monkey", "author", "key_name"]
)
def test_names_that_secrets_do_not_have(name: str) -> None:
    assert not is_secret(name)
    assert is_secret(name, "int", "secret: nobody's business")
    assert not is_secret(name, "int", "secretary of the month")


def test_what_is_concealed() -> None:
    assert conceal("a 'p\\'w\"x' and p'w\"x, no 12", ["p'w\"x", 12, None, True]) == "a '***' and ***, no 12"
    assert shown_parameters({"token": "abc", "month": 7, "key": "***0123456789ab"}) == {
        "token": "***",
        "month": 7,
        "key": "***0123456789ab",
    }


def everything_in(folder: Path) -> bytes:
    """All that is in the files of a folder, but for what is kept for their owner alone: the sealed values."""
    return b"".join(
        path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name not in {"secrets", "objects"}
    )


def test_a_secret_is_seen_by_the_kernel_and_nowhere_else(
    service: Endpoint, store: Path, write: WriteNotebook, tmp_path: Path
) -> None:
    notebook = write(
        ("parameters", "api_token: str = ''\nvault: dict = {}  # secret\nmonth: int = 1\nfail: bool = False"),
        ("step:load", "size = len(api_token) + len(vault['pin'])\nsize, month"),
        ("step:use", "if fail:\n    raise ValueError(f'{api_token} was refused, {vault}')"),
    )
    values = {"api_token": SECRET, "vault": {"pin": SECRET + "2"}, "month": 7}
    run = jp.run(notebook, {**values, "fail": True})
    assert (run.state, run.step("use").error) == ("failed", "ValueError: *** was refused, {'pin': '***'}")
    assert is_sealed(run.parameters["api_token"])
    assert run.parameters["month"] == 7
    executed = json.loads(Path(run.executed_notebook).read_text())
    (injected,) = [cell for cell in executed["cells"] if "injected-parameters" in cell["metadata"].get("tags", [])]
    assert "api_token = '***'  # secret" in "".join(injected["source"])
    assert str(len(SECRET) * 2 + 1) in "".join(executed["cells"][3]["outputs"][0]["data"]["text/plain"])
    # It can be resumed: the true values are found again. What was taken over is not run.
    resumed = jp.resume(run.id)
    assert resumed.step("load").state == "reused"
    assert resumed.step("use").error == run.step("use").error
    good = jp.run(notebook, values)
    assert (good.state, good.parameters["api_token"]) == ("completed", run.parameters["api_token"])
    (store / "runs").rename(tmp_path / "runs")
    for found in (tmp_path / "runs").rglob("executed.ipynb"):
        found.unlink()  # the traceback is the notebook's own output
    assert SECRET.encode() not in everything_in(tmp_path)
    (database,) = Settings.load().home.glob("prefect*.db")
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        dump = "\n".join(connection.iterdump())
    assert str(run.id).replace("-", "") in dump.replace("-", "")
    assert SECRET not in dump


def test_a_schedule_keeps_secrets_and_its_runs_get_them(service: Endpoint, store: Path, write: WriteNotebook) -> None:
    notebook = write(
        ("parameters", "from datetime import date\n\npassword: str = ''\nday: date = date(2020, 1, 1)"),
        ("step:one", "assert password == 'x' * 30"),
    )
    values = {"password": "x" * 30, "day": "{{ scheduled_time.date() }}"}
    made = jp.schedule(notebook, "every year on 1 march at 12:00", values)
    try:
        told = json.dumps(describe(made))
        assert "x" * 30 not in told
        assert "{{ scheduled_time.date() }}" in told
        stored = (Settings.load().home / "schedules" / f"{made.id}.json").read_text()
        assert "x" * 30 not in stored
        run = jp.run(notebook, {"password": made.schedule.parameters["password"]})  # as the scheduler asks for it
        assert run.state == "completed"
    finally:
        jp.unschedule(made.id)


def test_what_was_sealed_is_given_to_no_parameter_that_is_shown(
    service: Endpoint, store: Path, write: WriteNotebook
) -> None:
    run = jp.run(write(("parameters", "token: str = ''\nlabel: str = ''"), ("step:one", "1")), {"token": SECRET})
    notebook = write(("parameters", "label: str = ''\nnote: str = ''  # secret"), ("step:one", "print(label)"))
    with pytest.raises(RequestError, match="does not keep `label` secret"):
        jp.run(notebook, {"label": run.parameters["token"]})
    with pytest.raises(StoreError, match="`note`"):
        jp.run(notebook, {"note": "***000000000000"})


def test_an_ill_typed_secret_is_not_repeated(write: WriteNotebook) -> None:
    notebook = write(("parameters", "tokens: list[int] = []"), ("step:one", "1"))
    with pytest.raises(RequestError) as error:
        jp.run(notebook, {"tokens": SECRET})
    assert SECRET not in str(error.value)


def test_all_in_a_used_home_is_its_owners_alone_and_the_secret_is_in_no_command_or_log(
    service: Endpoint, write: WriteNotebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Settings.load().home
    monkeypatch.delenv("JUPYTER_PIPELINES_STORE", raising=False)
    before = os.umask(0o022)
    try:
        notebook = write(("parameters", "month: int = 1"), ("step:load", "x = month"), ("step:use", "x"))
        made = jp.schedule(notebook, "every year on 1 march at 12:00")
        alert = jp.alert(notebook, "https://example.com/hook")
        jp.publish(notebook)
        jp.run(notebook, {"month": 2})
        run_id = jp.submit(notebook)
        while jp.get_run(run_id).state in {"pending", "running"}:
            time.sleep(0.1)
        _have_prefect_fail(service, home)
        jp.unalert(alert.id)
        jp.unschedule(made.id)
    finally:
        os.umask(before)
    found = [path for path in [home, *home.rglob("*")] if path.is_dir() or path.is_file()]  # sockets have a folder
    assert not [str(path) for path in found if not path.is_symlink() and path.stat().st_mode & 0o077]
    secret = (home / "secret").read_text().strip().partition(":")[2]
    assert len(secret) > 20
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret.encode() not in command.read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has ended
            continue
    end = secret[-16:].encode()  # of what is long, errors may show the end
    holding = [path.name for path in home.rglob("*") if path.is_file() and end in path.read_bytes()]
    assert sorted(holding) == ["endpoint.json", "secret"]
    assert not (home / "prefect" / "storage").exists()


def _have_prefect_fail(service: Endpoint, home: Path) -> None:
    """Have the flow raise, which Prefect pickles, and a client greet twice, as one does that was cut off."""
    broken = create_run(service, home, "broken", {"version": "0" * 64, "notebook": "/nowhere.ipynb"})
    tell_worker(home, RUN_DUE)
    greeting = json.dumps({"type": "auth", "token": service.auth})
    address = service.api_url.replace("http", "ws", 1) + "/events/in"
    with connect(address, subprotocols=[Subprotocol("prefect")]) as client:
        client.send(greeting)
        assert json.loads(client.recv(60)) == {"type": "auth_success"}
        client.send(greeting)
        with pytest.raises(ConnectionClosed):
            client.recv(60)
    while (found := service.call(f"/flow_runs/{broken}"))["state_type"] != "FAILED":  # type: ignore[index]  # a mapping
        assert isinstance(found, dict) and found["state_type"] in {"SCHEDULED", "PENDING", "RUNNING"}
        time.sleep(0.1)


def test_the_secrets_of_sources_are_nowhere_in_what_a_run_leaves(
    service: Endpoint, store: Path, write: WriteNotebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "orders.csv").write_text("id\n1\n2\n")
    declared = '[landing]\ntype = "files"\nurl = "%s"\ntoken = "env:LANDING_TOKEN"\n'
    gone = '[gone]\ntype = "postgres"\nhost = "%s"\ndatabase = "d"\npassword = "env:LANDING_TOKEN"\n'
    (tmp_path / "sources.toml").write_text(declared % (tmp_path / "landing") + gone % tmp_path)
    monkeypatch.setenv("JUPYTER_PIPELINES_SOURCES", str(tmp_path / "sources.toml"))
    monkeypatch.setenv("JUPYTER_PIPELINES_WAREHOUSE", str(tmp_path / "warehouse.duckdb"))
    monkeypatch.setenv("LANDING_TOKEN", SECRET)
    notebook = write(
        ("setup", "%load_ext jupyter_pipelines\nimport os"),
        ("step:load", "%%sql --table orders\nSELECT *, current_timestamp AS at FROM landing.orders"),
        ("step:gone", "%%sql\nSELECT * FROM gone.public.customers"),
        ("step:tell", "raise ValueError(os.environ['LANDING_TOKEN'])"),
    )
    try:
        run = jp.run(notebook)
        assert run.step("load").state == "completed"
        assert jp.warehouse().sql("SELECT count(*) AS n FROM orders").to_pylist() == [{"n": 2}]
        assert "The source gone" in (run.step("gone").error or "")
        assert run.step("tell").error == "ValueError: ***"
    finally:
        jp.warehouse().release(force=True)
    (executed,) = (store / "runs").rglob("executed.ipynb")
    cells = json.loads(executed.read_text())["cells"]
    (raising,) = [cell for cell in cells if "raise ValueError" in "".join(cell["source"])]
    raising["outputs"].clear()  # the traceback is the notebook's own output
    executed.write_text(json.dumps(cells))
    assert SECRET.encode() not in everything_in(tmp_path)
