"""The power budget in Markdown, with every figure, its formula and its margin. Pure."""

from collections.abc import Mapping, Sequence

from kit.parts import Part
from kit.power.budget import (
    Margin,
    charge_s,
    converter_peak_a,
    crank_s,
    currents,
    idle_a,
    margins,
    peak_a,
    running_a,
    store_f,
    store_ohm,
)
from kit.power.shape import Load, Power

_LOAD_HEAD = ("Load", "Part", "Count", "Rail", "Running mA", "Of the time", "Peak mA", "Idle mA", "Cut off mA")
_MARGIN_HEAD = ("What", "How", "Comes to", "Has to be", "Times that")


def power_page(power: Power, *, title: str, catalogue: Mapping[str, Part]) -> str:
    """Write the page of a budget without a problem."""
    parts = [
        f"# {title}: power",
        "Generated from `power.toml` and the catalogue by `make kit`: edit those.\n"
        "**Nothing of it was built or measured on hardware:** it is what the figures come to.",
        "## What has to hold",
        _table(_MARGIN_HEAD, [_margin_row(each) for each in margins(power, catalogue)]),
        "## Loads",
        _table(_LOAD_HEAD, [_load_row(each, catalogue) for each in power.load]),
        "## Supply",
        _supply(power, catalogue),
        "## Hold-up",
        _store(power),
        "## Battery",
        _battery(power),
    ]
    return "\n\n".join(parts) + "\n"


def _load_row(load: Load, catalogue: Mapping[str, Part]) -> tuple[str, ...]:
    part = catalogue[load.part].number if load.part else "not of the device"
    drawn = (f"{each:g}" for each in (load.running_ma, load.peak_ma, load.idle_ma, load.off_ma))
    running, peak, idle, off = drawn
    return load.title, part, str(load.count), load.rail, running, f"{load.duty:.0%}", peak, idle, off


def _margin_row(margin: Margin) -> tuple[str, ...]:
    times = margin.limit / margin.value if margin.at_most else margin.value / margin.limit
    words = f"{margin.limit:.3g} {margin.unit} or {'less' if margin.at_most else 'more'}"
    return margin.name, margin.formula, f"{margin.value:.3g} {margin.unit}", words, f"{times:.2f}"


def _supply(power: Power, catalogue: Mapping[str, Part]) -> str:
    supply, converter = power.supply, power.converter
    out, direct = currents(power, converter.rail), currents(power, supply.rail)
    rows = [
        ("Rail", f"`{supply.rail}`, {supply.volts_min:g} to {supply.volts_max:g} V"),
        ("Fuse", f"{catalogue[power.fuse.part].number}, of which {power.fuse.share:.0%} may flow for good"),
        ("Converter", f"{catalogue[converter.part].number}, to {converter.volts:g} V on `{converter.rail}`"),
        ("Efficiency", f"{converter.efficiency:.0%}; {converter.light_efficiency:.0%} with a light load"),
        (f"On `{converter.rail}`", f"{out.running:.3f} A running, {out.peak:.3f} A at the peak, {out.idle:.3f} A idle"),
        ("Most that the converter gives", f"{converter_peak_a(power):.3f} A, the store being charged"),
        (f"On `{supply.rail}` itself", f"{direct.running:.3f} A running, {direct.peak:.3f} A at the peak"),
        ("Most that flows in the fuse", f"{peak_a(power):.3f} A, at {supply.volts_min:g} V"),
    ]
    for volts in supply.volts:
        amps = f"{running_a(power, volts):.3f} A running"
        if power.battery.delay_h is not None:
            amps += f", {idle_a(power, volts):.3f} A with the ignition off"
        rows.append((f"At {volts:g} V", amps))
    if supply.dump is not None:
        dump = supply.dump
        words = f"{dump.volts:g} V behind {dump.ohm:g} ohm; it conducts from {dump.breakdown_v:g} V at the latest,"
        words += f" and is at {dump.clamp_v:g} V with {dump.clamp_a:g} A"
        rows.append(("Load dump, and its suppressor", f"{words} ({dump.source})"))
    return _table(("What", "Figure"), rows)


def _store(power: Power) -> str:
    store, supply = power.store, power.supply
    watts = currents(power, power.converter.rail).lit * power.converter.volts
    rows = [
        ("Store", f"{store.in_series} in series of {store.cell_f:g} F, each charged to {store.cell_v:g} V"),
        ("Capacity C, new", f"{store.cell_f / store.in_series:.1f} F"),
        ("Capacity C, old and cold", f"{store_f(power):.1f} F ({store.aged:.0%} old, {store.cold:.0%} cold)"),
        ("Resistance R, old and cold", f"{store_ohm(power) * 1000:.0f} mohm"),
        ("Power at the load", f"{watts:.2f} W with all lamps lit; P is {watts / store.efficiency:.2f} W at the store"),
        ("Vfull", f"{store.cell_v * store.in_series:.2f} V"),
        ("Vempty", f"{store.lowest_v:g} V at the step-up converter, and I x R above it in the store"),
        ("A clean stop takes", f"{store.stop_s:g} s, for the file systems: a status is committed at once"),
        ("Full after", f"{charge_s(power) / 60:.1f} min: until then it carries the device for less"),
        ("Source", store.source),
    ]
    if supply.crank_v is not None:
        words = f"{supply.crank_v:g} V for {supply.crank_s:g} s"
        rows.append(("Starting the engine", f"{words}, of which the store carries {crank_s(power):g} s"))
        stops = [each.title for each in power.load if each.volts_min is not None and each.volts_min > supply.crank_v]
        if stops:
            rows.append(("Stops while the engine is started", "; ".join(stops)))
    need = f"asked are {store.margin:g} times a stop"
    if crank_s(power):
        need += " and the start of the engine before it"
    return _table(("What", "Figure"), [*rows, ("Margin", need)])


def _battery(power: Power) -> str:
    battery = power.battery
    rows = [("Battery", f"{battery.ah:g} Ah, of which the device may use {battery.share:.0%}")]
    if battery.delay_h is not None:
        used_ah = idle_a(power, min(power.supply.volts)) * battery.delay_h
        off_ma = currents(power, power.supply.rail).off * 1000
        rows.append(("Ignition off", f"the device goes on for {battery.delay_h:g} h, and uses {used_ah:.2f} Ah"))
        rows.append(("Then", f"its supply is cut: it stops on the hold-up store, and {off_ma:g} mA remain"))
    return _table(("What", "Figure"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
