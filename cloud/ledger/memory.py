"""What the ledger remembers beside events: what the board showed, what control decided, which directory was in force.

Append-only. The board's rows have an index by unit and time: they come with changes, some tens a second, and are read
unit by unit.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, select

from cloud.ledger.rows import BoardRow, DecisionRow, DirectoryRow
from cloud.ledger.tables import board_log, decision, directory

_BOARD = (board_log.c.shown_at, board_log.c.unit, board_log.c.kind, board_log.c.body)


def append_board(connection: Connection, rows: Sequence[BoardRow]) -> None:
    """Write lines of the board log, in the caller's transaction."""
    if rows:
        connection.execute(insert(board_log), [msgspec.structs.asdict(row) for row in rows])


def board_at(connection: Connection, at: datetime) -> list[BoardRow]:
    """Read the last row of each unit up to a moment, by unit; first that of what concerned them all."""
    units = every_unit().subquery()
    newest = (
        select(board_log.c.number)
        .where(board_log.c.unit == units.c.unit, board_log.c.shown_at <= at)
        .order_by(board_log.c.shown_at.desc(), board_log.c.number.desc())
        .limit(1)
        .correlate(units)
        .scalar_subquery()
    )
    rows = select(*_BOARD).join(units, board_log.c.number == newest).order_by(board_log.c.unit)
    return [BoardRow(**row._mapping) for row in connection.execute(rows)]


def board_of(connection: Connection, units: Collection[str], since: datetime, until: datetime) -> list[BoardRow]:
    """Read the rows of some units in a window, and before them what held at its begin."""
    held = select(board_log.c.unit, func.max(board_log.c.shown_at))
    held = held.where(board_log.c.unit.in_(units), board_log.c.shown_at <= since).group_by(board_log.c.unit)
    first = {unit: shown_at for unit, shown_at in connection.execute(held)}
    found: list[BoardRow] = []
    for unit in sorted(units):
        start = first.get(unit, since)
        rows = (
            select(*_BOARD)
            .where(and_(board_log.c.unit == unit, board_log.c.shown_at >= start, board_log.c.shown_at < until))
            .order_by(board_log.c.shown_at, board_log.c.number)
        )
        found += (BoardRow(**row._mapping) for row in connection.execute(rows))
    return found


def append_decision(connection: Connection, row: DecisionRow) -> int:
    """Write a decision, in the caller's transaction. Returns its number."""
    cells = msgspec.structs.asdict(row)
    del cells["number"]
    made = connection.execute(insert(decision).returning(decision.c.number), cells)
    return int(made.scalar_one())


def read_decisions(connection: Connection, after: int) -> list[DecisionRow]:
    """Read decisions after a number, in order."""
    rows = select(decision).where(decision.c.number > after).order_by(decision.c.number)
    return [DecisionRow(**row._mapping) for row in connection.execute(rows)]


def record_directory(connection: Connection, row: DirectoryRow) -> None:
    """Write a directory that came into force, unless it is the last one already."""
    last = connection.execute(select(directory.c.version).order_by(directory.c.number.desc()).limit(1)).scalar()
    if last != row.version:
        connection.execute(insert(directory), msgspec.structs.asdict(row))


def directory_at(connection: Connection, at: datetime) -> DirectoryRow | None:
    """Read the directory that was in force at a moment."""
    rows = (
        select(directory.c.at, directory.c.version, directory.c.body)
        .where(directory.c.at <= at)
        .order_by(directory.c.number.desc())
        .limit(1)
    )
    found = connection.execute(rows).first()
    return None if found is None else DirectoryRow(**found._mapping)


def every_unit() -> Select[tuple[str]]:
    """Every unit that was ever shown, and the empty one of what concerns them all.

    A loose walk of the index: a step a unit, and not one a row.
    """
    first = select(func.min(board_log.c.unit).label("unit"))
    walk = first.cte("walk", recursive=True)
    following = (
        select(func.min(board_log.c.unit)).where(board_log.c.unit > walk.c.unit).correlate(walk).scalar_subquery()
    )
    walk = walk.union_all(select(following).where(walk.c.unit.is_not(None)))
    return select(walk.c.unit).where(walk.c.unit.is_not(None))
