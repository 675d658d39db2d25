"""Orders in the ledger: each as it stands, what became of it (append-only), and which unit is on which.

An order's row names the owner term of the process that has it in hand: one with a lower term writes it no more.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from cloud.errors import Fatal
from cloud.ledger.rows import AssignmentRow, LoadedOrders, OrderCommit, OrderLogRow, OrderRow
from cloud.ledger.tables import assignment, cursor, order, order_log

_CURSOR = "orders"


def write(connection: Connection, commit: OrderCommit, owner_term: int) -> None:
    """Write a commit, in the caller's transaction. Raises `Fatal` where another process has an order in hand."""
    for row in commit.orders:
        newest = connection.execute(select(order.c.owner_term).where(order.c.id == row.id)).scalar()
        if newest is not None and newest > owner_term:
            raise Fatal(f"another watchroom has taken over order {row.id}: stop this one")
        _upsert(connection, order, "id", [msgspec.structs.asdict(row)])
    _upsert(connection, assignment, "unit", [msgspec.structs.asdict(row) for row in commit.assignments])
    _append(connection, commit.log)
    if commit.through:
        _upsert(connection, cursor, "name", [{"name": _CURSOR, "event_id": commit.through}])


def load(connection: Connection) -> LoadedOrders:
    """Read what a starting process goes on from."""
    through = connection.execute(select(cursor.c.event_id).where(cursor.c.name == _CURSOR)).scalar()
    return LoadedOrders(
        active=_orders(connection, select(order).where(order.c.active).order_by(order.c.number)),
        assignments=[AssignmentRow(**row._mapping) for row in connection.execute(select(assignment))],
        through=through or 0,
    )


def read(connection: Connection, order_id: str) -> OrderRow | None:
    """Read one order."""
    return next(iter(_orders(connection, select(order).where(order.c.id == order_id))), None)


def newest(connection: Connection, limit: int) -> list[OrderRow]:
    """Read the newest orders, newest first."""
    return _orders(connection, select(order).order_by(order.c.number.desc()).limit(limit))


def read_log(connection: Connection, order_id: str) -> list[OrderLogRow]:
    """Read what became of an order, in order."""
    columns = [column for column in order_log.c if column.name != "number"]
    rows = select(*columns).where(order_log.c.order == order_id).order_by(order_log.c.number)
    return [OrderLogRow(**row._mapping) for row in connection.execute(rows)]


def _orders(connection: Connection, rows: Any) -> list[OrderRow]:
    names = OrderRow.__struct_fields__
    return [OrderRow(**{name: row._mapping[name] for name in names}) for row in connection.execute(rows)]


def _append(connection: Connection, rows: Iterable[OrderLogRow]) -> None:
    for row in rows:
        last = select(func.max(order_log.c.number)).where(order_log.c.order == row.order)
        number = (connection.execute(last).scalar() or 0) + 1
        connection.execute(insert(order_log), {"number": number, **msgspec.structs.asdict(row)})


def _upsert(connection: Connection, table: Table, key: str, rows: list[dict[str, Any]]) -> None:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for row in rows:
        statement = make(table).values(row)
        rest = {name: statement.excluded[name] for name in row if name != key}
        connection.execute(statement.on_conflict_do_update(index_elements=[key], set_=rest))
