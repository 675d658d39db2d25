"""The messages of version 1, as structs. Units stand at the end of a field's name.

Every time is aware and UTC, whatever offset it came with; a time without an offset makes the struct raise ValueError.

Unknown fields are kept (an event is stored as its own bytes) and ignored. What an `Annotated` limit forbids is
refused by the decoder, never by whoever reads the struct later.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.topics import TOKEN_PATTERN

VERSION = 1
MESSAGE_BYTES_MAX = 16_384
EVENTS_MAX = 20
EVENT_BYTES_MAX = 4_096
SEQ_MAX = 2**63 - 1

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z")]
Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
Count = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
Millis = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Text = Annotated[str, Meta(max_length=500)]
Instant = Annotated[datetime, Meta(tz=True)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
StreamId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,80}\Z")]
RawEvent = Annotated[msgspec.Raw, Meta(description="One event, which is judged alone: its own schema may refuse it.")]

ClockSource = Literal["gnss", "ntp", "none"]
Mode = Literal["live", "test", "training", "maintenance", "commissioning"]
Queue = Literal["status", "track"]
By = Literal["panel", "auto", "order", "radio"]
FixMode = Literal["none", "2d", "3d", "dead_reckoning"]
Quality = Literal["good", "bad", "stale"]


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a time must say its offset from UTC")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie in the years 1 to 9999 of UTC") from error


def _keep_utc(struct: msgspec.Struct, *fields: str) -> None:
    """Bring times to UTC. What a device sends has it already: that is one comparison a field."""
    for field in fields:
        instant = getattr(struct, field)
        if instant is not None and instant.tzinfo is not UTC:
            msgspec.structs.force_setattr(struct, field, _in_utc(instant))


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Where an event stood before its outbox was replaced: the same event may have been stored under this name."""

    stream: StreamId
    seq: Seq


class EventCommon(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind", gc=False):
    """What every event carries."""

    seq: Seq
    at: Instant
    """The device's wall time. It may be wrong: read it together with `clock`."""
    clock: ClockSource
    """What disciplined that wall time."""
    boot: Count
    """The device's boot number, which only grows within a stream."""
    mono_ms: Millis
    """The device's monotonic clock in that boot."""
    mode: Mode
    origin: Origin | None = None

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        _keep_utc(self, "at")


class StatusEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """A unit's status was declared."""

    unit: Token
    scheme: Token
    code: Word
    by: By
    remarks: Text = ""


class PositionEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="position"):
    """Where the device was. `lat` and `lon` are absent exactly where `fix` is `none`."""

    fix: FixMode
    lat: Annotated[float, Meta(ge=-90, le=90)] | None = None
    lon: Annotated[float, Meta(ge=-180, le=180)] | None = None
    speed_mps: Annotated[float, Meta(ge=0, le=150)] | None = None
    heading_deg: Annotated[float, Meta(ge=0, lt=360)] | None = None
    altitude_m: Annotated[float, Meta(ge=-1_000, le=20_000)] | None = None
    accuracy_m: Annotated[float, Meta(ge=0, le=1_000_000)] | None = None
    satellites: Annotated[int, Meta(ge=0, le=255)] | None = None
    gnss_time: Instant | None = None

    def __post_init__(self) -> None:
        """Refuse a position that says it has a fix and gives no place, or the other way round."""
        _keep_utc(self, "at", "gnss_time")
        placed = self.lat is not None and self.lon is not None
        if placed == (self.fix == "none") or (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon go with a fix, and only with a fix")


class InputEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="input"):
    """A named input's value. A bad or stale quality never comes with a number."""

    name: Word
    value: bool | float | None
    quality: Quality = "good"

    def __post_init__(self) -> None:
        """Refuse a number that nobody measured."""
        _keep_utc(self, "at")
        if (self.value is None) == (self.quality == "good"):
            raise ValueError("a good input has a value and any other has none")


Event = StatusEvent | PositionEvent | InputEvent
STATUS_KINDS = frozenset({"status"})
TRACK_KINDS = frozenset({"position", "input"})


class Sent(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    """What every message of a device carries about its sending."""

    v: Literal[1]
    device: Token
    boot: Count
    conn: Count
    """The connection's number in that boot."""
    sent_mono_ms: Millis
    sent_at: Instant
    clock: ClockSource
    stream: StreamId
    signature: Annotated[str, Meta(max_length=200)] = ""
    """Reserved until devices sign: empty."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        _keep_utc(self, "sent_at")


class Envelope(Sent, frozen=True, kw_only=True, tag="envelope"):
    """Events of one queue. On `status` and `history` they are consecutive from `first_held`; on `live` there is one."""

    queue: Queue
    first_held: Seq
    """The oldest sequence that the device still holds; every one below it that was not settled is gone."""
    base_digest: Digest
    """The chained digest before `first_held`."""
    events: Annotated[list[RawEvent], Meta(min_length=1, max_length=EVENTS_MAX)]


class Echo(msgspec.Struct, frozen=True, gc=False):
    """The newest `id` that the device holds from the cloud, and for how long: proof that this message is recent."""

    id: Word
    held_ms: Millis


class CurrentStatus(msgspec.Struct, frozen=True, gc=False):
    """What the device believes a unit's status to be, and the sequence that declared it."""

    unit: Token
    stream: StreamId
    seq: Seq
    scheme: Token
    code: Word


class LastSeq(msgspec.Struct, frozen=True, gc=False):
    """The last sequence that each queue has given out; 0 for none yet."""

    status: Count
    track: Count


class PositionAge(msgspec.Struct, frozen=True, gc=False):
    """How old the newest fix is that agrees with the position reported as `seq`."""

    seq: Seq
    age_ms: Millis


class OutboxDepth(msgspec.Struct, frozen=True, gc=False):
    """What is still unsettled on the device."""

    status: Count
    track: Count
    oldest_status_ms: Millis = 0


class StateHeld(msgspec.Struct, frozen=True):
    """Which of control's states the device holds (zeros: none yet), so that one that was lost is told again."""

    owner_term: Count
    version: Count


class Vitals(Sent, frozen=True, kw_only=True):
    """What a heartbeat and a birth both say."""

    echo: Echo | None = None
    interval_s: Annotated[float, Meta(ge=1, le=20)]
    """The device promises a heartbeat at least this often."""
    current: Annotated[list[CurrentStatus], Meta(max_length=20)] = []
    last_seq: LastSeq
    position: PositionAge | None = None
    outbox: OutboxDepth
    disk_free_mib: Count | None = None
    faults: Annotated[list[Text], Meta(max_length=20)] = []
    asleep_until: Instant | None = None
    nonce: Annotated[str, Meta(max_length=64)] = ""
    state: StateHeld | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        _keep_utc(self, "sent_at", "asleep_until")


class Heartbeat(Vitals, frozen=True, kw_only=True, tag="heartbeat"):
    """The device is alive. Not queued and without a sequence."""


class Birth(Vitals, frozen=True, kw_only=True, tag="birth"):
    """A connection began. Retained."""

    software: Word
    config_hash: Word
    predecessor: Annotated[str, Meta(max_length=80)] = ""
    """The stream that this one took over from; empty for a first one."""


class Death(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="death", gc=False):
    """The broker's word that a connection ended (the will), or the device's own. Counts for its own connection only."""

    v: Literal[1]
    device: Token
    boot: Count
    conn: Count
    stream: StreamId


class RefusedSeq(msgspec.Struct, frozen=True, gc=False):
    """A sequence that was kept aside, and why."""

    seq: Seq
    reason: Word


class QueueSettle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The cloud's word on one queue: everything up to `through` has ended, with this digest."""

    stream: StreamId
    queue: Queue
    through: Count
    digest: Digest
    refused: list[RefusedSeq] = []


class Settle(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="settle", gc=False):
    """The cloud's answer to a device. Without queues it is the plain answer to a birth or heartbeat."""

    v: Literal[1]
    id: Word
    owner_term: Count
    queues: list[QueueSettle] = []
    mint: Literal["", "fork", "superseded"] = ""
    """Not empty: the device's stream cannot go on, so it must mint a new one, which takes over what is unsettled."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="hello", gc=False):
    """An ingest has started: answer with a heartbeat and what is unsettled."""

    v: Literal[1]
    id: Word
    owner_term: Count


class ShownStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What control believes of one unit, and which event says so."""

    unit: Token
    scheme: Token
    code: Word
    label: Text
    since: Instant
    by: By
    device: Token
    stream: StreamId
    seq: Seq

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        _keep_utc(self, "since")


class State(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="state", gc=False):
    """What control believes of each unit bound to this device. Retained, so it carries its own expiry."""

    v: Literal[1]
    owner_term: Count
    version: Count
    """Grows within an `owner_term`; a device ignores a lower one."""
    valid_until: Instant
    units: Annotated[list[ShownStatus], Meta(max_length=20)] = []

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        _keep_utc(self, "valid_until")


UpMessage = Envelope | Heartbeat | Birth | Death
DownMessage = Settle | Hello | State
