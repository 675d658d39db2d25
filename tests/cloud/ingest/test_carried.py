"""A press that a new stream carries over is the press it was: never a newer one, and never a younger one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.ingest.loading import load_heads, load_marks
from cloud.ledger import Loaded
from tests.cloud.fleet.samples import NOON, at, county, current, echo, heartbeat
from tests.cloud.ingest.samples import Desk, Vehicle, loaded_of
from wire import codec
from wire.events import Origin
from wire.messages import LastSeq


def carry(old: Vehicle, new: Vehicle, *seqs: int) -> None:
    """Let the new stream take over some presses of the old one."""
    for seq in seqs:
        event = codec.decode_event(old.events[seq - 1])
        assert not isinstance(event, codec.Rejected)
        new.press(getattr(event, "code", ""), mono_ms=event.mono_ms, origin=event.origin or Origin(old.stream, seq))


def press(vehicle: Vehicle, *codes: str) -> None:
    """Press one after the other, each a second after the one before."""
    for code in codes:
        vehicle.press(code, mono_ms=1_000 * (len(vehicle.events) + 1))


def send(desk: Desk, vehicle: Vehicle, now_s: float = 0.0) -> None:
    """Send all, and commit it."""
    desk.receive(vehicle.topic, vehicle.envelope(), now_s)
    desk.commit(now_s)


def restart(desk: Desk) -> Desk:
    """Start an ingest on what the ledger holds."""
    loaded: Loaded = loaded_of(desk)
    fresh = Desk(load_marks(loaded), loaded)
    for head in load_heads(loaded, county().schemes):
        fresh.book.know_head(head)
        fresh.fleet.apply_head(head, at(0))
    for mark in fresh.acceptor.committed.values():
        fresh.acceptor.commit_mark(mark, at(0))
    return fresh


def stands(desk: Desk) -> tuple[str, str, int]:
    """The status that stands: code and place."""
    head = desk.fleet.standing("kp-12")
    assert head is not None
    return head.code, head.stream, head.seq


def confidence(desk: Desk, named: tuple[str, str, int], now_s: float) -> tuple[str, str]:
    """What the unit's record says once its vehicle has named a status in the second stream: and the deciding reason."""
    code, stream, seq = named
    said = heartbeat(
        int(now_s * 1000), stream="E2-b", current=[current(seq, code, stream=stream)], last_seq=LastSeq(1, 0)
    )
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(said), now_s)
    answered = echo(0, desk.answers()[-1].id)
    desk.receive(
        "wr/1/up/kp/veh-2/live",
        codec.encode(heartbeat(int(now_s * 1000) + 1, stream="E2-b", echo=answered, current=said.current)),
        now_s + 0.001,
    )
    record = desk.fleet.record("kp-12", 1, NOON, at(now_s + 0.002))
    return record.confidence, record.reasons[0].code


@pytest.mark.parametrize("restarts", [False, True])
def test_an_old_press_that_is_carried_is_history(restarts: bool) -> None:
    """A card put back brings a press from before what stands: stored, not shown, and never confirmed.

    An ingest that starts in between decides the same.
    """
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    press(old, "2", "6", "8")
    send(desk, old)
    desk = restart(desk) if restarts else desk
    carry(old, new, 1)
    send(desk, new, 5)
    assert ("8", "E2-a", 3) == stands(desk)
    assert ["2"] == [getattr(codec.decode_event(row.body), "code", "") for row in desk.stored if row.stream == "E2-b"]
    assert ("unconfirmed", "other_status") == confidence(desk, ("2", "E2-b", 1), 6)
    press(new, "6")
    send(desk, new, 7)
    assert ("6", "E2-b", 2) == stands(desk)


@pytest.mark.parametrize("restarts", [False, True])
def test_a_press_that_was_never_stored_stands_where_it_was_carried_to(restarts: bool) -> None:
    """The ordinary take-over: what the old stream could not send comes in the new one, stands and is confirmed."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    press(old, "2", "6")
    send(desk, old)
    press(old, "8")
    carry(old, new, 3)
    send(desk, new, 5)
    desk = restart(desk) if restarts else desk
    assert ("8", "E2-b", 1) == stands(desk)
    assert ("confirmed", "declared") == confidence(desk, ("8", "E2-b", 1), 6)


@pytest.mark.parametrize("restarts", [False, True])
def test_the_press_that_stands_stands_where_it_was_carried_to(restarts: bool) -> None:
    """Its settle was lost and its stream replaced: it is confirmed by its new place, and no younger than before."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    press(old, "2", "8")
    send(desk, old, 2)
    before = desk.fleet.standing("kp-12")
    carry(old, new, 1, 2)
    send(desk, new, 5)
    desk = restart(desk) if restarts else desk
    after = desk.fleet.standing("kp-12")
    assert before is not None and after is not None
    assert ("8", "E2-b", 2) == stands(desk)
    assert confidence(desk, ("8", "E2-b", 2), 6)[0] == "confirmed"


def test_a_carried_press_that_stands_keeps_its_time() -> None:
    """Coming again, in a boot that no clock maps any more, it is as of its proven time, not of its second receipt."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    topic = "wr/1/up/kp/veh-2/live"
    desk.receive(topic, codec.encode(heartbeat(0)), 0)
    desk.receive(topic, codec.encode(heartbeat(1, echo=echo(1, desk.answers()[-1].id))), 0.001)
    old.press("8", mono_ms=2_000)
    send(desk, old, 2)
    carry(old, new, 1)
    send(desk, new, 500)
    assert [at(2).utc, at(2).utc] == [row.corrected_at for row in desk.stored]
    head = desk.fleet.standing("kp-12")
    assert head is not None and ("E2-b", at(2).utc) == (head.stream, head.at)


def test_a_status_of_the_stream_before_is_named_and_confirmed() -> None:
    """Nothing was unsettled when the stream was replaced: the device names the old place, and that stands."""
    desk, old = Desk(), Vehicle("E2-a")
    press(old, "2", "8")
    send(desk, old)
    assert ("confirmed", "declared") == confidence(desk, ("8", "E2-a", 2), 6)
    assert ("unconfirmed", "other_status") == confidence(desk, ("2", "E2-a", 1), 8)


def test_an_unknown_origin_counts_for_nothing() -> None:
    """A press carried from a stream that nobody ever heard of takes its own place, as does one from a later stream."""
    desk, first, second = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    press(first, "2")
    send(desk, first)
    second.press("8", origin=Origin("E2-x", 1))
    send(desk, second)
    assert ("8", "E2-b", 1) == stands(desk)
    first.press("6", origin=Origin("E2-b", 10**18))
    desk.receive(first.topic, first.envelope(2))
    desk.commit()
    assert ("8", "E2-b", 1) == stands(desk)


def test_two_lines_of_one_stream_with_a_long_backlog_both_end_whole() -> None:
    """A clone whose whole batch lies below the watermark is told a digest that is not its own, so it mints.

    Every press of both lines is then stored once, and where nobody can say which came last the unit isn't confirmed.
    """
    desk, one, clone, new = Desk(), Vehicle(), Vehicle(), Vehicle("E2-b")
    press(one, *["2"] * 35)
    press(clone, *["2"] * 5, *["8"] * 30)
    for first in (1, 21):
        desk.receive(one.topic, one.envelope(first, min(35, first + 19)))
        desk.commit()
    desk.answers()
    desk.receive(clone.topic, clone.envelope(6, 25))
    (told,) = desk.answers()
    assert (35, True) == (told.queues[0].through, told.queues[0].digest != clone.digests[35].hex())
    carry(clone, new, *range(6, 36))
    for first in (1, 21):
        desk.receive(new.topic, new.envelope(first, min(30, first + 19)), 5)
        desk.commit(5)
    assert [*one.events, *new.events] == [row.body for row in desk.stored]
    assert ("2", "E2-a", 35) == stands(desk)
    assert ("unconfirmed", "other_status") == confidence(desk, ("8", "E2-b", 30), 6)


takeovers = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 6)), max_size=5)


@settings(deadline=None)
@given(story=takeovers)
def test_what_stands_never_goes_back(story: list[tuple[int, int, int]]) -> None:
    """Whatever images of its outbox a device goes on from, the press that stands is never replaced by an older one.

    Each chapter puts back a card as it was some chapters ago, takes over some of its presses, and presses anew.
    """
    desk, images, told = Desk(), [Vehicle("E2-s0")], 0
    for chapter, (which, presses, kept) in enumerate(story, start=1):
        old, new = images[which % len(images)], Vehicle(f"E2-s{chapter}")
        carry(old, new, *range(max(1, len(old.events) + 1 - kept), len(old.events) + 1))
        for _ in range(presses):
            told += 1
            new.press("2" if told % 2 else "8", mono_ms=told)
        images.append(new)
        if new.events:
            before = moment(desk)
            send(desk, new)
            assert moment(desk) >= before
            assert not presses or moment(desk) == told


def moment(desk: Desk) -> int:
    """When the press that stands was made."""
    head = desk.fleet.standing("kp-12")
    return head.mono_ms if head is not None else 0
