"""What the ledger holds, as values. Times are aware, UTC, and keep their microseconds; integers are below 2**63."""

from datetime import datetime
from typing import Literal

import msgspec

from wire.events import Mode, Queue

Head = tuple[str, str, int]
"""Unit, device, and the id of the event that is now that device's latest status for that unit."""
Latest = tuple[str, str, str, int]
"""Unit, device, a name, and the id of the event that is now that device's latest of that name for that unit: `crew`,
`defect:WHAT`, `auto` for an automatic status, `apart` for a status that was declared in a test."""
Tail = tuple[str, int]
"""Unit, and the id of its newest event: where its history starts, newest first."""
Refusal = tuple[str, str, Queue, int, str]
"""Device, stream, queue, the sequence that was refused, and why."""

REFUSED_KEPT = 20
"""How many of a queue's latest refusals are told again with each settle, for one may have been lost on its way."""


class EventRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event that was stored."""

    id: int
    """Given by the one writer: `Loaded.next_event_id` and up. Never given twice."""
    device: str
    stream: str
    queue: Queue | None
    """None for one that came outside a queue."""
    seq: int
    kind: str
    unit: str | None
    mode: Mode
    at: datetime
    """The device's wall time. It may be wrong."""
    received_at: datetime
    corrected_at: datetime
    proven: bool
    """Whether `corrected_at` rests on a clock that was checked."""
    prev: int | None
    """The id of the unit's event before this one; None for its first."""
    body: bytes
    """The event as it came, byte for byte."""


class Watermark(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far one queue of one stream has ended: every sequence up to `through` is stored, refused or gone."""

    device: str
    stream: str
    queue: Queue
    ordinal: int
    """Which of the device's streams this is, counting up as one supersedes another."""
    through: int
    digest: bytes
    """Chained over every event up to `through`, as `wire.digest` gives it."""
    corrected_at: datetime | None
    """The newest corrected time given out on this stream; None before the first."""


class Refused(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Bytes that were not accepted, kept for whoever asks why."""

    received_at: datetime
    topic: str
    reason: str
    body: bytes
    device: str | None = None
    stream: str | None = None
    queue: Queue | None = None
    seq: int | None = None
    """None where a whole message was refused. Those are kept within bounds, the oldest dropped."""
    id: int | None = None
    """Given by the ledger: None until it is read back."""


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Sequences that will never come: the device no longer held them."""

    device: str
    stream: str
    queue: Queue
    first_seq: int
    last_seq: int
    """Inclusive."""
    recorded_at: datetime
    reason: str
    id: int | None = None
    """Given by the ledger: None until it is read back."""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes durable together, or not at all."""

    events: list[EventRow] = []
    watermarks: list[Watermark] = []
    refused: list[Refused] = []
    gaps: list[Gap] = []
    heads: list[Head] = []
    tails: list[Tail] = []
    latest: list[Latest] = []


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """What a starting process needs to go on where the last one stopped."""

    next_event_id: int
    watermarks: list[Watermark]
    heads: list[EventRow]
    """The latest status of each (unit, device)."""
    tails: dict[str, int]
    refused: list[Refusal] = []
    """The latest `REFUSED_KEPT` of each queue, oldest first."""
    latest: list[EventRow] = []
    """The latest of each (unit, device, name) beside the heads, oldest first."""


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order as it stands. `body` holds all of it; the rest is for whoever looks for one."""

    id: str
    base: str
    phase: str
    active: bool
    version: int
    created_at: datetime
    owner_term: int
    """Of the process that has it in hand."""
    body: bytes


class OrderLogRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that became of an order."""

    order: str
    at: datetime
    """When it was known here."""
    kind: str
    by: str
    body: bytes
    """JSON."""


class AssignmentRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which order a unit is on; None for none."""

    unit: str
    version: int
    order: str | None
    since: datetime


class OrderCommit(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes durable of orders together, or not at all."""

    orders: list[OrderRow] = []
    log: list[OrderLogRow] = []
    assignments: list[AssignmentRow] = []
    through: int = 0
    """The newest event that the orders take account of."""


class LoadedOrders(msgspec.Struct, frozen=True, kw_only=True):
    """What a starting process needs to go on with orders."""

    active: list[OrderRow]
    """Oldest first."""
    assignments: list[AssignmentRow]
    through: int
    """What came after this event is not in the orders yet."""


class AlarmLogRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that a person did with an alarm."""

    alarm: str
    at: datetime
    kind: Literal["acknowledged", "cancelled"]
    by: str
    reason: str = ""


class BoardRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the board showed of a unit from a moment on, or that something began that concerns them all."""

    shown_at: datetime
    """Never decreasing."""
    unit: str
    """Empty where it concerns all."""
    kind: Literal["record", "gone", "started", "directory"]
    body: bytes
    """JSON: of a `record` all that stands of it, positions and ages aside; of `started` and `directory` the version."""


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that a person at control decided about a unit, a base or the whole."""

    at: datetime
    kind: str
    """Such as `mode`, `binding_confirmed`, `binding_refused`, `lent`, `returned`, `split`, `rejoined`."""
    subject: str
    by: str
    reason: str
    body: bytes
    """JSON."""
    number: int | None = None
    """Given by the ledger: None until it is read back."""


class DirectoryRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A directory that came into force."""

    at: datetime
    version: str
    body: bytes
    """JSON: each file's text by its name."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Figures that cost the same however large the ledger is."""

    last_event_id: int
    """0 before the first event."""
    refused_events: int
    """Refused one by one; all are kept."""
    refused_messages: int
    """Whole messages now held."""
    refused_messages_bytes: int
    dropped_messages: int
    """Whole messages that were dropped for the bounds, ever."""
    gaps: int
