"""Watermarks: how far each queue has ended, the digest there, and whether an envelope fits what came before. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from wire import digest
from wire.events import Queue
from wire.messages import Envelope, RefusedSeq, Vitals

Key = tuple[str, str, Queue]
"""A device, one of its streams, and the queue."""


class Mark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A queue's end: everything up to `through` is stored, refused or gone."""

    device: str
    stream: str
    queue: Queue
    ordinal: int
    through: int
    digest: bytes
    corrected_at: datetime | None = None
    refused: tuple[RefusedSeq, ...] = ()


class Gap(msgspec.Struct, frozen=True, gc=False):
    """Sequences that the device no longer holds and that never came."""

    first: int
    last: int
    reason: str = "not_held"


class Fit(msgspec.Struct, frozen=True, gc=False):
    """How an envelope joins on: what is new in it, from which sequence, and what is gone before it."""

    outcome: Literal["new", "known", "fork"]
    first_seq: int = 0
    fresh: tuple[bytes, ...] = ()
    digest: bytes = b""
    gap: Gap | None = None


def start_mark(device: str, stream: str, queue: Queue, ordinal: int) -> Mark:
    """Give the mark of a queue of which nothing has come yet."""
    return Mark(
        device=device, stream=stream, queue=queue, ordinal=ordinal, through=0, digest=digest.genesis(stream, queue)
    )


def fit(mark: Mark, envelope: Envelope) -> Fit:
    """Hold an envelope against the mark. The same sequence with other bytes is a fork: two devices, or a forged one."""
    events = tuple(bytes(raw) for raw in envelope.events)
    first, last = envelope.first_held, envelope.first_held + len(events) - 1
    base = bytes.fromhex(envelope.base_digest)
    if first > mark.through + 1:
        return Fit("new", first, events, _chain(base, events), Gap(mark.through + 1, first - 1))
    known = mark.through + 1 - first
    if last < mark.through:
        return Fit("known")
    if _chain(base, events[:known]) != mark.digest:
        return Fit("fork")
    if known == len(events):
        return Fit("known")
    return Fit("new", mark.through + 1, events[known:], _chain(mark.digest, events[known:]))


def unrecorded(gap: Gap | None, recorded: int) -> Gap | None:
    """Give what of a gap is beyond what was recorded already; None for nothing."""
    if gap is None or gap.last <= recorded:
        return None
    return msgspec.structs.replace(gap, first=max(gap.first, recorded + 1))


def find_outgrown(committed: Mapping[Key, Mark], vitals: Vitals) -> tuple[Key, ...]:
    """Name the queues that have ended further than a device has counted: its outbox is an older copy.

    The settle tells it so, and it goes on in a new stream before a press of its crew takes a used sequence.
    """
    counted: tuple[tuple[Queue, int], ...] = (("status", vitals.last_seq.status), ("track", vitals.last_seq.track))
    keys: tuple[tuple[Key, int], ...] = tuple(((vitals.device, vitals.stream, queue), last) for queue, last in counted)
    return tuple(key for key, last in keys if key in committed and committed[key].through > last)


def _chain(base: bytes, events: tuple[bytes, ...]) -> bytes:
    for event in events:
        base = digest.extend(base, event)
    return base
