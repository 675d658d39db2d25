"""The alarms that are active: shown at once as devices tell of them, ended by people. One owner, one event loop.

What raises and clears them is in the ledger's events, and who acknowledged or cancelled which in its alarm log: from
both a start knows again what was active, as far back as a week, and for how long nobody has had it in hand.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import msgspec
import structlog

from cloud.clock import Clock
from cloud.desk.hearing import Hearing
from cloud.desk.lamps import Lamps
from cloud.desk.ports import Recorded
from cloud.directory import InForce
from cloud.dispatch.alarm import AccessOpened, Acknowledgement, Alarm, Cancellation, view
from cloud.dispatch.alarms import Register
from cloud.fleet.clocks import Moment
from cloud.fleet.paths import PathFailure
from cloud.ledger import AlarmLogRow, Ledger
from wire import codec
from wire.events import Mode
from wire.feed import AlarmView
from wire.messages import AcknowledgedEmergency

REMEMBERED = timedelta(days=7)
READ_ROWS = 5_000
"""Events read at once at a start."""
TICK_S = 0.25
"""How often it is looked at which emergencies nobody has in hand for too long."""

_T = TypeVar("_T")
_log = structlog.get_logger("alarms")


def _live(_unit: str) -> Mode:
    """Control has put no unit in another mode."""
    return "live"


@dataclass(frozen=True, kw_only=True)
class AlarmPorts:
    """The ways out, and what ingest knows."""

    show: Callable[[tuple[AlarmView, ...]], None]
    """Shows alarms that changed to everybody who watches."""
    tell_state: Callable[[str], None]
    """Tells a device what control believes, now."""
    ordinal: Callable[[str, str], int | None]
    """Which of a device's streams one is, counting up; None for one that was never heard."""
    mode_of: Callable[[str], Mode] = _live
    """The mode that control has put a unit in."""


class AlarmTaken(msgspec.Struct, frozen=True):
    """Somebody else has the alarm in hand, or has ended it, already."""

    view: AlarmView


class NotInHand(msgspec.Struct, frozen=True):
    """The alarm can't be cancelled: nobody has it in hand, or it is no emergency."""

    view: AlarmView


class Alarms:
    """Holds the alarms, and takes who acknowledges and who cancels them."""

    def __init__(self, in_force: InForce, ledger: Ledger, ports: AlarmPorts, *, clock: Clock) -> None:
        """Know again what was active, and show it. Raises what the ledger does."""
        self._ledger, self._ports, self._clock = ledger, ports, clock
        self._hearing = Hearing(in_force, ports.ordinal, ports.mode_of)
        self._pen = asyncio.Lock()
        self._working: set[asyncio.Task[Any]] = set()
        since = clock.now() - REMEMBERED
        log = ledger.alarm_log(since)
        taken = [Acknowledgement(row.alarm, row.by, row.at) for row in log if row.kind == "acknowledged"]
        ended = [Cancellation(row.alarm, row.by, row.reason, row.at) for row in log if row.kind == "cancelled"]
        self._register = Register(taken, ended)
        self._lamps = Lamps(self._register.find)
        self._catch_up(ledger.last_event_before(since))
        for one in taken:
            alarm = self._register.find(one.alarm)
            if alarm is not None:
                self._lamps.note(alarm)
        self._register.pass_time(clock.monotonic())
        self._show(self._register.active())

    def on_events(self, recorded: Sequence[Recorded]) -> None:
        """Fold in what devices told, and show what changed. An emergency ahead of its queue counts at once."""
        changed: dict[str, Alarm] = {}
        now = self._moment()
        for one in recorded:
            heard = self._hearing.hear(one.row, one.event, now)
            for alarm in self._register.take(heard) if heard is not None else ():
                changed[alarm.id] = alarm
                _log.warning("alarm", alarm=alarm.id, kind=alarm.kind, name=alarm.name, active=alarm.active)
        self._show(changed.values())

    def path(self, failure: PathFailure | None, now: Moment) -> None:
        """Take in whether many units are silent together now. To be told whenever that may have changed."""
        if failure is None:
            self._show(self._register.path_over(now.utc))
        else:
            self._show(self._register.path(failure.units, failure.share, failure.since))

    def access(self, opened: AccessOpened) -> None:
        """Show that a partner opened emergency access, or that it is over. It stays until somebody has seen it."""
        self._show(self._register.access(opened))

    def step(self) -> None:
        """Let time pass: escalate what nobody has in hand."""
        escalated = self._register.pass_time(self._clock.monotonic())
        for alarm in escalated:
            _log.error("emergency_in_nobodys_hand", alarm=alarm.id, escalation=alarm.escalation)
        self._show(escalated)

    async def run(self) -> None:
        """Keep the time of what nobody has in hand, until cancelled."""
        while True:
            self.step()
            await self._clock.sleep(TICK_S)

    async def acknowledge(self, alarm_id: str, by: str) -> AlarmView | AlarmTaken | None:
        """Note, durably, that a person has an alarm in hand, and tell its device. None where there is no such alarm.

        It goes on to its end although whoever asked may go away meanwhile. Raises what the ledger does.
        """
        return await self._finish(self._acknowledge(alarm_id, by))

    async def cancel(self, alarm_id: str, by: str, reason: str) -> AlarmView | AlarmTaken | NotInHand | None:
        """End an emergency that somebody has in hand, durably, and tell its device. None where there is none such.

        The same request again is answered alike. It goes on to its end, and raises what the ledger does.
        """
        return await self._finish(self._cancel(alarm_id, by, reason))

    def active(self) -> tuple[AlarmView, ...]:
        """Every alarm that is to be shown, in the order in which they were heard."""
        return tuple(map(view, self._register.active()))

    def acknowledged(self, device: str, now: Moment) -> Sequence[AcknowledgedEmergency]:
        """Give a device's emergencies that somebody has in hand or has cancelled lately, oldest first."""
        return self._lamps.of(device, now.utc)

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
        return self._tell("alarm_acknowledged", alarm)

    async def _cancel(self, alarm_id: str, by: str, reason: str) -> AlarmView | AlarmTaken | NotInHand | None:
        async with self._pen:
            alarm = self._register.find(alarm_id)
            if alarm is None:
                return None
            known = alarm.cancelled
            if known is not None:
                return view(alarm) if (known.by, known.reason) == (by, reason) else AlarmTaken(view(alarm))
            if alarm.kind != "emergency" or alarm.acknowledged is None:
                return NotInHand(view(alarm))
            what = Cancellation(alarm_id, by, reason, self._clock.now())
            row = AlarmLogRow(alarm=alarm_id, at=what.at, kind="cancelled", by=by, reason=reason)
            await asyncio.to_thread(self._ledger.commit_alarm_log, row)
            alarm = self._register.cancel(what)
        return self._tell("alarm_cancelled", alarm)

    def _tell(self, what: str, alarm: Alarm | None) -> AlarmView | None:
        """Tell everybody what a person did with an alarm, and its device."""
        if alarm is None:
            return None  # it was over, and so much else was that it is forgotten
        _log.info(what, alarm=alarm.id, kind=alarm.kind)
        self._show([alarm])
        if self._lamps.note(alarm):
            self._ports.tell_state(alarm.device)
        return view(alarm)

    def _catch_up(self, after: int) -> None:
        """Fold in what the ledger holds."""
        now, codes = self._moment(), self._hearing.codes()
        while rows := self._ledger.alarm_events_after(after, codes, READ_ROWS):
            for row in rows:
                event = codec.decode_event(row.body)
                heard = None if isinstance(event, codec.Rejected) else self._hearing.hear(row, event, now)
                if heard is not None:
                    self._register.take(heard)
            after = rows[-1].id

    def _show(self, alarms: Iterable[Alarm]) -> None:
        shown = tuple(map(view, alarms))
        if shown:
            self._ports.show(shown)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let `work` go on to its end although whoever waits for it may be cancelled."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)
