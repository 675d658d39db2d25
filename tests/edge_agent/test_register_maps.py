"""Register maps and lines: the packaged ones are right, and what a person gets wrong is told, all of it at once."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge_agent.config.buses import ALARM_NAME_MAX, NAME_MAX, BusSettings, SlaveEntry, bus_problems, name_problems
from edge_agent.config.register_maps import RegisterMap, load_maps, parse_map
from edge_agent.decode.modbus import Span, plan_spans
from wire import codec
from wire.events import AlarmEvent, Event, InputEvent

AT = datetime(2026, 11, 3, tzinfo=UTC)

SMALL = """
[map]
name = "small"
title = "A small map"
reference = "made up"
[[point]]
name = "lamp"
function = "coil"
address = 0
writable = true
"""


def problems(text: str) -> list[str]:
    """What is wrong with a map, a line each."""
    found = parse_map(text)
    return [str(each) for each in found] if isinstance(found, tuple) else []


def test_the_packaged_maps_load() -> None:
    """Each map that we ship passes its own checks, under its file's name."""
    maps, wrong = load_maps()
    assert () == wrong
    assert {"eastron-sdm630", "generic-io-32x32", "generic-io-8x8", "moxa-iologik-e1214"} == set(maps)


@pytest.mark.parametrize(
    ("name", "spans"),
    [
        ("generic-io-8x8", (Span("coil", 0, 8), Span("discrete_input", 0, 8))),
        (
            "generic-io-32x32",
            (
                Span("coil", 0, 32),
                Span("discrete_input", 0, 32),
                Span("holding_register", 0, 8),
                Span("input_register", 0, 8),
            ),
        ),
        ("moxa-iologik-e1214", (Span("coil", 0, 6), Span("discrete_input", 0, 6))),
        (
            "eastron-sdm630",
            (Span("input_register", 0, 18), Span("input_register", 52, 2), Span("input_register", 70, 6)),
        ),
    ],
)
def test_the_packaged_maps_take_few_requests(name: str, spans: tuple[Span, ...]) -> None:
    """A poll of each takes these requests and no others."""
    found = load_maps()[0][name]
    planned = plan_spans(found.points, gap_max=found.head.gap_max, registers_max=found.head.registers_max)
    assert spans == planned


def test_a_sites_map_wins_over_a_packaged_one(tmp_path: Path) -> None:
    """A map beside the device's TOML is used in place of a packaged one of the same name; others stay."""
    (tmp_path / "generic-io-8x8.toml").write_text(SMALL.replace("small", "generic-io-8x8"), "utf-8")
    maps, wrong = load_maps(tmp_path)
    assert () == wrong
    assert ["lamp"] == [point.name for point in maps["generic-io-8x8"].points]
    assert "eastron-sdm630" in maps


def test_a_map_that_cannot_be_used_is_named_with_its_file(tmp_path: Path) -> None:
    """Each problem begins with the file; what is right loads all the same."""
    (tmp_path / "small.toml").write_text(SMALL, "utf-8")
    (tmp_path / "other.toml").write_text(SMALL, "utf-8")
    (tmp_path / "torn.toml").write_text("[map", "utf-8")
    (tmp_path / "notes.txt").write_text("no map", "utf-8")
    maps, wrong = load_maps(tmp_path)
    assert "small" in maps
    first, second = map(str, wrong)
    assert "register_maps/other.toml: map.name: is 'small'; expected the file's own name, 'other'" == first
    assert second.startswith("register_maps/torn.toml: is not TOML: ")


def test_a_map_that_is_nested_too_deeply_is_told(tmp_path: Path) -> None:
    """What no parser takes is a problem with its file, and never the end of the agent."""
    (tmp_path / "deep.toml").write_text("a = " + "[" * 10_000, "utf-8")
    _, wrong = load_maps(tmp_path)
    assert [str(each).partition(";")[0] for each in wrong] == [
        "register_maps/deep.toml: is not TOML: it is nested too deeply"
    ]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A map that is no text is a problem, not a crash."""
    (tmp_path / "small.toml").write_bytes(b"\xff\xfe")
    maps, wrong = load_maps(tmp_path)
    assert "generic-io-8x8" in maps
    assert ["register_maps/"] == [each.path for each in wrong]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ('name = "lamp"', "point[0].name"),
        ('kind = "uint16"', "point[0].kind: is 'uint16' in a coil; expected 'bool'"),
        ("scale = 2.0", "point[0].scale: is there, and nobody reads it; expected no such key for a bit"),
        ('word_order = "little"', "point[0].word_order: is there, and nobody reads it"),
        ("adress = 1", "point[0].adress: unknown key (did you mean 'address'?)"),
        ("pulse_ms = 1", "point[0].pulse_ms: is 1; expected a whole number from 20 to 60000"),
    ],
)
def test_each_mistake_in_a_bit_is_told(change: str, line: str) -> None:
    """A key that nobody reads, or that contradicts another, is refused with what would be right."""
    key = change.split(" ")[0]
    text = SMALL + change + "\n" if key != "name" else SMALL.replace('name = "lamp"', 'name = "La.mp"')
    assert any(each.startswith(line) for each in problems(text)), problems(text)


NUMBER = """
[[point]]
name = "level"
function = "input_register"
address = 3
kind = "float32"
"""


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"float32"', '"bool"', "point[1].kind: is 'bool' in a input_register"),
        ('"float32"', '"uint16"\nword_order = "little"', "point[1].word_order: is there, and nobody reads it"),
        ('"float32"', '"float32"\nscale = 0', "point[1].scale: is 0; expected a number other than 0"),
        ('"float32"', '"float32"\nactive = "low"', "point[1].active: is there, and nobody reads it"),
        ('"float32"', '"float32"\nalarm = true', "point[1].alarm: is there, and nobody reads it"),
        ('"float32"', '"float32"\nwritable = true', "point[1].writable: is true; expected false"),
        ('"float32"', '"float32"\npulse_ms = 100', "point[1].pulse_ms: is 100; expected no such key"),
        ("address = 3", "address = 65535", "point[1].address: is 65535; expected at most 65534 for float32"),
        ('"level"', '"lamp"', "point[1].name: 'lamp' is there twice"),
    ],
)
def test_each_mistake_in_a_number_is_told(old: str, new: str, line: str) -> None:
    """The same for registers."""
    assert [] == problems(SMALL + NUMBER)
    assert any(each.startswith(line) for each in problems(SMALL + NUMBER.replace(old, new)))


def test_two_points_cannot_share_an_address() -> None:
    """A copied line with the old address, or a float that reaches into its neighbour, is refused."""
    second = NUMBER.replace("level", "other").replace("address = 3", "address = 4")
    assert ["point[2].address: 4 is also that of 'level'; expected addresses of its own"] == problems(
        SMALL + NUMBER + second
    )


def line(**changes: object) -> BusSettings:
    """A line that is right, but for the changes."""
    right: dict[str, object] = {"name": "plant", "transport": "tcp", "host": "10.0.0.5"}
    slaves = (SlaveEntry(name="io1", id=1, map="small"),)
    return BusSettings(**{**right, "slave": slaves, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("buses", "told"),
    [
        ((line(),), []),
        ((line(host=None),), ["bus[0].host: is missing; expected where the line is: tcp needs it"]),
        ((line(path="/dev/ttyS0"),), ["bus[0].path: is there, and nobody reads it; expected no such key with tcp"]),
        (
            (line(transport="rtu"),),
            [
                "bus[0].path: is missing; expected where the line is: rtu needs it",
                "bus[0].host: is there, and nobody reads it; expected no such key with rtu",
            ],
        ),
        ((line(quiet_ms=100),), ["bus[0].quiet_ms: is 100; expected at least timeout_ms, which is 500"]),
        (
            (line(), line()),
            [
                "bus[1].name: 'plant' is there twice; expected each line once",
                "bus[1].slave[0].name: 'io1' is there twice; expected each slave once",
            ],
        ),
        (
            (line(slave=(SlaveEntry(name="io1", map="smal"),)),),
            ["bus[0].slave[0].map: 'smal' is no known register map (did you mean 'small'?); expected one of small"],
        ),
        (
            (
                line(
                    transport="rtu",
                    host=None,
                    path="/dev/ttyS0",
                    slave=(SlaveEntry(name="a", id=248, map="small"), SlaveEntry(name="b", id=248, map="small")),
                ),
            ),
            [
                "bus[0].slave[0].id: is 248; expected 1 to 247 on a serial line",
                "bus[0].slave[0].id: 248 is there twice on one serial line; expected each slave its own",
                "bus[0].slave[1].id: is 248; expected 1 to 247 on a serial line",
                "bus[0].slave[1].id: 248 is there twice on one serial line; expected each slave its own",
            ],
        ),
    ],
)
def test_each_mistake_in_a_line_is_told(buses: tuple[BusSettings, ...], told: list[str]) -> None:
    """What the shape of a line can't tell is told with its path and what would be right."""
    assert told == [str(each) for each in bus_problems(buses, ("small",))]


@pytest.mark.parametrize(("alarm", "length_max"), [("false", NAME_MAX), ("true", ALARM_NAME_MAX)])
def test_a_name_that_control_would_refuse_is_told_at_the_start(alarm: str, length_max: int) -> None:
    """An alarm under too long a name would be refused for ever: the longest name that is let through is taken."""
    maps: dict[str, RegisterMap] = {}
    for name, length in (("fits", length_max - len("io1.")), ("long", length_max - len("io1.") + 1)):
        slave_short = "x" * (length - 30)
        text = SMALL.replace('"small"', f'"{name}"').replace('"lamp"', f'"{"p" * 30}"')
        found = parse_map(text.replace("writable = true", f"alarm = {alarm}"))
        assert isinstance(found, RegisterMap)
        maps[name] = found
        buses = (line(slave=(SlaveEntry(name=f"io1{slave_short}", map=name),)),)
        told = [each.path for each in name_problems(buses, maps)]
        assert told == ([] if name == "fits" else ["bus[0].slave[0].name"])
        point = f"io1{slave_short}.{'p' * 30}"
        common: dict[str, Any] = {"seq": 1, "at": AT, "clock": "none", "boot": 1, "mono_ms": 1, "mode": "live"}
        event: Event = InputEvent(name=point, value=True, **common)
        if alarm == "true":
            event = AlarmEvent(name="input_alarm", raised=True, part=point, **common)
        assert isinstance(codec.decode_event(codec.encode(event)), codec.Rejected) is (name == "long")


def test_a_map_as_written_is_a_map() -> None:
    """The small map of these tests is right, so that each test above fails for its own reason."""
    assert isinstance(parse_map(SMALL), RegisterMap)
