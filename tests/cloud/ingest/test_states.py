"""A device is told control's state, and told again where the last word was lost on its way."""

import pytest
from msgspec import UNSET, UnsetType

from cloud.ingest.states import ARRIVES_S, EVERY_S
from tests.cloud.fleet.samples import birth, heartbeat
from tests.cloud.ingest.samples import TERM, Desk
from wire import codec
from wire.messages import State, StateHeld


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


def test_a_state_that_arrived_is_told_again_before_it_runs_out() -> None:
    """Whoever holds the newest, or does not say what it holds, hears it again after an hour."""
    for held in (StateHeld(TERM, 1), UNSET):
        desk = Desk()
        desk.receive("wr/1/up/kp/veh-2/link", codec.encode(birth(0)), 0.0)
        assert [1] == told(desk)
        assert [] == beat(desk, EVERY_S - 1, held)
        assert [2] == beat(desk, EVERY_S + 1, held)
