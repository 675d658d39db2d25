"""Writes the device's messages. Pure: everything it says comes in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from edge_agent.outbox import Batch, Held, Stored
from wire import codec
from wire.events import ClockSource, Queue
from wire.findings import FINDINGS_MAX, TEXT_MAX, Finding, cut
from wire.messages import Birth, Death, Envelope, Heartbeat, LastSeq, OutboxDepth, PositionAge, StateHeld
from wire.messages import Echo as EchoField

Echo = tuple[str, int] | None
"""The newest id held from the cloud and for how many milliseconds, if any."""

FAULTS_MAX = 20
FAULT_CHARACTERS_MAX = 200
"""So that a birth with every list full stays below the contract's 16 KiB: 10.5 KB measured, 16.5 KB with 500."""
FAULTS_BYTES_MAX = 5_000
"""The same for faults in which a character takes several bytes: the last of them are left out."""

TOLD_BYTES_MAX = 8_000
"""What faults and findings may take together: 7.9 KB of them make a birth of 16.2 KB with every other list full.

Past it the findings' texts are cut shorter still, and every part keeps its verdict."""


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What the device says of itself beside its outbox."""

    interval_s: float
    clock: ClockSource
    faults: tuple[str, ...]
    health: tuple[Finding, ...] = ()
    """What was found of each part of the device."""
    position: tuple[int, int] | None
    """The sequence of the standing report, and the age in ms of the newest fix that agrees with it."""
    software: str
    config_hash: str
    state: tuple[int, int] = (0, 0)
    """The owner term and version of the newest state heard from control; zeros for none."""
    nonce: str = ""
    """Minted for this description, for commands to quote; empty for a device that takes none."""


Describe = Callable[[], Description]


class Sending(msgspec.Struct, frozen=True, kw_only=True):
    """The moment and the connection of a message."""

    device: str
    boot: int
    conn: int
    mono_s: float
    utc: datetime
    stream: str


def write_heartbeat(sending: Sending, held: Held, about: Description, echo: Echo) -> bytes:
    """Write a heartbeat."""
    return codec.encode(Heartbeat(**_vitals(sending, held, about, echo)))


def write_birth(sending: Sending, held: Held, about: Description, echo: Echo) -> bytes:
    """Write a birth."""
    birth = Birth(
        **_vitals(sending, held, about, echo),
        software=about.software,
        config_hash=about.config_hash,
        predecessor=held.predecessor,
    )
    return codec.encode(birth)


def write_death(sending: Sending) -> bytes:
    """Write the end of a connection: the will, and the device's own word when it stops."""
    return codec.encode(Death(v=1, device=sending.device, boot=sending.boot, conn=sending.conn, stream=sending.stream))


def write_batch(sending: Sending, clock: ClockSource, batch: Batch) -> bytes:
    """Write the envelope of the oldest unsettled events of a queue."""
    return _envelope(sending, clock, batch)


def write_live(sending: Sending, clock: ClockSource, queue: Queue, record: Stored) -> bytes:
    """Write the envelope of one event, live: it never moves its queue's watermark, so no digest goes along."""
    return _envelope(sending, clock, Batch(queue, record.seq, bytes(32), (record.raw,)))


def _envelope(sending: Sending, clock: ClockSource, batch: Batch) -> bytes:
    envelope = Envelope(
        v=1,
        device=sending.device,
        boot=sending.boot,
        conn=sending.conn,
        sent_mono_ms=int(sending.mono_s * 1000),
        sent_at=sending.utc,
        clock=clock,
        stream=sending.stream,
        queue=batch.queue,
        first_held=batch.first_held,
        base_digest=batch.base_digest.hex(),
        events=[msgspec.Raw(event) for event in batch.events],
    )
    return codec.encode(envelope)


def _vitals(sending: Sending, held: Held, about: Description, echo: Echo) -> dict[str, Any]:
    faults = _fitting(about.faults)
    return {
        "v": 1,
        "device": sending.device,
        "boot": sending.boot,
        "conn": sending.conn,
        "sent_mono_ms": int(sending.mono_s * 1000),
        "sent_at": sending.utc,
        "clock": about.clock,
        "stream": sending.stream,
        "echo": EchoField(*echo) if echo else None,
        "interval_s": about.interval_s,
        "current": held.current[:20],
        "last_seq": LastSeq(held.last_status, held.last_track),
        "position": PositionAge(*about.position) if about.position else None,
        "outbox": OutboxDepth(held.depth.status, held.depth.track, _oldest_ms(held, sending)),
        "disk_free_mib": held.disk_free_mib,
        "faults": faults,
        "health": tell_health(about.health, TOLD_BYTES_MAX - len(msgspec.json.encode(faults))),
        "nonce": about.nonce,
        "state": StateHeld(*about.state),
    }


def _fitting(faults: tuple[str, ...]) -> list[str]:
    cut = [fault[:FAULT_CHARACTERS_MAX] for fault in faults[:FAULTS_MAX]]
    while len(msgspec.json.encode(cut)) > FAULTS_BYTES_MAX:
        cut.pop()
    return cut


def tell_health(findings: tuple[Finding, ...], bytes_max: int = TOLD_BYTES_MAX) -> list[Finding]:
    """Write findings as a message carries them: of what is in order the verdict alone, else the words, cut to fit."""
    characters = TEXT_MAX
    while True:
        told = [_cut(one, characters) for one in findings[:FINDINGS_MAX]]
        if not characters or len(msgspec.json.encode(told)) <= bytes_max:
            return told
        characters //= 2


def _cut(finding: Finding, characters: int) -> Finding:
    if finding.level == "ok":
        return Finding(check=finding.check, level="ok")
    return msgspec.structs.replace(finding, found=cut(finding.found, characters), do=cut(finding.do, characters))


def _oldest_ms(held: Held, sending: Sending) -> int:
    """Give the oldest unsettled status's age; one of an earlier boot is at least as old as this boot."""
    if held.depth.oldest_status is None:
        return 0
    boot, mono_ms = held.depth.oldest_status
    return max(0, int(sending.mono_s * 1000) - (mono_ms if boot == sending.boot else 0))
