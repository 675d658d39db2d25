"""The ledger: commit what was settled, load it at start, look back.

Synchronous. What writes may be called from any thread and takes turns; reads run beside it on
connections of their own. Every method raises `Retryable` (a full or failing disk, a database that is away) or `Fatal`.
"""

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Self

from sqlalchemy import Connection, Engine, Select, func, insert, literal, select

from cloud.ledger import alarms, cad, history, memory, orders, reads
from cloud.ledger.failures import naming_failures
from cloud.ledger.opening import name_place, open_engine
from cloud.ledger.quarantine import Bounds, count, keep_refused, read_counters
from cloud.ledger.rows import (
    REFUSED_KEPT,
    AlarmLogRow,
    BoardRow,
    Commit,
    Counts,
    DecisionRow,
    DirectoryRow,
    EventRow,
    Gap,
    Loaded,
    LoadedOrders,
    OrderCommit,
    OrderLogRow,
    OrderRow,
    Refused,
    Watermark,
)
from cloud.ledger.statements import Statements, event_cells, execute, gap_cells, watermark_cells
from cloud.ledger.tables import event, gap, head, latest, process, refused, tail, watermark

REFUSED_READ_MAX = 100_000
"""How many of the newest refusals are looked through at a start."""


class Ledger:
    """An open ledger. Make one with `Ledger.open`."""

    def __init__(self, engine: Engine, bounds: Bounds) -> None:
        """Take over an engine that `open_engine` has checked."""
        self._engine = engine
        self._writer = engine.execution_options(begin="IMMEDIATE")
        self._place = name_place(engine.url)
        self._statements = Statements(engine.dialect)
        self._bounds = bounds
        self._turn = threading.Lock()

    @classmethod
    def open(cls, url: str, bounds: Bounds | None = None) -> Self:
        """Open the ledger at an SQLAlchemy URL, making a SQLite file that isn't there and bringing its schema up.

        Raises `Fatal` for a ledger that is damaged, newer than this program or not a ledger.
        """
        return cls(open_engine(url), bounds or Bounds())

    def close(self) -> None:
        """Close every connection. Nothing that was committed depends on it."""
        self._engine.dispose()

    def commit(self, commit: Commit) -> None:
        """Make all of it durable, or, when this raises, none of it. It may then be tried again as it is.

        Of several watermarks, heads, tails or latest for one key the last counts.
        """
        statements = self._statements
        with self._writing() as connection:
            execute(connection, statements.event, [event_cells(row) for row in commit.events])
            execute(connection, statements.watermark, _last_watermarks(commit.watermarks))
            execute(connection, statements.head, list({head[:2]: head for head in commit.heads}.values()))
            execute(connection, statements.tail, list(dict(commit.tails).items()))
            execute(connection, statements.latest, list({one[:3]: one for one in commit.latest}.values()))
            execute(connection, statements.gap, [gap_cells(row) for row in commit.gaps])
            count(connection, "gaps", len(commit.gaps))
            if commit.refused:
                keep_refused(connection, statements.refused, commit.refused, self._bounds)

    def record_start(self, started_at: datetime, owner_term: int, version: str) -> int:
        """Record that a process starts here. Returns its owner term: `owner_term`, or one above every earlier one."""
        with self._writing() as connection:
            newest = connection.execute(select(func.max(process.c.owner_term))).scalar_one()
            term = owner_term if newest is None else max(owner_term, newest + 1)
            row = {"started_at": started_at, "owner_term": term, "version": version}
            connection.execute(insert(process), row)
        return term

    def load(self) -> Loaded:
        """Everything that a starting process goes on from, as of one moment."""
        with self._reading() as connection:
            newest = connection.execute(select(func.max(event.c.id))).scalar_one()
            heads = select(event).join(head, head.c.event_id == event.c.id)
            others = select(event).join(latest, latest.c.event_id == event.c.id)
            return Loaded(
                next_event_id=(newest or 0) + 1,
                watermarks=[_watermark(row) for row in connection.execute(select(watermark))],
                heads=[_event(row) for row in connection.execute(heads.order_by(event.c.id))],
                tails={row.unit: row.event_id for row in connection.execute(select(tail))},
                refused=[
                    (row.device, row.stream, row.queue, row.seq, row.reason)
                    for row in connection.execute(_latest_refusals())
                ],
                latest=[_event(row) for row in connection.execute(others.order_by(event.c.id))],
            )

    def events_of(self, unit: str, before: int | None, limit: int) -> list[EventRow]:
        """A unit's events, newest first, at most `limit`; `before` is the id of the last one of the page before.

        Nothing comes back for a `before` that isn't one of the unit's events.
        """
        with self._reading() as connection:
            return [_event(row) for row in connection.execute(_history(unit, before, limit))]

    def refused_rows(self, limit: int, before: int | None = None) -> list[Refused]:
        """What was refused, newest first, at most `limit`; `before` is the id of the last one of the page before."""
        rows = select(refused).order_by(refused.c.id.desc()).limit(limit)
        if before is not None:
            rows = rows.where(refused.c.id < before)
        with self._reading() as connection:
            return [Refused(**row._mapping) for row in connection.execute(rows)]

    def gaps(self, limit: int) -> list[Gap]:
        """What is gone, newest first, at most `limit`."""
        rows = select(gap).order_by(gap.c.id.desc()).limit(limit)
        with self._reading() as connection:
            return [Gap(**row._mapping) for row in connection.execute(rows)]

    def counts(self) -> Counts:
        """The ledger's figures; cheap at any size."""
        with self._reading() as connection:
            newest = connection.execute(select(func.max(event.c.id))).scalar_one()
            return Counts(last_event_id=newest or 0, **read_counters(connection))

    def commit_orders(self, commit: OrderCommit, owner_term: int) -> None:
        """Make all of it durable, or, when this raises, none of it. It may then be tried again as it is.

        Raises `Fatal` where a process with a higher owner term has one of the orders in hand.
        """
        with self._writing() as connection:
            orders.write(connection, commit, owner_term)

    def load_orders(self) -> LoadedOrders:
        """Everything that a starting process goes on from with orders, as of one moment."""
        with self._reading() as connection:
            return orders.load(connection)

    def order(self, order_id: str) -> OrderRow | None:
        """One order, whatever became of it."""
        with self._reading() as connection:
            return orders.read(connection, order_id)

    def newest_orders(self, limit: int) -> list[OrderRow]:
        """The newest orders first, at most `limit`."""
        with self._reading() as connection:
            return orders.newest(connection, limit)

    def order_log(self, order_id: str) -> list[OrderLogRow]:
        """What became of an order, in order."""
        with self._reading() as connection:
            return orders.read_log(connection, order_id)

    def events_after(self, event_id: int, kinds: Collection[str], limit: int) -> list[EventRow]:
        """Give events of these kinds after `event_id`, oldest first, at most `limit`."""
        rows = select(event).where(event.c.id > event_id, event.c.kind.in_(kinds)).order_by(event.c.id).limit(limit)
        with self._reading() as connection:
            return [_event(row) for row in connection.execute(rows)]

    def last_event_before(self, since: datetime) -> int:
        """Give the id of the last event that was received before a moment; 0 for none. Cheap at any size."""
        with self._reading() as connection:
            return alarms.last_event_before(connection, since)

    def alarm_events_after(self, event_id: int, codes: Collection[str], limit: int) -> list[EventRow]:
        """Give what may be an alarm after `event_id`, oldest first, at most `limit`.

        That is every alarm and emergency, and the statuses that may have one of `codes`: some that have none are among
        them.
        """
        with self._reading() as connection:
            return alarms.read_events(connection, event_id, codes, limit)

    def commit_alarm_log(self, row: AlarmLogRow) -> None:
        """Make durable what a person did with an alarm."""
        with self._writing() as connection:
            alarms.append(connection, row)

    def alarm_log(self, since: datetime) -> list[AlarmLogRow]:
        """What people did with alarms since a moment, in order."""
        with self._reading() as connection:
            return alarms.read_log(connection, since)

    def commit_board(self, rows: Sequence[BoardRow]) -> None:
        """Make durable what the board showed, in order; all of it or, when this raises, none."""
        with self._writing() as connection:
            memory.append_board(connection, rows)

    def board_at(self, at: datetime) -> list[BoardRow]:
        """What the board showed of each unit at a moment: the last row of each up to then, by unit.

        Nothing comes back of a moment before the first start. A unit that was `gone` by then is in it as that.
        """
        with self._reading() as connection:
            return memory.board_at(connection, at)

    def board_of(self, units: Collection[str], since: datetime, until: datetime) -> list[BoardRow]:
        """What the board showed of some units in a window, by unit and time: what held at its begin comes first."""
        with self._reading() as connection:
            return memory.board_of(connection, units, since, until)

    def board_units(self) -> list[str]:
        """Every unit that the board ever showed, by id."""
        with self._reading() as connection:
            return [str(unit) for (unit,) in connection.execute(memory.every_unit()) if unit]

    def board_lines(self, units: Collection[str], since: datetime, until: datetime) -> list[history.BoardLine]:
        """Give the same as `board_of` in the order of `units`, as bare tuples: for whoever reads a million of them."""
        with self._reading() as connection:
            return history.read_lines(connection, units, since, until)

    def last_shown(self, units: Collection[str]) -> dict[str, bytes]:
        """The body of each unit's newest `record`; none for a unit without one."""
        with self._reading() as connection:
            return history.read_last(connection, units)

    def board_change(self, at: datetime, unit: str | None, *, is_next: bool) -> datetime | None:
        """When the board first changed after a moment, or last before it, of one unit or of any; None for never."""
        with self._reading() as connection:
            return history.find_change(connection, at, unit, is_next=is_next)

    def drop_board(self, unit: str, before: datetime, limit: int) -> int:
        """Delete what the board showed of a unit before a moment, at most `limit` rows. Returns how many.

        What held at that moment stays.
        """
        with self._writing() as connection:
            return history.drop_lines(connection, unit, before, limit)

    def orders_given(self, since: datetime, until: datetime, *, passed: int, limit: int) -> list[OrderRow]:
        """Give the orders of a window, oldest first: after the first `passed` of them, at most `limit`."""
        with self._reading() as connection:
            return history.read_orders(connection, since, until, (passed, limit))

    def commit_decision(self, row: DecisionRow) -> int:
        """Make durable what a person at control decided. Returns its number, which only grows."""
        with self._writing() as connection:
            return memory.append_decision(connection, row)

    def decisions(self, after: int = 0) -> list[DecisionRow]:
        """What control decided after a number, in order."""
        with self._reading() as connection:
            return memory.read_decisions(connection, after)

    def record_directory(self, row: DirectoryRow) -> None:
        """Record that a directory came into force; one that is the last recorded already is not recorded again."""
        with self._writing() as connection:
            memory.record_directory(connection, row)

    def directory_at(self, at: datetime) -> DirectoryRow | None:
        """Give the directory that was in force at a moment; None before the first."""
        with self._reading() as connection:
            return memory.directory_at(connection, at)

    def commit_cad(self, commit: cad.CadCommit) -> None:
        """Make durable what was said by and told to command and control systems; all of it or, when this raises, none.

        A message whose id is known keeps its first answer.
        """
        with self._writing() as connection:
            cad.write(connection, commit)

    def load_cad(self) -> cad.LoadedCad:
        """Everything that a starting process goes on from with command and control systems, as of one moment."""
        with self._reading() as connection:
            return cad.load(connection)

    def cad_told(self, organisation: str, after: int, limit: int) -> list[cad.CadTold]:
        """What an organisation's system was told after a number, in order, at most `limit`."""
        with self._reading() as connection:
            return cad.read_told(connection, organisation, after, limit)

    def cad_said(self, organisation: str, ids: Sequence[str]) -> list[cad.CadSaid]:
        """What is remembered of messages of an organisation's system, by their ids."""
        with self._reading() as connection:
            return cad.read_said(connection, organisation, ids)

    def commit_reads(self, commit: reads.ReadCommit) -> None:
        """Make durable which partner saw what; all of it or, when this raises, none."""
        with self._writing() as connection:
            reads.write(connection, self._statements, commit)

    def load_reads(self) -> reads.LoadedReads:
        """Close what the process before left open in the log of reads, and give what to go on from."""
        with self._writing() as connection:
            return reads.load(connection)

    def reads_of(
        self, unit: str, since: datetime, until: datetime, *, before: int | None, limit: int
    ) -> list[reads.ReadBy]:
        """Which partners could see a unit in a window, newest first, at most `limit`, from before a number on."""
        with self._reading() as connection:
            return reads.read_of(connection, unit, (since, until), (before, limit))

    def drop_reads(self, unit: str, before: datetime, limit: int) -> int:
        """Delete what was seen of a unit, where that ended before a moment, at most `limit` rows. Returns how many."""
        with self._writing() as connection:
            return reads.drop(connection, unit, before, limit)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turn, naming_failures(self._place), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with naming_failures(self._place), self._engine.begin() as connection:
            yield connection


def _last_watermarks(rows: list[Watermark]) -> list[tuple[Any, ...]]:
    return [watermark_cells(row) for row in {(row.device, row.stream, row.queue): row for row in rows}.values()]


def _event(row: Any) -> EventRow:
    return EventRow(**row._mapping)


def _watermark(row: Any) -> Watermark:
    return Watermark(**row._mapping)


def _latest_refusals() -> Select[Any]:
    """Take the latest refusals of each queue, out of the newest `REFUSED_READ_MAX`: a start must not wait for more."""
    queue = (refused.c.device, refused.c.stream, refused.c.queue)
    newest_id = select(func.max(refused.c.id)).scalar_subquery()
    place = func.row_number().over(partition_by=queue, order_by=refused.c.seq.desc()).label("place")
    rows = select(*queue, refused.c.seq, refused.c.reason, place)
    rows = rows.where(refused.c.seq.is_not(None), refused.c.id > newest_id - REFUSED_READ_MAX)
    latest = rows.subquery()
    columns = [column for column in latest.c if column.name != "place"]
    return select(*columns).where(latest.c.place <= REFUSED_KEPT).order_by(*columns[:4])


def _history(unit: str, before: int | None, limit: int) -> Select[Any]:
    """Walk from the unit's tail, or from the event before `before`, along `prev`, always to a smaller id."""
    if before is None:
        first = select(event.c.id).join(tail, tail.c.event_id == event.c.id).where(tail.c.unit == unit)
    else:
        first = select(event.c.prev.label("id")).where(event.c.id == before, event.c.unit == unit)
    start = first.add_columns(literal(1).label("place")).subquery()
    chain = select(event.c.id, event.c.prev, start.c.place).join(start, start.c.id == event.c.id)
    walk = chain.cte("walk", recursive=True)
    further = select(event.c.id, event.c.prev, walk.c.place + 1)
    step = further.where(event.c.id == walk.c.prev, event.c.id < walk.c.id, walk.c.place < limit)
    walk = walk.union_all(step)
    return select(event).join(walk, walk.c.id == event.c.id).order_by(event.c.id.desc()).limit(limit)
