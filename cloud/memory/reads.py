"""Who saw which unit: an interval for each partner, unit and way, written within two seconds on a thread of its own.

What a partner listens to costs nothing while nothing changes: an interval opens where a unit comes into its view or it
begins to listen, and closes where that ends. Reads of once are one interval while they come again within `MERGE_S`, and
so is what a connection that is made anew as soon goes on with. A full disk loses none while there is room to wait.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import structlog

from cloud.clock import Clock
from cloud.errors import CloudError, Retryable
from cloud.ledger import Ledger, ReadCommit, ReadRow, Way
from cloud.sharing.terms import Grants
from wire.partner import Grant

EVERY_S = 1.0
RETRY_S = (1.0, 8.0)
"""How soon a ledger that failed is asked again, and how seldom in the end."""
ALIVE_S = 5.0
MERGE_S = 60.0
ROWS_MAX = 500
"""Intervals in one commit: a press waits no longer than that takes."""
WAITING_MAX = 200_000
"""Intervals that may wait while the ledger takes none: about 60 MB. Past it the oldest that are over are lost."""

_MERGE = timedelta(seconds=MERGE_S)
_log = structlog.get_logger("reads")


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """What was open of a unit: the body of a set of grants."""

    fields: tuple[Grant, ...]
    agreements: tuple[str, ...]
    precision_m: int = 0
    delay_s: int = 0


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """That a partner could see a unit."""

    number: int
    partner: str
    way: Way
    """`feed` and `mqtt` while it was told of each change, `query` as it asked, `history` where it asked of the past."""
    fields: tuple[Grant, ...]
    agreements: tuple[str, ...]
    precision_m: int
    delay_s: int
    since: datetime
    until: datetime | None
    """Null while it still sees it."""


@dataclass(slots=True)
class _Interval:
    number: int
    partner: str
    unit: str
    way: Way
    grants: Grants
    kept_as: int
    """The number of its set of grants."""
    since: datetime
    left: datetime | None = None
    """Since when nobody reads it; it may yet go on."""
    until: datetime | None = None


class Reads:
    """The log of what partners see of each other's units. What is its own to see is nobody's to ask after."""

    def __init__(self, ledger: Ledger, *, clock: Clock) -> None:
        """Close what the process before left open, at its last sign of life. Raises what the ledger does."""
        self._ledger, self._clock = ledger, clock
        loaded = ledger.load_reads()
        self._number, self._grants_number = loaded.next_number, loaded.next_grants
        self._bodies = loaded.grants
        self._sets: dict[Grants, int] = {}
        self._new_sets: dict[int, bytes] = {}
        self._open: defaultdict[tuple[str, Way], dict[str, _Interval]] = defaultdict(dict)
        self._listening: dict[str, Counter[Way]] = {}
        self._waiting: dict[int, _Interval] = {}
        """What is not in the ledger as it stands, by number."""
        self._room = WAITING_MAX
        self._alive_s = self._swept_s = clock.monotonic()
        self._turn = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reads")
        self.failing = False
        self.lost = 0
        """Intervals that could not be kept."""

    @property
    def trouble(self) -> list[str]:
        """What is wrong now, one line each; empty where all is well."""
        told = ["who sees which unit is not being written down: see the disk and the log"] if self.failing else []
        return told + (
            [f"{self.lost} reads of partners were lost while the disk was full: the log of reads has a gap"]
            if self.lost
            else []
        )

    def see(self, partner: str, unit: str, *, grants: Grants, way: Way, now: datetime) -> None:
        """Note that a partner sees a unit from now on. To be told again costs next to nothing."""
        held = self._open[partner, way]
        known = held.get(unit)
        if known is not None:
            if known.grants is grants or known.grants == grants:
                if known.left is None or now - known.left <= _MERGE:
                    known.left = None
                    return
            self._close(known, now)
        if grants.agreements:  # without any it is the partner's own
            held[unit] = self._begin(partner, unit, grants, way, now)

    def leave(self, partner: str, unit: str, now: datetime, way: Way | None = None) -> None:
        """Note that a partner may not see a unit any more, by one way or by any."""
        for held_by, held in self._open.items():
            if held_by[0] == partner and way in (None, held_by[1]) and unit in held:
                self._close(held[unit], now)

    def note(self, partner: str, units: Mapping[str, Grants], *, way: Way, now: datetime) -> None:
        """Note that a partner has read some units once."""
        held = self._open[partner, way]
        for unit, grants in units.items():
            self.see(partner, unit, grants=grants, way=way, now=now)
            known = held.get(unit)
            if known is not None:
                known.left = now

    def arrive(self, partner: str, seen: Mapping[str, Grants], *, way: Way, now: datetime) -> None:
        """Note that somebody began to listen for a partner, who sees these units. Each arrival departs once."""
        self._listening.setdefault(partner, Counter())[way] += 1
        for unit, grants in seen.items():
            self.see(partner, unit, grants=grants, way=way, now=now)

    def depart(self, partner: str, *, way: Way, now: datetime) -> None:
        """Note that somebody listens for a partner no longer. Its intervals end where nobody comes back soon."""
        ways = self._listening.get(partner)
        if ways is None or not ways[way]:
            return
        ways[way] -= 1
        if ways[way] == 0:
            for known in self._open[partner, way].values():
                known.left = now

    def turn(self, partner: str, unit: str, grants: Grants | None, now: datetime) -> None:
        """Note what a partner sees of a unit now, by every way by which it listens; None where it is gone for it."""
        if grants is None:
            self.leave(partner, unit, now)
            return
        for way, listeners in self._listening.get(partner, {}).items():
            if listeners:
                self.see(partner, unit, grants=grants, way=way, now=now)

    async def of(
        self, unit: str, since: datetime, until: datetime, *, before: int | None = None, limit: int = 100
    ) -> list[Seen]:
        """Tell who could see a unit in a window, newest first. `before` is the number of the last one before the page.

        Raises what the ledger does.
        """
        await self.keep()
        rows = await asyncio.to_thread(self._ledger.reads_of, unit, since, until, before=before, limit=limit)
        found = []
        for row in rows:
            opened = msgspec.json.decode(row.grants, type=Opened)
            known = self._open.get((row.partner, row.way), {}).get(unit)
            is_held = row.until is None and known is not None and known.number == row.number
            found.append(
                Seen(
                    number=row.number,
                    partner=row.partner,
                    way=row.way,
                    since=row.since,
                    until=known.left if is_held and known is not None else row.until,
                    **msgspec.structs.asdict(opened),
                )
            )
        return found

    async def run(self) -> None:
        """Write once a second what changed, until cancelled; then a last time."""
        wait_s, wait_max_s = RETRY_S
        try:
            while True:
                await self._clock.sleep(wait_s if self.failing else EVERY_S)
                self.sweep()
                wait_s = RETRY_S[0] if await self.keep() else min(2 * wait_s, wait_max_s)
        finally:
            self._thread.submit(self._write_last).result()
            self._thread.shutdown()

    async def keep(self) -> bool:
        """Write what waits, and a sign of life where one is due. Tells whether the ledger took all of it."""
        async with self._turn:
            while self._waiting or self._is_alive_due():
                part = [self._waiting[number] for number in _first(self._waiting, ROWS_MAX)]
                rows, sets, now_s = [_row(one) for one in part], dict(self._new_sets), self._clock.monotonic()
                commit = ReadCommit(rows=rows, grants=tuple(sets.items()), alive=self._clock.now())
                if not await self._commit(commit):
                    return False
                self._alive_s = now_s
                for number in sets:
                    del self._new_sets[number]
                for one, row in zip(part, rows, strict=True):
                    if one.until == row.until:
                        self._waiting.pop(one.number, None)
        return True

    def sweep(self) -> None:
        """End what nobody has read for a while."""
        if self._clock.monotonic() - self._swept_s < MERGE_S / 2:
            return
        self._swept_s, now = self._clock.monotonic(), self._clock.now()
        for held in list(self._open.values()):
            over = [one for one in held.values() if one.left is not None and abs(now - one.left) > _MERGE]
            for one in over:
                self._close(one, now)
        for key in [key for key, held in self._open.items() if not held]:
            del self._open[key]

    async def _commit(self, commit: ReadCommit) -> bool:
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._ledger.commit_reads, commit)
        except Retryable as error:
            if not self.failing:
                _log.error("reads_not_kept", cause=str(error))
            self.failing = True
            return False
        if self.failing:
            _log.info("reads_kept_again")
        self.failing = False
        return True

    def _write_last(self) -> None:
        """Write what waits as the process ends; the next start closes it at this sign of life."""
        rows = [_row(one) for one in self._waiting.values()]
        commit = ReadCommit(rows=rows, grants=tuple(self._new_sets.items()), alive=self._clock.now())
        try:
            self._ledger.commit_reads(commit)
        except CloudError as error:
            _log.error("reads_not_kept", cause=str(error), lost=len(rows))

    def _is_alive_due(self) -> bool:
        return self._clock.monotonic() - self._alive_s >= ALIVE_S and any(self._open.values())

    def _begin(self, partner: str, unit: str, grants: Grants, way: Way, now: datetime) -> _Interval:
        fresh = _Interval(self._number, partner, unit, way, grants, self._set_of(grants), now)
        self._number += 1
        self._wait(fresh)
        return fresh

    def _close(self, known: _Interval, now: datetime) -> None:
        known.until = max(known.since, known.left or now)
        del self._open[known.partner, known.way][known.unit]
        self._wait(known)

    def _wait(self, one: _Interval) -> None:
        self._waiting[one.number] = one
        if len(self._waiting) > self._room:
            over = [number for number, waiting in self._waiting.items() if waiting.until is not None]
            for number in over[: self._room // 10]:
                del self._waiting[number]
                self.lost += 1
            self._room = max(WAITING_MAX, len(self._waiting) + WAITING_MAX // 10)  # what is open is never lost

    def _set_of(self, grants: Grants) -> int:
        known = self._sets.get(grants)
        if known is None:
            body = msgspec.json.encode(
                Opened(
                    fields=tuple(sorted(grants.fields)),
                    agreements=grants.agreements,
                    precision_m=grants.precision_m,
                    delay_s=grants.delay_s,
                )
            )
            known = self._bodies.get(body)
            if known is None:
                known = self._bodies[body] = self._grants_number
                self._grants_number += 1
                self._new_sets[known] = body
            self._sets[grants] = known
        return known


def _row(one: _Interval) -> ReadRow:
    return ReadRow(
        number=one.number, partner=one.partner, unit=one.unit, way=one.way, grants=one.kept_as, since=one.since,
        until=one.until,
    )  # fmt: skip


def _first(waiting: Iterable[int], count: int) -> list[int]:
    return [number for number, _ in zip(waiting, range(count), strict=False)]
