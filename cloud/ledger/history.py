"""What the ledger gives to whoever reckons over long times, and what it lets go of when its time is over.

Events are the record: nothing here deletes one.
"""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Column, Connection, bindparam, delete, func, select, type_coerce

from cloud.ledger.rows import OrderRow
from cloud.ledger.tables import board_log, encode_instant, order

BoardLine = tuple[str, int, str, bytes]
"""Unit, since when in microseconds since 1970, the kind of row and its body."""

_MICROSECOND = timedelta(microseconds=1)
_LAST = datetime.max.replace(tzinfo=UTC) - _MICROSECOND
_US = type_coerce(board_log.c.shown_at, BigInteger)
_HELD = (
    select(func.max(_US))
    .where(board_log.c.unit == bindparam("of"), _US <= bindparam("since", type_=BigInteger))
    .scalar_subquery()
)
_LINES = (
    select(board_log.c.unit, _US, board_log.c.kind, board_log.c.body)
    .where(board_log.c.unit == bindparam("of"), _US < bindparam("until", type_=BigInteger))
    .where(_US >= func.coalesce(_HELD, bindparam("since", type_=BigInteger)))
    .order_by(_US, board_log.c.number)
)


def read_lines(connection: Connection, units: Collection[str], since: datetime, until: datetime) -> list[BoardLine]:
    """Read the board log's lines of some units in a window, by unit and time; first what held at its begin."""
    window = {"since": encode_instant(since), "until": encode_instant(until)}
    found: list[BoardLine] = []
    for unit in units:
        found += connection.execute(_LINES, {"of": unit, **window}).all()
    return found


def read_orders(connection: Connection, since: datetime, until: datetime, page: tuple[int, int]) -> list[OrderRow]:
    """Read a page of the orders that were given in a window, in the order in which they came to be written.

    `page` is how many came before it, and how many it holds. Where the page begins is found in some twenty looks.
    """
    first, last = (_last_before(connection, (order.c.number, order.c.created_at), end) for end in (since, until))
    passed, limit = page
    columns = [order.c[name] for name in OrderRow.__struct_fields__]
    rows = select(*columns).where(order.c.number > first, order.c.number <= last)
    rows = rows.order_by(order.c.number).offset(passed).limit(limit)
    return [OrderRow(**row._mapping) for row in connection.execute(rows)]


def read_last(connection: Connection, units: Collection[str]) -> dict[str, bytes]:
    """Read the newest record of each unit that the board ever showed."""
    found: dict[str, bytes] = {}
    for unit in units:
        newest = select(board_log.c.body).where(board_log.c.unit == unit, board_log.c.kind == "record")
        newest = newest.order_by(board_log.c.shown_at.desc(), board_log.c.number.desc()).limit(1)
        body = connection.execute(newest).scalar()
        if body is not None:
            found[unit] = body
    return found


def drop_lines(connection: Connection, unit: str, before: datetime, limit: int) -> int:
    """Delete a unit's lines of the board log from before a moment, at most `limit`. Returns how many.

    What held at that moment stays, for it held after it too.
    """
    newest = select(func.max(board_log.c.shown_at)).where(board_log.c.unit == unit, board_log.c.shown_at <= before)
    past = (
        select(board_log.c.number)
        .where(board_log.c.unit == unit, board_log.c.shown_at < newest.scalar_subquery())
        .limit(limit)
    )
    return connection.execute(delete(board_log).where(board_log.c.number.in_(past))).rowcount


def find_change(connection: Connection, at: datetime, unit: str | None, *, is_next: bool) -> datetime | None:
    """Find the first line of the board log after a moment, or the last before it, of one unit or of any."""
    shown_at, number = board_log.c.shown_at, board_log.c.number
    if unit is None:  # the lines are numbered as they come, and have no index by time alone
        last = _last_before(connection, (number, shown_at), min(at, _LAST) + _MICROSECOND if is_next else at)
        rows = select(shown_at).where(number > last if is_next else number <= last)
        rows = rows.order_by(number if is_next else number.desc())
    else:
        rows = select(shown_at).where(board_log.c.unit == unit, shown_at > at if is_next else shown_at < at)
        rows = rows.order_by(shown_at if is_next else shown_at.desc())
    found: datetime | None = connection.execute(rows.limit(1)).scalar()
    return found


def _last_before(connection: Connection, columns: tuple[Column[int], Column[datetime]], since: datetime) -> int:
    """Give the number of a table's last row from before a moment; 0 for none. Rows are numbered as they come.

    It looks at about twenty rows of a million.
    """
    number, moment = columns
    low, high = 0, connection.execute(select(func.max(number))).scalar() or 0
    while low < high:
        middle = (low + high + 1) // 2
        found = connection.execute(
            select(number.label("number"), moment.label("moment")).where(number >= middle).order_by(number).limit(1)
        ).one()
        if found.moment < since:
            low = found.number
        else:
            high = middle - 1
    return int(low)
