"""The parts lists fit the pin maps, and faults that are put into them are found, each line with both sides of it."""

import csv
import io
import tomllib

import msgspec
import pytest

from kit.bill import COLUMNS, bill, bill_problems, needs, parts_page
from kit.circuits.counts import served
from kit.pinmap import Pinmap, parse_pinmap
from kit.power import carried
from tests.kit.boards import (
    bill_faults,
    catalogue,
    circuits,
    file_text,
    of_circuits,
    parts_faults,
    parts_of,
    power_of,
    seeded_file,
)
from tests.kit.pinmaps import FOLDERS, pinmap_of, text_of

SEEDED = [
    pytest.param(
        "vehicle",
        'part = "rtc_ds3231"',
        'part = "rtc_ds3213"',
        "'rtc_ds3213' is in no catalogue (did you mean 'rtc_ds3231'?)",
        id="an unknown part",
    ),
    pytest.param(
        "vehicle",
        'for = ["chip rtc"]',
        'note = "a clock"',
        "chip 'rtc' (DS3231 real-time clock) has no part",
        id="no clock",
    ),
    pytest.param(
        "vehicle",
        'for = ["chip rtc"]',
        'for = ["chip rct"]',
        "'rtc_ds3231' is for 'chip rct', which the pin map has not (did you mean 'chip rtc'?)",
        id="for what is not there",
    ),
    pytest.param(
        "vehicle",
        'for = ["chip rtc"]',
        "",
        "'rtc_ds3231' is for nothing",
        id="for nothing",
    ),
    pytest.param(
        "vehicle",
        "pins = 23",
        "pins = 12",
        "J2 (Status panel) has 16 pins, and 'ampseal_23_panel' has 12 contacts",
        id="a connector with too few contacts",
    ),
    pytest.param(
        "vehicle",
        "pins = 23\n",
        "",
        "'ampseal_23_panel' serves J2, and its contacts are not told",
        id="a connector without contacts",
    ),
    pytest.param(
        "vehicle",
        'for = ["mate J4"]',
        'note = "none"',
        "the cable's half of J4 (RS-485 line) has no part",
        id="a connector without a mate",
    ),
    pytest.param(
        "vehicle",
        'for = ["mate J4"]',
        'for = ["mate J1"]',
        "'mate J1' is served by 'dt_4_plug' and by 'dt_3_plug'",
        id="two mates",
    ),
    pytest.param(
        "vehicle",
        '"terminals X1"',
        '"signal doors"',
        "connector X1 (Terminals of the I/O module) has no part",
        id="terminals without a part",
    ),
    pytest.param(
        "vehicle",
        '"lamp lamp_2", ',
        "",
        "signal 'lamp_2' (Lamp of status button 2) has no part",
        id="a lamp without a part",
    ),
    pytest.param(
        "vehicle",
        '"button emergency", ',
        "",
        "signal 'emergency' (Emergency button, guarded) has no part",
        id="no emergency button",
    ),
    pytest.param(
        "vehicle",
        'count = 6\nrefs = ["S1", "S2", "S3", "S4", "S5", "S6"]',
        'count = 5\nrefs = ["S1", "S2", "S3", "S4", "S5"]',
        "'button_lamp_white_5v' is for 6 of 'button', and there are 5 of it",
        id="a button too few",
    ),
    pytest.param(
        "vehicle",
        'refs = ["S7"]',
        'refs = ["S7", "S9"]',
        "2 refs are given for 1 of 'button_lamp_red_5v'",
        id="refs and count",
    ),
    pytest.param(
        "vehicle",
        'refs = ["S7"]',
        'refs = ["S6"]',
        "S6 is 'button_lamp_white_5v' and 'button_lamp_red_5v'",
        id="a ref twice",
    ),
    pytest.param(
        "vehicle",
        'for = ["hold_up power_fail"]',
        'note = "none"',
        "signal 'power_fail' (Power-fail line of the hold-up supply) has no part",
        id="no hold-up",
    ),
    pytest.param(
        "station",
        '"transceiver hall", ',
        "",
        "the transceiver of line 'hall' has no part",
        id="a line without a transceiver",
    ),
    pytest.param(
        "station",
        '"termination keys.keypad"',
        '"termination keys.meter"',
        "the end of line 'keys' at 'keypad' has no part",
        id="an end without a resistor",
    ),
    pytest.param(
        "station", 'for = ["module meter"]', 'note = "none"', "module 'meter' of line 'hall' has no part", id="no meter"
    ),
    pytest.param(
        "station",
        'for = ["rail inputs_24v"]',
        'note = "none"',
        "the fuse or limiter of rail 'inputs_24v' has no part",
        id="a rail without its fuse",
    ),
    pytest.param(
        "station",
        'part = "fuse_2a"',
        'part = "fuse_5a"',
        "'fuse_5a' lets 5 A through, and 'rail panel_24v' is for 2 A",
        id="a fuse too big for its cable",
    ),
    pytest.param(
        "station",
        "temp_min_c = 0",
        "temp_min_c = -10",
        "'rpi4_4gb' is for 0 to 50 C, and the device for -10 to 50",
        id="a part that is colder than rated",
    ),
    pytest.param(
        "station",
        "temp_max_c = 50",
        "temp_max_c = 60",
        "'rpi4_4gb' is for 0 to 50 C, and the device for 0 to 60",
        id="a part that is hotter than rated",
    ),
    pytest.param(
        "vehicle",
        '[[exempt]]\npart = "button_guard"',
        '[[exempt]]\npart = "dt_4_plug"',
        "'button_guard' is for -25 to 55 C, and the device for -20 to 60",
        id="no reason for the cold",
    ),
    pytest.param(
        "vehicle",
        '[[exempt]]\npart = "button_guard"',
        '[[exempt]]\npart = "dt_4_plug"',
        "'dt_4_plug' is exempt, and is no part that stands less than -20 to 60 C",
        id="a needless exemption",
    ),
    pytest.param(
        "station",
        'count = 60\npassive = true\nfor = ["cable hall"]',
        'count = 50\npassive = true\nfor = ["cable hall"]',
        "the cables that 'cable_rs485' is for are 60 m long, and there are 50 m of it",
        id="a cable too short",
    ),
    pytest.param(
        "vehicle",
        'for = ["cable panel"]',
        'note = "none"',
        "cable 'panel' (Panel cable) has no part",
        id="a cable without a part",
    ),
    pytest.param(
        "vehicle",
        'part = "dcdc_5v" ',
        'part = "rpi4_4gb" ',
        "'rpi4_4gb' has no count, and no circuit of the device has it",
        id="no count",
    ),
    pytest.param(
        "vehicle", "passive = true", "pasive = true", "unknown key (did you mean 'passive'?)", id="a misspelling"
    ),
    pytest.param("vehicle", "[environment]  ", "[[use]]  ", "environment: is missing", id="no temperatures"),
]


@pytest.mark.parametrize("device", FOLDERS)
def test_a_parts_list_as_it_stands_has_no_fault(device: str) -> None:
    """So a fault below is that which was put in."""
    assert bill_faults(device, file_text(device, "parts.toml")) == []


@pytest.mark.parametrize(("device", "old", "new", "says"), SEEDED)
def test_a_seeded_fault_is_found(device: str, old: str, new: str, says: str) -> None:
    """One change to the parts list draws the line that says what it did, on one line, and says what would be right."""
    found = [line for line in bill_faults(device, seeded_file(device, "parts.toml", old, new)) if says in line]
    assert len(found) == 1
    assert "\n" not in found[0] and "; expected " in found[0]


def test_every_fault_is_told_at_once() -> None:
    """Faults of different kinds in one parts list are all told."""
    text = seeded_file("vehicle", "parts.toml", "pins = 23", "pins = 12").replace('for = ["chip rtc"]', 'note = "x"')
    found = "\n".join(bill_faults("vehicle", text.replace('part = "modem_lte"', 'part = "modem"')))
    assert "has 12 contacts" in found and "chip 'rtc'" in found and "'modem' is in no catalogue" in found


def test_what_is_no_toml_is_told() -> None:
    """A file that is no TOML is a fault, and no failure."""
    assert bill_faults("vehicle", "[environment")[0].startswith("the file: is not TOML")


def test_a_contact_stands_what_its_rail_carries() -> None:
    """A connector whose contacts are for less than the fuse before them, with a margin, is told with both sides."""
    weak = msgspec.structs.replace(catalogue()["dt_4_plug"], amps_max=6.0)
    (problem,) = parts_faults("vehicle", parts_of("vehicle"), dt_4_plug=weak)
    said = "rail 'battery' on J1 carries 5 A, and a contact of 'dt_4_plug' stands 6 A; expected 6.25 A or more"
    assert said in str(problem)


def test_a_part_stands_the_volts_of_its_signals_and_rails() -> None:
    """A module for less than its inputs carry, and a connector for less than its rail, are told with both sides."""
    weak = msgspec.structs.replace(catalogue()["dt_4_plug"], volts_max=30.0)
    found = [str(each) for each in parts_faults("vehicle", parts_of("vehicle"), dt_4_plug=weak)]
    assert any(
        "rail 'battery' on J1 asks for 35.2 V with its margin, and 'dt_4_plug' stands 30 V" in line for line in found
    )
    module = next(use.part for use in parts_of("vehicle").use if "module io" in use.serves)
    weak = msgspec.structs.replace(catalogue()[module], volts_max=30.0)
    found = [str(each) for each in parts_faults("vehicle", parts_of("vehicle"), **{module: weak})]
    assert any(f"signal 'doors' asks for 31.7 V with its margin, and {module!r} stands 30 V" in line for line in found)


def test_a_clock_at_an_address_that_it_never_has_is_told() -> None:
    """The kernel would look for the clock where none answers, and start with a wrong time."""
    pinmap = pinmap_of("vehicle")
    chips = [msgspec.structs.replace(each, address=0x51) for bus in pinmap.bus for each in bus.chip]
    moved = [msgspec.structs.replace(bus, chip=tuple(chips)) if bus.chip else bus for bus in pinmap.bus]
    changed = msgspec.structs.replace(pinmap, bus=tuple(moved))
    inside, flows = of_circuits("vehicle"), carried(power_of("vehicle"), catalogue())
    found = bill_problems(changed, parts_of("vehicle"), catalogue=catalogue(), circuit_parts=inside, carried=flows)
    assert [str(each) for each in found] == ["bus.chip: 'rtc' is at 0x51, where no maxim,ds3231 is; expected 0x68"]


def test_a_pin_map_without_a_clock_is_told() -> None:
    """A device without a real-time clock is refused, though its parts list is whole."""
    before, _, rest = text_of("vehicle").partition("[[bus.chip]]")
    found = parse_pinmap(before + rest.partition("\n\n")[2])
    assert isinstance(found, Pinmap)
    parts = parts_of("vehicle")
    inside = of_circuits("vehicle")
    problems = bill_problems(found, parts, catalogue=catalogue(), circuit_parts=inside, carried={})
    assert any("has no real-time clock" in str(each) for each in problems)


@pytest.mark.parametrize("device", FOLDERS)
def test_the_bill_adds_up(device: str) -> None:
    """Each row of the bill costs its count of its catalogue's price, and the last is the sum: of list and circuits."""
    text = bill(parts_of(device), catalogue=catalogue(), circuit_parts=of_circuits(device))
    head, *rows, total = csv.reader(io.StringIO(text))
    assert tuple(head) == COLUMNS
    assert all(float(row[-1]) == pytest.approx(int(row[1]) * float(row[-2])) for row in rows)
    assert float(total[-1]) == pytest.approx(sum(float(row[-1]) for row in rows), abs=0.01)
    listed = sum(use.get("count", 0) for use in tomllib.loads(file_text(device, "parts.toml"))["use"])
    assert int(total[1]) == sum(int(row[1]) for row in rows) == listed + sum(of_circuits(device).values())
    assert total[0] == "sum" and text.endswith("\n") and "\r" not in text


@pytest.mark.parametrize("device", FOLDERS)
def test_the_page_names_every_use_and_every_reason(device: str) -> None:
    """A reader of the page sees each part's number, each need of the pin map, and why a part is accepted."""
    page = parts_page(parts_of(device), title="The unit", catalogue=catalogue())
    for use in parts_of(device).use:
        assert catalogue()[use.part].number in page
    assert all(each.reason in page for each in parts_of(device).exempt)
    inside_modules = {f"{role} {each.name}" for each in pinmap_of(device).connector for role in ("connector", "mate")}
    assert all(need in page for need in needs(pinmap_of(device)) if need not in inside_modules)
    assert "Nothing of it was built or tested on hardware" in page


@pytest.mark.parametrize("device", FOLDERS)
def test_what_a_circuit_leaves_to_the_list_is_on_it(device: str) -> None:
    """A component that a circuit says is listed by the board has its own count in that board's parts list."""
    counted = {use.part for use in parts_of(device).use if use.count is not None}
    left = {
        component.part
        for circuit in circuits().circuit
        for component in circuit.component
        if component.listed and any(served(circuit, pinmap_of(device)))
    }
    assert left and left <= counted
