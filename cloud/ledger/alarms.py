"""Alarms in the ledger: what people did with them (append-only). What raised and cleared them are the events."""

from datetime import datetime

import msgspec
from sqlalchemy import Connection, func, insert, select

from cloud.ledger.rows import AlarmLogRow
from cloud.ledger.tables import alarm_log, event


def append(connection: Connection, row: AlarmLogRow) -> None:
    """Write a line, in the caller's transaction."""
    connection.execute(insert(alarm_log), msgspec.structs.asdict(row))


def read_log(connection: Connection, since: datetime) -> list[AlarmLogRow]:
    """Read what was done since a moment, in order."""
    columns = [column for column in alarm_log.c if column.name != "number"]
    rows = select(*columns).where(alarm_log.c.at >= since).order_by(alarm_log.c.number)
    return [AlarmLogRow(**row._mapping) for row in connection.execute(rows)]


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
