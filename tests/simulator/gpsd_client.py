"""A plain client of gpsd, real or simulated, and NMEA for a real one."""

import asyncio
import contextlib
import functools
import json
import operator
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from tests.gpsd_logs import drive
from tests.waiting import DEADLINE_S

WATCH = '?WATCH={"enable":true,"json":true};'
_SATELLITES = (
    (1, 40, 83),
    (2, 17, 308),
    (3, 7, 344),
    (4, 80, 20),
    (5, 30, 120),
    (6, 50, 200),
    (7, 22, 270),
    (8, 65, 330),
)

Report = dict[str, Any]


class GpsdClient:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self._reader, self._writer = reader, writer

    def ask(self, request: str) -> None:
        """Send a request, with the end of line that it needs."""
        self._writer.write(request.encode() + b"\n")

    def write(self, raw: bytes) -> None:
        """Send bytes as they are."""
        self._writer.write(raw)

    async def next(self, *classes: str) -> Report:
        """The next report of one of these classes, or of any. Raises EOFError where the connection ends."""
        async with asyncio.timeout(DEADLINE_S):
            while line := await self._reader.readline():
                assert line.endswith(b"\r\n")
                report: Report = json.loads(line)
                if not classes or report["class"] in classes:
                    return report
        raise EOFError


@contextlib.asynccontextmanager
async def talking(port: int) -> AsyncIterator[GpsdClient]:
    """A connection to the gpsd on `port`, for as long as the block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield GpsdClient(reader, writer)
    finally:
        writer.close()


def drive_with_satellites(start: datetime, *, count: int) -> list[bytes]:
    """`drive` at 1 Hz, with the satellites that gpsd needs to estimate errors."""
    return [_satellites() + epoch for epoch in drive(start, count=count, step_s=1.0)]


def lost(start: datetime, *, count: int) -> list[bytes]:
    """A receiver at 1 Hz that sees eight satellites and gets no fix from them."""
    times = [start + timedelta(seconds=number) for number in range(count)]
    return [
        _satellites()
        + _sentence(f"GPGGA,{at:%H%M%S}.00,,,,,0,00,99.99,,,,,,")
        + _sentence("GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99")
        + _sentence(f"GPRMC,{at:%H%M%S}.00,V,,,,,,,{at:%d%m%y},,,N")
        for at in times
    ]


def _satellites() -> bytes:
    pages = (_SATELLITES[:4], _SATELLITES[4:])
    fields = (",".join(f"{prn:02d},{up:02d},{round_:03d},40" for prn, up, round_ in page) for page in pages)
    return b"".join(_sentence(f"GPGSV,2,{number},08,{each}") for number, each in enumerate(fields, 1))


def _sentence(body: str) -> bytes:
    return f"${body}*{functools.reduce(operator.xor, body.encode()):02X}\r\n".encode()
