"""The receiver: gpsd itself, started with the settings of a device as its service starts it."""

import re
from pathlib import Path

import pytest

from tests.firmware.gpsd_room import SETTINGS, gpsd_problems, gpsd_room, settings_problems
from tests.firmware.system_files import BOARDS, laid_out, spoil
from tests.programs import require_namespaces

SEEDED = [
    pytest.param('GPSD_OPTIONS="', 'GPSD_OPTION="', "'GPSD_OPTION' is read by nobody (did you mean", id="a key"),
    pytest.param('USBAUTO="true"', "", "USBAUTO is missing", id="a key that is missing"),
    pytest.param('DEVICES="/dev', 'DEVICES="dev', "DEVICES names 'dev/watchroom/receiver'", id="a device"),
    pytest.param('GPSD_OPTIONS="-n"', "GPSD_OPTIONS=-n -b", "'GPSD_OPTIONS=-n -b' sets nothing", id="no quotes"),
]


def test_a_receiver_gives_a_fix_though_its_pulse_is_missing(tmp_path: Path) -> None:
    """With exactly these settings gpsd reads the receiver, and gives its fix where /dev/pps0 is missing."""
    require_namespaces()

    assert gpsd_problems(laid_out("vehicle-a", tmp_path / "device"), tmp_path) == ()


def test_a_receiver_that_comes_late_must_be_told_of(tmp_path: Path) -> None:
    """A receiver that is not there when gpsd starts is read only once gpsd is told, as udev does for one on USB."""
    require_namespaces()

    with gpsd_room(laid_out("vehicle-a", tmp_path / "device"), tmp_path) as made:
        with pytest.raises(AssertionError, match="a fix"):
            made.brings_fix(deadline_s=0.5)
        made.plug()
        with pytest.raises(AssertionError, match="a fix"):
            made.brings_fix(deadline_s=1.0)
        made.tell("add")
        made.brings_fix()


def test_gpsd_waits_for_the_line_and_the_pulse_but_not_for_ever(tmp_path: Path) -> None:
    """So gpsd starts after every device that it is given has its name, or after the time in which they should."""
    device = laid_out("vehicle-a", tmp_path)
    units = device / "etc/systemd/system"
    (devices,) = re.findall(r'^DEVICES="(.*)"$', (device / SETTINGS).read_text("utf-8"), re.MULTILINE)
    waits = (units / "gpsd.service.d/receiver.conf").read_text("utf-8")
    names = [path.removeprefix("/").replace("/", "-") + ".device" for path in devices.split()]

    assert f"After={' '.join(names)}\n" in waits and f"Wants={' '.join(names)}\n" in waits
    for name in names:
        assert "JobRunningTimeoutSec=20s\n" in (units / f"{name}.d/watchroom.conf").read_text("utf-8")


def test_an_option_that_gpsd_has_not_is_told(tmp_path: Path) -> None:
    """An option that gpsd has not keeps it from starting, and is told with what gpsd says of it."""
    require_namespaces()
    device = spoil(laid_out("vehicle-a", tmp_path / "device"), SETTINGS, '"-n"', '"-n -Q"')

    found = gpsd_problems(device, tmp_path)

    assert any("invalid option -- 'Q'" in str(each) for each in found), found


@pytest.mark.parametrize("board", BOARDS)
def test_every_setting_is_read(board: str, tmp_path: Path) -> None:
    """Each key is one that Debian's service reads."""
    assert tuple(settings_problems(laid_out(board, tmp_path))) == ()


@pytest.mark.parametrize(("old", "new", "line"), SEEDED)
def test_a_setting_that_nobody_reads_is_told(old: str, new: str, line: str, tmp_path: Path) -> None:
    """A setting that the service would not see is told with its line."""
    found = tuple(settings_problems(spoil(laid_out("vehicle-a", tmp_path), SETTINGS, old, new)))

    assert any(line in str(each) for each in found), found
