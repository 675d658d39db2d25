"""What leaves, byte for byte: a view has what is opened and nothing beside it, whatever the record holds."""

import msgspec
from hypothesis import given, settings
from msgspec import UNSET

from cloud.fleet.proposals import PLACED
from cloud.sharing.grants import grants_of
from cloud.sharing.terms import OWN, Agreement, Grants, SharedUnit, Situation
from cloud.sharing.view import essence, leaks, view
from tests.cloud.fleet.samples import NOON
from tests.cloud.sharing.cases import (
    PARTNER,
    PLACE_FIELDS,
    a_record,
    agreements,
    encoded,
    grants,
    held_of,
    records,
    several,
    situations,
    units,
    wire_names,
)
from wire.feed import FeedRecord, PositionView, Proposal
from wire.partner import GRANTS, Grant

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
ALWAYS = {"unit", "callsign", "organisation", "service", "type", "grants", "agreements", "as_of"}
OF_PLACES = {"proposals"}
"""Opened with the workings, and absent where positions are not opened as they are: it tells when a unit was where."""


def shown(record: FeedRecord, opened: Grants) -> dict[str, bytes]:
    """The view, encoded."""
    return encoded(view(record, opened, NOON, held_of(record, opened.delay_s)))


@QUICK
@given(records(), grants, several())
def test_a_field_is_there_exactly_where_it_is_opened(
    record: FeedRecord, fields: frozenset[Grant], some: tuple[Agreement, ...]
) -> None:
    """The fields of what is opened are there, known or null; of the rest there is no trace."""
    delay_s, precision_m = next(((one.delay_s, one.precision_m) for one in some if "position" in one.fields), (0, 0))
    opened = Grants(fields=fields, precision_m=precision_m, delay_s=delay_s)
    expected = {name for grant in fields for name in wire_names(grant)}
    if "position" in fields:
        expected |= {name for name, given in (("precision_m", precision_m), ("delay_s", delay_s)) if given}
    if "position" not in fields or precision_m or delay_s:
        expected -= OF_PLACES
    made = view(record, opened, NOON, held_of(record, delay_s))
    assert ALWAYS | expected == set(encoded(made))
    assert [] == list(leaks(made, opened))


@QUICK
@given(records(), units, several(), agreements("ended"), situations())
def test_an_agreement_less_adds_no_byte(
    record: FeedRecord, unit: SharedUnit, some: tuple[Agreement, ...], ended: Agreement, situation: Situation
) -> None:
    """Without one of its agreements a partner sees no field more, and the same in each but for the chosen position."""
    before = grants_of(unit, PARTNER, (*some, ended), situation)
    after = grants_of(unit, PARTNER, some, situation)
    if after is None:
        return
    assert before is not None
    old, new = shown(record, before), shown(record, after)
    assert new.keys() - PLACE_FIELDS <= old.keys()
    for name in new.keys() - PLACE_FIELDS - {"grants", "agreements", "reasons"}:
        assert old[name] == new[name], name
    told = {(one["code"], one["text"]) for one in msgspec.json.decode(old.get("reasons", b"[]"))}
    assert {(one["code"], one["text"]) for one in msgspec.json.decode(new.get("reasons", b"[]"))} <= told
    if (before.delay_s, before.precision_m) == (after.delay_s, after.precision_m) and "position" in after.fields:
        assert {name: old.get(name) for name in PLACE_FIELDS} == {name: new.get(name) for name in PLACE_FIELDS}


@QUICK
@given(records(), units, several(), situations())
def test_a_position_is_as_one_agreement_alone_shows_it(
    record: FeedRecord, unit: SharedUnit, some: tuple[Agreement, ...], situation: Situation
) -> None:
    """Of several agreements that open a position, one shows it just so by itself: none is mixed of two."""
    situation = msgspec.structs.replace(situation, access=())
    together = grants_of(unit, PARTNER, some, situation)
    if together is None or unit.organisation == PARTNER or "position" not in together.fields:
        return
    alone = [grants_of(unit, PARTNER, (one,), situation) for one in some]
    shows = [shown(record, one) for one in alone if one is not None and "position" in one.fields]
    seen = shown(record, together)
    assert {name: seen.get(name) for name in PLACE_FIELDS} in [
        {name: one.get(name) for name in PLACE_FIELDS} for one in shows
    ]


@QUICK
@given(records())
def test_an_owner_sees_all_of_its_own(record: FeedRecord) -> None:
    """An owner sees every field as its record has it, reasons with the kind of their source, and exactly where."""
    own = view(record, OWN, NOON)
    assert record.position == own.position and record.position_fresh == own.position_fresh
    for grant in set(GRANTS) - {"position", "availability", "status", "link"}:
        for name in wire_names(grant):
            assert msgspec.to_builtins(getattr(record, name)) == msgspec.to_builtins(getattr(own, name))
    assert (record.ages.status_s, record.ages.link_s) == (own.status_s, own.link_s)


@QUICK
@given(records(), grants)
def test_how_far_an_order_has_come_is_its_owners_alone(record: FeedRecord, fields: frozenset[Grant]) -> None:
    """It is of all the units that the order calls, perhaps of one that nobody may know of: no partner is told."""
    shown = view(record, Grants(fields=fields), NOON)
    assert not shown.assignment or shown.assignment.phase is UNSET
    told = msgspec.structs.replace(shown, assignment=view(record, OWN, NOON).assignment)
    assert ("phase" in leaks(told, Grants(fields=fields))) == bool(record.assignment)


@QUICK
@given(records(), grants)
def test_what_is_told_again_is_all_but_ages(record: FeedRecord, fields: frozenset[Grant]) -> None:
    """A record that is only older is not told again; one that says anything else is."""
    assert record.position is not None
    older = msgspec.structs.replace(
        record,
        ages=msgspec.structs.replace(record.ages, link_s=77.5, status_s=78.5, position_s=79.5),
        position=msgspec.structs.replace(record.position, age_s=79.5),
        reasons=tuple(msgspec.structs.replace(one, age_s=80.5) for one in record.reasons),
    )
    opened = Grants(fields=fields)
    before = essence(view(record, opened, NOON))
    assert before == essence(view(older, opened, NOON))
    renamed = msgspec.structs.replace(record, callsign="P99")
    assert before != essence(view(renamed, opened, NOON))


def test_what_a_place_suggests_is_no_way_round_its_precision() -> None:
    """Everything that the fleet suggests of a place is told only where positions are opened as they are."""
    proposals = tuple(Proposal(code=code, text=code, at=NOON) for code in sorted(PLACED))
    record = msgspec.structs.replace(a_record(), proposals=proposals)
    for opened, told in (
        (OWN, True),
        (Grants(fields=frozenset({"workings"})), False),
        (Grants(fields=frozenset({"workings", "position"}), precision_m=500), False),
        (Grants(fields=frozenset({"workings", "position"}), delay_s=60), False),
        (Grants(fields=frozenset({"workings", "position"})), True),
    ):
        assert told is ("proposals" in shown(record, opened))


def test_what_would_tell_more_is_held_back() -> None:
    """A record that has more than its grants open is found out before it leaves, whatever it has too much."""
    record = a_record()
    own = view(record, OWN, NOON)
    for grant in GRANTS:
        if grant != "alarms":
            less = Grants(fields=OWN.fields - {grant})
            assert set(leaks(own, less)) - {"grants"}, grant
    assert "precision_m" in set(leaks(own, Grants(fields=OWN.fields, precision_m=500)))
    assert "delay_s" in set(leaks(own, Grants(fields=OWN.fields, delay_s=60)))


def test_a_late_place_that_is_not_there_yet_is_null() -> None:
    """Until the delay has passed for the first time no place is known; the newest is not told instead."""
    record = a_record()
    made = view(record, Grants(fields=frozenset({"position"}), delay_s=60), NOON, None)
    assert (None, False, None, 60) == (made.position, made.position_fresh, made.position_s, made.delay_s)
    assert isinstance(record.position, PositionView)
