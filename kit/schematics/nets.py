"""What is connected on a sheet, by the sheet alone, and where that is not what the nets of the circuit say."""

import re
from collections import defaultdict
from collections.abc import Iterator

from kit.circuits import Circuit, Circuits
from kit.schematics.symbols import Pins, Spot, pins_of, spot_of
from wire.strict import Problem


def drawing_problems(circuits: Circuits) -> tuple[Problem, ...]:
    """Tell where a drawing does not show the nets that its pins say, by what is connected on the sheet."""
    problems: list[Problem] = []
    for index, circuit in enumerate(circuits.circuit):
        path = f"circuit[{index}]"
        faults = tuple(_wire_faults(path, circuit, pins_of(circuit)))
        problems += faults or tuple(_node_faults(path, circuit))
    return tuple(problems)


def spots_of(wire: str, pins: Pins) -> list[Spot] | str:
    """The places of a wire, or the word of it that is no place."""
    spots: list[Spot] = []
    for word in wire.split():
        if word in pins:
            spots.append(pins[word])
        elif re.fullmatch(r"(-?[0-9.]+|\.),(-?[0-9.]+|\.)", word) and (spots or ".," not in word and ",." != word[-2:]):
            numbers = [spots[-1][axis] if part == "." else float(part) for axis, part in enumerate(word.split(","))]
            spots.append((numbers[0], numbers[1]))
        else:
            return word
    return spots if len(spots) > 1 else wire


def _wire_faults(path: str, circuit: Circuit, pins: Pins) -> Iterator[Problem]:
    for component in circuit.component:
        for pin in component.pins:
            if f"{component.ref}.{pin}" not in pins:
                problem = f"pin {component.ref}.{pin} of {circuit.name!r} is not on its symbol {component.symbol!r}"
                yield Problem(f"{path}.component", problem, "a pin that the symbol has, and a place for it")
    for number, wire in enumerate(circuit.wire):
        spots = spots_of(wire, pins)
        where = f"{path}.wire[{number}]"
        if isinstance(spots, str):
            problem = f"{spots!r} is no place of {circuit.name!r}"
            yield Problem(where, problem, "pins such as R1.2, and places such as 3,4")
            continue
        for one, other in zip(spots, spots[1:], strict=False):
            if one[0] != other[0] and one[1] != other[1]:
                yield Problem(where, f"goes askew from {one} to {other}", "a wire along the grid")


def _stretches(circuit: Circuit, pins: Pins) -> list[tuple[Spot, Spot]]:
    paths = [path for wire in circuit.wire if isinstance(path := spots_of(wire, pins), list)]
    return [stretch for path in paths for stretch in zip(path, path[1:], strict=False)]


def _lies_on(spot: Spot, stretch: tuple[Spot, Spot]) -> bool:
    (one_x, one_y), (two_x, two_y) = stretch
    across = min(one_x, two_x) <= spot[0] <= max(one_x, two_x)
    return across and min(one_y, two_y) <= spot[1] <= max(one_y, two_y)


def _nodes(circuit: Circuit, pins: Pins) -> list[set[str]]:
    """What is connected on the sheet: sets of pins and of marks (`=net` is a mark). Wires that only cross are not."""
    stretches = _stretches(circuit, pins)
    spots = {*pins.values(), *(spot_of(each.at) for each in circuit.mark), *(end for each in stretches for end in each)}
    root = {spot: spot for spot in spots}

    def find(spot: Spot) -> Spot:
        while root[spot] != spot:
            spot = root[spot]
        return spot

    for stretch in stretches:
        for spot in spots:
            if _lies_on(spot, stretch):
                root[find(spot)] = find(stretch[0])
    nodes: dict[Spot, set[str]] = defaultdict(set)
    for spot in spots:
        nodes[find(spot)] |= {name for name, at in pins.items() if at == spot}
        nodes[find(spot)] |= {f"={each.net}" for each in circuit.mark if spot_of(each.at) == spot}
    return [nodes[spot] for spot in sorted(nodes)]


def _node_faults(path: str, circuit: Circuit) -> Iterator[Problem]:
    pins = pins_of(circuit)
    said = {f"{each.ref}.{pin}": net for each in circuit.component for pin, net in each.pins.items()}
    pieces: dict[str, list[set[str]]] = defaultdict(list)
    for node in _nodes(circuit, pins):
        nets = sorted({name[1:] if name.startswith("=") else said[name] for name in node})
        if not nets:
            yield Problem(f"{path}.wire", f"a wire of {circuit.name!r} is on no pin", "each wire on a pin or a mark")
        elif len(nets) > 1:
            problem = f"the drawing of {circuit.name!r} joins {' and '.join(map(repr, nets))} at {_names(node)}"
            yield Problem(f"{path}.wire", problem, "each net on its own")
        else:
            pieces[nets[0]].append(node)
    for net, found in pieces.items():
        loose = [node for node in found if f"={net}" not in node]
        if len(found) > 1 and loose:
            problem = f"the drawing of {circuit.name!r} leaves {_names(loose[0])} apart from the rest of {net!r}"
            yield Problem(f"{path}.wire", problem, "a wire, or a mark of the net")


def _names(node: set[str]) -> str:
    return ", ".join(sorted(name for name in node if not name.startswith("="))) or "a mark"


def dots_of(circuit: Circuit, pins: Pins) -> Iterator[Spot]:
    """Where three ways or more meet: wires as they come and go, pins, and marks."""
    stretches = _stretches(circuit, pins)
    spots = {*pins.values(), *(spot_of(each.at) for each in circuit.mark), *(end for each in stretches for end in each)}
    for spot in sorted(spots):
        ways = sum(2 - (spot in each) for each in stretches if _lies_on(spot, each))
        ways += sum(at == spot for at in pins.values()) + sum(spot_of(each.at) == spot for each in circuit.mark)
        if ways > 2:
            yield spot
