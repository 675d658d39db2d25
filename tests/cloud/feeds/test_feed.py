"""The feed: whoever holds a cursor gets all that changed since, aged as of now, and silence never lasts a second."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.feeds import Feed
from cloud.feeds.feed import SNAPSHOT_PART_RECORDS
from cloud.fleet.fleet import Fleet
from tests.cloud.fleet.samples import at, current, echo, entry, fleet, head, heartbeat, place
from wire.feed import Changes, FeedRecord, Snapshot, Tick

EPOCH = "e0"


def begin(county: Fleet, **changes: Any) -> Feed:
    """A feed that begins at noon."""
    fields: dict[str, Any] = {"epoch": EPOCH, "owner_term": 7, "tick_ms": 200, "now": at(0)}
    return Feed(county, **fields | changes)


def read(event: bytes) -> tuple[str, str, Snapshot | Changes | Tick]:
    """An event's id (empty where it has none), its kind and its data."""
    assert event.endswith(b"\n\n")
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    kinds: dict[str, type[Snapshot] | type[Changes] | type[Tick]] = {
        "snapshot": Snapshot,
        "changes": Changes,
        "tick": Tick,
    }
    body = msgspec.json.decode(fields["data"], type=kinds[fields["event"]])
    return fields.get("id", ""), fields["event"], body


def changed(event: bytes | None) -> dict[str, FeedRecord]:
    """The records of an event of changes, by unit."""
    assert event is not None
    _, kind, body = read(event)
    assert kind == "changes" and isinstance(body, Changes)
    return {record.unit: record for record in body.records}


def beat(county: Fleet, sent_s: float) -> None:
    """A heartbeat of the vehicle that arrives at once."""
    said = heartbeat(int(sent_s * 1000), echo=echo(), current=[current(1)])
    county.apply_vitals("veh-2", said, 1, at(sent_s).mono_s, at(sent_s))


def test_a_snapshot_says_all_that_a_client_must_know() -> None:
    """Epoch, cursor, tick, when the feed is lost, the owner's term, and every unit, heard or not."""
    county = fleet()
    (event,) = begin(county).snapshot(at(1))
    id_, kind, body = read(event)
    assert isinstance(body, Snapshot)
    assert (f"{EPOCH}-{body.cursor}", "snapshot", EPOCH, 1, 1, 200, 7) == (
        id_,
        kind,
        body.epoch,
        body.part,
        body.parts,
        body.tick_ms,
        body.owner_term,
    )
    assert set(county.units) == {record.unit for record in body.records}
    assert body.lost_after_s > 1.0


@pytest.mark.parametrize("units", [0, 1, SNAPSHOT_PART_RECORDS, SNAPSHOT_PART_RECORDS + 1, 1_234])
def test_the_parts_cover_every_unit_exactly_once(units: int) -> None:
    """However many units, the parts are numbered, share a cursor, and hold each unit once."""
    rows = [msgspec.structs.replace(entry("kp-12"), id=f"u-{number}") for number in range(units)]
    events = begin(Fleet(rows, {})).snapshot(at(1))
    bodies = [body for _, _, body in map(read, events) if isinstance(body, Snapshot)]
    assert [(number, len(events)) for number in range(1, len(events) + 1)] == [(one.part, one.parts) for one in bodies]
    assert 1 == len({one.cursor for one in bodies})
    assert [row.id for row in rows] == [record.unit for one in bodies for record in one.records]


def test_who_is_cut_off_inside_a_snapshot_gets_all_of_it_again() -> None:
    """Only the last part has an id to come back with: an earlier one would promise units that never arrived."""
    rows = [msgspec.structs.replace(entry("kp-12"), id=f"u-{number}") for number in range(1_234)]
    feed = begin(Fleet(rows, {}))
    ids = [id_ for id_, _, _ in map(read, feed.snapshot(at(1)))]
    assert ["", "", f"{EPOCH}-{feed.cursor}"] == ids
    assert ["snapshot"] * 3 == [kind for _, kind, _ in map(read, feed.since("", at(2)))]


def test_a_second_feed_begins_with_every_unit() -> None:
    """A feed begun on a fleet whose changes were taken already misses nobody."""
    county = fleet()
    begin(county)
    assert set(county.units) == {record.unit for record in begin(county).records(at(0))}


def test_the_cursor_grows_with_each_change_and_only_then() -> None:
    """Changes come with a higher cursor, ticks with the same; each changed record carries the cursor of its change."""
    county = fleet()
    feed = begin(county)
    cursors = [feed.cursor]
    for step in range(1, 6):
        beat(county, step)
        records = changed(feed.tick(at(step)))
        cursors.append(feed.cursor)
        assert {"kp-12": feed.cursor} == {unit: record.cursor for unit, record in records.items()}
        tick = feed.tick(at(step + 0.9))
        assert tick is not None and (f"{EPOCH}-{feed.cursor}", "tick") == read(tick)[:2]
    assert cursors == sorted(set(cursors))


def test_since_gives_what_changed_and_nothing_else() -> None:
    """With the last cursor there is nothing; with an older one each unit that changed after it, once."""
    county = fleet()
    feed = begin(county)
    first = f"{EPOCH}-{feed.cursor}"
    beat(county, 1)
    feed.tick(at(1))
    second = f"{EPOCH}-{feed.cursor}"
    county.apply_head(head("2", 1), at(2))
    feed.tick(at(2))
    for seen, units in ((first, {"kp-12"}), (second, {"kp-12"}), (f"{EPOCH}-{feed.cursor}", set[str]())):
        (event,) = feed.since(seen, at(2))
        assert units == set(changed(event))
        assert f"{EPOCH}-{feed.cursor}" == read(event)[0]


def test_ages_are_as_of_now() -> None:
    """A record that is sent again later is older by as much: link, status and position alike."""
    county = fleet()
    feed = begin(county)
    beat(county, 1)
    county.apply_head(head("2", 1), at(1))
    county.apply_place("veh-2", place(1, 1), at(1))
    feed.tick(at(1))
    for now_s in (4.0, 9.5):
        (event,) = feed.since(f"{EPOCH}-0", at(now_s))
        record = changed(event)["kp-12"]
        (snapshot,) = feed.snapshot(at(now_s))
        body = read(snapshot)[2]
        assert isinstance(body, Snapshot) and record in body.records
        assert {now_s - 1} == {record.ages.link_s, record.ages.status_s, record.ages.position_s}
        alone = feed.record("kp-12", at(now_s))
        assert record == alone
        assert (record.as_of, record.cursor) == (at(1).utc, feed.cursor)


@pytest.mark.parametrize(
    "last",
    [
        "",
        "e0",
        "e0-",
        "other-0",
        "e00-0",
        "e0-99",
        "e0--1",
        "e0-1.0",
        "e0-x",
        "-0",
        "e0-0-0",
        "e0-" + "9" * 5_000,
        "\x00",
    ],
)
def test_an_id_that_is_not_this_feeds_gets_the_whole_picture(last: str) -> None:
    """A foreign epoch, a cursor that was never given, and nonsense are all answered with a snapshot."""
    feed = begin(fleet())
    assert ["snapshot"] == [read(event)[1] for event in feed.since(last, at(1))]


def test_no_such_unit() -> None:
    """A unit that there is not has no record."""
    assert begin(fleet()).record("kp-99", at(0)) is None


@given(
    tick_ms=st.sampled_from([100, 200, 250, 333, 500]),
    late=st.lists(st.floats(0.0, 0.1), min_size=30, max_size=30),
    speaks=st.lists(st.booleans(), min_size=30, max_size=30),
)
def test_a_quiet_feed_speaks_at_least_once_a_second(tick_ms: int, late: list[float], speaks: list[bool]) -> None:
    """With ticks that each come up to a tenth of a second late, no pause exceeds a second by more than that."""
    county = fleet()
    feed = begin(county, tick_ms=tick_ms)
    spoke_s, said = 0.0, 0
    for number, (late_s, news) in enumerate(zip(late, speaks, strict=True), start=1):
        now_s = number * tick_ms / 1000 + late_s
        if news:
            beat(county, now_s)
        if feed.tick(at(now_s)) is not None:
            assert now_s - spoke_s <= 1.0 + 0.1
            spoke_s, said = now_s, said + 1
        assert now_s - spoke_s < 1.0
    assert said >= 30 * tick_ms // 1000


def test_a_silent_feed_is_not_chatty() -> None:
    """Where nothing changes most ticks say nothing."""
    feed = begin(fleet())
    said = [feed.tick(at(number * 0.2)) for number in range(1, 101)]
    assert 20 <= sum(event is not None for event in said) <= 30


reads = st.sampled_from(["tick", "tick", "beat", "press", "since", "snapshot", "record"])


@given(story=st.lists(st.tuples(reads, st.floats(0.01, 9.0)), max_size=40))
def test_a_client_that_folds_what_it_gets_holds_what_is_true(story: list[tuple[str, float]]) -> None:
    """Whoever else reads in between, a client of the events holds the feed's own record of each unit, ages aside."""
    county = fleet()
    feed = begin(county)
    held = {record.unit: record for record in feed.records(at(0))}
    now_s = 0.0
    for number, (what, wait_s) in enumerate(story, start=1):
        now_s += wait_s
        match what:
            case "beat":
                beat(county, now_s)
            case "press":
                county.apply_head(head("2" if number % 2 else "8", now_s, seq=number), at(now_s))
            case "since":
                feed.since(f"{EPOCH}-0", at(now_s))
            case "snapshot":
                feed.snapshot(at(now_s))
            case "record":
                feed.record("kp-12", at(now_s))
        if what == "tick" and (event := feed.tick(at(now_s))) is not None:
            held |= changed(event) if b"event: changes" in event else {}
            for unit, record in held.items():
                truth = feed.record(unit, at(now_s))
                assert truth is not None
                assert _ageless(truth) == _ageless(record)


def _ageless(record: FeedRecord) -> tuple[Any, ...]:
    """What of a record does not change with every moment."""
    reasons = tuple(reason.code for reason in record.reasons)
    return record.link, record.confidence, record.availability, record.status, reasons, record.position_fresh


def test_who_comes_at_once_shares_a_picture_and_no_change_is_left_out() -> None:
    """Within a tick the picture is made once; after any change, or a tick later, it is made anew, aged as of then."""
    county = fleet()
    feed = begin(county)
    first = feed.snapshot(at(1.0))
    assert first is feed.snapshot(at(1.19))
    assert "2026-" in str(read(feed.snapshot(at(1.21))[0])[2].at) and first != feed.snapshot(at(1.21))

    before = feed.snapshot(at(2.0))
    beat(county, 2.01)
    feed.tick(at(2.02))
    assert before != feed.snapshot(at(2.03))
    assert before != feed.snapshot(at(1.9)), "a clock that went back shares nothing"

    county.rebind([entry("kp-12")], {}, at(3.0))
    (gone,) = feed.snapshot(at(3.0))
    body = read(gone)[2]
    assert isinstance(body, Snapshot) and ["kp-12"] == [one.unit for one in body.records]
