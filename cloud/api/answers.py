"""What the routes answer with."""

from datetime import datetime

import msgspec

from wire.feed import AlarmView, FeedRecord, FixMode, Mode, OrderView


class UnitList(msgspec.Struct, frozen=True, kw_only=True):
    """Every unit that is asked for, as it stands at `at`; a page of them, by unit, where pages are asked for."""

    at: datetime
    cursor: int
    units: tuple[FeedRecord, ...]
    next_after: str | None = None
    """Ask for the next page with `after` set to this; null at the end."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A stored event. `event` is what the device sent, byte for byte."""

    id: int
    device: str
    stream: str
    seq: int
    kind: str
    at: datetime
    """The device's wall time. It may be wrong."""
    corrected_at: datetime
    proven: bool
    received_at: datetime
    event: msgspec.Raw


class EventList(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's events, newest first. `next_before` asks for the page after this one; null at the end."""

    unit: str
    events: tuple[EventView, ...]
    next_before: int | None


class TrackPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stored position."""

    at: datetime
    """Corrected, UTC."""
    device: str
    stream: str
    seq: int
    mode: Mode
    fix: FixMode
    lat: float | None = None
    lon: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    altitude_m: float | None = None
    accuracy_m: float | None = None
    satellites: int | None = None
    gnss_time: datetime | None = None


class TrackList(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's positions in a window, oldest first. `more` tells whether the window holds more than these."""

    unit: str
    since: datetime
    until: datetime
    points: tuple[TrackPoint, ...]
    more: bool


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """Orders, as they stand at `at`."""

    at: datetime
    orders: tuple[OrderView, ...]


class AlarmList(msgspec.Struct, frozen=True, kw_only=True):
    """The active alarms, as they stand at `at`."""

    at: datetime
    alarms: tuple[AlarmView, ...]


class OrderLogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something that became of an order."""

    at: datetime
    """When it was known here."""
    kind: str
    """Such as `created`, `receipt`, `acknowledge`, `status`, `unit_taken`, `phase`, `alarm`, `cancelled`, `closed`."""
    by: str
    """A person at control, a device, or `watchroom` for what followed by itself."""
    body: msgspec.Raw
    """What a device sent, byte for byte, or what is to be known."""


class OrderLog(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that became of an order, in order."""

    order: str
    entries: tuple[OrderLogEntry, ...]


class OrderClash(msgspec.Struct, frozen=True):
    """Why an order was not taken: another stands under its id, or its units were moved."""

    problem: str
    versions: dict[str, int] = {}
    """Of each unit that was moved, its `assignment_version` as it is now."""


class Problem(msgspec.Struct, frozen=True):
    """Why a request was not answered."""

    problem: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service is whole, and if not, what is wrong."""

    ok: bool
    trouble: tuple[str, ...]
    units: int
    listeners: int
    owner_term: int
    directory: str
    """The directory's version."""
