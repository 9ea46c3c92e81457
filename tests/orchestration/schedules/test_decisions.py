"""What is done about occurrences: every policy on what was missed and what overlaps, and clocks that jump."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from jupyter_pipelines.errors import RequestError
from jupyter_pipelines.orchestration.schedules import (
    ActiveRun,
    Cancel,
    Decision,
    Handled,
    Queue,
    Schedule,
    Skip,
    Start,
    deadline,
    decide,
    occurrence_key,
    occurrences_after,
    overdue,
)
from jupyter_pipelines.orchestration.schedules.decisions import MOST_WAITING

HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


def at(clock: str) -> datetime:
    """A moment of 1 June 2027: ``"07:00"``, ``"07:00:20"``."""
    return datetime.fromisoformat(f"2027-06-01T{clock}").replace(tzinfo=UTC)


def running(clock: str) -> ActiveRun:
    return ActiveRun(f"run {clock}", at(clock), "running")


def queued(clock: str) -> ActiveRun:
    return ActiveRun(f"run {clock}", at(clock), "queued")


def told(decision: Decision) -> list[str]:
    """Actions in short: what is done, and about which hour."""
    said = []
    for action in decision.actions:
        match action:
            case Start(occurrence, run_id):
                said.append(f"{'release' if run_id else 'start'} {occurrence:%H:%M}")
            case Queue(occurrence):
                said.append(f"queue {occurrence:%H:%M}")
            case Skip(first, last, count, _):
                said.append(f"skip {first:%H:%M}" + (f"-{last:%H:%M} ({count})" if count != 1 else ""))
            case Cancel(run_id):
                said.append(f"cancel {run_id.removeprefix('run ')}")
    return said


def hourly(**options: object) -> Schedule:
    return Schedule(cron="0 * * * *", **options)  # type: ignore[arg-type]


SINCE = Handled(at("03:30"))
ON_TIME, LATE, BOTH, DOWN = "04:00:10", "04:20", "06:00:10", "06:20"

# missed, overlap, now, runs, what is done
TABLE = [
    # Nothing is due
    ("latest", "queue", "03:59:59", [], []),
    ("all", "parallel", "03:59:59", [running("03:00")], []),
    # On time, nothing runs
    *[(missed, overlap, ON_TIME, [], ["start 04:00"]) for missed, overlap in product(
        ("skip", "latest", "all"), ("queue", "skip", "parallel", "cancel-previous")
    ) if (missed, overlap) != ("all", "cancel-previous")],
    # On time, while the run before has not ended
    *[(missed, "queue", ON_TIME, [running("03:00")], ["queue 04:00"]) for missed in ("skip", "latest", "all")],
    *[(missed, "skip", ON_TIME, [running("03:00")], ["skip 04:00"]) for missed in ("skip", "latest", "all")],
    *[(missed, "parallel", ON_TIME, [running("03:00")], ["start 04:00"]) for missed in ("skip", "latest", "all")],
    *[(missed, "cancel-previous", ON_TIME, [running("03:00")], ["cancel 03:00", "start 04:00"])
      for missed in ("skip", "latest")],
    # On time, while two run, or one runs and one waits
    ("latest", "parallel", ON_TIME, [running("02:00"), running("03:00")], ["queue 04:00"]),
    ("latest", "queue", ON_TIME, [running("02:00"), queued("03:00")], ["queue 04:00"]),
    ("latest", "skip", ON_TIME, [queued("03:00")], ["release 03:00", "skip 04:00"]),
    ("latest", "parallel", ON_TIME, [running("02:00"), queued("03:00")], ["release 03:00", "queue 04:00"]),
    ("latest", "cancel-previous", ON_TIME, [queued("03:00"), running("02:00")],
     ["cancel 02:00", "cancel 03:00", "start 04:00"]),
    # A run has ended, and one waits
    ("latest", "queue", "03:40", [queued("03:00")], ["release 03:00"]),
    ("latest", "queue", "03:40", [queued("03:00"), queued("02:00")], ["release 02:00"]),
    ("latest", "parallel", "03:40", [queued("03:00"), queued("01:00"), queued("02:00")],
     ["release 01:00", "release 02:00"]),
    # One was missed
    *[("skip", overlap, LATE, [], ["skip 04:00"]) for overlap in ("queue", "skip", "parallel", "cancel-previous")],
    *[("latest", overlap, LATE, [], ["start 04:00"]) for overlap in ("queue", "skip", "parallel", "cancel-previous")],
    *[("all", overlap, LATE, [], ["start 04:00"]) for overlap in ("queue", "skip", "parallel")],
    ("latest", "skip", LATE, [running("03:00")], ["skip 04:00"]),
    ("all", "skip", LATE, [running("03:00")], ["queue 04:00"]),  # asked for: it does not overlap, it waits
    # Three were missed
    ("skip", "queue", DOWN, [], ["skip 04:00-06:00 (3)"]),
    ("latest", "queue", DOWN, [], ["skip 04:00-05:00 (2)", "start 06:00"]),
    ("latest", "parallel", DOWN, [], ["skip 04:00-05:00 (2)", "start 06:00"]),
    ("latest", "queue", DOWN, [running("03:00")], ["skip 04:00-05:00 (2)", "queue 06:00"]),
    ("latest", "cancel-previous", DOWN, [running("03:00")], ["skip 04:00-05:00 (2)", "cancel 03:00", "start 06:00"]),
    ("all", "queue", DOWN, [], ["start 04:00", "queue 05:00", "queue 06:00"]),
    ("all", "skip", DOWN, [], ["start 04:00", "queue 05:00", "queue 06:00"]),
    ("all", "parallel", DOWN, [], ["start 04:00", "start 05:00", "queue 06:00"]),
    ("all", "parallel", DOWN, [running("03:00")], ["start 04:00", "queue 05:00", "queue 06:00"]),
    # Two were missed, and one is due now
    ("skip", "queue", BOTH, [], ["skip 04:00-05:00 (2)", "start 06:00"]),
    ("latest", "queue", BOTH, [], ["skip 04:00-05:00 (2)", "start 06:00"]),
    ("all", "queue", BOTH, [], ["start 04:00", "queue 05:00", "queue 06:00"]),
    ("all", "skip", BOTH, [], ["start 04:00", "queue 05:00", "skip 06:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("missed", "overlap", "now", "runs", "expected"), TABLE)
def test_policies(missed: str, overlap: str, now: str, runs: list[ActiveRun], expected: list[str]) -> None:
    schedule = hourly(missed=missed, overlap=overlap, max_parallel=2 if overlap == "parallel" else 1)
    decision = decide(schedule, SINCE, at(now), runs)
    assert told(decision) == expected
    assert decision.wake == at(now).replace(minute=0, second=0) + HOUR
    again = decide(schedule, decision.handled, at(now), [*runs, *_made(decision)])
    assert not [action for action in again.actions if not (isinstance(action, Start) and action.run_id)]


def _made(decision: Decision) -> list[ActiveRun]:
    """The runs that a decision makes."""
    return [
        ActiveRun(f"run {action.occurrence}", action.occurrence, "queued" if isinstance(action, Queue) else "running")
        for action in decision.actions
        if isinstance(action, Queue) or (isinstance(action, Start) and not action.run_id)
    ]


def test_reasons_say_why() -> None:
    reasons = [
        decide(hourly(missed="skip"), SINCE, at(DOWN)),
        decide(hourly(), SINCE, at(DOWN)),
        decide(hourly(overlap="skip"), SINCE, at(ON_TIME), [running("03:00")]),
        decide(hourly(paused=True), SINCE, at(DOWN)),
    ]
    assert [decision.actions[0].reason for decision in reasons if isinstance(decision.actions[0], Skip)] == [
        "it was missed, and missed runs are skipped",
        "it was missed, and of missed runs only the latest is made up for",
        "an earlier run had not ended",
        "the schedule is paused",
    ]


def test_what_cannot_be_together_is_refused() -> None:
    with pytest.raises(RequestError, match="each would cancel the one before"):
        hourly(missed="all", overlap="cancel-previous")


def test_what_is_due_while_paused_does_not_run_later() -> None:
    paused = decide(hourly(paused=True), SINCE, at(DOWN), [queued("03:00")])
    assert told(paused) == ["skip 04:00-06:00 (3)"]  # and what waits goes on waiting
    resumed = decide(hourly(missed="all"), paused.handled, at("06:30"))
    assert told(resumed) == []
    # Nobody looked while it was paused: the moment of resuming says what is not made up for.
    assert told(decide(hourly(missed="all"), Handled(at("06:25"), at("03:00")), at("06:30"))) == []


def test_an_occurrence_with_a_run_is_not_run_again() -> None:
    """The service died after it had started the run, before it could keep what was handled."""
    for missed, now in product(("latest", "all"), (ON_TIME, LATE)):
        decision = decide(hourly(missed=missed), SINCE, at(now), recorded=[at("04:00")])
        assert told(decision) == []
        assert decision.handled.until == at("04:00")
    down = decide(hourly(), SINCE, at(DOWN), recorded=[at("06:00")])
    assert told(down) == ["skip 04:00-05:00 (2)"]
    assert told(decide(hourly(), SINCE, at(DOWN), recorded=[at("04:00")])) == ["skip 05:00", "start 06:00"]
    for missed in ("skip", "latest", "all"):
        ran = decide(hourly(missed=missed), SINCE, at(DOWN), recorded=[at("04:00"), at("05:00"), at("06:00")])
        assert told(ran) == [] and ran.handled.until == at("06:00")
    assert told(decide(hourly(missed="all"), SINCE, at(DOWN), recorded=[at("05:00")])) == ["start 04:00", "queue 06:00"]


@pytest.mark.parametrize("missed", ["skip", "latest", "all"])
def test_a_clock_that_jumps_an_hour_runs_nothing_twice(missed: str) -> None:
    schedule = hourly(missed=missed, overlap="parallel", max_parallel=99)
    handled, starts = SINCE, []
    for clock in ("04:00:01", "05:00:01", "04:00:30", "04:30", "05:00:30", "05:30", "06:00:01", "05:59:59", "06:00:02"):
        decision = decide(schedule, handled, at(clock))
        handled = decision.handled
        starts += [action.occurrence for action in decision.actions if isinstance(action, Start)]
        assert decision.wake is not None and decision.wake > max(at(clock), handled.until or at(clock))
    assert starts == [at("04:00"), at("05:00"), at("06:00")]


def test_a_clock_that_was_years_ahead_does_not_stop_a_schedule_for_years() -> None:
    ahead = decide(hourly(), SINCE, at("04:00") + timedelta(days=3650))
    assert [type(action) for action in ahead.actions] == [Skip, Start]
    assert ahead.actions[0] == Skip(at("04:00"), at("03:00") + timedelta(days=3650), None, ahead.actions[0].reason)  # type: ignore[union-attr]
    back = decide(hourly(), ahead.handled, at("04:30"))
    assert back.actions == () and "ahead" in back.notes[0]
    assert told(decide(hourly(), back.handled, at("05:00:01"))) == ["start 05:00"]


def test_a_machine_that_sleeps_for_hours() -> None:
    schedule = Schedule(cron="* * * * *")
    decision = decide(schedule, Handled(at("01:00")), at("09:00:30"))
    assert told(decision) == ["skip 01:01-08:59 (479)", "start 09:00"]


def test_a_backlog_is_taken_up_bit_by_bit_and_in_order() -> None:
    schedule = Schedule(cron="* * * * *", missed="all")
    handled, runs, done, now = Handled(at("01:00")), list[ActiveRun](), list[datetime](), at("06:00:30")
    for _ in range(1_000):
        decision = decide(schedule, handled, now, runs)
        handled = decision.handled
        for action in decision.actions:
            if isinstance(action, Start):
                runs = [run for run in runs if run.id != action.run_id]
                runs.append(ActiveRun(str(action.occurrence), action.occurrence, "running"))
            elif isinstance(action, Queue):
                runs.append(ActiveRun(str(action.occurrence), action.occurrence, "queued"))
        assert sum(run.state == "queued" for run in runs) <= MOST_WAITING
        assert sum(run.state == "running" for run in runs) <= 1
        ended = [run for run in runs if run.state == "running"]
        done += [run.occurrence for run in ended]
        runs = [run for run in runs if run.state != "running"]
        if not decision.actions:
            break
    assert done == [at("01:00") + number * MINUTE for number in range(1, 301)]


def test_the_end_and_the_count_finish_a_schedule() -> None:
    ends = hourly(end=at("05:30"))
    first = decide(ends, SINCE, at(ON_TIME))
    assert not first.finished and first.wake == at("05:00")
    last = decide(ends, first.handled, at("05:00:01"))
    assert told(last) == ["start 05:00"] and last.finished and last.wake is None
    counted = decide(hourly(start=at("02:30"), count=2, missed="all"), Handled(at("02:00")), at(DOWN))
    assert told(counted) == ["start 03:00", "queue 04:00"] and counted.finished


def test_any_course_of_events_runs_each_occurrence_once_at_most_and_never_early() -> None:
    """The clock jumps, the machine sleeps, the service dies before it can keep what it did, runs end at any time."""
    dice = random.Random(11)
    for round_ in range(120):
        missed = dice.choice(["skip", "latest", "all"])
        overlap = dice.choice(["queue", "skip", "parallel"] + ["cancel-previous"] * (missed != "all"))
        most = dice.randint(1, 3) if overlap == "parallel" else 1
        schedule = Schedule(
            cron=dice.choice(["*/5 * * * *", "0 * * * *", "30 2 * * *"]),
            zone=dice.choice(["UTC", "America/New_York"]),
            missed=missed,  # type: ignore[arg-type]
            overlap=overlap,  # type: ignore[arg-type]
            max_parallel=most,
        )
        now = datetime(2027, 3, 13, 20, tzinfo=UTC) if round_ % 2 else datetime(2027, 11, 6, 20, tzinfo=UTC)
        begin, handled = now, Handled(now)
        runs: dict[datetime, str] = {}  # all that ever were, with their states
        skipped: set[datetime] = set()
        for _ in range(60):
            now += dice.choice([5 * SECOND, MINUTE, 7 * MINUTE, HOUR, 5 * HOUR, -HOUR, HOUR, 20 * MINUTE])
            active = [ActiveRun(occurrence_key(one), one, state) for one, state in runs.items() if state != "ended"]  # type: ignore[arg-type]
            decision = decide(schedule, handled, now, active, list(runs))
            for action in decision.actions:
                match action:
                    case Start(occurrence, run_id):
                        assert (runs.get(occurrence) == "queued") if run_id else occurrence not in runs
                        runs[occurrence] = "running"
                    case Queue(occurrence):
                        assert occurrence not in runs
                        runs[occurrence] = "queued"
                    case Cancel(run_id):
                        runs.update({one: "ended" for one in runs if occurrence_key(one) == run_id})
                    case Skip(first, last):
                        skipped |= {one for one in _listed(schedule, begin, last) if one >= first}
                if isinstance(action, Queue) or (isinstance(action, Start) and not action.run_id):
                    assert action.occurrence <= now
            assert sum(state == "running" for state in runs.values()) <= most
            if dice.random() < 0.8:  # else the service dies here, with the runs recorded
                handled = decision.handled
            for one in [one for one, state in runs.items() if state == "running" and dice.random() < 0.4]:
                runs[one] = "ended"
        reached = handled.until or begin
        assert set(_listed(schedule, begin, reached)) <= skipped | set(runs), "none is lost"
        if missed == "all" and overlap in {"queue", "parallel"}:
            assert not skipped


def _listed(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for moment in occurrences_after(schedule, after):
        if moment > until:
            break
        found.append(moment)
    return found


@pytest.mark.parametrize(
    ("done_by", "occurrence", "expected"),
    [
        (time(8), "2027-03-13T06:00-05:00", "2027-03-13T08:00-05:00"),
        (time(2, 30), "2027-03-13T22:00-05:00", "2027-03-14T03:00-04:00"),  # 02:30 does not exist
        (timedelta(hours=8), "2027-03-13T22:00-05:00", "2027-03-14T07:00-04:00"),  # hours that pass
    ],
)
def test_deadlines(done_by: time | timedelta, occurrence: str, expected: str) -> None:
    schedule = Schedule(cron="0 * * * *", zone="America/New_York", done_by=done_by)
    due = deadline(schedule, datetime.fromisoformat(occurrence))
    assert due is not None and due == datetime.fromisoformat(expected)
    run = ActiveRun("run", datetime.fromisoformat(occurrence), "running")
    assert overdue(schedule, [run], due) == []
    assert overdue(schedule, [run], due + SECOND) == [run]


def test_occurrences_are_known_by_their_time_in_utc() -> None:
    both = list(_listed(Schedule(cron="30 * * * *", zone="America/New_York"), *[
        datetime(2027, 11, 7, hour, tzinfo=UTC) for hour in (5, 7)
    ]))  # fmt: skip
    assert len({moment.astimezone(ZoneInfo("America/New_York")).strftime("%H:%M") for moment in both}) == 1
    assert [occurrence_key(moment) for moment in both] == ["20271107T053000Z", "20271107T063000Z"]
