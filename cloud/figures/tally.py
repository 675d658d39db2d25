"""Adds up the slices of units. Whole microseconds until the end, so that nothing is rounded away."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from heapq import heappush, heappushpop
from typing import Any, TypeVar

from cloud.figures.hours import EPOCH, HOURS, Hours
from cloud.figures.timeline import Slice, clip, slices
from cloud.figures.words import (
    HOUR_US,
    Apart,
    ApartTime,
    Change,
    ClassTime,
    GapKind,
    GapView,
    HourFigure,
    LinkTime,
    Scope,
    Stand,
    Statistics,
    StatusTime,
    Turnout,
    Window,
)
from wire.feed import AvailabilityClass, Confidence, Freshness

_GAPS: dict[Freshness, GapKind] = {"late": "late", "lost": "lost", "never": "never"}
GAPS_MAX = 1_000
"""Gaps that are told one by one: the longest."""
_SECOND_US = 1_000_000
_Key = TypeVar("_Key")
_Gap = tuple[int, int, str, GapKind]
"""How long, since when, of which unit, and what it is: the shortest sorts first."""


class Tally:
    """What the units of one scope add up to."""

    def __init__(self, window: Window, down: Iterable[Window], zone: tzinfo) -> None:
        """No unit yet. `down` are the times without a board; `zone` has the hours of the day."""
        self._window = window
        self._down = clip(down, window)
        self._hours = Hours(window, zone)
        self._units = 0
        self._stands: Counter[Stand] = Counter()
        self._apart: Counter[Apart] = Counter()
        self._sums_us = {name: [0] * HOURS for name in ("available", "confirmed", "counted")}
        self._gaps: list[_Gap] = []
        self._gaps_more = 0
        for away in self._down:
            self._keep_gap((away.length_us, away.since_us, "", "service_down"))

    def add(self, unit: str, changes: Iterable[Change], kept_us: int | None = None) -> None:
        """Add a unit, by what the board showed of it: in order, what held at the begin first.

        What was before `kept_us` has been let go of: it is left out, whatever is still there.
        """
        self._units += 1
        window = self._window
        if kept_us is not None and kept_us > window.since_us:
            window = Window(min(kept_us, window.until_us), window.until_us)
            self._apart["forgotten"] += window.since_us - self._window.since_us
        gap: tuple[GapKind, int, int] | None = None
        for one in slices(changes, window, self._down):
            self._count(one)
            kind = _gap_of(one)
            if gap is not None and gap[0] == kind:
                gap = gap[0], gap[1], one.until_us
                continue
            if gap is not None:
                self._keep_gap((gap[2] - gap[1], gap[1], unit, gap[0]))
            gap = None if kind is None else (kind, one.since_us, one.until_us)
        if gap is not None:
            self._keep_gap((gap[2] - gap[1], gap[1], unit, gap[0]))

    def give(self, scope: Scope, id_: str, name: str, *, zone: str, turnout: Turnout) -> Statistics:
        """Give the figures so far; `zone` is the name of the one that was given."""
        return Statistics(
            scope=scope,
            id=id_,
            name=name,
            since=_instant(self._window.since_us),
            until=_instant(self._window.until_us),
            zone=zone,
            units=self._units,
            counted_s=sum(self._stands.values()) / _SECOND_US,
            statuses=self._statuses(),
            classes=self._classes(),
            links=self._links(),
            left_out=tuple(ApartTime(reason=key, duration_s=length_s) for key, length_s in _longest(self._apart)),
            hours=tuple(self._hour(hour) for hour in range(HOURS)),
            turnout=turnout,
            gaps=tuple(_gap_view(gap) for gap in sorted(self._gaps, key=lambda gap: gap[1:])),
            gaps_more=self._gaps_more,
        )

    def _count(self, one: Slice) -> None:
        length_us = one.until_us - one.since_us
        stand, reason = one.stand, _apart(one)
        if stand is None or reason is not None:
            self._apart[reason or "not_on_board"] += length_us
            return
        self._stands[stand] += length_us
        self._hours.add(self._sums_us["counted"], one.since_us, one.until_us)
        if stand.availability == "Available":
            self._hours.add(self._sums_us["available"], one.since_us, one.until_us)
            if stand.confidence == "confirmed":
                self._hours.add(self._sums_us["confirmed"], one.since_us, one.until_us)

    def _keep_gap(self, gap: _Gap) -> None:
        if len(self._gaps) < GAPS_MAX:
            heappush(self._gaps, gap)
        else:
            heappushpop(self._gaps, gap)
            self._gaps_more += 1

    def _statuses(self) -> tuple[StatusTime, ...]:
        sums: Counter[tuple[str, str, str]] = Counter()
        for stand, length_us in self._stands.items():
            sums[stand.scheme, stand.code, stand.label] += length_us
        return tuple(
            StatusTime(scheme=scheme, code=code, label=label, duration_s=length_s)
            for (scheme, code, label), length_s in _longest(sums)
        )

    def _classes(self) -> tuple[ClassTime, ...]:
        sums: Counter[tuple[AvailabilityClass | None, Confidence]] = Counter()
        for stand, length_us in self._stands.items():
            sums[stand.availability, stand.confidence] += length_us
        return tuple(
            ClassTime(availability=availability, confidence=confidence, duration_s=length_s)
            for (availability, confidence), length_s in _longest(sums)
        )

    def _links(self) -> tuple[LinkTime, ...]:
        sums: Counter[Freshness] = Counter()
        for stand, length_us in self._stands.items():
            sums[stand.link] += length_us
        return tuple(LinkTime(link=link, duration_s=length_s) for link, length_s in _longest(sums))

    def _hour(self, hour: int) -> HourFigure:
        return HourFigure(
            hour=hour,
            available_h=self._sums_us["available"][hour] / HOUR_US,
            confirmed_h=self._sums_us["confirmed"][hour] / HOUR_US,
            counted_h=self._sums_us["counted"][hour] / HOUR_US,
            out_of_h=self._hours.lengths_us[hour] * self._units / HOUR_US,
        )


def _apart(one: Slice) -> Apart | None:
    """Why a slice is not counted; None where it is."""
    if one.is_down:
        return "service_down"
    if one.stand is None:
        return "not_on_board"
    return None if one.stand.mode == "live" else one.stand.mode


def _gap_of(one: Slice) -> GapKind | None:
    """What is missing of a unit that is counted. That the service was down is told once for all."""
    stand = one.stand
    return None if stand is None or stand.mode != "live" else _GAPS.get(stand.link)


def _longest(sums: "Counter[_Key]") -> list[tuple[_Key, float]]:
    """Give what takes longest first, in seconds; the same figures in the same order each time."""

    def place(item: tuple[_Key, int]) -> Any:
        return -item[1], str(item[0])

    return [(key, length_us / _SECOND_US) for key, length_us in sorted(sums.items(), key=place)]


def _instant(moment_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=moment_us)


def _gap_view(gap: _Gap) -> GapView:
    length_us, since_us, unit, kind = gap
    return GapView(
        kind=kind,
        unit=unit,
        since=_instant(since_us),
        until=_instant(since_us + length_us),
        duration_s=length_us / _SECOND_US,
    )
