"""When a claim was made whose clock vouches for nothing: before what its device pressed after it."""

import pytest

from tests.cloud.fleet.samples import NOON, at, status
from tests.cloud.ingest.samples import Desk, Vehicle
from tests.cloud.ingest.test_book import hear, send
from wire import codec
from wire.events import BindingEvent


@pytest.mark.parametrize(("pressed_since", "claimed_s"), [(True, 600.0), (False, 1_800.0)])
def test_a_claim_of_an_unknown_time_is_no_later_than_the_press_after_it(pressed_since: bool, claimed_s: float) -> None:
    """Offline a crew claims, the device starts anew, and they press; both are heard much later. The press counts."""
    desk, vehicle = Desk(), Vehicle()
    hear(desk, boot=2)
    claim = BindingEvent(seq=1, at=NOON, clock="none", boot=1, mono_ms=900_000, mode="live", callsign="P12", on=True)
    vehicle.add(codec.encode(claim))
    if pressed_since:
        vehicle.add(codec.encode(status(2, "2", boot=2, mono_ms=600_000)))
    send(desk, vehicle, 1_800.0)
    claimed, *pressed = desk.commit().commit.events
    assert not claimed.proven
    assert abs((claimed.corrected_at - at(claimed_s).utc).total_seconds()) < 0.01
    assert all(row.proven and row.corrected_at >= claimed.corrected_at for row in pressed)
