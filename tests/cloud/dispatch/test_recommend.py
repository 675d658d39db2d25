"""Who gets there first: who is never recommended, what comes first, and what a dispatcher is told of each."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.dispatch.recommend import (
    SPEED_MPS,
    Candidate,
    Place,
    Ranked,
    Recommended,
    Wanted,
    distance_m,
    has_capability,
    recommend,
)
from wire.feed import Ages, FeedRecord, PositionView, Reason, StatusView

SCENE = Place(51.15, 0.87)
KM_DEG = 1 / 111.195
"""Degrees of latitude in a kilometre, on the mean sphere."""
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def record(callsign: str, km: float | None = 1.0, **changes: Any) -> FeedRecord:
    """A pump that is Available and confirmed, so many kilometres north of the scene; None for one without a place."""
    plain = FeedRecord(
        unit=f"u-{callsign.lower()}",
        callsign=callsign,
        organisation="kf",
        service="fire",
        type="pump",
        base="Stn 14",
        capabilities=("pumping", "road rescue"),
        availability="Available",
        confidence="confirmed",
        reasons=(Reason(code="declared", text="Pressed on the panel", source="panel"),),
        position=None if km is None else PositionView(fix="3d", lat=SCENE.lat + km * KM_DEG, lon=SCENE.lon),
        position_fresh=km is not None,
        ages=Ages(link_s=1.0, status_s=60.0, position_s=None if km is None else 2.0),
        link="fresh",
        as_of=NOON,
        cursor=1,
    )
    return msgspec.structs.replace(plain, **changes)


def ranked(*records: FeedRecord, **wanted: Any) -> Ranked:
    """What is recommended of these for the scene."""
    return recommend(Wanted(place=SCENE, **wanted), [Candidate(record=one) for one in records])


def callsigns(found: Ranked) -> list[str]:
    """Who is recommended, the best first."""
    return [one.callsign for one in found.units]


def only(found: Ranked) -> Recommended:
    """The one unit that is recommended."""
    assert 1 == len(found.units)
    return found.units[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"mode": "test"}, "mode"),
        ({"mode": "training", "availability": "ConditionallyAvailable"}, "mode"),
        ({"mode": "maintenance"}, "mode"),
        ({"mode": "commissioning"}, "mode"),
        ({"availability": "NotAvailable"}, "not_available"),
        ({"availability": "NotAvailable", "confidence": "unconfirmed"}, "not_available"),
        ({"availability": None, "confidence": "never"}, "no_status"),
        ({"position": None}, "no_place"),
    ],
)
def test_who_is_never_recommended(changes: dict[str, Any], why: str) -> None:
    """In any mode but live, not available, without a status or without a place: left out, and it is told by which."""
    found = ranked(record("P1", 5.0), record("P2", 0.1, **changes))
    assert (["P1"], [(why, 1)]) == (callsigns(found), [(one.why, one.units) for one in found.left_out])


def test_of_a_hidden_unit_nobody_is_told() -> None:
    """A unit that is covert, off duty or at home is not recommended, and no figure tells that there is one."""
    found = recommend(Wanted(place=SCENE), [Candidate(record=record("P1", 0.1), hidden=True)])
    assert Ranked(units=(), more=0, left_out=()) == found


def test_what_is_certain_comes_first_then_who_is_there_first() -> None:
    """Confirmed before unconfirmed and contradicted, in each of these Available before Conditional, then by time."""
    found = ranked(
        record("near-doubt", 0.1, confidence="unconfirmed"),
        record("near-conflict", 0.2, confidence="contradicted"),
        record("conditional-doubt", 0.1, confidence="unconfirmed", availability="ConditionallyAvailable"),
        record("conditional", 0.3, availability="ConditionallyAvailable"),
        record("far", 9.0),
        record("near", 3.0),
    )
    assert ["near", "far", "conditional", "near-doubt", "near-conflict", "conditional-doubt"] == callsigns(found)
    assert [False] * 3 + [True] * 3 == [one.confirm_by_radio for one in found.units]
    assert all(("confirm by radio" in one.marks) == one.confirm_by_radio for one in found.units)


def test_a_crew_that_has_to_turn_out_first_comes_later() -> None:
    """Five minutes of turnout outweigh four kilometres, and are told."""
    found = ranked(record("on-call", 0.5, tier_min=5), record("wholetime", 4.0))
    assert ["wholetime", "on-call"] == callsigns(found)
    assert 5 == found.units[1].tier_min
    assert pytest.approx(300 + 500 / SPEED_MPS, rel=1e-3) == found.units[1].eta_s


@pytest.mark.parametrize(
    ("age_s", "mark"),
    [(45.0, "place 45 s old"), (840.0, "place 14 min old"), (7300.0, "place 2 h old"), (None, "place of unknown age")],
)
def test_an_old_place_is_marked_with_its_age(age_s: float | None, mark: str) -> None:
    """A place that may not be taken for now's says how old it is."""
    one = only(ranked(record("P1", position_fresh=False, ages=Ages(link_s=1.0, position_s=age_s))))
    assert ((mark,), False, age_s) == (one.marks, one.position_fresh, one.position_age_s)
    assert () == only(ranked(record("P1"))).marks


def test_a_unit_without_a_position_is_at_its_base_where_its_status_says_so() -> None:
    """It is placed there, and marked; its own position, however old, counts before that."""
    base = Place(SCENE.lat - 2 * KM_DEG, SCENE.lon)
    one = only(recommend(Wanted(place=SCENE), [Candidate(record=record("P1", None), base=base)]))
    assert ("base", ("no position: at its base, by its status",)) == (one.placed_by, one.marks)
    assert pytest.approx(2000, rel=1e-3) == one.distance_m
    assert "position" == only(recommend(Wanted(place=SCENE), [Candidate(record=record("P1"), base=base)])).placed_by


def test_why_it_is_conditional_and_who_shares_its_crew_is_told() -> None:
    """The reason that decided, or the status where nothing else did, and the units that go with the same crew."""
    reason = Reason(code="crew_short", text="Crew 3 of 4", source="crew")
    changes: dict[str, Any] = {"availability": "ConditionallyAvailable", "reasons": (reason,), "alternates": ("14A1",)}
    assert ("Crew 3 of 4", "same crew as 14A1") == only(ranked(record("P1", **changes))).marks
    meal = StatusView(scheme="x", code="4", label="Refreshments", since=NOON, proven=True, by="panel")
    resting = record("P1", availability="ConditionallyAvailable", status=meal)
    assert ("Refreshments",) == only(ranked(resting)).marks


@pytest.mark.parametrize(
    ("asked", "has"),
    [
        ("road rescue", True),
        ("Rescue", True),
        ("rescue road", True),
        ("pump", False),
        ("pumping rescue", False),
        ("ladder", False),
    ],
)
def test_a_capability_is_found_by_whole_words(asked: str, has: bool) -> None:
    """By any of its words in any case; never by a part of a word, nor by words of two capabilities."""
    assert has == has_capability(("pumping", "road rescue"), asked)
    assert (["P1"] if has else []) == callsigns(ranked(record("P1"), capability=asked))


def test_a_service_is_asked_for_and_the_rest_is_counted() -> None:
    """Units of another service are no answer; of the others so many as asked for are given and the rest counted."""
    found = ranked(*(record(f"P{km}", float(km)) for km in range(1, 6)), record("KP1", service="police"), limit=2)
    assert (["KP1", "P1"], 4) == (callsigns(found), found.more)
    only_fire = ranked(record("P1", 3.0), record("KP1", service="police"), service="fire")
    assert (["P1"], ()) == (callsigns(only_fire), only_fire.left_out)


def test_a_known_distance() -> None:
    """London to Paris, between the airports: 347 km (https://en.wikipedia.org/wiki/Great-circle_distance)."""
    heathrow, charles_de_gaulle = Place(51.4706, -0.461941), Place(49.0097, 2.5479)
    assert pytest.approx(347_000, rel=0.005) == distance_m(heathrow, charles_de_gaulle)


_places = st.builds(Place, st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(st.tuples(st.sampled_from(["confirmed", "unconfirmed", "contradicted"]), st.floats(0, 500))), _places)
def test_a_doubtful_unit_never_stands_above_a_certain_one(units: list[tuple[Any, float]], scene: Place) -> None:
    """Wherever everybody is: the confirmed first, and among equals nobody who is there later stands above another."""
    records = [record(f"P{place}", km, confidence=said) for place, (said, km) in enumerate(units)]
    found = recommend(Wanted(place=scene, limit=100), [Candidate(record=one) for one in records])
    order = [(one.confirm_by_radio, one.eta_s) for one in found.units]
    assert sorted(order) == order
    assert len(units) == len(found.units)
