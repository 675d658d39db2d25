"""What two files say of one thing, and not alike: supply, store and suppressor, fuses of cables. Pure."""

import re
from collections.abc import Iterator, Mapping

from kit.bill import PartsList
from kit.circuits import Circuits
from kit.circuits.shape import Facts
from kit.parts import Part
from kit.pinmap import Core, Pinmap
from kit.power import Power
from wire.strict import Problem

FUSED = re.compile(r"through a fuse of ([0-9.]+) A")
"""How a core's other end says that a fuse stands there."""


def supply_problems(power: Power, pinmap: Pinmap) -> Iterator[Problem]:
    """Tell where the power budget's volts are not those of the pin map's rail."""
    rail = next((each for each in pinmap.rail if each.name == power.supply.rail), None)
    if rail is None:
        return
    usual = max(power.supply.volts)
    if usual > rail.volts:
        problem = f"rail {rail.name!r} of the pin map carries {rail.volts:g} V at the most, and {usual:g} V are usual"
        yield Problem("supply.volts", problem, f"{usual:g} V or more in the pin map")
    if power.supply.volts_max < rail.volts:
        problem = f"rail {rail.name!r} of the pin map carries {rail.volts:g} V, and here at most"
        yield Problem("supply.volts_max", f"{problem} {power.supply.volts_max:g} V", f"{rail.volts:g} V or more")


def fact_problems(power: Power, circuits: Circuits) -> Iterator[Problem]:
    """Tell where the power budget's figures of the store and the suppressor are not those of the circuits."""
    store, dump = power.store, power.supply.dump
    said = [
        ("store.cell_f", store.part, store.cell_f, "farads", 1.0),
        ("store.cell_mohm", store.part, store.cell_mohm, "esr_ohms", 1000.0),
    ]
    if dump is not None:
        said.append(("supply.dump.breakdown_v", dump.part, dump.breakdown_v, "breakdown_v", 1.0))
        clamps = {c.part for each in circuits.circuit if each.kind == "hold_up" for c in each.component}
        if dump.part not in clamps:
            problem = f"{dump.part!r} is not the suppressor of the supply's circuit"
            yield Problem("supply.dump.part", problem, "the one that is drawn there")
    full_v = store.cell_v * store.in_series
    for circuit in circuits.circuit:
        drawn_v = circuit.needs.get("full_v", full_v)
        if circuit.kind == "hold_up" and drawn_v != full_v:
            problem = f"the full store has {full_v:g} V here, and {drawn_v:g} V in {circuit.name!r} of circuits.toml"
            yield Problem("store.cell_v", problem, "the same in both")
    for path, key, value, name, times in said:
        known = getattr(circuits.facts.get(key, Facts()), name)
        if known is not None and abs(known * times - value) > 1e-6 * value:
            problem = f"of {key!r} it is {value:g} here, and {known * times:g} in circuits.toml"
            yield Problem(path, problem, "the same in both, from the data sheet")


def fuse_problems(pinmap: Pinmap, parts: PartsList, catalogue: Mapping[str, Part]) -> Iterator[Problem]:
    """Tell fuses at the other ends of cables that are not those of their rails, or of no rail and not on the bill."""
    rails = {place: rail for rail in pinmap.rail for place in rail.to}
    wanted: dict[float, list[str]] = {}
    for index, cable in enumerate(pinmap.cable):
        for number, core, amps in _fused(cable.core):
            rail = rails.get(core.pin)
            if rail is not None and rail.amps is not None and rail.amps != amps:
                problem = f"{core.far!r} says a fuse of {amps:g} A, and rail {rail.name!r} one of {rail.amps:g} A"
                yield Problem(f"cable[{index}].core[{number}].far", problem, "the same fuse in both")
            elif rail is None:
                wanted.setdefault(amps, []).append(core.pin)
    for amps, pins in wanted.items():
        there = sum(use.count or 0 for use in parts.use if not use.serves and _is_fuse(catalogue.get(use.part), amps))
        if there < len(pins):
            problem = f"{', '.join(pins)} have fuses of {amps:g} A at the other end, and the bill has {there}"
            yield Problem("cable", problem, f"{len(pins)} in parts.toml")


def _fused(cores: tuple[Core, ...]) -> Iterator[tuple[int, Core, float]]:
    for number, core in enumerate(cores):
        if found := FUSED.search(core.far):
            yield number, core, float(found[1])


def _is_fuse(part: Part | None, amps: float) -> bool:
    return part is not None and "fuse" in part.what.lower() and part.amps_max == amps
