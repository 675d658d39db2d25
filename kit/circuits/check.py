"""Everything that is wrong with the circuits, each a line that a technician understands."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from kit.circuits.counts import served, serves_bus, serves_signal
from kit.circuits.figures import NEEDS, ROLES, Bench, Figure, figures
from kit.circuits.shape import Circuit, Circuits, Component, Facts
from kit.parts import Part
from kit.pinmap import Pinmap
from wire.strict import Problem, closest

SERVED_THROUGH = ("opto", "driver", "relay")
"""What a signal goes through that is a circuit of this file: `direct` is a wire, a divider would be a circuit too."""
MARGIN = 1.25
"""How much more than it meets a part must stand."""
_PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12}


def check_circuits(
    circuits: Circuits, parts: Mapping[str, Part], pinmaps: Sequence[Pinmap] = ()
) -> tuple[Problem, ...]:
    """Tell everything that is wrong with the circuits; `parts` is the whole catalogue, `pinmaps` every board."""
    return (
        *_part_problems(circuits, parts),
        *_net_problems(circuits),
        *_sum_problems(circuits, parts, pinmaps),
        *_service_problems(circuits, pinmaps),
    )


def _part_problems(circuits: Circuits, parts: Mapping[str, Part]) -> Iterator[Problem]:
    for key in circuits.facts:
        if key not in parts:
            yield Problem(f"facts.{key}", f"no part is {key!r}{closest(key, tuple(parts))}", "a part of the catalogue")
    for index, circuit in enumerate(circuits.circuit):
        names = [each.name for each in circuits.circuit]
        if (first := names.index(circuit.name)) != index:
            yield Problem(f"circuit[{index}].name", f"{circuit.name!r} is circuit[{first}] too", "a name of its own")
        for number, component in enumerate(circuit.component):
            path = f"circuit[{index}].component[{number}]"
            found = parts.get(component.part)
            if found is None:
                problem = f"{component.ref} of {circuit.name!r} is a {component.part!r}, which is no part"
                yield Problem(f"{path}.part", problem + closest(component.part, tuple(parts)), "one of the catalogue")
            else:
                yield from _value_problems(path, component, found, circuits.facts.get(component.part, Facts()))


def _value_problems(path: str, component: Component, part: Part, facts: Facts) -> Iterator[Problem]:
    numbers = {"Ω": facts.ohms, "F": facts.farads, "A": facts.amps}
    unit = component.value[-1]
    known = numbers.get(unit) if component.symbol in ("resistor", "capacitor", "polar", "fuse") else None
    if known is not None:
        fits = abs(_amount(component.value) - known) <= 1e-6 * known
        says = f"{known:g} {unit}"
    else:
        fits, says = part.number.startswith(component.value), part.number
    if not fits:
        problem = f"{component.ref} is {component.value!r}, and its part {component.part!r} is {part.number}"
        yield Problem(f"{path}.value", problem, says)


def _amount(text: str) -> float:
    """The number of a value such as `4.7 kΩ`; not a number, which fits nothing, where it is none."""
    number, _, unit = text.partition(" ")
    try:
        return float(number) * _PREFIXES[unit[:-1]]
    except (ValueError, KeyError):
        return float("nan")


def _net_problems(circuits: Circuits) -> Iterator[Problem]:
    for index, circuit in enumerate(circuits.circuit):
        refs = Counter(each.ref for each in circuit.component)
        for ref in (ref for ref, times in refs.items() if times > 1):
            yield Problem(f"circuit[{index}]", f"{circuit.name!r} has {refs[ref]} components {ref}", "each its own")
        ends: Counter[str] = Counter(net for each in circuit.component for net in each.pins.values())
        ends.update(each.net for each in circuit.mark)
        for net in (net for net, times in ends.items() if times == 1):
            yield Problem(f"circuit[{index}]", f"net {net!r} of {circuit.name!r} has one end", "two ends or more")


def _sum_problems(circuits: Circuits, parts: Mapping[str, Part], pinmaps: Sequence[Pinmap]) -> Iterator[Problem]:
    for index, circuit in enumerate(circuits.circuit):
        path = f"circuit[{index}]"
        missing = tuple(_missing(path, circuit, circuits.facts))
        yield from missing
        if missing:
            continue
        for figure in figures(circuit, circuits.facts):
            if not figure.holds:
                problem = f"{circuit.name!r}: {figure.what} is {quantity(figure.value, figure.unit)}"
                yield Problem(path, problem, f"{limits(figure)}: {figure.why}")
        yield from _rating_problems(path, circuit, circuits.facts, parts)
        yield from _signal_problems(path, circuit, pinmaps)


def _missing(path: str, circuit: Circuit, facts: Mapping[str, Facts]) -> Iterator[Problem]:
    for need in NEEDS[circuit.kind]:
        if need not in circuit.needs:
            yield Problem(f"{path}.needs.{need}", f"{circuit.name!r} does not say its {need}", "a number")
    for role, wanted in ROLES[circuit.kind].items():
        component = circuit.of_role(role)
        if component is None:
            yield Problem(path, f"{circuit.name!r} has no {role.replace('_', ' ')}", f"a component of role {role}")
            continue
        for fact in wanted:
            if getattr(facts.get(component.part, Facts()), fact) is None:
                problem = f"of {component.part!r} ({component.ref} of {circuit.name!r}) no {fact} is known"
                yield Problem(f"facts.{component.part}.{fact}", problem, "a number, from the data sheet")


def _rating_problems(
    path: str, circuit: Circuit, facts: Mapping[str, Facts], parts: Mapping[str, Part]
) -> Iterator[Problem]:
    """What parts meet that the catalogue has a rating for: volts and amperes."""
    needs = circuit.needs
    meets: dict[str, tuple[float, float]] = {}
    if circuit.kind == "relay":
        coil_a = needs["supply_max_v"] / Bench(circuit, facts)("relay", "coil_ohms")
        meets = {"flyback": (needs["supply_max_v"], coil_a), "load_flyback": (needs["supply_max_v"], needs["load_a"])}
    elif circuit.kind == "driver":
        meets = {"switch": (needs["lamp_v"], needs["lamp_a"])}
    elif circuit.kind == "opto":
        clamp_v = Bench(circuit, facts)("clamp", "breakdown_v")
        meets = {"blocking": (clamp_v, 0.0), "opto": (3.3, 0.0)}
    elif circuit.kind == "hold_up":
        meets = {"store_upper": (needs["full_v"] / 2 / MARGIN, 0), "store_lower": (needs["full_v"] / 2 / MARGIN, 0)}
    for component in circuit.component:
        volts, amps = meets.get(component.role, (0.0, 0.0))
        part = parts.get(component.part)
        ratings = ((volts, part.volts_max, "V"), (amps, part.amps_max, "A")) if part else ()
        for value, rated, unit in ratings:
            if value and (rated is None or rated < value * MARGIN):
                says = f"{component.part!r} is rated {rated:g} {unit}" if rated is not None else "no rating is known"
                problem = f"{component.ref} of {circuit.name!r} meets {value:g} {unit}, and {says}"
                yield Problem(path, problem, f"a part for {value * MARGIN:g} {unit} or more")


def _signal_problems(path: str, circuit: Circuit, pinmaps: Sequence[Pinmap]) -> Iterator[Problem]:
    """What a circuit is put to by a pin map, and is not made for."""
    top = {"driver": "lamp_v", "opto": "most_v", "relay": "supply_max_v"}.get(circuit.kind)
    for pinmap in pinmaps:
        for signal in pinmap.signal:
            if top and circuit.instead_of is None and serves_signal(circuit, signal):
                if signal.volts > circuit.needs[top]:
                    problem = f"{circuit.name!r} is for {circuit.needs[top]:g} V, and signal {signal.name!r}"
                    problem += f" of {pinmap.board.name} carries {signal.volts:g} V"
                    yield Problem(path, problem, "a circuit for that voltage")
        for bus in pinmap.bus:
            if circuit.kind != "rs485" or not serves_bus(circuit, bus):
                continue
            if "board" not in bus.terminated:
                problem = f"{circuit.name!r} is terminated, and line {bus.name!r} of {pinmap.board.name} is not there"
                yield Problem(path, problem, "the device at an end of the line, or its resistor left out")
            if len(bus.slave) > (modules := circuit.needs.get("modules", 2)):
                problem = f"{circuit.name!r} is calculated for {modules:g} modules, and line {bus.name!r}"
                yield Problem(path, f"{problem} of {pinmap.board.name} has {len(bus.slave)}", "needs.modules of that")


def _service_problems(circuits: Circuits, pinmaps: Sequence[Pinmap]) -> Iterator[Problem]:
    counted = tuple(each for each in circuits.circuit if each.instead_of is None)
    names = tuple(each.name for each in counted)
    for pinmap in pinmaps:
        for signal in pinmap.signal:
            needed = signal.through in SERVED_THROUGH or signal.use == "power_fail"
            yield from _one(
                needed,
                f"signal {signal.name!r}",
                pinmap,
                [c for c in counted if serves_signal(c, signal)],
            )
        for bus in pinmap.bus:
            yield from _one(
                bus.kind == "rs485",
                f"bus {bus.name!r}",
                pinmap,
                [c for c in counted if serves_bus(c, bus)],
            )
    for index, circuit in enumerate(circuits.circuit):
        if circuit.instead_of is not None and circuit.instead_of not in names:
            problem = f"no circuit is {circuit.instead_of!r}{closest(circuit.instead_of, names)}"
            yield Problem(f"circuit[{index}].instead_of", problem, f"one of {', '.join(names)}")
        if pinmaps and not any(name for each in pinmaps for name in served(circuit, each)):
            yield Problem(f"circuit[{index}].for", f"nothing goes through {circuit.name!r}", "a signal or a bus for it")


def _one(needed: bool, user: str, pinmap: Pinmap, found: Sequence[Circuit]) -> Iterator[Problem]:
    if needed and not found:
        yield Problem("circuit", f"no circuit serves {user} of {pinmap.board.name}", "one that is `for` it")
    if len(found) > 1:
        names = " and ".join(repr(each.name) for each in found)
        yield Problem("circuit", f"{names} both serve {user} of {pinmap.board.name}", "one circuit for each")


def quantity(value: float, unit: str) -> str:
    """Write a figure for a person: three digits, with milli where it is small."""
    milli = unit in ("A", "V", "W") and 0 < abs(value) < 1
    return f"{value * 1000:.3g} m{unit}" if milli else f"{value:.3g} {unit}".rstrip()


def limits(figure: Figure) -> str:
    """Write what a figure may be."""
    named = (("at least", figure.least), ("at most", figure.most))
    return " and ".join(f"{word} {quantity(limit, figure.unit)}" for word, limit in named if limit is not None)
