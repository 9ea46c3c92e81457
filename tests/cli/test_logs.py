"""What `logs` shows of a service's logs."""

from __future__ import annotations

from jupyter_pipelines.cli.commands.logs import without_tracebacks


def test_of_a_traceback_only_its_exceptions_are_shown() -> None:
    written = """\
12:00 | WARNING | before
Traceback (most recent call last):
  File "a.py", line 1, in f
    x
sqlite3.OperationalError: database is locked

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "b.py", line 2, in g
sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked
[SQL: UPDATE flow_run SET x=?]
(Background on this error at: https://sqlalche.me/e/20/e3q8)
after
  indented, and no traceback"""
    assert without_tracebacks(written.splitlines()) == [
        "12:00 | WARNING | before",
        "sqlite3.OperationalError: database is locked",
        "",
        "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) database is locked",
        "after",
        "  indented, and no traceback",
    ]
