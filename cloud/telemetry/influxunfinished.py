"""Which rows belong to an append that is not over, so that readers see whole appends where the database shows parts."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeGuard, TypeVar

from cloud.telemetry.rows import TrackRow

ABANDONED_MAX = 100_000
"""Rows of appends that failed and were not tried again, kept hidden. Beyond this the oldest are shown."""

Row = TypeVar("Row", bound=TrackRow)
_Key = tuple[str, str, int, datetime, datetime]


class View:
    """What one reader must leave out: what was not over when it began, and what began since."""

    def __init__(self, hidden: list[frozenset[_Key]]) -> None:
        """Begin with what is not over."""
        self.hidden = hidden

    def shows(self, row: Row | None) -> TypeGuard[Row]:
        """Whether a row that was found may be shown; None is one that is only coming in."""
        if row is None:
            return False
        key = _key(row) if self.hidden else None
        return not any(key in rows for rows in self.hidden)


class Unfinished:
    """The appends in flight and those that failed, and who reads meanwhile. May be used by any thread."""

    def __init__(self) -> None:
        """Nothing is in flight."""
        self._turn = threading.Lock()
        self._appends: list[_Append] = []
        self._begun: dict[date, int] = {}
        self._views: list[View] = []

    @contextmanager
    def append(self, rows: Iterable[TrackRow], days: Iterable[date]) -> Iterator[None]:
        """Hide rows, received on those days, until the block ends well; an earlier failure of theirs is then healed.

        Where it raises they stay hidden, for whoever failed tries again.
        """
        this = _Append(frozenset(map(_key, rows)), frozenset(days))
        with self._turn:
            self._appends.append(this)
            for view in self._views:
                view.hidden.append(this.rows)
            for day in this.days:
                self._begun[day] = self._begun.get(day, 0) + 1
        try:
            yield
        except BaseException:
            with self._turn:
                self._appends = [*self._without(this), this]
                while len(self._appends) > 1 and sum(len(one.rows) for one in self._appends) > ABANDONED_MAX:
                    self._appends.pop(0)
            raise
        with self._turn:
            self._appends = self._without(this)

    @contextmanager
    def reading(self) -> Iterator[View]:
        """Give what a read that lasts as long as the block must leave out."""
        with self._turn:
            view = View([one.rows for one in self._appends])
            self._views.append(view)
        try:
            yield view
        finally:
            with self._turn:
                self._views.remove(view)

    def stands_still(self, day: date) -> int | None:
        """How many appends have had rows of that day, all of them over; None where one is not."""
        with self._turn:
            if any(day in one.days for one in self._appends):
                return None
            return self._begun.get(day, 0)

    def _without(self, this: "_Append") -> "list[_Append]":
        rest = [_Append(one.rows - this.rows, one.days) for one in self._appends if one is not this]
        return [one for one in rest if one.rows]


@dataclass(frozen=True, eq=False)
class _Append:
    rows: frozenset[_Key]
    days: frozenset[date]


def _key(row: TrackRow) -> _Key:
    return (row.device, row.stream, row.seq, row.corrected_at, row.received_at)
