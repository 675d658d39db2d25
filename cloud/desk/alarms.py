"""The alarms that are active: shown at once as devices tell of them, ended by people. One owner, one event loop.

What raises and clears them is in the ledger's events, and who acknowledged which in its alarm log: from both a start
knows again what was active, as far back as a week.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from cloud.clock import Clock
from cloud.desk.ports import Recorded
from cloud.desk.requests import station_of
from cloud.directory import Directory
from cloud.dispatch.alarms import Acknowledgement, Alarm, Heard, Register, Whose, view
from cloud.fleet.clocks import Moment
from cloud.ledger import AlarmLogRow, EventRow, Ledger
from wire import codec
from wire.events import AlarmEvent, EmergencyEvent, Event, Origin
from wire.feed import AlarmView
from wire.messages import AcknowledgedEmergency

KINDS = ("emergency", "alarm")
REMEMBERED = timedelta(days=7)
TOLD = timedelta(minutes=10)
"""How long a device is told that its emergency was acknowledged: as long as its lamp is steady for it."""
TOLD_MAX = 20
READ_ROWS = 5_000
"""Events read at once at a start."""

_T = TypeVar("_T")
_log = structlog.get_logger("alarms")


@dataclass(frozen=True, kw_only=True)
class AlarmPorts:
    """The ways out, and what ingest knows."""

    show: Callable[[tuple[AlarmView, ...]], None]
    """Shows alarms that changed to everybody who watches."""
    tell_state: Callable[[str], None]
    """Tells a device what control believes, now."""
    ordinal: Callable[[str, str], int | None]
    """Which of a device's streams one is, counting up; None for one that was never heard."""


class AlarmTaken(msgspec.Struct, frozen=True):
    """Somebody else has the alarm in hand already."""

    view: AlarmView


class Alarms:
    """Holds the alarms, and takes who acknowledges them."""

    def __init__(self, directory: Directory, ledger: Ledger, ports: AlarmPorts, *, clock: Clock) -> None:
        """Know again what was active, and show it. Raises what the ledger does."""
        self._directory, self._ledger, self._ports, self._clock = directory, ledger, ports, clock
        self._pen = asyncio.Lock()
        self._working: set[asyncio.Task[Any]] = set()
        self._told: dict[str, list[Acknowledgement]] = {}
        """Emergencies of each device that were acknowledged lately."""
        since = clock.now() - REMEMBERED
        known = [Acknowledgement(row.alarm, row.by, row.at) for row in ledger.alarm_log(since)]
        self._register = Register(known)
        self._catch_up(ledger.last_event_before(since))
        for one in known:
            self._note_told(self._register.find(one.alarm))
        self._show(self._register.active())

    def on_events(self, recorded: Sequence[Recorded]) -> None:
        """Fold in what devices told, and show what changed. An emergency ahead of its queue counts at once."""
        changed: dict[str, Alarm] = {}
        for one in recorded:
            alarm = self._take(one.row, one.event)
            if alarm is not None:
                changed[alarm.id] = alarm
                _log.warning("alarm", alarm=alarm.id, kind=alarm.kind, name=alarm.name, active=alarm.active)
        self._show(changed.values())

    async def acknowledge(self, alarm_id: str, by: str) -> AlarmView | AlarmTaken | None:
        """Note, durably, that a person has an alarm in hand, and tell its device. None where there is no such alarm.

        It goes on to its end although whoever asked may go away meanwhile. Raises what the ledger does.
        """
        return await self._finish(self._acknowledge(alarm_id, by))

    def active(self) -> tuple[AlarmView, ...]:
        """Every alarm that is to be shown, in the order in which they were heard."""
        return tuple(map(view, self._register.active()))

    def acknowledged(self, device: str, now: Moment) -> Sequence[AcknowledgedEmergency]:
        """Give the emergencies of a device that were acknowledged within `TOLD`, oldest first."""
        known = [one for one in self._told.get(device, ()) if now.utc - one.at < TOLD]
        if not known:
            self._told.pop(device, None)
            return ()
        self._told[device] = known
        alarms = [(one, self._register.find(one.alarm)) for one in known[-TOLD_MAX:]]
        return [
            AcknowledgedEmergency(unit=alarm.whose.unit, stream=alarm.origin.stream, seq=alarm.origin.seq, by=one.by)
            for one, alarm in alarms
            if alarm is not None and alarm.whose.unit is not None
        ]

    async def _acknowledge(self, alarm_id: str, by: str) -> AlarmView | AlarmTaken | None:
        async with self._pen:
            alarm = self._register.find(alarm_id)
            if alarm is None:
                return None
            if alarm.acknowledged is not None:
                return view(alarm) if alarm.acknowledged.by == by else AlarmTaken(view(alarm))
            what = Acknowledgement(alarm_id, by, self._clock.now())
            row = AlarmLogRow(alarm=alarm_id, at=what.at, kind="acknowledged", by=by)
            await asyncio.to_thread(self._ledger.commit_alarm_log, row)
            alarm = self._register.acknowledge(what)
        if alarm is None:
            return None  # it was over, and so much else was that it is forgotten
        _log.info("alarm_acknowledged", alarm=alarm_id, kind=alarm.kind)
        self._show([alarm])
        if self._note_told(alarm):
            self._ports.tell_state(alarm.device)
        return view(alarm)

    def _note_told(self, alarm: Alarm | None) -> bool:
        """Note what a device is to be told of. Tells whether it is anything."""
        if alarm is None or alarm.kind != "emergency" or alarm.acknowledged is None:
            return False
        self._told.setdefault(alarm.device, []).append(alarm.acknowledged)
        return True

    def _catch_up(self, after: int) -> None:
        """Fold in what the ledger holds."""
        while rows := self._ledger.events_after(after, KINDS, READ_ROWS):
            for row in rows:
                event = codec.decode_event(row.body)
                if not isinstance(event, codec.Rejected):
                    self._take(row, event)
            after = rows[-1].id

    def _take(self, row: EventRow, event: Event) -> Alarm | None:
        if not isinstance(event, EmergencyEvent | AlarmEvent):
            return None
        own = (self._ports.ordinal(row.device, row.stream) or 0, row.seq)
        origin = event.origin
        before = self._ports.ordinal(row.device, origin.stream) if origin is not None else None
        place = own if origin is None or before is None else min(own, (before, origin.seq))
        heard = Heard(
            device=row.device,
            name=origin or Origin(row.stream, row.seq),
            place=place,
            event=event,
            at=row.corrected_at,
            proven=row.proven,
            heard_at=row.received_at,
            whose=self._whose(row.device, event),
        )
        return self._register.take(heard)

    def _whose(self, device: str, event: EmergencyEvent | AlarmEvent) -> Whose:
        directory = self._directory
        station = station_of(directory, device)
        if isinstance(event, EmergencyEvent):
            unit = directory.units.get(event.unit)
        else:
            unit = directory.carried_by(device) if station is None else None
        base = station if unit is None else unit.base
        place = directory.bases.get(base) if base is not None else None
        whose = Whose(base=base, base_name="" if place is None else place.name)
        if unit is not None:
            return replace(whose, unit=unit.id, callsign=unit.callsign)
        return replace(whose, unit=event.unit, callsign=event.unit) if isinstance(event, EmergencyEvent) else whose

    def _show(self, alarms: Iterable[Alarm]) -> None:
        shown = tuple(map(view, alarms))
        if shown:
            self._ports.show(shown)

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let `work` go on to its end although whoever waits for it may be cancelled."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)
