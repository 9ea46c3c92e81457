"""What builds would make of tables: they are carried out in a transaction that is never committed, and compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jupyter_pipelines.errors import BuildError, SqlError
from jupyter_pipelines.notebook.table_names import quoted
from jupyter_pipelines.warehouse.building.making import build_within, check_query, make_schema
from jupyter_pipelines.warehouse.building.model import BuildSpec, TableDifference
from jupyter_pipelines.warehouse.building.work import columns_of, count, kind_of, rows

if TYPE_CHECKING:
    from jupyter_pipelines.warehouse.session import Session

_BEFORE = f"temp.main.{quoted('_jupyter_pipelines_before')}"


@dataclass(frozen=True, slots=True)
class Trial:
    """A build to be tried. ``key`` tells its rows apart, where something says so."""

    spec: BuildSpec
    sql: str
    key: tuple[str, ...] = ()


class _UndoneError(Exception):
    """Ends the transaction; nothing of it stays."""


def try_builds(
    session: Session, trials: Sequence[Trial], parameters: Mapping[str, object]
) -> tuple[TableDifference, ...]:
    """Each table as it would be, beside what it is; the later ones see what the earlier ones would make.

    A build that fails, one that needs a DataFrame for instance, is told as a problem, and those after it are not tried.
    """
    found: list[TableDifference] = []
    try:
        with session.transaction([trial.spec.table for trial in trials]):
            for trial in trials:
                found.append(_try(session, trial, parameters))
            raise _UndoneError
    except _UndoneError:
        return tuple(found)
    except (SqlError, BuildError) as error:
        problem = f"{error.message.splitlines()[0]}" + (f" {error.fix}" if error.fix else "")
        place = len(found)
        found.append(TableDifference(str(trials[place].spec.table), problem=problem))
        waiting = f"not tried, since {trials[place].spec.table} could not be"
        found += [TableDifference(str(trial.spec.table), problem=waiting) for trial in trials[place + 1 :]]
        return tuple(found)


def _try(session: Session, trial: Trial, parameters: Mapping[str, object]) -> TableDifference:
    from jupyter_pipelines.graph.sql import read_statements

    statements = read_statements(trial.sql)
    check_query(trial.spec, statements)
    make_schema(session, trial.spec)
    target = trial.spec.table.sql
    before = None
    if kind_of(session, trial.spec.table):
        session.execute(f"CREATE OR REPLACE TEMP TABLE {_BEFORE} AS SELECT * FROM {target}")
        before = count(session, _BEFORE)
    build_within(session, trial.spec, statements, parameters, {})
    after = count(session, target)
    if before is None:
        return TableDifference(str(trial.spec.table), None, after, added=after)
    return _compared(session, trial, target, before, after)


def _compared(session: Session, trial: Trial, target: str, before: int, after: int) -> TableDifference:
    old, new = columns_of(session, _BEFORE), columns_of(session, target)
    known = {name.casefold(): name for name in old}
    common = [name for name in new if name.casefold() in known]
    keys = tuple(trial.key or trial.spec.unique_key)
    if not keys or {key.casefold() for key in keys} - {name.casefold() for name in common}:
        listed = ", ".join(map(quoted, common))
        added, removed = (
            count(session, f"(SELECT {listed} FROM {one} EXCEPT ALL SELECT {listed} FROM {other})")
            for one, other in ((target, _BEFORE), (_BEFORE, target))
        )
        return TableDifference(str(trial.spec.table), before, after, added, removed)
    others = [name for name in common if name.casefold() not in {key.casefold() for key in keys}]
    same = " AND ".join(f"o.{quoted(key)} IS NOT DISTINCT FROM n.{quoted(key)}" for key in keys)
    differs = [f"o.{quoted(name)} IS DISTINCT FROM n.{quoted(name)}" for name in others]
    counted = ", ".join(f"count(*) FILTER ({one})" for one in (" OR ".join(differs) or "false", *differs))
    total, *each = rows(session, f"SELECT {counted} FROM {_BEFORE} AS o JOIN {target} AS n ON {same}")[0]
    added = count(session, f"{target} AS n WHERE NOT EXISTS (FROM {_BEFORE} AS o WHERE {same})")
    removed = count(session, f"{_BEFORE} AS o WHERE NOT EXISTS (FROM {target} AS n WHERE {same})")
    columns = tuple((name, number) for name, number in zip(others, each, strict=True) if number)
    return TableDifference(str(trial.spec.table), before, after, added, removed, keys, total, columns)
