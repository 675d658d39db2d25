"""What is generated from the pin maps: no drift, taken by the agent's own loader and by the device-tree compiler."""

import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edge_agent.around import load_layout
from edge_agent.config import Config, load
from kit.header import HEADER_PINS, PERIPHERALS
from kit.pinmap import Pinmap
from kit.render import BOARDS, GENERATED, HARDWARE, board_files, documents, read_pinmap, render
from tests.kit.pinmaps import FOLDERS, MAPS, pinmap_of, seeded, text_of
from tests.programs import require_program
from tests.tidy.sources import ROOT

HEAD = """
[device]
id = "dev-0001"
organisation = "kfrs"
enrolment = "E0001"
state_dir = "state"

[[unit]]
id = "kfrs-14p1"
scheme = "{scheme}"
"""
STATION = '\n[station]\nlayout = "station.toml"\n'


def board_of(device: str) -> Path:
    """The folder of what a device takes."""
    return BOARDS / pinmap_of(device).board.name


def agent_config(folder: Path, device: str, more: str = "") -> Config:
    """What the agent's own loader makes of a device's generated sections, beside the least that a device must say."""
    panel = pinmap_of(device).panel
    assert panel is not None
    generated = (board_of(device) / "agent.toml").read_text("utf-8")
    (folder / "device.toml").write_text(HEAD.format(scheme=panel.scheme) + generated + more, encoding="utf-8")
    return load(folder / "device.toml", {})


def compile_tree(source: Path, *options: str) -> bytes:
    """The binary of a device tree's source. Whatever the compiler says, a warning too, fails the test."""
    dtc = require_program("dtc")
    ran = subprocess.run([dtc, *options, "-I", "dts", "-O", "dtb", source], capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, b"")
    return ran.stdout


@pytest.mark.parametrize("device", FOLDERS)
def test_nothing_has_drifted(device: str) -> None:
    """The files in `generated` are those that the pin map gives, and there is no other: nobody forgot `make kit`."""
    pinmap = pinmap_of(device)
    for folder, texts in (
        (FOLDERS[device] / GENERATED, documents(pinmap)),
        (board_of(device), board_files(pinmap)),
    ):
        assert {path.name: path.read_text("utf-8") for path in folder.iterdir()} == texts


@pytest.mark.parametrize("device", FOLDERS)
def test_the_agent_takes_its_sections(device: str, tmp_path: Path) -> None:
    """The generated sections load as a part of device.toml: each button, lamp and module of the pin map is there."""
    pinmap, config = pinmap_of(device), agent_config(tmp_path, device)
    assert config.panel is not None and pinmap.panel is not None
    assert {name: button.code for name, button in config.buttons.items()} == pinmap.panel.codes
    wired = {each.point or str(each.pin): each.button for each in pinmap.signal if each.use in ("button", "emergency")}
    assert config.panel.lines == wired
    assert set(config.panel.lamps) == {each.button for each in pinmap.signal if each.use == "lamp"}
    modules = {(bus.path, one.name, one.id, one.map) for bus in config.buses for one in bus.slave}
    assert modules == {(bus.path, one.name, one.id, one.map) for bus in pinmap.bus for one in bus.slave}


def test_the_example_of_a_station_is_wired(tmp_path: Path) -> None:
    """Each terminal that docs/station.example.toml speaks of is wired on the station unit, and the agent loads both."""
    layout = (ROOT / "docs" / "station.example.toml").read_text("utf-8")
    (tmp_path / "station.toml").write_text(layout, encoding="utf-8")
    assert load_layout(agent_config(tmp_path, "station", STATION)).doors
    wired = {each.point for each in pinmap_of("station").signal}
    spoken = {text for text in texts(tomllib.loads(layout)) if text.startswith(("io.di", "io.do"))}
    assert len(spoken) > 30 and spoken - wired == set()


def texts(node: object) -> Iterator[str]:
    """Every text in a parsed TOML."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping | list):
        for item in node.values() if isinstance(node, Mapping) else node:
            yield from texts(item)


@pytest.mark.parametrize("device", FOLDERS)
def test_the_overlay_goes_round(device: str, tmp_path: Path) -> None:
    """The device-tree compiler takes the overlay without a word, and there and back it is the same."""
    binary = compile_tree(board_of(device) / "overlay.dts", "-@")
    (tmp_path / "overlay.dtbo").write_bytes(binary)
    dtc = require_program("dtc")
    back: list[str | Path] = [
        dtc,
        "-q",
        "-I",
        "dtb",
        "-O",
        "dts",
        "-o",
        tmp_path / "back.dts",
        tmp_path / "overlay.dtbo",
    ]
    subprocess.run(back, check=True, capture_output=True)
    assert compile_tree(tmp_path / "back.dts", "-q") == binary


@pytest.mark.parametrize("device", FOLDERS)
def test_the_overlay_sets_every_pin(device: str) -> None:
    """Each GPIO of the pin map's signals and serial lines stands in a brcm,pins of the overlay, once."""
    text = (board_of(device) / "overlay.dts").read_text("utf-8")
    rows = [line.partition("<")[2].partition(">")[0].split() for line in text.splitlines() if "brcm,pins" in line]
    pinmap = pinmap_of(device)
    serial = [pin for bus in pinmap.bus if bus.kind != "i2c" for pin in bus.pins.values()]
    own = [each.pin for each in pinmap.signal if each.pin is not None]
    assert sorted(int(pin) for row in rows for pin in row) == sorted(serial + own)


def test_the_wiring_table_has_every_wire() -> None:
    """Each signal and each pin of each connector stands in the table."""
    for device in FOLDERS:
        table, pinmap = (FOLDERS[device] / GENERATED / "wiring.md").read_text("utf-8"), pinmap_of(device)
        pins = [f"| {each.name}.{number} |" for each in pinmap.connector for number in range(1, each.pins + 1)]
        assert [text for text in (*pins, *(each.title for each in pinmap.signal)) if text not in table] == []


def test_rendering_tells_what_it_does_and_refuses_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each pin map is told as it is taken; of one with a fault nothing is written, and the fault names its file."""
    for device, text in (("station", text_of("station")), ("vehicle", seeded("vehicle", "pin = 20", "pin = 17"))):
        (tmp_path / device / "a" / GENERATED).mkdir(parents=True)
        (tmp_path / device / "a" / "pinmap.toml").write_text(text, encoding="utf-8")
        (tmp_path / device / "a" / GENERATED / "stale.md").touch()
    assert not render(tmp_path, tmp_path / "boards")
    said = capsys.readouterr()
    assert "[1/2] station/a/pinmap.toml" in said.out and "[2/2] vehicle/a/pinmap.toml" in said.out
    assert said.err.startswith("vehicle/a/pinmap.toml: signal[") and "GPIO17 is used by" in said.err
    assert {each.name for each in (tmp_path / "station/a" / GENERATED).iterdir()} == set(
        documents(pinmap_of("station"))
    )
    assert [each.name for each in (tmp_path / "vehicle/a" / GENERATED).iterdir()] == ["stale.md"]


def test_a_folder_without_pin_maps_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is nothing to render, that is a fault."""
    assert not render(tmp_path, tmp_path / "boards")
    assert "has no pin map" in capsys.readouterr().err


def test_a_pin_map_in_another_folder_is_told(tmp_path: Path) -> None:
    """A pin map that says it is of another device or revision than its folder is refused."""
    path = tmp_path / "vehicle" / "b" / "pinmap.toml"
    path.parent.mkdir(parents=True)
    path.write_text(text_of("vehicle"), encoding="utf-8")
    found = read_pinmap(path, MAPS)
    assert not isinstance(found, Pinmap)
    assert [problem.path for problem in found] == ["vehicle/b/pinmap.toml: board.revision"]


def test_the_facts_of_the_header_hold_together() -> None:
    """28 GPIOs on 28 pins of 40, none of which is a supply or ground, and every peripheral's pins among them."""
    supplies = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert set(HEADER_PINS) == set(range(28)) and set(HEADER_PINS.values()) == set(range(1, 41)) - supplies
    assert all(pin in HEADER_PINS for pins in PERIPHERALS.values() for pin in pins.values())
    assert HARDWARE.is_dir() and set(FOLDERS) == {"station", "vehicle"}
