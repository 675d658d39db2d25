"""What two files say of one thing and not alike is told, with both."""

import msgspec
import pytest

from kit.pinmap import Pinmap, parse_pinmap
from kit.power import Power, parse_power
from kit.twice import fact_problems, fuse_problems, supply_problems
from tests.kit.boards import catalogue, circuits, parts_of, power_of, seeded_file
from tests.kit.pinmaps import FOLDERS, pinmap_of, seeded

SEEDED_POWER = [
    ("vehicle", "cell_f = 150", "cell_f = 350", "of 'cap_150f' it is 350 here, and 150 in circuits.toml"),
    ("vehicle", "cell_mohm = 14", "cell_mohm = 1", "of 'cap_150f' it is 1 here, and 14 in circuits.toml"),
    ("vehicle", "breakdown_v = 44.2", "breakdown_v = 40", "of 'tvs_36a_load' it is 40 here, and 44.2 in"),
    ("vehicle", "cell_v = 2.5", "cell_v = 2.4", "the full store has 4.8 V here, and 5 V in 'hold_up' of circuits.toml"),
    ("vehicle", '"tvs_36a_load"', '"tvs_36ca"', "'tvs_36ca' is not the suppressor of the supply's circuit"),
    ("vehicle", "volts_max = 32", "volts_max = 20", "carries 28.8 V, and here at most 20 V; expected 28.8 V or more"),
    ("station", "volts = [24.0, 27.6]", "volts = [24.0, 29.0]", "carries 27.6 V at the most, and 29 V are usual"),
]


def power_faults(power: Power, pinmap: Pinmap) -> list[str]:
    """All that the power budget says otherwise than the pin map and the circuits."""
    return [str(each) for each in (*supply_problems(power, pinmap), *fact_problems(power, circuits()))]


@pytest.mark.parametrize("device", FOLDERS)
def test_what_is_said_twice_is_said_alike(device: str) -> None:
    """The power budget, the pin map, the circuits and the bill of each device do not contradict each other."""
    pinmap = pinmap_of(device)
    assert power_faults(power_of(device), pinmap) == []
    assert list(fuse_problems(pinmap, parts_of(device), catalogue())) == []


@pytest.mark.parametrize(("device", "old", "new", "line"), SEEDED_POWER)
def test_a_power_budget_that_differs_is_told(device: str, old: str, new: str, line: str) -> None:
    """Volts, store or suppressor that are others than elsewhere give one line with both figures."""
    power = parse_power(seeded_file(device, "power.toml", old, new))
    assert isinstance(power, Power), power
    found = power_faults(power, pinmap_of(device))
    assert len([fault for fault in found if line in fault]) == 1, found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "Battery, through a fuse of 5 A",
            "Battery, through a fuse of 30 A",
            "a fuse of 30 A, and rail 'battery' one of 5",
        ),
        (
            "Shore mains relay, dry contact",
            "Relay, through a fuse of 1 A",
            "have fuses of 1 A at the other end, and the bill",
        ),
    ],
)
def test_a_fuse_of_a_cable_is_its_rails_and_is_bought(old: str, new: str, line: str) -> None:
    """A fuse in a drawing that is not the rail's, or one more than the bill has, is told with what it is on."""
    pinmap = parse_pinmap(seeded("vehicle", old, new))
    assert isinstance(pinmap, Pinmap), pinmap
    found = [str(each) for each in fuse_problems(pinmap, parts_of("vehicle"), catalogue())]
    assert any(line in fault for fault in found), found


def test_a_bill_without_the_fuses_of_the_taps_is_told() -> None:
    """Fuses that only a drawing names are missed on the day of the fitting: each is on the bill."""
    parts = parts_of("vehicle")
    bare = msgspec.structs.replace(parts, use=tuple(use for use in parts.use if use.part != "fuse_1a"))
    found = [str(each) for each in fuse_problems(pinmap_of("vehicle"), bare, catalogue())]
    assert found == [
        "cable: J1.3, X1.1, X1.2, X1.4 have fuses of 1 A at the other end, and the bill has 0; expected 4 in parts.toml"
    ]
