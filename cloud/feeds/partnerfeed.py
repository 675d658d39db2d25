"""A partner's feed as bytes: its own cursor, its own ticks, and nothing that no agreement opens. Pure."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from cloud.feeds.encoder import Encoder
from cloud.feeds.feed import CURSOR_DIGITS_MAX, LOST_AFTER_S, QUIET_S, SNAPSHOT_PART_RECORDS
from cloud.feeds.views import Update, Views
from cloud.fleet.clocks import Moment
from wire.events import Instant
from wire.feed import AlarmView, Tick
from wire.partner import PartnerAlarm, PartnerAlarms

GONE_KEPT = 5_000
"""Units that have gone and are remembered, for a client that comes back and still holds them."""

_encode = msgspec.json.Encoder().encode


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    at: Instant
    cursor: int
    records: tuple[msgspec.Raw, ...]
    gone: tuple[str, ...]


class _Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    at: Instant
    epoch: str
    cursor: int
    part: int
    parts: int
    tick_ms: int
    lost_after_s: float
    partner: str
    records: tuple[msgspec.Raw, ...]


class Emergencies:
    """The emergencies that stand, by unit, seen by a partner or not."""

    def __init__(self) -> None:
        """None is known yet."""
        self._active: dict[str, tuple[AlarmView, ...]] = {}

    def note(self, alarms: Iterable[AlarmView]) -> list[AlarmView]:
        """Note alarms that changed, and give those of them that are a unit's emergencies."""
        found = [alarm for alarm in alarms if alarm.kind == "emergency" and alarm.unit is not None]
        for alarm in found:
            assert alarm.unit is not None
            others = tuple(one for one in self._active.get(alarm.unit, ()) if one.alarm != alarm.alarm)
            self._active[alarm.unit] = (*others, alarm) if alarm.active else others
            if not self._active[alarm.unit]:
                del self._active[alarm.unit]
        return found

    def of(self, unit: str) -> tuple[AlarmView, ...]:
        """Give a unit's."""
        return self._active.get(unit, ())


class Sources(msgspec.Struct, frozen=True):
    """What every partner's feed is made from."""

    views: Views
    encoder: Encoder
    emergencies: Emergencies
    epoch: str
    tick_ms: int


class PartnerFeed:
    """One partner's feed. Its cursor counts its own events, so that it tells nothing of anybody else's."""

    def __init__(self, partner: str, sources: Sources, now: Moment) -> None:
        """Begin with what the partner sees now."""
        self.partner = partner
        self._views, self._encoder, self._emergencies = sources.views, sources.encoder, sources.emergencies
        self._epoch = _epoch_of(sources.epoch, partner, now)
        self._tick_ms = sources.tick_ms
        self._spoke_s = now.mono_s
        self.cursor = 0
        self._changed = dict.fromkeys(self._views.seen_by(partner), 0)
        self._alarmed = {unit for unit in self._changed if self._may_see_alarms(unit)}
        """The units whose emergencies it sees."""
        self._gone: dict[str, int] = {}
        self._forgotten = -1
        """The newest cursor of a unit that has gone and is not remembered any more."""
        self._alarms_cursor = 0
        """The newest cursor of an emergency that was told, or that is no longer to be seen."""
        self._waiting: dict[str, AlarmView] = {}
        self._left_out: set[str] = set()
        """Units that somebody who came since the last tick was not given: they were closed just then."""

    def tick(self, now: Moment, update: Update) -> bytes | None:
        """Give the event for this tick: what changed, or a sign of life, or nothing yet."""
        if not update.records and not update.gone and not self._waiting:
            if now.mono_s - self._spoke_s + self._tick_ms / 1000 < QUIET_S:
                return None
            self._spoke_s = now.mono_s
            return self._event("tick", _encode(Tick(at=now.utc, cursor=self.cursor)))
        self._spoke_s = now.mono_s
        self.cursor += 1
        self._take_in(update)
        event = self._changes(self._encoder.encode(update.records, now), update.gone, now)
        alarms = [alarm for one in update.records for alarm in self._newly_seen(one.record.unit)]
        alarms += [self._alarm(alarm) for alarm in self._waiting.values() if alarm.unit in self._alarmed]
        self._waiting.clear()
        self._left_out.clear()
        if not alarms:
            return event
        self._alarms_cursor = self.cursor
        return _without_id(event) + self._alarms_event(alarms, now)

    def show_alarms(self, alarms: Iterable[AlarmView], now: Moment) -> bytes | None:
        """Give the event for emergencies that changed, at once; None where none is this partner's to see.

        One of a unit that has just been closed to it, since the last tick, waits for the next: it may be opened again.
        """
        told = []
        for alarm in alarms:
            if alarm.unit in self._alarmed:
                if self._is_open(alarm.unit, now) and alarm.unit not in self._left_out:
                    self._waiting.pop(alarm.alarm, None)
                    told.append(self._alarm(alarm))
                else:
                    self._waiting[alarm.alarm] = alarm
        if not told:
            return None
        self.cursor += 1
        self._alarms_cursor = self.cursor
        return self._alarms_event(told, now)

    def since(self, last_event_id: str, now: Moment) -> list[bytes]:
        """Give what a client needs that saw `last_event_id`: what changed since, or the whole view.

        The whole view also where emergencies have come, ended or gone out of sight since: they are few, and a client
        must not go on showing one that is over.
        """
        epoch, _, cursor = last_event_id.rpartition("-")
        known = epoch == self._epoch and cursor.isdecimal() and len(cursor) <= CURSOR_DIGITS_MAX
        if not known or not self._forgotten <= int(cursor) <= self.cursor:
            return self.snapshot(now)
        seen = int(cursor)
        if seen < self._alarms_cursor:
            return self.snapshot(now)
        missed = sorted(unit for unit, changed in self._changed.items() if changed > seen)
        gone = tuple(sorted(unit for unit, left in self._gone.items() if left > seen))
        return [self._changes(self._give(missed, now), gone, now)]

    def snapshot(self, now: Moment) -> list[bytes]:
        """Give the whole view, in parts, then every emergency of it. Only the last event has an id."""
        records = self._give(sorted(self._changed), now)
        starts = range(0, max(1, len(records)), SNAPSHOT_PART_RECORDS)
        events = []
        for part, start in enumerate(starts, 1):
            body = _Snapshot(
                at=now.utc,
                epoch=self._epoch,
                cursor=self.cursor,
                part=part,
                parts=len(starts),
                tick_ms=self._tick_ms,
                lost_after_s=LOST_AFTER_S,
                partner=self.partner,
                records=records[start : start + SNAPSHOT_PART_RECORDS],
            )
            events.append(self._event("snapshot", _encode(body)))
        alarms = []
        for alarm in [alarm for unit in sorted(self._alarmed) for alarm in self._emergencies.of(unit)]:
            if self._is_open(alarm.unit, now):
                alarms.append(self._alarm(alarm))
            else:
                self._waiting.setdefault(alarm.alarm, alarm)
        if alarms:
            events.append(self._alarms_event(alarms, now))
        return [*map(_without_id, events[:-1]), events[-1]]

    def _give(self, units: Sequence[str], now: Moment) -> tuple[msgspec.Raw, ...]:
        """Give units as they may be seen at this very moment, to somebody who goes on from there."""
        shown = list(self._views.give(self.partner, units, now))
        self._left_out |= set(units) - {one.record.unit for one in shown}
        return self._encoder.encode(shown, now)

    def _newly_seen(self, unit: str) -> list[PartnerAlarm]:
        """Give a unit's emergencies where they have just been opened; note where they no longer are."""
        if not self._may_see_alarms(unit):
            if unit in self._alarmed:
                self._lose_alarms(unit)
            return []
        if unit in self._alarmed:
            return []
        self._alarmed.add(unit)
        return [self._alarm(alarm) for alarm in self._emergencies.of(unit)]

    def _may_see_alarms(self, unit: str) -> bool:
        grants = self._views.grants(self.partner, unit)
        return grants is not None and "alarms" in grants.fields

    def _take_in(self, update: Update) -> None:
        """Note what changed, under the cursor that it is told with."""
        for unit in update.gone:
            self._changed.pop(unit, None)
            self._lose_alarms(unit)
            self._gone[unit] = self.cursor
        for one in update.records:
            self._gone.pop(one.record.unit, None)
            self._changed[one.record.unit] = self.cursor
        while len(self._gone) > GONE_KEPT:
            self._forgotten = max(self._forgotten, self._gone.pop(next(iter(self._gone))))

    def _lose_alarms(self, unit: str) -> None:
        self._alarmed.discard(unit)
        if self._emergencies.of(unit):
            self._alarms_cursor = self.cursor

    def _is_open(self, unit: str | None, now: Moment) -> bool:
        """Whether a unit's emergencies are opened at this very moment."""
        grants = self._views.opened(self.partner, unit, now) if unit is not None else None
        return grants is not None and "alarms" in grants.fields

    def _alarm(self, alarm: AlarmView) -> PartnerAlarm:
        assert alarm.unit is not None
        return PartnerAlarm(
            alarm=hashlib.sha256(f"{self.partner}\0{alarm.alarm}".encode()).hexdigest()[:20],
            unit=alarm.unit,
            callsign=alarm.callsign,
            text=f"{alarm.callsign}: emergency button",
            raised_at=alarm.raised_at,
            acknowledged_at=alarm.acknowledged_at,
            cancelled_at=alarm.cancelled_at,
            active=alarm.active,
        )

    def _changes(self, records: tuple[msgspec.Raw, ...], gone: tuple[str, ...], now: Moment) -> bytes:
        body = _Changes(at=now.utc, cursor=self.cursor, records=records, gone=gone)
        return self._event("changes", _encode(body))

    def _alarms_event(self, alarms: Sequence[PartnerAlarm], now: Moment) -> bytes:
        return self._event("alarms", _encode(PartnerAlarms(at=now.utc, cursor=self.cursor, alarms=tuple(alarms))))

    def _event(self, kind: str, data: bytes) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self._epoch.encode(), self.cursor, kind.encode(), data)


def _epoch_of(epoch: str, partner: str, now: Moment) -> str:
    """Name an epoch of one partner's feed: an organisation that is a partner again begins another."""
    return hashlib.sha256(f"{epoch}\0{partner}\0{now.mono_s}".encode()).hexdigest()[:12]


def _without_id(event: bytes) -> bytes:
    return event.partition(b"\n")[2]
