"""Which order each unit is on, under a version that only grows: an order quotes it, and is refused where it moved."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from cloud.ledger import AssignmentRow


class Held(msgspec.Struct, frozen=True):
    """What a unit is on."""

    version: int
    order: str | None
    since: datetime


Before = dict[str, Held | None]
"""What units were on before they were taken, so that they can be put back."""


class Assignments:
    """Of every unit that was ever on an order."""

    def __init__(self, rows: Iterable[AssignmentRow]) -> None:
        """Go on from what the ledger holds."""
        self._held = {row.unit: Held(row.version, row.order, row.since) for row in rows}

    def held(self, unit: str) -> Held | None:
        """What a unit is on; None for one that was never on an order."""
        return self._held.get(unit)

    def order_of(self, unit: str) -> str | None:
        """The order that a unit is on."""
        held = self._held.get(unit)
        return None if held is None else held.order

    def version(self, unit: str) -> int:
        """How often a unit's assignment has changed."""
        held = self._held.get(unit)
        return 0 if held is None else held.version

    def units_on(self, order: str) -> list[str]:
        """The units that are on an order."""
        return [unit for unit, held in self._held.items() if held.order == order]

    def all(self) -> Iterable[tuple[str, Held]]:
        """Every unit's."""
        return self._held.items()

    def moved(self, units: Iterable[str], quoted: Mapping[str, int]) -> list[str]:
        """Tell which units are not as whoever asks saw them: a unit without a quoted version must be on no order."""
        return [
            unit
            for unit in units
            if (quoted[unit] != self.version(unit) if unit in quoted else self.order_of(unit) is not None)
        ]

    def take(self, units: Iterable[str], order: str | None, now: datetime) -> Before:
        """Put units on an order, or on none, whatever they are on."""
        before = {unit: self._held.get(unit) for unit in units}
        for unit in before:
            self._held[unit] = Held(self.version(unit) + 1, order, now)
        return before

    def put_back(self, before: Before) -> None:
        """Undo a `take` that nobody was told of."""
        for unit, held in before.items():
            if held is None:
                del self._held[unit]
            else:
                self._held[unit] = held

    def release(self, order: str, now: datetime) -> list[str]:
        """Take every unit off an order that is over. Gives those that were on it."""
        units = self.units_on(order)
        for unit in units:
            self._held[unit] = Held(self.version(unit) + 1, None, now)
        return units

    def rows(self, units: Iterable[str]) -> list[AssignmentRow]:
        """Write units' assignments as the ledger keeps them."""
        return [
            AssignmentRow(unit=unit, version=held.version, order=held.order, since=held.since)
            for unit in units
            if (held := self._held.get(unit)) is not None
        ]
