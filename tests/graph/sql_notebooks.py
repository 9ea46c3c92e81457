"""Notebooks with SQL cells, as ``word: source``, where the word is a role or a step's name."""

from __future__ import annotations

SETUP = "setup: %load_ext jupyter_pipelines\nimport pandas as pd\nimport jupyter_pipelines as jp"

WAREHOUSE = (
    SETUP,
    "parameters: day = '2013-01-01'\nleast = 3",
    "load: flights = pd.read_csv('flights.csv')",
    "stage: %%sql --table stage.flights\nselect * from flights where day = $day",
    """mart: %%sql --table mart.daily --materialize incremental --time-column day
with late as (select * from stage.flights where delay > $least)
select day, count(*) as n from late join raw.airports a using (id) group by day""",
    "check: %%check mart.daily\nday: not null, unique\nn: between 1 and $least\nid: in raw.airports.id",
    "report: %%sql daily <<\nselect * from mart.daily",
    "plot: daily.plot()",
)
VIEWS = (
    SETUP,
    "a: %%sql --table t\nselect 1 as a",
    "b: %%sql --table v --materialize view\nfrom t",
    "b: %%sql\ncreate macro f() as table from v",
    "c: %%sql\ninsert into t values (2);\ninsert into t values (3)",
    "d: %%sql df <<\nfrom f()",
    "e: %%sql\ncreate or replace table t as select 3",
    "f: df.head()",
)
CONNECTIONS = (
    SETUP,
    "setup: %%sql\ncreate temp table known as from base.known",
    "a: %%sql\ncreate temp table own as from known;\nuse mart;\nset threads = 4",
    "b: %%sql\nfrom own",
    "c: %%sql\nbegin;\ninsert into t from known",
    "skip: %%sql --table skipped\nselect 1",
    "d: %%sql x <<\nfrom skipped where a = $missing and b = ?;\nselec 1",
)
PYTHON = (
    SETUP,
    "a: w = jp.warehouse()\nw.sql('create table t as select 1')",
    "b: def rows(name):\n    return jp.warehouse().sql('from t')",
    "c: n = rows('t')",
    "d: jp.warehouse().sql(f'insert into {n} from t')",
    "e: %%sql\nfrom n, t",
    "f: jp.warehouse().table('mart.x')\nframe = w.sql('from t where a = $a', a=1, form='pandas')",
)
FOREIGN = ("setup: %load_ext sql", "a: %%sql\nfrom t", "b: %%sql\ninsert into t values (1)")
UNKNOWN = ("a: %%sql\nfrom t", "b: %%check t\nid: unique")
ALL = (WAREHOUSE, VIEWS, CONNECTIONS, PYTHON, FOREIGN, UNKNOWN)
