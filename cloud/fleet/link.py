"""Freshness of a device: how old the newest proof is that it was alive, and what it said of itself then."""

from datetime import datetime
from functools import lru_cache

import msgspec

from cloud.fleet.clocks import ClockMap, Moment, map_clock, measure_skew_s
from wire.feed import Freshness
from wire.findings import Finding
from wire.messages import Birth, CurrentStatus, Death, Heartbeat, LastSeq, OutboxDepth, PositionAge

ASLEEP_MAX_S = 3600.0
"""A device may declare itself asleep for at most an hour."""
RESTARTS_KEPT = 8
"""So many of a device's newest boots are remembered. Who begins anew more often than that has a fault anyway."""

Order = tuple[int, int, int, int]
"""Of a message: the ordinal of its stream, boot, connection, monotonic milliseconds. Only ever grows."""


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is kept of a device's newest heartbeat or birth: a third of the message."""

    stream: str
    interval_s: float
    current: tuple[CurrentStatus, ...]
    last_seq: LastSeq
    position: PositionAge | None
    outbox: OutboxDepth
    disk_free_mib: int | None
    faults: tuple[str, ...]
    health: tuple[Finding, ...] = ()
    """What it found of its own parts; none where it does not tell."""
    software: str = ""
    """Of its newest birth, which a connection begins with; empty where none came."""


_NONE_WAITING = OutboxDepth(0, 0)
_REPEATED = ("stream", "interval_s", "current", "last_seq", "disk_free_mib", "faults")


class Link(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is known of one device's connection."""

    vitals: Said | None = None
    ordinal: int = 0
    """With `boot`, `conn` and `sent_mono_ms`: of the newest heartbeat or birth."""
    boot: int = 0
    conn: int = 0
    sent_mono_ms: int = -1
    clock_map: ClockMap | None = None
    skew_s: float | None = None
    proof_s: float | None = None
    """The cloud's monotonic moment after which the newest proven message was sent."""
    spoke_s: float | None = None
    """The same of what `vitals` says. An envelope proves that the device is alive, but not what it holds."""
    asleep_s: float | None = None
    """Until when the device said it would be silent."""
    ended: bool = False
    """Whether the newest connection is known to have ended. A new one counts from its first echo."""
    restarted_s: tuple[float, ...] = ()
    """When its newest boots were first heard, but for the first of all: at most `RESTARTS_KEPT`, oldest first."""

    @property
    def order(self) -> Order:
        """Where its newest heartbeat or birth stands among all of its device's."""
        return self.ordinal, self.boot, self.conn, self.sent_mono_ms


def apply_vitals(
    link: Link, vitals: Heartbeat | Birth, ordinal: int, echoed_s: float | None, now: Moment
) -> Link | None:
    """Fold a heartbeat or birth in; None where it is a replayed or reordered one.

    `echoed_s` is when the cloud sent the id that the message echoes; None where it echoes none that is known.
    """
    order = (ordinal, vitals.boot, vitals.conn, vitals.sent_mono_ms)
    if order <= link.order:
        return None
    changed = msgspec.structs.replace(
        link,
        vitals=note_said(vitals, link.vitals),
        ordinal=ordinal,
        boot=vitals.boot,
        conn=vitals.conn,
        sent_mono_ms=vitals.sent_mono_ms,
    )
    if ordinal != link.ordinal:  # another outbox, so perhaps another machine: boots of the same number are not one
        changed = msgspec.structs.replace(changed, clock_map=None, skew_s=None, restarted_s=())
    elif link.vitals is not None and vitals.boot > link.boot:
        restarted_s = (*link.restarted_s, now.mono_s)[-RESTARTS_KEPT:]
        changed = msgspec.structs.replace(changed, restarted_s=restarted_s)
    if vitals.echo is None or echoed_s is None:
        return changed
    sent_after_s = min(now.mono_s, echoed_s + vitals.echo.held_ms / 1000)
    clock_map = map_clock(changed.clock_map, vitals.boot, vitals.sent_mono_ms, sent_after_s, now.mono_s)
    return msgspec.structs.replace(
        changed,
        clock_map=clock_map,
        skew_s=measure_skew_s(clock_map, vitals.sent_at, vitals.sent_mono_ms, now),
        spoke_s=sent_after_s if link.spoke_s is None else max(sent_after_s, link.spoke_s),
        proof_s=sent_after_s if link.proof_s is None else max(sent_after_s, link.proof_s),
        ended=False,
        asleep_s=_asleep_until_s(vitals.asleep_until, vitals.sent_at, sent_after_s),
    )


def note_said(vitals: Heartbeat | Birth, before: Said | None) -> Said:
    """Note what a heartbeat or birth says. What it repeats from the one before is one with it: most of it, mostly."""
    if before is None or before.current != (current := tuple(vitals.current)):
        current = tuple(_sharing(one, vitals.stream) for one in vitals.current)
    said = Said(
        stream=vitals.stream,
        interval_s=vitals.interval_s,
        current=current,
        last_seq=vitals.last_seq,
        position=vitals.position,
        outbox=_NONE_WAITING if vitals.outbox == _NONE_WAITING else vitals.outbox,
        disk_free_mib=vitals.disk_free_mib,
        faults=tuple(vitals.faults),
        health=_note_health(vitals, before),
        software=_note_software(vitals, before),
    )
    if before is None:
        return said
    same = {name: old for name in _REPEATED if (old := getattr(before, name)) == getattr(said, name)}
    return msgspec.structs.replace(said, **same)


@lru_cache(1_000)
def _one_text(text: str) -> str:
    """Give a text as it came the first time: few schemes and codes are in use, and each vehicle names one."""
    return text


@lru_cache(256)
def _one_health(health: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Give findings as they came the first time: nearly all devices find that nearly all is well."""
    return health


def _note_health(vitals: Heartbeat | Birth, before: Said | None) -> tuple[Finding, ...]:
    health = tuple(vitals.health or ())
    return before.health if before is not None and before.health == health else _one_health(health)


def _note_software(vitals: Heartbeat | Birth, before: Said | None) -> str:
    """Only a birth tells. What an older stream's birth told may be of another machine."""
    if isinstance(vitals, Birth):
        return _one_text(vitals.software)
    return before.software if before is not None and before.stream == vitals.stream else ""


def _sharing(one: CurrentStatus, stream: str) -> CurrentStatus:
    """Make the same word of texts that are there already."""
    named = stream if one.stream == stream else one.stream
    return CurrentStatus(one.unit, named, one.seq, _one_text(one.scheme), _one_text(one.code))


def apply_sent(link: Link, boot: int, sent_mono_ms: int, now_s: float) -> Link:
    """Take any message of a mapped boot as proof that the device was alive when it was sent."""
    if link.clock_map is None or link.clock_map.boot != boot:
        return link
    sent_after_s = min(now_s, link.clock_map.earliest_s(sent_mono_ms))
    if link.proof_s is not None and sent_after_s <= link.proof_s:
        return link
    return msgspec.structs.replace(link, proof_s=sent_after_s)


def apply_death(link: Link, death: Death, ordinal: int) -> Link | None:
    """Fold the end of a connection in; None where it is another one's than the newest."""
    if (ordinal, death.boot, death.conn) != link.order[:3] or link.ended:
        return None
    return msgspec.structs.replace(link, ended=True)


def freshness(link: Link, now_s: float) -> Freshness:
    """Tell how fresh a device is: late from 2E + 5 s, lost from 4E + 10 s, where E is its declared interval.

    Late at once where its connection ended, or where it began again (a new boot or stream) and has not yet echoed.
    """
    if link.proof_s is None:
        return "never" if link.vitals is None else "late"
    if link.asleep_s is not None and now_s <= link.asleep_s:
        return "asleep"
    age_s = now_s - link.proof_s
    late_s, lost_s = thresholds_s(link)
    if age_s > lost_s:
        return "lost"
    return "late" if age_s > late_s or link.ended or not is_mapped(link) else "fresh"


def is_mapped(link: Link) -> bool:
    """Tell whether the boot that speaks now has proved itself by an echo, which mapped its clock."""
    return link.clock_map is not None and link.clock_map.boot == link.boot


def is_silent(link: Link, now_s: float) -> bool:
    """Tell whether only envelopes have come for longer than a device may be silent: nobody vouches for its status."""
    return link.spoke_s is not None and now_s - link.spoke_s > thresholds_s(link)[0]


def thresholds_s(link: Link) -> tuple[float, float]:
    """Give the ages of proof beyond which a device is late and lost."""
    interval_s = link.vitals.interval_s if link.vitals is not None else 20.0
    return 2 * interval_s + 5, 4 * interval_s + 10


def _asleep_until_s(until: datetime | None, sent_at: datetime, sent_s: float) -> float | None:
    if until is None:
        return None
    return sent_s + min(ASLEEP_MAX_S, max(0.0, (until - sent_at).total_seconds()))
