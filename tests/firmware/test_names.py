"""Names of serial lines and receivers: udev reads the rules, and every name that a file uses is given by one."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.firmware.system_files import (
    BOARDS,
    FIRMWARE,
    NAMES,
    RULES,
    laid_out,
    spoil,
    udev_answer,
    udev_problems,
)
from tests.programs import require_namespaces

RECEIVER = f"{RULES}/60-gpsd.rules"
SEEDED = [
    pytest.param(NAMES, 'SUBSYSTEM=="tty"', 'SUBSYSTEMS_=="tty"', "Invalid key 'SUBSYSTEMS_'", id="an unknown key"),
    pytest.param(NAMES, 'GROUP="watchroom"', 'GROUP="watchrom"', "Unknown group 'watchrom'", id="no such group"),
    pytest.param(NAMES, '", SYMLINK', '" SYMLINKS+', "Invalid ", id="no operator"),
    pytest.param(
        RECEIVER, 'GOTO="watchroom_receiver_end"', 'GOTO="watchroom_end"', 'GOTO="watchroom_end" has no', id="a jump"
    ),
]


@pytest.mark.parametrize("board", BOARDS)
def test_udev_reads_every_rule(board: str, tmp_path: Path) -> None:
    """Udev has no complaint about the rules of a device, with the groups that its system has."""
    require_namespaces()

    assert udev_problems(laid_out(board, tmp_path)) == ()


@pytest.mark.parametrize(("file", "old", "new", "line"), SEEDED)
def test_what_udev_would_ignore_is_told(file: str, old: str, new: str, line: str, tmp_path: Path) -> None:
    """What udev would ignore is told with its file and line."""
    require_namespaces()

    found = udev_problems(spoil(laid_out("vehicle-a", tmp_path), file, old, new))

    assert any(file in str(each) and line in str(each) for each in found), found


@pytest.mark.parametrize("board", BOARDS)
def test_each_line_of_a_board_gets_its_name_and_group(board: str, tmp_path: Path) -> None:
    """Where the processor's port is found, udev gives it the name that agent or gpsd opens, for that one's group."""
    require_namespaces()
    device = laid_out(board, tmp_path)
    agent = {
        bus["path"] for bus in tomllib.loads((FIRMWARE / "boards" / board / "agent.toml").read_text("utf-8"))["bus"]
    }
    rules = (device / NAMES).read_text("utf-8")
    for port, name, group in re.findall(r'(KERNELS=="[^"]*").*SYMLINK\+="([^"]*)", GROUP="([^"]*)"', rules):
        (device / NAMES).write_text(rules.replace(port, 'KERNEL=="tty0"'), encoding="utf-8")

        answer = udev_answer(device, "tty0").text

        assert f"DEVLINKS=/dev/{name}\n" in answer, answer
        assert re.search(rf"tty0: \S+:\d+ GROUP \d+\n(?:.*\n)*?.*LINK '{name}'", answer), answer
        assert re.search(r"tty0: \S+90-watchroom\.rules:\d+ MODE 0660\n", answer), answer
        assert group == ("watchroom" if f"/dev/{name}" in agent else "dialout")


@pytest.mark.parametrize("board", BOARDS)
def test_each_name_that_is_used_is_given(board: str, tmp_path: Path) -> None:
    """The lines that the agent's buses and gpsd open under /dev/watchroom are those that the rules name."""
    device = laid_out(board, tmp_path)
    agent = tomllib.loads((FIRMWARE / "boards" / board / "agent.toml").read_text("utf-8"))
    used = {bus["path"] for bus in agent["bus"]}
    used |= set(re.findall(r"/dev/watchroom/\w+", (device / "etc/default/gpsd").read_text("utf-8")))

    given = {f"/dev/{name}" for name in re.findall(r'SYMLINK\+="([^"]*)"', (device / NAMES).read_text("utf-8"))}

    assert used == given


def test_gpsd_is_told_of_a_receiver_on_usb_and_of_nothing_else(tmp_path: Path) -> None:
    """A receiver's number starts gpsdctl for it and keeps ModemManager away; a serial adapter does neither."""
    require_namespaces()
    device = laid_out("station-a", tmp_path)

    adapter = udev_answer(device, "tty0").text
    spoil(device, RECEIVER, 'ATTRS{idVendor}=="1546", ATTRS{idProduct}=="01a[4-9]"', 'KERNEL=="tty0"')
    receiver = udev_answer(device, "tty0").text

    assert "SYSTEMD_WANTS=gpsdctl@tty0.service" in receiver
    assert "ID_MM_PORT_IGNORE=1" in receiver
    assert "gpsdctl" not in adapter and "ID_MM_PORT_IGNORE" not in adapter
