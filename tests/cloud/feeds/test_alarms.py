"""The feed's alarms: at once, after each snapshot, and what a client needs that comes back."""

from typing import Any

import msgspec
import pytest

from cloud.dispatch import view
from cloud.feeds.orders import ENDED_KEPT, PART_ALARMS, ShownAlarms
from tests.cloud.dispatch.samples import order
from tests.cloud.feeds.test_feed import EPOCH, begin
from tests.cloud.fleet.samples import NOON, at, fleet
from wire.feed import Alarms, AlarmView

ALARM = AlarmView(
    alarm="a1",
    kind="emergency",
    name="emergency",
    unit="kp-12",
    callsign="P12",
    base="stn-14",
    base_name="Stn 14 shared",
    device="veh-2",
    part="",
    text="Emergency: P12",
    mode="live",
    raised_at=NOON,
    proven=True,
    active=True,
)


def alarm(name: str, *, active: bool = True) -> AlarmView:
    """An alarm, active or over."""
    return msgspec.structs.replace(ALARM, alarm=name, active=active)


def read(event: bytes) -> tuple[str, str, Any]:
    """An event's id, its kind, and its data."""
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    body = msgspec.json.decode(fields["data"], type=Alarms) if fields["event"] == "alarms" else None
    return fields.get("id", ""), fields["event"], body


def names(events: list[bytes]) -> list[str]:
    """The alarms that events carry."""
    return [one.alarm for event in events if (body := read(event)[2]) is not None for one in body.alarms]


def test_an_alarm_is_told_at_once_with_a_cursor_of_its_own() -> None:
    """It doesn't wait for a tick, and whoever saw it is not told again."""
    feed = begin(fleet())
    before = feed.cursor
    id_, kind, body = read(feed.show_alarms((alarm("a1"),), at(1)))
    assert (f"{EPOCH}-{before + 1}", "alarms", before + 1) == (id_, kind, body.cursor)
    assert (alarm("a1"),) == body.alarms
    assert ["a1"] == names(feed.since(f"{EPOCH}-{before}", at(2)))
    assert [] == names(feed.since(id_, at(2)))


def test_a_snapshot_is_followed_by_every_active_alarm() -> None:
    """Before the orders, and with an id on the last event alone: who is cut off before it gets all again."""
    feed = begin(fleet())
    feed.show_orders((view(order()),), at(1))
    feed.show_alarms((alarm("a1"), alarm("a2")), at(1))
    feed.show_alarms((alarm("a1", active=False),), at(2))
    events = feed.snapshot(at(3))
    assert [("", "snapshot"), ("", "alarms"), (f"{EPOCH}-{feed.cursor}", "orders")] == [read(one)[:2] for one in events]
    assert ["a2"] == names(events)


def test_a_client_that_comes_back_learns_of_an_end() -> None:
    """An alarm that ended while it was away is told once more, as ended, before the changes that carry the id."""
    feed = begin(fleet())
    feed.show_alarms((alarm("a1"), alarm("a2")), at(1))
    seen = f"{EPOCH}-{feed.cursor}"
    feed.show_alarms((alarm("a1", active=False),), at(2))
    events = feed.since(seen, at(3))
    assert [("", "alarms"), (f"{EPOCH}-{feed.cursor}", "changes")] == [read(event)[:2] for event in events]
    assert ["a1"] == names(events)


def test_who_was_away_for_too_many_ends_gets_the_whole_picture() -> None:
    """Ended alarms are remembered within a bound: past it a snapshot replaces what the client held."""
    feed = begin(fleet())
    feed.show_alarms((alarm("old"),), at(1))
    seen = f"{EPOCH}-{feed.cursor}"
    feed.show_alarms(tuple(alarm(f"a{number}", active=False) for number in range(ENDED_KEPT)), at(2))
    assert "snapshot" not in [read(event)[1] for event in feed.since(seen, at(3))]
    feed.show_alarms((alarm("one more", active=False),), at(2))
    assert "snapshot" in [read(event)[1] for event in feed.since(seen, at(3))]


@pytest.mark.parametrize("count", [0, 1, PART_ALARMS, PART_ALARMS + 1])
def test_many_alarms_come_in_parts(count: int) -> None:
    """Each active alarm is in exactly one part, and no part is longer than it may be."""
    shown = ShownAlarms()
    shown.show([alarm(f"a{number}") for number in range(count)], 1)
    parts = list(shown.active())
    assert [f"a{number}" for number in range(count)] == [one.alarm for part in parts for one in part]
    assert all(0 < len(part) <= PART_ALARMS for part in parts)
