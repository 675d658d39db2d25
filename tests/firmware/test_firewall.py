"""The firewall, loaded by nft and tried from outside, in a network of its own."""

from pathlib import Path

import pytest

from tests.firmware.firewall_room import MQTT, RULES, SSH, firewall_problems, room_of
from tests.firmware.system_files import BOARDS, laid_out, spoil
from tests.programs import require_namespaces

SEEDED = [
    pytest.param(
        {
            "hook input priority filter; policy drop": "hook input priority filter; policy accept",
            "hook forward priority filter; policy drop": "hook forward priority filter; policy accept",
            "tcp dport 1883": "tcp dport 8883",
        },
        (
            "port 22 of the device is reached from outside",
            "port 8480 of the device is reached from outside",
            "the device is reached from outside by IPv6",
            "the device passes on from one network to the other",
            "MQTT leaves the device in the clear",
        ),
        id="open doors",
    ),
    pytest.param(
        {"established,related": "related", 'iif "lo" accept': "", "type echo-request": "type echo-reply"},
        (
            "the device gets no answer to what it asks",
            "the broker at 127.0.0.1:1883 is not reached",
            "a technician gets no echo from 192.0.2.1",
            "a technician gets no echo from 2001:db8::1",
        ),
        id="closed to itself",
    ),
    pytest.param(
        {"ip saddr @management tcp": "tcp"}, ("port 22 of the device is reached from outside",), id="SSH from anywhere"
    ),
    pytest.param({"nd-neighbor-advert, ": ""}, ("no answer by IPv6: neighbours can't be found",), id="no neighbours"),
    pytest.param({"policy drop": "polcy drop"}, ("etc/nftables.conf:",), id="a word that nft has not"),
    pytest.param({"@management ": "@managment "}, ("etc/nftables.conf:",), id="a set that there is not"),
]


def test_nothing_gets_in_and_answers_come_back(tmp_path: Path) -> None:
    """From outside nothing of the device is reached or passed through; what it asks is answered, by IPv4 and IPv6."""
    require_namespaces()

    assert firewall_problems(laid_out("vehicle-a", tmp_path)) == ()


@pytest.mark.parametrize(("faults", "lines"), SEEDED)
def test_a_hole_in_the_firewall_is_told(faults: dict[str, str], lines: tuple[str, ...], tmp_path: Path) -> None:
    """A rule that lets too much through, or too little, is told by what it does, each with the others."""
    require_namespaces()
    device = laid_out("vehicle-a", tmp_path)
    text = (device / RULES).read_text("utf-8")
    for old, new in faults.items():
        assert old in text
        text = text.replace(old, new)
    (device / RULES).write_text(text, encoding="utf-8")

    found = "\n".join(map(str, firewall_problems(device)))

    assert [line for line in lines if line not in found] == [], found


def test_the_management_network_gets_in_by_ssh_once_it_is_named(tmp_path: Path) -> None:
    """With an address in `management`, SSH is reached from there, and nothing else is."""
    require_namespaces()
    device = laid_out("vehicle-a", tmp_path)
    named = "type ipv4_addr\n\t\tflags interval\n\t\telements = { 192.0.2.0/24 }"
    spoil(device, RULES, "type ipv4_addr\n\t\tflags interval", named)

    with room_of(device / RULES) as made:
        assert made.reaches(made.outside, "192.0.2.1", SSH, wait_s=5.0)
        assert not made.reaches(made.outside, "192.0.2.1", SSH + 1)


@pytest.mark.parametrize("link", ["wlan1", "wlx00c0ca974d2e", "wwp1s0u1u3i4", "enx0c5b8f279a64"])
def test_mqtt_in_the_clear_leaves_by_no_adapter_whatever_it_is_called(link: str, tmp_path: Path) -> None:
    """Wi-Fi and modems on USB are named by their place or address where the kernel's own names are switched off."""
    require_namespaces()
    with room_of(laid_out("vehicle-a", tmp_path) / RULES) as made:
        for words in (("down",), ("name", link)):
            made.ip("-n", made.device, "link", "set", "eth0", *words)
        made.ip("-n", made.device, "link", "set", link, "up")
        with made.listener(made.outside, "192.0.2.2", MQTT):
            assert made.is_refused(made.device, "192.0.2.2", MQTT)


@pytest.mark.parametrize("board", BOARDS)
def test_the_firewall_is_loaded_at_every_start(board: str, tmp_path: Path) -> None:
    """Debian does not enable the service that loads it: the image's preset does."""
    presets = (laid_out(board, tmp_path) / "usr/lib/systemd/system-preset").glob("*.preset")

    assert "enable nftables.service\n" in "".join(path.read_text("utf-8") for path in presets)
