"""A plant's Modbus modules, served by pymodbus over TCP or a serial line. Every answer is computed from the plant."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.server.base import ModbusBaseServer
from pymodbus.simulator import DataType, SimData, SimDevice

from simulator.plant.parts import BLOCKS

BITS = 16
Values = list[int] | list[bool]

_BLOCK_OF = {1: "do", 5: "do", 15: "do", 2: "di", 3: "level", 6: "level", 16: "level", 4: "ai"}
"""Which block a Modbus function is about."""


class Modules:
    """The modules on one line. `silent` ones hear nothing and answer nothing."""

    def __init__(
        self, slaves: Mapping[str, int], read: Callable[[str], int], write: Callable[[str, int], None]
    ) -> None:
        """`read` gives a point of a plant and `write` drives one, by `SLAVE.POINT`."""
        self._slaves, self._read, self._write = slaves, read, write
        self.silent: set[str] = set()

    def devices(self) -> list[SimDevice]:
        """One simulated device a module, as a server of pymodbus takes them."""
        return [self._device(name, number) for name, number in self._slaves.items()]

    def _device(self, name: str, number: int) -> SimDevice:
        async def act(
            function: int, start: int, address: int, _count: int, registers: list[int], values: Values | None
        ) -> ExcCodes | None:
            if name in self.silent:
                raise NoSuchIdException  # a server that ignores missing devices then answers nothing
            block = _BLOCK_OF[function]
            for offset, value in enumerate(values or ()):
                self._write(f"{name}.{block}{address + offset}", int(value))
            self._fill(name, block, start, registers)
            return None

        bits = [SimData(0, values=[False] * BLOCKS["do"], datatype=DataType.BITS) for _ in range(2)]
        words = [SimData(0, count=BLOCKS["level"], values=0, datatype=DataType.REGISTERS) for _ in range(2)]
        return SimDevice(number, ([bits[0]], [bits[1]], [words[0]], [words[1]]), action=act)

    def _fill(self, name: str, block: str, start: int, registers: list[int]) -> None:
        """Put the plant's points into the registers that pymodbus answers from. Bit 0 is the lowest point."""
        points = [self._read(f"{name}.{block}{place}") for place in range(BLOCKS[block])]
        if block in ("level", "ai"):
            registers[: len(points)] = points
            return
        for word in range(BLOCKS[block] // BITS):
            bits = points[word * BITS : (word + 1) * BITS]
            registers[word] = sum(bit << place for place, bit in enumerate(bits))


@asynccontextmanager
async def served_tcp(modules: Modules, port: int) -> AsyncIterator[int]:
    """Serve on a port of 127.0.0.1, 0 for a free one. Raises OSError where it is taken."""
    server = ModbusTcpServer(modules.devices(), address=("127.0.0.1", port), ignore_missing_devices=True)
    async with _serving(server):
        listening = cast(asyncio.Server, server.transport)
        yield int(listening.sockets[0].getsockname()[1])


@asynccontextmanager
async def served_rtu(modules: Modules, path: str) -> AsyncIterator[None]:
    """Serve on a serial line. Raises OSError where it cannot be opened."""
    server = ModbusSerialServer(
        modules.devices(), framer=FramerType.RTU, port=path, baudrate=19_200, ignore_missing_devices=True
    )
    async with _serving(server):
        yield


@asynccontextmanager
async def _serving(server: ModbusBaseServer) -> AsyncIterator[None]:
    try:
        await server.serve_forever(background=True)
    except RuntimeError as error:  # pymodbus logs the cause and keeps it to itself
        raise OSError(f"can't serve Modbus on {server.comm_params.source_address}") from error
    try:
        yield
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]
