"""The feed's orders: at once, after each snapshot, and what a client needs that comes back."""

from typing import Any

import msgspec
import pytest

from cloud.dispatch import cancel, view
from cloud.feeds.orders import ENDED_KEPT, PART_ORDERS, ShownOrders
from tests.cloud.dispatch.samples import ending, order
from tests.cloud.feeds.test_feed import EPOCH, begin
from tests.cloud.fleet.samples import at, fleet
from wire.feed import Orders, OrderView

ACTIVE = view(order())
ENDED = view(cancel(order(), ending(), at(0)))


def active(name: str) -> OrderView:
    """An order in hand."""
    return msgspec.structs.replace(ACTIVE, order=name)


def ended(name: str) -> OrderView:
    """An order that is over."""
    return msgspec.structs.replace(ENDED, order=name)


def read(event: bytes) -> tuple[str, str, Any]:
    """An event's id, its kind, and its data."""
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    body = msgspec.json.decode(fields["data"], type=Orders) if fields["event"] == "orders" else None
    return fields.get("id", ""), fields["event"], body


def names(events: list[bytes]) -> list[str]:
    """The orders that events carry."""
    return [one.order for event in events if (body := read(event)[2]) is not None for one in body.orders]


def test_an_order_that_changed_is_told_at_once_with_a_cursor_of_its_own() -> None:
    """It doesn't wait for a tick, and whoever saw it is not told again."""
    feed = begin(fleet())
    before = feed.cursor
    id_, kind, body = read(feed.show_orders((active("o1"),), at(1)))
    assert (f"{EPOCH}-{before + 1}", "orders", before + 1) == (id_, kind, body.cursor)
    assert (active("o1"),) == body.orders
    assert ["o1"] == names(feed.since(f"{EPOCH}-{before}", at(2)))
    assert [] == names(feed.since(id_, at(2)))


def test_a_snapshot_is_followed_by_every_order_in_hand() -> None:
    """Only its last event has an id: who is cut off between the units and the orders gets all again."""
    feed = begin(fleet())
    feed.show_orders((active("o1"), active("o2")), at(1))
    feed.show_orders((ended("o1"),), at(2))
    events = feed.snapshot(at(3))
    assert [("", "snapshot"), (f"{EPOCH}-{feed.cursor}", "orders")] == [read(event)[:2] for event in events]
    assert ["o2"] == names(events)


def test_a_client_that_comes_back_learns_of_an_end() -> None:
    """An order that ended while it was away is told once more, as ended, before the changes that carry the id."""
    feed = begin(fleet())
    feed.show_orders((active("o1"), active("o2")), at(1))
    seen = f"{EPOCH}-{feed.cursor}"
    feed.show_orders((ended("o1"),), at(2))
    events = feed.since(seen, at(3))
    assert [("", "orders"), (f"{EPOCH}-{feed.cursor}", "changes")] == [read(event)[:2] for event in events]
    assert ["o1"] == names(events)


def test_who_was_away_for_too_many_ends_gets_the_whole_picture() -> None:
    """Ended orders are remembered within a bound: past it a snapshot replaces what the client held."""
    feed = begin(fleet())
    feed.show_orders((active("old"),), at(1))
    seen = f"{EPOCH}-{feed.cursor}"
    feed.show_orders((ended("old"),), at(2))
    for number in range(ENDED_KEPT - 1):
        feed.show_orders((ended(f"o{number}"),), at(2))
    assert "snapshot" not in [read(event)[1] for event in feed.since(seen, at(3))]
    feed.show_orders((ended("one more"),), at(2))
    assert "snapshot" in [read(event)[1] for event in feed.since(seen, at(3))]


@pytest.mark.parametrize("count", [0, 1, PART_ORDERS, PART_ORDERS + 1])
def test_many_orders_come_in_parts(count: int) -> None:
    """Each order in hand is in exactly one part, and no part is longer than it may be."""
    shown = ShownOrders()
    shown.show([active(f"o{number}") for number in range(count)], 1)
    parts = list(shown.active())
    assert [f"o{number}" for number in range(count)] == [one.order for part in parts for one in part]
    assert all(0 < len(part) <= PART_ORDERS for part in parts)
