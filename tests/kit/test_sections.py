"""The section `[inputs]` that a pin map gives: which signals are in it, and which way round they are read."""

import tomllib

import pytest

from kit.pinmap import Pinmap, parse_pinmap
from kit.sections import sections
from tests.kit.pinmaps import FOLDERS, faults, pinmap_of, seeded


def section(pinmap: Pinmap) -> dict[str, object]:
    """What is generated as `[inputs]`."""
    found: dict[str, object] = tomllib.loads(sections(pinmap)).get("inputs", {})
    return found


def test_each_contact_on_a_gpio_is_an_input_by_its_name() -> None:
    """Inputs and the supply's line are in it where they are on a GPIO; points of a module and the pulse are not."""
    for device in FOLDERS:
        wired = {str(each.pin): each.name for each in pinmap_of(device).signal if each.use in ("input", "power_fail")}
        wired.pop("None", None)
        assert section(pinmap_of(device)) == {"backend": "gpiod", "path": "/dev/gpiochip0", "lines": wired}
    assert section(pinmap_of("vehicle"))["lines"] == {"20": "ignition", "21": "power_fail"}


def test_what_comes_through_a_divider_is_on_when_high() -> None:
    """An optocoupler turns a level round and a divider does not: the agent is told of the one that differs."""
    text = seeded("vehicle", 'through = "opto"', 'through = "divider"')
    assert faults(text) == []
    found = parse_pinmap(text)
    assert isinstance(found, Pinmap)
    assert section(found)["active_low_of"] == {"ignition": False}


@pytest.mark.parametrize("device", FOLDERS)
def test_without_contacts_there_is_no_section(device: str) -> None:
    """A device that has none on a GPIO gets no section: the agent would refuse one without lines."""
    pinmap = pinmap_of(device)
    rest = tuple(each for each in pinmap.signal if each.pin is None or each.use not in ("input", "power_fail"))
    bare = Pinmap(board=pinmap.board, panel=pinmap.panel, connector=pinmap.connector, bus=pinmap.bus, signal=rest)
    assert section(bare) == {}
