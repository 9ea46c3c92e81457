"""The life of an owner: elected, ready, idle, gone."""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_pipelines.errors import StoreError, WarehouseError
from jupyter_pipelines.graph.sql import read_statements
from jupyter_pipelines.settings import Settings
from jupyter_pipelines.warehouse.databases import Database, open_database
from jupyter_pipelines.warehouse.owner import outcomes, wire
from jupyter_pipelines.warehouse.owner.files import Endpoint, WarehouseFiles

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.owner.server import OwnerServer

LOOK: Final = 1.0  # seconds between two looks whether there is still something to do
END_SECONDS: Final = 20.0  # for sessions to end, when nobody is to have one any more
CLEANED: Final = 3600.0  # seconds between two times at which old ids of transactions are forgotten


def own(path: str) -> None:
    """Own the warehouse at ``path`` until nobody needs it; says on standard output what became of that."""
    os.umask(0o077)  # what is in a warehouse, and is taken out of it, is its owner's alone
    files = WarehouseFiles.of(Path(path))
    with files.owned() as elected:
        if not elected:
            _tell({"state": "owned"})
            return
        files.forget_endpoint()  # of one that was killed
        try:
            database = open_database(str(files.path))
            database.prepare(outcomes.prepare)
        except WarehouseError as error:
            _tell({"state": "failed", "error": wire.encode_error(error).decode()})
            return
        _serve(files, database)


def _serve(files: WarehouseFiles, database: Database) -> None:
    from jupyter_pipelines.warehouse.owner.server import OwnerServer

    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    os.chdir(files.path.parent)
    token, idle = secrets.token_urlsafe(32), Settings.load().warehouse_idle
    server = OwnerServer(database, token, over.set)
    try:
        files.save_endpoint(Endpoint(f"grpc://127.0.0.1:{server.port}", token, os.getpid(), time.time()))
    except StoreError as error:
        told = WarehouseError(
            f"The owner of the warehouse {files.path} cannot write where it answers. {error.message}",
            f"Free space on that disk, and see that {files.endpoint} can be written.",
        )
        _tell({"state": "failed", "error": wire.encode_error(told).decode()})
        os._exit(1)
    _tell({"state": "ready"})
    # The parser is loaded before the first write needs it.
    threading.Thread(target=read_statements, args=("SELECT 1",), daemon=True).start()
    try:
        _wait(server, over, idle, database)
        files.forget_endpoint()
        late = threading.Timer(END_SECONDS, os._exit, (0,))  # a statement that is planned for minutes hears nothing
        late.start()
        server.close()
        late.cancel()
        if not over.is_set():
            _forget_old(database)
        database.close()
    except Exception:  # such a statement is still at work; what the log beside the file has is read at the next start
        traceback.print_exc()
    finally:
        os._exit(
            0
        )  # whatever was: who has given back the lock must not have the file. Clients would be waited for, too


def _wait(server: OwnerServer, over: threading.Event, idle: float, database: Database) -> None:
    """Return when nobody needs the warehouse any more."""
    cleaned = time.monotonic()
    while not over.wait(min(LOOK, idle)) and not server.ends_after(idle):
        server.end_orphans()
        if time.monotonic() - cleaned > CLEANED:
            _forget_old(database)
            cleaned = time.monotonic()


def _forget_old(database: Database) -> None:
    """What cannot be forgotten now (another machine does, PostgreSQL is away) is the next time."""
    import duckdb

    with suppress(duckdb.Error):
        outcomes.forget_old(database.cursor())


def _tell(what: dict[str, object]) -> None:
    print(json.dumps(what), flush=True)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 1)  # who has started us reads to the end
    os.close(null)
