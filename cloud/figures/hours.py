"""The hours of the day on the clocks of a zone: an hour that comes twice is long, one that is left out is short."""

from bisect import bisect_right
from datetime import UTC, datetime, timedelta, tzinfo

from cloud.figures.words import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
HOURS = 24


class Hours:
    """A window cut at every full hour of a zone's clocks."""

    def __init__(self, window: Window, zone: tzinfo) -> None:
        """Look up each hour once: a thousand units may be laid over them."""
        self._starts: list[int] = []
        self._hours: list[int] = []
        at_us = window.since_us
        while at_us < window.until_us:
            local = (EPOCH + at_us * _MICROSECOND).astimezone(zone)
            into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            self._starts.append(at_us)
            self._hours.append(local.hour)
            at_us += (timedelta(hours=1) - into) // _MICROSECOND
        self._starts.append(window.until_us)
        self.lengths_us = [0] * HOURS
        """How long each hour of the day is in the window."""
        self.add(self.lengths_us, window.since_us, window.until_us)

    def add(self, sums_us: list[int], since_us: int, until_us: int) -> None:
        """Add a time within the window to the hours in which it lies."""
        place = bisect_right(self._starts, since_us) - 1
        while since_us < until_us:
            ends_us = min(until_us, self._starts[place + 1])
            sums_us[self._hours[place]] += ends_us - since_us
            since_us, place = ends_us, place + 1
