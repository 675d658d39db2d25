"""Crews, defects and automatic statuses: the latest of each is durable, comes back at a start, and is never a head."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cloud.ingest.loading import load_heads, load_sayings
from cloud.ingest.sayings import NAMES_MAX
from tests.cloud.fleet.samples import NOON, at, county
from tests.cloud.ingest.samples import Desk, Vehicle, loaded_of
from tests.cloud.ingest.test_book import hear, send
from wire import codec
from wire.events import CrewEvent, CrewPerson, DefectEvent, Mode, Origin
from wire.feed import FeedRecord

UNIT = "kp-12"


def crew(seq: int, riders: int, **changes: Any) -> CrewEvent:
    """A crew logs on."""
    fields: dict[str, Any] = {"on": True, "riders": riders}
    return CrewEvent(**_fields(seq) | fields | changes)


def defect(seq: int, what: str = "pump", **changes: Any) -> DefectEvent:
    """Something is broken."""
    fields: dict[str, Any] = {"what": what, "off_the_run": True, "raised": True}
    return DefectEvent(**_fields(seq) | fields | changes)


def _fields(seq: int) -> dict[str, Any]:
    common = {"seq": seq, "at": NOON, "clock": "none", "boot": 1, "mono_ms": seq * 1000, "mode": "live"}
    return common | {"unit": UNIT}


def tell(vehicle: Vehicle, *events: Any) -> None:
    """Add events to a vehicle's queue, each in its place."""
    for event in events:
        vehicle.add(codec.encode(msgspec.structs.replace(event, seq=len(vehicle.events) + 1)))


def shown(desk: Desk) -> FeedRecord:
    """The unit as it stands."""
    now = at(60)
    desk.fleet.take_changed(now)
    return desk.fleet.record(UNIT, 1, now.utc, now)


def restarted(desk: Desk) -> Desk:
    """What a next process makes of what was committed."""
    loaded = loaded_of(desk)
    fresh = Desk([mark for entry in desk.entries for mark in entry.marks], loaded)
    for head in load_heads(loaded, county().schemes):
        fresh.book.know_head(head)
        fresh.folding.apply_head(head, at(0))
    for saying in load_sayings(loaded, county().schemes):
        fresh.book.know_saying(saying)
        fresh.folding.apply_saying(saying, at(0))
    return fresh


def test_a_crew_and_a_defect_are_shown_and_come_back() -> None:
    """What was logged on and what was raised is in the record, and again after a restart that reads only these."""
    desk, vehicle = Desk(), Vehicle()
    hear(desk)
    people = [CrewPerson("a1", ["ems", "drv"]), CrewPerson("a2", ["ems"])]
    tell(vehicle, crew(1, 2), crew(1, 3, persons=people, until=NOON + timedelta(hours=8)), defect(1))
    vehicle.press("2")
    send(desk, vehicle)
    entry = desk.commit()
    assert [("crew", 1), ("crew", 2), ("defect:pump", 3)] == [row[2:] for row in entry.commit.latest]
    for each in (desk, restarted(desk)):
        record = shown(each)
        assert record.crew is not None
        assert (3, ("drv", "ems"), NOON + timedelta(hours=8)) == (
            record.crew.riders,
            record.crew.skills,
            record.crew.until,
        )
        assert ["pump"] == [one.what for one in record.defects]


def test_a_mended_defect_is_gone_and_stays_gone() -> None:
    """Cleared is the latest word on it, also after a restart, and also when the word that raised it comes again."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    tell(old, defect(1), defect(1, raised=False))
    send(desk, old)
    desk.commit()
    assert () == shown(desk).defects
    again = restarted(desk)
    assert () == shown(again).defects
    tell(new, defect(1, origin=Origin("E2-a", 1)))
    send(again, new)
    entry = again.commit()
    assert (1, []) == (len(entry.commit.events), entry.commit.latest)
    assert () == shown(again).defects


def test_an_older_crew_that_was_carried_displaces_none() -> None:
    """It stands where it was pressed, whatever later stream brought it; one pressed in the later stream does."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    tell(old, crew(1, 2), crew(1, 4))
    send(desk, old)
    desk.commit()
    tell(new, crew(1, 2, origin=Origin("E2-a", 1)))
    send(desk, new)
    entry = desk.commit()
    assert [] == entry.commit.latest
    record = shown(desk)
    assert record.crew is not None and 4 == record.crew.riders
    tell(new, crew(1, 1))
    new.settled = 1
    send(desk, new)
    desk.commit()
    record = shown(desk)
    assert record.crew is not None and 1 == record.crew.riders


@pytest.mark.parametrize("mode", ["test", "training", "maintenance", "commissioning"])
def test_what_is_said_while_it_is_not_in_earnest_says_nothing_of_what_is_so(mode: Mode) -> None:
    """A crew or a defect of another mode than live is stored as history and changes no record."""
    desk, vehicle = Desk(), Vehicle()
    tell(vehicle, crew(1, 5, mode=mode), defect(1, mode=mode))
    send(desk, vehicle)
    entry = desk.commit()
    assert (2, []) == (len(entry.commit.events), entry.commit.latest)
    record = shown(desk)
    assert (None, ()) == (record.crew, record.defects)


def test_a_press_in_test_leaves_the_live_one_where_it_is() -> None:
    """Both come back after a restart: the live one stands, and the other is its own latest beside it."""
    desk, vehicle = Desk(), Vehicle()
    vehicle.press("2")
    vehicle.press("8", mode="test")
    send(desk, vehicle)
    entry = desk.commit()
    assert [(UNIT, "veh-2", 1)] == entry.commit.heads
    assert [(UNIT, "veh-2", "apart", 2)] == entry.commit.latest
    for each in (desk, restarted(desk)):
        standing = each.fleet.standing(UNIT)
        assert standing is not None and "2" == standing.code
        assert {("2", True), ("8", False)} == {(head.code, head.is_live) for head in each.fleet.heads(UNIT, "veh-2")}


def test_a_live_press_of_an_earlier_place_is_no_head_beside_one_in_test() -> None:
    """The live head is held against live ones, though something else was pressed in a test before."""
    desk, old, new = Desk(), Vehicle("E2-a"), Vehicle("E2-b")
    old.press("8", mode="test")
    old.press("2")
    old.press("3")
    send(desk, old)
    desk.commit()
    desk.commit()
    new.press("2", origin=Origin("E2-a", 2))
    send(desk, new)
    assert [] == desk.commit().commit.heads
    standing = desk.fleet.standing(UNIT)
    assert standing is not None and "3" == standing.code


def test_an_automatic_status_is_a_proposal_and_never_a_head() -> None:
    """It is stored and shown beside the status, in its scheme's words, also after a restart; the status stays."""
    desk, vehicle = Desk(), Vehicle()
    hear(desk)
    vehicle.press("8")
    vehicle.press("2", by="auto", mono_ms=5000)
    send(desk, vehicle, 10.0)
    entry = desk.commit()
    assert [(UNIT, "veh-2", 1)] == entry.commit.heads
    assert ["auto"] == [row[2] for row in entry.commit.latest]
    for each in (desk, restarted(desk)):
        record = shown(each)
        assert record.status is not None and "8" == record.status.code
        label = county().schemes["uk-police-state"].code("2")
        assert label is not None
        assert [("auto", "2", label.label)] == [(one.code, one.status, one.label) for one in record.proposals]


def test_a_device_without_end_of_names_fills_no_memory() -> None:
    """Past a bound a new name is history alone, unless one that was cleared makes room for it."""
    desk, vehicle = Desk(), Vehicle()
    tell(vehicle, *(defect(1, f"part {number}") for number in range(NAMES_MAX + 5)))
    send(desk, vehicle)
    entry = desk.commit()
    assert (NAMES_MAX + 5, NAMES_MAX) == (len(entry.commit.events), len(entry.commit.latest))
    vehicle.settled = len(vehicle.events)
    tell(vehicle, defect(1, "part 0", raised=False), defect(1, "axle"))
    send(desk, vehicle)
    assert ["defect:part 0", "defect:axle"] == [row[2] for row in desk.commit().commit.latest]
    assert "axle" in [one.what for one in shown(desk).defects]


def test_many_small_defects_hide_no_crew_and_no_grave_one() -> None:
    """A device on which weeks of them were never cleared tells who is on board, and what takes the unit off the run."""
    desk, vehicle = Desk(), Vehicle()
    hear(desk)
    tell(vehicle, *(defect(1, f"part {number}", off_the_run=False) for number in range(NAMES_MAX)))
    tell(vehicle, crew(1, 3), defect(1, "brakes"), defect(1, "one more", off_the_run=False))
    send(desk, vehicle)
    assert ["crew", "defect:brakes"] == [row[2] for row in desk.commit().commit.latest[NAMES_MAX:]]
    for each in (desk, restarted(desk)):
        record = shown(each)
        assert record.crew is not None and 3 == record.crew.riders
        assert "brakes" in [one.what for one in record.defects]
