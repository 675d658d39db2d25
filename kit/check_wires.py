"""What is wrong between the board and the outside: ends of signals, pins of connectors, cores of cables. Pure."""

from collections.abc import Iterator, Mapping

from kit.header import WIRES
from kit.pinmap import Cable, Connector, Core, Pinmap, Rail, Signal
from wire.strict import Problem

AMPS_AT_30_C = {0.14: 3.0, 0.25: 4.5, 0.34: 5.0, 0.5: 9.0, 0.75: 12.0, 1.0: 15.0, 1.5: 18.0, 2.5: 26.0, 4.0: 34.0}
"""Square millimetres of copper: what a core of a cable with two or three loaded ones stands for good, in air of 30 °C.

Source: DIN VDE 0298-4, table 11, and DIN VDE 0891-1 below 0.5 mm², as Lapp's catalogue gives them (table T12-1).
"""
HOT = 0.5
"""What is left of that at 60 °C, as behind a dashboard, for insulation that stands 70 °C: DIN VDE 0298-4."""
EARTH = frozenset(("GNYE", "YEGN"))
"""Green-yellow, which marks protective earth and nothing else: IEC 60445."""

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
    yield from _cable_problems(pinmap)


def amps_of(gauge_mm2: float) -> float:
    """What a core stands for good in a hot place; one between two sizes counts as the thinner."""
    return HOT * max((amps for size, amps in AMPS_AT_30_C.items() if size <= gauge_mm2), default=0.0)


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


def _cable_problems(pinmap: Pinmap) -> Iterator[Problem]:
    wired = {place: user for _, user, place in wires(pinmap)}
    cored: dict[str, str] = {}
    for index, cable in enumerate(pinmap.cable):
        path = f"cable[{index}]"
        for where, user, place in _ends(path, cable, pinmap):
            yield from _end_of_core_problems(where, user, place, (pinmap, wired))
            if place in cored:
                yield Problem(where, f"{place} has {cored[place]} and {user}", "each pin one core")
            cored.setdefault(place, user)
        yield from _core_problems(path, cable)
        yield from _gauge_problems(path, cable, pinmap)
    plugged = {place.partition(".")[0] for place in cored}
    for index, connector in enumerate(pinmap.connector):
        there = [place for place in wired if place.partition(".")[0] == connector.name]
        if there and connector.name not in plugged:
            problem = f"no cable plugs on {connector.name} ({connector.title}), and {wired[there[0]]} is on {there[0]}"
            yield Problem(f"connector[{index}]", problem, "[[cable]] with a core on each pin that is wired")
            continue
        for place in there:
            if place not in cored and int(place.partition(".")[2]) <= connector.pins:
                yield Problem(f"connector[{index}]", f"{wired[place]} is on {place}, which has no core", "a core")


def _ends(path: str, cable: Cable, pinmap: Pinmap) -> Iterator[Wire]:
    """Each end of a core that is on a connector's pin: the other end of the cable may be a connector too."""
    far = cable.to in {each.name for each in pinmap.connector}
    for number, core in enumerate(cable.core):
        user = f"core {core.colour} of cable {cable.name!r}"
        yield f"{path}.core[{number}].pin", user, core.pin
        if far:
            yield f"{path}.core[{number}].far", user, core.far


def _end_of_core_problems(
    path: str, user: str, place: str, known: tuple[Pinmap, Mapping[str, str]]
) -> Iterator[Problem]:
    pinmap, wired = known
    there = {each.name: each for each in pinmap.connector}
    name, _, number = place.partition(".")
    if name not in there:
        problem = f"{user} is on {place}, and there is no connector {name}"
        yield Problem(path, problem, f"a pin of one of {', '.join(there)}")
    elif not number.isdecimal() or not 1 <= int(number) <= there[name].pins:
        problem = f"{user} is on {place}, which {name} ({there[name].title}) has not"
        yield Problem(path, problem, f"{name}.1 to {name}.{there[name].pins}")
    elif place not in wired:
        yield Problem(path, f"{user} is on {place}, which nothing uses", "a signal, a rail or a bus on it, or no core")


def _core_problems(path: str, cable: Cable) -> Iterator[Problem]:
    colours: dict[str, str] = {}
    fars: dict[str, str] = {}
    pairs: dict[int, list[str]] = {}
    for number, core in enumerate(cable.core):
        where = f"{path}.core[{number}]"
        if core.colour in EARTH:
            problem = (
                f"core {core.colour} of cable {cable.name!r} is on {core.pin}, and green-yellow is for earth alone"
            )
            yield Problem(f"{where}.colour", problem, "another colour")
        if core.colour in colours:
            problem = f"{core.colour} in cable {cable.name!r} is the colour of {colours[core.colour]} and of {core.pin}"
            yield Problem(f"{where}.colour", problem, "each core a colour of its own")
        if core.far in fars:
            problem = f"{core.far!r} in cable {cable.name!r} is the other end of {fars[core.far]} and of {core.pin}"
            yield Problem(f"{where}.far", problem, "each core an end of its own")
        colours.setdefault(core.colour, core.pin)
        fars.setdefault(core.far, core.pin)
        if core.pair is not None:
            pairs.setdefault(core.pair, []).append(core.pin)
    for pair, pins in pairs.items():
        if len(pins) != 2:
            yield Problem(
                f"{path}.core", f"pair {pair} of cable {cable.name!r} is {', '.join(pins)}", "two cores a pair"
            )


def _gauge_problems(path: str, cable: Cable, pinmap: Pinmap) -> Iterator[Problem]:
    """Each core stands what the fuse before it lets through: of returns and what a relay switches, the supply's."""
    rails = {place: rail for rail in pinmap.rail for place in rail.to}
    loads = {each.to for each in pinmap.signal if each.through in ("driver", "relay")}
    own = [rails[core.pin] for core in cable.core if core.pin in rails]
    supplies = [rail for rail in own if rail.volts > 0]
    for rail in dict.fromkeys(each.name for each in supplies if each.amps is None):
        problem = f"cable {cable.name!r} carries rail {rail!r}, which does not say what its fuse lets through"
        yield Problem(f"{path}.gauge_mm2", problem, "amps on the rail")
    strongest = max(supplies, key=lambda rail: rail.amps or 0.0, default=None)
    for number, core in enumerate(cable.core):
        guarded = _guard(core, rails, loads, strongest)
        if guarded is None or guarded.amps is None or guarded.amps <= amps_of(cable.gauge_mm2):
            continue
        problem = (
            f"core {core.colour} of cable {cable.name!r} stands {amps_of(cable.gauge_mm2):g} A, "
            f"and rail {guarded.name!r} carries {guarded.amps:g} A"
        )
        enough = [size for size in AMPS_AT_30_C if amps_of(size) >= guarded.amps]
        expected = f"{enough[0]:g} mm2 or more" if enough else "a smaller fuse"
        yield Problem(f"{path}.core[{number}]", problem, f"{expected}, or a smaller fuse" if enough else expected)


def _guard(core: Core, rails: Mapping[str, Rail], loads: set[str | None], strongest: Rail | None) -> Rail | None:
    """The rail whose fuse guards a core; none, where it carries signals alone."""
    rail = rails.get(core.pin)
    if rail is not None and rail.volts > 0:
        return rail
    return strongest if rail is not None or core.pin in loads else None
