"""Figures from what was kept: the board log's lines, the times without a board, and the orders of a window.

It reads unit by unit, some at a time, and keeps of each only what it adds up to.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from cloud.directory import Directory, InForce
from cloud.dispatch import Order
from cloud.dispatch.words import Called
from cloud.figures import Call, Change, Scope, Stand, Statistics, Tally, Window, count_turnout
from cloud.ledger import BoardLine, Ledger
from cloud.memory.counted import decode_record
from cloud.memory.instants import decode_us, encode_us
from cloud.memory.replay import known_range
from cloud.memory.terms import Terms, begin_of, terms
from cloud.telemetry import Frames

UNITS_AT_ONCE = 4
"""A month of a busy unit's lines is some megabytes: what is read at once is held at once."""
ORDERS_AT_ONCE = 500
YOUNG_US = 5_000_000
"""What was shown less than this ago may not be kept yet. A window that ends there ends where the board is known."""
_ENDLESS_US = 2**62


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose figures, over which window. Aware moments, UTC."""

    scope: Scope
    id: str
    since: datetime
    until: datetime
    now: datetime
    zone: str = ""
    """A time zone by name; empty for that of the shifts that the units work, or UTC."""


class NoSuch(msgspec.Struct, frozen=True):
    """There is nothing that figures could be of."""

    problem: str


_decode_order = msgspec.json.Decoder(Order).decode


class Counting:
    """Counts on a thread, one question at a time: whoever asks for a month waits for nobody's board."""

    def __init__(self, in_force: InForce, ledger: Ledger, frames: Frames) -> None:
        """Read from these stores; `in_force` says what belongs to what."""
        self._in_force, self._ledger, self._frames = in_force, ledger, frames
        self._turn = asyncio.Lock()

    async def count(self, asked: Asked) -> Statistics | NoSuch:
        """Give the figures. Raises what the stores raise."""
        async with self._turn:
            return await asyncio.to_thread(self._count, asked)

    def _count(self, asked: Asked) -> Statistics | NoSuch:
        directory = self._in_force.directory
        ever = self._ledger.board_units()
        name = _name(directory, asked, ever)
        if name is None:
            return NoSuch(f"there is no {asked.scope} {asked.id!r}, and the board never showed one")
        window, down = self._window(asked)
        units, gone = _units(directory, asked, ever)
        zone = asked.zone or _zone_of(directory, units)
        tally = Tally(window, down, ZoneInfo(zone))
        counted = set(units)
        kept = terms(directory, asked.now.date())
        for unit, lines in self._lines([*units, *gone], window):
            if unit in counted or _belonged(directory, asked, lines):
                counted.add(unit)
                tally.add(unit, _changes(lines), _kept_us(kept, lines))
        turnout = count_turnout(self._calls(window, counted))
        return tally.give(asked.scope, asked.id, name, zone=zone, turnout=turnout)

    def _window(self, asked: Asked) -> tuple[Window, list[Window]]:
        """Give the window as far as it is kept, and the times without a board: a beginning and an end among them."""
        known = known_range(self._frames)
        since_us, until_us = encode_us(asked.since), encode_us(asked.until)
        if known.first is None or known.last is None:
            return Window(since_us, until_us), [Window(since_us, until_us)]
        last_us = encode_us(known.last)
        if since_us < last_us < until_us <= last_us + YOUNG_US:
            until_us = last_us
        down = [Window(-_ENDLESS_US, encode_us(known.first)), Window(last_us, _ENDLESS_US)]
        down += (Window(encode_us(gap.since), encode_us(gap.until)) for gap in known.gaps)
        return Window(since_us, until_us), down

    def _lines(self, units: Sequence[str], window: Window) -> Iterator[tuple[str, list[BoardLine]]]:
        since, until = decode_us(window.since_us), decode_us(window.until_us)
        for start in range(0, len(units), UNITS_AT_ONCE):
            some = units[start : start + UNITS_AT_ONCE]
            by_unit: dict[str, list[BoardLine]] = {unit: [] for unit in some}
            for line in self._ledger.board_lines(some, since, until):
                by_unit[line[0]].append(line)
            yield from by_unit.items()

    def _calls(self, window: Window, units: set[str]) -> Iterator[Call]:
        """Give each unit's part in each mobilisation that control gave in the window."""
        passed = 0
        while True:
            rows = self._ledger.orders_given(
                decode_us(window.since_us), decode_us(window.until_us), passed=passed, limit=ORDERS_AT_ONCE
            )
            for row in rows:
                order = _decode_order(row.body)
                if order.kind == "mobilise":
                    yield from (_call(order, called) for called in order.units if called.unit in units)
            passed += len(rows)
            if len(rows) < ORDERS_AT_ONCE:
                return


def _changes(lines: Iterable[BoardLine]) -> Iterator[Change]:
    for _unit, at_us, kind, body in lines:
        if kind != "record":
            yield Change(at_us, None)
            continue
        record = decode_record(body)
        status = record.status
        names = ("", "", "") if status is None else (status.scheme, status.code, status.label)
        yield Change(at_us, Stand(*names, record.availability, record.confidence, record.link, record.mode))


def _kept_us(kept: Mapping[str, Terms], lines: Sequence[BoardLine]) -> int | None:
    """Since when a unit's organisation keeps what the board showed; None for ever."""
    body = _last_body(lines)
    own = None if body is None else kept.get(decode_record(body).organisation)
    return None if own is None or own.board is None else encode_us(begin_of(own.board))


def _call(order: Order, called: Called) -> Call:
    """A unit is alerted by the device of its station, and by its own."""
    alerting = (one for one in order.deliveries if one.station or called.unit in one.units)
    accepted = [one.alert.accepted_at for one in alerting if one.alert.accepted_at is not None]
    return Call(order.brief.mode, _us(min(accepted, default=None)), _us(called.acknowledged_at), _us(called.mobile_at))


def _us(moment: datetime | None) -> int | None:
    return None if moment is None else encode_us(moment)


def _name(directory: Directory, asked: Asked, ever: Sequence[str]) -> str | None:
    """Give what is shown for it; None where there is no such thing, and never was."""
    match asked.scope:
        case "unit":
            known = directory.units.get(asked.id)
            return known.callsign if known is not None else asked.id if asked.id in ever else None
        case "base":
            base = directory.bases.get(asked.id)
            return None if base is None else base.name
        case "organisation":
            organisation = directory.organisations.get(asked.id)
            return None if organisation is None else organisation.name


def _units(directory: Directory, asked: Asked, ever: Sequence[str]) -> tuple[list[str], list[str]]:
    """Give the units that the directory has in the scope, and those that may have been: it knows them no more."""
    if asked.scope == "unit":
        return [asked.id], []
    known = [
        unit.id
        for unit in directory.units.values()
        if asked.id == (unit.organisation if asked.scope == "organisation" else unit.home or unit.base)
    ]
    return sorted(known), [unit for unit in ever if unit not in directory.units]


def _belonged(directory: Directory, asked: Asked, lines: Sequence[BoardLine]) -> bool:
    """Tell whether a unit that is in no directory was of the scope when it was last shown in the window."""
    body = _last_body(lines)
    if body is None:
        return False
    record = decode_record(body)
    if asked.scope == "organisation":
        return record.organisation == asked.id
    return (record.home or record.base) == directory.bases[asked.id].name


def _last_body(lines: Sequence[BoardLine]) -> bytes | None:
    return next((line[3] for line in reversed(lines) if line[2] == "record"), None)


def _zone_of(directory: Directory, units: Iterable[str]) -> str:
    """Give the zone of the shifts that most units work."""
    zones: dict[str, int] = {}
    for unit in units:
        row = directory.units.get(unit)
        if row is not None and row.shift is not None:
            zone = directory.shifts[row.shift].zone
            zones[zone] = zones.get(zone, 0) + 1
    return max(zones, key=lambda zone: (zones[zone], zone), default="UTC")
