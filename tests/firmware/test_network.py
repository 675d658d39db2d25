"""NetworkManager and the kernel: the device's files, read by the programs that will read them."""

from pathlib import Path

import pytest

from tests.firmware.system_files import (
    BOARDS,
    CONNECTIONS,
    FIRMWARE,
    MODPROBE,
    SYSCTL,
    kernel_problems,
    laid_out,
    network_problems,
    spoil,
)
from tests.programs import require_namespaces

MODEM, CABLE = (f"{CONNECTIONS}/{name}.nmconnection" for name in ("modem", "ethernet"))
CONF = "etc/NetworkManager/conf.d/watchroom.conf"
SEEDED = [
    pytest.param(MODEM, "route-metric=700", "route-metrics=700", "ipv4.route-metrics: is '700'", id="an unknown key"),
    pytest.param(MODEM, "route-metric=700", "route-metric=7OO", "ipv4.route-metric: is '7OO'", id="no number"),
    pytest.param(MODEM, "[gsm]", "[gms]", "gms.auto-config: is 'true', and NetworkManager drops it", id="a section"),
    pytest.param(
        CABLE, "type=ethernet", "type=ethernett", "ethernet.nmconnection: ", id="a kind of connection that there is not"
    ),
    pytest.param(
        CABLE, "method=auto", "method=dhcp", "ethernet.nmconnection: ", id="a way to an address that there is not"
    ),
    pytest.param(CONF, "no-auto-default", "no-auto-defaults", "unknown key 'no-auto-defaults'", id="a setting"),
    pytest.param(CONF, "enabled=false", "enable=false", "unknown key 'enable' in section", id="the check is not off"),
]
KERNEL_SEEDED = [
    pytest.param(SYSCTL, "kernel.panic =", "kernel.panick =", "cannot stat /proc/sys/kernel/panick", id="a name"),
    pytest.param(SYSCTL, "rp_filter = 2", "rp_filter = two", 'setting key "net.ipv4.conf.all.rp_filter"', id="a value"),
    pytest.param(
        MODPROBE, "blacklist btbcm", "blacklst btbcm", "'blacklst' is nothing that modprobe knows", id="modprobe"
    ),
]


@pytest.mark.parametrize("board", BOARDS)
def test_network_manager_reads_every_setting_as_it_is_written(board: str, tmp_path: Path) -> None:
    """NetworkManager takes each key of the settings and connections, and gives each back as it was."""
    require_namespaces()

    assert network_problems(laid_out(board, tmp_path)) == ()


@pytest.mark.parametrize(("file", "old", "new", "line"), SEEDED)
def test_what_network_manager_would_drop_is_told(file: str, old: str, new: str, line: str, tmp_path: Path) -> None:
    """What NetworkManager would drop without a word is told with its file and key."""
    require_namespaces()

    found = network_problems(spoil(laid_out("vehicle-a", tmp_path), file, old, new))

    assert any(file in str(each) and line in str(each) for each in found), found


def test_the_cable_goes_before_the_modem_and_nobody_is_asked() -> None:
    """The cable's metric is lower than the modem's, and no third party learns where the device is."""
    tree = FIRMWARE / "tree/common"
    cable, modem = ((tree / file).read_text("utf-8") for file in (CABLE, MODEM))

    assert cable.count("route-metric=100") == modem.count("route-metric=700") == 2
    assert "uri=" not in (tree / CONF).read_text("utf-8")


def test_a_failed_kernel_starts_again_and_nobody_is_routed() -> None:
    """A device that has failed comes back by itself, passes nothing on, and keeps 127.0.0.1 to itself."""
    said = (FIRMWARE / "tree/common" / SYSCTL / "90-watchroom.conf").read_text("utf-8").splitlines()

    for line in (
        "kernel.panic = 10",
        "kernel.panic_on_oops = 1",
        "net.ipv4.ip_forward = 0",
        "net.ipv6.conf.all.forwarding = 0",
        "net.ipv4.conf.all.route_localnet = 0",
    ):
        assert line in said


def test_the_kernel_has_every_setting(tmp_path: Path) -> None:
    """The kernel has each setting under its name, and takes the network's values."""
    require_namespaces()

    assert kernel_problems(laid_out("vehicle-a", tmp_path)) == ()


@pytest.mark.parametrize(("folder", "old", "new", "line"), KERNEL_SEEDED)
def test_what_the_kernel_would_not_take_is_told(folder: str, old: str, new: str, line: str, tmp_path: Path) -> None:
    """A setting that the kernel has not, a value that it refuses and a word modprobe does not know are told."""
    require_namespaces()
    device = laid_out("vehicle-a", tmp_path)
    (file,) = (device / folder).iterdir()

    found = kernel_problems(spoil(device, f"{folder}/{file.name}", old, new))

    assert any(line in str(each) for each in found), found
