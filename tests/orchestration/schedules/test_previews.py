"""Previews: the next times, and what daylight saving makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, time

import pytest

from jupyter_pipelines.orchestration.schedules import Schedule, from_json, preview

NOW = datetime(2026, 11, 22, 22, tzinfo=UTC)
NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"


@pytest.mark.parametrize(
    ("given", "now", "notes", "ahead"),
    [
        ({"cron": "30 2 * * *", "zone": NEW_YORK}, "2027-03-13T12:00",
         ["02:30 does not exist on 2027-03-14: runs at 03:00"],
         "the clocks go forward 1 hour on 2027-03-14 at 02:00: 02:30 does not exist on 2027-03-14: runs at 03:00"),
        ({"cron": "30 1 * * *", "zone": NEW_YORK}, "2027-11-06T12:00",
         ["01:30 comes twice on 2027-11-07: runs the first time"],
         "the clocks go back 1 hour on 2027-11-07 at 02:00: 01:30 comes twice on 2027-11-07: runs the first time"),
        ({"cron": "0 * * * *", "zone": NEW_YORK}, "2027-11-07T05:30",
         ["01:00 comes for the second time on 2027-11-07: the clocks have gone back"],
         "the clocks go back 1 hour on 2027-11-07 at 02:00: it goes on every hour"),
        ({"cron": "0 * * * *", "zone": LORD_HOWE}, "2027-10-02T15:00",
         ["02:00 does not exist on 2027-10-03: runs at 02:30"],
         "the clocks go forward 30 minutes on 2027-10-03 at 02:00: after 01:00 it runs at 02:30, 03:00, 04:00"),
        ({"interval": "6h", "zone": NEW_YORK}, "2027-03-14T05:30",
         ["the clocks go forward 1 hour on 2027-03-14: the spacing stays, so that 06:00 becomes 07:00"],
         "the clocks go forward 1 hour on 2027-03-14 at 02:00: the spacing stays, so that 06:00 becomes 07:00"),
        ({"cron": "0 9 * * *", "zone": NEW_YORK}, "2027-03-13T12:00", [],
         "the clocks go forward 1 hour on 2027-03-14 at 02:00: no effect"),
        ({"cron": "0 9 * * *", "zone": "Asia/Kathmandu"}, "2027-03-13T12:00", [], None),
    ],
)  # fmt: skip
def test_previews_spell_out_what_daylight_saving_does(
    given: dict[str, object], now: str, notes: list[str], ahead: str | None
) -> None:
    shown = preview(from_json(given), 1, datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert list(shown.occurrences[0].notes) == notes
    assert (shown.clock_changes[0] if shown.clock_changes else None) == ahead


def test_a_preview_tells_of_changes_that_come_after_the_times_it_shows() -> None:
    shown = preview(Schedule(cron="30 2 * * *", zone=NEW_YORK), 2, NOW)
    assert not any(one.notes for one in shown.occurrences)
    assert "2027-03-14" in shown.clock_changes[0] and "runs at 03:00" in shown.clock_changes[0]


def test_a_preview_shows_windows_and_deadlines() -> None:
    schedule = Schedule(cron="0 7 * * *", zone=NEW_YORK, window="day", done_by=time(8))
    (first,) = preview(schedule, 1, NOW).occurrences
    assert first.window is not None and first.window.key == "2026-11-22"
    assert first.deadline is not None and first.deadline.isoformat() == "2026-11-23T08:00:00-05:00"
