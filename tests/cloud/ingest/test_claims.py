"""A device's word that it carries a unit: judged by its organisation's callsigns, stored, handed on, and told back."""

from typing import Any

import pytest

from tests.cloud.fleet.samples import NOON, at
from tests.cloud.ingest.samples import Desk, Vehicle
from tests.cloud.ingest.test_book import send
from wire import codec
from wire.events import BindingEvent, EmergencyEvent
from wire.messages import ClaimState, State


def binding(seq: int, callsign: str, **changes: Any) -> BindingEvent:
    """A device says that its vehicle carries a unit."""
    fields: dict[str, Any] = {"seq": seq, "at": NOON, "clock": "none", "boot": 1, "mono_ms": 0, "mode": "live"}
    return BindingEvent(**fields | {"callsign": callsign, "vehicle": "K7"} | changes)


@pytest.mark.parametrize("callsign", ["P12", "p12", " p12 "])
def test_a_claim_is_stored_in_its_units_history_and_handed_on(callsign: str) -> None:
    """However the crew typed the callsign; it moves no status, and whoever decides about claims has the unit's id."""
    desk, vehicle = Desk(), Vehicle("E3-a", device="panel-1")
    vehicle.press("2")
    vehicle.add(codec.encode(binding(2, callsign)))
    send(desk, vehicle)
    entry = desk.commit()
    rows = [(row.kind, row.unit, row.prev) for row in entry.commit.events]
    assert [("status", "kp-12", None), ("binding", "kp-12", 1)] == rows
    assert [1] == [head[2] for head in entry.commit.heads]
    assert [("binding", "kp-12")] == [(one.row.kind, one.row.unit) for one in entry.recorded[1:]]


@pytest.mark.parametrize("callsign", ["14P1", "P13", "kp-12", " "])
def test_a_callsign_of_nobody_or_of_another_organisation_is_refused(callsign: str) -> None:
    """With its bytes and the reason, told to the device; what came after it is taken."""
    desk, vehicle = Desk(), Vehicle()
    vehicle.add(codec.encode(binding(1, callsign)))
    vehicle.press("2")
    send(desk, vehicle)
    entry = desk.commit()
    assert [("unknown_callsign", vehicle.events[0])] == [(row.reason, row.body) for row in entry.commit.refused]
    assert [2] == [row.seq for row in entry.commit.events]
    assert [[(1, "unknown_callsign")]] == [
        [(one.seq, one.reason) for one in queue.refused] for settle in desk.answers() for queue in settle.queues
    ]


def test_an_emergency_is_taken_from_any_device_and_is_a_units_only_where_it_may_be() -> None:
    """Whoever calls for help is not asked who may. It is the unit's where its device is bound to it or claims it."""
    desk, vehicle = Desk(), Vehicle()
    fire = desk.in_force.directory.units["kf-1"]
    common: dict[str, Any] = {"at": NOON, "clock": "none", "boot": 1, "mono_ms": 0, "mode": "live"}
    for seq in (1, 2):
        vehicle.add(codec.encode(EmergencyEvent(seq=seq, unit="kf-1", **common)))
        send(desk, vehicle)
        desk.commit()
        vehicle.settled = seq
        desk.acceptor.speaking.claimed = lambda _device: (fire,)
    assert [(1, None), (2, "kf-1")] == [(row.seq, row.unit) for row in desk.stored]


def test_a_device_is_told_what_became_of_its_claims() -> None:
    """In its state; a device that has claimed nothing gets the message that it always got."""
    desk = Desk()
    waiting = ClaimState(unit="kp-12", callsign="P12", scheme="uk-police-state", outcome="waiting", at=NOON)
    desk.acceptor.states.claims = lambda device, _now: (waiting,) if device == "panel-1" else ()
    desk.acceptor.tell_state(("panel-1", "veh-2", "no-such-device"), at(0))
    told = [codec.decode_down(message.payload) for message in desk.acceptor.outgoing]
    assert [[waiting], None] == [list(one.claims) if one.claims else None for one in told if isinstance(one, State)]
    assert b"claims" not in desk.acceptor.outgoing[1].payload
