"""What a control room's client makes of a record as time passes, and what is the same board. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from wire.feed import Ages, FeedRecord

AGE_S = 0.001
"""Ages are rounded to the millisecond where they are made, and again where they are counted on."""
STEPS = {"lat": 0.5e-7, "lon": 0.5e-7, "heading_deg": 0.05, "speed_mps": 0.005, "altitude_m": 0.5, "accuracy_m": 0.05}
"""Half of the steps that a frame keeps a place in."""
_ROUNDING = 1e-6
_MOMENT_S = 0.002
"""Moments that pass with time, such as the link's newest proof, are kept as ages."""
_PASSING = ("as_of", "at", "gnss_time")


class Showing(NamedTuple):
    """A record, and when it came."""

    record: FeedRecord
    came_s: float


def count_on(showing: Showing, now_s: float) -> FeedRecord:
    """Give a record as a client shows it now: each age counted on since it came, all else as it was."""
    record, came_s = showing

    def on(age_s: float | None) -> float | None:
        return None if age_s is None else age_s + now_s - came_s

    ages, place = record.ages, record.position
    return msgspec.structs.replace(
        record,
        reasons=tuple(msgspec.structs.replace(one, age_s=on(one.age_s)) for one in record.reasons),
        position=None if place is None else msgspec.structs.replace(place, age_s=on(place.age_s)),
        ages=Ages(link_s=on(ages.link_s), status_s=on(ages.status_s), position_s=on(ages.position_s)),
    )


def differing(shown: Mapping[str, FeedRecord], replayed: Iterable[FeedRecord]) -> list[str]:
    """Say where a replayed board is not the one shown, a line a unit. The cursor is a connection's own."""
    found = {record.unit: record for record in replayed}
    lines = [f"{unit} is replayed and was not shown" for unit in sorted(found.keys() - shown.keys())]
    lines += [f"{unit} was shown and is not replayed" for unit in sorted(shown.keys() - found.keys())]
    for unit in sorted(shown.keys() & found.keys()):
        old, new = shown[unit], found[unit]
        names = [name for name in FeedRecord.__struct_fields__ if name != "cursor"]
        wrong = [name for name in names if not is_same(getattr(old, name), getattr(new, name), name)]
        lines += [f"{unit}: {name} was {getattr(old, name)} and is {getattr(new, name)}" for name in wrong]
    return lines


def is_same(shown: object, replayed: object, name: str) -> bool:
    """Tell whether two values of a field are the same, but for what a frame rounds off."""
    if isinstance(shown, msgspec.Struct) and type(shown) is type(replayed):
        fields = shown.__struct_fields__
        return all(is_same(getattr(shown, field), getattr(replayed, field), field) for field in fields)
    if isinstance(shown, tuple) and isinstance(replayed, tuple):
        return len(shown) == len(replayed) and all(map(is_same, shown, replayed, [name] * len(shown)))
    if isinstance(shown, float) and isinstance(replayed, float):
        apart = abs(shown - replayed)
        around = min(apart, 360 - apart) if name == "heading_deg" else apart
        return around <= STEPS.get(name, AGE_S) + _ROUNDING
    if isinstance(shown, datetime) and isinstance(replayed, datetime) and name in _PASSING:
        return abs((shown - replayed).total_seconds()) <= _MOMENT_S
    return shown == replayed
