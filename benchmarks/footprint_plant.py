"""The slave that the footprint of a station's agent is measured on: three blocks, read four times a second."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from benchmarks.processes import free_port, write_lines

POLL_MS = 250
POINTS = 8
"""Of each block."""
MAP = "bench"
BLOCKS = (("d", "discrete_input", "bool"), ("h", "holding_register", "uint16"), ("i", "input_register", "uint16"))


@dataclass(frozen=True)
class BenchPlant:
    """The slave that is served."""

    port: int
    reads: Callable[[], int]
    """How many requests it has answered."""


@contextlib.asynccontextmanager
async def serve_plant() -> AsyncIterator[BenchPlant]:
    """Serve the slave on a free port of this machine."""
    count = [0]

    async def note(*_: Any) -> None:
        count[0] += 1

    bits = SimData(0, values=[0], datatype=DataType.BITS)
    words = SimData(0, values=[0] * POINTS, datatype=DataType.REGISTERS)
    port = free_port()
    server = ModbusTcpServer(SimDevice(1, ([bits], [bits], [words], [words]), action=note), address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield BenchPlant(port, lambda: count[0])
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def station_lines(port: int) -> list[str]:
    """The part of a device's TOML that reads the slave."""
    bus = f'name = "plant"\ntransport = "tcp"\nhost = "127.0.0.1"\nport = {port}\npoll_ms = {POLL_MS}'
    return [f'[[bus]]\n{bus}\n[[bus.slave]]\nname = "io"\nid = 1\nmap = "{MAP}"']


def write_map(folder: Path) -> None:
    """Write the slave's register map beside a device's TOML."""
    lines = [f'[map]\nname = "{MAP}"\ntitle = "Three blocks"\nreference = "benchmarks/footprint_plant.py"']
    for mark, function, kind in BLOCKS:
        lines += [
            f'[[point]]\nname = "{mark}{place}"\nfunction = "{function}"\naddress = {place}\nkind = "{kind}"'
            for place in range(POINTS)
        ]
    write_lines(folder / "register_maps" / f"{MAP}.toml", lines)
