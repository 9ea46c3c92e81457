"""What a statement asks of the rows of a table, as far as leaving others out changes nothing."""

from __future__ import annotations

import pytest

from jupyter_pipelines.graph.sql.filters import filters_of


def asked(sql: str) -> list[str]:
    found = filters_of(sql, lambda name: name.schema == "crm")
    return sorted(
        f"{name} {one.column} {one.operator} {f'${one.parameter}' if one.parameter else one.value}"
        for name, filters in found.items()
        for one in filters
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("FROM crm.v WHERE id > -5 AND 7 >= id", ["crm.v id <= 7", "crm.v id > -5"]),
        ("SELECT x FROM crm.v WHERE (day = DATE '2024-01-31' AND (x = 'a' OR id = 1))", ["crm.v day = 2024-01-31"]),
        ("SELECT 1 FROM crm.v AS w WHERE w.id BETWEEN $low AND $high", ["crm.v id <= $high", "crm.v id >= $low"]),
        ("CREATE TABLE t AS SELECT * FROM a JOIN crm.v USING (id) WHERE v.id = 1 AND a.id = 2", ["crm.v id = 1"]),
        ("SELECT * FROM a LEFT JOIN crm.v ON a.i = v.i WHERE v.id = 1", ["crm.v id = 1"]),
        ("WITH x AS (FROM crm.v WHERE id = 1) SELECT * FROM x, crm.w WHERE w.id = 2", ["crm.v id = 1", "crm.w id = 2"]),
        ("SELECT count(*) FROM crm.v WHERE id = 1 UNION ALL SELECT 2", ["crm.v id = 1"]),
    ],
)
def test_conditions_that_every_row_must_meet_are_found(sql: str, expected: list[str]) -> None:
    assert asked(sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "FROM crm.v WHERE id = 1 OR id = 2",
        "FROM crm.v WHERE NOT (id = 1)",
        "FROM crm.v WHERE id + 1 = 2 AND lower(name) = 'a' AND name = 'a' AND id = other",
        "FROM crm.v WHERE id IS NULL AND id <> 3",
        "SELECT * FROM crm.v, crm.w WHERE id = 1",
        "SELECT * FROM crm.v JOIN crm.v AS w USING (id) WHERE v.id = 1",
        "SELECT *, (SELECT count(*) FROM crm.v) FROM crm.v WHERE id = 1",
        "SELECT * FROM a ASOF JOIN crm.v ON a.t >= v.t WHERE v.id = 1",
        "SELECT * FROM a POSITIONAL JOIN crm.v WHERE v.id = 1",
        "SELECT * FROM a ANTI JOIN crm.v USING (id) WHERE id = 1",
        "SELECT * FROM crm.v ANTI JOIN a USING (id) WHERE v.id = 1",
        "SELECT * FROM a FULL JOIN crm.v USING (id) WHERE v.id = 1",
        "FROM crm.v WHERE id = 1 USING SAMPLE 10%",
        "FROM crm.v TABLESAMPLE 10% WHERE id = 1",
        "FROM crm.v AS w(id, x) WHERE id = 1",
        "SELECT count(*) FILTER (WHERE id = 1) FROM crm.v HAVING max(id) = 3",
        "SELECT * FROM crm.v QUALIFY row_number() OVER (ORDER BY id) = 1",
        "UPDATE t SET x = 1 FROM crm.v WHERE v.id = 1",
        "FROM crm.v WHERE day = DATE 'infinity' AND at > DATE '2024-1-1'",
        "FROM x.v WHERE id = 1",
        "FROM crm.v WHERE (",
    ],
)
def test_all_others_are_left_to_the_statement(sql: str) -> None:
    assert asked(sql) == []
