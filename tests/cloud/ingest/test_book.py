"""The book: ids, each unit's chain, heads, and times that are corrected once."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.loading import load_heads
from tests.cloud.fleet.samples import NOON, at, county, echo, heartbeat
from tests.cloud.ingest.samples import Desk, Vehicle, loaded_of
from wire import codec, topics
from wire.events import Origin
from wire.messages import EVENTS_MAX

SECOND = timedelta(seconds=1)


def panel() -> Vehicle:
    """The station panel, which may speak for the police unit."""
    return Vehicle("E3-a", device="panel-1")


def engine() -> Vehicle:
    """The fire engine."""
    return Vehicle("E1-a", device="veh-1", org="kf")


def send(desk: Desk, vehicle: Vehicle, now_s: float = 0.0, **changes: Any) -> None:
    """Send everything that the vehicle has not been settled for."""
    for first in range(vehicle.settled + 1, len(vehicle.events) + 1, EVENTS_MAX):
        last = min(first + EVENTS_MAX - 1, len(vehicle.events))
        desk.receive(vehicle.topic, vehicle.envelope(first, last, **changes), now_s)


def hear(desk: Desk, stream: str = "E2-a", **changes: Any) -> None:
    """Map the vehicle's clock: exactly the cloud's, 0 at noon."""
    topic = topics.up("kp", "veh-2", "live")
    desk.receive(topic, codec.encode(heartbeat(0, stream=stream, **changes)), 0)
    given_id = desk.answers()[-1].id
    desk.receive(topic, codec.encode(heartbeat(1, stream=stream, echo=echo(0, given_id), **changes)), 0.001)
    desk.answers()


acts = st.lists(
    st.tuples(st.sampled_from(["vehicle", "panel", "engine"]), st.integers(1, 4), st.booleans()), max_size=12
)


@given(story=acts)
def test_ids_are_consecutive_and_links_form_each_units_chain(story: list[tuple[str, int, bool]]) -> None:
    """Whoever presses and however commits are cut, ids count up by one and each event leads to its unit's last."""
    desk = Desk()
    vehicles = {"vehicle": Vehicle(), "panel": panel(), "engine": engine()}
    for who, count, commits in story:
        vehicle = vehicles[who]
        for _ in range(count):
            vehicle.press(**({"unit": "kf-1", "scheme": "uk-fire-gd92", "code": "4"} if who == "engine" else {}))
        send(desk, vehicle)
        if commits:
            desk.commit()
            for one in vehicles.values():
                one.take(desk.answers() if one is vehicle else [])
    desk.commit()
    assert [row.id for row in desk.stored] == list(range(1, len(desk.stored) + 1))
    for unit in ("kp-12", "kf-1"):
        rows = [row for row in desk.stored if row.unit == unit]
        assert [None, *(row.id for row in rows)][: len(rows)] == [row.prev for row in rows]
        tails = dict(tail for entry in desk.entries for tail in entry.commit.tails)
        assert tails.get(unit) == (rows[-1].id if rows else None)
    assert sum(len(vehicle.events) for vehicle in vehicles.values()) == len(desk.stored)


def test_an_event_code_never_becomes_a_head() -> None:
    """An event code is stored and in the unit's history, and what stood before stands."""
    desk, vehicle = Desk(), Vehicle()
    vehicle.press("8")
    vehicle.press("14")
    send(desk, vehicle)
    entry = desk.commit()
    assert ([1, 2], [("kp-12", "veh-2", 1)]) == ([row.id for row in entry.commit.events], entry.commit.heads)
    stands = desk.fleet.standing("kp-12")
    assert stands is not None and "8" == stands.code


def test_an_old_streams_press_never_displaces_a_newer_head() -> None:
    """What an old stream still delivers is stored and stays history, in memory and in the ledger's heads."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    old.press("2")
    send(desk, old)
    desk.commit()
    new.press("8")
    send(desk, new)
    desk.commit()
    old.press("2")
    old.press("3")
    desk.receive(old.topic, old.envelope(2))
    entry = desk.commit()
    assert (2, []) == (len(entry.commit.events), entry.commit.heads)
    stands = desk.fleet.standing("kp-12")
    assert stands is not None and ("E2-b", "8") == (stands.stream, stands.code)


def test_the_heads_that_stood_stand_again_after_a_restart() -> None:
    """Heads loaded from the ledger come back as they were, and an old stream's press still doesn't displace them."""
    before, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    for vehicle, code in ((old, "2"), (new, "8")):
        vehicle.press(code)
        send(before, vehicle)
        before.commit()
    loaded = loaded_of(before)
    desk = Desk([mark for entry in before.entries for mark in entry.marks], loaded)
    (head,) = load_heads(loaded, county().schemes)
    assert before.fleet.standing("kp-12") == head
    desk.book.know_head(head)
    desk.fleet.apply_head(head, at(0))
    old.press("2")
    desk.receive(old.topic, old.envelope(2))
    entry = desk.commit()
    assert ([3], []) == ([row.id for row in entry.commit.events], entry.commit.heads)
    assert head == desk.fleet.standing("kp-12")


def test_time_is_corrected_once_and_by_the_devices_own_word() -> None:
    """A press with a disciplined clock keeps its own time; without one it is placed by the monotonic map.

    Where nothing places it, it was at least not before the ones that came before it.
    """
    desk, vehicle = Desk(), Vehicle()
    hear(desk)
    vehicle.press(at=NOON + 3 * SECOND, clock="gnss", mono_ms=3_000)
    vehicle.press(at=NOON - 9_999 * SECOND, clock="none", mono_ms=5_000)
    vehicle.press(clock="none", boot=0, mono_ms=1)
    send(desk, vehicle, 30.0)
    rows = desk.commit().commit.events
    assert [(3.0, True), (5.0, True), (5.0, False)] == [
        (round((row.corrected_at - NOON).total_seconds(), 2), row.proven) for row in rows
    ]


clocks = st.sampled_from(["gnss", "ntp", "none"])
presses = st.lists(
    st.tuples(st.integers(-100, 100), clocks, st.integers(0, 2), st.integers(0, 60_000)), min_size=1, max_size=20
)


@given(pressed=presses, cuts=st.lists(st.integers(1, 20), max_size=4), mapped=st.booleans())
def test_along_a_stream_time_never_goes_back(
    pressed: list[tuple[int, Any, int, int]], cuts: list[int], mapped: bool
) -> None:
    """Whatever the clocks said, proven times never decrease along a stream, and no time is after its receipt.

    An unproven one is that of the newest proven press before it, or, where there is none, of its receipt.
    """
    desk, vehicle = Desk(), Vehicle()
    if mapped:
        hear(desk)
    for wall_s, clock, boot, mono_ms in pressed:
        vehicle.press(at=NOON + wall_s * SECOND, clock=clock, boot=boot, mono_ms=mono_ms)
    for last in sorted({min(cut, len(pressed)) for cut in cuts} | {len(pressed)}):
        desk.receive(vehicle.topic, vehicle.envelope(1, last), 40.0 + last)
        desk.commit()
    assert all(row.corrected_at <= row.received_at for row in desk.stored)
    newest = None
    for row in desk.stored:
        if row.proven:
            assert newest is None or row.corrected_at >= newest
            newest = row.corrected_at
        else:
            assert row.corrected_at == (newest or row.received_at)
    assert desk.entries[-1].commit.watermarks[-1].corrected_at == newest


def test_an_unproven_event_holds_no_later_one_back() -> None:
    """A press of an earlier boot is as of its receipt; the press after it keeps its own proven time."""
    desk, vehicle = Desk(), Vehicle()
    hear(desk)
    vehicle.press(boot=0)
    vehicle.press("8", at=NOON + 2 * SECOND, clock="gnss")
    send(desk, vehicle, 60.0)
    found = [(row.corrected_at, row.proven) for row in desk.commit().commit.events]
    assert [(NOON + 60 * SECOND, False), (NOON + 2 * SECOND, True)] == found


def test_an_unproven_event_is_not_before_the_proven_ones_it_followed() -> None:
    """Its head says so, before and after a restart: it ranks by that time, and is still unproven."""
    before, vehicle = Desk(), Vehicle()
    hear(before)
    vehicle.press("1", at=NOON + 2 * SECOND, clock="gnss")
    vehicle.press("2", boot=0)
    send(before, vehicle, 60.0)
    before.commit()
    desk = Desk([mark for entry in before.entries for mark in entry.marks], loaded_of(before))
    loaded = list(load_heads(loaded_of(before), county().schemes))
    for head in (before.fleet.standing("kp-12"), *loaded):
        assert head is not None
        assert (NOON + 2 * SECOND, False, True) == (head.at, head.proven, head.bounded)
    vehicle.press("8", boot=0)
    desk.receive(vehicle.topic, vehicle.envelope(1), 61.0)
    (row,) = desk.commit().commit.events
    assert (NOON + 2 * SECOND, False) == (row.corrected_at, row.proven)


def test_a_bounded_press_that_is_carried_keeps_its_bound() -> None:
    """Whether it stood before it was carried or came only then, it ranks by what it followed, after a restart too."""
    for stored_before in (True, False):
        desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
        hear(desk)
        old.press("1", at=NOON + 2 * SECOND, clock="gnss")
        old.press("2", boot=0, mono_ms=7)
        desk.receive(old.topic, old.envelope(1, 2 if stored_before else 1), 60.0)
        desk.commit()
        new.press("2", boot=0, mono_ms=7, origin=Origin("E2-a", 2))
        desk.receive(new.topic, new.envelope(), 70.0)
        desk.commit()
        for head in (desk.fleet.standing("kp-12"), *load_heads(loaded_of(desk), county().schemes)):
            assert head is not None
            assert ("E2-b", NOON + 2 * SECOND, False, True) == (head.stream, head.at, head.proven, head.bounded)


def test_another_streams_clocks_are_not_taken_for_these() -> None:
    """An old card's press in a boot of the same number is not placed by the map of the device that speaks now."""
    desk, old = Desk(), Vehicle("E2-a")
    old.press(mono_ms=3_000)
    hear(desk)
    hear(desk, "E2-b")
    send(desk, old, 30.0)
    (row,) = desk.commit().commit.events
    assert (NOON + 30 * SECOND, False) == (row.corrected_at, row.proven)


def test_bytes_are_kept_as_they_came() -> None:
    """Unknown fields, spaces and the order of keys survive in the row's body."""
    raw = (
        b'{ "unit":"kp-12", "kind":"status","later":[1,{"a":null}],"seq":1,"at":"2026-11-01T12:00:00Z","clock":"none",'
        b'"boot":1,"mono_ms":0,"mode":"test","scheme":"uk-police-state","code":"2","by":"panel"}'
    )
    desk, vehicle = Desk(), Vehicle()
    vehicle.add(raw)
    send(desk, vehicle)
    (row,) = desk.commit().commit.events
    assert (raw, "test", "kp-12", "status") == (row.body, row.mode, row.unit, row.kind)


def test_a_time_that_is_known_only_vaguely_is_bounded_by_the_earliest_it_can_be() -> None:
    """A broker held the heartbeat back: the press ranks by what is certain, and keeps that over a restart."""
    desk, vehicle = Desk(), Vehicle()
    topic = topics.up("kp", "veh-2", "live")
    desk.receive(topic, codec.encode(heartbeat(0)), 0)
    desk.receive(topic, codec.encode(heartbeat(1, echo=echo(0, desk.answers()[-1].id))), 24)
    vehicle.press("2", clock="none", mono_ms=10_000)
    send(desk, vehicle, 40.0)
    desk.commit()
    for head in (desk.fleet.standing("kp-12"), *load_heads(loaded_of(desk), county().schemes)):
        assert head is not None and (False, True) == (head.proven, head.bounded)
        assert head.at <= NOON + 10 * SECOND
