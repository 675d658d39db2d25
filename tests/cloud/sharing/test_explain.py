"""An owner is told who sees what, and why not, and what it is told is what the rules do."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from cloud.sharing.explain import Explained, explain
from cloud.sharing.grants import grants_of, opens
from cloud.sharing.terms import Agreement, Covers, EmergencyAccess, SharedUnit, Situation
from tests.cloud.fleet.samples import NOON
from tests.cloud.sharing.cases import PARTNER, several, situations, units
from wire.partner import GRANTS

UNIT = SharedUnit(id="kf-1", organisation="kf", type="van", base="stn-14", capabilities=("ba",))
AGREED = Agreement(id="a1", owner="kf", partner="kp", purpose="borders", fields=frozenset({"status", "position"}))
ACCESS = EmergencyAccess(
    id="e1", owner="kf", partner="kp", reason="explosion", by="A. Smith", since=NOON, until=NOON + timedelta(hours=1)
)


def explained(unit: SharedUnit = UNIT, *agreements: Agreement, **held: object) -> Explained:
    """What the owner is told at noon of the police's view."""
    return explain(unit, "kp", agreements, replace(Situation(now=NOON), **held))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(units, several(), situations())
def test_what_is_explained_is_what_is_done(unit: SharedUnit, some: tuple[Agreement, ...], situation: Situation) -> None:
    """Whether a partner sees a unit, each thing of it, and by which agreements, is as the rules have it."""
    found, granted = explain(unit, PARTNER, some, situation), grants_of(unit, PARTNER, some, situation)
    fields = granted.fields if granted is not None else frozenset()
    assert (granted is not None) is found.visible
    assert fields == {one.grant for one in found.grants if one.shown}
    assert GRANTS == tuple(one.grant for one in found.grants)
    opening = tuple(sorted(one.id for one in found.agreements if one.opens))
    if unit.organisation != PARTNER:
        assert (granted.agreements if granted is not None else ()) == opening
    for one in some:
        told = next((each for each in found.agreements if each.id == one.id), None)
        assert (told is not None) is ((one.owner, one.partner) == (unit.organisation, PARTNER))
        assert told is None or told.opens is opens(one, unit, PARTNER, situation)
        assert told is None or told.opens is told.why.startswith("open")


@pytest.mark.parametrize(
    ("agreement", "expected"),
    [
        (AGREED, "open"),
        (replace(AGREED, valid_until=NOON + timedelta(days=1)), "open until 2 November 2026 at 12:00 UTC"),
        (replace(AGREED, valid_until=NOON - timedelta(days=1)), "ended on 31 October 2026 at 12:00 UTC"),
        (replace(AGREED, valid_from=NOON + timedelta(days=1)), "begins on 2 November 2026 at 12:00 UTC"),
        (replace(AGREED, id="a9"), "withdrawn by its owner"),
        (replace(AGREED, covers=Covers(types=("pump",))), "is about type pump only"),
        (replace(AGREED, covers=Covers(units=("kf-2", "kf-3"))), "is about units kf-2 and kf-3 only"),
        (replace(AGREED, covers=Covers(bases=("stn-15",))), "is about base stn-15 only"),
        (replace(AGREED, covers=Covers(capabilities=("boat", "rope"))), "is about units with boat or rope only"),
        (
            replace(AGREED, when="joint_incident"),
            "waits for a joint incident: it is on none with a unit of the partner",
        ),
        (
            replace(AGREED, when="major_incident", incident="Flood"),
            'waits for the major incident "Flood" to be declared',
        ),
        (
            replace(AGREED, id="a9", covers=Covers(types=("pump",))),
            "withdrawn by its owner and is about type pump only",
        ),
    ],
)
def test_it_says_why_in_plain_english(agreement: Agreement, expected: str) -> None:
    """Each thing that keeps an agreement shut is told in words that a watch manager knows."""
    told = explained(UNIT, agreement, withdrawn=frozenset({"a9"}))
    assert [expected] == [one.why for one in told.agreements]
    assert told.visible is expected.startswith("open")


@pytest.mark.parametrize(
    ("why", "hidden_as", "expected"),
    [("the owner knows it", "covert", "covert"), ("nobody says", None, "covert, off duty or at home")],
)
def test_a_hidden_unit_is_explained_to_its_owner(why: str, hidden_as: str | None, expected: str) -> None:
    """That nobody sees it comes before all that an agreement says."""
    said = {} if hidden_as is None else {"hidden_as": hidden_as}
    told = explain(replace(UNIT, hidden=True), "kp", (AGREED,), Situation(now=NOON, access=(ACCESS,)), **said)
    sentence = f"{expected}: nobody but its owner sees it"
    assert (False, sentence) == (told.visible, told.why), why
    assert [sentence, sentence] == [one.why for one in told.agreements]


def test_each_thing_says_by_what_it_is_opened() -> None:
    """What is shown names each agreement that opens it, and a position how it is shown."""
    blurred = replace(AGREED, id="a2", fields=frozenset({"position"}), precision_m=500, delay_s=60)
    told = {one.grant: one for one in explained(UNIT, AGREED, blurred).grants}
    assert (True, ("a1",), "") == (told["status"].shown, told["status"].by, told["status"].note)
    assert (("a1", "a2"), "exact") == (told["position"].by, told["position"].note)
    assert (False, ()) == (told["crew"].shown, told["crew"].by)
    alone = {one.grant: one for one in explained(UNIT, blurred).grants}
    assert "to a square of 500 m, 60 s late" == alone["position"].note
    assert "opened by a1 and a2" == explained(UNIT, AGREED, blurred).why


def test_an_emergency_access_is_told_as_what_it_is() -> None:
    """Its owner reads who opened it, why and until when; and that it is over."""
    told = explained(access=(ACCESS,))
    assert [("emergency:e1", "explosion", "opened by A. Smith until 1 November 2026 at 13:00 UTC")] == [
        (one.id, one.purpose, one.why) for one in told.agreements
    ]
    over = replace(ACCESS, since=NOON - timedelta(hours=2), until=NOON - timedelta(hours=1))
    assert ["ended on 1 November 2026 at 11:00 UTC"] == [one.why for one in explained(access=(over,)).agreements]
    assert "no agreement opens it" == explained(access=(over,)).why
    assert "there is no agreement" == explained().why
