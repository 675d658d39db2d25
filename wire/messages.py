"""The messages of version 1, as structs. What `events` says of times, unknown fields and limits holds here too."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from wire.events import (
    By,
    ClockSource,
    Count,
    Instant,
    Millis,
    Mode,
    Nonce,
    OrderId,
    Queue,
    Revision,
    Seq,
    Service,
    StreamId,
    Text,
    Token,
    Word,
    keep_utc,
)
from wire.findings import FINDINGS_MAX, Finding

VERSION = 1
MESSAGE_BYTES_MAX = 16_384
EVENTS_MAX = 20

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
RawEvent = Annotated[msgspec.Raw, Meta(description="One event, which is judged alone: its own schema may refuse it.")]
Action = Literal["mobilise", "standby_move", "cancel"]
Priority = Literal["emergency", "routine"]


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
        keep_utc(self, "sent_at")


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
    health: Annotated[list[Finding], Meta(max_length=FINDINGS_MAX)] | UnsetType = UNSET
    """What the device's own look at each of its parts found: receiver, bus, panel, disk, clock, link. One that is in
    order has neither `found` nor `do`. Absent or empty: the device does not tell. Never a reason to refuse the message:
    see `codec.decode_up`."""
    asleep_until: Instant | None = None
    nonce: Nonce = ""
    """The newest that the device has minted for commands, at the moment it sent this."""
    state: StateHeld | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "sent_at", "asleep_until")


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
        keep_utc(self, "since")


class AcknowledgedEmergency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """An emergency that a person at control has in hand or has ended, by the place where its event first stood."""

    unit: Token
    stream: StreamId
    seq: Seq
    by: Word
    """Who acknowledged it."""
    cancelled: bool = False
    """Whether control has ended it: its lamp is dark again."""


class ClaimState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What became of a device's word that it carries a unit now. It may press for it from `waiting` on."""

    unit: Token
    callsign: Word
    scheme: Token
    outcome: Literal["waiting", "confirmed", "refused", "ended"]
    """`ended`: another device carries the unit now, or control has taken it back."""
    at: Instant
    by: Annotated[str, Meta(max_length=64)] = ""
    """Who at control decided."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "at")


class UnitMode(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A mode other than live that control has put a unit in."""

    unit: Token
    mode: Mode
    until: Instant
    """When it runs out, whether or not control is heard then."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "until")


class State(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="state", gc=False):
    """What control believes of each unit bound to this device. Retained, so it carries its own expiry."""

    v: Literal[1]
    owner_term: Count
    version: Count
    """Grows within an `owner_term`; a device ignores a lower one."""
    valid_until: Instant
    units: Annotated[list[ShownStatus], Meta(max_length=20)] = []
    emergencies: Annotated[list[AcknowledgedEmergency], Meta(max_length=20)] | UnsetType = UNSET
    """Those of this device that somebody has in hand, and those cancelled lately; left out where there are none."""
    claims: Annotated[list[ClaimState], Meta(max_length=20)] | UnsetType = UNSET
    """The newest of each unit that this device has claimed; left out where there are none."""
    modes: Annotated[list[UnitMode], Meta(max_length=20)] | UnsetType = UNSET
    """Those that control has put units of this device in, of each the first that has not run out; left out where all
    are live."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "valid_until")


class CalledUnit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A unit that an order calls."""

    unit: Token
    callsign: Word
    service: Service


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="command"):
    """An order as one device gets it: repeated until its receipt or its expiry, each time under the same revision."""

    v: Literal[1]
    owner_term: Count
    order: OrderId
    revision: Revision
    action: Action
    nonce: Nonce
    """One that this device minted in this boot."""
    expires_ms: Annotated[int, Meta(ge=1, le=86_400_000)]
    """After the minting of the nonce, on the device's monotonic clock."""
    issued_at: Instant
    mode: Mode = "live"
    priority: Priority = "emergency"
    units: Annotated[list[CalledUnit], Meta(max_length=20)] = []
    incident: Annotated[str, Meta(max_length=64)] = ""
    address: Text = ""
    grid_reference: Annotated[str, Meta(max_length=64)] = ""
    text: Text = ""
    open_doors: bool = False
    """Whether control asks for the doors at once. A station that has not switched that on opens none for it."""
    signature: Annotated[str, Meta(max_length=200)] = ""
    """Reserved until devices and control rooms have identities: empty."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "issued_at")


UpMessage = Envelope | Heartbeat | Birth | Death
DownMessage = Settle | Hello | State | Command
