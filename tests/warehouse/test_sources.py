"""External sources: read by name, never written, their secrets nowhere to be found."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import jupyter_pipelines as jp
from jupyter_pipelines.cli import main
from jupyter_pipelines.errors import Interrupted, RequestError, SqlError
from jupyter_pipelines.warehouse import EngineSession
from jupyter_pipelines.warehouse.owner.files import WarehouseFiles
from jupyter_pipelines.warehouse.owner.remote import RemoteSession
from jupyter_pipelines.warehouse.sources.looking import list_columns, list_tables

from .conftest import PASSWORD as SECRET
from .conftest import ask_postgres, end_owner

Declare = Callable[[str], Path]


@pytest.fixture
def declare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Declare:
    """Writes the file of sources."""
    path = tmp_path / "sources.toml"
    monkeypatch.setenv("JUPYTER_PIPELINES_SOURCES", str(path))

    def write(text: str) -> Path:
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def landing(tmp_path: Path, declare: Declare) -> Path:
    """A folder of files, declared as the source `landing`."""
    folder = tmp_path / "it's landing"
    (folder / "days").mkdir(parents=True)
    for name in ("orders.parquet", "days/day1.csv", "days/day2.csv"):
        duckdb.sql("SELECT i AS id, 'n' || i AS name FROM range(5) t(i)").query(
            "rows", f"COPY rows TO '{str(folder / name).replace(chr(39), chr(39) * 2)}'"
        )
    (folder / "events.jsonl.gz").write_bytes(gzip.compress(b'{"a": 1}\n{"a": 2}\n'))
    (folder / "odd-2024.csv").write_text("a\n1\n")
    (folder / "_hidden.csv").write_text("a\n1\n")
    declare(f'[landing]\ntype = "files"\nurl = "{folder}"\n[landing.tables]\nodd = "odd-*.csv"\n')
    return folder


@pytest.fixture
def session(landing: Path) -> Iterator[EngineSession]:
    opened = EngineSession.open()
    yield opened
    opened.close()


def value(session: EngineSession | RemoteSession, sql: str) -> object:
    (row,) = session.query(sql).to_pylist()
    (found,) = row.values()
    return found


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT sum(orders.id) FROM landing.orders", 10),
        ("SELECT sum(landing.orders.id) FROM landing.orders", 10),
        ("SELECT sum(o.id) FROM LANDING.Orders o JOIN landing.days d ON o.id = d.id", 20),
        ("WITH x AS (FROM landing.days) SELECT count(*) FROM x", 10),
        ('SELECT sum(a) FROM "landing"."events"', 3),
        ("SELECT count(*) FROM landing.odd", 1),
        ("SELECT count(*) FROM (DESCRIBE landing.orders)", 2),
        ("CREATE TABLE t AS FROM landing.orders; SELECT count(*) FROM t, landing.days", 50),
        ("WITH landing AS (SELECT {'orders': 7} AS a) SELECT landing.a.orders FROM landing", 7),
    ],
)
def test_files_are_tables(session: EngineSession, sql: str, expected: int) -> None:
    assert value(session, sql) == expected
    assert value(session, "SELECT count(*) FROM duckdb_views() WHERE temporary AND NOT internal") == 0


def test_a_file_that_has_changed_is_read_anew(session: EngineSession, landing: Path) -> None:
    assert value(session, "SELECT count(*) FROM landing.odd") == 1
    (landing / "odd-2024.csv").write_text("a,b\n1,2\n3,4\n")
    (landing / "odd-2025.csv").write_text("b,a\n1,2\n")
    assert value(session, "SELECT sum(b) FROM landing.odd") == 7


def test_sources_are_read_within_transactions(session: EngineSession) -> None:
    with session.transaction():
        session.execute("CREATE TABLE orders AS FROM landing.orders")
        session.execute("INSERT INTO orders BY NAME FROM landing.days")
    assert value(session, "SELECT count(*) FROM orders") == 15


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE landing.mine AS SELECT 1",
        "INSERT INTO landing.orders VALUES (1, 'a')",
        "SELECT 1; DROP TABLE landing.orders",
        "DELETE FROM landing.orders",
        'CREATE SCHEMA IF NOT EXISTS "Landing"',
        "CREATE VIEW mine AS FROM landing.orders",
        "CREATE MACRO mine() AS TABLE FROM landing.orders",
    ],
)
def test_sources_are_only_read(session: EngineSession, sql: str) -> None:
    with pytest.raises(SqlError, match="source"):
        session.execute("CREATE TABLE before AS SELECT 1;\n" + sql)
    assert value(session, "SELECT count(*) FROM duckdb_tables()") == 0  # nothing ran


def test_what_is_not_there_is_told(session: EngineSession, landing: Path) -> None:
    with pytest.raises(RequestError, match=r"no ordres(.|\n)*landing\.orders\?"):
        session.query("FROM landing.ordres")
    (landing / "orders.csv").write_text("a\n1\n")
    with pytest.raises(RequestError, match=r"several things: orders\.csv, orders\.parquet"):
        session.query("FROM landing.orders")
    with pytest.raises(SqlError, match="nope") as raised:
        session.query("SELECT 1;\nSELECT nope\nFROM landing.days")
    assert raised.value.line == 2


def test_remote_files_are_read_without_an_extension(declare: Declare) -> None:
    """fsspec's file system in memory stands for all that are not on this machine."""
    memory = fsspec.filesystem("memory")
    for day in (1, 2):
        memory.pipe(f"/bucket/land/visits/day={day}/part.csv", f"id\n{day}\n{day}\n".encode())
    declare('[remote]\ntype = "files"\nurl = "memory://bucket/land"\n')
    session = EngineSession.open()
    try:
        found = session.query("SELECT day, sum(id) AS ids FROM remote.visits GROUP BY day ORDER BY day").to_pylist()
        assert found == [{"day": 1, "ids": 2}, {"day": 2, "ids": 4}]
        with pytest.raises(SqlError, match="only read"):
            session.execute("COPY (SELECT 1) TO 'source://remote/mine.csv'")
        assert not memory.exists("/bucket/land/mine.csv")
    finally:
        session.close()
        memory.rm("/bucket", recursive=True)


def test_files_behind_http_are_read_with_a_token(
    landing: Path, declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("aiohttp")

    class Guarded(SimpleHTTPRequestHandler):
        def send_head(self) -> Any:
            if self.headers.get("Authorization") == f"Bearer {SECRET}":
                return super().send_head()
            return self.send_error(401)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    monkeypatch.setenv("WEB_TOKEN", SECRET)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Guarded, directory=str(landing))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f'type = "files"\nurl = "http://127.0.0.1:{server.server_port}"\n'
        declare(f'[web]\n{address}token = "env:WEB_TOKEN"\n[stranger]\n{address}')
        session = EngineSession.open()
        assert value(session, "SELECT sum(id) FROM web.orders") == 10
        assert value(session, 'SELECT count(*) FROM web."days/day1"') == 5
        with pytest.raises(RequestError, match="no nothing"):
            session.query("FROM web.nothing")
        with pytest.raises(RequestError, match=r"refuses what it is asked \(401\)"):
            session.query("FROM stranger.orders")
        session.close()
        server.shutdown()


def test_files_in_object_storage_are_read_with_a_key(declare: Declare, monkeypatch: pytest.MonkeyPatch) -> None:
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANDING_SECRET", SECRET)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        endpoint = "http://{}:{}".format(*server.get_host_and_port())
        keys = {"key": "reader", "secret": SECRET, "endpoint_url": endpoint}
        bucket = fsspec.filesystem("s3", skip_instance_cache=True, **keys)
        bucket.mkdir("bucket")
        for day in (1, 2):
            bucket.pipe(f"bucket/land/visits/day={day}/part.csv", f"id\n{day}\n".encode())
        bucket.pipe("bucket/land/orders.jsonl", b'{"id": 7}\n')
        declare(
            '[landing]\ntype = "files"\nurl = "s3://bucket/land"\nregion = "us-east-1"\nkey = "env:LANDING_KEY"\n'
            f'secret = "env:LANDING_SECRET"\nendpoint = "{endpoint}"\n'
        )
        monkeypatch.setenv("LANDING_KEY", "reader")
        assert jp.sources().tables("landing") == ("landing.orders", "landing.visits")
        assert [column.name for column in jp.sources().columns("landing", "landing.visits")] == ["id", "day"]
        session = EngineSession.open()
        assert value(session, "SELECT sum(id * day) FROM landing.visits WHERE day > 1") == 4
        assert value(session, "SELECT id FROM landing.orders") == 7
        with pytest.raises(RequestError, match="no nothing") as raised:
            session.query("FROM landing.nothing")
        session.close()
        assert SECRET not in str(raised.value)
    finally:
        server.stop()


def test_a_secret_comes_from_the_keyring(declare: Declare) -> None:
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    class InMemory(KeyringBackend):  # type: ignore[misc]  # as far as it is installed
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            if service == "locked":
                raise KeyringLocked("nobody opens it")
            return SECRET if (service, username) == ("crm", "reader") else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise AssertionError("sources are only read")

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        kept = '[{0}]\ntype = "postgres"\ndatabase = "d"\npassword = "keyring:{0}/reader"\n'
        declare("".join(kept.format(name) for name in ("crm", "other", "locked")))
        assert jp.sources().connect("crm").secrets == (SECRET,)
        assert SECRET not in repr(jp.sources().connect("crm"))
        with pytest.raises(RequestError, match=r"nothing for other/reader(.|\n)*keyring set other reader"):
            jp.sources().connect("other")
        with pytest.raises(RequestError, match="cannot be read for the source locked: nobody opens it"):
            jp.sources().connect("locked")
    finally:
        keyring.set_keyring(before)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[a\n", "cannot be read"),
        ("a = 1", "no source"),
        ('["a(b"]\ntype = "files"\nurl = "/x"', "cannot be called"),
        ('[main]\ntype = "files"\nurl = "/x"', "cannot be called"),
        ('[a]\ntype = "oracle"', "no type"),
        ('[a]\ntype = "postgres"\nhost = "h"', "no database"),
        ('[a]\ntype = "postgres"\ndatabas = "d"', "field databas(.|\n)*database\\?"),
        (f'[a]\ntype = "postgres"\ndatabase = "d"\npassword = "{SECRET}"', "password .*is written(.|\n)*env:NAME"),
        (f'[a]\ntype = "files"\nurl = "https://me:{SECRET}@example.com"', "holds a user"),
        ('[a]\ntype = "files"\nurl = "data"', "no whole path"),
        ('[a]\ntype = "files"\nurl = "/x"\nformat = "xls"', "format"),
        (f'[a]\ntype = "files"\nurl = "https://x/y?sig={SECRET}"', "more than where the files are"),
        ('[a]\ntype = "postgres"\ndatabase = "d"\nport = "x"', "no number"),
        ('[a]\ntype = "postgres"\ndatabase = "d"\npassword = "env:NOT_SET_ANYWHERE"', "NOT_SET_ANYWHERE"),
        ('[a]\ntype = "postgres"\ndatabase = "d"\npassword = "prefect:nope"', "no Prefect server"),
    ],
)
def test_a_declaration_that_cannot_be(
    declare: Declare, text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("JUPYTER_PIPELINES_HOME", str(tmp_path / "home"))
    declare(text)
    sources = jp.sources()
    with pytest.raises(RequestError) as raised:
        [sources.connect(name) for name in sources.names()]
    assert re.search(said, str(raised.value)), str(raised.value)
    assert SECRET not in str(raised.value)


def test_sources_from_the_command_line(landing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "--format", "json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)["sources"]
    assert listed == {"name": "landing", "type": "files", "place": str(landing), "problem": ""}
    assert main(["sources", "test", "landing", "--format", "json"]) == 0
    tables = ["landing.days", "landing.events", "landing.odd", 'landing."odd-2024"', "landing.orders"]
    assert json.loads(capsys.readouterr().out)["tables"] == tables
    assert main(["sources", "test", "nothing"]) == 2
    assert "no source nothing" in capsys.readouterr().err


def test_columns_are_asked_for_by_the_names_that_tables_have(session: EngineSession) -> None:
    found = jp.sources()
    columns = {table: found.columns("landing", table) for table in found.tables("landing")}
    described = [(column.name, column.type) for column in columns["landing.orders"]]
    assert described == [("id", "BIGINT"), ("name", "VARCHAR")]
    assert columns["landing.days"] == columns["landing.orders"]
    assert [column.name for column in columns['landing."odd-2024"']] == ["a"]
    with pytest.raises(RequestError, match=r"Did you mean landing\.orders"):
        found.columns("landing", "ordres")


def test_columns_of_a_file_that_is_broken_say_why(session: EngineSession, landing: Path) -> None:
    (landing / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(RequestError, match=r"landing\.broken cannot be read: .*too small"):
        jp.sources().columns("landing", "landing.broken")


def test_nobody_waits_for_a_database_that_does_not_answer(declare: Declare) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        declare(f'[slow]\ntype = "postgres"\ndatabase = "d"\nhost = "127.0.0.1"\nport = {port}\n')
        with pytest.raises(RequestError, match=r"slow has not answered for 0\.1 seconds"):
            list_columns(jp.sources().connect("slow"), "slow.orders", 0.1)


def test_nobody_waits_for_files_that_do_not_answer(declare: Declare) -> None:
    over = threading.Event()

    class Silent(MemoryFileSystem):  # type: ignore[misc]  # fsspec ships no types
        protocol = "silent"

        def ls(self, *_: Any, **__: Any) -> Any:
            over.wait()

    fsspec.register_implementation("silent", Silent, clobber=True)
    declare('[slow]\ntype = "files"\nurl = "silent://bucket"\n')
    try:
        with pytest.raises(RequestError, match=r"slow has not answered for 0\.1 seconds"):
            list_tables(jp.sources().connect("slow"), 0.1)
    finally:
        over.set()


# -- PostgreSQL, and the owner -------------------------------------------------------------------------------------

FILL = r"""
CREATE TYPE mood AS ENUM ('glad', 'sad');
CREATE TABLE customers (
    id bigint, "Full Name" text, price numeric(10, 2), ts timestamp, tz timestamptz(3), day date, happy boolean,
    key uuid, facts jsonb, bytes bytea, numbers int[], words text[], mood mood, span interval, nothing text
);
INSERT INTO customers VALUES (
    1, E'Zoë, "q"\nnew \\N', 12.5, '2024-02-29 12:00:00.123456', '2024-02-29 12:00:00+02', '2024-02-29', true,
    '00000000-0000-0000-0000-000000000005', '{"a": [1]}', '\x00ff', '{1,NULL,3}', '{"a","b,c"}', 'sad', '1 day', ''
);
INSERT INTO customers VALUES (2);
CREATE TABLE emperors (id int, name text, wealth numeric(10, 2));
INSERT INTO emperors VALUES (1, 'Augustus', 'NaN'), (2, 'Trajan', 1.5);
CREATE SCHEMA sales;
CREATE TABLE sales.visits AS SELECT i AS id, 2 AS customer FROM generate_series(1, 2000) i;
"""


@pytest.fixture(scope="module")
def filled(postgres: str) -> str:
    """The folder of the socket of a PostgreSQL that has something to read."""
    ask_postgres(postgres, FILL)
    return postgres


@pytest.fixture
def crm(filled: str, declare: Declare, monkeypatch: pytest.MonkeyPatch) -> str:
    """The source `crm`, whose password is in the environment; gives its declaration."""
    monkeypatch.setenv("CRM_PASSWORD", SECRET)
    text = f'[crm]\ntype = "postgres"\nhost = "{filled}"\ndatabase = "postgres"\nuser = "reader"\n'
    text += 'password = "env:CRM_PASSWORD"\n'
    declare(text)
    return text


def test_values_of_postgres_arrive_as_they_are(crm: str) -> None:
    session = EngineSession.open()
    full, empty = session.query("FROM crm.customers ORDER BY id").to_pylist()
    described = session.query("DESCRIBE crm.public.customers").to_pylist()
    session.close()
    assert set(empty.values()) == {2, None}
    assert full == {
        "id": 1,
        "Full Name": 'Zoë, "q"\nnew \\N',
        "price": Decimal("12.50"),
        "ts": datetime(2024, 2, 29, 12, 0, 0, 123456),
        "tz": datetime(2024, 2, 29, 10, tzinfo=UTC),
        "day": date(2024, 2, 29),
        "happy": True,
        "key": "00000000-0000-0000-0000-000000000005",
        "facts": '{"a": [1]}',
        "bytes": b"\0\xff",
        "numbers": [1, None, 3],
        "words": ["a", "b,c"],
        "mood": "sad",
        "span": full["span"],
        "nothing": "",
    }
    assert full["span"].days == 1
    types = {column["column_name"]: column["column_type"] for column in described}
    assert (types["id"], types["price"], types["numbers"]) == ("BIGINT", "DECIMAL(10,2)", "INTEGER[]")


def test_columns_of_postgres_are_told_as_they_arrive(crm: str) -> None:
    session = EngineSession.open()
    described = session.query("DESCRIBE crm.customers").to_pylist()
    session.close()
    expected = [(column["column_name"], column["column_type"]) for column in described]
    for name in ("crm.public.customers", "public.customers", "customers"):
        assert [(column.name, column.type) for column in jp.sources().columns("crm", name)] == expected
    with pytest.raises(RequestError, match=r"Did you mean crm\.sales\.visits"):
        jp.sources().columns("crm", "sales.visit")


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT sum(id) FROM crm.emperors", 3),
        ("SELECT count(*) FROM crm.emperors", 2),
        ("SELECT count(*) FROM crm.emperors a JOIN crm.emperors b USING (id) WHERE a.name LIKE 'T%'", 1),
        ("SELECT count(*) FROM (SELECT e.Name FROM crm.public.emperors e GROUP BY ALL)", 2),
        ("SELECT count(*) FROM crm.emperors; SELECT max(name) FROM crm.emperors", "Trajan"),
    ],
)
def test_of_postgres_columns_that_no_statement_names_are_not_read(crm: str, sql: str, expected: object) -> None:
    session = EngineSession.open()
    assert value(session, sql) == expected
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "FROM crm.emperors",
        "SELECT e FROM crm.emperors e",
        "SELECT e.* EXCLUDE (id) FROM crm.emperors e",
        "SELECT emperors FROM crm.emperors",
        "SELECT x FROM (SELECT e AS x FROM crm.emperors e)",
        "SELECT COLUMNS('w.*') FROM crm.emperors",
        "SELECT id FROM crm.emperors NATURAL JOIN crm.emperors e",
        "SELECT c FROM crm.emperors e(a, b, c)",
        "SELECT #3 FROM crm.emperors",
    ],
)
def test_columns_that_are_meant_without_a_name_are_read(crm: str, sql: str) -> None:
    """What is no number is no decimal of DuckDB's: only who leaves it out gets a result."""
    session = EngineSession.open()
    with pytest.raises(RequestError, match=r"crm\.public\.emperors cannot be read: .*NaN"):
        session.query(sql)
    session.close()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT name, wealth FROM crm.emperors WHERE id > 1",
        "SELECT name, wealth FROM crm.emperors e JOIN range($two, 5) r(id) USING (id) WHERE e.id BETWEEN $two AND 9",
        "SELECT 'Trajan' AS name, max(wealth) AS wealth FROM crm.emperors WHERE ID >= $two AND name LIKE '%'",
    ],
)
def test_of_postgres_rows_that_cannot_be_in_the_result_are_not_read(crm: str, sql: str) -> None:
    """One of them is NaN, which cannot be read."""
    session = EngineSession.open()
    assert session.query(sql, {"two": 2}).to_pylist() == [{"name": "Trajan", "wealth": Decimal("1.50")}]
    with pytest.raises(RequestError, match="cannot be read"):
        session.query("SELECT wealth FROM crm.emperors WHERE id > 1; SELECT wealth FROM crm.emperors WHERE id > 0")
    session.close()


CONDITIONS = [
    f"{column} {operator} {value}"
    for column, values in {
        "id": ["1", "$whole", "2.5", "'2'", "-9223372036854775807", "9223372036854775808", "true"],
        "day": ["DATE '2024-02-29'", "'2024-02-29'", "$day", "$moment"],
        "ts": ["DATE '2024-02-29'", "$day", "$moment", "$zoned", "TIMESTAMP '2024-02-29 12:00:00'"],
        "tz": ["$zoned", "$day", "$moment"],
        "nothing": ["''", "$text"],
    }.items()
    for operator in ("=", "<", ">=")
    for value in values
]


def test_conditions_mean_the_same_wherever_they_are_asked(crm: str) -> None:
    session = EngineSession.open()
    session.execute("SET TimeZone = 'Asia/Tokyo'; CREATE TABLE mine AS SELECT * FROM crm.customers")
    zoned, moment = datetime(2024, 2, 29, 10, tzinfo=UTC), datetime(2024, 2, 29, 12, 0, 0, 123456)
    given = {"whole": 2, "day": date(2024, 2, 29), "moment": moment, "zoned": zoned, "text": "x' OR true --"}
    for condition in CONDITIONS:
        found: list[object] = []
        for table in ("mine", "crm.customers"):
            try:
                found.append(session.query(f"SELECT id FROM {table} WHERE {condition} ORDER BY id", given).to_pylist())
            except SqlError as error:
                found.append(error.kind)
        assert found[0] == found[1], condition
    session.close()


def test_a_table_is_built_of_two_sources_in_the_warehouse_of_all(
    crm: str, declare: Declare, warehouse: WarehouseFiles, tmp_path: Path
) -> None:
    (tmp_path / "prices.csv").write_text("id,price\n1,2.5\n2,3.5\n")
    declare(crm + f'[landing]\ntype = "files"\nurl = "{tmp_path}"\n')
    session = RemoteSession(warehouse)
    with session.transaction():
        session.execute("CREATE TABLE mine AS SELECT id, price FROM crm.sales.visits JOIN landing.prices USING (id)")
        session.execute("INSERT INTO mine SELECT id, 0 FROM crm.customers")
    assert value(session, "SELECT sum(price) FROM mine") == 6
    with pytest.raises(SqlError, match="only read"):
        session.execute("INSERT INTO crm.customers (id) VALUES (3)")
    assert sum(batch.num_rows for batch in session.stream("FROM crm.sales.visits")) == 2000
    assert value(session, "SELECT count(*) FROM duckdb_tables() WHERE temporary") == 0
    session.close()
    end_owner(warehouse)
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes(), path


def test_a_database_that_refuses_is_told_without_the_secret(crm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = EngineSession.open()
    with pytest.raises(RequestError, match=r"no table public\.customer\.(.|\n)*Did you mean crm\.public\.customers\?"):
        session.query("FROM crm.customer")
    monkeypatch.setenv("CRM_PASSWORD", "an0ther-secret")
    with pytest.raises(RequestError, match="cannot be read") as raised:
        session.query("FROM crm.customers")
    assert "an0ther-secret" not in str(raised.value)
    session.close()


def test_waiting_for_a_source_can_be_interrupted(declare: Declare) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        declare(f'[slow]\ntype = "postgres"\ndatabase = "d"\nhost = "127.0.0.1"\nport = {silent.getsockname()[1]}\n')
        session = EngineSession.open()
        with ThreadPoolExecutor(1) as aside:
            asking = aside.submit(session.query, "FROM slow.orders")
            peer, _ = silent.accept()
            with peer:
                peer.recv(1)  # it has said hello, and waits
                session.interrupt()
                with pytest.raises(Interrupted):
                    asking.result(60)
        session.close()
