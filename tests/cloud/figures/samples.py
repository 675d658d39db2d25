"""Stands, changes and windows, and the day that was reckoned by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from cloud.figures import Change, Stand, Statistics, Tally, Window, count_turnout

DAY = datetime(2026, 11, 2, tzinfo=UTC)
SECOND_US = 1_000_000
HOUR_US = 3600 * SECOND_US
DAY_US = (DAY - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
WHOLE_DAY = Window(DAY_US, DAY_US + 24 * HOUR_US)


def stand(code: str = "4", **changes: Any) -> Stand:
    """Available at base, confirmed and fresh, unless said otherwise."""
    fields: dict[str, Any] = {"scheme": "uk-fire-gd92", "label": f"code {code}", "availability": "Available"}
    fields |= {"confidence": "confirmed", "link": "fresh", "mode": "live"}
    return Stand(code=code, **fields | changes)


def at(hour: float, what: Stand | None) -> Change:
    """A change so many hours into the day."""
    return Change(DAY_US + round(hour * HOUR_US), what)


def hours(since: float, until: float) -> Window:
    """From an hour of the day to another."""
    return Window(DAY_US + round(since * HOUR_US), DAY_US + round(until * HOUR_US))


def count(
    units: dict[str, Iterable[Change]],
    window: Window = WHOLE_DAY,
    down: Iterable[Window] = (),
    zone: tzinfo = UTC,
) -> Statistics:
    """The figures of these units."""
    tally = Tally(window, down, zone)
    for unit, changes in units.items():
        tally.add(unit, changes)
    return tally.give("base", "stn14", "Stn 14", zone=str(zone), turnout=count_turnout([]))


def hours_of(figures: Statistics, code: str) -> float:
    """How many hours a status stood."""
    return sum(one.duration_s for one in figures.statuses if one.code == code) / 3600


def left_out(figures: Statistics) -> dict[str, float]:
    """How many hours were left out, by why."""
    return {one.reason: one.duration_s / 3600 for one in figures.left_out}
