"""When time alone will change a unit's record, so that nobody need look at every unit every time."""

import heapq
from collections.abc import Iterator, Mapping

from cloud.fleet.unit import NEVER_S, Unit

STEP_S = 0.001
"""A deadline is looked at this long after it has passed, so that the comparison has turned."""


class Wakes:
    """Looks ahead: a few a unit, however often it speaks or is read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._heap: list[tuple[float, str]] = []

    def __len__(self) -> int:
        """How many looks ahead are entered."""
        return len(self._heap)

    def plan(self, unit: Unit, moments: list[float], now_s: float) -> None:
        """Plan to look at a unit after the first of these moments that is not past."""
        if unit.wake_s - 2 * STEP_S <= now_s:
            return  # due, or about to be: a record made for one reader must not hide the change from the rest
        unit.wake_s = min([moment for moment in moments if moment >= now_s], default=NEVER_S) + STEP_S
        if unit.wake_s < unit.looked_s:
            self._enter(unit)

    def due(self, units: Mapping[str, Unit], now_s: float) -> Iterator[Unit]:
        """Give the units whose time has come, each once."""
        while self._heap and self._heap[0][0] <= now_s:
            looked_s, name = heapq.heappop(self._heap)
            unit = units.get(name)
            if unit is None or unit.looked_s != looked_s:
                continue  # an earlier entry took its place, or the unit is gone
            unit.looked_s = NEVER_S
            if unit.wake_s <= now_s:
                unit.wake_s = NEVER_S
                yield unit
            else:
                self._enter(unit)

    def _enter(self, unit: Unit) -> None:
        """Enter a unit's wake in the heap. A later wake waits for the entry there is: few are ever left over."""
        if unit.wake_s != NEVER_S:
            unit.looked_s = unit.wake_s
            heapq.heappush(self._heap, (unit.wake_s, unit.entry.id))
