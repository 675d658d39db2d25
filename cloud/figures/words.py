"""What goes into figures and what comes out. Moments go in as whole microseconds since 1970, UTC: sums are exact."""

from typing import Literal

import msgspec

from wire.events import Instant, Mode
from wire.feed import AvailabilityClass, Confidence, Freshness

Scope = Literal["unit", "base", "organisation"]
GapKind = Literal["late", "lost", "never", "service_down"]
Apart = Literal["service_down", "not_on_board", "forgotten", "test", "training", "maintenance", "commissioning"]
"""Why a time is not counted."""
HOUR_US = 3_600_000_000


class Window(msgspec.Struct, frozen=True, gc=False):
    """From a moment to before another."""

    since_us: int
    until_us: int

    @property
    def length_us(self) -> int:
        """How long it is."""
        return self.until_us - self.since_us


class Stand(msgspec.Struct, frozen=True, gc=False):
    """What the board showed of a unit, as far as it is counted."""

    scheme: str
    code: str
    label: str
    """All three empty for a unit without a status."""
    availability: AvailabilityClass | None
    confidence: Confidence
    link: Freshness
    mode: Mode


class Change(msgspec.Struct, frozen=True, gc=False):
    """From a moment on a unit stood so; None where it went from the board."""

    at_us: int
    stand: Stand | None


class Call(msgspec.Struct, frozen=True, gc=False):
    """A unit that a mobilisation called: when the first device that alerts it took the order, and what it did."""

    mode: Mode
    alerted_us: int | None
    acknowledged_us: int | None
    mobile_us: int | None


class StatusTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a status stood. Empty names are the time without one."""

    scheme: str
    code: str
    label: str
    duration_s: float


class ClassTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a class stood in a confidence."""

    availability: AvailabilityClass | None = msgspec.field(name="class")
    confidence: Confidence
    duration_s: float


class LinkTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a link was as fresh as that."""

    link: Freshness
    duration_s: float


class ApartTime(msgspec.Struct, frozen=True, kw_only=True):
    """How long a time was left out, and why."""

    reason: Apart
    duration_s: float


class HourFigure(msgspec.Struct, frozen=True, kw_only=True):
    """Unit-hours in one hour of the day, all days of the window together."""

    hour: int
    """0 to 23, of the zone's clocks."""
    available_h: float
    """In the class Available, confirmed or not."""
    confirmed_h: float
    """Of those, confirmed."""
    counted_h: float
    out_of_h: float
    """All units for the whole of that hour, what is left out with them."""


class GapView(msgspec.Struct, frozen=True, kw_only=True):
    """A time through which nothing fresh was known of a unit, or of all."""

    kind: GapKind
    unit: str
    """Empty where the service was down: it concerns all."""
    since: Instant
    until: Instant
    duration_s: float


class Percentiles(msgspec.Struct, frozen=True, kw_only=True):
    """Of how many, and how long at most half of them took, nine in ten, and nineteen in twenty. None for none.

    Nearest rank: each figure is one that was measured.
    """

    n: int
    p50_s: float | None = None
    p90_s: float | None = None
    p95_s: float | None = None


class ModeCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many calls were left out because of their mode."""

    mode: Mode
    calls: int


class Turnout(msgspec.Struct, frozen=True, kw_only=True):
    """How long crews took from the alert: mobilisations that control gave in the window, a call for each unit."""

    calls: int
    acknowledged: Percentiles
    mobile: Percentiles
    unclear: int
    """Calls without a known moment of the alert, or answered before it: in no percentile."""
    left_out: tuple[ModeCount, ...]


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a unit, a base or an organisation over a window.

    The times in `statuses` and in `left_out` add up to `units` times the window; so do those in `classes`, and in
    `links`, with `left_out`.
    """

    scope: Scope
    id: str
    name: str
    since: Instant
    until: Instant
    zone: str
    """Whose hours `hours` are."""
    units: int
    counted_s: float
    statuses: tuple[StatusTime, ...]
    """The longest first, as `classes`, `links` and `left_out` are."""
    classes: tuple[ClassTime, ...]
    links: tuple[LinkTime, ...]
    left_out: tuple[ApartTime, ...]
    hours: tuple[HourFigure, ...]
    turnout: Turnout
    gaps: tuple[GapView, ...]
    """In order; the longest where there are too many."""
    gaps_more: int
    """How many shorter ones are not told."""
