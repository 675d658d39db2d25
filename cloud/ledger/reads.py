"""The log of reads: which partner saw which unit, by which way, what of it, from when until when.

A row is an interval. It is open while its `until` is null: a start closes what the process before left open, at that
one's last sign of life. What was opened is kept once for each distinct set of grants.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select, update

from cloud.ledger.statements import Statements, execute
from cloud.ledger.tables import alive, encode_instant, grant_set, read_log

Way = Literal["feed", "mqtt", "query", "history"]
READS = "reads"
"""Under which name the process that keeps the log gives its sign of life."""
GRANTS_READ_MAX = 20_000
"""Of the newest sets of grants, which a start knows again. An older one is written again where it is used."""


class ReadRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An interval through which a partner could see a unit, as it is to be written: over what is under its number."""

    number: int
    """Given by the one writer: `LoadedReads.next_number` and up."""
    partner: str
    unit: str
    way: Way
    grants: int
    """The number of its set of grants."""
    since: datetime
    until: datetime | None


class ReadCommit(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes durable together, or not at all."""

    rows: Sequence[ReadRow] = ()
    grants: Sequence[tuple[int, bytes]] = ()
    """Sets of grants that are new: each one's number, and its JSON."""
    alive: datetime
    """The sign of life of whoever keeps the log."""


class LoadedReads(msgspec.Struct, frozen=True, kw_only=True):
    """What a starting process goes on from."""

    next_number: int
    next_grants: int
    grants: dict[bytes, int]
    """The number of each set of grants that is known, by its JSON."""


class ReadBy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An interval as it is read back."""

    number: int
    partner: str
    way: Way
    grants: bytes
    since: datetime
    until: datetime | None


def write(connection: Connection, statements: Statements, commit: ReadCommit) -> None:
    """Write intervals and a sign of life, in the caller's transaction. The same again changes nothing."""
    execute(connection, statements.grant_set, list(dict(commit.grants).items()))
    execute(connection, statements.read, [_cells(row) for row in {row.number: row for row in commit.rows}.values()])
    if not connection.execute(update(alive).where(alive.c.name == READS).values(at=commit.alive)).rowcount:
        connection.execute(insert(alive), {"name": READS, "at": commit.alive})


def load(connection: Connection) -> LoadedReads:
    """Close what was left open, and tell what to go on from; in the caller's transaction."""
    stamp = connection.execute(select(alive.c.at).where(alive.c.name == READS)).scalar()
    if stamp is not None:
        unclosed = read_log.c.until.is_(None)
        late = unclosed & (read_log.c.since > stamp)
        connection.execute(update(read_log).where(late).values(until=read_log.c.since))
        connection.execute(update(read_log).where(unclosed).values(until=stamp))
    newest = select(grant_set).order_by(grant_set.c.number.desc()).limit(GRANTS_READ_MAX)
    grants = {row.body: row.number for row in connection.execute(newest)}
    return LoadedReads(
        next_number=(connection.execute(select(func.max(read_log.c.number))).scalar() or 0) + 1,
        next_grants=max(grants.values(), default=0) + 1,
        grants=grants,
    )


def read_of(
    connection: Connection, unit: str, window: tuple[datetime, datetime], page: tuple[int | None, int]
) -> list[ReadBy]:
    """Read who could see a unit in a window, newest first. `page`: the number before which it begins, and its size."""
    since, until = window
    before, limit = page
    rows = (
        select(*(read_log.c[name] for name in ("number", "partner", "way", "since", "until")), grant_set.c.body)
        .join(grant_set, grant_set.c.number == read_log.c.grants)
        .where(read_log.c.unit == unit, read_log.c.since < until)
        .where(or_(read_log.c.until.is_(None), read_log.c.until >= since))
        .order_by(read_log.c.number.desc())
        .limit(limit)
    )
    if before is not None:
        rows = rows.where(read_log.c.number < before)
    return [
        ReadBy(number=row.number, partner=row.partner, way=row.way, grants=row.body, since=row.since, until=row.until)
        for row in connection.execute(rows)
    ]


def drop(connection: Connection, unit: str, before: datetime, limit: int) -> int:
    """Delete a unit's intervals that ended before a moment, at most `limit`. Returns how many."""
    past = select(read_log.c.number).where(read_log.c.unit == bindparam("of"), read_log.c.until < before).limit(limit)
    return connection.execute(delete(read_log).where(read_log.c.number.in_(past)), {"of": unit}).rowcount


def _cells(row: ReadRow) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    until = None if row.until is None else encode_instant(row.until)
    return (row.number, row.partner, row.unit, row.way, row.grants, encode_instant(row.since), until)
