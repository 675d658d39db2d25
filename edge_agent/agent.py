"""The agent, composed: the whole data path in order. The only supervisor on the device.

gpsd ──┐                                         ┌─▶ outbox (disk) ─▶ link ─▶ broker
panel ─┴─▶ readings ─▶ vehicle (pure) ─▶ effects ┤        │             │
  ▲ ▲                                            └─▶ lamps ◀────────────┴── settle, control's state
  │ └─────────────────── lamps, notice ────────────────┘                │
glass (the touch page) ─▶ turnout ◀── commands ─────────────────────────┘
                            │ ▲
                   outputs  ▼ │  points
                          Modbus lines
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

import structlog

from edge_agent.actuators.lamps import Lamps
from edge_agent.around import Surroundings, look_around
from edge_agent.building import Account, Building, Hands, Told, make_link, make_vehicle
from edge_agent.building.busyness import Busyness
from edge_agent.clock import Clock
from edge_agent.config import Button, Config
from edge_agent.config.inputs import POWER_FAIL
from edge_agent.decode.readings import Fix, Press, Reading
from edge_agent.glass import Reach, lamp_name
from edge_agent.link import NewStream
from edge_agent.outbox import OutboxKeeper, OutboxLimits, StorageFailed, Stored
from edge_agent.outbox.file import Draft
from edge_agent.state import privacy
from edge_agent.state import vehicle as vehicles
from edge_agent.state.events import Stamp, input_event, position_event, status_event
from edge_agent.state.lamps import Lamp
from edge_agent.state.vehicle import Declare, Effect, Now, ReportFix, ReportInput
from edge_agent.watchdog import Question, Watchdog, disk_of, status_line, through
from wire.messages import Command, QueueSettle, State

_log = structlog.get_logger("agent")

FIXES_WAITING_MAX = 1_000
"""Readings that may wait while the disk is slow; past it a fix is dropped. A press never is."""
TRACK_GROUP_S = 1.0
"""Track records are committed in groups, within this long."""
TRACK_WAITING_MAX = 600
"""Track records that wait for a disk that fails; past it the oldest is dropped."""
TICK_S = 1.0
TIDY_S = 30.0
STATUSES_SHOWN_MAX = 100


class Agent:
    """One vehicle's or station's agent. Make it, then `run` it until it is cancelled."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        around: Surroundings | None = None,
        watchdog: Watchdog | None = None,
    ) -> None:
        """Claim the state folder and open the outbox. Raises `Fatal`, in one line, where that cannot be.

        Where it is not told what is `around` it, that is what its configuration names on this machine. Without a
        `watchdog` nobody is told that it is alive.
        """
        self._config = config
        self._clock = clock
        self._jitter = jitter
        self._readings: asyncio.Queue[Reading | Question] = asyncio.Queue()
        self._watchdog = watchdog or Watchdog(clock, {})
        self._track: list[tuple[Fix | None, Draft]] = []
        self._track_flushed_s = -TRACK_GROUP_S
        self._busy = False
        self._declared = privacy.NOTHING_DECLARED
        self._busyness = Busyness(config)
        self.fixes_dropped = 0
        limits = OutboxLimits(track_max_rows=config.outbox.track_max_rows, reserve_kib=config.outbox.reserve_kib)
        events = frozenset(one.code for scheme in config.schemes.values() for one in scheme.codes if one.event)
        self._keeper = OutboxKeeper(Path(config.device.state_dir), config.device.enrolment, limits, events)
        self._vehicle = make_vehicle(config)
        self._around = around or look_around(config, clock, jitter)
        hands = Hands(append=self._append, stamp=self._stamp, emit=self._emit)
        self._building = Building(config, self._around, hands, clock)
        glass = {lamp_name(one.unit, one.code): one for card in config.cards.values() for one in card.values()}
        self._buttons = {**config.buttons, **glass}
        self._lamps = Lamps(config.device.id, self._buttons, self._show)
        self._building.open_glass(
            lambda turnout, notebook, swapping: Reach(
                lamps=self._lamps,
                turnout=turnout,
                notebook=notebook,
                declare=self._commit_press,
                append=self._append,
                stream=lambda: self._keeper.stream,
                swapping=swapping,
                stamp=self._stamp,
                standing=lambda: self._account.standing(),
            )
        )
        self._link = make_link(config, self._keeper, clock, self._around.connect)
        self._told = Told(
            around=self._around,
            building=self._building,
            keeper=self._keeper,
            lamps=self._lamps,
            link=self._link,
            vehicle=lambda: self._vehicle,
            fixes_dropped=lambda: self.fixes_dropped,
            busy=self._why_busy,
        )
        self._account = Account(config, self._told, clock)

    @property
    def is_settled(self) -> bool:
        """Whether everything that was read has been committed here and settled by the cloud."""
        waiting = self._keeper.depth.status + self._keeper.depth.track + len(self._track)
        return waiting == 0 and self._readings.empty() and not self._busy

    @property
    def newest_gnss_time(self) -> datetime | None:
        """The receiver's time of the newest fix that was taken in."""
        return self._vehicle.fix.gnss_time if self._vehicle.fix is not None else None

    async def run(self) -> None:
        """Read, keep, send and show until cancelled. Raises only what a person must mend."""
        try:
            await self._restart_lamps()
            await self._building.look_at_disk()
            async with asyncio.TaskGroup() as tasks:
                for source in (self._around.receiver, self._around.panel, self._around.inputs):
                    if source is not None:
                        tasks.create_task(source.run(self._emit))
                tasks.create_task(self._fold())
                tasks.create_task(self._tick())
                probes = {"fold": through(self._readings.put_nowait), "disk": disk_of(self._keeper)}
                tasks.create_task(self._watchdog.run(probes, lambda: status_line(self._account.look())))
                self._building.start(tasks)
                self._account.start(tasks)
                tasks.create_task(self._link.run(self._account.describe, self._receive, self._jitter))
        finally:
            await self._building.close()
            await self._keeper.close()

    def _emit(self, reading: Reading) -> None:
        if isinstance(reading, Fix) and self._readings.qsize() >= FIXES_WAITING_MAX:
            self.fixes_dropped += 1
            return
        self._readings.put_nowait(reading)

    async def _fold(self) -> None:
        """Fold each reading in, and do what follows from it."""
        while True:
            self._busy = False
            reading = await self._readings.get()
            if isinstance(reading, Question):
                reading.set()
                continue
            self._busy = True
            emergency = self._building.emergency
            if emergency is not None and isinstance(reading, Press) and reading.button == emergency.button:
                await emergency.take(reading)
                self._lamps.refresh(self._clock.monotonic())
                continue
            self._vehicle, effects = vehicles.apply(self._vehicle, reading, self._now())
            for effect in effects:
                await self._do(effect)
            if self._track and self._clock.monotonic() - self._track_flushed_s >= TRACK_GROUP_S:
                await self._flush_track()

    async def _do(self, effect: Effect) -> None:
        match effect:
            case Declare(button):
                await self._declare(button)
            case ReportFix(fix) if not privacy.is_private(self._declared, self._building.units):
                self._hold_track([*self._track, (fix, partial(position_event, self._stamp(), fix))])
            case ReportInput(value):
                self._hold_track([*self._track, (None, partial(input_event, self._stamp(), value))])
                if value.name == POWER_FAIL:  # what runs on a hold-up store may have seconds
                    await self._flush_track()

    async def _declare(self, button: str) -> None:
        """Commit a press of the panel's."""
        await self._commit_press(button, self._config.buttons[button])

    async def _commit_press(self, lamp: str, meaning: Button) -> bool:
        """Commit a press. Only when it is on disk does its lamp say so."""
        said = self._building.meaning_of(meaning)
        if said is None:
            _log.error("press_in_other_codes", button=lamp)
            self._lamps.press(lamp, None, self._clock.monotonic())
            return False
        meaning = said
        draft = partial(status_event, self._stamp(), meaning.unit, meaning.scheme, meaning.code)
        try:
            stored = await self._keeper.append("status", [draft], standing=not meaning.event)
        except StorageFailed as error:
            _log.error("press_not_stored", button=lamp, cause=str(error))
            self._lamps.press(lamp, None, self._clock.monotonic(), said=meaning)
            return False
        if not meaning.event:
            self._note_declared(meaning.unit, meaning.scheme, meaning.code)
        self._lamps.press(lamp, stored[0].seq, self._clock.monotonic(), said=meaning)
        self._link.committed("status")
        _log.info("press_stored", unit=meaning.unit, code=meaning.code, seq=stored[0].seq)
        return True

    def _note_declared(self, unit: str, scheme: str, code: str) -> None:
        self._busyness.note(unit, scheme=scheme, code=code)
        self._declared = privacy.note(self._declared, self._config.schemes, unit, scheme=scheme, code=code)

    async def _append(self, drafts: Sequence[Draft]) -> int:
        """Commit what is no press to the status queue. Raises `StorageFailed`."""
        stored = await self._keeper.append("status", drafts)
        self._link.committed("status")
        return stored[-1].seq

    def _hold_track(self, records: list[tuple[Fix | None, Draft]]) -> None:
        """Hold the newest of these until they are committed."""
        self._track = records[-TRACK_WAITING_MAX:]

    async def _flush_track(self) -> None:
        group, self._track = self._track, []
        self._track_flushed_s = self._clock.monotonic()
        try:
            stored = await self._keeper.append("track", [draft for _, draft in group])
        except StorageFailed:
            self._hold_track([*group, *self._track])
            return
        for (fix, _), record in zip(group, stored, strict=True):
            if fix is not None:
                self._vehicle = vehicles.note_position_committed(self._vehicle, fix, record.seq)
        self._link.committed("track")

    async def _tick(self) -> None:
        """Do what time alone asks for."""
        tidied_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(TICK_S)
            now = self._now()
            self._vehicle, stuck = vehicles.note_stuck(self._vehicle, now)
            for button in stuck:
                _log.warning("button_stuck", button=button)
            self._vouch(now)
            self._lamps.expire(now.utc, now.mono_s)
            self._building.refresh()
            if self._track:
                await self._flush_track()
            if now.mono_s - tidied_s >= TIDY_S:
                tidied_s = now.mono_s
                await self._tidy()

    async def _tidy(self) -> None:
        try:
            await self._keeper.tidy()
        except StorageFailed:
            pass  # said once by the keeper, and in every heartbeat
        await self._building.look_at_disk()

    async def _restart_lamps(self) -> None:
        for one in (await self._keeper.held()).current:
            self._note_declared(one.unit, one.scheme, one.code)
        unsettled = await self._keeper.unsettled_statuses(STATUSES_SHOWN_MAX)
        self._restart(unsettled, self._keeper.stream)

    def _restart(self, unsettled: Sequence[Stored], stream: str) -> None:
        self._building.restart(unsettled, stream=stream)
        self._serve_lamps()
        self._lamps.restart(unsettled, stream=stream, now_s=self._clock.monotonic())

    def _receive(self, word: QueueSettle | State | Command | NewStream) -> None:
        now = self._now()
        self._vouch(now)
        match word:
            case State():
                if self._building.emergency is not None and self._lamps.is_in_order(word):
                    self._building.emergency.hear(word)
                if self._lamps.hear(word, utc=now.utc, now_s=now.mono_s):
                    self._building.hear(word)
                    self._serve_lamps()
            case NewStream():
                self._restart(word.unsettled, word.stream)
            case Command():
                self._building.turnout.take(word)
            case QueueSettle(queue="status"):
                self._building.settle(word)
                self._lamps.settle(word, now.mono_s)
        self._building.refresh()

    def _serve_lamps(self) -> None:
        """Let the lamps stand for the statuses of the unit that the vehicle carries now."""
        served = {name: self._building.meaning_of(button) or button for name, button in self._buttons.items()}
        self._lamps.serve(served, self._clock.monotonic())

    def _vouch(self, now: Now) -> None:
        """Let the panel know how long ago the cloud answered."""
        age_s, heartbeat_s = self._link.answer_age_s, self._config.link.heartbeat_s
        self._lamps.vouch(answer_age_s=age_s, heartbeat_s=heartbeat_s, now_s=now.mono_s)

    def _why_busy(self) -> tuple[str, ...]:
        """Give each reason why the device must not be updated, restarted or reset now."""
        return self._busyness.why(self._told, self._clock.monotonic())

    def _stamp(self) -> Stamp:
        now = self._now()
        return Stamp(
            at=now.utc,
            clock=self._account.clock_source(now.mono_s),
            boot=self._keeper.boot,
            mono_ms=int(now.mono_s * 1000),
        )

    def _show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        if self._around.panel is not None:
            self._around.panel.show(self._building.lamps(lamps), notice)

    def _now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic())
