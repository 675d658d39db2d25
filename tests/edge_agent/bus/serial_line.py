"""A serial line in a pair of pseudo-terminals, with slaves on it that answer late, or not at all."""

import asyncio
import os
import pty
import struct
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from pymodbus.framer.rtu import FramerRTU

from edge_agent.clock import SystemClock
from edge_agent.config.buses import BusSettings, SlaveEntry

REQUEST_BYTES = 8
"""Every request that is sent here: id, function, address, count or value, checksum."""
TRUTH = 1000
"""Register N of slave S holds TRUTH + 100 S + N."""


def truth(slave: int, address: int) -> int:
    """What a register holds."""
    return TRUTH + 100 * slave + address


Delay = Callable[[int], float | None]
"""How late a slave answers its next request, by its address; None for never."""


class SerialLine:
    """The far end of a serial line: one request after the other, as a slow slave works them off."""

    def __init__(self, delay: Delay) -> None:
        """Lay the line."""
        self._far, self._near = pty.openpty()
        tty.setraw(self._far)
        tty.setraw(self._near)
        self.path = os.ttyname(self._near)
        self.delay = delay
        self.writes: list[tuple[int, int, int]] = []
        """Slave, address and value of each single coil or register written."""
        self.answered = 0
        self._received: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self) -> None:
        """Answer until cancelled."""
        loop, rest = asyncio.get_running_loop(), b""
        loop.add_reader(self._far, lambda: self._received.put_nowait(os.read(self._far, 1024)))
        try:
            while True:
                rest += await self._received.get()
                while len(rest) >= REQUEST_BYTES:
                    request, rest = rest[:REQUEST_BYTES], rest[REQUEST_BYTES:]
                    await self._answer(request)
        finally:
            loop.remove_reader(self._far)
            os.close(self._far)
            os.close(self._near)

    async def _answer(self, request: bytes) -> None:
        slave, code, address, value = struct.unpack(">BBHH", request[:-2])
        if code in (5, 6):
            self.writes.append((slave, address, value))
        late_s = self.delay(slave)
        if late_s is None:
            return
        if late_s > 0.0:
            await SystemClock().sleep(late_s)
        self.answered += 1
        body = request[:-2] if code in (5, 6) else bytes([slave, code]) + _data(slave, code, address, value)
        os.write(self._far, body + FramerRTU.compute_CRC(body).to_bytes(2, "big"))


@asynccontextmanager
async def a_serial_line(delay: Delay) -> AsyncIterator[SerialLine]:
    """A line that answers until the block ends."""
    line = SerialLine(delay)
    task = asyncio.ensure_future(line.run())
    try:
        yield line
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def on_serial(line: SerialLine, *slaves: int, timeout_ms: int, poll_ms: int, quiet_ms: int) -> BusSettings:
    """The settings of a line whose slaves are called s1, s2, and so on."""
    return BusSettings(
        name="wire",
        transport="rtu",
        path=line.path,
        baud=115200,
        timeout_ms=timeout_ms,
        poll_ms=poll_ms,
        quiet_ms=quiet_ms,
        slave=tuple(SlaveEntry(name=f"s{number}", id=number, map="plant") for number in slaves),
    )


def _data(slave: int, code: int, address: int, count: int) -> bytes:
    if code <= 2:
        bits = sum((truth(slave, address + at) & 1) << at for at in range(count))
        size = -(-count // 8)
        return bytes([size]) + bits.to_bytes(size, "little")
    return bytes([2 * count]) + struct.pack(f">{count}H", *(truth(slave, address + at) for at in range(count)))
