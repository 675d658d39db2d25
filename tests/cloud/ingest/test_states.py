"""A device is told control's state, and told again where the last word was lost on its way."""

import pytest
from msgspec import UNSET, UnsetType

from cloud.ingest.states import ARRIVES_S, EVERY_S
from tests.cloud.fleet.samples import at, birth, heartbeat
from tests.cloud.ingest.samples import TERM, Desk
from wire import codec
from wire.messages import AcknowledgedEmergency, State, StateHeld


def told(desk: Desk) -> list[int]:
    """The versions told since the last call."""
    said = [codec.decode_down(one.payload) for one in desk.acceptor.outgoing]
    desk.acceptor.outgoing.clear()
    return [one.version for one in said if isinstance(one, State)]


def beat(desk: Desk, sent_s: float, held: StateHeld | UnsetType) -> list[int]:
    """Let the device beat with the state that it holds; give what it is told."""
    payload = codec.encode(heartbeat(int(sent_s * 1000), state=held))
    desk.receive("wr/1/up/kp/veh-2/live", payload, sent_s)
    return told(desk)


@pytest.mark.parametrize("held", [StateHeld(TERM, 0), StateHeld(0, 0), StateHeld(TERM - 1, 99)])
def test_a_state_that_was_lost_is_told_again(held: StateHeld) -> None:
    """A heartbeat that holds an older one is answered with the newest, once that has had the time to arrive."""
    desk = Desk()
    desk.receive("wr/1/up/kp/veh-2/link", codec.encode(birth(0)), 0.0)
    assert [1] == told(desk)
    assert [] == beat(desk, ARRIVES_S / 2, held)
    assert [2] == beat(desk, ARRIVES_S + 0.1, held)


def test_a_device_is_told_of_its_acknowledged_emergencies() -> None:
    """Its state names them, for that device alone; where there are none the field is left out."""
    desk = Desk()
    one = AcknowledgedEmergency(unit="kp-12", stream="E2-a", seq=7, by="op 7")
    desk.acceptor.states.acknowledged = lambda device, _now: [one] if device == "veh-2" else []
    desk.acceptor.tell_state(["veh-2", "panel-1"], at(0))
    said = [codec.decode_down(message.payload) for message in desk.acceptor.outgoing]
    assert [[one], UNSET] == [state.emergencies for state in said if isinstance(state, State)]
    assert [True, False] == [b"emergencies" in message.payload for message in desk.acceptor.outgoing]
    assert all(message.retain for message in desk.acceptor.outgoing)


def test_a_state_that_arrived_is_told_again_before_it_runs_out() -> None:
    """Whoever holds the newest, or does not say what it holds, hears it again after an hour."""
    for held in (StateHeld(TERM, 1), UNSET):
        desk = Desk()
        desk.receive("wr/1/up/kp/veh-2/link", codec.encode(birth(0)), 0.0)
        assert [1] == told(desk)
        assert [] == beat(desk, EVERY_S - 1, held)
        assert [2] == beat(desk, EVERY_S + 1, held)
