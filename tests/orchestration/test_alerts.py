"""Alerts: who is told what, once, whatever is killed or down meanwhile; nothing secret leaves."""

from __future__ import annotations

import email
import email.policy
import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

import jupyter_pipelines as jp
from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.alerts import alerting, destinations, making, try_alert
from jupyter_pipelines.orchestration.alerts.alerting import Alerting
from jupyter_pipelines.orchestration.alerts.model import AlertRecord, Message
from jupyter_pipelines.orchestration.alerts.shelf import Shelf
from jupyter_pipelines.orchestration.history import History
from jupyter_pipelines.orchestration.model import RunRecord, StepRecord
from jupyter_pipelines.orchestration.schedules import Schedule, occurrence_key
from jupyter_pipelines.orchestration.scheduling.model import Progress, ScheduleRecord
from jupyter_pipelines.orchestration.scheduling.shelf import Shelf as ScheduleShelf
from jupyter_pipelines.orchestration.service import Endpoint
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.store import Store
from jupyter_pipelines.store.files import write_json

NOW = 1_800_000_000.0
HOUR = 3600.0


class Web:
    """A web server that notes what it is sent; it answers with ``status``."""

    def __init__(self) -> None:
        self.requests: list[SimpleNamespace] = []
        self.status = 200
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                web.requests.append(SimpleNamespace(path=self.path, headers=self.headers, body=body))
                self.send_response(web.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def told(self) -> list[dict[str, Any]]:
        """What was accepted, or refused."""
        return [json.loads(request.body) for request in self.requests]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.stop()


class House:
    """A project home without a service: runs are put on record, and the duty looks when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.store = Store(str(self.home / "store"))
        self.notebook = str(folder / "flights.ipynb")
        self.now = NOW
        self._runs = 0

    def alert(self, to: str, **changes: Any) -> AlertRecord:
        record = AlertRecord(
            f"a{len(Shelf(self.home).records())}",
            self.notebook,
            ("failure", "recovery", "late"),
            to,
            str(self.store.root),
            self.now,
            History(self.store).mark(),
        )
        record = replace(record, **changes)
        Shelf(self.home).save(record)
        return record

    def run(self, state: Any = "completed", error: str = "ValueError: no data", **changes: Any) -> RunRecord:
        self._runs += 1
        self.now += 60
        step = StepRecord("train", "completed", self.now - 30, self.now)
        if state == "failed":
            step = replace(step, state="failed", error=error, error_kind="error", error_cell=7)
            step = replace(step, error_first_line="model.fit(X, y)")
        run = RunRecord(
            id=f"{self._runs:08d}-run",
            name="flights",
            notebook=self.notebook,
            version="0" * 32 + ".ipynb",
            state=state,
            parameters={"month": 7, "api_token": "tell-nobody"},
            started=self.now - 40,
            ended=0.0 if state == "running" else self.now,
            steps=(step,),
            executed_notebook=str(self.store.run_folder("x") / "executed.ipynb"),
            error=f"step train failed: {error}" if state == "failed" else "",
        )
        run = replace(run, **changes)
        self.store.save_run(run.id, asdict(run) | {"process": None})
        return run

    def look(self, later: float = 1.0) -> None:
        """A worker that has just been started looks."""
        self.now += later
        Alerting(self.home).look_at(self.now)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_failing_streak_is_told_once_for_each_way_of_failing_and_its_end_once(house: House, web: Web) -> None:
    house.run("failed")  # before there is an alert
    house.alert(f"{web.url}/hook")
    for error in ("ValueError: no data in row 3", "ValueError: no data in row 41", "KeyError: 'day'"):
        house.run("failed", error)
        house.look()
    house.run("failed", "ValueError: no data in row 5")
    house.run("cancelled")
    house.run("completed", only="train")  # a part proves nothing
    house.look()
    for _ in range(2):
        house.run("completed")
        house.look()
    house.run("failed", "KeyError: 'day'")
    house.look()
    told = web.told()
    assert [one["event"] for one in told] == ["failure", "failure", "recovery", "failure"]
    assert [one["title"] for one in told[1:3]] == ["flights failed at step train", "flights works again"]
    first, second, recovery, _ = told
    assert (first["step"], first["cell"], first["first_line"]) == ("train", 7, "model.fit(X, y)")
    assert (first["failures"], second["failures"], recovery["failures"]) == (1, 3, 4)
    assert first["error"] == "ValueError: no data in row 3"
    assert first["parameters"] == {"month": 7, "api_token": "***"}
    assert "jupyter pipelines inspect 00000002" in first["text"]
    assert "step train, cell 7: model.fit(X, y)" in first["text"]
    assert "executed.ipynb" in first["text"]
    assert b"tell-nobody" not in b"".join(request.body for request in web.requests)
    assert len({request.headers["Idempotency-Key"] for request in web.requests}) == 4


def test_a_run_that_was_killed_or_could_not_begin_is_a_failure_too(house: House, web: Web) -> None:
    house.alert(web.url)
    step = StepRecord("train", "crashed", house.now, house.now, error="the process that ran the pipeline was killed")
    house.run("crashed", steps=(step,), error=step.error)
    house.run("failed", steps=(), error="There is no notebook flights.ipynb.", schedule="nightly")
    house.look()
    killed, refused = web.told()
    assert (killed["title"], killed["step"]) == ("flights crashed at step train", "train")
    assert (refused["title"], refused["cell"]) == ("flights failed", None)
    assert refused["error"].endswith("There is no notebook flights.ipynb.")


def test_schedules_and_pipelines_have_streaks_of_their_own(house: House, web: Web) -> None:
    house.alert(f"{web.url}/one")
    house.alert(f"{web.url}/all", notebook="", on=("failure",))
    for schedule in ("nightly", "hourly", "nightly"):
        house.run("failed", schedule=schedule)
    house.run("completed", schedule="hourly")
    house.run("failed", schedule="nightly")
    house.run("failed", notebook="/elsewhere/other.ipynb")
    house.look()
    by_path = {path: [one.path for one in web.requests].count(path) for path in ("/one", "/all")}
    assert by_path == {"/one": 3, "/all": 3}  # failures of two schedules and a recovery; failures of three streaks


def test_a_streak_is_told_of_again_when_that_is_asked_for(house: House, web: Web) -> None:
    house.alert(web.url, repeat=HOUR)
    for _ in range(50):  # for 100 minutes
        house.now += 60
        house.run("failed")
        house.look(0)
    told = web.told()
    assert [one["failures"] for one in told] == [1, 31]
    assert "It has failed 31 times since" in told[1]["text"]


def test_what_is_not_taken_is_sent_again_ever_more_seldom_and_never_twice(house: House, web: Web) -> None:
    house.alert(web.url)
    web.status = 503
    run = house.run("failed")
    attempts = []
    for _ in range(400):  # every ten seconds, for more than an hour
        before = len(web.requests)
        house.look(10)
        attempts += [house.now] * (len(web.requests) - before)
    pauses = [after - before for before, after in pairwise(attempts)]
    assert pauses[0] <= 20
    assert max(pauses) > 10 * pauses[0]
    assert max(pauses) <= alerting.LONGEST_RETRY * 1.2 + 10
    (waiting,) = Shelf(house.home).outbox("a0")
    (record,) = Shelf(house.home).records()
    assert Shelf(house.home).progress(record).problem.endswith("answered 503 Service Unavailable")
    web.status = 204
    house.look(HOUR)
    house.look(HOUR)
    assert len(web.requests) == len(attempts) + 1
    assert {request.headers["Idempotency-Key"] for request in web.requests} == {waiting.message.key}
    assert web.told()[-1]["run"] == run.id
    assert not Shelf(house.home).outbox("a0")


def test_who_is_killed_between_any_two_writes_tells_all_and_with_one_key(
    house: House, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The duty is stopped before and after each of its writes in turn, then a new one looks."""
    house.alert(web.url)
    kills = 0
    for number in range(12):
        house.run("failed" if number % 2 == 0 else "completed")
        with monkeypatch.context() as patched:
            if _dies_at(patched, number // 2):
                kills += 1
                with pytest.raises(KeyboardInterrupt):
                    house.look()
        house.look()
        keys = [request.headers["Idempotency-Key"] for request in web.requests]
        assert len(set(keys)) == number + 1
    assert kills == 12
    assert len(keys) <= 12 + 4  # only who dies after the answer, before the outbox knows, sends once more


def _dies_at(patched: pytest.MonkeyPatch, point: int) -> bool:
    """Have the duty die at one of the places where it writes."""
    name, before = [
        ("put", True),
        ("put", False),
        ("save_progress", True),
        ("save_progress", False),
        ("take_out", True),
        ("take_out", False),
    ][point]
    real = getattr(Shelf, name)

    def dies(*arguments: Any) -> None:
        if not before:
            real(*arguments)
        raise KeyboardInterrupt

    patched.setattr(Shelf, name, dies)
    return True


def test_the_queue_is_bounded_and_what_was_dropped_is_told(
    house: House, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerting, "MOST_QUEUED", 3)
    house.alert(web.url)
    web.status = 500
    for number in range(6):
        house.run("failed", f"{'x' * number} is missing")
        house.look()
    assert len(Shelf(house.home).outbox("a0")) == 3
    web.status = 200
    house.look(HOUR)
    taken = web.told()[-3:]
    assert [one["error"] for one in taken] == [f"{'x' * number} is missing" for number in (3, 4, 5)]
    assert taken[0]["dropped"] == 3
    assert "dropped" not in taken[1]
    assert "3 earlier alerts were dropped" in taken[0]["text"]


def test_one_destination_that_is_slow_holds_up_no_other(house: House, web: Web) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections, and never answers
        house.alert(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        house.alert(web.url)
        house.run("failed")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(destinations, "TIMEOUT", 2.0)
            thread = threading.Thread(target=house.look)
            begun = time.monotonic()
            thread.start()
            while not web.requests:
                assert time.monotonic() - begun < 2.0
                time.sleep(0.01)
            thread.join()
    assert len(Shelf(house.home).outbox("a0")) == 1
    assert not Shelf(house.home).outbox("a1")


# Lateness


def _scheduled(house: House, **changes: Any) -> ScheduleRecord:
    """Daily at 03:00 in New York, to be done by 08:00."""
    schedule = Schedule(name="nightly", cron="0 3 * * *", zone="America/New_York", done_by=wall_time(8))
    record = ScheduleRecord("s1", house.notebook, replace(schedule, **changes), _at(house.now), str(house.store.root))
    ScheduleShelf(house.home).save(record)
    return record


def _ran(house: House, record: ScheduleRecord, occurrence: datetime, run: RunRecord) -> None:
    shelf = ScheduleShelf(house.home)
    progress: Progress = shelf.progress(record)
    progress.runs[occurrence_key(occurrence)] = run.id
    shelf.save_progress(record, progress)


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def test_what_a_schedule_will_fail_of_is_told_before_once(house: House, web: Web) -> None:
    record = _scheduled(house)
    house.alert(f"{web.url}/all", notebook="")
    house.alert(f"{web.url}/late", on=("late",))
    house.alert(f"{web.url}/other", notebook="/n/other.ipynb")
    kept = house.home / "schedules" / "foreseen" / f"{record.id}.json"
    known = {"version": "v1", "problem": "pandas 2.2, which it imports, is not installed."}
    write_json(kept, {**known, "since": 1.0})
    for _ in range(3):
        house.look()
    (told,) = web.told()
    assert (told["event"], told["schedule"], told["foreseen"]) == ("failure", record.id, True)
    assert "will fail" in told["title"]
    assert "pandas 2.2" in told["text"]
    kept.unlink()
    house.look()
    write_json(kept, {**known, "since": 2.0})
    house.look()
    house.look()
    assert [one["event"] for one in web.told()] == ["failure"] * 2


def test_deadlines_are_those_of_the_zone_over_the_change_of_clocks(house: House, web: Web) -> None:
    house.now = datetime(2027, 3, 12, 12, tzinfo=UTC).timestamp()
    house.alert(web.url)
    _scheduled(house)
    duty = Alerting(house.home)
    told_at = []
    for now in range(int(house.now), int(datetime(2027, 3, 16, tzinfo=UTC).timestamp()), 600):
        before = len(web.requests)
        duty.look_at(now)
        told_at += [_at(now)] * (len(web.requests) - before)
    # 08:00 in New York is 13:00 UTC until the clocks go forward on 14 March, then 12:00.
    assert told_at == [datetime(2027, 3, day, hour, tzinfo=UTC) for day, hour in ((13, 13), (14, 12), (15, 12))]
    text = web.told()[1]["text"]
    assert "The run of 2027-03-14 03:00 EDT should have been done by 2027-03-14 08:00 EDT" in text
    assert "it has not been started" in text
    assert "schedule nightly (s1)" in text


def test_a_run_that_was_never_started_is_late_when_the_service_is_back(house: House, web: Web) -> None:
    house.now = datetime(2027, 1, 10, 12, tzinfo=UTC).timestamp()
    house.alert(web.url)
    record = _scheduled(house)
    house.look()
    house.look(3 * 86_400 + 2 * HOUR)  # nobody was there
    house.look()
    (late,) = web.told()
    assert (late["event"], late["late"]) == ("late", 3)
    assert "2 earlier runs of it are late as well, since 2027-01-11 03:00 EST" in late["text"]
    run = house.run("completed", schedule=record.id)
    _ran(house, record, datetime(2027, 1, 13, 8, tzinfo=UTC), run)
    house.look()
    house.look()
    assert [one["title"] for one in web.told()] == ["flights is late", "flights is done"]


@pytest.mark.parametrize(
    ("state", "ended", "said"),
    [
        ("completed", -60, ""),
        ("completed", 60, "it was done at"),
        ("running", 0, "it is still running"),
        ("failed", -60, "it failed"),
    ],
)
def test_only_what_is_not_done_in_time_is_late(house: House, web: Web, state: Any, ended: float, said: str) -> None:
    occurrence = datetime(2027, 1, 11, 8, tzinfo=UTC)
    due = datetime(2027, 1, 11, 13, tzinfo=UTC).timestamp()
    house.now = occurrence.timestamp() - HOUR
    house.alert(web.url, on=("late",))
    record = _scheduled(house)
    run = house.run(state, schedule=record.id, ended=0.0 if state == "running" else due + ended, started=due - HOUR)
    _ran(house, record, occurrence, run)
    house.now = due + 120
    house.look()
    assert [said in one["text"] for one in web.told()] == ([True] if said else [])


def test_a_failed_run_that_was_continued_in_time_is_done(house: House, web: Web) -> None:
    occurrence = datetime(2027, 1, 11, 8, tzinfo=UTC)
    house.now = occurrence.timestamp() + HOUR
    house.alert(web.url, on=("late",))
    record = replace(_scheduled(house), active_since=occurrence - timedelta(hours=2))
    ScheduleShelf(house.home).save(record)
    failed = house.run("failed", schedule=record.id)
    _ran(house, record, occurrence, failed)
    house.run("completed", resumed_from=failed.id)
    house.look(5 * HOUR)
    assert not web.requests


def test_a_run_that_takes_longer_than_usual_is_late_once_and_its_end_a_recovery(house: House, web: Web) -> None:
    house.alert(web.url, slow=3.0)
    for _ in range(5):
        house.run("completed")  # 40 s each
    run = house.run("running")
    house.store.mark_active(run.id, True)
    house.look(70)  # 110 s since it began
    assert not web.requests
    house.look(20)
    house.look(20)
    (late,) = web.told()
    assert (late["run"], late["usual"]) == (run.id, 40)
    assert "usually it takes 40 s" in late["text"]
    house.store.save_run(run.id, asdict(replace(run, state="completed", ended=house.now)) | {"process": None})
    house.look()
    assert [one["title"] for one in web.told()] == ["flights is late", "flights is done"]


# Destinations

MESSAGE = Message("0-1-2", "failure", "flights failed\nBcc: eve@example.com", "text é\n.\nmore", {"event": "failure"})


class _Mailbox:
    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.users: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, mail))
        return "250 taken"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = isinstance(data, LoginPassword) and data.password == b"correct horse"
        self.users += [data.login.decode()] if good else []
        return AuthResult(success=good, handled=good)


class _MailServer(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # the one that the system has chosen
        super()._trigger_server()


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for localhost, that this process trusts."""
    key, made = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1"]
    subprocess.run([*command, *names, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    return context


@pytest.fixture
def mail(certificate: ssl.SSLContext) -> Iterator[SimpleNamespace]:
    """A mail server on localhost that wants STARTTLS and a password."""
    box = _Mailbox()
    server = _MailServer(
        box,
        hostname="localhost",
        port=0,
        tls_context=certificate,
        authenticator=box.authenticate,
        auth_required=True,
        auth_require_tls=True,
    )
    server.start()
    yield SimpleNamespace(box=box, port=server.port)
    server.stop()


def test_mail_goes_over_starttls_with_the_password_of_a_file(mail: SimpleNamespace, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    to = f"mailtos://ann@localhost:{mail.port}/?to=ann@example.com,bob@example.com&from=us@example.com"
    destinations.send(f"{to}&password_file={password}", MESSAGE)
    ((sender, receivers, received),) = mail.box.mails
    assert (sender, receivers) == ("us@example.com", ["ann@example.com", "bob@example.com"])
    assert received["Subject"].startswith("flights failed") and received["Bcc"] is None
    assert received["Message-ID"] == "<0-1-2@jupyter-pipelines>"
    assert received.get_content().replace("\r\n", "\n") == "text é\n.\nmore\n"
    assert mail.box.users == ["ann"]
    password.write_text("wrong horse")
    with pytest.raises(destinations.NotTakenError, match="535") as refused:
        destinations.send(f"{to}&password_file={password}", MESSAGE)
    assert "horse" not in str(refused.value)
    with pytest.raises(destinations.NotTakenError, match="530"):
        destinations.send(f"mailto://localhost:{mail.port}/?to=ann@example.com", MESSAGE)
    with pytest.raises(destinations.NotTakenError, match="cannot be read"):
        destinations.send(f"{to}&password_file={tmp_path}/none", MESSAGE)


def test_mail_is_not_sent_to_who_only_claims_to_be_the_server(
    mail: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(destinations.NotTakenError, match="certificate verify failed"):
        destinations.send(f"mailtos://ann:pw@localhost:{mail.port}/?to=ann@example.com", MESSAGE)
    assert not mail.box.mails


def test_services_that_apprise_knows_are_sent_to_by_it(web: Web) -> None:
    address = web.url.removeprefix("http://")
    destinations.send(f"mmost://{address}/3ccdd113474722377935511fc85d3dd4", MESSAGE)
    (request,) = web.requests
    assert request.path == "/hooks/3ccdd113474722377935511fc85d3dd4"
    assert "flights failed" in json.loads(request.body)["text"]
    web.status = 403
    with pytest.raises(destinations.NotTakenError, match="Mattermost did not take it") as refused:
        destinations.send(f"mmost://{address}/3ccdd113474722377935511fc85d3dd4", MESSAGE)
    assert "3ccdd113" not in str(refused.value)


SECRET = "s3cr3tPassw0rd"
TOKEN = "TIiajkdnlazkcOXrIdevi7FQ"


@pytest.mark.parametrize(
    ("to", "shown"),
    [
        (
            f"mailtos://ann:{SECRET}@mail.example.com:587/?to=a@example.com",
            "mailtos://mail.example.com:587/?to=a@example.com",
        ),
        (f"https://ann:{SECRET}@example.com/hook/{TOKEN}?key={TOKEN}", "https://example.com/***"),
        (f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}", "slack://***"),
        (f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}", "https://hooks.slack.com/***"),
        (f"http://[{TOKEN}", "http:***"),
    ],
)
def test_destinations_are_shown_without_secrets(to: str, shown: str) -> None:
    assert destinations.shown(to) == shown


def test_the_web_address_of_a_messenger_is_told_from_others_when_it_is_given() -> None:
    kept = destinations.kept_form(f"https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/{TOKEN}")
    assert kept.startswith("slack://")
    assert TOKEN in kept
    assert destinations.kept_form(f"https://example.com/services/{TOKEN}") == f"https://example.com/services/{TOKEN}"


def test_an_error_of_a_destination_repeats_no_secret() -> None:
    for to in (
        f"http://ann:{SECRET}@127.0.0.1:9/{TOKEN}",
        f"mailto://ann:{SECRET}@127.0.0.1:9/?to=a@example.com",
        f"mmost://127.0.0.1:9/{TOKEN.lower()}",
    ):
        with pytest.raises(destinations.NotTakenError) as error:
            destinations.send(to, MESSAGE)
        assert SECRET not in str(error.value)
        assert TOKEN.lower() not in str(error.value).lower()


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("carrier-pigeon://home", "nothing that alerts can be sent to"),
        ("", "nothing that alerts can be sent to"),
        ("mailtos://smtp.example.com", "to whom"),
        ("mailtos://smtp.example.com/?to=ann", "no mail address"),
        ("mailtos://smtp.example.com/?to=a@b.com&cc=c@d.com", "no option cc"),
        ("mailtos://ann:pw@smtp.example.com/?to=a@b.com", "can be read by everybody"),
        ("mailtos://smtp.example.com:x/?to=a@b.com", "no address"),
        ("mailtos://ann@smtp.example.com/?to=a@b.com&password_file=secret", "whole path"),
        ("file:/nowhere/at/all", "cannot be read"),
        ("env:NOT_SET_AT_ALL", "is not set"),
        ("https://", "nothing that alerts can be sent to"),
    ],
)
def test_what_is_no_destination_is_refused(to: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        destinations.kept_form(to)


def test_a_destination_is_taken_from_a_file_and_the_environment(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "to").write_text(f"{web.url}/from-file\n")
    monkeypatch.setenv("ALERTS_TO", f"{web.url}/from-environment")
    assert destinations.kept_form(f"file:{tmp_path}/to") == f"file:{tmp_path}/to"
    delivery = try_alert(f"file:{tmp_path}/to")
    assert (delivery.to, delivery.problem) == (f"file:{tmp_path}/to", "")
    assert try_alert("env:ALERTS_TO").problem == ""
    assert [request.path for request in web.requests] == ["/from-file", "/from-environment"]
    assert web.told()[0]["event"] == "test"


@contextmanager
def silence(says: bytes = b"") -> Iterator[int]:
    """The port of a server that takes connections, says so much to each five times a second, and answers nothing."""
    ended = threading.Event()

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                while not ended.wait(0.2):
                    self.request.sendall(says)

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server.server_address[1]
        ended.set()
        server.shutdown()


@pytest.mark.parametrize("to", ["http://127.0.0.1:{}/", "mailto://127.0.0.1:{}/?to=ann@example.com"])
def test_a_sample_does_not_wait_for_who_never_answers(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "TIMEOUT", 1.0)
    with silence() as port:
        delivery = try_alert(to.format(port))
    assert "did not answer within 1 second" in delivery.problem
    assert "firewall" in delivery.fix


def test_a_sample_does_not_wait_for_an_answer_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PATIENCE", 2.0)
    with silence(b"H") as port:
        delivery = try_alert(f"http://127.0.0.1:{port}/")
    assert "did not answer to the end within 2 seconds" in delivery.problem
    assert "firewall" in delivery.fix


@pytest.mark.parametrize(
    ("status", "advice"),
    [(404, "have a new one made"), (403, "does not know the secret"), (405, "by POST"), (302, "moved"), (503, "later")],
)
def test_a_sample_that_is_refused_says_what_to_do(web: Web, status: int, advice: str) -> None:
    web.status = status
    delivery = try_alert(f"{web.url}/{TOKEN}")
    assert f"answered {status}" in delivery.problem
    assert advice in delivery.fix
    assert TOKEN not in f"{delivery}"


# With the service


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_service_tells_of_failure_and_recovery(
    service: Endpoint, store: Path, write: Callable[..., Path], web: Web
) -> None:
    notebook = write(
        ("parameters", "bad: bool = True\ndoor_password: str = ''"),
        ("step:open", "if bad:\n    raise ValueError('cannot open with ' + door_password)"),
    )
    made = jp.alert(notebook, f"{web.url}/{TOKEN}", on="failure,recovery")
    for path in Shelf(Settings.load().home)._folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    run = jp.run(notebook, {"door_password": SECRET})
    wait_for(lambda: len(web.requests) == 1)
    jp.run(notebook, {"bad": False})
    wait_for(lambda: len(web.requests) == 2)
    failure, recovery = web.told()
    assert (failure["run"], failure["cell"], recovery["event"]) == (run.id, 2, "recovery")
    assert failure["error"] == "ValueError: cannot open with ***"
    assert SECRET not in json.dumps(failure)
    assert [one.id for one in jp.alerts(notebook)] == [made.id]
    assert os.path.basename(failure["executed_notebook"]) == "executed.ipynb"
    jp.unalert(made.id)
    with pytest.raises(RequestError):
        jp.unalert(made.id)
