"""A client of the feed that only counts: how many units stand how, and which were ever seen less than confirmed."""

import asyncio

import msgspec

from edge_agent.clock import Clock
from wire.feed import Changes, FeedRecord, Orders, OrderView, Snapshot

LINE_BYTES_MAX = 2**24


class Watch:
    """What a control room would see, in figures."""

    def __init__(self, clock: Clock) -> None:
        """Nothing seen yet."""
        self._clock = clock
        self._heard_s = clock.monotonic()
        self.records: dict[str, FeedRecord] = {}
        self.orders: dict[str, OrderView] = {}
        """Every order that the feed has told of, as it last stood."""
        self.doubted: dict[str, str] = {}
        """Units seen less than confirmed since `forget_doubts`, and the reason that decided."""

    @property
    def feed_age_s(self) -> float:
        """How long ago the feed last spoke."""
        return self._clock.monotonic() - self._heard_s

    def count(self, confidence: str) -> int:
        """How many units have this confidence now."""
        return sum(record.confidence == confidence for record in self.records.values())

    def available(self) -> int:
        """How many are available and confirmed."""
        return sum(one.availability == "Available" and one.confidence == "confirmed" for one in self.records.values())

    def forget_doubts(self) -> None:
        """Begin to watch: only what is doubted from now on counts."""
        self.doubted = {
            unit: record.reasons[0].code for unit, record in self.records.items() if record.confidence != "confirmed"
        }

    async def follow(self, port: int) -> None:
        """Read the feed of this machine until it ends."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=LINE_BYTES_MAX)
        writer.write(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        kind = b""
        try:
            while line := await reader.readline():
                self._heard_s = self._clock.monotonic()
                name, _, value = line.rstrip().partition(b": ")
                if name == b"event":
                    kind = value
                elif name == b"data" and kind != b"tick":
                    self._take(kind, value)
        finally:
            writer.close()

    def _take(self, kind: bytes, data: bytes) -> None:
        if kind == b"orders":
            self.orders |= {view.order: view for view in msgspec.json.decode(data, type=Orders).orders}
            return
        if kind == b"alarms":
            return
        shape: type[Snapshot] | type[Changes] = Snapshot if kind == b"snapshot" else Changes
        event = msgspec.json.decode(data, type=shape)
        for record in event.records:
            self.records[record.unit] = record
            if record.confidence != "confirmed":
                self.doubted[record.unit] = record.reasons[0].code
