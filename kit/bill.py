"""Which parts a device is made of, what of its pin map each one serves, and the bill of materials. Pure."""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from kit.parts import Celsius, Part, Text
from kit.pinmap import Connector, Label, Pinmap, Signal
from wire.strict import Problem, closest, parse_toml

VOLTS_MARGIN = 1.1
"""A part stands at least this many times the volts of its signal; a rail's own margin comes with what it carries."""
AMPS_MARGIN = 1.25
"""A connector's contact stands at least this many times the most amperes that it carries."""
CLOCKS = {"maxim,ds3231": 0x68, "nxp,pcf8523": 0x68, "nxp,pcf85063a": 0x51, "microcrystal,rv3028": 0x52}
"""Real-time clocks, as device trees call them, and the I2C address that each has for good, by its maker's data sheet.

Without a clock a device that starts with no signal has no time.
"""
COLUMNS = ("ref", "count", "what", "maker", "number", "rating", "second source", "unit cost GBP", "cost GBP")

Served = Annotated[
    str,
    Meta(
        pattern=r"^(connector|mate|terminals|chip|module|transceiver|termination|bus|rail|button|lamp|hold_up|signal|cable)"
        r" [A-Za-z0-9_.-]{1,60}\Z",
        description="what of the pin map it serves, such as 'connector J1' or 'termination field.io'",
    ),
]
Designator = Annotated[str, Meta(pattern=r"^[A-Z]{1,3}[0-9]{1,3}\Z", description="a reference such as U1")]
Carried = Mapping[str, tuple[float, float]]
"""Of each rail, by name: the volts that its parts have to stand, and the most amperes in it."""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The temperatures of the air round the parts, which all of them have to stand."""

    temp_min_c: Celsius
    temp_max_c: Celsius


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the device, how many of it, and what it is for."""

    part: Label
    count: Annotated[int, Meta(ge=1, le=999, description="how many of it (metres of a cable)")] | None = None
    """Left out where the circuits give the count: the part is one of theirs."""
    refs: tuple[Designator, ...] = ()
    serves: tuple[Served, ...] = msgspec.field(name="for", default=())
    pins: Annotated[int, Meta(ge=1, le=200, description="how many contacts it has")] | None = None
    passive: bool = False
    """It draws no current of its own, and so is no load of the power budget."""
    note: Text | None = None
    """What it is for, where the pin map does not speak of that."""


class Exempt(msgspec.Struct, frozen=True, kw_only=True):
    """A part that does not stand the device's temperatures, and why that is accepted."""

    part: Label
    reason: Text


class PartsList(msgspec.Struct, frozen=True, kw_only=True):
    """A whole `parts.toml`."""

    environment: Environment
    use: Annotated[tuple[Use, ...], Meta(min_length=1, description="[[use]]")]
    exempt: tuple[Exempt, ...] = ()


def parse_parts_list(text: str) -> PartsList | tuple[Problem, ...]:
    """Read the shape of a `parts.toml`, or tell every problem that it has."""
    return parse_toml(text, PartsList, "a list of parts")


def counts(parts: PartsList, circuit_parts: Mapping[str, int]) -> dict[str, int]:
    """How many of each part the device is made of, those of its circuits with them."""
    found = dict(circuit_parts)
    for use in parts.use:
        if use.count is not None:
            found[use.part] = found.get(use.part, 0) + use.count
    return found


def drawing(parts: PartsList) -> frozenset[str]:
    """The parts that draw current, and so have to be in the power budget."""
    return frozenset(use.part for use in parts.use if not use.passive)


def needs(pinmap: Pinmap) -> dict[str, str]:
    """All of a pin map that some part has to serve, and what it is called there. `terminals` stand for two of them."""
    found: dict[str, str] = {}
    for connector in pinmap.connector:
        found[f"connector {connector.name}"] = f"connector {connector.name} ({connector.title})"
        found[f"mate {connector.name}"] = f"the cable's half of {connector.name} ({connector.title})"
    for bus in pinmap.bus:
        found |= {f"chip {chip.name}": f"chip {chip.name!r} ({chip.title})" for chip in bus.chip}
        found |= {f"module {slave.name}": f"module {slave.name!r} of line {bus.name!r}" for slave in bus.slave}
        found |= {f"termination {bus.name}.{end}": f"the end of line {bus.name!r} at {end!r}" for end in bus.terminated}
        if bus.kind == "rs485":
            found[f"transceiver {bus.name}"] = f"the transceiver of line {bus.name!r}"
        elif bus.kind == "uart":
            found[f"bus {bus.name}"] = f"what is on bus {bus.name!r} ({bus.title})"
    found |= {f"cable {cable.name}": f"cable {cable.name!r} ({cable.title})" for cable in pinmap.cable}
    for rail in pinmap.rail:
        if rail.amps is not None:
            found[f"rail {rail.name}"] = f"the fuse or limiter of rail {rail.name!r}"
    for signal in pinmap.signal:
        role = {"button": "button", "emergency": "button", "lamp": "lamp", "power_fail": "hold_up"}.get(signal.use)
        if role is not None:
            found[f"{role} {signal.name}"] = f"signal {signal.name!r} ({signal.title})"
    return found


def bill_problems(
    pinmap: Pinmap,
    parts: PartsList,
    *,
    catalogue: Mapping[str, Part],
    circuit_parts: Mapping[str, int],
    carried: Carried,
) -> tuple[Problem, ...]:
    """Tell every part that is unknown, missing, twice, too weak or too cold, each line with both sides of it."""
    return (
        *_use_problems(parts, catalogue, circuit_parts),
        *_served_problems(pinmap, parts),
        *_contact_problems(pinmap, parts),
        *_length_problems(pinmap, parts),
        *_rating_problems(pinmap, parts, catalogue, carried),
        *_temperature_problems(parts, catalogue, circuit_parts),
        *_clock_problems(pinmap),
    )


def unused(catalogue: Mapping[str, Part], *lists: Collection[str]) -> tuple[Problem, ...]:
    """Tell the parts of the catalogue that are in none of `lists`: of devices, and of all circuits."""
    used = {key for each in lists for key in each}
    return tuple(
        Problem(key, "is in the catalogue, and no device uses it", "a [[use]] or a circuit of it, or no such line")
        for key in catalogue
        if key not in used
    )


def _use_problems(
    parts: PartsList, catalogue: Mapping[str, Part], circuit_parts: Mapping[str, int]
) -> Iterator[Problem]:
    refs: dict[str, str] = {}
    for index, use in enumerate(parts.use):
        path = f"use[{index}]"
        if use.part not in catalogue:
            problem = f"{use.part!r} is in no catalogue{closest(use.part, tuple(catalogue))}"
            yield Problem(f"{path}.part", problem, "the key of a line of parts.csv")
        if use.count is None and use.part not in circuit_parts:
            problem = f"{use.part!r} has no count, and no circuit of the device has it"
            yield Problem(f"{path}.count", problem, "how many of it")
        if use.refs and len(use.refs) != use.count:
            problem = f"{len(use.refs)} refs are given for {use.count} of {use.part!r}"
            yield Problem(f"{path}.refs", problem, "a ref for each, or none")
        yield from _number_problems(path, use, circuit_parts)
        if not use.serves and use.note is None:
            yield Problem(path, f"{use.part!r} is for nothing", "for (what of the pin map it serves), or a note")
        for ref in use.refs:
            if ref in refs:
                problem = f"{ref} is {refs[ref]!r} and {use.part!r}"
                yield Problem(f"{path}.refs", problem, "each ref once")
            refs.setdefault(ref, use.part)


def _number_problems(path: str, use: Use, circuit_parts: Mapping[str, int]) -> Iterator[Problem]:
    """Fewer of a part than it has to serve: a button has a lamp in it, so each role is counted for itself."""
    roles = [what.partition(" ")[0] for what in use.serves]
    has = circuit_parts.get(use.part, 0) if use.count is None else use.count
    for role in ("connector", "mate", "chip", "module", "transceiver", "termination", "button", "lamp", "hold_up"):
        if roles.count(role) > has > 0:
            problem = f"{use.part!r} is for {roles.count(role)} of {role!r}, and there are {has} of it"
            yield Problem(f"{path}.count", problem, f"{roles.count(role)} or more")


def _known(pinmap: Pinmap) -> dict[str, str]:
    known = needs(pinmap)
    known |= {f"terminals {each.name}": each.title for each in pinmap.connector}
    for kind, table in (("bus", pinmap.bus), ("rail", pinmap.rail), ("signal", pinmap.signal)):
        known |= {f"{kind} {each.name}": each.title for each in table}
    return known


def _served_problems(pinmap: Pinmap, parts: PartsList) -> Iterator[Problem]:
    wanted, known = needs(pinmap), tuple(_known(pinmap))
    served: dict[str, str] = {}
    for index, use in enumerate(parts.use):
        for what in use.serves:
            path = f"use[{index}].for"
            if what not in known:
                problem = f"{use.part!r} is for {what!r}, which the pin map has not{closest(what, known)}"
                yield Problem(path, problem, "such as 'connector J1', by the pin map's names")
            for each in _stands_for(what):
                if each in wanted and each in served:
                    problem = f"{each!r} is served by {served[each]!r} and by {use.part!r}"
                    yield Problem(path, problem, "one part for each")
                served.setdefault(each, use.part)
    for need, words in wanted.items():
        if need not in served:
            yield Problem("use", f"{words} has no part", f"a [[use]] with for = [{need!r}]")


def _stands_for(what: str) -> tuple[str, ...]:
    role, _, name = what.partition(" ")
    return (f"connector {name}", f"mate {name}") if role == "terminals" else (what,)


def _contact_problems(pinmap: Pinmap, parts: PartsList) -> Iterator[Problem]:
    for index, _, use, connector in _connector_uses(pinmap, parts):
        path = f"use[{index}].pins"
        if use.pins is None:
            problem = f"{use.part!r} serves {connector.name}, and its contacts are not told"
            yield Problem(path, problem, f"pins, {connector.pins} or more")
        elif use.pins < connector.pins:
            has = f"{connector.name} ({connector.title}) has {connector.pins} pins"
            yield Problem(path, f"{has}, and {use.part!r} has {use.pins} contacts", f"{connector.pins} or more")


def _length_problems(pinmap: Pinmap, parts: PartsList) -> Iterator[Problem]:
    for index, use in enumerate(parts.use):
        asked_m = sum(cable.length_m for cable in pinmap.cable if f"cable {cable.name}" in use.serves)
        if use.count is not None and use.count < asked_m:
            problem = f"the cables that {use.part!r} is for are {asked_m:g} m long, and there are {use.count} m of it"
            yield Problem(f"use[{index}].count", problem, f"{asked_m:g} or more")


def _connector_uses(pinmap: Pinmap, parts: PartsList) -> Iterator[tuple[int, str, Use, Connector]]:
    there = {each.name: each for each in pinmap.connector}
    for index, use in enumerate(parts.use):
        for what in use.serves:
            role, _, name = what.partition(" ")
            if role in ("connector", "mate", "terminals") and name in there:
                yield index, role, use, there[name]


def _rating_problems(
    pinmap: Pinmap, parts: PartsList, catalogue: Mapping[str, Part], carried: Carried
) -> Iterator[Problem]:
    for index, role, use, connector in _connector_uses(pinmap, parts):
        part = catalogue.get(use.part)
        if part is None:
            continue
        for words, volts, amps in _on_connector(pinmap, connector, carried):
            place = f"{words} on {connector.name}"
            yield from _volts_problems(f"use[{index}].part", part, place, volts)
            # The amperes of a module with terminals are those of its outputs: how much they carry, the site decides.
            if role != "terminals" and part.amps_max is not None and amps * AMPS_MARGIN > part.amps_max:
                problem = f"{place} carries {amps:g} A, and a contact of {part.key!r} stands {part.amps_max:g} A"
                yield Problem(f"use[{index}].part", problem, f"{amps * AMPS_MARGIN:.3g} A or more")
    yield from _limiter_problems(pinmap, parts, catalogue)
    for index, use in enumerate(parts.use):
        part = catalogue.get(use.part)
        for signal in _of_use(pinmap, use) if part is not None else ():
            asked_v = _asked_v(signal.volts, carried)
            yield from _volts_problems(f"use[{index}].part", part, f"signal {signal.name!r}", asked_v)


def _asked_v(volts: float, carried: Carried) -> float:
    """What a part must stand of a wire of so many volts: no more than the supply gives at its most, with its margin."""
    most = max((each for each, _ in carried.values()), default=0.0)
    return min(volts * VOLTS_MARGIN, most) if volts <= most else volts * VOLTS_MARGIN


def _limiter_problems(pinmap: Pinmap, parts: PartsList, catalogue: Mapping[str, Part]) -> Iterator[Problem]:
    """Fuses that let more through than the pin map's cables were checked for."""
    limits = {f"rail {rail.name}": rail.amps for rail in pinmap.rail if rail.amps is not None}
    for index, use in enumerate(parts.use):
        part = catalogue.get(use.part)
        for what in use.serves:
            if what in limits and part is not None and part.amps_max is not None and part.amps_max > limits[what]:
                problem = f"{part.key!r} lets {part.amps_max:g} A through, and {what!r} is for {limits[what]:g} A"
                yield Problem(f"use[{index}].part", problem, f"{limits[what]:g} A or less")


def _on_connector(pinmap: Pinmap, connector: Connector, carried: Carried) -> Iterator[tuple[str, float, float]]:
    """What is wired to a connector: words, the most volts and the most amperes."""
    places = {f"{connector.name}.{number}" for number in range(1, connector.pins + 1)}
    for rail in pinmap.rail:
        if places & set(rail.to):
            volts, amps = carried.get(rail.name, (_asked_v(rail.volts, carried), 0.0))
            yield f"rail {rail.name!r}", volts, amps if rail.amps is None else rail.amps
    for signal in pinmap.signal:
        if signal.to in places:
            yield f"signal {signal.name!r}", _asked_v(signal.volts, carried), 0.0


def _of_use(pinmap: Pinmap, use: Use) -> Iterator[Signal]:
    """The signals that a part serves: by name, or as points of a module."""
    for what in use.serves:
        role, _, name = what.partition(" ")
        for signal in pinmap.signal:
            point = (signal.point or "").partition(".")[0]
            if (role in ("button", "lamp", "signal") and name == signal.name) or (role == "module" and name == point):
                yield signal


def _volts_problems(path: str, part: Part | None, words: str, volts: float) -> Iterator[Problem]:
    if part is not None and part.volts_max is not None and part.volts_max < volts:
        problem = f"{words} asks for {volts:.3g} V with its margin, and {part.key!r} stands {part.volts_max:g} V"
        yield Problem(path, problem, f"{volts:.3g} V or more")


def _temperature_problems(
    parts: PartsList, catalogue: Mapping[str, Part], circuit_parts: Mapping[str, int]
) -> Iterator[Problem]:
    exempt = {each.part for each in parts.exempt}
    outside = {key for key in counts(parts, circuit_parts) if key in catalogue and not _stands(parts, catalogue[key])}
    low, high = parts.environment.temp_min_c, parts.environment.temp_max_c
    for key in sorted(outside - exempt):
        part = catalogue[key]
        problem = f"{key!r} is for {part.temp_min_c:g} to {part.temp_max_c:g} C, and the device for {low:g} to {high:g}"
        yield Problem("environment", problem, "another part, or an [[exempt]] with the reason why it is accepted")
    for index, each in enumerate(parts.exempt):
        if each.part not in outside:
            problem = f"{each.part!r} is exempt, and is no part that stands less than {low:g} to {high:g} C"
            yield Problem(f"exempt[{index}].part", problem, "no exemption")


def _stands(parts: PartsList, part: Part) -> bool:
    return part.temp_min_c <= parts.environment.temp_min_c and part.temp_max_c >= parts.environment.temp_max_c


def _clock_problems(pinmap: Pinmap) -> Iterator[Problem]:
    chips = tuple(chip for bus in pinmap.bus for chip in bus.chip)
    for chip in chips:
        if CLOCKS.get(chip.compatible, chip.address) != chip.address:
            problem = f"{chip.name!r} is at {chip.address:#04x}, where no {chip.compatible} is"
            yield Problem("bus.chip", problem, f"{CLOCKS[chip.compatible]:#04x}")
    if not any(chip.compatible in CLOCKS for chip in chips):
        problem = "has no real-time clock: without a signal the device would start with a wrong time"
        yield Problem("bus.chip", problem, f"one of {', '.join(CLOCKS)}")


def bill(parts: PartsList, *, catalogue: Mapping[str, Part], circuit_parts: Mapping[str, int]) -> str:
    """Write the bill of materials as CSV, of parts without a problem; the last row is the sum."""
    rows = [(" ".join(use.refs) or "-", use.count, catalogue[use.part]) for use in parts.use if use.count is not None]
    rows += [("circuits", count, catalogue[key]) for key, count in sorted(circuit_parts.items())]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for ref, count, part in rows:
        words = (part.what, part.maker, part.number, part.rating, part.second)
        writer.writerow((ref, count, *words, f"{part.gbp:.2f}", f"{count * part.gbp:.2f}"))
    total = sum(count * part.gbp for _, count, part in rows)
    writer.writerow(("sum", sum(count for _, count, _ in rows), *[""] * 6, f"{total:.2f}"))
    return out.getvalue()


def parts_page(parts: PartsList, *, title: str, catalogue: Mapping[str, Part]) -> str:
    """Write what each part is for, and which do not stand the device's temperatures, in Markdown."""
    low, high = parts.environment.temp_min_c, parts.environment.temp_max_c
    lines = [
        f"# {title}: parts",
        "",
        "Generated from `parts.toml` and the catalogue by `make kit`: edit those.",
        "**Nothing of it was built or tested on hardware.** Prices are indicative, without tax.",
        "Figures that nobody could verify say so in the catalogue. Second sources are suggestions alone.",
        "",
        "| Ref | Count | Part | Maker and number | For |",
        "| --- | --- | --- | --- | --- |",
    ]
    for use in parts.use:
        part = catalogue[use.part]
        what = "; ".join((*use.serves, *((use.note,) if use.note else ())))
        count = use.count or "by the circuits"
        lines.append(f"| {' '.join(use.refs) or '-'} | {count} | {part.what} | {part.maker} {part.number} | {what} |")
    lines += ["", "## Temperatures", "", f"The device is designed for {low:g} to {high:g} C round its parts."]
    if parts.exempt:
        lines += ["These do not stand that, and are accepted:", "", "| Part | Stands | Why it is accepted |"]
        lines.append("| --- | --- | --- |")
    for each in parts.exempt:
        part = catalogue[each.part]
        lines.append(f"| {part.what} | {part.temp_min_c:g} to {part.temp_max_c:g} C | {each.reason} |")
    return "\n".join(lines) + "\n"
