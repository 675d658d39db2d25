"""The cables of the pin maps: faults that are put into them are found, and their drawings are those on the disk."""

import re
import sys
from xml.etree import ElementTree

import pytest

from kit.check_wires import amps_of
from kit.drawing import CannotDraw, draw, drawings, drawn_by
from kit.harness import harness
from kit.pinmap import Pinmap, parse_pinmap
from kit.render import GENERATED
from tests.kit.pinmaps import FOLDERS, faults, pinmap_of, seeded, text_of
from tests.programs import require_program

A_PAIR = 'colour = "BU", far = "A", pair = 1'
SEEDED = [
    pytest.param(
        "vehicle",
        '{ pin = "J3.5", colour = "BK"',
        '{ pin = "J3.4", colour = "BK"',
        "J3.4 has core RD of cable 'receiver' and core BK of cable 'receiver'",
        id="a pin with two cores",
    ),
    pytest.param(
        "vehicle",
        '    { pin = "J3.2", colour = "YE", far = "TXD" },\n',
        "",
        "bus 'receiver' (rx) is on J3.2, which has no core",
        id="a pin without a core",
    ),
    pytest.param(
        "vehicle",
        '{ pin = "J3.2", colour',
        '{ pin = "J1.3", colour',
        "J1.3 has core PK of cable 'supply' and core YE of cable 'receiver'",
        id="a pin with cores of two cables",
    ),
    pytest.param(
        "vehicle",
        '{ pin = "J3.2", colour',
        '{ pin = "J7.2", colour',
        "core YE of cable 'receiver' is on J7.2, and there is no connector J7",
        id="no such connector",
    ),
    pytest.param(
        "vehicle",
        '{ pin = "J3.2", colour',
        '{ pin = "J3.9", colour',
        "core YE of cable 'receiver' is on J3.9, which J3 (Satellite receiver) has not",
        id="no such pin",
    ),
    pytest.param(
        "vehicle",
        '{ pin = "J3.2", colour',
        '{ pin = "J3.6", colour',
        "core YE of cable 'receiver' is on J3.6, which nothing uses",
        id="a core on a pin that is left open",
    ),
    pytest.param(
        "vehicle",
        'colour = "YE", far = "TXD"',
        'colour = "GN", far = "TXD"',
        "GN in cable 'receiver' is the colour of J3.1 and of J3.2",
        id="a colour twice",
    ),
    pytest.param(
        "vehicle",
        'far = "TXD"',
        'far = "RXD"',
        "'RXD' in cable 'receiver' is the other end of J3.1 and of J3.2",
        id="another end twice",
    ),
    pytest.param(
        "vehicle",
        'colour = "YE", far = "TXD"',
        'colour = "GNYE", far = "TXD"',
        "core GNYE of cable 'receiver' is on J3.2, and green-yellow is for earth alone",
        id="the colour of earth",
    ),
    pytest.param(
        "vehicle",
        'colour = "YE", far = "TXD"',
        'colour = "XX", far = "TXD"',
        "expected a colour as IEC 60757 has it",
        id="no colour",
    ),
    pytest.param(
        "vehicle", A_PAIR, A_PAIR.replace(", pair = 1", ""), "cores BU and WHBU of cable 'field'", id="no twisted pair"
    ),
    pytest.param(
        "vehicle", A_PAIR, A_PAIR.replace("1", "2"), "cores BU and WHBU of cable 'field'", id="two twisted pairs"
    ),
    pytest.param(
        "vehicle", A_PAIR, A_PAIR.replace("1", "2"), "pair 2 of cable 'field' is J4.1; expected", id="a pair of one"
    ),
    pytest.param(
        "vehicle",
        '{ pin = "J4.3", colour = "OG", far = "GND" },',
        "",
        "cable 'field' carries bus 'field' and no ground",
        id="a line without ground",
    ),
    pytest.param(
        "vehicle",
        "gauge_mm2 = 1.5",
        "gauge_mm2 = 0.5",
        "core RD of cable 'supply' stands 4.5 A, and rail 'battery' carries 5 A; expected 0.75 mm2",
        id="a core too thin for its fuse",
    ),
    pytest.param(
        "vehicle",
        "gauge_mm2 = 1.5",
        "gauge_mm2 = 0.5",
        "core BK of cable 'supply' stands 4.5 A, and rail 'battery' carries 5 A",
        id="a return too thin for the fuse",
    ),
    pytest.param(
        "vehicle",
        "gauge_mm2 = 1.0",
        "gauge_mm2 = 0.5",
        "core OG of cable 'vehicle_io' stands 4.5 A, and rail 'battery' carries 5 A",
        id="a relay's load too thin for the fuse",
    ),
    pytest.param(
        "vehicle",
        "amps = 5 ",
        "amps = 30 ",
        "core RD of cable 'supply' stands 9 A, and rail 'battery' carries 30 A; expected a smaller fuse",
        id="a fuse too large for any core",
    ),
    pytest.param(
        "vehicle",
        "amps = 1 ",
        "# ",
        "cable 'receiver' carries rail 'supply_5v', which does not say what its fuse lets through",
        id="a rail without a fuse",
    ),
    pytest.param(
        "vehicle",
        "length_m = 3",
        "length_m = 4",
        "bus 'receiver' at 9600 baud goes 4 m through cable 'receiver'; expected 3 m",
        id="logic too long",
    ),
    pytest.param(
        "vehicle",
        'path = "/dev/watchroom/receiver"',
        'path = "/dev/watchroom/receiver"\nbaud = 115200',
        "bus 'receiver' at 115200 baud goes 3 m through cable 'receiver'; expected 1 m",
        id="too long for so many baud",
    ),
    pytest.param(
        "vehicle",
        "length_m = 2\ngauge_mm2 = 0.25",
        "length_m = 6\ngauge_mm2 = 0.25",
        "signal 'emergency' goes 6 m through cable 'panel' with nothing between",
        id="a button too far away",
    ),
    pytest.param(
        "station",
        "length_m = 60",
        "length_m = 1100",
        "bus 'hall' at 19200 baud goes 1100 m through cable 'hall'; expected 1000 m",
        id="a line too long",
    ),
    pytest.param(
        "vehicle",
        'name = "receiver"\ntitle = "Receiver cable"',
        'name = "panel"\ntitle = "Receiver cable"',
        "'panel' is already the name of cable[1]",
        id="a name twice",
    ),
]


@pytest.mark.parametrize(("device", "old", "new", "says"), SEEDED)
def test_a_seeded_fault_of_a_cable_is_found(device: str, old: str, new: str, says: str) -> None:
    """One change to a cable draws one line that says what it did, and what would be right."""
    found = [line for line in faults(seeded(device, old, new)) if says in line]
    assert len(found) == 1
    assert "\n" not in found[0] and "expected " in found[0]


def test_a_connector_without_a_cable_is_found() -> None:
    """A connector that is wired and that no cable plugs on is told once, with what is on it."""
    text = text_of("vehicle")
    begin, end = (text.index(f'[[cable]]\nname = "{name}"') for name in ("receiver", "field"))
    found = [line for line in faults(text[:begin] + text[end:]) if "J3" in line]
    assert [line.partition(";")[0] for line in found] == [
        "connector[2]: no cable plugs on J3 (Satellite receiver), and rail 'ground' is on J3.5"
    ]


def test_wires_of_a_line_in_two_cables_are_found() -> None:
    """An RS-485 line whose wires go through two cables has no twisted pair."""
    moved = '    { pin = "J4.2", colour = "WHBU", far = "B", pair = 1 },\n'
    text = seeded("vehicle", moved, "").replace('{ pin = "X1.1"', moved.strip() + '\n    { pin = "X1.1"')
    assert any(
        "wire a of bus 'field' is in cable 'field' and wire b in cable 'vehicle_io'" in one for one in faults(text)
    )


def test_a_cable_between_two_connectors_takes_a_pin_of_each() -> None:
    """Where a cable's other end is a connector, what its cores end on there is a pin, and is checked like one."""
    text = seeded("vehicle", 'to = "Vehicle, its own wiring"', 'to = "J1"').replace('far = "Load 1"', 'far = "J1.2"')
    found = faults(text)
    assert any("J1.2 has core BK of cable 'supply' and core OG of cable 'vehicle_io'" in line for line in found)
    assert any("core YE of cable 'vehicle_io' is on Load 2, and there is no connector Load 2" in line for line in found)


def test_a_core_between_two_sizes_counts_as_the_thinner() -> None:
    """What no table has is not reckoned up: 0.9 mm2 stands no more than 0.75 does, and hair stands nothing."""
    assert (amps_of(0.9), amps_of(0.75), amps_of(0.1)) == (6.0, 6.0, 0.0)


@pytest.mark.parametrize("device", FOLDERS)
def test_the_drawings_have_not_drifted(device: str) -> None:
    """What WireViz is given is byte for byte that on the disk; the drawings too, where the same programs drew them.

    Another graphviz or font sets things elsewhere: there the texts, the parts and their colours are the same.
    """
    require_program("dot")
    pinmap, folder = pinmap_of(device), FOLDERS[device] / GENERATED
    assert {path.name: path.read_text("utf-8") for path in folder.glob("harness-*.yml")} == harness(pinmap)
    there = {path.name: path.read_text("utf-8") for path in folder.glob("harness-*.svg")}
    drawn = drawings(pinmap)
    assert {name: parts(svg) for name, svg in drawn.items()} == {name: parts(svg) for name, svg in there.items()}
    assert [
        name for name in drawn if drawn_by(drawn[name]) == drawn_by(there[name]) and drawn[name] != there[name]
    ] == []
    assert "wireviz" not in sys.modules


def parts(svg: str) -> list[tuple[str, str, str]]:
    """What a drawing consists of: each element's kind, colour and text, without where it stands."""
    nodes = ElementTree.fromstring(re.sub("<desc>.*?</desc>", "", svg)).iter()
    return [(node.tag, node.get("fill", "") + node.get("stroke", ""), (node.text or "").strip()) for node in nodes]


@pytest.mark.parametrize("device", FOLDERS)
def test_every_wired_pin_is_in_a_drawing(device: str) -> None:
    """Each core stands in its cable's drawing with its pin, what is on it, its colour and its other end."""
    pinmap, folder = pinmap_of(device), FOLDERS[device] / GENERATED
    titles = pinmap.titles()
    for cable in pinmap.cable:
        texts = {text for _, _, text in parts((folder / f"harness-{cable.name}.svg").read_text("utf-8"))}
        for core in cable.core:
            assert f"{core.pin.replace('.', ':')}:{titles[core.pin]}" in texts
            assert core.far in texts and any(text.partition(":")[0] == core.colour for text in texts)


def test_a_drawing_names_nothing_of_the_machine() -> None:
    """No path, date, link or remark of the programs that drew it stands in a drawing, and no title but its own."""
    require_program("dot")
    foreign = re.compile(r"<!--|/tmp|/home|https?://(?!www\.w3\.org)|20\d\d-\d\d")
    for svg in drawings(pinmap_of("vehicle")).values():
        assert foreign.findall(svg) == [] and svg.count("<title>") == 1


def test_a_machine_without_graphviz_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where dot is missing, the one line says how to get it."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotDraw, match="apt install graphviz"):
        draw({"harness-x.yml": "connectors:\n"})


def test_any_words_can_be_drawn() -> None:
    """Bare figures, a range of them and a sign that graphviz reads as markup can all be the end of a core."""
    require_program("dot")
    text = seeded("vehicle", 'far = "TXD"', 'far = "5-7"').replace('far = "RXD"', 'far = "1"')
    found = parse_pinmap(text.replace('far = "PPS"', 'far = "on"').replace('far = "VCC"', 'far = "A & B"'))
    assert isinstance(found, Pinmap)
    texts = {text for _, _, text in parts(drawings(found)["harness-receiver.svg"])}
    assert {"pin 1", "pin 5-7", "on", "A & B"} <= texts


def test_what_wireviz_refuses_is_told() -> None:
    """A text that WireViz can't draw is a failure of one line, with WireViz's last word."""
    require_program("dot")
    twice = "connectors: {J1: {pins: [1, 1]}}\ncables: {W1: {colors: [RD]}}\nconnections: [[{J1: [1]}, {W1: [1]}]]\n"
    with pytest.raises(CannotDraw, match="wireviz says: .*Pins are not unique"):
        draw({"harness-x.yml": twice})
