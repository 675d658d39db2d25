"""What follows from rows: what a unit can do, rides in, needs, when it has a crew, and where its base's ground is."""

from datetime import UTC, datetime

import pytest

from cloud.directory import Base, Directory
from cloud.directory.reckoning import fences, make_fence, make_roster, needs, rosters
from cloud.directory.shifts import Shift
from tests.cloud.directory.shire import shire


@pytest.fixture(scope="module")
def directory() -> Directory:
    """The shire."""
    return shire()


def test_a_unit_can_do_what_its_attachments_can(directory: Directory) -> None:
    """Capabilities of a pod stand behind its unit's own, each once."""
    assert ("pumping", "high volume pump") == directory.units["14p1"].capabilities


def test_a_unit_rides_in_the_vehicle_of_its_carrier(directory: Directory) -> None:
    """The fleet number comes from the device, and is empty where no vehicle has it."""
    assert {"14p1": "FA-1", "14h1": "", "p12": "PX-2", "p12a": ""} == {
        unit.id: unit.vehicle for unit in directory.units.values()
    }


def test_who_of_a_crew_group_is_sent_first(directory: Directory) -> None:
    """By crew_order, whatever stands first in the file; units of no group are first by themselves."""
    assert {"14h1": 0, "14p1": 1, "p12": 0, "p12a": 0} == {
        unit.id: unit.group_place for unit in directory.units.values()
    }


def test_what_a_crew_needs(directory: Directory) -> None:
    """Riders and skills are handed on as the row says; a unit that asks for nothing needs nothing."""
    asked = needs(directory.units["14p1"])
    assert (4, 5, (("ba", 2), ("ic", 1))) == (asked.minimum, asked.preferred, asked.skills)
    assert (0, 0, ()) == (lambda none: (none.minimum, none.preferred, none.skills))(needs(directory.units["p12"]))


def test_what_an_organisation_decides_for_itself(directory: Directory) -> None:
    """Masters, retention and words are its own, and Watchroom's where it says nothing."""
    fire, police = directory.organisations["kfrs"], directory.organisations["kp"]
    assert ("cad", "watchroom", 31, {"mobilise": "turn out"}) == (
        fire.masters.status,
        fire.masters.assignment,
        fire.retention.positions_days,
        fire.words,
    )
    assert ("watchroom", None, {}) == (police.masters.status, police.retention.positions_days, police.words)


def test_a_weekly_shift_is_local_and_crosses_midnight(directory: Directory) -> None:
    """A night turn of Friday ends on Saturday at the local time, in winter and in summer."""
    roster = rosters(directory)["days"]
    friday_night = datetime(2026, 11, 6, 23, 0, tzinfo=UTC)
    assert datetime(2026, 11, 7, 7, 0, tzinfo=UTC) == roster.until(friday_night)
    summer = datetime(2026, 7, 3, 23, 0, tzinfo=UTC)
    assert datetime(2026, 7, 4, 6, 0, tzinfo=UTC) == roster.until(summer)
    assert roster.until(datetime(2026, 11, 4, 12, 0, tzinfo=UTC)) is None  # a Wednesday


def test_a_cycle_counts_from_its_anchor(directory: Directory) -> None:
    """Day 1 is the anchor's: two days, two nights that end on the next day, four off, and again, before it too."""
    roster = rosters(directory)["watches"]

    def until(day: int, hour: int, month: int = 11) -> datetime | None:
        return roster.until(datetime(2026, month, day, hour, 0, tzinfo=UTC))

    assert datetime(2026, 11, 2, 18, 0, tzinfo=UTC) == until(2, 12)
    assert datetime(2026, 11, 5, 9, 0, tzinfo=UTC) == until(4, 20)
    assert [None, None] == [until(2, 20), until(7, 12)]
    assert datetime(2026, 11, 10, 18, 0, tzinfo=UTC) == until(10, 12)
    assert datetime(2026, 10, 25, 18, 0, tzinfo=UTC) == until(25, 12, 10)


def test_a_roster_is_of_a_shift_that_was_checked() -> None:
    """A zone that there is not is a mistake in this program by then, and says so."""
    with pytest.raises(ValueError, match="never checked"):
        make_roster(Shift(id="x", zone="Europe/Nowhere"))


def test_the_ground_of_a_base(directory: Directory) -> None:
    """An area where there is one, else a circle of its own or the usual size; none without a place."""
    grounds = fences(directory)
    assert ["stn14", "hq"] == list(grounds)
    assert 0.0 == grounds["stn14"].outside_m(51.1440, 0.8720)
    assert 100 < grounds["stn14"].outside_m(51.1462, 0.8720) < 120
    north_m = 111_195.0
    assert grounds["hq"].outside_m(51.27 + 100 / north_m, 0.52) == pytest.approx(20, abs=0.5)
    usual = make_fence(Base(id="b", name="B", lat=51.27, lon=0.52), {})
    assert usual is not None and usual.outside_m(51.27 + 160 / north_m, 0.52) == pytest.approx(10, abs=0.5)


def test_an_area_knows_what_is_on_it(directory: Directory) -> None:
    """A place on its ground or on its border is held, one beside it is not; latitude comes first."""
    weald = directory.areas["weald-fire"]
    assert [True, True, False, False] == [
        weald.holds(lat, lon) for lat, lon in ((51.2, 0.8), (51.0, 0.5), (51.5, 0.8), (0.8, 51.2))
    ]


def test_a_directory_keeps_the_texts_it_was_made_of(directory: Directory) -> None:
    """What a replay needs to know what was believed then: each file, word for word."""
    assert {"areas/weald.geojson", "units.toml"} < directory.texts.keys()
    assert 'callsign = "14P1"' in directory.texts["units.toml"]
