"""Reasons tell no more than the fields that they come from: not by their words, their source, nor their age."""

import ast
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

import cloud.fleet
from cloud.fleet.assess import assess
from cloud.fleet.findings import BY_RADIO
from cloud.sharing.reasons import COMES_FROM, EXACT, KIND_OF, NEVER, shown_reasons
from cloud.sharing.terms import OWN, Grants
from tests.cloud.fleet.situation import basis_of, written
from tests.cloud.sharing.cases import a_record, grants, records
from wire.feed import FeedRecord, Reason, SourceView
from wire.partner import GRANTS, Grant

FLEET = Path(str(cloud.fleet.__file__)).parent
MAKERS = ("Finding", "_doubt", "_against")
DEVICES = ("vehicle", "station panel", "spare")
"""What the situations call their devices."""


def emitted() -> set[str]:
    """Every code that the fleet's sources give a finding, in a call or in a table of codes and texts."""
    found = set()
    for path in sorted(FLEET.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in MAKERS:
                given = [keyword.value for keyword in node.keywords if keyword.arg == "code"] or node.args[:1]
                found |= {one.value for one in given if isinstance(one, ast.Constant)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict) and path.stem == "doubts":
                rows = [row for row in node.value.values if isinstance(row, ast.Tuple)]
                found |= {row.elts[0].value for row in rows if isinstance(row.elts[0], ast.Constant)}
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "(code, text)":
                found |= {one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)}
    return {str(one) for one in found if isinstance(one, str) and one.replace("_", "").isalpha() and one.islower()}


def situations() -> list[FeedRecord]:
    """A record of each situation that a watch manager has written down."""
    found = []
    for _, scheme, told in written():
        judged = assess(basis_of(told, scheme))
        found.append(a_record(reasons=judged.reasons, sources=judged.sources))
    return found


def test_every_reason_says_what_it_comes_from() -> None:
    """Each code that the fleet gives a finding is listed, and no code is that it gives none."""
    assert emitted() == COMES_FROM.keys() | NEVER
    assert {reason.code for record in situations() for reason in record.reasons} <= COMES_FROM.keys() | NEVER


def test_nearly_every_reason_is_tried() -> None:
    """The situations bring up all codes but a few: what holds of them holds of reasons as they are."""
    tried = {reason.code for record in situations() for reason in record.reasons}
    assert len(tried) >= len(COMES_FROM) - 2


@pytest.mark.parametrize("missing", GRANTS)
def test_a_reason_is_shown_with_all_its_fields_or_not_at_all(missing: Grant) -> None:
    """Of each situation, with all grants but one, no reason is shown that needs it, and every other one is."""
    opened = Grants(fields=frozenset(GRANTS) - {missing})
    for record in situations():
        shown = [reason.code for reason in shown_reasons(record, opened)]
        for reason in record.reasons:
            needs = COMES_FROM.get(reason.code, frozenset(GRANTS))
            named = missing == "workings" and ":" in reason.source and not reason.source.startswith("defect:")
            unplaced = missing == "position" and reason.code in EXACT
            expected = reason.code not in NEVER and missing not in needs and not named and not unplaced
            assert expected is (reason.code in shown), (reason, missing)


def test_no_device_is_named_but_among_the_workings() -> None:
    """The words and the source of what is shown name no device, until the workings are opened."""
    opened = Grants(fields=frozenset(GRANTS) - {"workings"})
    for record in situations():
        for reason in shown_reasons(record, opened):
            words = reason.text.replace("from the device", "").replace(BY_RADIO, "").replace("says that it", "")
            assert not any(f"{name} says" in words or f"{name} shows" in words for name in DEVICES), reason
            assert reason.source in KIND_OF


def test_a_place_is_not_told_in_words() -> None:
    """That it is elsewhere, or moves, is told only of a unit whose positions are opened as they are."""
    for code in EXACT:
        source = SourceView(source="gpsd", kind="position", device="veh-1")
        record = a_record(reasons=(Reason(code=code, text="is 2.5 km away", source="gpsd"),), sources=(source,))
        assert shown_reasons(record, OWN)
        for less in ({"precision_m": 500}, {"delay_s": 60}, {"fields": OWN.fields - {"position"}}):
            assert () == shown_reasons(record, msgspec.structs.replace(OWN, **less))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(records(), grants)
def test_the_age_of_a_reason_is_the_age_of_an_opened_field(record: FeedRecord, fields: frozenset[Grant]) -> None:
    """How old its source is, and of which kind, is told only where what that source says is opened too."""
    kinds = {source.source: source.kind for source in record.sources}
    of = {reason.code: reason for reason in record.reasons}
    for shown in shown_reasons(record, Grants(fields=fields)):
        needed = KIND_OF[kinds[of[shown.code].source]]
        if needed is not None and needed not in fields:
            assert ("fleet", None) == (shown.source, shown.age_s)
        else:
            assert (kinds[of[shown.code].source], of[shown.code].age_s) == (shown.source, shown.age_s)


@pytest.mark.parametrize(
    ("code", "source", "opened", "told"),
    [
        ("no_status", "link", {"status"}, None),
        ("no_status", "link", {"status", "link"}, 60.5),
        ("on_call", "panel", {"availability"}, None),
        ("on_call", "panel", {"availability", "status"}, 60.5),
    ],
)
def test_no_age_comes_in_by_another_door(code: str, source: str, opened: set[Grant], told: float | None) -> None:
    """That no status was declared does not tell when the device was heard, nor a tier when the status was pressed."""
    kind = SourceView(source=source, kind="link" if source == "link" else "status")
    record = a_record(reasons=(Reason(code=code, text="x", source=source, age_s=60.5),), sources=(kind,))
    assert [told] == [shown.age_s for shown in shown_reasons(record, Grants(fields=frozenset(opened)))]


def test_a_reason_that_nobody_listed_is_hidden() -> None:
    """A new code tells nobody anything until somebody says what it comes from; not even an owner's own feed has it."""
    record = a_record(reasons=(Reason(code="brand_new", text="x", source="panel"),))
    assert () == shown_reasons(record, OWN)
