"""Control's word over the directory: a spare takes a callsign over, a unit is lent, a whole is split."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from cloud.directory import Bound, Directory, bind, meaningless
from tests.cloud.directory.shire import shire

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SPARE = Bound(unit="14p1", device="veh-9", at=NOON, by="op 7")


@pytest.fixture(scope="module")
def directory() -> Directory:
    """The shire."""
    return shire()


def bound(directory: Directory, *bindings: Bound) -> Directory:
    """The directory with some bindings over it, each unit's last."""
    return bind(directory, {each.unit: each for each in bindings})


def spoken(directory: Directory, device: str) -> list[str]:
    """The units that a device may speak for."""
    return [unit.id for unit in directory.device_units(device)]


def carried(directory: Directory, device: str) -> str | None:
    """The unit that a device carries."""
    unit = directory.carried_by(device)
    return unit.id if unit else None


def test_nothing_said_is_the_same_directory(directory: Directory) -> None:
    """Without a word of control, or with one that means nothing, it is the very directory: nobody is told anything."""
    assert bind(directory, {}) is directory
    assert bound(directory, Bound(unit="14p1")) is directory
    assert bound(directory, Bound(unit="nobody", device="veh-9")) is directory


def test_a_spare_takes_a_callsign_over(directory: Directory) -> None:
    """It carries the unit since then; the old vehicle may not speak for it although its own row lists it."""
    now = bound(directory, SPARE)
    unit = now.units["14p1"]
    assert ("veh-9", "FA-9", NOON, "op 7") == (unit.carrier, unit.vehicle, unit.bound_at, unit.bound_by)
    assert ("14p1", None) == (carried(now, "veh-9"), carried(now, "veh-1"))
    assert ["14p1"] == spoken(now, "veh-9")
    assert ["14h1"] == spoken(now, "veh-1")
    assert "14p1" == carried(directory, "veh-1"), "the directory as written is as it was"


def test_the_stations_panel_goes_on_speaking_for_the_unit(directory: Directory) -> None:
    """A panel that carries nothing loses nothing when the vehicle changes."""
    assert ["14p1"] == spoken(bound(directory, SPARE), "panel-14")


def test_a_vehicle_that_takes_another_callsign_leaves_its_own(directory: Directory) -> None:
    """A device carries one unit: the one that it had is carried by nobody, and says so by an empty carrier."""
    now = bound(directory, Bound(unit="14p1", device="veh-3", at=NOON))
    assert ("veh-3", "", "") == (now.units["14p1"].carrier, now.units["14h1"].carrier, now.units["14h1"].vehicle)
    assert ["14p1"] == spoken(now, "veh-3")
    assert [] == spoken(bound(directory, Bound(unit="14h1", device="veh-9", at=NOON)), "veh-3")


def test_two_vehicles_may_swap(directory: Directory) -> None:
    """Each carries what the other did, and each unit has one carrier."""
    now = bound(directory, Bound(unit="14p1", device="veh-3", at=NOON), Bound(unit="14h1", device="veh-1", at=NOON))
    assert ("14p1", "14h1") == (carried(now, "veh-3"), carried(now, "veh-1"))
    assert {"14p1": "", "14h1": "FA-1"} == {name: now.units[name].vehicle for name in ("14p1", "14h1")}


def test_of_two_units_bound_to_one_device_the_later_has_it(directory: Directory) -> None:
    """Whichever way round they are given."""
    first = SPARE
    second = Bound(unit="14h1", device="veh-9", at=NOON + timedelta(seconds=1))
    for said in ((first, second), (second, first)):
        now = bound(directory, *said)
        assert ("veh-9", "", None) == (now.units["14h1"].carrier, now.units["14p1"].carrier, now.units["14p1"].bound_at)
        assert "14h1" == carried(now, "veh-9")


def test_a_binding_to_its_own_carrier_only_dates_it(directory: Directory) -> None:
    """What the vehicle declared before control's word is history, and nothing else changes."""
    now = bound(directory, Bound(unit="14p1", device="veh-1", at=NOON))
    assert ("veh-1", NOON) == (now.units["14p1"].carrier, now.units["14p1"].bound_at)
    assert now.devices == directory.devices


def test_a_unit_is_lent_and_knows_its_home(directory: Directory) -> None:
    """It stands at the host's base, keeps its vehicle, and is not bound anew; lent to its own base it is at home."""
    now = bound(directory, Bound(unit="14p1", base="stn15", at=NOON)).units["14p1"]
    assert ("stn15", "stn14", "veh-1", None) == (now.base, now.home, now.carrier, now.bound_at)
    home = bound(directory, Bound(unit="14p1", base="stn14")).units["14p1"]
    assert ("stn14", None) == (home.base, home.home)


def test_a_whole_is_split_into_its_parts(directory: Directory) -> None:
    """The whole names its parts and they know that they are apart; before, neither."""
    whole, part = directory.units["p12"], directory.units["p12a"]
    assert ((), False) == (whole.split_into, part.is_apart)
    now = bound(directory, Bound(unit="p12", split=True)).units
    assert (("p12a",), True, False) == (now["p12"].split_into, now["p12a"].is_apart, now["14p1"].is_apart)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Bound(unit="14p9", device="veh-9"), "there is no unit '14p9'"),
        (Bound(unit="14p1", device="veh-8"), "there is no device 'veh-8'"),
        (Bound(unit="14p1", device="veh-2"), "the device 'veh-2' belongs to 'kp'"),
        (Bound(unit="14p1", base="stn99"), "there is no base 'stn99'"),
        (Bound(unit="14p1", split=True), "the unit '14p1' has no parts"),
        (SPARE, ""),
    ],
)
def test_what_a_reload_makes_meaningless_is_told_and_left_out(directory: Directory, said: Bound, why: str) -> None:
    """Each reason in words; and such a word changes nothing."""
    assert why == meaningless(directory, said)
    assert (bound(directory, said) is directory) == bool(why)


def test_a_revoked_device_carries_nothing(directory: Directory) -> None:
    """A binding to a device that was revoked since is left out: the unit is its own vehicle's again."""
    spare = replace(directory.devices["veh-9"], revoked=True)
    now = replace(directory, devices=directory.devices | {"veh-9": spare})
    assert "the device 'veh-9' is revoked" == meaningless(now, SPARE)
    assert "veh-1" == bound(now, SPARE).units["14p1"].carrier


def test_each_part_of_a_word_holds_for_itself(directory: Directory) -> None:
    """A unit stays lent although the spare that carried it is gone from the directory."""
    said = Bound(unit="14p1", device="gone", base="stn15", at=NOON, by="op 7")
    unit = bound(directory, said).units["14p1"]
    assert ("stn15", "veh-1", None, "") == (unit.base, unit.carrier, unit.bound_at, unit.bound_by)
