"""Whether many units fell silent together: then suspect the network, not the crews. Pure.

Constant work for each unit that falls silent or is heard again, however large the fleet is.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable
from datetime import datetime

import msgspec

from cloud.fleet.clocks import Moment
from wire.feed import Freshness

WITHIN_S = 60.0
UNITS_MIN = 5
SHARE_MIN = 0.3
"""So many units, and such a share of those that were fresh a minute ago, make a path failure."""
OVER_SHARE = 0.5
"""It is over when fewer than half of its units are still silent."""

_SILENT = ("late", "lost")


class PathFailure(msgspec.Struct, frozen=True, gc=False):
    """Many units fell silent within a minute, and most of them still are."""

    units: int
    """How many it has taken."""
    share: float
    """Of those that were fresh before."""
    since: datetime
    """When the first of them fell silent, UTC."""


class Paths:
    """How many units are fresh, and which fell silent together."""

    def __init__(self) -> None:
        """Begin with nobody fresh."""
        self._fresh = 0
        self._turns: deque[tuple[float, int]] = deque()
        """When units became fresh or ceased to be, within the last minute: 1 and -1."""
        self._turned = 0
        self._fell: OrderedDict[str, Moment] = OrderedDict()
        """Units that fell silent within the last minute and still are, the earliest first."""
        self._members: set[str] = set()
        """Units that the failure has taken, and those of them that are still silent."""
        self._silent: set[str] = set()
        self._before = 0
        """How many were fresh a minute before it was noticed."""
        self._noticed_s = 0.0
        """When many fell silent the last time. Who falls silent soon after is one of them."""
        self.failure: PathFailure | None = None

    def has(self, unit: str) -> bool:
        """Tell whether a unit is silent, and fell so together with many."""
        return unit in self._silent

    def turn(self, unit: str, freshness: Freshness, now: Moment) -> None:
        """Take in that a unit became fresh, or ceased to be."""
        change = 1 if freshness == "fresh" else -1
        self._fresh += change
        self._turned += change
        self._turns.append((now.mono_s, change))
        if freshness in _SILENT:
            self._fell[unit] = now
        else:
            self.heard(unit)

    def heard(self, unit: str) -> None:
        """Take in that a unit is not silent, or is gone."""
        self._fell.pop(unit, None)
        self._silent.discard(unit)

    def take(self, now: Moment) -> Iterable[str]:
        """Decide anew, and give the units that this concerns now and did not before, or no longer does."""
        self._forget_old(now)
        concerned: set[str] = set()
        if self.failure is not None and len(self._silent) < OVER_SHARE * len(self._members):
            concerned, self._silent, self._members = self._silent, set(), set()
            self.failure = None
        if self._fell and self._is_together(now):
            concerned |= self._join(now)
        return concerned

    def _is_together(self, now: Moment) -> bool:
        if self.failure is not None and now.mono_s - self._noticed_s <= WITHIN_S:
            return True
        return len(self._fell) >= UNITS_MIN and len(self._fell) >= SHARE_MIN * self._fresh_before()

    def _fresh_before(self) -> int:
        """How many were fresh a minute ago. Whoever became fresh since and fell silent again was not among them."""
        return max(len(self._fell), self._fresh - self._turned)

    def _join(self, now: Moment) -> set[str]:
        if self.failure is None:
            since, self._before = next(iter(self._fell.values())).utc, self._fresh_before()
        else:
            since = self.failure.since
        if self.failure is None or now.mono_s - self._noticed_s > WITHIN_S:
            self._noticed_s = now.mono_s
        joined = set(self._fell)
        self._fell.clear()
        self._silent |= joined
        self._members |= joined
        units = len(self._members)
        self.failure = PathFailure(units, round(min(1.0, units / self._before), 3), since)
        return joined

    def _forget_old(self, now: Moment) -> None:
        while self._turns and now.mono_s - self._turns[0][0] > WITHIN_S:
            self._turned -= self._turns.popleft()[1]
        while self._fell:
            unit = next(iter(self._fell))
            if now.mono_s - self._fell[unit].mono_s <= WITHIN_S:
                break
            del self._fell[unit]
