"""Which control room has taken over another's area: by an agreement in the directory alone, durable before it counts.

A cover ends when it is handed back, or with the time of its row as that stood when it was taken over. It is not passed
on: a room that covers another does not cover what that one covers.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from cloud.clock import Clock
from cloud.desk.bindingwords import DecisionRequest, Refusal
from cloud.desk.pen import Pen
from cloud.desk.sharingwords import decided
from cloud.directory import Directory, InForce
from cloud.directory.rows import CoverRow
from cloud.ledger import DecisionRow, Ledger

DECISION = "cover"
"""The kind of such a decision in the ledger."""
HISTORY_KEPT = 50
"""Decisions of each cover that are shown, the newest."""
Why = Literal["planned", "overflow", "failure"]
CoverState = Literal["ready", "taken_over", "not_yet", "over"]

_log = structlog.get_logger("covering")


class TakeOverRequest(DecisionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """That a room takes another's area over: on which of the grounds that the agreement allows."""

    why: Why


class CoverWord(msgspec.Struct, frozen=True, kw_only=True):
    """That an area was taken over, or handed back."""

    cover: str
    room: str
    """Whose area."""
    covered_by: str
    taken: bool
    why: Why | None = None
    by: str
    reason: str
    at: datetime
    until: datetime | None = None
    """The end of the agreement's time as it was then: the cover ends by itself."""


class CoverView(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement on cover, and how it stands."""

    cover: str
    room: str
    """Whose area."""
    covered_by: str
    why: tuple[Why, ...]
    """The grounds that it allows."""
    valid_from: datetime | None
    valid_until: datetime | None
    state: CoverState
    history: tuple[CoverWord, ...]
    """What was decided, newest first."""


class Covering:
    """Holds who covers whom. One owner, one event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, *, clock: Clock) -> None:
        """Know again what was decided. Raises what the ledger does."""
        self._in_force, self._clock = in_force, clock
        self._pen = Pen(ledger)
        self._words: dict[str, deque[CoverWord]] = defaultdict(lambda: deque(maxlen=HISTORY_KEPT))
        for word in decided(ledger.decisions(), DECISION, CoverWord):
            self._words[word.cover].append(word)
        in_force.follow(self._on_directory)

    def follow(self, listener: Callable[[], object]) -> None:
        """Tell somebody of each change. That time alone ends a cover is not told."""
        self._pen.follow(listener)

    async def take_over(self, cover: str, request: TakeOverRequest) -> CoverView | Refusal:
        """Take a room's area over, durably. Raises what the ledger does: nothing was changed then."""
        return await self._pen.finish(lambda: self._put(cover, request, request.why))

    async def hand_back(self, cover: str, request: DecisionRequest) -> CoverView | Refusal:
        """Hand a room's area back, durably. Raises what the ledger does: nothing was changed then."""
        return await self._pen.finish(lambda: self._put(cover, request, None))

    def covers(self) -> tuple[CoverView, ...]:
        """Every agreement on cover, by id, and how it stands."""
        rows = self._in_force.directory.covers
        return tuple(self._view(rows[name]) for name in sorted(rows))

    def covering(self, room: str) -> tuple[CoverWord, ...]:
        """Give what a room has taken over and not handed back, by agreement."""
        return tuple(word for word in self._taken() if word.covered_by == room)

    def covered(self, room: str) -> tuple[CoverWord, ...]:
        """Give who has taken a room's area over, by agreement."""
        return tuple(word for word in self._taken() if word.room == room)

    def _taken(self) -> list[CoverWord]:
        rows, now = self._in_force.directory.covers, self._clock.now()
        found = (self._holding(rows[name], now) for name in sorted(rows))
        return [word for word in found if word is not None]

    async def _put(self, name: str, request: DecisionRequest, why: Why | None) -> CoverView | Refusal:
        row, now = self._in_force.directory.covers.get(name), self._clock.now()
        if row is None:
            return Refusal(404, f"there is no agreement on cover {name!r}; GET /v1/covers lists them")
        if why is not None and why not in row.why:
            return Refusal(422, f"why: the agreement is for {' or '.join(row.why)}")
        if why is not None and _state_of(row, now) != "ready":
            return Refusal(409, f"the agreement is not in its time: it is {_state_of(row, now).replace('_', ' ')}")
        if (self._holding(row, now) is not None) != (why is not None):
            word = CoverWord(
                cover=name, room=row.room, covered_by=row.covered_by, taken=why is not None, why=why, by=request.by,
                reason=request.reason, at=now, until=row.valid_until,
            )  # fmt: skip
            body = msgspec.json.encode(word)
            await self._pen.write(
                DecisionRow(at=now, kind=DECISION, subject=name, by=word.by, reason=word.reason, body=body)
            )
            self._words[name].append(word)
            _log.warning("cover", cover=name, room=row.room, covered_by=row.covered_by, taken=word.taken)
            self._pen.tell()
        return self._view(row)

    def _holding(self, row: CoverRow, now: datetime) -> CoverWord | None:
        """Give the word by which a cover holds now; None where it does not, or is of other rooms than the row."""
        words = self._words.get(row.id)
        last = words[-1] if words else None
        if last is None or not last.taken or (last.room, last.covered_by) != (row.room, row.covered_by):
            return None
        return last if _state_of(row, now) == "ready" and (last.until is None or now < last.until) else None

    def _view(self, row: CoverRow) -> CoverView:
        now = self._clock.now()
        return CoverView(
            cover=row.id,
            room=row.room,
            covered_by=row.covered_by,
            why=row.why,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            state="taken_over" if self._holding(row, now) is not None else _state_of(row, now),
            history=tuple(reversed(self._words.get(row.id, ()))),
        )

    def _on_directory(self, before: Directory, after: Directory) -> None:
        """An agreement may have come, gone or changed."""
        if before.covers != after.covers:
            self._pen.tell()


def _state_of(row: CoverRow, now: datetime) -> Literal["ready", "not_yet", "over"]:
    if row.valid_from is not None and now < row.valid_from:
        return "not_yet"
    return "over" if row.valid_until is not None and now >= row.valid_until else "ready"
