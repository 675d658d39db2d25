"""A unit that there is no more leaves every board, and what a tick shows is told to whoever keeps it."""

from collections.abc import Sequence

import msgspec

from cloud.feeds import Feed
from cloud.fleet.clocks import Moment
from tests.cloud.fleet.samples import at, entry, fleet, speakers
from wire.feed import Changes, FeedRecord, Snapshot


def events(data: bytes) -> list[tuple[str, bytes]]:
    """The kinds and the data of a run of events."""
    found = []
    for event in data.removesuffix(b"\n\n").split(b"\n\n"):
        fields = dict(line.split(b": ", 1) for line in event.split(b"\n"))
        found.append((fields[b"event"].decode(), fields[b"data"]))
    return found


def test_a_unit_that_is_gone_leaves_by_a_new_picture() -> None:
    """The tick after it went brings all that is left, which replaces what a client holds; the next brings nothing."""
    county = fleet()
    feed = Feed(county, epoch="e0", owner_term=7, tick_ms=200, now=at(0))
    before = feed.cursor
    county.rebind([entry("kp-12")], speakers(), at(1))
    event = feed.tick(at(1.2))
    assert event is not None
    (kind, data) = events(event)[-1]
    picture = msgspec.json.decode(data, type=Snapshot)
    assert ("snapshot", ["kp-12"], 1) == (kind, [one.unit for one in picture.records], picture.parts)
    assert before < picture.cursor
    assert feed.tick(at(1.4)) is None


def test_who_comes_back_from_before_gets_a_picture() -> None:
    """A client that was away while a unit went would keep it for ever: it gets all anew, one that was there changes."""
    county = fleet()
    feed = Feed(county, epoch="e0", owner_term=7, tick_ms=200, now=at(0))
    before = f"e0-{feed.cursor}"
    county.rebind([entry("kp-12")], speakers(), at(1))
    assert "snapshot" == events(b"".join(feed.since(before, at(1.1))))[-1][0], "not even a tick has told of it"
    feed.tick(at(1.2))
    assert "snapshot" == events(b"".join(feed.since(before, at(1.3))))[-1][0]
    assert "changes" == events(b"".join(feed.since(f"e0-{feed.cursor}", at(1.3))))[-1][0]


def test_nobody_asks_in_vain_for_one_that_is_gone() -> None:
    """From the moment it went it is in no list, and asking for it gives nothing, before any tick."""
    county = fleet()
    feed = Feed(county, epoch="e0", owner_term=7, tick_ms=200, now=at(0))
    county.rebind([entry("kp-12")], speakers(), at(1))
    assert ["kp-12"] == [one.unit for one in feed.records(at(1))]
    assert feed.record("kf-1", at(1)) is None


def test_every_tick_tells_what_it_showed() -> None:
    """Who keeps what was shown hears of each tick, be it of nothing, with the very records and moment of the event."""
    county = fleet()
    feed = Feed(county, epoch="e0", owner_term=7, tick_ms=200, now=at(0))
    told: list[tuple[Moment, Sequence[FeedRecord]]] = []
    feed.on_shown.append(lambda now, records: told.append((now, records)))
    feed.tick(at(0.2))
    county.assign("kp-12", None, 5, at(0.3))
    event = feed.tick(at(0.4))
    assert event is not None
    shown = msgspec.json.decode(events(event)[0][1], type=Changes)
    assert [(at(0.2), ()), (at(0.4), shown.records)] == [(now, tuple(records)) for now, records in told]
