"""Slaves on TCP: a real Modbus server whose plant can be told to misbehave, and a host that answers as it is told."""

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.config.buses import BusSettings, SlaveEntry
from edge_agent.config.register_maps import RegisterMap, parse_map
from edge_agent.station.words import Value
from tests.waiting import DEADLINE_S

COILS, INPUTS, HOLDING, MEASURED = 8, 8, 4, 4

MAP = """
[map]
name = "plant"
title = "A small plant"
reference = "made up for the tests"
[[point]]
name = "lights"
function = "coil"
address = 0
writable = true
[[point]]
name = "door"
function = "coil"
address = 1
writable = true
pulse_ms = 100
[[point]]
name = "fail-safe"
function = "coil"
address = 2
active = "low"
writable = true
[[point]]
name = "mains"
function = "discrete_input"
address = 0
[[point]]
name = "open"
function = "discrete_input"
address = 1
active = "low"
[[point]]
name = "level"
function = "holding_register"
address = 0
kind = "uint16"
scale = 0.1
writable = true
[[point]]
name = "volume"
function = "holding_register"
address = 2
kind = "float32"
writable = true
[[point]]
name = "temperature"
function = "input_register"
address = 0
kind = "int16"
scale = 0.1
unit = "°C"
[[point]]
name = "power"
function = "input_register"
address = 2
kind = "float32"
"""


def plant_map(text: str = MAP) -> RegisterMap:
    """A register map from its text, which is right."""
    found = parse_map(text)
    assert isinstance(found, RegisterMap), found
    return found


class Plant:
    """A real Modbus server with one small plant, which counts what it is asked."""

    def __init__(self) -> None:
        """Nothing listens before `start`."""
        self.port = 0
        self.writes: list[tuple[int, int | bool]] = []
        """Addresses and values of coils and registers, as written."""
        self.requests: list[int] = []
        """The function codes of what was asked."""
        self.refuse: Callable[[int, int], ExcCodes | None] = lambda _code, _address: None
        """Which requests are answered by an exception, by function code and address."""
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Listen: at first on a free port, later on the same one."""
        device = SimDevice(
            1,
            (
                [SimData(0, values=[0], datatype=DataType.BITS)],
                [SimData(0, values=[0b01], datatype=DataType.BITS)],
                [SimData(0, values=[0] * HOLDING, datatype=DataType.REGISTERS)],
                [
                    SimData(0, values=[-125], datatype=DataType.INT16),
                    SimData(2, values=71.5, datatype=DataType.FLOAT32),
                ],
            ),
            action=self._act,
        )
        self._server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await self._server.serve_forever(background=True)
        listening = self._server.transport
        assert isinstance(listening, asyncio.Server)
        self.port = listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hang up and stop listening."""
        assert self._server is not None
        await self._server.shutdown()  # type: ignore[no-untyped-call]

    async def coils(self) -> list[bool]:
        """The coils as they are."""
        assert self._server is not None
        return [bool(each) for each in await self._server.context.async_getValues(1, 1, 0, COILS)]  # type: ignore[union-attr]

    async def _act(
        self,
        code: int,
        _start: int,
        address: int,
        _count: int,
        _registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        refused = self.refuse(code, address)
        if values is not None:
            self.writes += [(address + at, value) for at, value in enumerate(values)]
        if values is not None or code < 5:
            self.requests.append(code)
        return refused


@asynccontextmanager
async def a_plant() -> AsyncIterator[Plant]:
    """A plant that listens until the block ends."""
    plant = Plant()
    await plant.start()
    try:
        yield plant
    finally:
        await plant.stop()


Reply = Callable[[int, bytes], bytes | None]
"""Makes the answer's PDU from the request's number and PDU; None for silence."""


@asynccontextmanager
async def a_host(reply: Reply, *, deaf_to: int = 0) -> AsyncIterator[int]:
    """The port of a host that speaks the framing of Modbus TCP and answers what `reply` makes, but for one slave."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = 0
        try:
            while True:
                head = await reader.readexactly(7)
                tid, _, length, unit = struct.unpack(">HHHB", head)
                answer = reply(number, await reader.readexactly(length - 1))
                number += 1
                if answer is not None and unit != deaf_to:
                    writer.write(struct.pack(">HHHB", tid, 0, len(answer) + 1, unit) + answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def on_tcp(name: str, port: int, *, timeout_ms: int = 200, poll_ms: int = 40, quiet_ms: int = 200) -> BusSettings:
    """A line with one slave, of the same name, at a port of this machine."""
    return BusSettings(
        name=name,
        transport="tcp",
        host="127.0.0.1",
        port=port,
        timeout_ms=timeout_ms,
        poll_ms=poll_ms,
        quiet_ms=quiet_ms,
        slave=(SlaveEntry(name=name, id=1, map="plant"),),
    )


class Bench:
    """A running bus and what it has told."""

    def __init__(self, bus: Bus) -> None:
        """Begin with nothing heard."""
        self.bus = bus
        self.told: list[Mapping[str, Value]] = []
        self._news = asyncio.Event()

    def hear(self, values: Mapping[str, Value]) -> None:
        """Take in what the bus tells."""
        self.told.append(values)
        self._news.set()

    def __getitem__(self, name: str) -> Value:
        """A point's newest value. Raises KeyError where none was told."""
        return next(values[name] for values in reversed(self.told) if name in values)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to hold, looking after each word of the bus."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def reads(self, name: str, value: bool | float | None) -> None:
        """Wait until a point reads `value`."""
        await self.until(lambda: any(name in each for each in self.told) and self[name].value == value)


@asynccontextmanager
async def running(*config: BusSettings, maps: Mapping[str, RegisterMap] | None = None) -> AsyncIterator[Bench]:
    """Run a bus until the block ends."""
    bus = Bus(config, maps or {"plant": plant_map()}, clock=SystemClock(), jitter=lambda: 0.0)
    bench = Bench(bus)
    task = asyncio.ensure_future(bus.run(bench.hear))
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled(), task


def scene(play: Callable[[], Awaitable[None]]) -> None:
    """Play one scene in a loop of its own, with a limit."""

    async def limited() -> None:
        async with asyncio.timeout(3 * DEADLINE_S):
            await play()

    asyncio.run(limited())
