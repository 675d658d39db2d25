"""Another directory, or another binding: what still stands is kept, and what does not is gone at once."""

from datetime import UTC, time
from typing import Any

import msgspec

from cloud.fleet.basis import CONTROL, CrewSaid, DefectSaid, ModeSaid, Needs
from cloud.fleet.entry import UnitEntry
from cloud.fleet.fences import Circle
from cloud.fleet.fleet import Fleet
from cloud.fleet.roster import Turn, WeeklyRoster
from tests.cloud.fleet.samples import NOON, at, current, echo, entry, head, heartbeat, place, position
from wire.feed import Assignment, FeedRecord
from wire.scheme import Code

BOUND = {"kp-12": ("veh-2", "panel-1"), "kf-1": ("veh-1",)}


def entries(**changes: Any) -> list[UnitEntry]:
    """The county's units, the first with changes."""
    return [msgspec.structs.replace(entry("kp-12"), **changes), entry("kf-1")]


def begun() -> Fleet:
    """A unit whose vehicle was heard, whose crew is on, and whose panel spoke last."""
    county = Fleet(entries(), BOUND)
    named = [current(1)]
    county.apply_vitals("veh-2", heartbeat(0, echo=echo(), current=named), 1, at(0).mono_s, at(0))
    county.apply_place("veh-2", place(1, 0), at(0))
    county.apply_head(head("2", 0, received=NOON), at(0))
    county.apply_head(head("4", 10, device="panel-1", stream="E3-a", received=at(10).utc), at(10))
    crew = CrewSaid(device="veh-2", on=True, riders=2, at=at(0).utc)
    county.apply_crew("kp-12", crew, (1, 2), at(10))
    defect = DefectSaid(device="veh-2", what="pump", off_the_run=True, at=at(0).utc)
    county.apply_defect("kp-12", defect, True, (1, 3), at(10))
    county.take_changed(at(10))
    return county


def shown(county: Fleet, now_s: float, unit: str = "kp-12") -> FeedRecord:
    """The unit's record."""
    return county.record(unit, 1, NOON, at(now_s))


def test_the_same_directory_again_changes_nothing() -> None:
    """No record is shown anew, and none is another one."""
    county = begun()
    before = [shown(county, 11, unit) for unit in county.units]
    county.rebind(entries(), BOUND, at(11))
    assert {} == county.take_changed(at(11))
    assert () == county.take_gone(at(11))
    assert before == [shown(county, 11, unit) for unit in county.units]


def test_a_device_that_is_no_longer_bound_stands_no_more() -> None:
    """Its status, crew and defects are gone from the unit at once, and what it says later is not taken."""
    county = begun()
    county.rebind(entries(), BOUND | {"kp-12": ("veh-2",)}, at(11))
    standing = county.standing("kp-12")
    assert standing is not None and "veh-2" == standing.device
    assert ["kp-12"] == list(county.take_changed(at(11)))
    county.rebind(entries(carrier="veh-9"), BOUND | {"kp-12": ("veh-9",)}, at(12))
    record = shown(county, 12)
    assert (None, None, (), "never") == (record.status, record.crew, record.defects, record.link)
    assert not county.apply_head(head("8", 13, seq=9), at(13))
    assert not county.apply_crew("kp-12", CrewSaid(device="veh-2", on=False, riders=0, at=at(13).utc), (9, 9), at(13))


def test_what_was_declared_before_the_binding_is_history() -> None:
    """Of the devices that are bound still, too; what comes after it counts, and control's word stays."""
    county = begun()
    county.apply_head(head("5", 5, device=CONTROL, stream="control-1", by="radio", received=at(5).utc), at(11))
    county.rebind(entries(bound_at=at(20).utc), BOUND, at(21))
    standing = county.standing("kp-12")
    assert standing is not None and CONTROL == standing.device
    record = shown(county, 21)
    assert (None, ()) == (record.crew, record.defects)
    assert not county.apply_crew("kp-12", CrewSaid(device="veh-2", on=True, riders=2, at=at(19).utc), (1, 9), at(21))
    county.apply_head(head("2", 22, seq=2, received=at(22).utc), at(22))
    standing = county.standing("kp-12")
    assert standing is not None and "veh-2" == standing.device


def test_a_status_from_before_the_binding_still_vouches_for_its_device() -> None:
    """The device names it: it is no status that was refused or lost."""
    county = begun()
    county.apply_head(head("2", 5, device=CONTROL, stream="control-1", by="radio", received=at(5).utc), at(11))
    county.apply_through("veh-2", 1, 1, at(11))
    county.rebind(entries(bound_at=at(9).utc), {"kp-12": ("veh-2",), "kf-1": ("veh-1",)}, at(12))
    record = shown(county, 12)
    assert record.status is not None and "radio" == record.status.by
    assert "not_stored" not in [reason.code for reason in record.reasons]


def test_a_device_keeps_its_connection_and_its_places() -> None:
    """A vehicle that takes over a callsign is heard, and is where it is, at once."""
    county = begun()
    swapped = [msgspec.structs.replace(entry("kp-12"), carrier="veh-1"), entry("kf-1")]
    swapped[1] = msgspec.structs.replace(swapped[1], carrier="veh-2")
    county.rebind(swapped, {"kp-12": ("veh-1",), "kf-1": ("veh-2",)}, at(11))
    assert ("fresh", True) == (shown(county, 11, "kf-1").link, shown(county, 11, "kf-1").position_fresh)
    assert ("never", None) == (shown(county, 11).link, shown(county, 11).position)


def test_a_unit_that_is_gone_is_told_once_and_its_return_begins_anew() -> None:
    """It is on no list of changes any more, and when it comes back it has never been heard."""
    county = begun()
    shown(county, 10)
    county.rebind([entry("kf-1")], {"kf-1": ("veh-1",)}, at(11))
    assert ["kf-1"] == list(county.units)
    assert ("kp-12",) == county.take_gone(at(11))
    assert () == county.take_gone(at(11))
    assert (None, ()) == (county.standing("kp-12"), county.speakers("kp-12"))
    county.take_changed(at(100))
    county.rebind(entries(), BOUND, at(101))
    assert {"kp-12": at(101).utc} == county.take_changed(at(101))
    assert shown(county, 101).status is None
    county.rebind([entry("kf-1")], {"kf-1": ("veh-1",)}, at(102))
    county.rebind(entries(), BOUND, at(103))
    assert () == county.take_gone(at(103))


def test_what_control_and_orders_said_outlasts_a_reload() -> None:
    """Its mode and its assignment have nothing to do with who is bound."""
    county = begun()
    order = Assignment(order="o1", incident="I0417", phase="sent", since=NOON, version=3)
    county.assign("kp-12", order, 3, at(11))
    county.set_mode("kp-12", ModeSaid(mode="training", until=at(900).utc, by="A. Smith"), at(11))
    county.rebind(entries(carrier="veh-9", callsign="P21"), BOUND | {"kp-12": ("veh-9",)}, at(12))
    record = shown(county, 12)
    assert ("P21", order, 3, "training") == (
        record.callsign,
        record.assignment,
        record.assignment_version,
        record.mode,
    )


def test_another_base_is_measured_at_once() -> None:
    """A unit that says it is at base, and is lent to a base that is far away, is not at its base."""
    county = Fleet(entries(fence=Circle(51.27, 0.52, 100.0)), BOUND)
    county.apply_vitals("veh-2", heartbeat(0, echo=echo(), current=[current(1, "3")]), 1, at(0).mono_s, at(0))
    county.apply_place("veh-2", place(1, 0, event=position(1, 0, speed_mps=0.0)), at(0))
    at_base = Code(code="3", label="Standby at base", availability="Available", activity="free", place="base")
    county.apply_head(head("3", 0, received=NOON, meaning=at_base), at(0))
    assert "not_at_base" not in [reason.code for reason in shown(county, 1).reasons]
    county.rebind(entries(fence=Circle(51.5, 0.52, 100.0)), BOUND, at(2))
    assert "not_at_base" == shown(county, 2).reasons[0].code


def pair(**changes: Any) -> list[UnitEntry]:
    """Two units of one crew."""
    first = msgspec.structs.replace(entry("kp-12"), crew_group="pair", group_place=1)
    second = {"id": "kp-13", "callsign": "P13", "carrier": "veh-3", "group_place": 0}
    return [first, msgspec.structs.replace(first, **second | changes)]


PAIR_BOUND = {"kp-12": ("veh-2",), "kp-13": ("veh-3",)}


def test_units_that_share_a_crew_are_shown_together() -> None:
    """Whatever touches one touches the other, by a message or by time, and each names the other."""
    county = Fleet(pair(), PAIR_BOUND)
    county.take_changed(at(0))
    county.apply_head(head("2", 0, received=NOON), at(0))
    assert {"kp-12", "kp-13"} == county.take_changed(at(0)).keys()
    assert (("P13",), ("P12",)) == (shown(county, 0).alternates, shown(county, 0, "kp-13").alternates)
    county.set_mode("kp-13", ModeSaid(mode="test", until=at(50).utc, by="A. Smith"), at(1))
    for unit, as_of in county.take_changed(at(1)).items():
        county.record(unit, 1, as_of, at(1))
    assert {"kp-12", "kp-13"} == county.take_changed(at(51)).keys()
    county.rebind(pair(crew_group=""), PAIR_BOUND, at(52))
    assert {"kp-12", "kp-13"} == county.take_changed(at(52)).keys()
    assert ((), ()) == (shown(county, 52).alternates, shown(county, 52, "kp-13").alternates)


def test_which_of_a_pair_is_sent_first_is_decided_however_they_are_listed() -> None:
    """The directory's order counts, and the same place twice is settled by the id: never both, never neither."""
    for place_of_second, first in ((0, "kp-13"), (2, "kp-12"), (1, "kp-12")):
        county = Fleet(pair(group_place=place_of_second), PAIR_BOUND)
        for unit, device in (("kp-12", "veh-2"), ("kp-13", "veh-3")):
            county.apply_head(head("2", 0, unit=unit, device=device, received=NOON), at(0))
        free = [unit for unit in county.units if shown(county, 0, unit).availability == "Available"]
        assert [first] == free


def test_a_split_is_shown_on_the_whole_and_on_its_parts() -> None:
    """The whole can't be sent while it is split, and a part says of what it is one only then."""
    part = {"id": "kp-12a", "callsign": "P12A", "carrier": "veh-3", "part_of": "kp-12"}
    bound = {"kp-12": ("veh-2",), "kp-12a": ("veh-3",)}
    joined = [entry("kp-12"), msgspec.structs.replace(entry("kp-12"), **part)]
    county = Fleet(joined, bound)
    for unit, device in (("kp-12", "veh-2"), ("kp-12a", "veh-3")):
        county.apply_head(head("2", 0, unit=unit, device=device, received=NOON), at(0))
    assert ("Available", "") == (shown(county, 0).availability, shown(county, 0).part_of)
    assert ("NotAvailable", "") == (shown(county, 0, "kp-12a").availability, shown(county, 0, "kp-12a").part_of)
    county.take_changed(at(0))
    apart = [
        msgspec.structs.replace(joined[0], split_into=("kp-12a",)),
        msgspec.structs.replace(joined[1], is_apart=True),
    ]
    county.rebind(apart, bound, at(1))
    assert {"kp-12", "kp-12a"} == county.take_changed(at(1)).keys()
    assert "NotAvailable" == shown(county, 1).availability
    assert ("Available", "P12") == (shown(county, 1, "kp-12a").availability, shown(county, 1, "kp-12a").part_of)


def test_a_shift_that_begins_is_told_by_time_alone() -> None:
    """Off shift until two, by the pattern; then the board is told, though nobody spoke."""
    roster = WeeklyRoster(UTC, ((Turn(time(14), time(22)),),) * 7)
    county = Fleet(entries(roster=roster, needs=Needs(minimum=1)), BOUND)
    county.apply_head(head("2", 0, received=NOON), at(0))
    for unit, as_of in county.take_changed(at(0)).items():
        county.record(unit, 1, as_of, at(0))
    assert "off_shift" == shown(county, 0).reasons[0].code
    assert {} == county.take_changed(at(7_199))
    assert ["kp-12"] == list(county.take_changed(at(7_200.1)))
    assert "off_shift" not in [reason.code for reason in shown(county, 7_200.1).reasons]


def test_what_the_directory_says_of_a_unit_is_in_its_record() -> None:
    """Its vehicle, where it is at home, what its crew must be, and how long that takes to turn out."""
    county = Fleet(entries(vehicle="V12", home="Stn 3", needs=Needs(minimum=2, preferred=4), tier_min=5), BOUND)
    county.apply_head(head("2", 0, received=NOON), at(0))
    record = shown(county, 1)
    assert ("V12", "Stn 3", 5) == (record.vehicle, record.home, record.tier_min)
    assert record.crew is not None
    assert (None, 2, 4) == (record.crew.riders, record.crew.minimum, record.crew.preferred)


def test_an_ignition_is_kept_since_it_reads_so() -> None:
    """The newest by its order; the same reading again is no news, a bad one clears it, another input is not kept."""
    county = Fleet(entries(), BOUND)
    county.apply_vitals("veh-2", heartbeat(0, echo=echo()), 1, at(0).mono_s, at(0))
    county.apply_head(head("5", 0, received=NOON), at(0))
    county.take_changed(at(0))
    assert county.apply_input("veh-2", "ignition", False, at(0).utc, (1, 5), at(0))
    assert ["kp-12"] == list(county.take_changed(at(0)))
    assert county.apply_input("veh-2", "ignition", False, at(50).utc, (1, 6), at(50))
    assert not county.apply_input("veh-2", "ignition", True, at(40).utc, (1, 4), at(50))
    assert not county.apply_input("veh-2", "door", True, at(50).utc, (1, 9), at(50))
    assert {} == county.take_changed(at(50))
    assert "ignition_off" in [reason.code for reason in shown(county, 61).reasons]
    assert county.apply_input("veh-2", "ignition", None, at(70).utc, (1, 10), at(70))
    assert ["kp-12"] == list(county.take_changed(at(70)))
    assert "ignition_off" not in [reason.code for reason in shown(county, 200).reasons]
