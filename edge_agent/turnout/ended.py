"""The orders that ended lately, for the people who were called by them: a crew must see that it was stood down."""

from collections.abc import Container, Iterable

from edge_agent.clock import Clock
from edge_agent.state.vehicle import Now
from edge_agent.turnout.journal import Journal
from edge_agent.turnout.shown import OrderShown, called, show_ended

LOOKED_AT_MAX = 20
"""The newest orders that are looked at: far more than any station loses within minutes."""


class Ended:
    """What the journal says of orders that are no more in hand."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Look at nothing yet."""
        self._journal, self._clock = journal, clock
        self._orders: dict[str, None] = {}

    def begin(self) -> None:
        """Go on with what the journal holds after a start."""
        self.note({row.order: None for row in self._journal.rows if self._show(row.order) is not None})

    def note(self, orders: Iterable[str]) -> None:
        """Look at these from now on: they may have ended, or may end."""
        for order in orders:
            self._orders.pop(order, None)
            self._orders[order] = None
        for order in list(self._orders)[:-LOOKED_AT_MAX]:
            del self._orders[order]

    def shown(self, in_hand: Container[str]) -> tuple[OrderShown, ...]:
        """Those that were cancelled or expired in the last minutes, and are not in hand; newest first."""
        found = (self._show(order) for order in reversed(self._orders) if order not in in_hand)
        return tuple(one for one in found if one is not None)

    def _show(self, order: str) -> OrderShown | None:
        rows = self._journal.of(order)
        call = called(rows)
        if call is None:
            return None
        particulars = self._journal.particulars(order, call.revision)
        return show_ended(rows, particulars, Now(self._clock.now(), self._clock.monotonic()))
