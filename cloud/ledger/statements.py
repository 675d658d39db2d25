"""The writing statements, compiled once per ledger, and rows as their parameters.

They go to the driver as they are: at 20 rows that costs 24 µs a row where an insert by way of the SQL expression
language costs 41 (measured). `execute` puts many rows into one statement: the driver lets go of the interpreter's lock
around each statement that it runs, and a thread that commits row by row gets it back only when the event loop rests.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

from cloud.ledger import tables
from cloud.ledger.rows import EventRow, Gap, Refused, Watermark
from cloud.ledger.tables import encode_instant

WIDE_ROWS = 50
"""Rows in one statement. More make it no cheaper (measured), and few commits have as many left over."""


class Statements:
    """Each takes its parameters by position, in the order of the `*_cells` functions below."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile for one database."""
        self.event = _insert(dialect, tables.event)
        self.refused = _insert(dialect, tables.refused, but="id")
        self.gap = _insert(dialect, tables.gap, but="id")
        self.watermark = _upsert(dialect, tables.watermark)
        self.head = _upsert(dialect, tables.head)
        self.tail = _upsert(dialect, tables.tail)
        self.latest = _upsert(dialect, tables.latest)
        self.read = _upsert(dialect, tables.read_log)
        self.grant_set = _upsert(dialect, tables.grant_set)


def execute(connection: Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    """Run a statement for every row. No two of an upsert may have the same key."""
    many = len(rows) - len(rows) % WIDE_ROWS
    wide = _widen(statement) if many else ""
    for start in range(0, many, WIDE_ROWS):
        connection.exec_driver_sql(wide, tuple(chain.from_iterable(rows[start : start + WIDE_ROWS])))
    if rest := rows[many:]:
        connection.exec_driver_sql(statement, rest)


def event_cells(row: EventRow) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    return (
        row.id,
        row.device,
        row.stream,
        row.queue,
        row.seq,
        row.kind,
        row.unit,
        row.mode,
        encode_instant(row.at),
        encode_instant(row.received_at),
        encode_instant(row.corrected_at),
        row.proven,
        row.prev,
        row.body,
    )


def watermark_cells(row: Watermark) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    corrected = None if row.corrected_at is None else encode_instant(row.corrected_at)
    return (row.device, row.stream, row.queue, row.ordinal, row.through, row.digest, corrected)


def refused_cells(row: Refused) -> tuple[Any, ...]:
    """In the order of the table's columns, without the id."""
    received = encode_instant(row.received_at)
    return (received, row.topic, row.device, row.stream, row.queue, row.seq, row.reason, row.body)


def gap_cells(row: Gap) -> tuple[Any, ...]:
    """In the order of the table's columns, without the id."""
    recorded = encode_instant(row.recorded_at)
    return (row.device, row.stream, row.queue, row.first_seq, row.last_seq, recorded, row.reason)


@cache
def _widen(statement: str) -> str:
    """Make an insert of one row, as the `Statements` are, one of `WIDE_ROWS`."""
    head, values, tail = statement.partition(" VALUES (")
    row, end, rest = tail.partition(")")
    return head + values + ", (".join([row + end] * WIDE_ROWS) + rest


def _insert(dialect: Dialect, table: Table, but: str = "") -> str:
    return str(table.insert().compile(dialect=dialect, column_keys=_names(table.columns.keys(), but)))


def _names(names: Sequence[str], but: str) -> list[str]:
    return [name for name in names if name != but]


def _upsert(dialect: Dialect, table: Table) -> str:
    insert = postgresql.insert(table) if dialect.name == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    rest = {name: insert.excluded[name] for name in table.columns.keys() if name not in keys}
    upsert = insert.on_conflict_do_update(index_elements=keys, set_=rest)
    return str(upsert.compile(dialect=dialect, column_keys=table.columns.keys()))
