"""Telemetry in InfluxDB: 1.x, 2.x, or 3 behind the addresses that all three answer, `/api/v2/write` and `/query`.

A tag, `day`, is the UTC day of receipt by which rows are dropped and forgotten; the bucket itself keeps everything. How
a row becomes a point is in influxlines.py. InfluxDB stores a request in part, and shows parts of one, so which rows
may be shown is known here (influxunfinished.py). What a process that crashed had half written is shown by the next,
until the devices send it again: it was never settled.
"""

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from itertools import chain, groupby, islice
from typing import Any, Self

import structlog

from cloud.config import InfluxAddress
from cloud.errors import Fatal, Retryable
from cloud.telemetry.influxlines import (
    INPUTS,
    NONE,
    POSITIONS,
    SLOT_NS,
    Lines,
    Row,
    bodies,
    days_of,
    tag_of,
    window_ns,
)
from cloud.telemetry.influxlink import InfluxLink, Refusal, Series
from cloud.telemetry.influxunfinished import Unfinished, View
from cloud.telemetry.rows import InputRow, Owned, PositionRow, TrackRow

LATEST_DAYS = 3
PAGE_MAX = 10_000
NEWEST = 3
"""Rows of each series at which a search for the newest begins: one is often there twice, live and from history."""
NAMES_MAX = 100
"""Units or devices in one statement."""

Timed = tuple[int, PositionRow | None]
"""A row and the time of its point; None for one that is only coming in."""

_log = structlog.get_logger("telemetry")


class InfluxTelemetry:
    """The `Telemetry` port on a bucket that is this Watchroom's alone."""

    def __init__(self, link: InfluxLink, bucket: str) -> None:
        """Nothing is asked of the server before it is needed."""
        self._link = link
        self._bucket = bucket
        self._unfinished = Unfinished()
        self._ready = False
        self._readying = threading.Lock()

    @classmethod
    def open(cls, address: InfluxAddress) -> Self:
        """Make the bucket ready, where the server lets us. Raises `Fatal` where it answers that it can't be used.

        A server that is away is no reason not to start: it is made ready once it is there.
        """
        store = cls(InfluxLink(address, _read_token(address)), address.bucket)
        try:
            store._make_ready()
        except Refusal as refusal:
            store.close()
            raise Fatal(f"{refusal}: see to --telemetry, its token and its bucket") from refusal
        except Retryable as error:
            _log.error("telemetry_away", cause=str(error))
        return store

    @classmethod
    def look(cls, address: InfluxAddress) -> list[date]:
        """Look whether a server would do, and give the days of receipt there. It changes nothing.

        Raises `Retryable` for one that is away, `Refusal` for one that says no, and `Fatal` for a token's file.
        """
        store = cls(InfluxLink(address, _read_token(address)), address.bucket)
        try:
            store._look_at_terms()
            store._ready = True  # whoever looks makes no bucket
            return store.days()
        finally:
            store.close()

    def append(self, positions: Sequence[PositionRow], inputs: Sequence[InputRow]) -> None:
        """Make all of it durable, or raise `Retryable`: some of it may then be stored, and is not shown.

        Trying again as it is heals that: the same rows are the same points.
        """
        if not positions and not inputs:
            return
        with self._unfinished.append(chain(positions, inputs), days_of(positions) | days_of(inputs)):
            requests = list(bodies(chain(POSITIONS.encode(positions), INPUTS.encode(inputs))))
            self._make_ready()
            with self._noticing():
                for body in requests:
                    self._link.write(body)

    def latest(self) -> list[PositionRow]:
        """Give each device's newest row, and its newest with a position where that has none: see the port."""
        newest: dict[str, PositionRow] = {}
        placed: dict[str, PositionRow] = {}
        with self._unfinished.reading() as view:
            days = list(islice(filter(self._keeps, reversed(self._named_days())), LATEST_DAYS))
            for day in days:
                _keep_newest(newest, self._newest(f"\"day\" = '{day}'", view))
            for day in days:
                if any(row.lat is None for row in newest.values()):
                    _keep_newest(placed, self._newest(f'"day" = \'{day}\' AND ("lat" >= 0 OR "lat" < 0)', view))
        rows: list[PositionRow] = []
        for device in sorted(newest):
            rows.append(newest[device])
            if newest[device].lat is None and device in placed:
                rows.append(placed[device])
        return rows

    def series(self, unit: str, since: datetime, until: datetime, limit: int) -> list[PositionRow]:
        """Give a unit's positions in a window of corrected time; see the port."""
        return self._window(POSITIONS, {"unit": unit}, (since, until), limit)

    def inputs_of_unit(self, unit: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """Give what a unit's input read in a window of corrected time; see the port."""
        return self._window(INPUTS, {"unit": unit, "name": name}, (since, until), limit)

    def inputs_of_device(self, device: str, name: str, since: datetime, until: datetime, limit: int) -> list[InputRow]:
        """Give what a device's input read in a window of corrected time; see the port."""
        return self._window(INPUTS, {"device": device, "name": name}, (since, until), limit)

    def days(self) -> list[date]:
        """Give the days of receipt; see the port."""
        return [day for day in self._named_days() if self._keeps(day)]

    def forget(self, day: date, positions: Owned, inputs: Owned) -> int:
        """Delete these rows of a finished day; see the port. The server takes them out of its files in its own time."""
        before = self._unfinished.stands_still(day)
        if before is None:
            return 0
        rows = 0
        for lines, owned in ((POSITIONS, positions), (INPUTS, inputs)):
            for whose in _owned(owned):
                where = f'FROM "{lines.name}" WHERE "day" = \'{day}\' AND {whose}'
                counted = self._tell(f'SELECT count("seq") {where}')
                here = sum(int(cells[1]) for one in counted for cells in one.values)
                if here:
                    self._tell(f"DELETE {where}")
                rows += here
        return rows if self._unfinished.stands_still(day) == before else 0

    def drop_before(self, day: date) -> None:
        """Delete the rows of earlier days; see the port."""
        for past in self._named_days():
            if past < day:
                for lines in (POSITIONS, INPUTS):
                    self._tell(f'DELETE FROM "{lines.name}" WHERE "day" = \'{past}\'')

    def close(self) -> None:
        """Let go of the connections."""
        self._link.close()

    def _named_days(self) -> list[date]:
        """Give the days in the index, oldest first: it may go on naming one that nothing is left of (measured)."""
        found = self._ask('SHOW TAG VALUES FROM "position", "input" WITH KEY = "day"')
        return sorted({date.fromisoformat(cells[1]) for one in found for cells in one.values})

    def _keeps(self, day: date) -> bool:
        return bool(self._ask(f'SELECT "seq" FROM "position", "input" WHERE "day" = \'{day}\' LIMIT 1'))

    def _newest(self, where: str, view: View) -> Iterator[PositionRow]:
        """Give the newest row of each series that may be shown."""
        for tags, tail in self._tails(where, NEWEST):
            limit = NEWEST
            while not _settles(tail, limit, view):
                limit *= 10
                own = " AND ".join(f"\"{name}\" = '{tag}'" for name, tag in tags.items())
                tail = next((rows for _, rows in self._tails(f"{where} AND {own}", limit)), [])
            shown = [row for _, row in tail if view.shows(row)]
            if shown:
                yield max(shown, key=_recency)

    def _tails(self, where: str, limit: int) -> Iterator[tuple[dict[str, str], list[Timed]]]:
        """Give the last rows of each series of positions, newest first, each with its point's time."""
        tags = ", ".join(f'"{tag}"' for tag in POSITIONS.tags)
        statement = (
            f'SELECT {POSITIONS.fields} FROM "{POSITIONS.name}" WHERE {where} '
            f"GROUP BY {tags} ORDER BY time DESC LIMIT {limit}"
        )
        for one in self._ask(statement):
            head = [one.tags[tag] for tag in POSITIONS.tags]
            yield one.tags, [(cells[0], POSITIONS.decode([*head, *cells[1:]])) for cells in one.values]

    def _window(
        self, lines: Lines[Row], of: dict[str, str], window: tuple[datetime, datetime], limit: int
    ) -> list[Row]:
        """Read on, slot by slot, until there are enough: within a slot it is the true times that tell."""
        where = " AND ".join(f"\"{tag}\" = '{tag_of(text)}'" for tag, text in of.items())
        found: list[Row] = []
        seen: set[tuple[str, str, int]] = set()
        with self._unfinished.reading() as view:
            pages = self._pages(lines, where, window_ns(*window), min(PAGE_MAX, 2 * limit + 100))
            for _, slot in groupby(pages, key=lambda timed: timed[0] // SLOT_NS):
                shown = [row for _, row in slot if view.shows(row)]
                inside = [row for row in shown if window[0] <= row.corrected_at < window[1]]
                for row in sorted(inside, key=_place):
                    name = (row.device, row.stream, row.seq)
                    if name not in seen:
                        seen.add(name)
                        found.append(row)
                if len(found) >= limit:
                    break
        return found[:limit]

    def _pages(
        self, lines: Lines[Row], where: str, ends: tuple[int, int], page: int
    ) -> Iterator[tuple[int, Row | None]]:
        """Give every point in a window of its time, in order, each with its time. Those of one time in any order."""
        start, held = ends[0], set[tuple[Any, ...]]()
        while True:
            limit = page + len(held)
            found = self._ask(
                f'SELECT {lines.selection} FROM "{lines.name}" WHERE {where} AND time >= {start} AND time < {ends[1]} '
                f"ORDER BY time ASC LIMIT {limit}"
            )
            points = [tuple(cells) for one in found for cells in one.values]
            for cells in points:
                if cells not in held:
                    yield cells[0], lines.decode(cells[1:])
            if len(points) < limit:
                return
            start = points[-1][0]
            held = {cells for cells in points if cells[0] == start}

    def _make_ready(self) -> None:
        """Make the bucket and look that it keeps what it is given, once. Raises `Retryable`."""
        with self._readying:
            if self._ready:
                return
            try:
                self._link.tell(f'CREATE DATABASE "{self._bucket}"')
            except Refusal as refusal:
                if refusal.status == 401:
                    raise  # any other may mean that buckets are made by other means there
            self._look_at_terms()
            self._ready = True

    def _look_at_terms(self) -> None:
        """Look that the bucket keeps what it is given. Raises `Refusal` where it does not, or is not there."""
        for one in self._link.ask(f'SHOW RETENTION POLICIES ON "{self._bucket}"'):
            policies = [dict(zip(one.columns, cells, strict=True)) for cells in one.values]
            for policy in policies:
                if policy.get("default") and policy.get("duration", "0s") != "0s":
                    kept = f"bucket {self._bucket} drops rows after {policy['duration']}"
                    raise Refusal(200, f"{kept}: let it keep them for ever, Watchroom drops them by its own terms")

    def _ask(self, statement: str) -> list[Series]:
        self._make_ready()
        with self._noticing():
            return self._link.ask(statement)

    def _tell(self, statement: str) -> list[Series]:
        self._make_ready()
        with self._noticing():
            return self._link.tell(statement)

    @contextmanager
    def _noticing(self) -> Iterator[None]:
        """Notice that the bucket is gone, so that it is made again the next time."""
        try:
            yield
        except Refusal as refusal:
            if refusal.knows_no_bucket:
                self._ready = False
            raise


def _settles(tail: list[Timed], limit: int, view: View) -> bool:
    """Whether the newest row is among these, the last `limit` of a series: of its slot none is left out."""
    if len(tail) < limit:
        return True
    slot = next((time_ns // SLOT_NS for time_ns, row in tail if view.shows(row)), None)
    return slot is not None and tail[-1][0] // SLOT_NS < slot


def _recency(row: PositionRow) -> tuple[datetime, int, float]:
    return (row.corrected_at, row.seq, -row.received_at.timestamp())


def _keep_newest(standing: dict[str, PositionRow], rows: Iterable[PositionRow]) -> None:
    for row in rows:
        other = standing.get(row.device)
        if other is None or _recency(other) < _recency(row):
            standing[row.device] = row


def _place(row: TrackRow) -> tuple[Any, ...]:
    return (row.corrected_at, row.seq, row.device, row.stream, row.received_at)


def _owned(whose: Owned) -> Iterator[str]:
    """Give the conditions that together hold for the rows of an owner."""
    for unit in _batched(whose.units):
        yield _any_of("unit", unit)
    for device in _batched(whose.devices):
        yield f"\"unit\" = '{NONE}' AND {_any_of('device', device)}"


def _any_of(tag: str, names: Sequence[str]) -> str:
    return "(" + " OR ".join(f"\"{tag}\" = '{tag_of(name)}'" for name in names) + ")"


def _batched(names: Iterable[str]) -> Iterator[list[str]]:
    rest = sorted(names)
    for start in range(0, len(rest), NAMES_MAX):
        yield rest[start : start + NAMES_MAX]


def _read_token(address: InfluxAddress) -> str | None:
    if address.token_file is None:
        return None
    try:
        token = address.token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Fatal(
            f"--telemetry-token-file {address.token_file}: can't be read ({error}): put the token there"
        ) from error
    if not token or not token.isascii() or not token.isprintable():
        raise Fatal(f"--telemetry-token-file {address.token_file}: expected one line, the token")
    return token
