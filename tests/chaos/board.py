"""A board that distrusts: it follows the feed as a control room does, and holds each claim against what it knows.

The lab tells it when a device can no longer be heard. From then on the feed may call that device's units fresh only for
as long as the contract allows, and may claim no proof that is younger than the silence.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any

import msgspec

from edge_agent.clock import Clock
from tests.waiting import eventually
from wire.feed import Changes, FeedRecord, Snapshot

SEEN_S = 2.0
"""Staleness is to be seen within so long of its threshold (product)."""
FEED_LOST_S = 3.0
"""After so long without an event a client says that the feed is lost: what it holds then claims nothing."""
SLACK_S = 1.0
"""What this process and a pipe may take on two busy cores before an event is read."""
RETRY_S = 0.1
LINE_BYTES_MAX = 4 * 1024 * 1024
_KINDS: dict[str, type[Snapshot] | type[Changes]] = {"snapshot": Snapshot, "changes": Changes}


class Sight(msgspec.Struct, frozen=True):
    """What the board holds of a unit."""

    record: FeedRecord
    proof_s: float | None
    """When the device was last proven alive, by the feed's own words."""

    @property
    def fresh(self) -> bool:
        """Whether it is shown as heard just now."""
        return self.record.link == "fresh"


class Board:
    """What one client of the feed holds, and what was wrong with it."""

    def __init__(self, connect: Callable[[], socket.socket], *, heartbeat_s: float, clock: Clock) -> None:
        """`connect` reaches the API; devices beat every `heartbeat_s`. It reads nothing before `follow`."""
        self.late_s = 2 * heartbeat_s + 5
        self.seen: dict[str, Sight] = {}
        self.wrong: list[str] = []
        self.overshoot_s = 0.0
        """The worst time past its threshold at which a silent unit was first shown as late."""
        self.lates = 0
        """How often a silent unit was shown as late."""
        self.events = 0
        self.after_pauses = 0
        """Events that came after so long a pause that the feed was lost."""
        self._connect, self._clock = connect, clock
        self._silent: dict[str, dict[str, float]] = {}
        self._event_s = 0.0

    def silence(self, unit: str, cause: str) -> None:
        """Nothing that a unit's device says from now on can reach the cloud."""
        self._silent.setdefault(unit, {})[cause] = self._clock.monotonic()

    def hear(self, unit: str, cause: str) -> None:
        """One cause of its silence ends."""
        self._silent.get(unit, {}).pop(cause, None)

    def shows(self, unit: str, code: str) -> bool:
        """Whether it shows a unit with this status, confirmed."""
        sight = self.seen.get(unit)
        if sight is None or sight.record.status is None:
            return False
        return sight.record.status.code == code and sight.record.confidence == "confirmed"

    async def confirmed(self, unit: str, deadline_s: float) -> None:
        """Wait until it shows a unit as confirmed."""
        await eventually(
            lambda: unit in self.seen and self.seen[unit].record.confidence == "confirmed",
            what=f"{unit} confirmed on the feed",
            deadline_s=deadline_s,
        )

    async def follow(self) -> None:
        """Read the feed until cancelled; connect again whenever it ends."""
        while True:
            with contextlib.suppress(OSError):
                await self._read(await asyncio.to_thread(self._connect))
            await self._clock.sleep(RETRY_S)

    async def _read(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection, limit=LINE_BYTES_MAX)
        try:
            writer.write(b"GET /v1/feed HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            kind = ""
            while line := await reader.readline():
                word, _, value = line.decode().strip().partition(": ")
                if word == "event":
                    kind = value
                elif word == "data":
                    self.take(kind, value)
        finally:
            writer.close()

    def take(self, kind: str, data: str) -> None:
        """Take in an event of the feed."""
        now_s = self._clock.monotonic()
        paused = now_s - self._event_s > FEED_LOST_S
        self.events, self._event_s = self.events + 1, now_s
        self.after_pauses += paused
        records: tuple[FeedRecord, ...] = ()
        if kind in _KINDS:
            message: Any = msgspec.json.decode(data, type=_KINDS[kind])
            records = message.records
        for record in records:
            age_s = record.ages.link_s
            sight = Sight(record, None if age_s is None else now_s - age_s)
            self._measure(self.seen.get(record.unit), sight, now_s, paused=paused)
            self.seen[record.unit] = sight
        for unit, sight in self.seen.items():
            self._check(unit, sight, now_s, allowed_s=SLACK_S if paused else SEEN_S)

    def _measure(self, before: Sight | None, after: Sight, now_s: float, *, paused: bool) -> None:
        """Take down how late a unit became late, unless nobody could say so in time."""
        if before is None or before.proof_s is None or not before.fresh or after.fresh:
            return
        if self._silent.get(after.record.unit) and after.record.link == "late":
            self.lates += 1
            overshoot_s = 0.0 if paused else now_s - before.proof_s - self.late_s
            self.overshoot_s = max(self.overshoot_s, overshoot_s)

    def _check(self, unit: str, sight: Sight, now_s: float, *, allowed_s: float) -> None:
        """What must hold at every event, whatever has been done."""
        record = sight.record
        if record.confidence == "confirmed" and not sight.fresh:
            self._complain(f"{unit} is confirmed while its link is {record.link}")
        if not sight.fresh:
            return
        if sight.proof_s is None or now_s - sight.proof_s > self.late_s + allowed_s:
            self._complain(f"{unit} is fresh, and its proof is older than {self.late_s} s by its own words")
        since_s = min(self._silent.get(unit, {}).values(), default=None)
        if since_s is None:
            return
        if now_s - since_s > self.late_s + allowed_s:
            self._complain(f"{unit} is fresh {now_s - since_s:.2f} s after it fell silent")
        if sight.proof_s is not None and sight.proof_s > since_s + SLACK_S:
            self._complain(f"{unit} has a proof of {sight.proof_s - since_s:.2f} s after it fell silent")

    def _complain(self, what: str) -> None:
        self.wrong.append(f"event {self.events}, {self._clock.monotonic():.2f} s: {what}")
