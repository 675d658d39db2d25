"""What was kept aside or refused of each device within the last day: who speaks wrongly, and how. Pure; time comes in.

Held in memory, for whoever looks at devices now. The record of it is the ledger's.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from wire import topics
from wire.messages import RefusedSeq

KEPT_FOR = timedelta(days=1)
REASONS_MAX = 16
"""Reasons that are remembered of one device."""
STRANGERS_MAX = 50
"""Devices that are remembered and in no directory: anybody may make their names up, so the oldest make room."""

What = Literal["aside", "refused"]


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a device spoke wrongly."""

    what: What
    """Whether whole messages were kept aside, or events refused one by one."""
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who speaks as a device that the directory does not hold, or holds for another organisation."""

    organisation: str
    """As its topic says."""
    device: str
    count: int
    first_at: datetime
    last_at: datetime


class Troubles:
    """Remembers them by device."""

    def __init__(self) -> None:
        """Nobody has spoken wrongly."""
        self._of: dict[str, dict[tuple[What, str], Trouble]] = {}
        self._strangers: dict[tuple[str, str], Stranger] = {}

    def note_aside(self, device: str | None, topic: str, reason: str, at: datetime) -> None:
        """Note a whole message that was kept aside; `device` is None where the directory has none of that name.

        A birth by itself tells nothing of who may not speak at all: a broker keeps it for good, and brings it again.
        """
        where = topics.parse_up(topic)
        if where is None or (where.channel == "link" and (device is None or reason == "revoked_device")):
            return
        if device is None:
            self._note_stranger((where.org, where.device), at)
        else:
            self._note(device, "aside", reason, at)

    def note_refused(self, device: str, refused: Sequence[RefusedSeq], at: datetime) -> None:
        """Note events that were refused one by one."""
        for one in refused:
            self._note(device, "refused", one.reason, at)

    def of(self, device: str, at: datetime) -> tuple[Trouble, ...]:
        """Give what was wrong with a device's messages within the last day."""
        known = self._of.get(device)
        return () if known is None else tuple([one for one in known.values() if at - one.last_at < KEPT_FOR])

    def strangers(self, at: datetime) -> tuple[Stranger, ...]:
        """Give who spoke within the last day and is in no directory, the newest last."""
        return tuple([one for one in self._strangers.values() if at - one.last_at < KEPT_FOR])

    def _note(self, device: str, what: What, reason: str, at: datetime) -> None:
        known = self._of.setdefault(device, {})
        before = known.pop((what, reason), None)
        if before is None or at - before.last_at >= KEPT_FOR:
            before = Trouble(what=what, reason=reason, count=0, first_at=at, last_at=at)
        if len(known) >= REASONS_MAX:
            del known[next(iter(known))]
        known[what, reason] = msgspec.structs.replace(before, count=before.count + 1, last_at=at)

    def _note_stranger(self, who: tuple[str, str], at: datetime) -> None:
        before = self._strangers.pop(who, None)
        if before is None or at - before.last_at >= KEPT_FOR:
            before = Stranger(organisation=who[0], device=who[1], count=0, first_at=at, last_at=at)
        if len(self._strangers) >= STRANGERS_MAX:
            del self._strangers[next(iter(self._strangers))]
        self._strangers[who] = msgspec.structs.replace(before, count=before.count + 1, last_at=at)
