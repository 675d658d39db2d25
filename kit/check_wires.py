"""What is wrong between the board and the outside: ends of signals, pins of connectors. Pure."""

from collections.abc import Iterator

from kit.header import WIRES
from kit.pinmap import Connector, Pinmap, Signal
from wire.strict import Problem

Wire = tuple[str, str, str]
"""Path, user, and the connector's pin."""


def wire_problems(pinmap: Pinmap) -> Iterator[Problem]:
    """Tell signals that lead nowhere, buses whose wires are not there, and pins wired never, twice or not to be."""
    for index, signal in enumerate(pinmap.signal):
        yield from _end_problems(f"signal[{index}]", signal)
    for index, bus in enumerate(pinmap.bus):
        for wire in WIRES[bus.kind]:
            if wire not in bus.wires:
                problem = f"wire {wire} of bus {bus.name!r} goes nowhere"
                yield Problem(f"bus[{index}].wires.{wire}", problem, "a connector's pin, such as J2.3")
        for wire in bus.wires:
            if wire not in WIRES[bus.kind]:
                expected = f"{', '.join(WIRES[bus.kind]) or 'no wires'} alone"
                yield Problem(f"bus[{index}].wires.{wire}", f"{bus.kind} has no wire {wire!r}", expected)
    yield from _connector_problems(pinmap)


def wires(pinmap: Pinmap) -> Iterator[Wire]:
    """Every wire that ends on a connector's pin."""
    for index, rail in enumerate(pinmap.rail):
        for number, place in enumerate(rail.to):
            yield f"rail[{index}].to[{number}]", f"rail {rail.name!r}", place
    for index, bus in enumerate(pinmap.bus):
        for wire, place in bus.wires.items():
            yield f"bus[{index}].wires.{wire}", f"bus {bus.name!r} ({wire})", place
    for index, signal in enumerate(pinmap.signal):
        if signal.to is not None:
            yield f"signal[{index}].to", f"signal {signal.name!r}", signal.to


def _end_problems(path: str, signal: Signal) -> Iterator[Problem]:
    if signal.pin is None and signal.point is None:
        problem = f"signal {signal.name!r} comes from nowhere"
        yield Problem(path, problem, "pin (a GPIO) or point (of a Modbus module)")
    if signal.pin is not None and signal.point is not None:
        problem = f"signal {signal.name!r} is on GPIO{signal.pin} and on {signal.point}"
        yield Problem(path, problem, "one of the two: pin or point")
    if signal.use == "pps" and signal.point is not None:
        yield Problem(f"{path}.point", f"signal {signal.name!r} is a pulse, and {signal.point} is polled", "a GPIO")
    if signal.to is None and signal.part is None:
        problem = f"signal {signal.name!r} goes nowhere"
        yield Problem(path, problem, "to (a connector's pin) or part (on the board)")
    if signal.to is not None and signal.part is not None:
        problem = f"signal {signal.name!r} goes to {signal.to} and to {signal.part!r}"
        yield Problem(path, problem, "one of the two: to or part")


def _connector_problems(pinmap: Pinmap) -> Iterator[Problem]:
    there = {each.name: each for each in pinmap.connector}
    users: dict[str, str] = {}
    for path, user, place in wires(pinmap):
        name, _, number = place.partition(".")
        if name not in there:
            problem = f"{user} goes to {place}, and there is no connector {name}"
            yield Problem(path, problem, f"one of {', '.join(there)}")
        elif int(number) > there[name].pins:
            problem = f"{user} goes to {place}, which {name} ({there[name].title}) has not"
            yield Problem(path, problem, f"{name}.1 to {name}.{there[name].pins}")
        elif int(number) in there[name].left_open:
            yield Problem(path, f"{user} goes to {place}, which {name} leaves open", "another pin, or not left open")
        elif place in users:
            yield Problem(path, f"{place} is wired to {users[place]} and to {user}", "each pin once")
        users.setdefault(place, user)
    for index, connector in enumerate(pinmap.connector):
        yield from _unwired(f"connector[{index}]", connector, frozenset(users))


def _unwired(path: str, connector: Connector, wired: frozenset[str]) -> Iterator[Problem]:
    for number in range(1, connector.pins + 1):
        if f"{connector.name}.{number}" not in wired and number not in connector.left_open:
            problem = f"pin {connector.name}.{number} of {connector.name} ({connector.title}) is wired to nothing"
            yield Problem(path, problem, "a signal, a rail or a bus on it, or left_open")
    for number in connector.left_open:
        if not 1 <= number <= connector.pins:
            yield Problem(f"{path}.left_open", f"{connector.name} has no pin {number}", f"1 to {connector.pins}")
