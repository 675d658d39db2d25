"""The events of version 1, as structs, and the types that they share with the messages. Units stand at a name's end.

Every time is aware and UTC, whatever offset it came with; a time without an offset makes the struct raise ValueError.

Unknown fields are kept (an event is stored as its own bytes) and ignored. What an `Annotated` limit forbids is
refused by the decoder, never by whoever reads the struct later.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from wire.topics import TOKEN_PATTERN

EVENT_BYTES_MAX = 4_096
SEQ_MAX = 2**63 - 1

Token = Annotated[str, Meta(pattern=rf"^{TOKEN_PATTERN}\Z")]
Seq = Annotated[int, Meta(ge=1, le=SEQ_MAX)]
Count = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
Millis = Annotated[int, Meta(ge=0, le=SEQ_MAX)]
Word = Annotated[str, Meta(min_length=1, max_length=64)]
Person = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=64,
        pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+\Z",
        description="a name that can be read: not blank, and without control or direction characters",
    ),
]
"""Who at control did something."""
Text = Annotated[str, Meta(max_length=500)]
Instant = Annotated[datetime, Meta(tz=True)]
StreamId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]{1,80}\Z")]

ClockSource = Literal["gnss", "ntp", "none"]
Mode = Literal["live", "test", "training", "maintenance", "commissioning"]
Queue = Literal["status", "track"]
By = Literal["panel", "auto", "order", "radio"]
FixMode = Literal["none", "2d", "3d", "dead_reckoning"]
Quality = Literal["good", "bad", "stale"]
Service = Literal["police", "fire", "ambulance"]
Outcome = Literal["accepted", "started", "done", "failed", "refused", "expired", "unknown"]
OrderId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", description="a UUID")]
Revision = Annotated[int, Meta(ge=1, le=2**31 - 1)]
StepName = Annotated[str, Meta(pattern=r"^(?:[a-z0-9_-]{1,40}(?::[a-z0-9_-]{1,40})?)?\Z")]
"""What it does and on which part, as `sounder:dorm-fire`; empty for the order as a whole."""
Nonce = Annotated[str, Meta(max_length=64)]


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a time must say its offset from UTC")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a time must lie in the years 1 to 9999 of UTC") from error


def keep_utc(struct: msgspec.Struct, *fields: str) -> None:
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
        keep_utc(self, "at")


class StatusEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="status"):
    """A unit's status was declared."""

    unit: Token
    scheme: Token
    code: Word
    by: By
    remarks: Text = ""
    operator: Annotated[str, Meta(max_length=64)] = ""
    """With `radio`: who at control entered it, as it was heard."""


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
        keep_utc(self, "at", "gnss_time")
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
        keep_utc(self, "at")
        if (self.value is None) == (self.quality == "good"):
            raise ValueError("a good input has a value and any other has none")


class ReceiptEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="receipt"):
    """What a device did with an order: with all of it, or with one step."""

    order: OrderId
    revision: Revision
    step: StepName = ""
    outcome: Outcome
    reason: Annotated[str, Meta(max_length=64)] = ""
    """A short stable word, such as `door_fail`; empty where nothing went wrong."""
    elapsed_ms: Millis = 0
    """Since the command came in, on the device's monotonic clock."""
    nonce: Nonce = ""
    """With the reason `stale_nonce`: the one to quote instead."""
    steps: Annotated[list[StepName], Meta(max_length=32)] = []
    """With `accepted`: the steps that are asserted at once and read back, each of which gets receipts of its own."""


class AcknowledgeEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="acknowledge"):
    """A person at the station, or in the vehicle, has taken an order in."""

    order: OrderId
    revision: Revision
    by: Literal["panel", "manual_input"]
    """`manual_input`: the station's acknowledge button, wired to an input."""
    unit: Token | None = None
    """For which of the units called; None for all."""


class TurnoutEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="turnout"):
    """A station turned units out by hand, without an order from control: its receipts name the id minted here."""

    order: OrderId
    units: Annotated[list[Token], Meta(min_length=1, max_length=20)]
    text: Annotated[str, Meta(max_length=300)] = ""


PersonRef = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,32}\Z")]
"""The service's own reference of a person, never a name."""
Skill = Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,16}\Z")]


class CrewPerson(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """Who rides, by the service's own reference, and with which skills."""

    ref: PersonRef
    skills: Annotated[list[Skill], Meta(max_length=8)] = []


class CrewEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="crew"):
    """A unit's crew logged on or off."""

    unit: Token
    on: bool
    riders: Annotated[int, Meta(ge=0, le=99)] = 0
    persons: Annotated[list[CrewPerson], Meta(max_length=12)] = []
    driver: Annotated[str, Meta(max_length=32)] = ""
    """By reference, as in `persons`."""
    commander: Annotated[str, Meta(max_length=32)] = ""
    """The officer in charge, by reference."""
    until: Instant | None = None
    """The end of the shift."""

    def __post_init__(self) -> None:
        """Bring the times to UTC."""
        keep_utc(self, "at", "until")


class DefectEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="defect"):
    """Something on a unit is broken, or mended."""

    unit: Token
    what: Word
    off_the_run: bool
    """Whether the unit can't be sent with it. Word for control: it changes no status."""
    raised: bool
    text: Text = ""


class BindingEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="binding"):
    """A device says that its vehicle carries a unit now, or (`on` false) does so no longer. Control confirms it."""

    callsign: Annotated[str, Meta(min_length=1, max_length=80)]
    """As its organisation writes it, in whichever case: a spare vehicle knows no ids."""
    vehicle: Annotated[str, Meta(max_length=40)] = ""
    """The vehicle's fleet number."""
    base: Annotated[str, Meta(max_length=40)] = ""
    """The base that it is at, by id; empty for the unit's own."""
    on: bool = True


class AlarmEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="alarm"):
    """A station's or a vehicle's alarm was raised or cleared."""

    name: Word
    """A short stable word, such as `bay_left_open`."""
    raised: bool
    part: Annotated[str, Meta(max_length=40)] = ""
    """Which door, input or line."""
    text: Text = ""


class EmergencyEvent(EventCommon, frozen=True, kw_only=True, omit_defaults=True, tag="emergency"):
    """The guarded emergency button was held. Sent first, and an alarm for everybody in every mode."""

    unit: Token


UnitEvent = StatusEvent | CrewEvent | DefectEvent | EmergencyEvent
"""Events that name the one unit that they are about."""
Event = (
    StatusEvent
    | PositionEvent
    | InputEvent
    | ReceiptEvent
    | AcknowledgeEvent
    | TurnoutEvent
    | CrewEvent
    | DefectEvent
    | BindingEvent
    | AlarmEvent
    | EmergencyEvent
)
STATUS_KINDS = frozenset(
    {"status", "receipt", "acknowledge", "turnout", "crew", "defect", "binding", "alarm", "emergency"}
)
TRACK_KINDS = frozenset({"position", "input"})
