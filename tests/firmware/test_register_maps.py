"""Each register map against a real Modbus server that has what the module's manual says, where it says so."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec
import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.config.buses import SlaveEntry
from edge_agent.config.register_maps import Point, RegisterMap, load_maps
from tests.edge_agent.bus.plants import on_tcp, running, scene

MAPS = load_maps()[0]
PATTERN = 0b1001_0110_0011_0101
"""Of any sixteen coils or inputs, by address."""
REGISTERS = {
    "generic-io-8x8": (DataType.REGISTERS, 1),
    "generic-io-32x32": (DataType.REGISTERS, 8),
    "moxa-iologik-e1214": (DataType.REGISTERS, 1),
    "eastron-sdm630": (DataType.FLOAT32, 100),
}
"""What the manual says of the registers: their kind, and how many of them there are from address 0."""


def module_of(name: str) -> SimDevice:
    """A module in which each register says its own address, and bits are in a pattern."""
    kind, count = REGISTERS[name]
    numbers: list[float] = [at + 0.5 for at in range(count)]
    values = numbers if kind is DataType.FLOAT32 else [at + 1 for at in range(count)]
    bits = [SimData(0, values=[PATTERN, PATTERN], datatype=DataType.BITS)]
    registers = [SimData(0, values=values, datatype=kind)]
    return SimDevice(1, (bits, bits, registers, registers))


def expected(name: str, point: Point) -> bool | float:
    """What the module has where a point is said to be."""
    if point.kind == "bool":
        return bool(PATTERN >> (point.address % 16) & 1) is (point.active == "high")
    at = point.address // 2 + 0.5 if REGISTERS[name][0] is DataType.FLOAT32 else point.address + 1
    return at * point.scale + point.offset


@asynccontextmanager
async def serving(device: SimDevice) -> AsyncIterator[int]:
    """The port of a module that answers until the block ends."""
    server = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    listening = server.transport
    assert isinstance(listening, asyncio.Server)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def read_all(name: str, maps: Mapping[str, RegisterMap]) -> tuple[dict[str, bool | float | None], dict[str, str]]:
    """What the agent's own bus reads of a module with a map: each point's value, None where it is bad, and faults."""
    found: dict[str, bool | float | None] = {}
    faults: dict[str, str] = {}

    async def play() -> None:
        async with serving(module_of(name)) as port:
            line = msgspec.structs.replace(on_tcp("io", port), slave=(SlaveEntry(name="io", id=1, map=name),))
            async with running(line, maps=maps) as bench:
                await bench.until(lambda: len({each for told in bench.told for each in told}) == len(maps[name].points))
                for point in maps[name].points:
                    value = bench[f"io.{point.name}"]
                    found[point.name] = value.value if value.quality == "good" else None
                faults.update(bench.bus.faults)

    scene(play)
    return found, faults


@pytest.mark.parametrize("name", MAPS)
def test_each_point_is_where_the_manual_says(name: str) -> None:
    """Each point of the map is read, in good quality, from the address where the module has it."""
    found, faults = read_all(name, MAPS)
    assert found == {point.name: expected(name, point) for point in MAPS[name].points}
    assert faults == {}


def test_a_register_that_the_module_has_not_is_told() -> None:
    """A point whose register is not there is bad, and the fault names module and register; the others are read."""
    whole = MAPS["generic-io-32x32"]
    wrong = next(point for point in whole.points if point.function == "holding_register")
    moved = tuple(msgspec.structs.replace(each, address=40) if each is wrong else each for each in whole.points)
    found, faults = read_all("generic-io-32x32", {"generic-io-32x32": msgspec.structs.replace(whole, points=moved)})
    assert found.pop(wrong.name) is None and None not in found.values()
    assert faults == {"io": "io refuses holding_register 40: exception 2, no such address"}
