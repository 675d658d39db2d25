"""Makes the feed's events as bytes. Pure: the tick and the time come from outside."""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from cloud.feeds.orders import ShownAlarms, ShownOrders
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from wire.feed import Alarms, AlarmView, Changes, Confidence, FeedRecord, Orders, OrderView, Snapshot, Tick

LOST_AFTER_S = 3.0
"""How long a client may hear nothing before it must say that the feed is lost. Stale is to be seen within 2 s of its
threshold; the feed speaks at least once a second."""
QUIET_S = 1.0
"""The longest pause between two events, with a tick to spare: a tick may come a little late."""
SNAPSHOT_PART_RECORDS = 500
CURSOR_DIGITS_MAX = 18

OnShown = Callable[[Moment, tuple[FeedRecord, ...]], None]
"""Whoever is told at each tick what it shows anew, be it nothing."""
OnOrders = Callable[[Moment, tuple[OrderView, ...]], None]
"""Is told of orders that changed, at once."""

_encode = msgspec.json.Encoder().encode


class Shown(msgspec.Struct, frozen=True, gc=False):
    """What is kept of a record that was shown: the record itself is made anew whenever it is asked for."""

    cursor: int
    as_of: datetime
    confidence: Confidence


class Feed:
    """One audience's view of the fleet, with a cursor that only grows within an epoch."""

    def __init__(self, fleet: Fleet, *, epoch: str, owner_term: int, tick_ms: int, now: Moment) -> None:
        """Begin an epoch with a record of every unit."""
        self._fleet = fleet
        self._epoch, self._owner_term, self._tick_ms = epoch, owner_term, tick_ms
        self._orders, self._alarms = ShownOrders(), ShownAlarms()
        self.on_orders: list[OnOrders] = []
        self.on_shown: list[OnShown] = []
        self.cursor = 0
        self._spoke_s = now.mono_s
        known = fleet.take_changed(now)
        made = (fleet.record(unit, 0, known.get(unit, now.utc), now) for unit in fleet.units)
        self._shown = {record.unit: _note(record) for record in made}
        self._whole: tuple[float, int, list[bytes]] = (now.mono_s, -1, [])
        """When the last whole picture was made, with which cursor, and its events."""
        self._leaving, self._left = False, -1
        """Whether units have gone that clients still show, and the cursor with which the last ones were taken away."""

    def tick(self, now: Moment) -> bytes | None:
        """Give the event for this tick: what changed, or a sign of life, or nothing yet; all of it where units went."""
        changed = self._update(now)
        if self._leaving:
            return self._take_away(now)
        if not changed and now.mono_s - self._spoke_s + self._tick_ms / 1000 < QUIET_S:
            return None
        self._spoke_s = now.mono_s
        if changed:
            return self._event("changes", _encode(Changes(at=now.utc, cursor=self.cursor, records=changed)))
        return self._event("tick", _encode(Tick(at=now.utc, cursor=self.cursor)))

    def show_orders(self, orders: tuple[OrderView, ...], now: Moment) -> bytes:
        """Give the event for orders that changed. It doesn't wait for a tick, and vouches for nothing else."""
        self.cursor += 1
        self._orders.show(orders, self.cursor)
        for tell in self.on_orders:
            tell(now, orders)
        return self._orders_event(orders, now)

    def show_alarms(self, alarms: tuple[AlarmView, ...], now: Moment) -> bytes:
        """Give the event for alarms that changed. It doesn't wait for a tick, and vouches for nothing else."""
        self.cursor += 1
        self._alarms.show(alarms, self.cursor)
        return self._alarms_event(alarms, now)

    def records(self, now: Moment) -> tuple[FeedRecord, ...]:
        """Every unit's record, its ages as at `now`."""
        self._let_go(now)
        return tuple(self._fresh(unit, now) for unit in self._shown)

    def shown(self) -> Iterable[Shown]:
        """What is kept of every unit's record as it was last shown. Nothing is made anew."""
        return self._shown.values()

    def record(self, unit: str, now: Moment) -> FeedRecord | None:
        """One unit's record, its ages as at `now`; None for a unit that there is not."""
        self._let_go(now)
        return self._fresh(unit, now) if unit in self._shown else None

    def since(self, last_event_id: str, now: Moment) -> list[bytes]:
        """Give what a client needs that saw `last_event_id`: what changed since, or the whole picture.

        The records are made anew: one that was encoded a while ago would come with ages that are too young.
        """
        epoch, _, cursor = last_event_id.rpartition("-")
        known = epoch == self._epoch and cursor.isdecimal() and len(cursor) <= CURSOR_DIGITS_MAX
        if not known or int(cursor) > self.cursor:
            return self.snapshot(now)
        seen = int(cursor)
        self._let_go(now)
        if self._leaving or seen < self._left:
            return self.snapshot(now)
        alarms, orders = self._alarms.since(seen), self._orders.since(seen)
        if alarms is None or orders is None:
            return self.snapshot(now)
        missed = tuple(self._fresh(unit, now) for unit, shown in self._shown.items() if shown.cursor > seen)
        changes = self._event("changes", _encode(Changes(at=now.utc, cursor=self.cursor, records=missed)))
        told = [*(self._alarms_event(part, now) for part in alarms)]
        told += (self._orders_event(part, now) for part in orders)
        return [*map(_without_id, told), changes]

    def snapshot(self, now: Moment) -> list[bytes]:
        """Give the whole picture, in parts, then every alarm that is active and every order in hand.

        The picture replaces what was held of those too. Only the last event has an id: who is cut off before it must
        get all again. Whoever else comes before the next tick gets the same bytes, for after a restart all come at
        once: its ages are younger by less than a tick.
        """
        self._let_go(now)
        at_s, cursor, events = self._whole
        if cursor == self.cursor and not self._leaving and 0.0 <= now.mono_s - at_s < self._tick_ms / 1000:
            return events
        events = self._make_snapshot(now)
        self._whole = now.mono_s, self.cursor, events
        return events

    def _make_snapshot(self, now: Moment) -> list[bytes]:
        records = self.records(now)
        starts = range(0, max(1, len(records)), SNAPSHOT_PART_RECORDS)
        bodies = [
            _encode(self._part(records[start : start + SNAPSHOT_PART_RECORDS], part, len(starts), now))
            for part, start in enumerate(starts, 1)
        ]
        events = [self._event("snapshot", body) for body in bodies]
        events += (self._alarms_event(part, now) for part in self._alarms.active())
        events += (self._orders_event(part, now) for part in self._orders.active())
        return [*map(_without_id, events[:-1]), events[-1]]

    def _part(self, records: tuple[FeedRecord, ...], part: int, parts: int, now: Moment) -> Snapshot:
        return Snapshot(
            at=now.utc,
            epoch=self._epoch,
            cursor=self.cursor,
            part=part,
            parts=parts,
            tick_ms=self._tick_ms,
            lost_after_s=LOST_AFTER_S,
            owner_term=self._owner_term,
            records=records,
        )

    def _orders_event(self, orders: tuple[OrderView, ...], now: Moment) -> bytes:
        return self._event("orders", _encode(Orders(at=now.utc, cursor=self.cursor, orders=orders)))

    def _alarms_event(self, alarms: tuple[AlarmView, ...], now: Moment) -> bytes:
        return self._event("alarms", _encode(Alarms(at=now.utc, cursor=self.cursor, alarms=alarms)))

    def _let_go(self, now: Moment) -> None:
        """Forget the units that there are no more."""
        for unit in self._fleet.take_gone(now):
            if self._shown.pop(unit, None) is not None:
                self._leaving = True

    def _take_away(self, now: Moment) -> bytes:
        """Give the whole picture, which replaces what clients hold: it is how a unit leaves a board."""
        self._leaving = False
        self.cursor += 1
        self._left = self.cursor
        self._spoke_s = now.mono_s
        return b"".join(self.snapshot(now))

    def _update(self, now: Moment) -> tuple[FeedRecord, ...]:
        self._let_go(now)
        changed = self._fleet.take_changed(now)
        if changed:
            self.cursor += 1
        made = tuple(self._fleet.record(unit, self.cursor, as_of, now) for unit, as_of in changed.items())
        self._shown.update({record.unit: _note(record) for record in made})
        for tell in self.on_shown:
            tell(now, made)
        return made

    def _fresh(self, unit: str, now: Moment) -> FeedRecord:
        known = self._shown[unit]
        return self._fleet.record(unit, known.cursor, known.as_of, now)

    def _event(self, kind: str, data: bytes) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self._epoch.encode(), self.cursor, kind.encode(), data)


def _note(record: FeedRecord) -> Shown:
    return Shown(record.cursor, record.as_of, record.confidence)


def _without_id(event: bytes) -> bytes:
    return event.partition(b"\n")[2]
