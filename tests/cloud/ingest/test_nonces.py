"""Nonces: the newest of each device, and only where it is proven when it was minted."""

from typing import Any

from cloud.ingest.nonces import Nonce
from tests.cloud.fleet.samples import at, birth, echo, heartbeat
from tests.cloud.ingest.samples import Desk
from wire import codec, topics

LIVE, LINK = topics.up("kp", "veh-2", "live"), topics.up("kp", "veh-2", "link")


def beat(desk: Desk, sent_ms: int, now_s: float, *, echoing: str = "", **changes: Any) -> str:
    """Take a heartbeat in; the id of the answer."""
    said = heartbeat(sent_ms, echo=echo(0, echoing) if echoing else None, **changes)
    desk.receive(LIVE, codec.encode(said), now_s)
    return desk.answers()[-1].id


def held(desk: Desk) -> Nonce | None:
    """The vehicle's nonce."""
    return desk.acceptor.nonces.get("veh-2")


def test_a_nonce_counts_once_its_device_has_proven_itself() -> None:
    """Of what came without an echo nobody knows the age: only after a round trip is there a nonce to quote."""
    desk = Desk()
    answer = beat(desk, 0, 1.0, nonce="n-1")
    assert held(desk) is None
    beat(desk, 1_100, 1.2, echoing=answer, nonce="n-2")
    newest = held(desk)
    assert newest is not None and ("n-2", at(1.2)) == (newest.nonce, newest.received)
    assert at(1.0).mono_s <= newest.sent_s <= at(1.2).mono_s


def test_a_kept_birth_brings_no_old_nonce() -> None:
    """A broker hands a birth of hours ago to an ingest that starts: its nonce would let an order expire unheard."""
    desk = Desk()
    desk.receive(LINK, codec.encode(birth(0, nonce="of hours ago")), 10_000.0)
    assert held(desk) is None


def test_a_replayed_heartbeat_brings_no_old_nonce() -> None:
    """What is heard again, or late, leaves the newest nonce where it is."""
    desk = Desk()
    answer = beat(desk, 0, 0.0, nonce="n-1")
    answer = beat(desk, 100, 0.1, echoing=answer, nonce="n-2")
    beat(desk, 5_000, 5.0, echoing=answer, nonce="n-3")
    beat(desk, 100, 5.1, echoing=answer, nonce="n-2")
    newest = held(desk)
    assert newest is not None and "n-3" == newest.nonce


def test_a_nonce_that_comes_again_keeps_its_time() -> None:
    """It was minted before it came the first time, and its order's expiry counts from then."""
    desk = Desk()
    answer = beat(desk, 0, 0.0, nonce="n-1")
    answer = beat(desk, 100, 0.1, echoing=answer, nonce="n-1")
    first = held(desk)
    beat(desk, 60_000, 60.0, echoing=answer, nonce="n-1")
    assert first is not None and first == held(desk) and at(0.1) == first.received


def test_a_heartbeat_that_a_broker_held_back_is_as_old_as_it_may_be() -> None:
    """Sixteen seconds late: the nonce may be as old, and says so."""
    desk = Desk()
    answer = beat(desk, 0, 0.0, nonce="n-1")
    answer = beat(desk, 100, 0.1, echoing=answer, nonce="n-2")
    beat(desk, 5_000, 21.0, echoing=answer, nonce="n-3")
    newest = held(desk)
    assert newest is not None and at(21.0) == newest.received
    assert at(4.8).mono_s <= newest.sent_s <= at(5.1).mono_s


def test_a_device_that_takes_no_commands_has_no_nonce() -> None:
    """Once it says none, what it said before is forgotten."""
    desk = Desk()
    answer = beat(desk, 0, 0.0, nonce="n-1")
    answer = beat(desk, 100, 0.1, echoing=answer, nonce="n-2")
    assert held(desk) is not None
    beat(desk, 5_000, 5.0, echoing=answer)
    assert held(desk) is None


def test_a_new_boot_proves_itself_anew() -> None:
    """Another boot counts its clock from elsewhere: until it echoes, its nonce's age is not known."""
    desk = Desk()
    answer = beat(desk, 0, 0.0, nonce="n-1")
    beat(desk, 100, 0.1, echoing=answer, nonce="n-2")
    answer = beat(desk, 50, 60.0, boot=2, nonce="m-1")
    newest = held(desk)
    assert newest is not None and "n-2" == newest.nonce
    beat(desk, 150, 60.1, echoing=answer, boot=2, nonce="m-2")
    newest = held(desk)
    assert newest is not None and "m-2" == newest.nonce and newest.sent_s >= at(59.9).mono_s
