"""Default deny: what opens a unit, and what can never open more than was agreed. On any agreements."""

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cloud.sharing.grants import grants_of, next_boundary, opens
from cloud.sharing.terms import OWN, Agreement, EmergencyAccess, Grants, SharedUnit, Situation
from tests.cloud.sharing.cases import ORGANISATIONS, PARTNER, accesses, agreements, several, situations, units

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
Some = tuple[Agreement, ...]


def without(situation: Situation) -> Situation:
    """The same without emergency access."""
    return replace(situation, access=())


@QUICK
@given(units, situations())
def test_nothing_is_open_without_an_agreement(unit: SharedUnit, situation: Situation) -> None:
    """Nobody sees a unit of another organisation, until something between the two opens it."""
    for partner in ORGANISATIONS:
        expected = OWN if partner == unit.organisation else None
        assert expected == grants_of(unit, partner, (), without(situation))


@QUICK
@given(units, several(), situations())
def test_only_what_is_between_the_two_opens_a_unit(unit: SharedUnit, some: Some, situation: Situation) -> None:
    """An agreement of another owner, or with another partner, is as if there were none."""
    between = [one for one in some if (one.owner, one.partner) == (unit.organisation, PARTNER)]
    assert grants_of(unit, PARTNER, between, situation) == grants_of(unit, PARTNER, some, situation)
    assert not any(opens(one, unit, PARTNER, situation) for one in some if one not in between)


@QUICK
@given(units, several(), agreements("new"), situations())
def test_another_agreement_only_adds(unit: SharedUnit, some: Some, new: Agreement, situation: Situation) -> None:
    """With one agreement more a unit stays to be seen, no field is lost, and a position is no later."""
    before = grants_of(unit, PARTNER, some, situation)
    after = grants_of(unit, PARTNER, (*some, new), situation)
    if before is None:
        return
    assert after is not None
    assert before.fields <= after.fields
    assert set(before.agreements) <= set(after.agreements)
    if "position" in before.fields:
        assert (after.delay_s, after.precision_m) <= (before.delay_s, before.precision_m)


@QUICK
@given(units, several(), situations())
def test_fields_add_up_and_a_position_does_not(unit: SharedUnit, some: Some, situation: Situation) -> None:
    """The fields are those of all that open it; the position is as one of them alone would show it, never a mix."""
    together = grants_of(unit, PARTNER, some, without(situation))
    alone = [grants_of(unit, PARTNER, (one,), without(situation)) for one in some]
    opened = [one for one in alone if one is not None]
    if unit.organisation == PARTNER:
        return
    assert (together is None) is (not opened)
    if together is not None:
        assert together.fields == frozenset[str]().union(*(one.fields for one in opened))
        placed = [(one.delay_s, one.precision_m) for one in opened if "position" in one.fields]
        assert (together.delay_s, together.precision_m) in (placed or [(0, 0)])


@QUICK
@given(units, several(), situations(), st.randoms())
def test_the_order_of_agreements_is_of_no_moment(
    unit: SharedUnit, some: Some, situation: Situation, chance: st.DataObject
) -> None:
    """The same agreements in another order open the same."""
    turned = list(some)
    chance.shuffle(turned)  # type: ignore[attr-defined]
    assert grants_of(unit, PARTNER, some, situation) == grants_of(unit, PARTNER, turned, situation)


def in_time(agreement: Agreement, situation: Situation) -> bool:
    """Whether a calendar says so."""
    begun = agreement.valid_from is None or not situation.now < agreement.valid_from
    return begun and (agreement.valid_until is None or situation.now < agreement.valid_until)


def awaited(agreement: Agreement, unit: SharedUnit, situation: Situation) -> bool:
    """Whether what it waits for has come."""
    if agreement.when == "joint_incident":
        return bool({unit.incident} - {""} & situation.incidents.get(agreement.partner, frozenset()))
    return agreement.when == "always" or agreement.incident in situation.declared


@QUICK
@given(units, several(), situations())
def test_what_is_not_in_force_is_not_there(unit: SharedUnit, some: Some, situation: Situation) -> None:
    """An agreement that is withdrawn, out of its time, or waits, opens what it would if it did not exist: nothing."""
    in_force = [
        one
        for one in some
        if one.id not in situation.withdrawn and in_time(one, situation) and awaited(one, unit, situation)
    ]
    assert grants_of(unit, PARTNER, in_force, situation) == grants_of(unit, PARTNER, some, situation)


@QUICK
@given(units, several(), situations())
def test_a_hidden_unit_is_no_unit(unit: SharedUnit, some: Some, situation: Situation) -> None:
    """Covert, off duty or at home: no agreement and no emergency opens it, to anybody but its owner."""
    hidden = replace(unit, hidden=True)
    for partner in ORGANISATIONS:
        expected = OWN if partner == unit.organisation else None
        assert expected == grants_of(hidden, partner, some, situation)
        assert not any(opens(one, hidden, partner, situation) for one in some)


@QUICK
@given(units, accesses())
def test_emergency_access_is_for_its_time_and_its_partner(unit: SharedUnit, access: EmergencyAccess) -> None:
    """It opens the owner's units to that partner from its begin until its end, exactly, and to nobody else ever."""
    for minutes in (-91, -90, -60, -1, 0, 29, 30, 31, 89, 90):
        moment = access.since + timedelta(minutes=minutes)
        found = grants_of(unit, PARTNER, (), Situation(now=moment, access=(access,)))
        meant = (unit.organisation, PARTNER) == (access.owner, access.partner)
        is_on = 0 <= minutes < 60
        if unit.organisation == PARTNER:
            assert OWN == found
        elif meant and is_on and not unit.hidden:
            assert Grants(fields=access.fields, agreements=(f"emergency:{access.id}",)) == found
            assert "workings" not in found.fields
        else:
            assert found is None


@QUICK
@given(units, several(), situations())
def test_between_two_boundaries_time_changes_nothing(unit: SharedUnit, some: Some, situation: Situation) -> None:
    """Whoever looks again at the next boundary misses nothing: until the moment before it each unit stays as it is."""
    boundary = next_boundary(some, situation.access, situation.now)
    until = boundary - timedelta(microseconds=1) if boundary else situation.now + timedelta(days=9)
    later = replace(situation, now=until)
    assert grants_of(unit, PARTNER, some, situation) == grants_of(unit, PARTNER, some, later)
