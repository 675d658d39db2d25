"""What the tests of the outbox share: drafts, a chain computed by hashlib alone, and a keeper for a folder."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from edge_agent.outbox import OutboxFile, OutboxKeeper, OutboxLimits
from edge_agent.outbox.file import Draft
from wire import codec
from wire.events import EmergencyEvent, InputEvent, PositionEvent, Queue, StatusEvent

ENROLMENT = "e1"
EVENT_CODES = frozenset({"TALK"})
AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


def press(code: str = "AVAILABLE", *, unit: str = "engine-1", remarks: str = "", boot: int = 1) -> Draft:
    """A draft of a pressed status."""
    return partial(
        StatusEvent,
        at=AT,
        clock="gnss",
        boot=boot,
        mono_ms=1_000,
        mode="live",
        unit=unit,
        scheme="county",
        code=code,
        by="panel",
        remarks=remarks,
    )


def place(lat: float = 51.0) -> Draft:
    """A draft of a position."""
    return partial(
        PositionEvent,
        at=AT,
        clock="gnss",
        boot=1,
        mono_ms=1_000,
        mode="live",
        fix="3d",
        lat=lat,
        lon=0.5,
        speed_mps=9.0,
    )


def emergency(unit: str = "engine-1") -> Draft:
    """A draft of an emergency."""
    return partial(EmergencyEvent, at=AT, clock="gnss", boot=1, mono_ms=1_000, mode="live", unit=unit)


def sensor(name: str, value: float) -> Draft:
    """A draft of an input's value."""
    return partial(InputEvent, at=AT, clock="gnss", boot=1, mono_ms=1_000, mode="live", name=name, value=value)


def chain(start: bytes, events: Iterable[bytes]) -> bytes:
    """The digest after `events`, as the contract says it, without our own code."""
    for event in events:
        start = sha256(start + event).digest()
    return start


def genesis(stream: str, queue: Queue) -> bytes:
    """The digest before a queue's first event, without our own code."""
    return sha256(f"watchroom/1/{stream}/{queue}".encode()).digest()


def everything(file: OutboxFile, queue: Queue) -> list[bytes]:
    """Every event that a file holds, in order, by settling a copy's batches away one after another."""
    found: list[bytes] = []
    while (batch := file.batch(queue, 20)) is not None:
        found += batch.events
        assert file.settle(queue, file.stream, batch.last, chain(batch.base_digest, batch.events)) == "deleted"
    return found


def rows(file: OutboxFile, queue: Queue) -> dict[int, bytes]:
    """Every event that a file holds, by sequence, each checked to be in its place in the chain."""
    found = file._db.execute(f"SELECT seq, event FROM {queue} ORDER BY seq").fetchall()
    base, tip = file._db.execute("SELECT base, tip FROM queue WHERE name = ?", (queue,)).fetchone()
    assert tip == chain(base, [event for _, event in found])
    return dict(found)


def told(file: OutboxFile, queue: Queue) -> list[tuple[str, int, bytes]]:
    """Every event that a file holds: the stream and sequence that it was first given, and its bytes as of then."""
    found = []
    for seq, raw in rows(file, queue).items():
        event = codec.decode_event(raw)
        assert not isinstance(event, codec.Rejected) and event.seq == seq
        first = (event.origin.stream, event.origin.seq) if event.origin else (file.stream, event.seq)
        found.append((*first, raw_as_of(raw, first[1])))
    return found


def raw_as_of(raw: bytes, seq: int) -> bytes:
    """An event's bytes as they were before it was carried into another stream."""
    event = codec.decode_event(raw)
    assert not isinstance(event, codec.Rejected)
    return codec.encode(msgspec.structs.replace(event, seq=seq, origin=None))


def keeper(folder: Path, *, track_max_rows: int = 100_000, reserve_kib: int = 64) -> OutboxKeeper:
    """A keeper of the outbox in `folder`."""
    limits = OutboxLimits(track_max_rows=track_max_rows, reserve_kib=reserve_kib)
    return OutboxKeeper(folder, ENROLMENT, limits, EVENT_CODES)
