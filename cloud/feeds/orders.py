"""The orders and alarms of a feed: what a client is told at once, and what it needs that comes back. Pure."""

from collections.abc import Iterable

from cloud.feeds.kept import Kept
from wire.feed import AlarmView, OrderView

ENDED_KEPT = 500
"""Orders, and alarms, that have ended and are remembered, for a client that comes back and holds them as they were
before."""
PART_ORDERS = 100
PART_ALARMS = 200


class ShownOrders(Kept[OrderView]):
    """Every order in hand as it was last shown, and with which cursor."""

    def __init__(self) -> None:
        """None was shown yet."""
        super().__init__(part=PART_ORDERS, ended_max=ENDED_KEPT)

    def show(self, orders: Iterable[OrderView], cursor: int) -> None:
        """Note orders as they are shown with a cursor."""
        self.keep(((order.order, order) for order in orders), cursor)


class ShownAlarms(Kept[AlarmView]):
    """Every alarm that is active, as it was last shown, and with which cursor."""

    def __init__(self) -> None:
        """None was shown yet."""
        super().__init__(part=PART_ALARMS, ended_max=ENDED_KEPT)

    def show(self, alarms: Iterable[AlarmView], cursor: int) -> None:
        """Note alarms as they are shown with a cursor."""
        self.keep(((alarm.alarm, alarm) for alarm in alarms), cursor)
