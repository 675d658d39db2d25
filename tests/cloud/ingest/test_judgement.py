"""What is not a device's to say is kept aside with its reason, and the stream goes on."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from tests.cloud.fleet.samples import birth, death, echo, heartbeat, position, status
from tests.cloud.ingest.samples import Desk, Vehicle
from wire import codec, topics
from wire.events import SEQ_MAX
from wire.messages import MESSAGE_BYTES_MAX

UP = "wr/1/up/kp/veh-2/"


def pressed(**changes: Any) -> bytes:
    """An envelope with one press."""
    vehicle = Vehicle()
    vehicle.press()
    return vehicle.envelope(**changes)


def measured(count: int, **changes: Any) -> bytes:
    """An envelope with positions."""
    vehicle = Vehicle(queue="track")
    for _ in range(count):
        vehicle.measure()
    return vehicle.envelope(**changes)


def from_vehicle(stream: str, device: str, org: str) -> bytes:
    """A press of another vehicle."""
    vehicle = Vehicle(stream, device=device, org=org)
    vehicle.press()
    return vehicle.envelope()


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("wr/1/up/kp/veh-2/gossip", pressed(), "unknown_topic"),
        ("wr/2/up/kp/veh-2/status", pressed(), "unknown_topic"),
        (UP + "status/more", pressed(), "unknown_topic"),
        ("wr/1/up/kp/Veh 2/status", pressed(), "unknown_topic"),
        ("", b"", "unknown_topic"),
        ("wr/1/up/kf/veh-2/status", pressed(), "foreign_device"),
        ("wr/1/up/kp/veh-77/status", pressed(), "foreign_device"),
        ("wr/1/up/kp/veh-9/status", from_vehicle("E9-a", "veh-9", "kp"), "revoked_device"),
        ("wr/1/up/kp/veh-9/status", b"nonsense", "revoked_device"),
        (UP + "status", from_vehicle("E1-a", "veh-1", "kf"), "wrong_device"),
        (UP + "link", codec.encode(death(device="veh-1", stream="E1-a")), "wrong_device"),
        (UP + "status", pressed(stream="E1-a"), "wrong_enrolment"),
        (UP + "status", pressed(stream="E22-a"), "wrong_enrolment"),
        (UP + "status", pressed(stream="E2-2-a"), "wrong_enrolment"),
        (UP + "status", pressed(stream="E2"), "wrong_enrolment"),
        (UP + "status", pressed(signature="x"), "unknown_signature"),
        (UP + "live", pressed(), "wrong_channel"),
        (UP + "history", pressed(), "wrong_channel"),
        (UP + "status", measured(1), "wrong_channel"),
        (UP + "link", measured(1), "wrong_channel"),
        (UP + "link", codec.encode(heartbeat(0)), "wrong_channel"),
        (UP + "live", codec.encode(birth(0)), "wrong_channel"),
        (UP + "live", codec.encode(death()), "wrong_channel"),
        (UP + "live", measured(2), "too_many_events"),
        (UP + "status", b"", "malformed"),
        (UP + "status", b"\xff\xfe", "malformed"),
        (UP + "status", pressed()[:-1], "malformed"),
        (UP + "status", b"{}", "invalid"),
        (UP + "status", pressed(first_held=0), "invalid"),
        (UP + "status", pressed(base_digest="00"), "invalid"),
        (UP + "status", pressed(events=[]), "invalid"),
        (UP + "status", pressed(v=2), "invalid"),
        (UP + "status", pressed(events=[msgspec.Raw(b"1")] * 21), "invalid"),
        (UP + "status", pressed(first_held=SEQ_MAX, events=[msgspec.Raw(b"1")] * 2), "past_last_seq"),
        (UP + "status", pressed() + b" " * MESSAGE_BYTES_MAX, "too_large"),
    ],
)
def test_a_message_out_of_place_is_kept_aside(topic: str, payload: bytes, reason: str) -> None:
    """It is kept with its reason and up to 16 KiB of its bytes, is not answered, and the next message is taken."""
    desk = Desk()
    desk.receive(topic, payload)
    assert [(reason, payload[:MESSAGE_BYTES_MAX])] == desk.asides()
    assert 1 == desk.acceptor.counts[f"aside_{reason}"]
    entry = desk.commit()
    assert [reason] == [row.reason for row in entry.commit.refused]
    assert [] == desk.answers()
    desk.receive(UP + "status", pressed())
    assert [1] == [row.seq for row in desk.commit().commit.events]


def test_a_name_is_bounded_too() -> None:
    """A topic as long as MQTT allows is kept cut short."""
    desk = Desk()
    desk.receive("x" * 60_000, b"")
    assert 300 == len(desk.commit().commit.refused[0].topic)


JUDGED: list[tuple[str, Callable[[int], bytes]]] = [
    ("invalid", lambda seq: b"null"),
    ("invalid", lambda seq: codec.encode(status(seq)).replace(b'"status"', b'"teleport"', 1)),
    ("invalid", lambda seq: codec.encode(status(seq)).replace(b'"seq":3', b'"seq":"3"')),
    ("too_large", lambda seq: codec.encode(status(seq))[:-1] + b',"more":"' + b"x" * 4_096 + b'"}'),
    ("wrong_seq", lambda seq: codec.encode(status(seq + 1))),
    ("wrong_queue", lambda seq: codec.encode(position(seq))),
    ("foreign_unit", lambda seq: codec.encode(status(seq, unit="kf-1"))),
    ("foreign_unit", lambda seq: codec.encode(status(seq, unit="kp-99"))),
    ("wrong_scheme", lambda seq: codec.encode(status(seq, scheme="uk-fire-gd92"))),
    ("unknown_code", lambda seq: codec.encode(status(seq, "99"))),
]


@pytest.mark.parametrize(("reason", "bad"), JUDGED)
def test_each_event_is_judged_alone(reason: str, bad: Callable[[int], bytes]) -> None:
    """Of five events with a bad one among them four are stored and one refused with its bytes; all five have ended."""
    vehicle, desk = Vehicle(), Desk()
    for seq in range(1, 6):
        vehicle.add(bad(3)) if seq == 3 else vehicle.press()
    desk.receive(vehicle.topic, vehicle.envelope())
    entry = desk.commit()
    assert [1, 2, 4, 5] == [row.seq for row in entry.commit.events]
    assert [(3, reason, bad(3))] == [(row.seq, row.reason, row.body) for row in entry.commit.refused]
    (settle,) = desk.answers()
    vehicle.take([settle])
    assert 5 == vehicle.settled
    assert [(3, reason)] == [(one.seq, one.reason) for one in settle.queues[0].refused]


def test_an_event_that_breaks_the_envelope_is_not_taken_for_less() -> None:
    """An event that is not JSON makes the whole message malformed: nothing of it is stored or settled."""
    vehicle, desk = Vehicle(), Desk()
    vehicle.press()
    good = vehicle.envelope()
    desk.receive(vehicle.topic, good.replace(b'{"kind":"status"', b'{"kind":status"'))
    assert "malformed" == desk.asides()[0][0]
    assert [] == desk.commit().commit.events


def test_a_status_is_never_refused_for_its_time() -> None:
    """A press from 1970 or from the far future is stored, and its time is never after its receipt."""
    vehicle, desk = Vehicle(), Desk()
    desk.receive(topics.up("kp", "veh-2", "live"), codec.encode(heartbeat(0)))
    for year in (1, 1970, 2038, 9999):
        vehicle.press(at=status(1).at.replace(year=year), clock="gnss", boot=2**63 - 1, mono_ms=2**63 - 1)
    desk.receive(vehicle.topic, vehicle.envelope())
    assert 4 == len(desk.commit().commit.events)
    assert all(row.corrected_at <= row.received_at for row in desk.stored)


def test_refusals_are_told_again() -> None:
    """The latest refusals come with each settle of their queue, for one may have been lost on its way."""
    vehicle, desk = Vehicle(), Desk()
    for _ in range(30):
        vehicle.press("99")
    desk.receive(vehicle.topic, vehicle.envelope(1, 15))
    desk.receive(vehicle.topic, vehicle.envelope(16, 30))
    desk.commit()
    desk.answers()
    desk.receive(vehicle.topic, vehicle.envelope(16, 30))
    (settle,) = desk.answers()
    assert list(range(11, 31)) == [one.seq for one in settle.queues[0].refused]


def test_a_live_position_is_shown_and_moves_no_watermark() -> None:
    """A live record is shown and stored as it comes; the watermark moves by history alone."""
    vehicle, desk = Vehicle(queue="track"), Desk()
    vehicle.measure()
    vehicle.measure()
    desk.receive("wr/1/up/kp/veh-2/live", codec.encode(heartbeat(0, echo=echo())))
    desk.answers()
    desk.receive("wr/1/up/kp/veh-2/live", vehicle.envelope(2, 2))
    record = desk.fleet.record("kp-12", 1, status(1).at, desk.acceptor.track[0].received)
    assert record.position is not None and record.position.lat == 51.27
    assert [None] == [work.mark for work in desk.acceptor.track]
    desk.commit()
    assert [] == desk.answers()
    desk.receive(vehicle.topic, vehicle.envelope(1, 2))
    desk.commit()
    vehicle.take(desk.answers())
    assert 2 == vehicle.settled
