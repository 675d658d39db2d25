"""The feed as a client sees it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import msgspec

from cloud.clock import SystemClock
from wire.feed import Changes, FeedRecord, Snapshot

RETRY_S = 0.02
_clock = SystemClock()

Note = Callable[[FeedRecord, float, float], None]
"""Takes in a record, when its bytes were there, and how long it had waited for the feed's tick."""


class Board:
    """Follows a feed on a bare socket: the time is taken when the bytes are there, before they are decoded."""

    def __init__(self, port: int, note: Note = lambda _record, _at_s, _wait_s: None) -> None:
        """Nothing has come yet."""
        self._port, self._note = port, note
        self.records: dict[str, FeedRecord] = {}
        self.whole = asyncio.Event()

    async def follow(self) -> None:
        """Follow until cancelled, from as soon as the feed answers."""
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=2**26)
                writer.write(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                await self._read(reader)
            await _clock.sleep(RETRY_S)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        kind = b""
        while line := await reader.readline():
            at_s = _clock.monotonic()
            name, _, value = line.rstrip().partition(b": ")
            if name == b"event":
                kind = value
            elif name == b"data" and kind in (b"snapshot", b"changes"):
                event: Any = msgspec.json.decode(value, type=Snapshot if kind == b"snapshot" else Changes)
                self._take(event, at_s)

    def _take(self, event: Snapshot | Changes, at_s: float) -> None:
        for record in event.records:
            self.records[record.unit] = record
            self._note(record, at_s, max(0.0, (event.at - record.as_of).total_seconds()))
        if isinstance(event, Snapshot) and event.part == event.parts:
            self.whole.set()
