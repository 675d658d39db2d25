"""What an outbox lost when a new stream took over from it is recorded, and what it carried is not."""

from typing import Any

import pytest

from tests.cloud.fleet.samples import birth, heartbeat
from tests.cloud.ingest.samples import Desk, Vehicle
from wire import codec
from wire.events import Origin
from wire.messages import LastSeq, OutboxDepth


def speak(desk: Desk, stream: str, named: int, **changes: Any) -> None:
    """Let the vehicle be born in a stream that has given out so many status sequences, and beat once."""
    sent_ms = int(desk.heard_s * 1000) + 1
    fields: dict[str, Any] = {"stream": stream, "last_seq": LastSeq(named, 0), "outbox": OutboxDepth(named, 0)}
    desk.receive("wr/1/up/kp/veh-2/link", codec.encode(birth(sent_ms, **fields | changes)), desk.heard_s)
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(sent_ms + 1, **fields)), desk.heard_s)


def gaps(desk: Desk) -> list[tuple[str, int, int, str]]:
    """What was recorded as gone."""
    return [
        (gap.stream, gap.first_seq, gap.last_seq, gap.reason) for entry in desk.entries for gap in entry.commit.gaps
    ]


@pytest.mark.parametrize(
    ("why", "stored", "named", "carried", "expected"),
    [
        ("all was stored", 5, 5, [], []),
        ("all was carried", 3, 5, [4, 5], []),
        ("carried though it was stored", 3, 5, [2, 3, 4, 5], []),
        ("nothing could be read", 3, 5, [], [(4, 5)]),
        ("the last could not be read", 3, 5, [4], [(5, 5)]),
        ("one in the middle could not be read", 2, 6, [3, 5], [(4, 4), (6, 6)]),
        ("nothing was ever stored", 0, 2, [2], [(1, 1)]),
        ("a long backlog", 0, 50, [*range(1, 26), *range(27, 51)], [(26, 26)]),
        ("a refused one was carried", 3, 4, [-4], []),
    ],
)
def test_what_was_named_and_neither_stored_nor_carried_is_a_gap(
    why: str, stored: int, named: int, carried: list[int], expected: list[tuple[int, int]]
) -> None:
    """Exactly that is recorded, once, as soon as all that was carried has come; the old watermark stays."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    for _ in range(stored):
        old.press()
    speak(desk, old.stream, named)
    if stored:
        desk.receive(old.topic, old.envelope())
        desk.commit()
    for seq in carried:
        new.press("2" if seq > 0 else "no-such", origin=Origin(old.stream, abs(seq)))
    speak(desk, new.stream, len(carried), predecessor=old.stream)
    for first in range(1, len(carried) + 1, 20):
        assert [] == gaps(desk)
        desk.receive(new.topic, new.envelope(first, min(first + 19, len(carried))), desk.heard_s)
        desk.commit()
    new.press()
    desk.receive(new.topic, new.envelope(len(new.events)), desk.heard_s)
    desk.commit()
    speak(desk, new.stream, len(new.events), predecessor=old.stream, conn=2)
    desk.commit()
    assert [(old.stream, *one, "stream_replaced") for one in expected] == gaps(desk), why
    assert sum(last - first + 1 for first, last in expected) == desk.acceptor.counts["lost_with_stream"]
    old_mark = desk.acceptor.committed.get(("veh-2", old.stream, "status"))
    assert stored == (old_mark.through if old_mark else 0)


def test_a_first_stream_has_lost_nothing() -> None:
    """The first stream that is heard, or the same once more, replaces nothing that was named."""
    desk = Desk()
    speak(desk, "E2-a", 3)
    speak(desk, "E2-a", 3, conn=2)
    desk.commit()
    assert [] == gaps(desk)


@pytest.mark.parametrize("predecessor", ["", "E2-x"])
def test_a_new_stream_that_names_another_predecessor_has_lost_what_was_named(predecessor: str) -> None:
    """A blank card, or one that went through take-overs out of our hearing: what nobody brought is recorded."""
    desk = Desk()
    speak(desk, "E2-a", 3)
    speak(desk, "E2-b", 0, predecessor=predecessor)
    speak(desk, "E2-c", 0, predecessor="E2-c")
    desk.commit()
    assert [("E2-a", 1, 3, "stream_replaced")] == gaps(desk)


def beat(desk: Desk, stream: str, named: int, waiting: int, sent_ms: int) -> None:
    """Let the vehicle beat with so many statuses named and so many of them still held."""
    said = heartbeat(sent_ms, stream=stream, last_seq=LastSeq(named, 0), outbox=OutboxDepth(waiting, 0))
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(said), desk.heard_s)


def test_what_a_device_named_and_no_longer_holds_is_gone() -> None:
    """A ledger that was put back: the loss is recorded once, at the heartbeat, and an envelope adds only the rest."""
    desk, vehicle = Desk(), Vehicle("E2-a")
    for _ in range(6):
        vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope(1, 2))
    desk.commit()
    beat(desk, vehicle.stream, 4, 2, 1_000)
    desk.commit()
    assert [] == gaps(desk)
    for sent_ms in (2_000, 3_000):
        beat(desk, vehicle.stream, 4, 0, sent_ms)
        desk.commit()
    assert [("E2-a", 3, 4, "not_held")] == gaps(desk)
    assert 2 == desk.acceptor.counts["gone_status"]
    desk.receive(vehicle.topic, vehicle.envelope(6, 6))
    desk.commit()
    assert [("E2-a", 3, 4, "not_held"), ("E2-a", 5, 5, "not_held")] == gaps(desk)
    assert 6 == desk.acceptor.committed[("veh-2", "E2-a", "status")].through


def test_what_is_being_committed_is_not_gone() -> None:
    """A heartbeat that overtakes the settle of a press records nothing."""
    desk, vehicle = Desk(), Vehicle("E2-a")
    vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.begin_commit()
    beat(desk, vehicle.stream, 1, 0, 1_000)
    desk.end_commit(entry)
    beat(desk, vehicle.stream, 1, 0, 2_000)
    desk.commit()
    assert [] == gaps(desk)
