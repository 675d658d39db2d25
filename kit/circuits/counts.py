"""Which circuits a board has, how often, and so which parts it is made of."""

from collections import Counter
from collections.abc import Iterator

from kit.circuits.shape import Circuit, Circuits
from kit.pinmap import BusPart, Pinmap, Signal


def serves_signal(circuit: Circuit, signal: Signal) -> bool:
    """Whether the circuit is between the signal and the outside."""
    by_use = signal.use in circuit.serves.use and signal.pin is not None
    return by_use or signal.through in circuit.serves.through


def serves_bus(circuit: Circuit, bus: BusPart) -> bool:
    """Whether the circuit is between the bus and the outside."""
    return bus.kind in circuit.serves.bus


def served(circuit: Circuit, pinmap: Pinmap) -> Iterator[str]:
    """Name each signal and bus of a pin map that the circuit is repeated for."""
    yield from (each.name for each in pinmap.signal if serves_signal(circuit, each))
    yield from (each.name for each in pinmap.bus if serves_bus(circuit, each))


def circuit_parts(circuits: Circuits, pinmap: Pinmap) -> dict[str, int]:
    """Count the parts of a board's circuits: part key and number.

    Not those that its own `parts.toml` lists, nor those of a circuit that is fitted instead of another.
    """
    counts: Counter[str] = Counter()
    for circuit in circuits.circuit:
        times = len(tuple(served(circuit, pinmap))) if circuit.instead_of is None else 0
        for component in circuit.component:
            counts[component.part] += 0 if component.listed else times
    return {part: number for part, number in sorted(counts.items()) if number}


def alternative_parts(circuits: Circuits) -> dict[str, int]:
    """The parts of circuits that are fitted instead of others, none of each: a catalogue has them, no bill does."""
    return {each.part: 0 for circuit in circuits.circuit if circuit.instead_of for each in circuit.component}
