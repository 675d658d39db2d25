"""From when on a binding counts: what was declared before it stands no more, what was pressed since the claim does."""

from datetime import timedelta

import msgspec

from cloud.fleet.bindings import SLACK, Claim, Decision, Register
from cloud.fleet.entry import UnitEntry
from tests.cloud.fleet.samples import NOON, at, entry, fleet, head

BOUND = {"kp-12": ("veh-2", "panel-1"), "kf-1": ("veh-1",)}


def bound(since_s: float) -> list[UnitEntry]:
    """The county's units, the first bound to its vehicle by control's word since so many seconds after noon."""
    return [msgspec.structs.replace(entry("kp-12"), bound_at=at(since_s).utc), entry("kf-1")]


def test_a_press_from_before_the_binding_stands_no_more() -> None:
    """It is history, and comes back with no later directory; one made at the binding's own moment counts."""
    for pressed_s, counts in ((19.9, False), (20.0, True)):
        county = fleet()
        county.apply_head(head("2", pressed_s, received=at(20).utc), at(20))
        county.rebind(bound(20), BOUND, at(21))
        county.rebind([msgspec.structs.replace(one, tier_min=5) for one in bound(20)], BOUND, at(22))
        record = county.record("kp-12", 1, NOON, at(22))
        assert counts is (record.status is not None), pressed_s
        assert counts is ("just_bound" not in [why.code for why in record.reasons])


def test_a_binding_reaches_back_to_when_its_crew_claimed() -> None:
    """Not to when that was heard, nor to when control confirmed: what was pressed while it waited counts."""
    register = Register()
    heard = NOON + timedelta(minutes=20)
    claim = Claim(id="spare.s.1", number=1, unit="u1", device="spare", at=NOON, heard=heard)
    assert register.take(claim, "d1")
    confirmed = heard + timedelta(minutes=10)
    decision = Decision(kind="binding_confirmed", unit="u1", at=confirmed, by="Shah", claim=claim, known=1)
    register.decide(decision, {"u1": "d1"})
    assert NOON - SLACK == register.held([("u1", "d1")])["u1"].since
