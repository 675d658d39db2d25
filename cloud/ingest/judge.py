"""Judges one event: stored as what it says, or refused with a reason. Pure."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from wire import codec
from wire.messages import STATUS_KINDS, TRACK_KINDS, Event, PositionEvent, Queue, StatusEvent
from wire.scheme import Scheme


class BoundUnit(Protocol):
    """A unit as its device may speak for it."""

    @property
    def id(self) -> str:
        """The unit's id."""
        ...

    @property
    def scheme(self) -> str:
        """The scheme that its statuses are in."""
        ...


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """One event's own bytes, and what became of them: an event, or a reason."""

    seq: int
    raw: bytes
    event: Event | None = None
    reason: str = ""


def judge(raw: bytes, seq: int, queue: Queue, units: Sequence[BoundUnit], schemes: dict[str, Scheme]) -> Judged:
    """Judge an event that stands at `seq` in its queue, from a device that may speak for `units`."""
    event = codec.decode_event(raw)
    if isinstance(event, codec.Rejected):
        return Judged(seq=seq, raw=raw, reason=event.reason)
    reason = _objection(event, seq, queue, units, schemes)
    return Judged(seq=seq, raw=raw, event=None if reason else event, reason=reason)


def _objection(event: Event, seq: int, queue: Queue, units: Sequence[BoundUnit], schemes: dict[str, Scheme]) -> str:
    if event.seq != seq:
        return "wrong_seq"
    kind = "status" if isinstance(event, StatusEvent) else "position" if isinstance(event, PositionEvent) else "input"
    if kind not in (STATUS_KINDS if queue == "status" else TRACK_KINDS):
        return "wrong_queue"
    return _status_objection(event, units, schemes) if isinstance(event, StatusEvent) else ""


def _status_objection(event: StatusEvent, units: Sequence[BoundUnit], schemes: dict[str, Scheme]) -> str:
    unit = next((one for one in units if one.id == event.unit), None)
    if unit is None:
        return "foreign_unit"
    if event.scheme != unit.scheme:
        return "wrong_scheme"
    scheme = schemes.get(event.scheme)
    return "unknown_code" if scheme is None or scheme.code(event.code) is None else ""
