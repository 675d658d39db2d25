"""What a unit's place and movement suggest: beside its status, never in its place. Pure.

Each switch has two thresholds, so that a receiver's noise at a fence or in a traffic jam suggests nothing.
"""

from datetime import datetime, timedelta
from functools import cache

import msgspec

from wire.feed import Proposal
from wire.scheme import Code

OUTSIDE_M = 50.0
"""A unit has left its base where it is further outside of the fence than this and its receiver's accuracy."""
ACCURACY_UNKNOWN_M = 30.0
ACCURACY_MAX_M = 100.0
"""A receiver that is less sure than this does not say that a unit has come back."""
MOVING_MPS, MOVING_FOR = 3.0, timedelta(seconds=5)
STILL_MPS, STILL_FOR = 1.0, timedelta(seconds=60)
"""A vehicle moves, or stands, once it has done so for as long: traffic lights are shorter."""

_TEXTS = {
    "left_base": "Has left its base",
    "at_base": "Is back at its base",
    "moving": "Is moving",
    "stopped": "Has stopped",
}
PLACED = frozenset(_TEXTS)
"""What a position suggests. Nothing of it may be kept of a unit whose positions nobody may know."""
_OPPOSITES = {"left_base": "at_base", "at_base": "left_base", "moving": "stopped", "stopped": "moving"}
_STANDS = frozenset({"standby", "assigned", "on_scene", "at_destination", "rest"})
_GOES = frozenset({"mobile", "transporting"})


class Motion(msgspec.Struct, frozen=True, gc=False):
    """What was seen of a unit's movement up to now; None where it is not known."""

    is_out: bool | None = None
    """Whether it is outside of its base."""
    is_moving: bool | None = None
    turning: datetime | None = None
    """Since when it has been doing the other thing, though not yet for long enough."""


UNSEEN = Motion()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One position, as far as it bears on this."""

    at: datetime
    """Corrected and proven, UTC."""
    outside_m: float | None
    """How far outside of the base's fence; None where that has no place."""
    speed_mps: float | None
    accuracy_m: float | None


def follow(motion: Motion, seen: Seen) -> tuple[Motion, tuple[Proposal, ...]]:
    """Fold a position in, and give what it suggests. What was never known before suggests nothing: nobody saw when."""
    is_out = _is_out(motion.is_out, seen)
    is_moving, turning = _is_moving(motion, seen)
    if (is_out, is_moving, turning) == (motion.is_out, motion.is_moving, motion.turning):
        return motion, ()
    suggested = []
    if motion.is_out is not None and is_out is not motion.is_out:
        suggested.append(_proposal("left_base" if is_out else "at_base", seen.at))
    if motion.is_moving is not None and is_moving is not motion.is_moving:
        suggested.append(_proposal("moving" if is_moving else "stopped", motion.turning or seen.at))
    return _motion(is_out, is_moving) if turning is None else Motion(is_out, is_moving, turning), tuple(suggested)


def add(known: tuple[Proposal, ...], new: Proposal, declared: datetime | None) -> tuple[Proposal, ...] | None:
    """Put a proposal in the place of its like and of its opposite; None where those, or a status, are as new."""
    if declared is not None and new.at <= declared:
        return None
    like = [one for one in known if one.code in (new.code, _OPPOSITES.get(new.code))]
    if any(one.at >= new.at for one in like):
        return None
    return (*[one for one in known if one not in like], new)


def suggests(proposal: Proposal, meaning: Code | None) -> bool:
    """Tell whether it suggests anything beside a status: that a unit which is on its way moves is nothing new."""
    if meaning is None:
        return True
    match proposal.code:
        case "at_base":
            return meaning.place != "base"
        case "moving":
            return not meaning.mobile and (meaning.place is not None or meaning.activity in _STANDS)
        case "stopped":
            return meaning.mobile or meaning.activity in _GOES
        case _:
            return True


def is_of_before(proposal: Proposal, since: datetime | None) -> bool:
    """Tell whether a proposal comes of a place of before a moment; of none where there is no such moment."""
    return since is not None and proposal.code in PLACED and proposal.at < since


@cache
def _motion(is_out: bool | None, is_moving: bool | None) -> Motion:
    """Give one and the same for every unit that does the same: there are nine."""
    return Motion(is_out, is_moving)


def _is_out(was_out: bool | None, seen: Seen) -> bool | None:
    if seen.outside_m is None:
        return None
    accuracy_m = ACCURACY_UNKNOWN_M if seen.accuracy_m is None else seen.accuracy_m
    if seen.outside_m > OUTSIDE_M + accuracy_m:
        return True
    return False if seen.outside_m == 0.0 and accuracy_m <= ACCURACY_MAX_M else was_out


def _is_moving(motion: Motion, seen: Seen) -> tuple[bool | None, datetime | None]:
    """Tell whether it moves, and since when it may be turning to the other."""
    if seen.speed_mps is None:
        return motion.is_moving, motion.turning
    if motion.is_moving is None:
        return seen.speed_mps >= MOVING_MPS, None
    turns = seen.speed_mps <= STILL_MPS if motion.is_moving else seen.speed_mps >= MOVING_MPS
    if not turns:
        return motion.is_moving, None
    since = motion.turning or seen.at
    if seen.at - since >= (STILL_FOR if motion.is_moving else MOVING_FOR):
        return not motion.is_moving, None
    return motion.is_moving, since


def _proposal(code: str, at: datetime) -> Proposal:
    return Proposal(code=code, text=_TEXTS[code], at=at)
