"""When a station's point is worth a report, and when it raises an alarm. Pure.

A contact is reported whenever it changes. A number changes with every read: it is reported when it has moved, and now
and then.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from edge_agent.decode.readings import InputValue

NUMBER_EVERY_S = 60.0
NUMBER_MOVED_S = 5.0
"""A number that has moved is reported at most this often."""
NUMBER_MOVED = 0.02
"""By how much of itself a number must change to have moved."""


class Reported(msgspec.Struct, frozen=True):
    """What was last reported of a point, and when."""

    value: InputValue
    at_s: float


class Points(msgspec.Struct, frozen=True):
    """What was reported of each point, and what was told of the alarms of those that have one."""

    reported: Mapping[str, Reported] = {}
    alarmed: Mapping[str, bool] = {}
    """Whether it was told as raised; a point that is not here has not been told of since the start."""


class PointAlarm(msgspec.Struct, frozen=True):
    """The alarm of a point rose, or was cleared."""

    name: str
    raised: bool


def fold(
    points: Points, read: Iterable[InputValue], alarms: Collection[str], now_s: float
) -> tuple[Points, tuple[InputValue, ...], tuple[PointAlarm, ...]]:
    """Take in what was read: what to report of it, and the alarms that changed. `alarms` names points that have one.

    A point that can't be read neither raises an alarm nor clears one. The first good reading after a start is told
    either way: what an earlier run had raised may be gone.
    """
    due = {one.name: one for one in read if _is_due(points.reported.get(one.name), one, now_s)}
    if not due:
        return points, (), ()
    changed = tuple(
        PointAlarm(name, bool(one.value))
        for name, one in due.items()
        if name in alarms and one.quality == "good" and points.alarmed.get(name) is not bool(one.value)
    )
    alarmed = {**points.alarmed, **{one.name: one.raised for one in changed}}
    reported = {**points.reported, **{name: Reported(one, now_s) for name, one in due.items()}}
    return Points(reported, alarmed), tuple(due.values()), changed


def _is_due(last: Reported | None, read: InputValue, now_s: float) -> bool:
    if last is None or last.value.quality != read.quality:
        return True
    before, value = last.value.value, read.value
    if value is None or before is None or isinstance(value, bool) or isinstance(before, bool):
        return value != before
    age_s = now_s - last.at_s
    moved = abs(value - before) > NUMBER_MOVED * max(abs(value), abs(before))
    return age_s >= NUMBER_EVERY_S or (moved and age_s >= NUMBER_MOVED_S)
