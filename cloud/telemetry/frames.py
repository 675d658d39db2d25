"""Frames: where and how old each unit was as the board showed it, for whoever looks back. Many, and small."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Protocol

import msgspec

from wire.events import FixMode

FIXES: tuple[FixMode, ...] = ("none", "2d", "3d", "dead_reckoning")
"""A frame keeps a fix by its place here."""
KEY_US = 300_000_000
"""Within a span each unit has a frame at least this often, so that looking back ends there."""


class FrameRow(msgspec.Struct, frozen=True, gc=False):
    """A unit as it was shown: what passes with time, in whole numbers. The steps are what is kept of a place."""

    unit: str
    shown_us: int
    """Microseconds since 1970, UTC."""
    link_ms: int | None
    """The ages then; None where there was none."""
    position_ms: int | None
    as_of_ms: int
    """How long before that the record had changed."""
    fix: int | None = None
    """Its place in `FIXES`; None without a position."""
    lat_e7: int | None = None
    """Steps of 1e-7 degrees: a centimetre."""
    lon_e7: int | None = None
    heading_dd: int | None = None
    """Tenths of a degree."""
    speed_cmps: int | None = None
    altitude_m: int | None = None
    accuracy_dm: int | None = None
    gnss_ms: int | None = None
    """How much older the receiver's time was than the position, or than `shown_us` without its age; milliseconds."""


class Span(msgspec.Struct, frozen=True, gc=False):
    """A time through which one process showed the board without a pause, and all of it is kept. Microseconds."""

    since_us: int
    through_us: int
    board_us: int = 0
    """The newest row of the board log that belongs to it, up to the moment asked for; 0 for none."""


class Frames(Protocol):
    """A store of frames.

    Synchronous. `append`, `drop_before` and `close` belong to one thread; the rest may come from any other at the same
    time and sees whole appends only. `drop_before` may also be another thread's than `append`, for days that
    are over. Every method raises `Retryable` or `Fatal`, as `Telemetry` does.
    """

    def append(self, frames: Sequence[FrameRow], span: Span) -> None:
        """Make frames durable, and then that the board is known from `span.since_us` through `span.through_us`.

        `span.board_us` is the newest row of the board log by then. A span grows by later calls with the same
        `since_us`. When this raises some of it may be stored; it may be tried again as it is, for copies are dropped
        when read.
        """
        ...

    def span_at(self, moment_us: int) -> Span | None:
        """Give the span that holds a moment, as far as it goes on that day; None where nothing was shown."""
        ...

    def shown_at(self, moment_us: int, span: Span) -> list[FrameRow]:
        """Give the newest frame of each unit in a span up to a moment, at most `KEY_US` before it."""
        ...

    def of_unit(self, unit: str, since_us: int, until_us: int) -> list[FrameRow]:
        """Give a unit's frames with `since_us` <= shown < `until_us`, in order."""
        ...

    def spans(self, since: date | None = None) -> list[Span]:
        """Give every span, or those that reach into a UTC day or a later one, in order; `board_us` is not told."""
        ...

    def tidy(self, day: date) -> bool:
        """Put a finished day, one before `day`, in the order in which it takes least and is read soonest.

        One day a call; tells whether there was one. May run beside everything else.
        """
        ...

    def days(self) -> list[date]:
        """The UTC days that anything is kept of, oldest first."""
        ...

    def forget(self, day: date, units: Collection[str], places_of: Collection[str]) -> int:
        """Forget a finished UTC day's frames of `units`, and in those of `places_of` where the units were.

        Returns how many frames it changed. May run beside everything else; done as a whole or not at all.
        """
        ...

    def drop_before(self, day: date) -> None:
        """Forget what was shown before that UTC day."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Nothing that was appended depends on it."""
        ...
