"""Positions that wait until a delay lets them through. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from wire.feed import PositionView

AGAIN_S = 0.005
"""Ages are rounded: a place that was there within so many seconds of another, and is the same, is that one."""
STEPS = 60
"""Of a delay: positions that come closer together than this share of it are not all kept."""


class HeldPlace(msgspec.Struct, frozen=True, gc=False):
    """A position and when it was there to be shown, UTC. Its age is as at that moment."""

    since: datetime
    place: PositionView | None


def hold(held: Sequence[HeldPlace], place: PositionView | None, delay_s: int, now: datetime) -> tuple[HeldPlace, ...]:
    """Put a position behind those that wait, and let go of what no delay up to `delay_s` can ask for any more.

    What is kept is no more than a few more than `STEPS`. Where the clock was put back, what came after now was of a
    clock that was ahead: nobody can say when that will have waited long enough. What is held already is not held
    again: when it was looked at, and why, changes nothing.
    """
    held = tuple([one for one in held if one.since <= now])
    if held and _is_again(held[-1], place, now):
        return held
    step = timedelta(seconds=delay_s / STEPS)
    if len(held) > 1 and held[-1].since - held[-2].since < step:
        held = held[:-1]  # the newest is always kept, and those before it as far apart as a step
    kept = (*held, HeldPlace(now, place))
    due = [at for at, one in enumerate(kept) if one.since <= now - timedelta(seconds=delay_s)]
    return kept[due[-1] :] if due else kept


def let_through(held: Sequence[HeldPlace], delay_s: int, now: datetime) -> PositionView | None:
    """Give the newest position that has waited for `delay_s`, its age as at `now`; None where there is none."""
    latest = now - timedelta(seconds=delay_s)
    found = next((one for one in reversed(held) if one.since <= latest), None)
    if found is None or found.place is None or found.place.age_s is None:
        return None
    waited_s = (now - found.since).total_seconds()
    return msgspec.structs.replace(found.place, age_s=round(found.place.age_s + waited_s, 3))


def next_due(held: Sequence[HeldPlace], delay_s: int, now: datetime) -> datetime | None:
    """Give when the next position that waits may be shown; None where none waits."""
    delay = timedelta(seconds=delay_s)
    return next((one.since + delay for one in held if one.since + delay > now), None)


def _is_again(known: HeldPlace, place: PositionView | None, now: datetime) -> bool:
    """Tell whether a position is one that was held before, only older."""
    old = known.place
    if old is None or place is None or old.age_s is None or place.age_s is None:
        return old == place
    aged_s = old.age_s + (now - known.since).total_seconds()
    return abs(aged_s - place.age_s) < AGAIN_S and msgspec.structs.replace(old, age_s=place.age_s) == place
