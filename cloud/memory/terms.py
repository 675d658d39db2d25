"""How long each organisation keeps what, and whose is what. Pure: today is an argument.

Where an organisation says nothing it keeps all of it, for as long as there is room: nothing is ever deleted that nobody
asked to have deleted. Its terms are `retention` in the directory: `positions_days` for tracks and for where its units
were on past boards, `inputs_days` for what sensors read, `board_days` for what the board showed. The ledger's events
and orders are the record, and have no terms.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from cloud.directory import Directory


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """The first UTC day that an organisation keeps, of each kind; None where it keeps all. Days go as a whole."""

    positions: date | None = None
    inputs: date | None = None
    board: date | None = None


def terms(directory: Directory, today: date) -> dict[str, Terms]:
    """Give each organisation's terms: what is kept for a day is kept until the whole of that day is a day old."""
    return {
        one.id: Terms(
            positions=_first_day(one.retention.positions_days, today),
            inputs=_first_day(one.retention.inputs_days, today),
            board=_first_day(one.retention.board_days, today),
        )
        for one in directory.organisations.values()
    }


def forgotten(directory: Directory, at: datetime, today: date) -> tuple[str, ...]:
    """Name the organisations that keep nothing of what the board showed at a moment, by id."""
    asked = at.astimezone(UTC).date()
    found = terms(directory, today).items()
    return tuple(sorted(name for name, one in found if one.board is not None and asked < one.board))


def longest(of: Iterable[Terms]) -> Terms:
    """Give the terms that reach back as far as any: for what belongs to all, or to nobody who is known."""
    every = list(of)
    return Terms(
        positions=_earliest([one.positions for one in every]),
        inputs=_earliest([one.inputs for one in every]),
        board=_earliest([one.board for one in every]),
    )


def unit_terms(directory: Directory, gone: Mapping[str, str | None], today: date) -> dict[str, Terms]:
    """Give the terms of every unit; `gone` is whose each was that the directory knows no more, None where none tells.

    Of an organisation that the directory does not know all is kept: it may have been left out by mistake.
    """
    by_organisation = terms(directory, today)
    every = longest(by_organisation.values())
    found = {
        unit: every if organisation is None else by_organisation.get(organisation, Terms())
        for unit, organisation in gone.items()
    }
    return found | {unit.id: by_organisation[unit.organisation] for unit in directory.units.values()}


def begin_of(day: date) -> datetime:
    """Give the moment at which a UTC day begins."""
    return datetime.combine(day, time(), UTC)


def _first_day(days: int | None, today: date) -> date | None:
    """Where so many days reach before the calendar nothing has to go."""
    return None if days is None or days >= today.toordinal() else today - timedelta(days=days)


def _earliest(days: list[date | None]) -> date | None:
    known = [day for day in days if day is not None]
    return min(known) if known and len(known) == len(days) else None
