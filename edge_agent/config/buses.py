"""The Modbus lines of a device: the shape of `[[bus]]`, and what its shape can't tell. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from edge_agent.config.register_maps import PointName, RegisterMap
from edge_agent.config.settings import Host, PathText, Token
from wire.strict import Problem, closest

RTU_ID_MAX = 247
"""A serial slave's largest address (MODBUS over Serial Line V1.02, 2.2); TCP modules often use 255."""

NAME_MAX = 64
"""The longest `SLAVE.POINT` that control can be told a value by."""
ALARM_NAME_MAX = 40
"""The longest that it can be told an alarm by."""

Parity = Literal["N", "E", "O"]


class SlaveEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One slave of a line."""

    name: PointName
    """Its points are `NAME.POINT`. Unique over all lines of a device."""
    id: Annotated[int, Meta(ge=1, le=255, description="the slave's address, or unit id")] = 1
    map: Token
    """The register map that it has."""


class BusSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One Modbus line, or the slaves that are reached through one host."""

    name: PointName
    transport: Literal["tcp", "rtu"]
    host: Host | None = None
    """TCP only."""
    port: Annotated[int, Meta(ge=1, le=65535)] = 502
    path: PathText | None = None
    """RTU only: the serial port."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 9600
    parity: Parity = "N"
    stop_bits: Literal[1, 2] = 1
    timeout_ms: Annotated[int, Meta(ge=20, le=5000, description="milliseconds that a slave may take to answer")] = 500
    poll_ms: Annotated[int, Meta(ge=20, le=60_000, description="milliseconds between polls of each slave")] = 250
    quiet_ms: Annotated[
        int, Meta(ge=20, le=10_000, description="milliseconds to be silent after a failure: longer than any late reply")
    ] = 600
    """A reply that comes later than timeout and quiet together can be taken for that of a later request."""
    slave: Annotated[tuple[SlaveEntry, ...], Meta(min_length=1, max_length=32, description="[[bus.slave]]")]

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        return f"{self.host}:{self.port}" if self.transport == "tcp" else str(self.path)


def bus_problems(buses: tuple[BusSettings, ...], maps: Collection[str]) -> Iterator[Problem]:
    """Tell what is wrong with the lines beyond their shape; `maps` are the names of the register maps there are."""
    slaves: set[str] = set()
    for index, bus in enumerate(buses):
        path = f"bus[{index}]"
        if any(bus.name == other.name for other in buses[:index]):
            yield Problem(f"{path}.name", f"{bus.name!r} is there twice", "each line once")
        yield from _place_problems(path, bus)
        if bus.quiet_ms < bus.timeout_ms:
            yield Problem(f"{path}.quiet_ms", f"is {bus.quiet_ms}", f"at least timeout_ms, which is {bus.timeout_ms}")
        for number, slave in enumerate(bus.slave):
            yield from _slave_problems(f"{path}.slave[{number}]", slave, bus, tuple(maps))
            if slave.name in slaves:
                yield Problem(f"{path}.slave[{number}].name", f"{slave.name!r} is there twice", "each slave once")
            slaves.add(slave.name)


def name_problems(buses: tuple[BusSettings, ...], maps: Mapping[str, RegisterMap]) -> Iterator[Problem]:
    """Tell slaves one of whose points has a longer name than control takes: all that is told of it would be refused."""
    for index, bus in enumerate(buses):
        for number, slave in enumerate(bus.slave):
            points = maps[slave.map].points if slave.map in maps else ()
            limits = {f"{slave.name}.{point.name}": ALARM_NAME_MAX if point.alarm else NAME_MAX for point in points}
            name = next((each for each, length_max in limits.items() if len(each) > length_max), None)
            if name is not None:
                expected = f"a name that is {len(name) - limits[name]} shorter: {limits[name]} in all"
                yield Problem(f"bus[{index}].slave[{number}].name", f"makes {name!r}, {len(name)} characters", expected)


def _place_problems(path: str, bus: BusSettings) -> Iterator[Problem]:
    needed, other = ("host", "path") if bus.transport == "tcp" else ("path", "host")
    if getattr(bus, needed) is None:
        yield Problem(f"{path}.{needed}", "is missing", f"where the line is: {bus.transport} needs it")
    if getattr(bus, other) is not None:
        yield Problem(f"{path}.{other}", "is there, and nobody reads it", f"no such key with {bus.transport}")


def _slave_problems(path: str, slave: SlaveEntry, bus: BusSettings, maps: tuple[str, ...]) -> Iterator[Problem]:
    if slave.map not in maps:
        problem = f"{slave.map!r} is no known register map{closest(slave.map, maps)}"
        yield Problem(f"{path}.map", problem, f"one of {', '.join(maps)}")
    if bus.transport != "rtu":
        return
    if slave.id > RTU_ID_MAX:
        yield Problem(f"{path}.id", f"is {slave.id}", f"1 to {RTU_ID_MAX} on a serial line")
    if sum(each.id == slave.id for each in bus.slave) > 1:
        yield Problem(f"{path}.id", f"{slave.id} is there twice on one serial line", "each slave its own")
