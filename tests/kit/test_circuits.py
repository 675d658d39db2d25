"""The circuits stand what they meet, and a fault that is put in is found, with a line that a technician understands."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.circuits import alternative_parts, circuit_parts, laws, report
from tests.kit.boards import catalogue
from tests.kit.circuitry import CIRCUITS, TEXT, circuits_of, faults, pinmaps, seeded
from tests.kit.pinmaps import pinmap_of

SEEDED = [
    ("lamp_a = 0.02", "lamp_a = 0.05", "", "'lamp_driver': lamp current that it carries is 31.9 mA"),
    ("drop_v = 0.3 }", "drop_v = 0.7 }", "", "'lamp_driver': left across the switch is 700 mV"),
    ("gain = 250", "gain = 30", "", "'lamp_driver': gain is 30; expected at least 40"),
    ("crank_v = 6", "crank_v = 4.5", "", "LED current at 4.5 V (engine starting) is"),
    ("ratio = 1.0", "ratio = 0.3", "", "'opto_input': collector current while starting is"),
    ("drop_v = 0.4 }", "drop_v = 0.9 }", "", "'opto_input': level when lit is 900 mV; expected at most 800 mV"),
    ("off_v = 1.5", "off_v = 3", "", "LED voltage at 3 V (off, leaking) is"),
    ("led_a_max = 0.06", "led_a_max = 0.02", "", "LED current at 28.8 V is"),
    ("led_a_max = 0.06", "led_a_max = 0.04", "", "LED current in a load dump of 58 V is"),
    ("dump_v = 58", "dump_v = 80", "", "heat of series in a load dump of 80 V is"),
    ("most_v = 32", "most_v = 40", "", "'opto_input': clamp stands off is 36 V; expected at least 40 V"),
    (
        "ohms = 680, tolerance = 0.01, watts = 1",
        "ohms = 680, tolerance = 0.01, watts = 0.25",
        "",
        "heat of series at 32",
    ),
    ('role = "termination"', 'role = "filter"', "", "'rs485_line' has no termination; expected a component of role"),
    ("r_120r = { ohms = 120", "r_120r = { ohms = 220", "", "'rs485_line': termination is 220 ohm; expected"),
    ("r_620r = { ohms = 620", "r_620r = { ohms = 1500", "", "'rs485_line': idle voltage, A less B is"),
    ("far_ohms = 120", "far_ohms = 60", "", "'rs485_line': idle voltage, A less B is"),
    ("r_620r = { ohms = 620", "r_620r = { ohms = 330", "", "'rs485_line': unit loads is"),
    ("r_4k7 = { ohms = 4700", "r_4k7 = { ohms = 22000", "", "enable level before the device has started is 1.32 V"),
    ("modules = 2", "modules = 1", "", "calculated for 1 modules, and line 'hall' of station-a has 2"),
    ('role = "flyback"', 'role = "filter"', "", "'relay_24v' has no flyback"),
    ("supply_min_v = 18", "supply_min_v = 12", "", "'relay_24v': lowest supply, as the coil sees it is 12 V"),
    ("supply_max_v = 32", "supply_max_v = 40", "", "'relay_24v': highest supply is 40 V; expected at most 36 V"),
    ("sink_a = 0.1", "sink_a = 0.01", "", "'relay_24v': coil current is 14.5 mA; expected at most 10 mA"),
    ("load_a = 0.5", "load_a = 0.9", "", "'relay_24v': fuse is 1 A; expected at least 1.12 A"),
    ("contact_a = 5", "contact_a = 0.5", "relay_24v = {", "load current and a quarter is 625 mA"),
    ("contact_ohms = 100", "contact_ohms = 900", "", "'button_contact': level when pressed is"),
    ("r_2k2 = { ohms = 2200", "r_2k2 = { ohms = 10000", "", "'button_contact': wetting current is"),
    ("r_29k4 = { ohms = 29400", "r_29k4 = { ohms = 33000", "", "'hold_up': power-fail threshold, highest is 5.28 V"),
    ("r_29k4 = { ohms = 29400", "r_29k4 = { ohms = 20000", "", "'hold_up': power-fail threshold, lowest is 3.46 V"),
    ('value = "4.7 kΩ"', 'value = "47 kΩ"', "", "R1 is '47 kΩ', and its part 'r_4k7' is RC0805FR-074K7L"),
    ('value = "VO618A-3"', 'value = "PC817"', "", "U1 is 'PC817', and its part 'opto_vo618a' is VO618A-3X017T"),
    ('part = "q_bc817"', 'part = "q_bc871"', "", "is a 'q_bc871', which is no part (did you mean 'q_bc817'?)"),
    ("q_bc817 = {", "q_bc871 = {", "", "no part is 'q_bc871'"),
    (", ratio = 1.0", "", "", "of 'opto_vo618a' (U1 of 'opto_input') no ratio is known"),
    ("lamp_v = 5\n", "", "", "'lamp_driver' does not say its lamp_v; expected a number"),
    ('through = ["driver"]', 'through = ["divider"]', "", "no circuit serves signal 'lamp_1' of vehicle-a"),
    ('through = ["driver"]', 'through = ["divider"]', "", "nothing goes through 'lamp_driver'"),
    ('use = ["power_fail"]', 'use = ["pps"]', "", "no circuit serves signal 'power_fail' of station-a"),
    ('through = ["opto"]', 'through = ["opto", "driver"]', "", "'opto_input' and 'lamp_driver' both serve signal"),
    (
        'instead_of = "relay_24v"',
        'instead_of = "relay_42v"',
        "",
        "no circuit is 'relay_42v' (did you mean 'relay_24v'?)",
    ),
    ('name = "relay_12v"', 'name = "relay_24v"', "", "'relay_24v' is circuit[3] too"),
    ('ref = "R2"', 'ref = "R1"', "", "'opto_input' has 2 components R1"),
    ('net = "lamp"', 'net = "lump"', "", "net 'lump' of 'lamp_driver' has one end"),
    ('"R1.2 R2.1", ', "", "", "the drawing of 'opto_input' leaves"),
    ('"D2.k U1.a"', '"D2.k U1.a U1.k"', "", "the drawing of 'opto_input' joins 'ground' and 'led' at"),
    ('"R5.2 20,4"', '"R5.2 20,5"', "", "goes askew from (19.0, 4.0) to (20.0, 5.0)"),
    ('"R5.2 20,4"', '"R9.2 20,4"', "", "'R9.2' is no place of 'opto_input'"),
    ('"R5.2 20,4"', '"R5.2 20,4", "0,9 4,9"', "", "a wire of 'opto_input' is on no pin"),
    ('bottom = ["GND"]', "bottom = []", "", "pin U1.GND of 'rs485_line' is not on its symbol 'block'"),
    ('pins = { a = "limited", k = "led" }', 'pins = { k = "limited", a = "led" }', "", "of 'opto_input' joins"),
]


def test_the_circuits_have_no_fault() -> None:
    """Every figure is within its limits, every part fits, everything is served, and each drawing shows its nets."""
    assert faults(TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "inside", "line"), SEEDED, ids=[f"{new or old}: {line}" for old, new, _, line in SEEDED]
)
def test_a_fault_is_found(old: str, new: str, inside: str, line: str) -> None:
    """A fault that is put into the circuits or their drawing gives a line that says what is wrong."""
    start = TEXT.index(inside) if inside else 0
    text = TEXT[:start] + TEXT[start:].replace(old, new, 1)
    assert text != TEXT
    assert [fault for fault in faults(text) if line in fault]


def test_every_fault_is_told_at_once() -> None:
    """Two faults of two circuits give two lines or more: nobody mends one to find the next."""
    text = seeded("lamp_a = 0.02", "lamp_a = 0.05").replace("sink_a = 0.1", "sink_a = 0.01")
    found = faults(text)
    assert {"lamp_driver", "relay_24v", "relay_12v"} <= {fault.split("'")[1] for fault in found}


def test_parts_too_weak_are_found() -> None:
    """A diode below what the clamp lets through is told with both, and so is one without a rating."""
    diode = catalogue()["d_s1m"]
    weak = dict(catalogue()) | {"d_s1m": msgspec.structs.replace(diode, volts_max=30.0)}
    assert [fault for fault in faults(TEXT, parts=weak) if "D2 of 'opto_input' meets 44.2 V, and 'd_s1m' is" in fault]
    unknown = dict(catalogue()) | {"d_s1m": msgspec.structs.replace(diode, amps_max=None)}
    assert [fault for fault in faults(TEXT, parts=unknown) if "D2 of 'relay_24v' meets 0.5 A, and no rating" in fault]


def test_a_pin_map_that_asks_too_much_is_found() -> None:
    """A lamp of 12 V on the driver of 5 V, and a line that does not end at the device, are told with their names."""
    pinmap = pinmap_of("vehicle")
    hot = [msgspec.structs.replace(each, volts=12.0) if each.name == "lamp_1" else each for each in pinmap.signal]
    open_end = [msgspec.structs.replace(each, terminated=("io",)) for each in pinmap.bus]
    changed = msgspec.structs.replace(pinmap, signal=tuple(hot), bus=tuple(open_end))
    found = "\n".join(faults(TEXT, boards=(changed, pinmap_of("station"))))
    assert "'lamp_driver' is for 5 V, and signal 'lamp_1' of vehicle-a carries 12 V" in found
    assert "'rs485_line' is terminated, and line 'field' of vehicle-a is not there" in found


def test_parts_are_counted_for_each_signal() -> None:
    """Seven lamps are seven transistors, two lines two transceivers; what parts.toml lists is not counted again."""
    vehicle, station = (circuit_parts(circuits_of(TEXT), pinmap_of(device)) for device in ("vehicle", "station"))
    assert (vehicle["q_bc817"], vehicle["opto_vo618a"], vehicle["rs485_thvd1410"]) == (7, 1, 1)
    assert (station["rs485_thvd1410"], station["r_620r"], station["relay_24v"]) == (2, 4, 11)
    assert not {"q_bc817", "opto_vo618a"} & station.keys()
    assert "fuse_5a" not in vehicle and "relay_12v" not in vehicle
    assert alternative_parts(circuits_of(TEXT))["relay_12v"] == 0


def test_the_page_tells_every_figure() -> None:
    """The page in `generated` is the one that the circuits give, and has each circuit's figures with their limits."""
    page = report(circuits_of(TEXT), pinmaps())
    assert (CIRCUITS / "generated" / "circuits.md").read_text("utf-8") == page
    assert "Not built, and not tested on hardware" in page
    assert "| lamp current that it carries | 31.9 mA | at least 20 mA |" in page


def test_currents_are_those_of_a_bench() -> None:
    """Worked by hand: 6 V less 0.9 V and 1.5 V on 1000 ohm is 3.6 mA, of which 1.5 mA go past the LED; 1 V is none."""
    assert laws.led_a(6, 1000, 0.9, 1.5, 1000) == pytest.approx(0.0021)
    assert laws.led_a(1, 1000, 0.9, 1.5, 1000) == 0
    assert laws.heat_w(12, 1000) == pytest.approx(0.144)
    assert laws.divided(3.3, 10_000, 10_000) == pytest.approx(1.65)


@given(supply=st.floats(3, 6), bias=st.floats(100, 5000), end=st.floats(30, 500), load=st.floats(300, 1e6))
def test_an_idle_line_obeys_kirchhoff(supply: float, bias: float, end: float, load: float) -> None:
    """What flows into A and into B flows out again, with the difference that the law gives between them."""
    difference = laws.idle_v(supply, bias, end, load)
    b = difference / end / (1 / bias + 1 / load)
    a = b + difference
    assert (supply - a) / bias == pytest.approx(a / load + difference / end)
    assert difference / end == pytest.approx(b / bias + b / load)
