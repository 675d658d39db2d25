"""What must hold of a shift pattern: a time zone that there is, and turns that do not overlap."""

from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cloud.directory.shifts import DAYS, Cycle, CycleTurn, Day, Shift, Turn, length_min, minutes_of
from cloud.directory.tables import Placed
from wire.strict import Problem, closest

DAY_MIN = 1440


def shift_problems(shift: Placed[Shift]) -> Iterator[Problem]:
    """Tell what is wrong with a shift. Asks the time zone data of the machine for its zone."""
    row = shift.row
    if find_zone(row.zone) is None:
        problem = f"{row.zone!r} is no known time zone{closest(row.zone, tuple(available_timezones()))}"
        yield shift.problem("zone", problem, 'a time zone, such as "Europe/London"')
    if row.cycle is None and not row.turns:
        yield shift.problem("turns", "is missing", "turns, or a cycle")
    elif row.cycle is None:
        yield from _overlaps(shift, "turns", row.turns, len(DAYS))
    elif row.turns:
        yield shift.problem("turns", "is given beside cycle", "turns or a cycle, not both")
    else:
        yield from _cycle_problems(shift, row.cycle)


def find_zone(name: str) -> ZoneInfo | None:
    """Look a time zone up. None where there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones
        return None


def _cycle_problems(shift: Placed[Shift], cycle: Cycle) -> Iterator[Problem]:
    try:
        date.fromisoformat(cycle.anchor)
    except ValueError:
        yield shift.problem("cycle.anchor", f"is {cycle.anchor!r}", "a date that there is, such as 2026-11-02")
    beyond = False
    for index, turn in enumerate(cycle.turns):
        for place, day in enumerate(turn.days):
            if day > cycle.days:
                beyond = True
                key = f"cycle.turns[{index}].days[{place}]"
                yield shift.problem(key, f"is {day}", f"a day of the cycle, which has {cycle.days}")
    if not beyond:
        yield from _overlaps(shift, "cycle.turns", cycle.turns, cycle.days)


def _overlaps(shift: Placed[Shift], key: str, turns: tuple[Turn | CycleTurn, ...], days: int) -> Iterator[Problem]:
    """Tell each turn that begins before another one is over, the last of the pattern before the first of the next."""
    period_min = days * DAY_MIN
    begins = sorted(
        (_day(day) * DAY_MIN + minutes_of(turn.start), length_min(turn), index)
        for index, turn in enumerate(turns)
        for day in turn.days
    )
    first_again = (begins[0][0] + period_min, *begins[0][1:])
    told: set[int] = set()
    for (begin, length, index), (after, _, other) in zip(begins, [*begins[1:], first_again], strict=True):
        if after - begin < length and other not in told:
            told.add(other)
            problem = "begins before it is over itself" if other == index else f"begins before {key}[{index}] is over"
            yield shift.problem(f"{key}[{other}]", problem, "turns that do not overlap")


def _day(day: Day | int) -> int:
    """Which day of the pattern, from 0."""
    return day - 1 if isinstance(day, int) else DAYS.index(day)
