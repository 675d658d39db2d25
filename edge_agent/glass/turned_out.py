"""How long a turnout took: when the last unit that was called went mobile. Pure."""

from collections.abc import Collection, Mapping

from edge_agent.turnout import OrderShown

Call = tuple[str, int]
"""An order and its revision."""


class TurnedOut:
    """When units went mobile, and the times of the calls by that: once known they stand, whatever comes after."""

    def __init__(self) -> None:
        """Nobody has gone anywhere yet."""
        self._mobile_s: dict[str, float] = {}
        self._took_s: dict[Call, float] = {}

    def note(self, unit: str, at_s: float) -> None:
        """Take in that a unit declared at that moment that it is on its way."""
        self._mobile_s[unit] = at_s

    def took_s(self, order: OrderShown, called: Collection[str], shown_s: Mapping[str, float]) -> float | None:
        """Seconds from an order until all of `called` were mobile; None while one is not.

        `shown_s`: since when control shows units as mobile, by the monotonic clock; others are not there.
        """
        call = order.order, order.revision
        if call not in self._took_s:
            moments = [self._since_s(unit, order.received_s, shown_s) for unit in called]
            known = [moment for moment in moments if moment is not None]
            if known and len(known) == len(moments):
                self._took_s[call] = round(max(known) - order.received_s, 1)
        return self._took_s.get(call)

    def keep(self, orders: Collection[OrderShown]) -> None:
        """Forget all calls but those of these orders."""
        kept = {(one.order, one.revision) for one in orders}
        self._took_s = {call: took_s for call, took_s in self._took_s.items() if call in kept}

    def _since_s(self, unit: str, received_s: float, shown_s: Mapping[str, float]) -> float | None:
        """When a unit first was mobile after the call came in, as far as is known."""
        known = (moments[unit] for moments in (self._mobile_s, shown_s) if unit in moments)
        return min((moment for moment in known if moment >= received_s), default=None)
