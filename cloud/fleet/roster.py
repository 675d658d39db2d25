"""When a unit has a crew on, by its shift pattern: turns of the week, or of a cycle of days. Pure: zones come in."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

import msgspec

LOOK_AHEAD_DAYS = 14
_DAY = timedelta(days=1)


class Turn(msgspec.Struct, frozen=True):
    """One turn of a day, by the clock on the wall: whoever is on goes home at `ends`, an hour changed or not."""

    begins: time
    ends: time
    """Of the day after, where it is not later than `begins`; the same time as `begins` means a whole day."""

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Give its begin and end, UTC, where it begins on `day`."""
        last = day if self.ends > self.begins else day + _DAY
        begin = datetime.combine(day, self.begins, zone).astimezone(UTC)
        return begin, datetime.combine(last, self.ends, zone).astimezone(UTC)


class WeeklyRoster(msgspec.Struct, frozen=True):
    """The same turns each week."""

    zone: tzinfo
    days: tuple[tuple[Turn, ...], ...]
    """Of Monday to Sunday: seven."""

    def turns(self, day: date) -> tuple[Turn, ...]:
        """Give the turns that begin on a day."""
        return self.days[day.weekday()]

    def until(self, now: datetime) -> datetime | None:
        """Give the end of the turn that is on at `now`, UTC; None where none is."""
        return _until(self, now)

    def begins(self, now: datetime) -> datetime | None:
        """Give the begin of the next turn after `now`, UTC; None where there is none within a fortnight."""
        return _begins(self, now)


class CycleRoster(msgspec.Struct, frozen=True):
    """Turns that come again after so many days, such as two days, two nights and four off."""

    zone: tzinfo
    anchor: date
    """A first day of the cycle; days before it count too."""
    days: tuple[tuple[Turn, ...], ...]
    """Of each day of the cycle; at least one."""

    def turns(self, day: date) -> tuple[Turn, ...]:
        """Give the turns that begin on a day."""
        return self.days[(day - self.anchor).days % len(self.days)]

    def until(self, now: datetime) -> datetime | None:
        """Give the end of the turn that is on at `now`, UTC; None where none is."""
        return _until(self, now)

    def begins(self, now: datetime) -> datetime | None:
        """Give the begin of the next turn after `now`, UTC; None where there is none within a fortnight."""
        return _begins(self, now)


class _Pattern(Protocol):
    @property
    def zone(self) -> tzinfo: ...

    def turns(self, day: date) -> tuple[Turn, ...]: ...


def _until(pattern: _Pattern, now: datetime) -> datetime | None:
    """Where two turns overlap, the later end counts: somebody is on until then."""
    return max((end for begin, end in _around(pattern, now, range(-1, 1)) if begin <= now < end), default=None)


def _begins(pattern: _Pattern, now: datetime) -> datetime | None:
    days = range(LOOK_AHEAD_DAYS + 1)
    return next((begin for begin, _ in sorted(_around(pattern, now, days)) if begin > now), None)


def _around(pattern: _Pattern, now: datetime, days: range) -> Iterator[tuple[datetime, datetime]]:
    today = now.astimezone(pattern.zone).date()
    for offset in days:
        day = today + offset * _DAY
        for turn in pattern.turns(day):
            yield turn.on(day, pattern.zone)
