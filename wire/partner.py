"""A partner's feed: what an agreement lets another organisation see of a unit, and nothing beside it.

It is served like the feed (see `wire.feed`), as server-sent events with `id: EPOCH-CURSOR`, to the holder of a
partner's token. The cursor counts this partner's own events. Events are of four kinds:

- `snapshot` (`PartnerSnapshot`): the whole view, in parts; a client replaces what it holds when the last part has come.
- `changes` (`PartnerChanges`): records that changed, and the units that are no longer to be seen. A client replaces
  each record by its `unit`, and lets go of those in `gone`, with their alarms.
- `alarms` (`PartnerAlarms`): emergencies of units that it may see them of; replaced by their `alarm`. A client lets go
  of those of a unit whose record no longer has `alarms` among its `grants`.
- `tick` (`wire.feed.Tick`): nothing changed.

A field that no agreement opens is absent: never null, never empty. What is null or empty is known to be so.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from wire.events import Instant, Mode, Service
from wire.feed import (
    Activity,
    AvailabilityClass,
    ClaimView,
    Confidence,
    Conflict,
    CrewView,
    DefectView,
    Freshness,
    Phase,
    PositionView,
    Proposal,
    Reason,
    StatusView,
)

Grant = Literal[
    "base", "vehicle", "capabilities", "availability", "status", "position", "link", "crew", "defects", "assignment",
    "mode", "kin", "workings", "alarms",
]  # fmt: skip
"""What an agreement may open beside a unit's name: each opens the fields of `FIELDS_OF`. `alarms` opens its
emergencies."""

FIELDS_OF: dict[Grant, tuple[str, ...]] = {
    "base": ("base", "home"),
    "vehicle": ("vehicle",),
    "capabilities": ("capabilities",),
    "availability": ("availability", "confidence", "reasons", "tier_min"),
    "status": ("status", "activity", "status_s"),
    "position": ("position", "position_fresh", "position_s"),
    "link": ("link", "link_s"),
    "crew": ("crew",),
    "defects": ("defects",),
    "assignment": ("assignment", "assignment_version"),
    "mode": ("mode", "mode_until", "mode_by"),
    "kin": ("alternates", "part_of"),
    "workings": ("conflicts", "proposals", "claims"),
    "alarms": (),
}
"""The fields of a `PartnerRecord` that each grant opens, by their names in the struct. Its unit, callsign,
organisation, service, type, grants, agreements and `as_of` come with any."""
GRANTS: tuple[Grant, ...] = tuple(FIELDS_OF)


class PartnerAssignment(msgspec.Struct, frozen=True, kw_only=True):
    """The order that a unit is on. How far it has come is of all units that it calls, and so its owner's alone."""

    order: str
    incident: str
    phase: Phase | UnsetType = UNSET
    """Of the partner's own units."""
    since: Instant
    version: int


class PartnerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One unit as a partner may see it. Its fields are those of a `FeedRecord`, as far as they are opened."""

    unit: str
    callsign: str
    organisation: str
    service: Service
    type: str
    grants: tuple[Grant, ...]
    """What is open, sorted. All of them for the partner's own units."""
    agreements: tuple[str, ...]
    """The ids of the agreements that open it, sorted; `emergency:ID` for emergency access; none for its own units."""
    base: str | UnsetType = UNSET
    home: str | UnsetType = UNSET
    vehicle: str | UnsetType = UNSET
    capabilities: tuple[str, ...] | UnsetType = UNSET
    availability: AvailabilityClass | None | UnsetType = msgspec.field(default=UNSET, name="class")
    confidence: Confidence | UnsetType = UNSET
    reasons: tuple[Reason, ...] | UnsetType = UNSET
    """Those that rest on opened fields alone; perhaps none. `source` is the kind of source only."""
    tier_min: int | UnsetType = UNSET
    status: StatusView | None | UnsetType = UNSET
    activity: Activity | None | UnsetType = UNSET
    status_s: float | None | UnsetType = UNSET
    """Ages in seconds at the event's `at`, as in `FeedRecord.ages`."""
    position: PositionView | None | UnsetType = UNSET
    """No sharper and no newer than agreed: see `precision_m` and `delay_s`."""
    position_fresh: bool | UnsetType = UNSET
    position_s: float | None | UnsetType = UNSET
    precision_m: int | UnsetType = UNSET
    """Of a position that is blurred: the side of the square whose middle it is. Absent where it is exact."""
    delay_s: int | UnsetType = UNSET
    """Of a position that is held back: by how much. Absent where it is not."""
    link: Freshness | UnsetType = UNSET
    link_s: float | None | UnsetType = UNSET
    crew: CrewView | None | UnsetType = UNSET
    defects: tuple[DefectView, ...] | UnsetType = UNSET
    assignment: PartnerAssignment | None | UnsetType = UNSET
    assignment_version: int | UnsetType = UNSET
    mode: Mode | UnsetType = UNSET
    mode_until: Instant | None | UnsetType = UNSET
    mode_by: str | UnsetType = UNSET
    alternates: tuple[str, ...] | UnsetType = UNSET
    part_of: str | UnsetType = UNSET
    conflicts: tuple[Conflict, ...] | UnsetType = UNSET
    proposals: tuple[Proposal, ...] | UnsetType = UNSET
    """Absent too where positions are not opened exactly and as they come: they tell when it was where."""
    claims: tuple[ClaimView, ...] | UnsetType = UNSET
    as_of: Instant
    """When this view last changed, UTC: not when the unit did."""
    valid_until: Instant | UnsetType = UNSET
    """On MQTT alone: nothing of this may be shown as live after it."""


class PartnerAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency of a unit whose `alarms` are opened."""

    alarm: str
    """An id of its own: it names no device."""
    unit: str
    callsign: str
    text: str
    raised_at: Instant
    acknowledged_at: Instant | None = None
    cancelled_at: Instant | None = None
    active: bool


class PartnerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One part of the whole view."""

    at: Instant
    epoch: str
    cursor: int
    part: int
    """From 1."""
    parts: int
    tick_ms: int
    lost_after_s: float
    partner: str
    records: tuple[PartnerRecord, ...]


class PartnerChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What changed."""

    at: Instant
    cursor: int
    records: tuple[PartnerRecord, ...] = ()
    gone: tuple[str, ...] = ()
    """Units that are not to be seen any more, sorted. Why is not told."""


class PartnerAlarms(msgspec.Struct, frozen=True, kw_only=True):
    """Emergencies as they stand."""

    at: Instant
    cursor: int
    alarms: tuple[PartnerAlarm, ...]


class PartnerUnits(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the units that a partner may see, as they stand at `at`, by unit."""

    at: Instant
    cursor: int
    units: tuple[PartnerRecord, ...]
    next_after: str | None = None
    """Ask for the next page with `after` set to this; null at the end."""
