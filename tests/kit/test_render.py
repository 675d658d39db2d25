"""What is generated: no drift, taken by the agent's own loader and by the device-tree compiler."""

import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from edge_agent.around import load_layout
from edge_agent.config import Config, load
from kit.header import ADDRESSES, HEADER_PINS, PERIPHERALS
from kit.render import BOARDS, GENERATED, HARDWARE, render
from tests.kit.pinmaps import FOLDERS, pinmap_of
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
PROFILES = "firmware_configs/profiles"
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


def sources(root: Path) -> None:
    """Copy all that is written by hand, and nothing that is generated, under another root."""
    for path in (*HARDWARE.rglob("*.toml"), *HARDWARE.rglob("*.csv"), *(ROOT / PROFILES).glob("*.toml")):
        if GENERATED not in path.parts:
            target = root / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())


def generated(root: Path) -> dict[str, str]:
    """Every generated file under a root, by its place."""
    paths = (*root.glob(f"hardware/**/{GENERATED}/*"), *root.glob("firmware_configs/boards/*/*"))
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in paths}


def test_nothing_has_drifted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From what is written by hand alone `make kit` makes every file that is generated, no more and no other.

    What no source gives any more goes: nobody builds after it.
    The cables' drawings are held by texts and structure in test_harness: another graphviz sets them elsewhere.
    """
    require_program("dot")
    sources(tmp_path)
    stale = tmp_path / "hardware" / "vehicle" / "a" / GENERATED / "panel-tank.svg"
    stale.parent.mkdir()
    stale.touch()
    assert render(tmp_path)
    made, there = generated(tmp_path), generated(ROOT)
    assert set(made) == set(there) and len(made) > 40
    assert [name for name in made if made[name] != there[name] and "/harness-" not in name] == []
    said = capsys.readouterr().out
    assert "[1/3] Station unit, revision a" in said and "[3/3] Circuits" in said


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


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("hardware/vehicle/a/pinmap.toml", ("pin = 20", "pin = 17"), "GPIO17 is used by signal"),
        (
            "hardware/vehicle/a/pinmap.toml",
            ('revision = "a"', 'revision = "b"'),
            "board.revision: is 'b', and the file",
        ),
        ("hardware/vehicle/a/parts.toml", ('part = "rtc_ds3231"', 'part = "rtc_ds3232"'), "rtc_ds3232"),
        ("hardware/vehicle/a/power.toml", ("[supply]", "[suply]"), "suply: unknown key (did you mean 'supply'?)"),
        (
            "hardware/vehicle/a/power.toml",
            ('part = "modem_lte"', 'part = "modem_let"'),
            "'modem_let' is not on the bill",
        ),
        ("hardware/vehicle/a/panel.toml", ('button = "b6"', 'button = "b7"'), "'b7' has a place, and is no button"),
        (
            "hardware/parts.csv",
            ("\n", "\nspare,x,x,x,x,,,0,1,x,1,x\n"),
            "spare: is in the catalogue, and no device uses it",
        ),
        ("hardware/circuits/circuits.toml", ("wire = [", 'wire = ["R99.2 8,5", '), "R99"),
        ("hardware/station/a/panel.toml", ("[sheet]", "[shet]"), "shet: unknown key (did you mean 'sheet'?)"),
        ("hardware/circuits/circuits.toml", ('part = "', 'part = "no_'), "no_"),
        ("hardware/parts.csv", ("key,what", "what,key"), "line 1: is not the columns of a catalogue"),
        (
            "firmware_configs/profiles/ambulance.toml",
            ('board = "vehicle-a"', 'board = "vehicle-z"'),
            "there is no board",
        ),
        ("firmware_configs/profiles/ambulance.toml", ('"AT SCENE"', '"at scene"'), "1 to 11 capitals"),
        (
            "hardware/circuits/parts.csv",
            ("\n", "\nrtc_ds3231,x,x,x,x,,,0,1,x,1,x\n"),
            "'rtc_ds3231' stands in parts.csv too",
        ),
    ],
)
def test_nothing_is_written_while_anything_has_a_fault(
    file: str, change: tuple[str, str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fault in any file is told with the file's name, and nothing that stands is touched."""
    sources(tmp_path)
    text = (tmp_path / file).read_text("utf-8")
    assert change[0] in text
    (tmp_path / file).write_text(text.replace(*change, 1), encoding="utf-8")
    assert not render(tmp_path) and generated(tmp_path) == {}
    lines = capsys.readouterr().err.splitlines()
    named = "hardware" if "stands in" in said else file
    assert any(line.startswith(named) and said in line for line in lines), lines
    assert lines[-1].endswith("faults: nothing was written")


def test_a_folder_without_pin_maps_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is nothing to render, that is a fault."""
    (tmp_path / "hardware").mkdir()
    assert not render(tmp_path)
    assert "hardware: has no pin map; expected DEVICE/REVISION/pinmap.toml" in capsys.readouterr().err


def test_the_facts_of_the_header_hold_together() -> None:
    """28 GPIOs on 28 pins of 40, none of which is a supply or ground, and every peripheral's pins among them."""
    supplies = {1, 2, 4, 6, 9, 14, 17, 20, 25, 30, 34, 39}
    assert set(HEADER_PINS) == set(range(28)) and set(HEADER_PINS.values()) == set(range(1, 41)) - supplies
    assert all(pin in HEADER_PINS for pins in PERIPHERALS.values() for pin in pins.values())
    assert {f"uart{n}": f"{0xFE20_1000 + 0x200 * n:x}" for n in range(2, 6)} == ADDRESSES
    assert HARDWARE.is_dir() and set(FOLDERS) == {"station", "vehicle"}
