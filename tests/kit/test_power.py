"""The power budgets hold, come to what an independent reckoning gives, and faults that are put into them are found."""

import tomllib
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.bill import counts, drawing
from kit.power import Power, carried, margins, parse_power, power_page, power_problems
from kit.power.budget import clamp_v, hold_s, parked_days, peak_a, running_a
from tests.kit.boards import catalogue, file_text, of_circuits, parts_of, power_faults, power_of, seeded_file
from tests.kit.pinmaps import FOLDERS, pinmap_of

STEP_S = 0.01
HOLD_SHORT_BY_MAX = 0.15
"""The formula of the hold-up time takes the last current throughout: it may be so much too short, and no longer."""

SEEDED = [
    pytest.param(
        "vehicle",
        "cell_f = 150",
        "cell_f = 50",
        "store: the hold-up time: 18.",
        id="hold-up too small",
    ),
    pytest.param("vehicle", "aged = 0.7", "aged = 0.3", "store: the hold-up time: 24.", id="hold-up too old"),
    pytest.param("vehicle", "stop_s = 10", "stop_s = 40", "s; expected 75 s or more", id="a stop too long"),
    pytest.param(
        "vehicle", "crank_s = 10", "crank_s = 40", "s; expected 75 s or more", id="an engine that starts badly"
    ),
    pytest.param(
        "vehicle", "cell_v = 2.5", "cell_v = 2.8", "volts of a capacitor: 2.8 V; expected 2.7 V", id="charged too high"
    ),
    pytest.param(
        "vehicle",
        "in_series = 2",
        "in_series = 3",
        "the store has 3 of 'cap_150f', and the bill 2",
        id="another store on the bill",
    ),
    pytest.param(
        "vehicle",
        'part = "modem_lte"',
        'part = "modem_let"',
        "load 'LTE modem' is of a part that is not there: 'modem_let' is not on the bill of materials (did you mean",
        id="a load that is not on the bill",
    ),
    pytest.param(
        "vehicle",
        'part = "modem_lte"\n',
        "",
        "'modem_lte' is on the bill of materials and draws current, and no load is of it",
        id="a part of the bill that is no load",
    ),
    pytest.param(
        "vehicle",
        "count = 6",
        "count = 5",
        "5 of 'button_lamp_white_5v' draw current, and the bill of materials has 6",
        id="another count than the bill's",
    ),
    pytest.param(
        "vehicle",
        'part = "fuse_5a"',
        'part = "polyfuse_0a5"',
        "fuse: the current in the fuse: 2.",
        id="a fuse too small",
    ),
    pytest.param(
        "vehicle",
        'part = "fuse_5a"',
        'part = "fuse_2a"',
        "fuse: 'fuse_2a' is not on the bill of materials",
        id="a fuse that is not on the bill",
    ),
    pytest.param(
        "vehicle",
        'part = "fuse_5a"',
        'part = "fuse_1a"',
        "'fuse_1a' has 1 A, and rail 'battery' of the pin map 5 A",
        id="another fuse than the pin map's",
    ),
    pytest.param(
        "vehicle",
        "volts_max = 32 ",
        "volts_max = 36 ",
        "'fuse_5a' breaks 32 V, and the supply may have 36 V",
        id="a fuse that does not break",
    ),
    pytest.param(
        "vehicle",
        "volts_max = 32 ",
        "volts_max = 36 ",
        "'io_transistor_8x8' stands 36 V, and its rail 'battery' asks for 39.6 V with its margin",
        id="a load with too many volts",
    ),
    pytest.param(
        "vehicle",
        "volts_max = 32 ",
        "volts_max = 40 ",
        "'tvs_36a_load' is for 36 V, and would conduct at the supply's 40 V",
        id="a suppressor that conducts",
    ),
    pytest.param(
        "vehicle",
        "peak_ma = 1200",
        "peak_ma = 1900",
        "converter: the load of the converter: 3.386 A; expected 2.8 A or less",
        id="converter overloaded",
    ),
    pytest.param(
        "vehicle",
        "charge_ma = 500",
        "charge_ma = 2000",
        "converter: the load of the converter: 4.186 A; expected 2.8 A or less",
        id="converter overloaded by charging",
    ),
    pytest.param(
        "vehicle",
        "volts_min = 9\nvolts_max",
        "volts_min = 8\nvolts_max",
        "lowest volts of the supply, for the converter: 8 V; expected 9 V or more",
        id="a supply too low",
    ),
    pytest.param(
        "vehicle",
        "volts_min = 7",
        "volts_min = 12",
        "load 'I/O module' stops below 12 V, and the supply may have fewer",
        id="a load that stops",
    ),
    pytest.param(
        "vehicle", "volts = 58", "volts = 180", "volts of a load dump, at the converter: 5", id="a worse dump"
    ),
    pytest.param(
        "vehicle", "off_ma = 3", "off_ma = 30", "current when cut: 30 mA; expected 10 mA", id="quiescent current"
    ),
    pytest.param(
        "vehicle", "off_ma = 3", "off_ma = 30", "days until the battery's share is used: 18", id="parked too short"
    ),
    pytest.param(
        "vehicle", "delay_h = 2 ", "delay_h = 29 ", "days until the battery's share is used: 6", id="on for too long"
    ),
    pytest.param(
        "vehicle",
        'rail = "battery"',
        'rail = "batery"',
        "'batery' is no rail of the pin map (did you mean",
        id="no such rail",
    ),
    pytest.param(
        "vehicle",
        'part = "rtc_ds3231"\nrail = "supply_5v"',
        'part = "rtc_ds3231"\nrail = "supply_3v"',
        "load 'Real-time clock' is on 'supply_3v', which nothing feeds (did you mean 'supply_5v'?)",
        id="a load on no rail",
    ),
    pytest.param(
        "vehicle",
        'part = "dcdc_5v"\nrail = "supply_5v"',
        'part = "dcdc_5v"\nrail = "battery"',
        "the converter makes 'battery' out of itself",
        id="a converter in a ring",
    ),
    pytest.param(
        "vehicle",
        'part = "dcdc_5v"\nrail = "supply_5v"',
        'part = "rtc_ds3231"\nrail = "supply_5v"',
        "'rtc_ds3231' has no amps_max in the catalogue",
        id="a rating that nobody knows",
    ),
    pytest.param("vehicle", "efficiency = 0.84", "efficiency = 84", "converter.efficiency: is 84", id="no share"),
    pytest.param("station", "ah = 12", "ah = 7", "hours that it runs on its battery: 7.5", id="a battery too small"),
    pytest.param(
        "station",
        "running_ma = 700\npeak_ma = 700",
        "running_ma = 700\npeak_ma = 1700",
        "supply.part: the current of the supply: 2.878 A; expected 2.025 A or less",
        id="a supply too small",
    ),
]


@pytest.mark.parametrize("device", FOLDERS)
def test_a_budget_as_it_stands_has_no_fault(device: str) -> None:
    """So every margin holds, every load is on the bill and the bill's in the loads; a fault below was put in."""
    assert power_faults(device, file_text(device, "power.toml")) == []
    assert len(margins(power_of(device), catalogue())) >= 7


@pytest.mark.parametrize(("device", "old", "new", "says"), SEEDED)
def test_a_seeded_fault_is_found(device: str, old: str, new: str, says: str) -> None:
    """One change to the budget draws the line that says what it did, on one line, and says what would be right."""
    found = [line for line in power_faults(device, seeded_file(device, "power.toml", old, new)) if says in line]
    assert len(found) == 1
    assert "\n" not in found[0] and "; expected " in found[0]


def test_every_fault_is_told_at_once() -> None:
    """Faults of different kinds in one budget are all told."""
    text = seeded_file("vehicle", "power.toml", "cell_f = 150", "cell_f = 50")
    text = text.replace('part = "modem_lte"', 'part = "modem"').replace("off_ma = 3", "off_ma = 30")
    found = "\n".join(power_faults("vehicle", text))
    assert "the hold-up time" in found and "'modem' is not on the bill" in found and "current when cut" in found


def test_what_is_no_toml_is_told() -> None:
    """A file that is no TOML is a fault, and no failure."""
    assert power_faults("vehicle", "[supply")[0].startswith("the file: is not TOML")


@pytest.mark.parametrize("device", FOLDERS)
def test_the_currents_are_those_of_an_independent_reckoning(device: str) -> None:
    """From the file alone: what the device takes at each voltage, and what flows in the fuse at the lowest."""
    file: dict[str, Any] = tomllib.loads(file_text(device, "power.toml"))
    supply, converter, store = file["supply"], file["converter"], file["store"]

    def drawn(rail: str, key: str) -> float:
        loads = [each for each in file["load"] if each["rail"] == rail]
        duty = [each.get("duty", 1) if key == "running_ma" else 1 for each in loads]
        amps = (each[key] / 1000 * each.get("count", 1) * share for each, share in zip(loads, duty, strict=True))
        return float(sum(amps))

    for volts in supply["volts"]:
        watts = drawn(converter["rail"], "running_ma") * converter["volts"] / converter["efficiency"]
        assert running_a(power_of(device), volts) == pytest.approx(watts / volts + drawn(supply["rail"], "running_ma"))
    watts = (drawn(converter["rail"], "peak_ma") + store["charge_ma"] / 1000) * converter["volts"]
    most_a = watts / converter["efficiency"] / supply["volts_min"] + drawn(supply["rail"], "peak_ma")
    assert peak_a(power_of(device)) == pytest.approx(most_a)
    fuse = catalogue()[file["fuse"]["part"]]
    assert fuse.amps_max is not None and most_a < fuse.amps_max * file["fuse"]["share"]


@pytest.mark.parametrize("device", FOLDERS)
def test_the_hold_up_time_is_that_of_a_store_run_down_step_by_step(device: str) -> None:
    """A capacitor with its resistance, run down at constant power in small steps, lasts as long, or little longer."""
    file: dict[str, Any] = tomllib.loads(file_text(device, "power.toml"))
    store, converter = file["store"], file["converter"]
    loads = [each for each in file["load"] if each["rail"] == converter["rail"]]
    milliamps = sum(each["running_ma"] * each.get("count", 1) for each in loads)
    watts = milliamps / 1000 * converter["volts"] / store["efficiency"]
    farads = store["cell_f"] / store["in_series"] * store["aged"] * store["cold"]
    ohms = store["cell_mohm"] / 1000 * store["in_series"] * store["aged_ohm"] * store["cold_ohm"]
    inside_v, seconds = store["cell_v"] * store["in_series"], 0.0
    while True:
        # The current of `watts` at the terminals: the smaller root of watts = (inside_v - amps * ohms) * amps.
        amps = (inside_v - (inside_v**2 - 4 * ohms * watts) ** 0.5) / (2 * ohms)
        if inside_v - amps * ohms < store["lowest_v"]:
            break
        inside_v -= amps * STEP_S / farads
        seconds += STEP_S
    told_s = hold_s(power_of(device))
    assert seconds * (1 - HOLD_SHORT_BY_MAX) < told_s <= seconds
    asked_s = (store["stop_s"] + file["supply"].get("crank_s", 0)) * 1.5
    assert told_s >= asked_s and store["margin"] >= 1.5


def test_an_engine_start_counts_where_the_converter_stops() -> None:
    """The store has to carry the start as well as the stop, unless the converter runs at that voltage."""
    (needed,) = [each.limit for each in margins(power_of("vehicle"), catalogue()) if each.path == "store"]
    text = seeded_file("vehicle", "power.toml", "crank_v = 6", "crank_v = 9.5")
    runs = parse_power(text)
    assert isinstance(runs, Power)
    (through,) = [each.limit for each in margins(runs, catalogue()) if each.path == "store"]
    assert (needed, through) == (30, 15)


@settings(deadline=None, max_examples=50)
@given(watts=st.floats(0.1, 60), volts=st.floats(0.5, 3), ohm=st.floats(0.1, 100))
def test_more_load_never_holds_longer(watts: float, volts: float, ohm: float) -> None:
    """More current shortens the time, more volts in the store lengthen it, and it is never below nothing."""
    power = power_of("vehicle")
    load = msgspec.structs.replace(power.load[0], running_ma=watts * 200)
    store = msgspec.structs.replace(power.store, cell_v=volts, cell_mohm=ohm)
    one = msgspec.structs.replace(power, load=(load,), store=store)
    more = msgspec.structs.replace(one, load=(msgspec.structs.replace(load, running_ma=watts * 220),))
    fuller = msgspec.structs.replace(one, store=msgspec.structs.replace(store, cell_v=volts + 0.1))
    assert 0 <= hold_s(more) <= hold_s(one) <= hold_s(fuller)


def test_a_load_dump_is_between_breakdown_and_clamp() -> None:
    """By hand: 58 V behind 1 ohm, into a line from 44.2 V to 58.1 V at 114 A; a lower dump passes as it is."""
    dump = power_of("vehicle").supply.dump
    assert dump is not None
    slope = (58.1 - 44.2) / 114
    assert clamp_v(dump) == pytest.approx(44.2 + (58 - 44.2) / (1 + slope) * slope)
    assert clamp_v(msgspec.structs.replace(dump, volts=40.0)) == 40


def test_parked_days_by_hand() -> None:
    """What is left of the battery's share after the delay, over what the timer draws; no drain lasts for ever."""
    power = power_of("vehicle")
    loads = [each for each in power.load if each.rail == "battery"]
    out_a = sum(each.idle_ma * each.count for each in power.load if each.rail == "supply_5v") / 1000
    on_a = out_a * 5 / (0.72 * 12.5) + sum(each.idle_ma * each.count for each in loads) / 1000
    assert parked_days(power) == pytest.approx((70 * 0.2 - on_a * 2) / 0.003 / 24)
    dead = tuple(msgspec.structs.replace(each, off_ma=0.0) for each in power.load)
    assert parked_days(msgspec.structs.replace(power, load=dead)) == float("inf")


def test_a_rail_carries_what_its_fuse_lets_through() -> None:
    """Connectors are checked for the fuse's amperes and the supply's highest volts with their margin."""
    flows = carried(power_of("vehicle"), catalogue())
    assert flows["battery"] == pytest.approx((35.2, 5.0))
    assert flows["supply_5v"][0] == pytest.approx(5.25)


@pytest.mark.parametrize("device", FOLDERS)
def test_the_page_tells_every_margin_and_every_load(device: str) -> None:
    """A reader of the page sees each figure with what it has to be, each load, and that nothing was measured."""
    page = power_page(power_of(device), title="The unit", catalogue=catalogue())
    for each in margins(power_of(device), catalogue()):
        assert f"| {each.name} | {each.formula} | {each.value:.3g} {each.unit} | {each.limit:.3g} {each.unit}" in page
    assert all(f"| {each.title} |" in page for each in power_of(device).load)
    assert "Nothing of it was built or measured on hardware" in page
    assert ("ignition off" in page.lower()) is (power_of(device).battery.delay_h is not None)


def test_a_bill_with_nothing_on_it_is_told() -> None:
    """Where the bill of materials has none of the parts, each role and each load is told."""
    pinmap, parts = pinmap_of("vehicle"), parts_of("vehicle")
    known = catalogue()
    found = power_problems(power_of("vehicle"), pinmap, catalogue=known, counts={}, drawing=drawing(parts))
    paths = {each.path for each in found}
    assert {"fuse", "converter", "store", "supply.dump"} <= paths
    assert {f"load[{index}].part" for index, each in enumerate(power_of("vehicle").load) if each.part} <= paths
    assert counts(parts, of_circuits("vehicle"))["fuse_5a"] == 1
