"""The Modbus lines of a device as one: points by name in, values by name out."""

import asyncio
import random
from collections.abc import Callable, Mapping

from edge_agent.bus.client import Client
from edge_agent.bus.line import Line, OnValues, WriteResult
from edge_agent.bus.slave import Slave
from edge_agent.clock import Clock
from edge_agent.config.buses import BusSettings
from edge_agent.config.register_maps import RegisterMap
from edge_agent.decode.modbus import encode_value
from edge_agent.station.words import Value


class Bus:
    """Every slave of a device. A TCP slave has a connection of its own: a dead one delays no other."""

    def __init__(
        self,
        config: tuple[BusSettings, ...],
        maps: Mapping[str, RegisterMap],
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Nothing is opened before `run`. `config` and `maps` have been checked against each other."""
        self._lines = tuple(line for bus in config for line in _lines(bus, maps, clock, jitter))
        self._homes = {name: (line, slave) for line in self._lines for slave in line.slaves for name in slave.points}

    async def run(self, on_values: OnValues) -> None:
        """Keep every line until cancelled; it never ends for outside reasons.

        Calls `on_values` after each poll of a slave with all its points; and, once, when a slave falls silent, with all
        its points bad. A value's `read_s` is when it was asked for.
        """
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(line.run(on_values))

    @property
    def silent(self) -> frozenset[str]:
        """The slaves that don't answer."""
        return frozenset(slave.name for line in self._lines for slave in line.slaves if slave.is_silent)

    @property
    def faults(self) -> Mapping[str, str]:
        """What is wrong, by slave, for a person; empty where nothing is."""
        return {slave.name: slave.fault for line in self._lines for slave in line.slaves if slave.fault}

    async def write(self, output: str, value: bool | float) -> WriteResult:
        """Write an output once, never again by itself, before any poll; the slave is read back at once.

        Raises KeyError for an output that isn't, or can't be written, and ValueError for a value that it can't hold.
        """
        line, slave = self._home(output)
        return await line.write(slave, output, encode_value(slave.points[output], value))

    async def pulse(self, output: str, pulse_s: float) -> WriteResult:
        """Turn a bit on once, never again by itself, and say how that went; `pulse_s` later it is turned off.

        That is repeated until the slave has taken it in. Raises as `write`.
        """
        line, slave = self._home(output)
        encode_value(slave.points[output], True)
        return await line.pulse(slave, output, pulse_s)

    async def read(self, point: str) -> Value:
        """Read one point now, before any poll; bad where no answer comes. Raises KeyError where there is none."""
        line, slave = self._homes[point]
        return await line.read(slave, point)

    def _home(self, output: str) -> tuple[Line, Slave]:
        line, slave = self._homes[output]
        if not slave.points[output].writable:
            raise KeyError(f"{output} can't be written")
        return line, slave


def _lines(
    bus: BusSettings, maps: Mapping[str, RegisterMap], clock: Clock, jitter: Callable[[], float]
) -> tuple[Line, ...]:
    slaves = tuple(Slave(entry, maps[entry.map], clock.monotonic()) for entry in bus.slave)
    groups = (slaves,) if bus.transport == "rtu" else tuple((slave,) for slave in slaves)
    return tuple(
        Line(Client(bus, clock=clock), group, poll_s=bus.poll_ms / 1000, clock=clock, jitter=jitter) for group in groups
    )
