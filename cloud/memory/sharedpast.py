"""What a partner may see of the past: what was allowed then, and is allowed now; see `cloud.sharing.past`.

What was allowed then is judged by the directory that was in force, and by what the board showed of the unit. Where
either is not known, nothing is opened. Everything here blocks: it belongs on a thread.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from cloud.directory import Directory, InForce
from cloud.directory.areas import FILES
from cloud.directory.build import build
from cloud.directory.schemes import SITE_FOLDER, read_packaged
from cloud.directory.sharing import agreements_of, shared_unit
from cloud.ledger import DirectoryRow, Ledger
from cloud.memory.counted import Status, decode_record
from cloud.memory.instants import decode_us
from cloud.sharing.past import Circumstances, newest_shown, opened_then, without_place
from cloud.sharing.terms import Agreement, Grants, SharedUnit, Situation
from cloud.sharing.view import view
from wire.feed import FeedRecord, PositionView, StatusView
from wire.partner import PartnerRecord

DIRECTORIES_KEPT = 4
"""Directories of the past that are not made anew when they are asked for again."""
_OF_KIN = frozenset({"kin", "availability"})
"""What may tell of a unit's kin: the record of a past board was made of all of them."""
_MICROSECOND = timedelta(microseconds=1)
Withdrawals = Sequence[tuple[datetime, frozenset[str]]]
"""From when on which agreements were withdrawn, in order."""
_decode_texts = msgspec.json.Decoder(dict[str, str]).decode


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """What holds as a partner asks."""

    partner: str
    units: Mapping[str, SharedUnit]
    agreements: tuple[Agreement, ...]
    loans: tuple[tuple[datetime, Agreement], ...]
    """What each unit that is on loan opens, and since when; those are among `agreements` too."""
    situation: Situation


class Stretch(NamedTuple):
    """A time in which one and the same may be seen of a unit."""

    since: datetime
    until: datetime
    grants: Grants


class SharedPast:
    """Judges the past by what the ledger remembers of it. Any thread may ask."""

    def __init__(self, ledger: Ledger, in_force: InForce, withdrawals: Callable[[], Withdrawals]) -> None:
        """`withdrawals` gives which agreements were withdrawn from each moment on."""
        self._ledger, self._in_force, self._withdrawals = ledger, in_force, withdrawals
        self._made: OrderedDict[str, Directory | None] = OrderedDict()
        self._turn = threading.Lock()

    def board(self, records: Iterable[FeedRecord], at: datetime, now: Now) -> list[PartnerRecord]:
        """Give what a partner may see of a past board, by unit. Raises what the ledger does."""
        directory = self._directory_at(at)[1]
        if directory is None:
            return []
        then = _Then(directory, self._withdrawals(), now)
        known = {record.unit: record for record in records}
        opened = {
            unit: grants
            for unit, record in known.items()
            if (grants := then.opened(unit, record.status, at)) is not None
        }
        others = (known[unit] for unit, grants in opened.items() if grants.agreements)
        known |= {unit: without_place(known[unit]) for unit in self._placed_covert(others, at, directory)}
        return [
            view(known[unit], _as_past(then.without_kin(unit, grants, opened), at, now), at)
            for unit, grants in sorted(opened.items())
        ]

    def stretches(self, unit: str, since: datetime, until: datetime, now: Now) -> list[Stretch]:
        """Give when in a window something may be seen of a unit, in order. Raises what the ledger does."""
        lines, withdrawals = self._ledger.board_lines([unit], since, until), self._withdrawals()
        found: list[Stretch] = []
        for start, end, directory in self._directories(since, until):
            then = _Then(directory, withdrawals, now)
            turns = {*then.turns, *(decode_us(line[1]) for line in lines)}
            begins = [start, *sorted(turn for turn in turns if start < turn < end)]
            for begin, close in zip(begins, [*begins[1:], end], strict=True):
                held = next((line for line in reversed(lines) if decode_us(line[1]) <= begin), None)
                if held is None or held[2] != "record":
                    continue
                grants = then.opened(unit, decode_record(held[3]).status, begin)
                if grants is not None:
                    found.append(Stretch(begin, close, grants))
        return found

    def _placed_covert(self, records: Iterable[FeedRecord], at: datetime, directory: Directory) -> Iterator[str]:
        """Give the units that the board showed where they were while they, or what their vehicle carried, were covert.

        A place of an unknown time is taken for one of before the directory that was in force at that moment.
        """
        came, _ = self._directory_at(at)
        placed = [(_measured(record.position, at, came), record.unit) for record in records if record.position]
        since, then = came, None
        for measured, unit in sorted(placed, reverse=True):
            if measured < since:
                since, then = self._directory_at(measured)
            carried = None if then is None else then.carried_by(directory.units[unit].carrier)
            known = None if then is None else then.units.get(unit)
            if measured < came and (then is None or any(one is not None and one.covert for one in (carried, known))):
                yield unit

    def _directories(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime, Directory]]:
        """Give which directory was in force when in a window, in order, without times of which that is not known."""
        found: list[tuple[datetime, datetime, Directory]] = []
        end = until
        while end > since:
            came, directory = self._directory_at(end - _MICROSECOND)
            if directory is not None:
                found.append((max(since, came), end, directory))
            end = came
        return found[::-1]

    def _directory_at(self, at: datetime) -> tuple[datetime, Directory | None]:
        """Give since when which directory was in force at a moment; None where it is not known, or can't be read."""
        row = self._ledger.directory_at(at)
        if row is None:
            return datetime.min.replace(tzinfo=UTC), None
        written = self._in_force.written
        if row.version == written.version:
            return row.at, written
        with self._turn:
            return row.at, self._make(row)

    def _make(self, row: DirectoryRow) -> Directory | None:
        if row.version not in self._made:
            texts = _decode_texts(row.body)
            found = build(
                {name: text for name, text in texts.items() if "/" not in name},
                read_packaged(),
                {name: text for name, text in texts.items() if name.startswith(f"{SITE_FOLDER}/")},
                {name: text for name, text in texts.items() if name.startswith(f"{FILES}/")},
            )
            self._made[row.version] = found if isinstance(found, Directory) else None
            if len(self._made) > DIRECTORIES_KEPT:
                self._made.popitem(last=False)
        return self._made[row.version]


class _Then:
    """What held while one directory was in force."""

    def __init__(self, directory: Directory, withdrawals: Withdrawals, now: Now) -> None:
        self._directory, self._withdrawals, self._now = directory, withdrawals, now
        self._agreements = agreements_of(directory)
        self._sharing: dict[tuple[str, str | None], list[str]] = {}
        """The units of each crew, and of each whole with its parts."""
        for name, row in directory.units.items():
            if row.crew_group is not None:
                self._sharing.setdefault(("crew", row.crew_group), []).append(name)
            self._sharing.setdefault(("whole", row.part_of or name), []).append(name)
        ends = (moment for one in self._agreements for moment in (one.valid_from, one.valid_until))
        self.turns = {moment for moment in ends if moment is not None}
        """When something may have been allowed from then on, or no more, while the directory stayed."""
        self.turns |= {at for at, _ in withdrawals} | {at for at, _ in now.loans}

    def opened(self, unit: str, status: Status | StatusView | None, at: datetime) -> Grants | None:
        """Tell what may be seen now of a unit as it was at a moment, under this status; None for nothing at all."""
        row, today = self._directory.units.get(unit), self._now.units.get(unit)
        if row is None or today is None:
            return None
        lent = tuple(agreement for since, agreement in self._now.loans if since <= at)
        withdrawn = next((names for since, names in reversed(self._withdrawals) if since <= at), frozenset[str]())
        then = Circumstances(
            unit=shared_unit(row, private=self._is_private(status), incident=""),
            agreements=(*self._agreements, *lent),
            situation=Situation(now=at, withdrawn=withdrawn),
        )
        now = Circumstances(unit=today, agreements=self._now.agreements, situation=self._now.situation)
        return opened_then(self._now.partner, now=now, then=then)

    def without_kin(self, unit: str, grants: Grants, opened: Mapping[str, Grants]) -> Grants:
        """Close what may tell of the unit's kin, where some of it is not to be seen: the record was made with all."""
        if all(other in opened for other in self._kin(unit)):
            return grants
        return msgspec.structs.replace(grants, fields=grants.fields - _OF_KIN)

    def _kin(self, unit: str) -> Iterator[str]:
        """Give the units that share its crew, its whole and its parts; itself among them."""
        row = self._directory.units[unit]
        yield from self._sharing.get(("crew", row.crew_group), ())
        yield from self._sharing.get(("whole", row.part_of or unit), ())

    def _is_private(self, status: Status | StatusView | None) -> bool:
        """Whether a status says off duty or at home: also where it is none that the directory knew."""
        if status is None:
            return False
        scheme = self._directory.schemes.get(status.scheme)
        code = scheme.code(status.code) if scheme is not None else None
        return code is None or code.private


def _measured(place: PositionView, at: datetime, came: datetime) -> datetime:
    return came - _MICROSECOND if place.age_s is None else at - timedelta(seconds=place.age_s)


def _as_past(grants: Grants, at: datetime, now: Now) -> Grants:
    """Give what may be seen of a moment whose positions have waited long enough; without them where they have not."""
    if not grants.delay_s:
        return grants
    if at <= newest_shown(grants, now.situation.now):
        return msgspec.structs.replace(grants, delay_s=0)
    return msgspec.structs.replace(grants, fields=grants.fields - {"position"}, delay_s=0, precision_m=0)
