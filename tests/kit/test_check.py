"""Faults that are put into the pin maps are found, each with a line that names both users."""

import pytest

from kit.render import HARDWARE
from tests.kit.pinmaps import FOLDERS, faults, seeded, text_of

EEPROM = '\n[[bus.chip]]\nname = "eeprom"\ntitle = "EEPROM"\ncompatible = "atmel,24c32"\naddress = 0x68'
SEEDED = [
    pytest.param(
        "vehicle",
        "pin = 20",
        "pin = 17",
        "GPIO17 is used by signal 'button_1' and by signal 'ignition'",
        id="one pin twice",
    ),
    pytest.param(
        "vehicle",
        "pin = 20",
        "pin = 4",
        "GPIO4 is used by bus 'field' (tx) and by signal 'ignition'",
        id="a bus's pin twice",
    ),
    pytest.param(
        "vehicle",
        "pin = 20",
        "pin = 1",
        "signal 'ignition' is on GPIO1, which is kept for the ID EEPROM (ID_SC)",
        id="the ID EEPROM's pin",
    ),
    pytest.param(
        "vehicle",
        "pin = 20",
        "pin = 14",
        "signal 'ignition' is on GPIO14, which is kept for the console (TXD)",
        id="the console's pin",
    ),
    pytest.param(
        "vehicle", "pin = 20", "pin = 40", "signal 'ignition' is on GPIO40, which the header has not", id="no such pin"
    ),
    pytest.param(
        "station",
        "id = 2",
        "id = 1",
        "address 1 of line 'hall' is set on 'io' and on 'meter'",
        id="a Modbus address twice",
    ),
    pytest.param(
        "station",
        'name = "meter"',
        'name = "io"',
        "'io' is a module of bus 'hall' and of bus 'hall'",
        id="a module twice",
    ),
    pytest.param(
        "vehicle",
        'to = "J2.3"',
        'to = "J2.1"',
        "J2.1 is wired to signal 'button_1' and to signal 'button_3'",
        id="a connector's pin twice",
    ),
    pytest.param(
        "vehicle",
        'to = "J2.3"',
        'to = "J2.1"',
        "pin J2.3 of J2 (Status panel) is wired to nothing",
        id="a connector's pin unwired",
    ),
    pytest.param(
        "vehicle",
        'to = "J2.3"',
        'to = "J2.17"',
        "signal 'button_3' goes to J2.17, which J2 (Status panel) has not",
        id="no such pin of a connector",
    ),
    pytest.param(
        "vehicle",
        'to = "J2.3"',
        'to = "J9.3"',
        "signal 'button_3' goes to J9.3, and there is no connector J9",
        id="no such connector",
    ),
    pytest.param(
        "vehicle",
        'to = "J2.3"',
        'to = "J1.4"',
        "signal 'button_3' goes to J1.4, which J1 leaves open",
        id="a pin that is left open",
    ),
    pytest.param("vehicle", 'to = "J1.3"\n', "", "signal 'ignition' goes nowhere", id="a signal that goes nowhere"),
    pytest.param("vehicle", "pin = 20\n", "", "signal 'ignition' comes from nowhere", id="a signal from nowhere"),
    pytest.param(
        "vehicle", ', b = "J4.2" }', " }", "wire b of bus 'field' goes nowhere", id="a bus's wire that goes nowhere"
    ),
    pytest.param(
        "vehicle",
        '"generic-io-8x8"',
        '"generic-io-8x9"',
        "'generic-io-8x9', of module 'io', is no known register map (did you mean 'generic-io-8x8'?)",
        id="an unknown register map",
    ),
    pytest.param(
        "vehicle",
        '"io.di3"',
        '"io.di9"',
        "signal 'handbrake' is on io.di9, and map 'generic-io-8x8' has no point 'di9'",
        id="an unknown point",
    ),
    pytest.param(
        "vehicle",
        '"io.di3"',
        '"oi.di3"',
        "signal 'handbrake' is on oi.di3, and no module is 'oi'",
        id="an unknown module",
    ),
    pytest.param(
        "vehicle",
        '"io.di3"',
        '"io.do3"',
        "signal 'handbrake' needs a bit that is read, and io.do3 is a coil",
        id="the wrong register",
    ),
    pytest.param(
        "vehicle",
        '"io.di3"',
        '"io.di0"',
        "io.di0 is used by signal 'blue_lights' and by signal 'handbrake'",
        id="a point twice",
    ),
    pytest.param(
        "station",
        'terminated = ["board", "io"]',
        'terminated = ["board"]',
        "the end of line 'hall' at 'io' has no termination",
        id="no termination at an end",
    ),
    pytest.param(
        "station",
        'terminated = ["board", "io"]',
        'terminated = ["board", "meter", "io"]',
        "'meter' is terminated, and stands between 'board' and 'io'",
        id="termination in the middle",
    ),
    pytest.param(
        "station",
        '["board", "meter", "io"]',
        '["board", "io"]',
        "'meter' stands 0 times along line 'hall'",
        id="a module that is not on the cable",
    ),
    pytest.param(
        "vehicle",
        'through = "opto"',
        'through = "direct"',
        "GPIO20 stands 3.3 V, and signal 'ignition' carries 28.8 V; expected opto or divider between the two",
        id="too many volts for a pin",
    ),
    pytest.param(
        "vehicle",
        "stands_v = 30",
        "stands_v = 24",
        "io.di0 stands 24 V, and signal 'blue_lights' carries 28.8 V",
        id="too many volts for a module",
    ),
    pytest.param(
        "vehicle",
        'path = "/dev/watchroom/receiver"',
        'path = "/dev/watchroom/receiver"\nvolts = 5',
        "the pins of bus 'receiver' stand 3.3 V, and its wires carry 5 V",
        id="too many volts for a bus",
    ),
    pytest.param(
        "vehicle",
        'through = "opto"',
        'through = "driver"',
        "signal 'ignition' is an input, and 'driver' is for the other way",
        id="the wrong way through",
    ),
    pytest.param(
        "vehicle",
        ", de = 7 }",
        " }",
        "bus 'field' has no de pin; expected de = 7: there uart3 has it",
        id="a bus without its pins",
    ),
    pytest.param(
        "vehicle",
        "de = 7",
        "de = 20",
        "bus 'field' has its de on GPIO20, where uart3 has none",
        id="a bus on another's pin",
    ),
    pytest.param(
        "vehicle", '"uart4"', '"uart3"', "uart3 is used by bus 'field' and by bus 'receiver'", id="a peripheral twice"
    ),
    pytest.param(
        "vehicle",
        "address = 0x68",
        "address = 0x68" + EEPROM,
        "address 0x68 of bus 'onboard' is used by 'rtc' and by 'eeprom'",
        id="an I2C address twice",
    ),
    pytest.param(
        "vehicle",
        'b6 = "5"',
        'b7 = "5"',
        "signal 'button_6' is button 'b6', and panel.codes does not say what it declares",
        id="a button without a code",
    ),
    pytest.param("vehicle", 'b6 = "5"', 'b7 = "5"', "no button signal is 'b7'", id="a code without a button"),
    pytest.param(
        "vehicle",
        'use = "lamp"\nbutton = "b1"',
        'use = "lamp"\nbutton = "b2"',
        "'b2' is that of signal 'lamp_1' and of signal 'lamp_2'",
        id="two lamps of a button",
    ),
    pytest.param(
        "vehicle",
        "pin = 10\n",
        'point = "io.do7"\n',
        "signal 'button_1' is on a GPIO and signal 'lamp_1' on a Modbus module",
        id="a panel on two",
    ),
    pytest.param(
        "vehicle", 'through = "opto"', 'trough = "opto"', "unknown key (did you mean 'through'?)", id="an unknown key"
    ),
    pytest.param(
        "vehicle",
        'name = "handbrake"',
        'name = "doors"',
        "'doors' is already the name of signal[",
        id="a signal's name twice",
    ),
    pytest.param(
        "vehicle", "left_open = [6]", "left_open = [6, 7]", "J3 has no pin 7", id="an open pin that is not there"
    ),
    pytest.param(
        "vehicle",
        'name = "io"',
        'name = "board"',
        "a module is named 'board', which is this device",
        id="a module named as the board",
    ),
    pytest.param(
        "station",
        'terminated = ["board", "io"]',
        'terminated = ["board", "io", "ios"]',
        "'ios' is not on line 'hall' (did you mean 'io'?)",
        id="termination of what is not there",
    ),
    pytest.param(
        "vehicle",
        'peripheral = "uart4"',
        'peripheral = "i2c1"',
        "i2c1 has no tx, which uart needs",
        id="the wrong peripheral",
    ),
    pytest.param(
        "vehicle",
        "pins = { tx = 8, rx = 9 }",
        "pins = { tx = 8, rx = 9, de = 11 }",
        "bus 'receiver' needs no de pin",
        id="a pin that a bus does not need",
    ),
    pytest.param(
        "vehicle",
        'rx = "J3.2" }',
        'rx = "J3.2", a = "J3.6" }',
        "uart has no wire 'a'",
        id="a wire that a bus does not have",
    ),
    pytest.param(
        "vehicle",
        'rx = "J3.2" }',
        'rx = "J3.2" }\nalong = ["board"]',
        "bus 'receiver' is no rs485 line, and has slaves or ends",
        id="ends of what is no line",
    ),
    pytest.param(
        "vehicle",
        'rx = "J3.2" }\n',
        'rx = "J3.2" }\nchip = [{ name = "x", title = "X", compatible = "a,b", address = 9 }]\n',
        "bus 'receiver' is no i2c bus, and has chips",
        id="chips of a serial line",
    ),
    pytest.param(
        "vehicle",
        'path = "/dev/watchroom/receiver"\n',
        "",
        "bus 'receiver' has no path",
        id="a serial line without a path",
    ),
    pytest.param(
        "vehicle",
        '[[bus.slave]]\nname = "io"\nid = 1\nmap = "generic-io-8x8"\nstands_v = 30\n',
        "",
        "line 'field' has no module",
        id="a line without a module",
    ),
    pytest.param(
        "vehicle",
        "pin = 20\n",
        'pin = 20\npoint = "io.di7"\n',
        "signal 'ignition' is on GPIO20 and on io.di7",
        id="a signal from two places",
    ),
    pytest.param(
        "vehicle",
        'to = "J1.3"\n',
        'to = "J1.3"\npart = "Lamp"\n',
        "signal 'ignition' goes to J1.3 and to 'Lamp'",
        id="a signal to two places",
    ),
    pytest.param(
        "vehicle",
        "pin = 18\n",
        'point = "io.di7"\n',
        "signal 'pps' is a pulse, and io.di7 is polled",
        id="a pulse on a Modbus module",
    ),
    pytest.param(
        "vehicle",
        'use = "input"\n',
        'use = "input"\nbutton = "b1"\n',
        "signal 'ignition' is of use 'input', and has a button",
        id="a button of an input",
    ),
    pytest.param(
        "vehicle",
        'use = "lamp"\nbutton = "b1"\n',
        'use = "lamp"\n',
        "signal 'lamp_1' goes nowhere: no button is named",
        id="a lamp of no button",
    ),
    pytest.param(
        "vehicle",
        'use = "lamp"\nbutton = "b1"\n',
        'use = "lamp"\nbutton = "b9"\n',
        "lamp 'lamp_1' is that of 'b9', which is no button",
        id="a lamp of an unknown button",
    ),
    pytest.param(
        "vehicle",
        'use = "input"\n',
        'use = "emergency"\nbutton = "sos2"\n',
        "signal 'emergency' and signal 'ignition' are both the emergency button",
        id="two emergency buttons",
    ),
    pytest.param("vehicle", 'scheme = "uk-fire-gd92"', "", "panel.scheme: is missing", id="a panel without a scheme"),
    pytest.param("vehicle", "[panel]  ", "[board]  ", "is not TOML", id="a table twice"),
]


@pytest.mark.parametrize("device", FOLDERS)
def test_a_pin_map_as_it_stands_has_no_fault(device: str) -> None:
    """So a fault below is that which was put in."""
    assert faults(seeded(device, "", "")) == []


@pytest.mark.parametrize(("device", "old", "new", "says"), SEEDED)
def test_a_seeded_fault_is_found(device: str, old: str, new: str, says: str) -> None:
    """One change to the pin map draws the line that says what it did, on one line, and says what would be right."""
    found = [line for line in faults(seeded(device, old, new)) if says in line]
    assert len(found) == 1
    assert "\n" not in found[0] and "; expected " in found[0]


def test_every_fault_is_told_at_once() -> None:
    """Faults of different kinds in one pin map are all told."""
    text = seeded("vehicle", "pin = 20", "pin = 17").replace(', b = "J4.2" }', " }").replace('"io.di3"', '"io.di9"')
    found = "\n".join(faults(text))
    assert "GPIO17 is used by" in found and "wire b of bus 'field'" in found and "no point 'di9'" in found


def test_what_is_no_toml_is_told() -> None:
    """A file that is no TOML is a fault, and no failure."""
    assert faults("[board")[0].startswith("the file: is not TOML")


def test_an_emergency_button_needs_a_panel() -> None:
    """Without [panel] nothing would be generated for the emergency button, so that is a fault."""
    before, _, rest = text_of("vehicle").partition("[panel]")
    found = faults(before + rest.partition("\n\n")[2])
    assert any(line.startswith("panel: is missing, and signal 'emergency' is an emergency button") for line in found)


def test_the_lines_in_the_readme_are_real() -> None:
    """What hardware/README.md shows of `make kit` is what it says for such a fault."""
    shown = (HARDWARE / "README.md").read_text("utf-8")
    pin = faults(seeded("vehicle", "pin = 20", "pin = 17"))
    end = faults(seeded("station", 'terminated = ["board", "io"]', 'terminated = ["board"]'))
    assert f"hardware/vehicle/a/pinmap.toml: {pin[0]}\nhardware/station/a/pinmap.toml: {end[0]}\n" in shown
