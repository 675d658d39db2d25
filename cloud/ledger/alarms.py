"""Alarms in the ledger: what people did with them (append-only). What raised and cleared them are the events."""

from collections.abc import Collection
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, insert, or_, select

from cloud.ledger.rows import AlarmLogRow, EventRow
from cloud.ledger.tables import alarm_log, event

KINDS = ("emergency", "alarm")
"""Events that are alarms whatever they say."""


def append(connection: Connection, row: AlarmLogRow) -> None:
    """Write a line, in the caller's transaction."""
    connection.execute(insert(alarm_log), msgspec.structs.asdict(row))


def read_log(connection: Connection, since: datetime) -> list[AlarmLogRow]:
    """Read what was done since a moment, in order."""
    columns = [column for column in alarm_log.c if column.name != "number"]
    rows = select(*columns).where(alarm_log.c.at >= since).order_by(alarm_log.c.number)
    return [AlarmLogRow(**row._mapping) for row in connection.execute(rows)]


def read_events(connection: Connection, after: int, codes: Collection[str], limit: int) -> list[EventRow]:
    """Read what may be an alarm after an event, in order: every one that is, and some statuses that are not.

    A status is looked at by the bytes of its body where the database can do that: of a week's presses few hold one of
    `codes`, and to take each apart would hold up a start.
    """
    told: ColumnElement[bool] = event.c.kind.in_(KINDS)
    if codes:
        says = or_(*map(_holds, sorted(codes))) if connection.dialect.name == "sqlite" else None
        asked = event.c.kind == "status"
        told = or_(told, asked if says is None else and_(asked, says))
    rows = select(event).where(event.c.id > after, told).order_by(event.c.id).limit(limit)
    return [EventRow(**row._mapping) for row in connection.execute(rows)]


def _holds(code: str) -> ColumnElement[bool]:
    """Whether a body of JSON may hold a code: as it is, or with some letter escaped."""
    return or_(func.instr(event.c.body, f'"{code}"'.encode()) > 0, func.instr(event.c.body, b"\\u") > 0)


def last_event_before(connection: Connection, since: datetime) -> int:
    """Give the id of the last event that was received before a moment; 0 for none.

    It looks at about twenty events of a million: they were received in the order of their ids, give or take what the
    clock was set.
    """
    low, high = 0, connection.execute(select(func.max(event.c.id))).scalar() or 0
    while low < high:
        middle = (low + high + 1) // 2
        found = connection.execute(
            select(event.c.id, event.c.received_at).where(event.c.id >= middle).order_by(event.c.id).limit(1)
        ).one()
        if found.received_at < since:
            low = found.id
        else:
            high = middle - 1
    return low
