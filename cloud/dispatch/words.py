"""The words of dispatch: what control asks for, and what is known of an order. Pure values.

An order is a heap of facts that only grows: when a device first accepted, when a step was first proved done, when a
unit first acknowledged. Its phase is computed from them, so that no shuffling of what devices tell changes where it
ends, and nothing takes it back.
"""

from datetime import datetime
from enum import IntEnum
from typing import Annotated, Literal, Protocol

import msgspec
from msgspec import Meta

from wire.events import Mode, Outcome, Text, Token, Word
from wire.feed import OrderAlarm, OrderKind, PhaseView, Service
from wire.messages import Priority

UNITS_MAX = 20
EXPIRES_DEFAULT_S = 120
ACK_S = 60.0
"""How long the units called have to acknowledge before control is told."""

Short = Annotated[str, Meta(max_length=64)]
Why = Annotated[str, Meta(min_length=1, max_length=500)]


class Moment(Protocol):
    """Now, on both clocks: durations by `mono_s`, records by `utc`."""

    @property
    def utc(self) -> datetime:
        """Wall time, aware, UTC."""
        ...

    @property
    def mono_s(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Control takes the units whatever other order they are on."""

    reason: Why


class Brief(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be told to those who are called."""

    base: Token
    """The station that is alerted."""
    units: Annotated[tuple[Token, ...], Meta(min_length=1, max_length=UNITS_MAX)]
    incident: Short = ""
    address: Text = ""
    grid_reference: Short = ""
    text: Text = ""
    mode: Mode = "live"
    open_doors: bool = False
    expires_s: Annotated[int, Meta(ge=5, le=3600)] = EXPIRES_DEFAULT_S
    """A device that gets the order later than this after it was given does not act on it."""
    by: Word
    """Who gives it."""


class OrderRequest(Brief, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What control asks for. An unknown field is refused: whoever wrote it meant something."""

    kind: Literal["mobilise", "standby_move"] = "mobilise"
    priority: Priority | None = None
    """Which tone. By default `emergency` for a mobilisation and `routine` for a standby move."""
    assignment_versions: dict[Token, Annotated[int, Meta(ge=0)]] = {}
    """Of each unit called: its `assignment_version` as the dispatcher saw it. Without it, the unit must be on no
    order."""
    override: Override | None = None


class Callee(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that is called, as the directory knows it."""

    unit: str
    callsign: str
    service: Service
    carrier: str | None
    """The device in its vehicle; None where that may not speak."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the directory knows of an order's place and units."""

    base_name: str
    device: str | None
    """The station's own; None where it has none."""
    callees: tuple[Callee, ...]


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that is called, and how far it has come."""

    unit: str
    callsign: str
    service: Service
    acknowledged_at: datetime | None = None
    mobile_at: datetime | None = None
    """The first status since the order that says it is on its way."""
    available_at: datetime | None = None
    """The last time that a person declared it available."""


class Reach(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one revision has come at one device."""

    sent_at: datetime | None = None
    doubtful: bool = False
    """An earlier process had it in hand: it may have sent it, and died before that was written."""
    accepted_at: datetime | None = None
    planned: tuple[str, ...] = ()
    """The steps that it said, when it accepted, it would assert at once and read back."""
    endings: tuple[tuple[Outcome, str], ...] = ()
    """The device's last word on the revision as a whole, and why. A device has one; were there more, all are kept."""

    @property
    def ended(self) -> Outcome | None:
        """The device's last word; None before it."""
        return self.endings[-1][0] if self.endings else None

    @property
    def reason(self) -> str:
        """Why it ended so."""
        return self.endings[-1][1] if self.endings else ""

    @property
    def may_be_known(self) -> bool:
        """Whether the device may have heard of it."""
        return self.sent_at is not None or self.doubtful

    @property
    def answered(self) -> bool:
        """Whether the device has it, or will not take it: there is nothing more to send."""
        return self.accepted_at is not None or bool(self.endings)


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A device that is to be told."""

    device: str
    station: bool
    units: tuple[str, ...]
    """The units that it may acknowledge for."""
    alert: Reach = Reach()
    stand_down: Reach = Reach()


class StepFact(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one step: the last word by the device's own clock, and when it was first proved done."""

    device: str
    step: str
    outcome: Outcome
    reason: str
    elapsed_ms: int
    at: datetime
    done_at: datetime | None = None


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Control's word that an order is over."""

    by: str
    reason: str
    at: datetime


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a command and control system (CAD) that an order stands for."""

    organisation: str
    """Whose CAD."""
    number: str
    """As the CAD numbers it."""
    origin: str
    """Which system said so first."""


class Rung(IntEnum):
    """How far an order has come. Each phase stands where nothing that is learned later takes it back.

    What the cloud's own clock concludes from silence (`LAPSED_*`) gives way to any word of a device. What a device
    says in the end (`EXPIRED`, `UNKNOWN`, `FAILED`) gives way to people: a crew that acknowledges is on its way.
    """

    CREATED = 0
    SENT = 1
    LAPSED_EXPIRED = 2
    LAPSED_UNKNOWN = 3
    DELIVERED = 4
    ALERTING = 5
    CONFIRMED = 6
    EXPIRED = 7
    UNKNOWN = 8
    FAILED = 9
    ACKNOWLEDGED = 10
    MOBILE = 11
    CLOSED = 12


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is known of one order."""

    id: str
    kind: OrderKind
    brief: Brief
    asked: str = ""
    """A digest of the request: the same request again is the same order."""
    priority: Priority
    base_name: str
    ack_s: float
    revision: int = 1
    created_at: datetime
    created_s: float
    """The same on the monotonic clock of this process."""
    units: tuple[Called, ...]
    deliveries: tuple[Delivery, ...]
    outside: Outside | None = None
    """The order that it stands for, where another system gave it. It has no deliveries: nobody is sent anything."""
    steps: tuple[StepFact, ...] = ()
    cancelled: Ending | None = None
    cancelled_s: float = 0.0
    closed: Ending | None = None
    lapsed: bool = False
    """Nobody answered in time."""
    quiet: bool = False
    """A station that does not say what it plans has proved every step that it told of, and tells of no more."""
    forgone: bool = False
    """Nobody confirmed the stand-down in time."""
    rested: bool = False
    """Nothing has happened for so long that it is put away."""
    rung: Rung = Rung.CREATED
    phases: tuple[PhaseView, ...] = ()
    alarms: tuple[OrderAlarm, ...] = ()
    changed_at: datetime
    version: int = 1

    @property
    def watched(self) -> tuple[Delivery, ...]:
        """Those whose word counts for the whole: the station's device, or where it has none every carrier."""
        return tuple(one for one in self.deliveries if one.station) or self.deliveries

    @property
    def active(self) -> bool:
        """Whether it is still in hand: not closed, nor put away."""
        return self.rung < Rung.CLOSED and not self.rested

    def is_local_of(self, device: str) -> bool:
        """Tell whether this is a turnout by hand at the station of this device."""
        return self.kind == "local_turnout" and any(one.device == device for one in self.deliveries)

    @property
    def ends_with_station(self) -> bool:
        """Whether nobody at control has it in hand: the station's last word closes it, or whoever gave it elsewhere."""
        return self.kind == "local_turnout" or self.outside is not None or self.brief.mode != "live"
