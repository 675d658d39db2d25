"""What is wrong with the RS-485 lines: addresses, register maps, points, and the resistors at their ends. Pure."""

from collections.abc import Iterator, Mapping

from edge_agent.config.register_maps import RegisterMap
from kit.pinmap import OUTPUTS, BusPart, Cable, Core, Pinmap, Signal
from wire.strict import Problem, closest

LINE_M_MAX = 1000.0
"""The longest RS-485 line, at any speed: MODBUS over Serial Line 1.02, 3.4. With more speed it is shorter."""
LINE_BITS_M_PER_S = 1e8
"""Metres times bits a second, the rough limit of an RS-485 line: Texas Instruments, RS-485 design guide (SLLA272)."""
CROSSED = {"a": ("B", "D-"), "b": ("A", "D+"), "tx": ("TX", "TXD"), "rx": ("RX", "RXD")}
"""Of each wire of a bus, the terminals that it must not end on: A goes to A, and what one sends the other takes."""
LOGIC_M_MAX = 3.0
"""The longest wire at logic level, with nothing between it and the computer. No standard's: our own caution."""
LOGIC_BITS_M_PER_S = 115_200.0
"""Metres times bits a second of a serial line at logic level. No standard's either."""

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
    yield from _core_problems(pinmap)


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
    yield from _along_problems(path, bus)
    ends = tuple(dict.fromkeys((*bus.along[:1], *bus.along[-1:])))
    for end in ends:
        if end not in bus.terminated:
            problem = f"the end of line {bus.name!r} at {end!r} has no termination"
            yield Problem(f"{path}.terminated", problem, "120 ohm between A and B at both ends of the cable")
    for name in bus.terminated:
        if name in bus.along and name not in ends:
            problem = f"{name!r} is terminated, and stands between {' and '.join(map(repr, ends))}"
            yield Problem(f"{path}.terminated", problem, "termination at the two ends alone")


def _along_problems(path: str, bus: BusPart) -> Iterator[Problem]:
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


def _core_problems(pinmap: Pinmap) -> Iterator[Problem]:
    """What is wrong with the cores that buses and logic levels go through, where they have any."""
    cores = {core.pin: (index, cable, core) for index, cable in enumerate(pinmap.cable) for core in cable.core}
    for bus in pinmap.bus:
        if bus.kind == "rs485" and all(bus.wires.get(wire) in cores for wire in ("a", "b")):
            yield from _pair_problems(bus, cores[bus.wires["a"]], cores[bus.wires["b"]])
            yield from _ground_problems(bus, cores[bus.wires["a"]], pinmap)
        yield from _crossed_problems(bus, cores)
        longest = min(LINE_M_MAX, LINE_BITS_M_PER_S / bus.baud)
        if bus.kind == "uart":
            longest = min(LOGIC_M_MAX, LOGIC_BITS_M_PER_S / bus.baud)
        found = {cores[place][0]: cores[place][1] for place in bus.wires.values() if place in cores}
        for index, cable in found.items():
            if cable.length_m > longest:
                problem = f"bus {bus.name!r} at {bus.baud} baud goes {cable.length_m:g} m through cable {cable.name!r}"
                yield Problem(f"cable[{index}].length_m", problem, f"{longest:g} m or less, or fewer baud")
    for signal in pinmap.signal:
        if signal.pin is None or signal.through != "direct" or signal.to not in cores:
            continue
        index, cable, _ = cores[signal.to]
        if cable.length_m > LOGIC_M_MAX:
            problem = (
                f"signal {signal.name!r} goes {cable.length_m:g} m through cable {cable.name!r} with nothing between"
            )
            yield Problem(f"cable[{index}].length_m", problem, f"{LOGIC_M_MAX:g} m or less, or an optocoupler")


def _crossed_problems(bus: BusPart, cores: Mapping[str, tuple[int, Cable, Core]]) -> Iterator[Problem]:
    for wire, place in bus.wires.items():
        if place in cores and cores[place][2].far.upper() in CROSSED.get(wire, ()):
            index, cable, core = cores[place]
            problem = f"wire {wire} of bus {bus.name!r} ends on {core.far} of cable {cable.name!r}: it is crossed"
            yield Problem(f"cable[{index}].core", problem, "A on A and B on B, TX on RX and RX on TX")


def _pair_problems(bus: BusPart, a: tuple[int, Cable, Core], b: tuple[int, Cable, Core]) -> Iterator[Problem]:
    path = f"cable[{a[0]}].core"
    if a[0] != b[0]:
        problem = f"wire a of bus {bus.name!r} is in cable {a[1].name!r} and wire b in cable {b[1].name!r}"
        yield Problem(path, problem, "both in one twisted pair")
    elif a[2].pair is None or a[2].pair != b[2].pair:
        problem = f"wires a and b of bus {bus.name!r}, cores {a[2].colour} and {b[2].colour} of cable {a[1].name!r}"
        yield Problem(path, f"{problem}, are no twisted pair", "the same pair on both")


def _ground_problems(bus: BusPart, a: tuple[int, Cable, Core], pinmap: Pinmap) -> Iterator[Problem]:
    grounds = {place for rail in pinmap.rail if rail.volts == 0 for place in rail.to}
    if not any(core.pin in grounds for core in a[1].core):
        problem = f"cable {a[1].name!r} carries bus {bus.name!r} and no ground"
        yield Problem(f"cable[{a[0]}].core", problem, "a core between the grounds of the two ends")
