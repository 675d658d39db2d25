"""Refused bytes, within bounds.

An event that was refused has a sequence that was settled as *refused*: its bytes are kept for good. A whole message
that made no sense has none, anyone may send any number of them, and so the oldest make room and are counted.
"""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select, update

from cloud.ledger.rows import Refused
from cloud.ledger.statements import refused_cells
from cloud.ledger.tables import counter, refused

_STEP_ROWS = 1_000


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much of the whole messages that were refused is kept."""

    messages_max: int = 10_000
    bytes_max: int = 64 * 1024 * 1024


def keep_refused(connection: Connection, statement: str, rows: list[Refused], bounds: Bounds) -> None:
    """Add the rows, then drop the oldest whole messages until the bounds hold again."""
    connection.exec_driver_sql(statement, [refused_cells(row) for row in rows])
    sizes = [len(row.body) for row in rows if row.seq is None]
    count(connection, "refused_events", len(rows) - len(sizes))
    if not sizes:
        return
    count(connection, "refused_messages", len(sizes))
    count(connection, "refused_messages_bytes", sum(sizes))
    while _drop_some(connection, bounds):
        pass


def count(connection: Connection, name: str, by: int) -> None:
    """Add to one counter, in the transaction of what it counts."""
    if by:
        connection.execute(update(counter).where(counter.c.name == name).values(value=counter.c.value + by))


def read_counters(connection: Connection) -> dict[str, int]:
    """Every counter by its name."""
    return {row.name: row.value for row in connection.execute(select(counter))}


def _drop_some(connection: Connection, bounds: Bounds) -> bool:
    """Drop up to `_STEP_ROWS` of the oldest whole messages; whether any had to go."""
    counters = read_counters(connection)
    messages_over = counters["refused_messages"] - bounds.messages_max
    bytes_over = counters["refused_messages_bytes"] - bounds.bytes_max
    if messages_over <= 0 and bytes_over <= 0:
        return False
    drop: list[Any] = []
    freed = 0
    for row in connection.execute(_oldest_messages()):
        if len(drop) >= messages_over and freed >= bytes_over:
            break
        drop.append(row.id)
        freed += row.size
    connection.execute(delete(refused).where(refused.c.seq.is_(None), refused.c.id <= drop[-1]))
    count(connection, "refused_messages", -len(drop))
    count(connection, "refused_messages_bytes", -freed)
    count(connection, "dropped_messages", len(drop))
    return True


def _oldest_messages() -> Any:
    size = func.length(refused.c.body).label("size")
    return select(refused.c.id, size).where(refused.c.seq.is_(None)).order_by(refused.c.id).limit(_STEP_ROWS)
