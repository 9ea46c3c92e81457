"""History: a row for each state that a key was in, from when until when (slowly changing dimension, type 2)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from jupyter_pipelines.errors import BuildError
from jupyter_pipelines.notebook.table_names import quoted
from jupyter_pipelines.warehouse.building.work import STAGED, Work, count, rows

FROM, TO, CURRENT = "valid_from", "valid_to", "is_current"


def snapshot(work: Work) -> tuple[int, int, int]:
    """New states begin, those that changed or are gone end; with the same rows again nothing happens.

    A state begins at the row's time column where one is named, else at the end of the run's window, else now. Counted
    are states that began, states that ended, and none removed.
    """
    work.stage()
    keys = work.spec.unique_key
    work.require(*keys, *filter(None, [work.spec.time_column]), *work.spec.partition_by)
    taken = [name for name in work.columns if name.casefold() in (FROM, TO, CURRENT)]
    if taken:
        raise BuildError(
            f"{work.spec.table} cannot be a snapshot: `{taken[0]}` is a column that a snapshot adds by itself.",
            f"Give it another name in the query: {taken[0]} AS source_{taken[0]}.",
        )
    work.one_row_each(keys)
    moment: dict[str, object] = {"moment": _moment(work)}
    begins = f"s.{quoted(work.spec.time_column)}::TIMESTAMP" if work.spec.time_column else "$moment::TIMESTAMP"
    fresh = f"SELECT s.*, {begins} AS {FROM}, NULL::TIMESTAMP AS {TO}, true AS {CURRENT} FROM {STAGED} AS s"
    given = {} if work.spec.time_column else moment
    if work.is_anew:
        work.keep()
        work.drop_view()
        work.session.execute(f"CREATE OR REPLACE TABLE {work.target} AS {fresh}{work.order}", given)
        return count(work.session, work.target), 0, work.had
    work.keep()
    work.same_columns(but=(FROM, TO, CURRENT))
    ended = _end_states(work, begins, moment, given)
    same = _same(keys)
    added = work.session.execute(
        f"INSERT INTO {work.target} BY NAME {fresh} "
        f"WHERE NOT EXISTS (FROM {work.target} AS t WHERE t.{CURRENT} AND {same}){work.order}",
        given,
    )
    return added, ended, 0


def _end_states(work: Work, begins: str, moment: dict[str, object], given: dict[str, object]) -> int:
    same = _same(work.spec.unique_key)
    known = {name.casefold() for name in (*work.spec.unique_key, work.spec.time_column)}
    others = [quoted(name) for name in work.columns if name.casefold() not in known]
    differs = " OR ".join(f"t.{one} IS DISTINCT FROM s.{one}" for one in others) or "false"
    later = rows(
        work.session,
        f"SELECT count(*) FROM {work.target} AS t JOIN {STAGED} AS s ON {same} "
        f"WHERE t.{CURRENT} AND ({differs}) AND t.{FROM} > {begins}",
        given,
    )[0][0]
    if later:
        raise _written_backwards(work, f"{later:,} of them differ from states that began later than they do")
    gone = f"t.{CURRENT} AND NOT EXISTS (FROM {STAGED} AS s WHERE {same})"
    if not work.spec.time_column:
        _refuse_earlier_moments(work, gone, moment)
    ended = work.session.execute(
        f"UPDATE {work.target} AS t SET {TO} = {begins}, {CURRENT} = false FROM {STAGED} AS s "
        f"WHERE t.{CURRENT} AND {same} AND ({differs})",
        given,
    )
    ended += work.session.execute(
        f"UPDATE {work.target} AS t SET {TO} = greatest($moment::TIMESTAMP, t.{FROM}), {CURRENT} = false WHERE {gone}",
        moment,
    )
    # A state that another took the place of at the very moment it began was never there.
    work.session.execute(f"DELETE FROM {work.target} WHERE NOT {CURRENT} AND {TO} <= {FROM}")
    return ended


def _refuse_earlier_moments(work: Work, gone: str, moment: dict[str, object]) -> None:
    """Refuse a moment before states that these rows do not have, and before the end of such as they have."""
    same = _same(work.spec.unique_key)
    began = f"SELECT count(*) FROM {work.target} AS t WHERE {gone} AND t.{FROM} > $moment::TIMESTAMP"
    if found := rows(work.session, began, moment)[0][0]:
        raise _written_backwards(work, f"of states that are not among them {found:,} began later")
    ended = f"NOT EXISTS (FROM {work.target} AS t WHERE t.{CURRENT} AND {same})"
    ended += f" AND EXISTS (FROM {work.target} AS t WHERE t.{TO} > $moment::TIMESTAMP AND {same})"
    if found := rows(work.session, f"SELECT count(*) FROM {STAGED} AS s WHERE {ended}", moment)[0][0]:
        raise _written_backwards(work, f"of their states {found:,} are known to have ended later")


def _written_backwards(work: Work, why: str) -> BuildError:
    return BuildError(
        f"{work.spec.table} cannot take these rows: {why}, and history is only written forwards.",
        "Run windows from the oldest to the newest, or build the table anew with --full-refresh; without windows, see "
        "whether the clock was set back.",
    )


def _same(keys: tuple[str, ...]) -> str:
    return " AND ".join(f"t.{quoted(key)} IS NOT DISTINCT FROM s.{quoted(key)}" for key in keys)


def _moment(work: Work) -> datetime:
    """In UTC, without a zone, so that the same run writes the same everywhere."""
    given = work.parameters.get("interval_end")
    if isinstance(given, datetime):
        return given.astimezone(UTC).replace(tzinfo=None) if given.tzinfo is not None else given
    if isinstance(given, date):
        return datetime.combine(given, time.min)
    return datetime.now(UTC).replace(tzinfo=None)
