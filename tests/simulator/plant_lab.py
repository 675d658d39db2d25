"""A small plant, a client of its own, and a pair of pseudo-terminals."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient

from edge_agent.clock import SystemClock
from simulator.plant import Cooker, Door, ExitSignal, Indicator, Inputs, Light, Parts, Sounder
from tests.programs import require_program
from tests.waiting import eventually

ALERT, BAYS = 1, 2
"""The modules' addresses."""
TRAVEL_S = 0.2
TIMEOUT_S = 0.15
FASTER = 40.0

PARTS = Parts(
    slaves=(("alert", ALERT), ("bays", BAYS)),
    sounders=(
        Sounder(
            id="dorm", zone="fire", output="alert.do0", proof="alert.di0", level="alert.level0", tone="alert.level1"
        ),
    ),
    lights=(
        Light(id="dorm", zone="fire", output="alert.do1", proof="alert.di1"),
        Light(id="mess", zone="mess", output="alert.do2", proof="alert.di2"),
    ),
    cookers=(Cooker(id="mess", zone="mess", output="alert.do3", proof="alert.di3", reset="alert.di4"),),
    indicators=(Indicator(unit="kfrs-14p1", output="alert.do4", proof="alert.di5"),),
    doors=(
        Door(
            id="bay-1",
            units=("kfrs-14p1",),
            output="bays.do0",
            open_input="bays.di0",
            closed_input="bays.di1",
            obstruction="bays.di2",
            maintenance="bays.di3",
            travel_s=TRAVEL_S,
        ),
    ),
    exit_signals=(ExitSignal(id="front", doors=("bay-1",), output="bays.do31", proof="bays.di31"),),
    inputs=Inputs(mains_failed="bays.di20", on_generator="bays.di21", acknowledge="bays.di22", presence="bays.di23"),
)


class FastClock(SystemClock):
    """A clock in whose hour a minute and a half of ours passes."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment."""
        return super().monotonic() * FASTER

    async def sleep(self, duration_s: float) -> None:
        """Wait for so many of its seconds."""
        await super().sleep(duration_s / FASTER)


@contextlib.asynccontextmanager
async def tcp_client(port: int) -> AsyncIterator[AsyncModbusTcpClient]:
    """A client that asks once and waits a short time."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, timeout=TIMEOUT_S, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def rtu_client(path: Path) -> AsyncIterator[AsyncModbusSerialClient]:
    """The same on a serial line."""
    client = AsyncModbusSerialClient(str(path), baudrate=19_200, timeout=TIMEOUT_S * 3, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


@contextlib.asynccontextmanager
async def pty_pair(folder: Path) -> AsyncIterator[tuple[Path, Path]]:
    """Two ends of a serial line, as Debian's socat makes them."""
    ends = folder / "a", folder / "b"
    links = [f"pty,raw,echo=0,link={end}" for end in ends]
    socat = await asyncio.create_subprocess_exec(require_program("socat"), *links)
    try:
        await eventually(lambda: all(end.exists() for end in ends), what="a pair of pseudo-terminals")
        yield ends
    finally:
        socat.terminate()
        await socat.wait()
