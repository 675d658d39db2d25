"""What is wrong with the RS-485 lines: addresses, register maps, points, and the resistors at their ends. Pure."""

from collections.abc import Iterator, Mapping

from edge_agent.config.register_maps import RegisterMap
from kit.pinmap import OUTPUTS, BusPart, Pinmap, Signal
from wire.strict import Problem, closest

BOARD = "board"
"""What this device is called in `along` and `terminated`."""


def line_problems(pinmap: Pinmap, maps: Mapping[str, RegisterMap]) -> Iterator[Problem]:
    """Tell what is wrong with the lines, and with the signals that are points of a module."""
    slaves: dict[str, RegisterMap | None] = {}
    owners: dict[str, str] = {}
    for index, bus in enumerate(pinmap.bus):
        path = f"bus[{index}]"
        if bus.kind == "rs485":
            yield from _termination_problems(path, bus)
            yield from _address_problems(path, bus)
        elif bus.slave or bus.along or bus.terminated:
            yield Problem(path, f"bus {bus.name!r} is no rs485 line, and has slaves or ends", "none of them here")
        if bus.kind != "i2c" and bus.path is None:
            yield Problem(f"{path}.path", f"bus {bus.name!r} has no path", "what Linux calls it, such as /dev/ttyAMA3")
        for number, slave in enumerate(bus.slave):
            where = f"{path}.slave[{number}]"
            if slave.name in owners:
                problem = f"{slave.name!r} is a module of bus {owners[slave.name]!r} and of bus {bus.name!r}"
                yield Problem(f"{where}.name", problem, "each module a name of its own")
            owners.setdefault(slave.name, bus.name)
            if slave.map not in maps:
                problem = f"{slave.map!r}, of module {slave.name!r}, is no known register map"
                expected = f"one of {', '.join(maps)}"
                yield Problem(f"{where}.map", problem + closest(slave.map, tuple(maps)), expected)
            slaves[slave.name] = maps.get(slave.map)
    yield from _point_problems(pinmap, slaves)


def _address_problems(path: str, bus: BusPart) -> Iterator[Problem]:
    users: dict[int, str] = {}
    if not bus.slave:
        yield Problem(f"{path}.slave", f"line {bus.name!r} has no module", "[[bus.slave]]")
    for number, slave in enumerate(bus.slave):
        if slave.id in users:
            problem = f"address {slave.id} of line {bus.name!r} is set on {users[slave.id]!r} and on {slave.name!r}"
            yield Problem(f"{path}.slave[{number}].id", problem, "each module an address of its own")
        users.setdefault(slave.id, slave.name)


def _termination_problems(path: str, bus: BusPart) -> Iterator[Problem]:
    yield from _cable_problems(path, bus)
    ends = tuple(dict.fromkeys((*bus.along[:1], *bus.along[-1:])))
    for end in ends:
        if end not in bus.terminated:
            problem = f"the end of line {bus.name!r} at {end!r} has no termination"
            yield Problem(f"{path}.terminated", problem, "120 ohm between A and B at both ends of the cable")
    for name in bus.terminated:
        if name in bus.along and name not in ends:
            problem = f"{name!r} is terminated, and stands between {' and '.join(map(repr, ends))}"
            yield Problem(f"{path}.terminated", problem, "termination at the two ends alone")


def _cable_problems(path: str, bus: BusPart) -> Iterator[Problem]:
    there = (BOARD, *(slave.name for slave in bus.slave))
    if BOARD in there[1:]:
        yield Problem(f"{path}.slave", f"a module is named {BOARD!r}, which is this device", "another name")
    for name in dict.fromkeys(there):
        if (count := bus.along.count(name)) != 1:
            problem = f"{name!r} stands {count} times along line {bus.name!r}"
            yield Problem(f"{path}.along", problem, "each device once, in the order of the cable")
    for key, names in (("along", bus.along), ("terminated", bus.terminated)):
        for name in names:
            if name not in there:
                problem = f"{name!r} is not on line {bus.name!r}{closest(name, there)}"
                yield Problem(f"{path}.{key}", problem, f"one of {', '.join(there)}")


def _point_problems(pinmap: Pinmap, slaves: Mapping[str, RegisterMap | None]) -> Iterator[Problem]:
    users: dict[str, str] = {}
    for index, signal in enumerate(pinmap.signal):
        if signal.point is None:
            continue
        path = f"signal[{index}].point"
        if signal.point in users:
            problem = f"{signal.point} is used by signal {users[signal.point]!r} and by signal {signal.name!r}"
            yield Problem(path, problem, "each point once")
        users.setdefault(signal.point, signal.name)
        name = signal.point.partition(".")[0]
        if name not in slaves:
            problem = f"signal {signal.name!r} is on {signal.point}, and no module is {name!r}"
            expected = f"one of {', '.join(slaves)}" if slaves else "a module on an rs485 line"
            yield Problem(path, problem + closest(name, tuple(slaves)), expected)
        elif (found := slaves[name]) is not None:
            yield from _bit_problems(path, signal, found)


def _bit_problems(path: str, signal: Signal, found: RegisterMap) -> Iterator[Problem]:
    name = (signal.point or "").partition(".")[2]
    point = next((each for each in found.points if each.name == name), None)
    output = signal.use in OUTPUTS
    fitting = tuple(each.name for each in found.points if each.kind == "bool" and each.writable is output)
    if point is None:
        problem = f"signal {signal.name!r} is on {signal.point}, and map {found.name!r} has no point {name!r}"
        yield Problem(path, problem + closest(name, fitting), f"one of {', '.join(fitting) or 'none: another map'}")
    elif name not in fitting:
        kind = "a bit that can be written" if output else "a bit that is read"
        problem = f"signal {signal.name!r} needs {kind}, and {signal.point} is a {point.function}"
        yield Problem(path, problem, f"one of {', '.join(fitting) or 'none: another map'}")
