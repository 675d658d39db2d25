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

from typing import Literal

import msgspec

from wire.events import FixMode as FixMode
from wire.events import Instant
from wire.events import Mode as Mode
from wire.events import Service as Service
from wire.orders import CalledView as CalledView
from wire.orders import DeliveryView as DeliveryView
from wire.orders import OrderAlarm as OrderAlarm
from wire.orders import OrderKind as OrderKind
from wire.orders import OrderView as OrderView
from wire.orders import Phase as Phase
from wire.orders import PhaseView as PhaseView
from wire.orders import StepOutcome as StepOutcome
from wire.orders import StepView as StepView

AvailabilityClass = Literal["Available", "ConditionallyAvailable", "NotAvailable"]
Confidence = Literal["confirmed", "unconfirmed", "contradicted", "never"]
Freshness = Literal["fresh", "late", "lost", "asleep", "never"]
Activity = Literal[
    "free", "standby", "assigned", "mobile", "on_scene", "transporting", "at_destination", "clearing", "rest",
    "out_of_service", "off_duty",
]  # fmt: skip
"""What a crew is at, in every service's codes: an axis beside whether it can be sent."""
SourceKind = Literal[
    "status", "link", "position", "crew", "defect", "input", "assignment", "mode", "binding", "directory", "ledger",
    "fleet",
]  # fmt: skip


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why the class and confidence are what they are. The first reason is the one that decided."""

    code: str
    """A short stable word, such as `declared`, `link_late`, `catching_up`, `never_heard`."""
    text: str
    """Plain English for a dispatcher, such as "Nothing heard from the vehicle"."""
    source: str
    """Which of the record's `sources` it comes from, by that one's `source`."""
    age_s: float | None = None
    """How old that source is."""


class SourceView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that the record rests on. Every reason names one of these."""

    source: str
    """A short word, once in a record: `panel`, `auto`, `order` or `radio` for the status that stands, else `link`,
    `gpsd`, `crew`, `ignition`, `directory`, `ledger` and the like."""
    kind: SourceKind
    device: str = ""
    """Who says so; empty where it is no device."""
    at: Instant | None = None
    """Since when, corrected, UTC; None where it cannot be known, or where it is of no moment."""


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


class CrewView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who is on it, as logged on, against what the unit needs."""

    riders: int | None = None
    """None where nobody has logged on or off."""
    minimum: int = 0
    """Fewer than these and it is short; 0 where nobody asks."""
    preferred: int = 0
    skills: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Skills that the unit needs and nobody on it has."""
    until: Instant | None = None
    """The end of the shift."""


class DefectView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something on it is broken."""

    what: str
    off_the_run: bool
    text: str = ""
    since: Instant


class Proposal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What its place or movement suggests. It changes nothing: a person presses, or control enters it."""

    code: str
    """A short stable word: `left_base`, `at_base`, `moving`, `stopped`, `auto`."""
    text: str
    at: Instant
    """The moment that it suggests, corrected: when the unit left, arrived or stopped."""
    scheme: str = ""
    status: str = ""
    """The code that it would be in the unit's scheme; empty where none is meant."""
    label: str = ""


class ClaimView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A device that says that it carries the unit now, and waits for control's word."""

    claim: str
    """Its id: `DEVICE.STREAM.SEQ` of the event that made it."""
    device: str
    vehicle: str
    at: Instant
    on: bool = True
    """False where it says that it carries the unit no longer."""


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


AlarmKind = Literal["emergency", "station", "speech", "path", "access"]


class Assignment(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a unit is on."""

    order: str
    incident: str
    phase: Phase
    since: Instant
    version: int
    """Grows with every change of the unit's assignment: an order that quotes an older one is refused."""


class AlarmView(msgspec.Struct, frozen=True, kw_only=True):
    """One emergency, one alarm of a station or vehicle, one speech request, failed path or access, as it stands.

    An emergency is over when control cancels it, a speech request when somebody has it in hand, a partner's emergency
    access when it has ended and somebody has acknowledged it, any other when it is cleared.
    """

    alarm: str
    """Its id: `DEVICE.STREAM.SEQ` of the event that raised it; of a path, `path.` and when it failed; of an emergency
    access, `access.` and its id."""
    kind: AlarmKind
    name: str
    """A short stable word: `emergency`, `speech_request`, `urgent_speech_request`, `path_failed`, `emergency_access`,
    or as the device names it, such as `mains_failed`."""
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
    escalation: Literal[0, 1, 2] = 0
    """Of an emergency that nobody has in hand: 1 after 15 s, 2 after 30 s."""
    cancelled_by: str | None = None
    """Who at control ended the emergency."""
    cancelled_at: Instant | None = None
    cancel_reason: str = ""
    active: bool
    """Whether it is still to be shown."""


class FeedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as it stands."""

    unit: str
    callsign: str
    organisation: str
    service: Service
    type: str
    base: str
    """The display name of the base that it is at now. A board groups by it."""
    home: str = ""
    """The display name of the base that it belongs to, where it is lent to another; empty at home."""
    vehicle: str = ""
    """The fleet number of the vehicle that carries it; empty where the directory names none."""
    capabilities: tuple[str, ...] = ()
    availability: AvailabilityClass | None = msgspec.field(default=None, name="class")
    """The class that its basis last supported; null for a unit never heard."""
    confidence: Confidence
    reasons: tuple[Reason, ...]
    """At least one."""
    sources: tuple[SourceView, ...] = ()
    """What the record rests on."""
    activity: Activity | None = None
    """What its crew is at; null where its status does not tell."""
    tier_min: int = 0
    """Minutes until its crew turns out: 0 for now, 5, 10, 30 for on-call crews."""
    crew: CrewView | None = None
    """Null where the directory asks for none and nobody has logged on."""
    defects: tuple[DefectView, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    claims: tuple[ClaimView, ...] = ()
    """Devices that say they carry it and that control has not confirmed. Two are a conflict."""
    alternates: tuple[str, ...] = ()
    """Callsigns of the units that share its crew."""
    part_of: str = ""
    """The callsign of the unit that it is a part of, once that is split; else empty."""
    status: StatusView | None = None
    position: PositionView | None = None
    position_fresh: bool = False
    """Whether the position may be shown as where the unit is now."""
    ages: Ages
    link: Freshness
    conflicts: tuple[Conflict, ...] = ()
    mode: Mode = "live"
    mode_until: Instant | None = None
    """When the mode runs out; null for live, and for a mode that its own device declares."""
    mode_by: str = ""
    """Who set it at control; empty where its own device declares it."""
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
