"""The orders of a feed: what a client is told at once, and what it needs that comes back. Pure."""

from collections.abc import Iterable, Iterator

from wire.feed import OrderView

ENDED_KEPT = 500
"""Orders that have ended and are remembered, for a client that comes back and holds them as they were before."""
PART_ORDERS = 100


class ShownOrders:
    """Every order in hand as it was last shown, and with which cursor."""

    def __init__(self) -> None:
        """None was shown yet."""
        self._active: dict[str, tuple[int, OrderView]] = {}
        self._ended: dict[str, tuple[int, OrderView]] = {}
        self._forgotten = -1
        """The newest cursor of an ended order that is not remembered any more."""

    def show(self, orders: Iterable[OrderView], cursor: int) -> None:
        """Note orders as they are shown with a cursor."""
        for order in orders:
            self._active.pop(order.order, None)
            self._ended.pop(order.order, None)
            (self._active if order.active else self._ended)[order.order] = (cursor, order)
        while len(self._ended) > ENDED_KEPT:
            oldest = next(iter(self._ended))
            self._forgotten = max(self._forgotten, self._ended.pop(oldest)[0])

    def active(self) -> Iterator[tuple[OrderView, ...]]:
        """Give every order in hand, in parts."""
        return _parts([order for _, order in self._active.values()])

    def since(self, cursor: int) -> Iterator[tuple[OrderView, ...]] | None:
        """Give what changed after a cursor, in parts; None where that is not known any more."""
        if cursor < self._forgotten:
            return None
        shown = (*self._active.values(), *self._ended.values())
        return _parts([order for changed, order in shown if changed > cursor])


def _parts(orders: list[OrderView]) -> Iterator[tuple[OrderView, ...]]:
    return (tuple(orders[start : start + PART_ORDERS]) for start in range(0, len(orders), PART_ORDERS))
