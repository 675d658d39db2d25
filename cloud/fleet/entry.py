"""What the fleet needs to know of a unit from the directory and its binding in force. Pure values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from cloud.fleet.basis import NO_NEEDS, Needs
from wire.feed import Service


class Roster(Protocol):
    """When a unit has a crew on, by its shift pattern."""

    def until(self, now: datetime) -> datetime | None:
        """Give the end of the turn that is on at `now`, UTC; None where none is."""
        ...

    def begins(self, now: datetime) -> datetime | None:
        """Give the begin of the next turn after `now`, UTC; None where there is none within a fortnight."""
        ...


class Fence(Protocol):
    """The ground of a base."""

    def outside_m(self, lat: float, lon: float) -> float:
        """How far a place is outside of it, in metres; 0.0 inside."""
        ...


class UnitEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A unit, as the directory and its binding have it now."""

    id: str
    callsign: str
    organisation: str
    service: Service
    type: str
    base: str
    """The display name of the base that it is at."""
    home: str = ""
    """The display name of the base that it belongs to, where it is lent to another."""
    vehicle: str = ""
    """The fleet number of the vehicle that carries it."""
    capabilities: tuple[str, ...]
    carrier: str
    """The device in the vehicle bound to the unit."""
    bound_at: datetime | None = None
    """Since when control's word binds it so; None for the directory's own binding. What a device declared before is
    history."""
    needs: Needs = NO_NEEDS
    tier_min: int = 0
    crew_group: str = ""
    """Units of one group share one crew; empty for a crew of its own."""
    group_place: int = 0
    """Which of its group is sent first, from 0."""
    roster: Roster | None = None
    fence: Fence | None = None
    """Of the base that it is at; None where that has no place."""
    part_of: str = ""
    """The id of the unit that it is a part of; empty for a whole one."""
    is_apart: bool = False
    """Of a part: whether its whole is split now."""
    split_into: Sequence[str] = ()
    """Of a whole that is split now: the ids of its parts."""
    covert: bool = False
    """Whether nobody but its own organisation may know of it."""
