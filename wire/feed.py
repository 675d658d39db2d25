"""The feed: one record per unit, as a control room's client receives it.

The feed is served as server-sent events of three kinds. Each `data` is one JSON object; each `id` is `EPOCH-CURSOR`.

- `snapshot` (`Snapshot`): the whole picture, in parts; a client replaces what it holds when the last part has come.
- `changes` (`Changes`): records that changed since the event before. A client replaces each record by its `unit`.
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
