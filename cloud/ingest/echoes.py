"""The ids given to devices, and when: whoever echoes one was alive after it was sent. Pure; time comes in.

An id is the owner's term and a number that only grows, so a device's newest sixteen are a row of numbers: as texts and
tuples they took a quarter of all that ingest held of a unit (measured).
"""

import struct
from collections import deque

from cloud.fleet.clocks import Moment

IDS_KEPT = 16
"""How many of the newest ids given to a device are remembered, so that an echo of an older one still proves."""
_FIRST = struct.Struct("<qd")
_GIVEN = struct.Struct("<II")
_OFFSET_MAX = 2**32 - 1
_DIGITS_MAX = 18


class Echoes:
    """What was given to whom."""

    def __init__(self, owner_term: int) -> None:
        """Nothing was given yet."""
        self._term = owner_term
        self._last = 0
        self._given: dict[str, bytes] = {}
        """Of each device, packed: a first id's number and when it was given; then for each of the newest ids, the
        newest last, how many ids and microseconds after the first it was given. Past 71 minutes a first one is taken
        anew and those before it are forgotten: who is given an id echoes no older one any more."""
        self._greetings: deque[tuple[str, float]] = deque(maxlen=IDS_KEPT)

    def give(self, device: str, now: Moment) -> str:
        """Make an id for one device."""
        self._last += 1
        given = self._given.get(device)
        if given is not None:
            number, first_s = _FIRST.unpack_from(given)
            offsets = self._last - number, int((now.mono_s - first_s) * 1e6)
        if given is None or max(offsets) > _OFFSET_MAX:
            given, offsets = _FIRST.pack(self._last, now.mono_s), (0, 0)
        newest = given[_FIRST.size :][-(IDS_KEPT - 1) * _GIVEN.size :]
        self._given[device] = given[: _FIRST.size] + newest + _GIVEN.pack(*offsets)
        return f"{self._term}-{self._last}"

    def greet(self, now: Moment) -> str:
        """Make an id for every device."""
        self._last += 1
        greeting = f"{self._term}-{self._last}"
        self._greetings.append((greeting, now.mono_s))
        return greeting

    def sent_s(self, device: str, echoed: str) -> float | None:
        """Tell when an id was sent; None where it was not given to this device, or too long ago.

        That is up to a microsecond early, never late: what an echo proves must not be younger than it is.
        """
        number = self._number(echoed)
        given = self._given.get(device)
        if given is not None and number is not None:
            first, first_s = _FIRST.unpack_from(given)
            for place in range(len(given) - _GIVEN.size, _FIRST.size - 1, -_GIVEN.size):
                after, after_us = _GIVEN.unpack_from(given, place)
                if first + after == number:
                    return float(first_s + after_us / 1e6)
        return next((sent_s for greeting, sent_s in self._greetings if greeting == echoed), None)

    def _number(self, echoed: str) -> int | None:
        """Read an id's number; None for one that was not written by us."""
        digits = echoed.rpartition("-")[2]
        if not digits.isdecimal() or len(digits) > _DIGITS_MAX:
            return None
        number = int(digits)
        return number if echoed == f"{self._term}-{number}" else None
