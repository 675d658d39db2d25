"""Lines that a pin map names or wires so that no device could use them."""

import pytest

from tests.kit.pinmaps import faults, seeded

SEEDED = [
    pytest.param(
        "/dev/watchroom/receiver",
        "/dev/watchroom/field",
        "bus 'receiver' is at /dev/watchroom/field, and the device's udev rules name it otherwise; expected /dev/watch",
        id="two lines of one name",
    ),
    pytest.param("/dev/watchroom/field", "/dev/ttyAMA0", "bus 'field' is at /dev/ttyAMA0", id="the console's line"),
    pytest.param(
        'a = "J4.1", b = "J4.2"',
        'a = "J4.2", b = "J4.1"',
        "wire a of bus 'field' ends on B of cable 'field': it is crossed",
        id="A on B",
    ),
    pytest.param(
        'tx = "J3.1", rx = "J3.2"',
        'tx = "J3.2", rx = "J3.1"',
        "wire tx of bus 'receiver' ends on TXD of cable 'receiver': it is crossed",
        id="TX on TX",
    ),
]


@pytest.mark.parametrize(("old", "new", "line"), SEEDED)
def test_a_line_that_no_device_could_use_is_told(old: str, new: str, line: str) -> None:
    """A name that the udev rules do not make, and wires that are crossed, are told with the bus and both sides."""
    found = faults(seeded("vehicle", old, new))
    assert any(line in fault for fault in found), found
