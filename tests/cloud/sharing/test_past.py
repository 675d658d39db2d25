"""The past is open where it was open then and is open now: never more than either."""

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cloud.sharing.grants import grants_of
from cloud.sharing.past import Circumstances, newest_shown, opened_then, place_then
from cloud.sharing.terms import OWN, Agreement, EmergencyAccess, Grants, SharedUnit, Situation
from tests.cloud.fleet.samples import NOON
from tests.cloud.sharing.cases import PARTNER, places, several, situations, units
from wire.feed import PositionView

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
UNIT = SharedUnit(id="kp-12", organisation="kp", type="van", base="stn-14")
AGREED = Agreement(id="a1", owner="kp", partner="ka", purpose="x", fields=frozenset({"status", "position"}))


@st.composite
def circumstances(draw: st.DrawFn) -> Circumstances:
    """Anything that may have been."""
    return Circumstances(unit=draw(units), agreements=draw(several()), situation=draw(situations()))


def around(*agreements: Agreement, hidden: bool = False, hours: float = 0.0, **held: object) -> Circumstances:
    """The unit, with these agreements, so many hours after noon."""
    situation = replace(Situation(now=NOON + timedelta(hours=hours)), **held)
    return Circumstances(unit=replace(UNIT, hidden=hidden), agreements=agreements, situation=situation)


@QUICK
@given(circumstances(), circumstances())
def test_the_past_is_no_wider_than_then_nor_than_now(now: Circumstances, then: Circumstances) -> None:
    """Whatever is told of the past could be seen then, and could be seen now; places no sharper than at either time."""
    found = opened_then(PARTNER, now=now, then=then)
    for one in (now, then):
        at = grants_of(one.unit, PARTNER, one.agreements, one.situation)
        if found is not None:
            assert at is not None
            assert found.fields <= at.fields
            if one.unit.organisation != PARTNER:
                assert not one.unit.hidden


def test_what_began_since_opens_nothing_of_before() -> None:
    """An agreement of today opens today, and not yesterday; one that has ended opens nothing any more."""
    assert opened_then("ka", now=around(AGREED), then=around()) is None
    assert opened_then("ka", now=around(), then=around(AGREED)) is None
    assert opened_then("ka", now=around(AGREED, withdrawn=frozenset({"a1"})), then=around(AGREED)) is None
    assert opened_then("ka", now=around(AGREED), then=around(AGREED, withdrawn=frozenset({"a1"}))) is None
    begins = replace(AGREED, valid_from=NOON)
    assert opened_then("ka", now=around(begins), then=around(begins, hours=-1)) is None
    assert Grants(fields=AGREED.fields, agreements=("a1",)) == opened_then(
        "ka", now=around(AGREED), then=around(AGREED, hours=-1)
    )


def test_fields_are_those_of_both_and_places_the_coarser() -> None:
    """Who sees the status now and saw the position then sees neither of then; precision and delay are the worse."""
    then = replace(AGREED, fields=frozenset({"position", "crew"}), precision_m=500, delay_s=30)
    now = replace(AGREED, fields=frozenset({"position", "status"}), precision_m=100, delay_s=300)
    expected = Grants(fields=frozenset({"position"}), agreements=("a1",), precision_m=500, delay_s=300)
    assert expected == opened_then("ka", now=around(now), then=around(then))


def test_hidden_once_is_hidden() -> None:
    """A unit that is covert now had no past for anybody else; and while it was off duty it was nowhere."""
    assert opened_then("ka", now=around(AGREED, hidden=True), then=around(AGREED)) is None
    assert opened_then("ka", now=around(AGREED), then=around(AGREED, hidden=True)) is None
    assert OWN.fields == getattr(opened_then("kp", now=around(hidden=True), then=around(hidden=True)), "fields", None)


def test_what_waits_opens_the_present_alone() -> None:
    """Neither a joint incident, nor a major one, nor emergency access shows what has been, though they hold now."""
    access = EmergencyAccess(
        id="e1",
        owner="kp",
        partner="ka",
        reason="x",
        by="x",
        since=NOON - timedelta(hours=2),
        until=NOON + timedelta(hours=2),
    )
    held: dict[str, Any] = {
        "declared": frozenset({"Flood"}),
        "access": (access,),
        "incidents": {"ka": frozenset({"I1"})},
    }
    joint = replace(AGREED, when="joint_incident")
    major = replace(AGREED, when="major_incident", incident="Flood")
    for one in (joint, major):
        both = replace(around(one, **held), unit=replace(UNIT, incident="I1"))
        assert grants_of(both.unit, "ka", both.agreements, both.situation) is not None
        assert opened_then("ka", now=both, then=both) is None


@QUICK
@given(places, st.sampled_from([0, 500]), st.sampled_from([0, 60]), st.sampled_from([0.0, 59.0, 60.0, 61.0]))
def test_a_track_ends_where_the_delay_does(place: PositionView, precision_m: int, delay_s: int, ago_s: float) -> None:
    """Where a unit was is told as blurred as agreed, and up to as long ago as agreed."""
    grants = Grants(fields=frozenset({"position"}), precision_m=precision_m, delay_s=delay_s)
    at = NOON - timedelta(seconds=ago_s)
    shown = place_then(place, at, grants, NOON)
    assert (shown is None) is (ago_s < delay_s) is (at > newest_shown(grants, NOON))
    if shown is not None:
        assert (shown == place) is (precision_m == 0)
    assert place_then(place, at, replace(grants, fields=frozenset({"status"})), NOON) is None
