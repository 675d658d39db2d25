"""Shift patterns as rows: when a unit has a crew on. Pure."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from cloud.directory.tokens import Token

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
TimeOfDay = Annotated[
    str,
    Meta(pattern=r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z", description='a local time of day in quotes, such as "07:00"'),
]
Date = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", description="a date, such as 2026-11-02")]
DayOfCycle = Annotated[int, Meta(ge=1, le=366, description="a day of the cycle, 1 for the anchor's")]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn on some days of the week, in local time. `until` not after `start`: it ends on the next day."""

    days: Annotated[tuple[Day, ...], Meta(min_length=1)]
    start: TimeOfDay = msgspec.field(name="from")
    until: TimeOfDay


class CycleTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn on some days of a cycle, in local time. `until` not after `start`: it ends on the next day."""

    days: Annotated[tuple[DayOfCycle, ...], Meta(min_length=1)]
    start: TimeOfDay = msgspec.field(name="from")
    until: TimeOfDay


class Cycle(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern of so many days that comes again and again, as two days, two nights and four off."""

    anchor: Date
    """A local date that was a first day of it."""
    days: Annotated[int, Meta(ge=1, le=366, description="how many days until it begins anew")]
    turns: Annotated[tuple[CycleTurn, ...], Meta(min_length=1)]


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """When a crew is on: turns of the week, or a cycle."""

    id: Token
    zone: Annotated[str, Meta(min_length=1, max_length=60, description='a time zone, such as "Europe/London"')]
    turns: tuple[Turn, ...] = ()
    cycle: Cycle | None = None


def minutes_of(time: TimeOfDay) -> int:
    """Minutes since midnight."""
    return int(time[:2]) * 60 + int(time[3:])


def length_min(turn: Turn | CycleTurn) -> int:
    """How long a turn lasts by the clock on the wall, in minutes: a whole day where both its times are the same."""
    return (minutes_of(turn.until) - minutes_of(turn.start) - 1) % 1440 + 1
