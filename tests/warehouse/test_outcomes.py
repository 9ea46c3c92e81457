"""What the owner keeps of transactions, and for how long; and who waits for whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_pipelines.notebook.table_names import TableName
from jupyter_pipelines.warehouse.databases import connect
from jupyter_pipelines.warehouse.engine import EngineSession
from jupyter_pipelines.warehouse.own_schemas import SCHEMA
from jupyter_pipelines.warehouse.owner import outcomes
from jupyter_pipelines.warehouse.owner.turns import Turn, Turns


@pytest.fixture
def database() -> Iterator[Any]:
    database = connect()
    outcomes.prepare(database)
    outcomes.prepare(database)  # of the next owner
    yield database
    database.close()


def test_an_id_is_there_if_its_transaction_was_committed(database: Any) -> None:
    database.execute("begin")
    outcomes.note(database, "kept", statement=1, counted=3)
    database.execute("commit; begin")
    outcomes.note(database, "undone")
    database.execute("rollback")
    assert outcomes.committed(database.cursor(), "kept") == [(1, 3)]
    assert outcomes.committed(database.cursor(), "undone") == []


@pytest.mark.parametrize("days", [-2, 2])  # two days ago; in two days: the clock was set back
def test_old_ids_go_and_what_is_known_of_tables_stays(database: Any, days: int) -> None:
    orders = TableName("mart", "Big Orders")
    outcomes.note(database, "old", [orders])
    database.execute(f"update {SCHEMA}.transactions set noted = noted + {days * 86_400}")
    outcomes.note(database, "new", [TableName("", "other"), TableName("x", "y", "attached")])
    session = EngineSession(database.cursor())
    before = outcomes.changed_tables(session)
    assert set(before) == {orders, TableName("main", "other")}
    outcomes.forget_old(database)
    outcomes.forget_old(database)
    assert outcomes.changed_tables(session) == before
    assert outcomes.committed(database, "old") == []
    assert outcomes.committed(database, "new") == [(0, 0)]


def test_turns_collide_where_both_may_write_the_same() -> None:
    def turn(*names: TableName) -> Turn:
        return Turn(frozenset(names))

    orders, whole = TableName("Mart", "orders"), TableName("mart", "*")
    assert turn(orders).collides(turn(TableName("mart", "ORDERS")))
    assert turn(TableName("", "t")).collides(turn(TableName("main", "t")))
    assert not turn(orders).collides(turn(TableName("mart", "lines")))
    assert turn(orders).collides(turn(whole)) and turn(whole).collides(turn(orders))
    assert not turn().collides(turn(whole))
    assert turn(orders).collides(Turn(None)) and Turn(None).collides(turn(orders))


def test_a_turn_is_had_in_the_order_of_asking() -> None:
    turns, seen = Turns(), []
    first = turns.take([TableName("", "a")], lambda: False)

    def gone() -> bool:
        seen.append("looked")
        return True

    with pytest.raises(InterruptedError):
        turns.take(None, gone)
    assert seen == ["looked"]
    turns.give_back(turns.take([TableName("", "b")], lambda: False))  # who has gone is in nobody's way
    turns.give_back(first)
