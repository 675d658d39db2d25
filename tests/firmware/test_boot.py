"""config.txt of each board: what the firmware would ignore without a word, and pins that it would take from a board."""

from pathlib import Path

import pytest

from kit.pinmap import Pinmap
from kit.render import HARDWARE
from tests.firmware.boot_file import boot_problems, usb_problems
from tests.firmware.system_files import BOARDS, FIRMWARE
from tests.kit.pinmaps import pinmap_of

FILE = "boot/firmware/config.txt"
SEEDED = [
    pytest.param("arm_64bit=1", "arm_64bits=1", "'arm_64bits' is no key of config.txt (did you mean", id="a key"),
    pytest.param("arm_64bit=1", "arm_64bit=1\nhdmi_hotplug=1", "'hdmi_hotplug' is no key", id="a key of elsewhere"),
    pytest.param("boot_delay=0", "boot_delay 0", "'boot_delay 0' sets nothing", id="no equals sign"),
    pytest.param("boot_delay=0", "boot_delay=no", "boot_delay is 'no'; expected a number", id="no number"),
    pytest.param("enable_uart=1", "enable_uart=yes", "enable_uart is 'yes'; expected 0 or 1", id="no switch"),
    pytest.param("=watchdog=on", "=watchdogs=on", "there is no dtparam 'watchdogs' (did you mean", id="a parameter"),
    pytest.param("=watchdog=on", "=watchdog=off", "dtparam=watchdog=on is missing", id="no watchdog"),
    pytest.param("=watchdog=on", "=watchdog=1", "dtparam watchdog is '1'; expected on or off", id="no state"),
    pytest.param("dtoverlay=watchroom-vehicle-a", "", "dtoverlay=watchroom-vehicle-a is missing", id="no overlay"),
    pytest.param("vehicle-a\n", "vehicle-b\n", "overlay 'watchroom-vehicle-b' is not in the image", id="an overlay"),
    pytest.param(
        "spi=off", "spi=on", "GPIO8 is used by dtparam=spi=on and by bus 'receiver' (tx)", id="the receiver's pins"
    ),
    pytest.param(
        "dtoverlay=disable-bt",
        "dtoverlay=uart4",
        "GPIO9 is used by dtoverlay=uart4 and by bus 'receiver' (rx)",
        id="a UART twice",
    ),
    pytest.param(
        "dtoverlay=disable-bt",
        "dtoverlay=gpio-shutdown,gpio_pin=17",
        "GPIO17 is used by dtoverlay=gpio-shutdown,gpio_pin=17 and by signal 'button_1'",
        id="a button's pin",
    ),
    pytest.param("boot_delay=0", "enable_uart=0", "enable_uart stands here and in line", id="a key twice"),
    pytest.param("boot_delay=0", "[pi4]", "[pi4] begins a section", id="a section"),
    pytest.param("boot_delay=0", f"boot_delay={'0' * 90}", "has 101 characters", id="a line too long"),
]


def text_of(board: str) -> str:
    """A board's config.txt as it stands."""
    return (FIRMWARE / "tree" / board / FILE).read_text("utf-8")


def pins_of(board: str) -> Pinmap:
    """The pin map of a board such as `vehicle-a`."""
    return pinmap_of(board.partition("-")[0])


@pytest.mark.parametrize("board", BOARDS)
def test_the_firmware_knows_every_line_and_takes_no_pin_of_the_board(board: str) -> None:
    """Each line is known, the overlay is the board's own, and no pin has two users."""
    assert boot_problems(text_of(board), pins_of(board)) == ()


@pytest.mark.parametrize(("old", "new", "line"), SEEDED)
def test_what_the_firmware_would_ignore_or_take_is_told(old: str, new: str, line: str) -> None:
    """A fault that the firmware would swallow without a word is told, with its line and both users of a pin."""
    text = text_of("vehicle-a")
    assert old in text

    found = boot_problems(text.replace(old, new, 1), pins_of("vehicle-a"))

    assert any(line in str(each) for each in found), found


@pytest.mark.parametrize("board", BOARDS)
def test_the_usb_that_the_bill_needs_is_on(board: str) -> None:
    """A unit of a Compute Module whose modem is on USB has the port switched on; without the line that is told."""
    device, _, revision = board.partition("-")
    bill = (HARDWARE / device / revision / "generated" / "bom.csv").read_text("utf-8")
    text = text_of(board)
    assert list(usb_problems(text, bill)) == []
    found = list(usb_problems(text.replace("otg_mode=1\n", ""), bill))
    assert bool(found) == ("Compute Module 4" in bill)


@pytest.mark.parametrize("board", BOARDS)
def test_no_console_speaks_on_a_line_of_the_board(board: str, tmp_path: Path) -> None:
    """The console's pins are kept free by the pin map, and nothing in the file moves it to another UART."""
    pins = pins_of(board)
    used = {pin for bus in pins.bus for pin in bus.pins.values()} | {each.pin for each in pins.signal}

    assert not used & {14, 15}
    assert "dtoverlay=uart" not in text_of(board)
