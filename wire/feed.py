"""The feed: one record per unit, as a control room's client receives it.

The feed is served as server-sent events of five kinds. Each `data` is one JSON object; each `id` is `EPOCH-CURSOR`.

- `snapshot` (`Snapshot`): the whole picture, in parts; a client replaces what it holds when the last part has come.
- `changes` (`Changes`): records that changed since the event before. A client replaces each record by its `unit`.
- `orders` (`Orders`): orders as they stand now, at once when anything about them changes, and all that are open after
  each snapshot. A client replaces each by its `order`; a snapshot also replaces all the orders that it held.
- `alarms` (`Alarms`): emergencies and station alarms as they stand now, at once when anything about them changes, and
  all that are active after each snapshot. A client replaces each by its `alarm`; a snapshot also replaces all of them.
- `tick` (`Tick`): nothing changed. It vouches for everything that has not been sent since.

A client ages records on its own monotonic clock from the moment an event arrived; after `lost_after_s` without any
event it must say that the feed is lost.
"""

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Instant = Annotated[datetime, msgspec.Meta(tz=True)]

AvailabilityClass = Literal["Available", "ConditionallyAvailable", "NotAvailable"]
Confidence = Literal["confirmed", "unconfirmed", "contradicted", "never"]
Freshness = Literal["fresh", "late", "lost", "asleep", "never"]
Service = Literal["police", "fire", "ambulance"]
Mode = Literal["live", "test", "training", "maintenance", "commissioning"]
FixMode = Literal["none", "2d", "3d", "dead_reckoning"]


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why the class and confidence are what they are. The first reason is the one that decided."""

    code: str
    """A short stable word, such as `declared`, `link_late`, `catching_up`, `never_heard`."""
    text: str
    """Plain English for a dispatcher, such as "Nothing heard from the vehicle"."""
    source: str
    """What it comes from: `panel`, `link`, `gpsd`, `directory`, `ledger`."""
    age_s: float | None = None


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """The status that stands, in its own scheme's words."""

    scheme: str
    code: str
    label: str
    since: Instant
    """When it was declared, corrected, UTC."""
    proven: bool
    """Whether `since` rests on a clock that was checked; where not, it is when the cloud received it."""
    by: str


class PositionView(msgspec.Struct, frozen=True, kw_only=True):
    """The newest position. With `fix` `none` the receiver has no fix now; `lat` and `lon` are then the last known."""

    fix: FixMode
    lat: float | None = None
    lon: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    age_s: float | None = None
    """Age of `lat` and `lon` at the event's `at`. None where it cannot be known: show it as stale."""
    gnss_time: Instant | None = None


class Ages(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds at the event's `at`; None where there is nothing or it cannot be known."""

    link_s: float | None = None
    status_s: float | None = None
    position_s: float | None = None


class Conflict(msgspec.Struct, frozen=True, kw_only=True):
    """Another head that disagrees with the one shown."""

    device: str
    scheme: str
    code: str
    label: str


OrderKind = Literal["mobilise", "standby_move", "local_turnout"]
Phase = Literal[
    "created", "sent", "delivered", "alerting", "confirmed", "acknowledged", "mobile",
    "closed", "failed", "expired", "unknown",
]  # fmt: skip
AlarmKind = Literal["emergency", "station"]
StepOutcome = Literal["waiting", "started", "done", "failed", "refused", "expired", "unknown"]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a unit is on."""

    order: str
    incident: str
    phase: Phase
    since: Instant
    version: int
    """Grows with every change of the unit's assignment: an order that quotes an older one is refused."""


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step at one device, such as a sounder: what was read back, and how long after the command came in."""

    device: str
    step: str
    outcome: StepOutcome
    reason: str = ""
    elapsed_ms: int | None = None
    at: Instant | None = None
    """When it was reported, corrected, UTC."""


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """How far one device has come with the order."""

    device: str
    phase: Phase
    reason: str = ""


class CalledView(msgspec.Struct, frozen=True, kw_only=True):
    """One unit that the order calls."""

    unit: str
    callsign: str
    service: Service
    acknowledged_at: Instant | None = None
    mobile_at: Instant | None = None


class PhaseView(msgspec.Struct, frozen=True, kw_only=True):
    """When the order came to a phase."""

    phase: Phase
    at: Instant


class OrderAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """What asks for a person: `undelivered`, `unacknowledged`, `step_failed`, `telephone`."""

    code: str
    text: str
    """Plain English that says what to do."""
    at: Instant
    cleared: bool = False


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands."""

    order: str
    revision: int
    kind: OrderKind
    phase: Phase
    reason: str = ""
    """Why it failed, expired, is unknown, or was closed."""
    base: str
    """The station's base, by id."""
    base_name: str
    mode: Mode
    priority: Literal["emergency", "routine"]
    incident: str
    address: str
    grid_reference: str
    text: str
    units: tuple[CalledView, ...]
    deliveries: tuple[DeliveryView, ...]
    steps: tuple[StepView, ...]
    phases: tuple[PhaseView, ...]
    """In the order in which they came."""
    alarms: tuple[OrderAlarm, ...]
    by: str
    """Who gave it."""
    created_at: Instant
    active: bool
    """Whether anything may still change without a person."""
    version: int
    """Grows with every change of the order."""


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """One emergency, or one alarm of a station or vehicle, as it stands."""

    alarm: str
    """Its id: `DEVICE.STREAM.SEQ` of the event that raised it."""
    kind: AlarmKind
    name: str
    """A short stable word: `emergency`, or as the device names it, such as `mains_failed`."""
    unit: str | None
    """Whose emergency button it is, or whose vehicle; null for a station's own."""
    callsign: str
    """The unit's; empty without a unit."""
    base: str | None
    """The unit's or the station's base, by id."""
    base_name: str
    device: str
    part: str
    """Which door, input or line; empty for none."""
    text: str
    """Plain English. It says how old the alarm was where control heard of it late."""
    mode: Mode
    """An emergency alarms everybody in every mode."""
    raised_at: Instant
    """When it was raised, corrected, UTC; perhaps hours before control heard of it."""
    proven: bool
    """Whether `raised_at` rests on a clock that was checked; where not, `text` says what is known of it."""
    acknowledged_by: str | None = None
    acknowledged_at: Instant | None = None
    cleared_at: Instant | None = None
    """When the device said that its cause is gone, corrected; an emergency is never cleared."""
    active: bool
    """Whether it is still to be shown: an emergency until it is acknowledged, any other until it is cleared."""


class FeedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as it stands."""

    unit: str
    callsign: str
    organisation: str
    service: Service
    type: str
    base: str
    """The base's display name. A board groups by it."""
    capabilities: tuple[str, ...] = ()
    availability: AvailabilityClass | None = msgspec.field(default=None, name="class")
    """The class that its basis last supported; null for a unit never heard."""
    confidence: Confidence
    reasons: tuple[Reason, ...]
    """At least one."""
    status: StatusView | None = None
    position: PositionView | None = None
    position_fresh: bool = False
    """Whether the position may be shown as where the unit is now."""
    ages: Ages
    link: Freshness
    conflicts: tuple[Conflict, ...] = ()
    mode: Mode = "live"
    assignment: Assignment | None = None
    assignment_version: int = 0
    """What an order that calls this unit quotes: it is refused where another order has moved the unit meanwhile."""
    as_of: Instant
    """When this record last changed, UTC."""
    cursor: int


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the whole picture."""

    at: Instant
    epoch: str
    cursor: int
    part: int
    """From 1."""
    parts: int
    tick_ms: int
    lost_after_s: float
    owner_term: int
    records: tuple[FeedRecord, ...]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Records that changed."""

    at: Instant
    cursor: int
    records: tuple[FeedRecord, ...]


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing changed up to `at`."""

    at: Instant
    cursor: int


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Orders as they stand."""

    at: Instant
    cursor: int
    orders: tuple[OrderView, ...]


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """Emergencies and station alarms as they stand."""

    at: Instant
    cursor: int
    alarms: tuple[AlarmView, ...]
