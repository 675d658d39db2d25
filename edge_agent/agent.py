"""The agent, composed: the whole data path in order. The only task group and the only supervisor on the device.

gpsd ──┐                                         ┌─▶ outbox (disk) ─▶ link ─▶ broker
panel ─┴─▶ readings ─▶ vehicle (pure) ─▶ effects ┤        │             │
  ▲                                              └─▶ lamps ◀────────────┴── settle, control's state
  └──────────────────── lamps, notice ────────────────┘
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from edge_agent.actuators.lamps import Lamps
from edge_agent.clock import Clock, kernel_synchronised
from edge_agent.config import Config
from edge_agent.decode.keys import decode_key
from edge_agent.decode.readings import Fix, Reading
from edge_agent.link import Address, Connect, Description, Link, NewStream, connected
from edge_agent.outbox import OutboxKeeper, OutboxLimits, StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.sources.gpsd import GpsdSource
from edge_agent.sources.gpsd_poll import GpsdPollSource
from edge_agent.sources.panel import PanelBackend
from edge_agent.sources.panel_evdev import EvdevPanel
from edge_agent.sources.panel_scripted import ScriptedPanel
from edge_agent.state import vehicle as vehicles
from edge_agent.state.debounce import Debounce
from edge_agent.state.delivery import DeliveryRules
from edge_agent.state.events import Stamp, input_event, position_event, status_event
from edge_agent.state.lamps import Lamp
from edge_agent.state.reporting import ReportRules
from edge_agent.state.vehicle import Declare, Effect, Now, ReportFix, ReportInput, Vehicle
from wire.messages import ClockSource, QueueSettle, State

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


class Source(Protocol):
    """What readings come from."""

    async def run(self, emit: Callable[[Reading], None], /) -> None:
        """Emit readings until cancelled. It never ends for outside reasons."""
        ...


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the agent touches beside its disk."""

    receiver: Source | None
    panel: PanelBackend | None
    connect: Connect = connected
    synchronised: Callable[[], bool] = kernel_synchronised
    """Whether the wall clock is disciplined by something other than the receiver."""


class Agent:
    """One vehicle's or station's agent. Make it, then `run` it until it is cancelled."""

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        jitter: Callable[[], float] = random.random,
        around: Surroundings | None = None,
    ) -> None:
        """Claim the state folder and open the outbox. Raises `Fatal`, in one line, where that cannot be.

        Where it is not told what is `around` it, that is what its configuration names on this machine.
        """
        self._config = config
        self._clock = clock
        self._jitter = jitter
        self._readings: asyncio.Queue[Reading] = asyncio.Queue()
        self._track: list[tuple[Fix | None, Draft]] = []
        self._track_flushed_s = -TRACK_GROUP_S
        self._busy = False
        self.fixes_dropped = 0
        limits = OutboxLimits(track_max_rows=config.outbox.track_max_rows, reserve_kib=config.outbox.reserve_kib)
        events = frozenset(one.code for scheme in config.schemes.values() for one in scheme.codes if one.event)
        self._keeper = OutboxKeeper(Path(config.device.state_dir), config.device.enrolment, limits, events)
        self._vehicle = _make_vehicle(config)
        self._around = around or _look_around(config, clock, jitter)
        show = self._around.panel.show if self._around.panel is not None else _show_nowhere
        self._lamps = Lamps(config.device.id, config.buttons, show)
        self._software = f"watchroom-{version('watchroom')}"
        self._config_hash = sha256(msgspec.json.encode(config)).hexdigest()[:12]
        self._link = _make_link(config, self._keeper, clock, self._around.connect)

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
            async with asyncio.TaskGroup() as tasks:
                for source in (self._around.receiver, self._around.panel):
                    if source is not None:
                        tasks.create_task(source.run(self._emit))
                tasks.create_task(self._fold())
                tasks.create_task(self._tick())
                tasks.create_task(self._link.run(self._describe, self._receive, self._jitter))
        finally:
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
            self._busy = True
            self._vehicle, effects = vehicles.apply(self._vehicle, reading, self._now())
            for effect in effects:
                await self._do(effect)
            if self._track and self._clock.monotonic() - self._track_flushed_s >= TRACK_GROUP_S:
                await self._flush_track()

    async def _do(self, effect: Effect) -> None:
        match effect:
            case Declare(button):
                await self._declare(button)
            case ReportFix(fix):
                self._hold_track([*self._track, (fix, partial(position_event, self._stamp(), fix))])
            case ReportInput(value):
                self._hold_track([*self._track, (None, partial(input_event, self._stamp(), value))])

    async def _declare(self, button: str) -> None:
        """Commit a press. Only when it is on disk does its lamp say so."""
        meaning = self._config.buttons[button]
        draft = partial(status_event, self._stamp(), meaning.unit, meaning.scheme, meaning.code)
        try:
            stored = await self._keeper.append("status", [draft], standing=not meaning.event)
        except StorageFailed as error:
            _log.error("press_not_stored", button=button, cause=str(error))
            self._lamps.press(button, None, self._clock.monotonic())
            return
        self._lamps.press(button, stored[0].seq, self._clock.monotonic())
        self._link.committed("status")
        _log.info("press_stored", unit=meaning.unit, code=meaning.code, seq=stored[0].seq)

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

    async def _restart_lamps(self) -> None:
        unsettled = await self._keeper.unsettled_statuses(STATUSES_SHOWN_MAX)
        self._lamps.restart(unsettled, stream=self._keeper.stream, now_s=self._clock.monotonic())

    def _receive(self, word: QueueSettle | State | NewStream) -> None:
        now = self._now()
        self._vouch(now)
        match word:
            case State():
                self._lamps.hear(word, utc=now.utc, now_s=now.mono_s)
            case NewStream():
                self._lamps.restart(word.unsettled, stream=word.stream, now_s=now.mono_s)
            case QueueSettle(queue="status"):
                self._lamps.settle(word, now.mono_s)

    def _vouch(self, now: Now) -> None:
        """Let the panel know how long ago the cloud answered."""
        age_s, heartbeat_s = self._link.answer_age_s, self._config.link.heartbeat_s
        self._lamps.vouch(answer_age_s=age_s, heartbeat_s=heartbeat_s, now_s=now.mono_s)

    def _describe(self) -> Description:
        now_s = self._clock.monotonic()
        dropped = f"{self.fixes_dropped} fixes dropped since the start: the disk is too slow for them"
        dropped = dropped if self.fixes_dropped else ""
        faults = (self._keeper.fault, self._link.fault, dropped, *self._vehicle.faults.values())
        return Description(
            interval_s=self._config.link.heartbeat_s,
            clock=self._clock_source(now_s),
            faults=tuple(fault for fault in faults if fault),
            position=vehicles.position_age(self._vehicle, now_s),
            software=self._software,
            config_hash=self._config_hash,
            state=self._lamps.state_held,
        )

    def _clock_source(self, now_s: float) -> ClockSource:
        return vehicles.clock_source(self._vehicle, self._around.synchronised(), now_s)

    def _stamp(self) -> Stamp:
        now = self._now()
        return Stamp(
            at=now.utc,
            clock=self._clock_source(now.mono_s),
            boot=self._keeper.boot,
            mono_ms=int(now.mono_s * 1000),
        )

    def _now(self) -> Now:
        return Now(self._clock.now(), self._clock.monotonic())


def _show_nowhere(_lamps: Mapping[str, Lamp], _notice: str) -> None:
    """Show lamps to nobody: this device has no panel."""


def _make_vehicle(config: Config) -> Vehicle:
    report = config.report
    rules = ReportRules(
        moving_s=report.moving_s,
        parked_s=report.parked_s,
        turn_deg=report.turn_deg,
        distance_m=report.distance_m,
        parked_speed_mps=report.parked_speed_mps,
        parked_hold_m=report.parked_hold_m,
        every_fix=report.every_fix,
    )
    debounce_s = config.panel.debounce_ms / 1000 if config.panel else 0.03
    return Vehicle(rules=rules, debounce=Debounce(debounce_s))


def _make_link(config: Config, keeper: OutboxKeeper, clock: Clock, connect: Connect) -> Link:
    address = Address(
        host=config.link.host,
        port=config.link.port,
        keepalive_s=config.link.keepalive_s,
        organisation=config.device.organisation,
        device=config.device.id,
    )
    rules = DeliveryRules(heartbeat_s=config.link.heartbeat_s, settle_timeout_s=config.link.settle_timeout_s)
    return Link(address, rules, keeper=keeper, clock=clock, connect=connect)


def _look_around(config: Config, clock: Clock, jitter: Callable[[], float]) -> Surroundings:
    return Surroundings(receiver=_make_gpsd(config, clock, jitter), panel=_make_panel(config, clock, jitter))


def _make_gpsd(config: Config, clock: Clock, jitter: Callable[[], float]) -> GpsdSource | GpsdPollSource | None:
    if config.gpsd is None:
        return None
    gpsd = config.gpsd
    if gpsd.poll:
        return GpsdPollSource(gpsd.host, gpsd.port, clock=clock, silent_after_s=gpsd.silent_after_s)
    return GpsdSource(gpsd.host, gpsd.port, clock=clock, silent_after_s=gpsd.silent_after_s, jitter=jitter)


def _make_panel(config: Config, clock: Clock, jitter: Callable[[], float]) -> PanelBackend | None:
    panel = config.panel
    if panel is None:
        return None
    if panel.backend == "scripted":
        return ScriptedPanel(panel.path, buttons=panel.buttons, clock=clock, jitter=jitter)
    keys = {code: button for name, button in panel.keys.items() if (code := decode_key(name)) is not None}
    return EvdevPanel(panel.path, keys=keys, leds=panel.leds, clock=clock, jitter=jitter)
