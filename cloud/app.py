"""The cloud side in one process: broker, ingest, feed, API and console, composed. The only supervisor here.

devices ─▶ broker ─▶ ingest ─▶ ledger, telemetry
                       ├─▶ fleet ─▶ feed ─▶ API and console ─▶ control rooms
                       └─▶ desk ◀── orders, acknowledgements ── API
                            └─▶ devices
"""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version

import structlog
import uvicorn

from cloud import console
from cloud.api import Process, Site, make_api
from cloud.api.map import read_basemap
from cloud.broker.kept import broker_of
from cloud.clock import Clock
from cloud.config import LOOPBACK, Settings
from cloud.connections import (
    Watching,
    connect_alarms,
    connect_bindings,
    connect_desk,
    connect_memory,
    connect_modes,
    connect_partners,
    record_directory,
)
from cloud.desk import Alarms, Bindings, Desk
from cloud.directory import InForce, Reloader, load
from cloud.durations import Durations
from cloud.feeds import Feed, Listeners
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import Messages, Subscriber
from cloud.ingest.work import Recorded
from cloud.ledger import Ledger
from cloud.memory.counting import Counting
from cloud.memory.past import Past
from cloud.memory.recorder import Recorder
from cloud.memory.retention import Retention
from cloud.memory.terms import forgotten
from cloud.memory.tidying import tidy_days
from cloud.process import claim_folder, listen_on, next_slot, raise_file_limit
from cloud.telemetry import DuckFrames, DuckTelemetry

_log = structlog.get_logger("app")
LOOP_WATCH_S = 0.25
SILENT_S = 45.0
"""A device that speaks as seldom as it may is late after this long; all of them at once are no accident."""


class App:
    """A running Watchroom. Use `run`; `site` and `address` stand once `ready` is set."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        """Nothing starts yet."""
        self._settings = settings
        self._clock = clock
        self._feed_lag_s = 0.0
        self._tick_lags, self._loop_lags = Durations(), Durations()
        self.ready = asyncio.Event()
        self.broker_port = 0
        self.site: Site | None = None

    @property
    def address(self) -> str:
        """Where the board is."""
        return f"http://{LOOPBACK}:{self._settings.port}/"

    def reload(self) -> None:
        """Look at the directory's folder at once."""
        if self.site is not None:
            self.site.reloader.wake()

    async def run(self) -> None:
        """Serve until cancelled. Raises `Fatal`, in one line, where it cannot start."""
        settings = self._settings
        raise_file_limit()
        with claim_folder(settings), listen_on(settings.port) as listening, contextlib.ExitStack() as stack:
            in_force = InForce(load(settings.directory))
            ledger = Ledger.open(f"sqlite:///{settings.data / 'ledger.db'}")
            stack.callback(ledger.close)
            telemetry = DuckTelemetry.open(settings.data / "telemetry")
            stack.callback(telemetry.close)
            frames = DuckFrames.open(settings.data / "frames")
            stack.callback(frames.close)
            started = self._clock.now()
            owner_term = ledger.record_start(started, int(started.timestamp()), version("watchroom"))
            bindings = Bindings(in_force, ledger, clock=self._clock)  # live state is rebuilt on what is in force
            ingest = Ingest(in_force, ledger, telemetry, clock=self._clock, owner_term=owner_term)
            self.site = self._make_site(ingest, bindings, ledger, telemetry, frames)
            async with broker_of(settings, self._clock) as (host, port), asyncio.TaskGroup() as tasks:
                self.broker_port = port
                tasks.create_task(ingest.run(partial(self._subscriber, host, port), self.ready.set))
                tasks.create_task(self.site.desk.run())
                tasks.create_task(self.site.alarms.run())
                tasks.create_task(self.site.modes.run())
                tasks.create_task(self.site.bindings.run())
                tasks.create_task(self.site.reloader.run())
                tasks.create_task(self.site.recorder.run())
                tasks.create_task(tidy_days(frames, self._clock))
                tasks.create_task(Retention(in_force, ledger, telemetry, frames, clock=self._clock).run())
                tasks.create_task(self._tick(self.site))
                tasks.create_task(self._watch_loop())
                tasks.create_task(self._serve(self.site, listening))

    def _subscriber(self, host: str, port: int, on_messages: Callable[[Messages], None]) -> Subscriber:
        return Subscriber(host, port, clock=self._clock, on_messages=on_messages)

    def _make_site(
        self, ingest: Ingest, bindings: Bindings, ledger: Ledger, telemetry: DuckTelemetry, frames: DuckFrames
    ) -> Site:
        epoch = secrets.token_hex(6)
        feed = Feed(
            ingest.fleet,
            epoch=epoch,
            owner_term=ingest.owner_term,
            tick_ms=self._settings.tick_ms,
            now=ingest.moment(),
        )
        recorder = connect_memory(ingest, feed, ledger, frames, self._clock)
        listeners = Listeners()
        partners = connect_partners(ingest, feed, epoch, self._settings.tick_ms)
        ports = connect_desk(ingest, feed, listeners)
        in_force = ingest.in_force
        reloader = Reloader(
            self._settings.directory, in_force, clock=self._clock, record=partial(record_directory, ledger)
        )
        desk = Desk(in_force, ledger, ports, clock=self._clock, owner_term=ingest.owner_term)
        modes = connect_modes(ingest, in_force, ledger, self._clock)
        alarm_ports = connect_alarms(ingest, Watching(feed, listeners, partners), modes)
        alarms = Alarms(in_force, ledger, alarm_ports, clock=self._clock)
        ingest.acceptor.states.acknowledged = alarms.acknowledged
        connect_bindings(ingest, bindings, desk)

        def act(recorded: Sequence[Recorded]) -> None:
            alarms.on_events(recorded)  # an emergency waits for nothing
            bindings.on_events(recorded)
            desk.on_events(recorded)

        ingest.on_events = act
        return Site(
            feed=feed,
            listeners=listeners,
            partners=partners,
            ingest=ingest,
            desk=desk,
            alarms=alarms,
            modes=modes,
            bindings=bindings,
            reloader=reloader,
            recorder=recorder,
            past=Past(
                recorder,
                ledger.board_at,
                frames,
                forgotten=lambda at: forgotten(in_force.directory, at, self._clock.now().date()),
            ),
            counting=Counting(in_force, ledger, frames),
            ledger=ledger,
            telemetry=telemetry,
            process=Process(
                started=ingest.moment(),
                data=self._settings.data,
                tick_lags=self._tick_lags,
                loop_lags=self._loop_lags,
            ),
            basemap=read_basemap(self._settings.data),
            moment=ingest.moment,
            look=lambda now: alarms.path(ingest.fleet.path_failure, now),
            trouble=lambda: [*self._trouble(ingest, desk, recorder), *reloader.trouble],
        )

    async def _tick(self, site: Site) -> None:
        """Speak on a fixed grid, so that when something is said tells nothing but that it is time."""
        tick_s = self._settings.tick_ms / 1000
        slot_s = self._clock.monotonic()
        while True:
            now = site.moment()
            event = site.feed.tick(now)
            site.look(now)
            if event is not None:
                site.listeners.send(event)
            due_s, slot_s = slot_s + tick_s, next_slot(slot_s, tick_s, self._clock.monotonic())
            await self._clock.sleep(slot_s - self._clock.monotonic())
            self._feed_lag_s = max(0.0, self._clock.monotonic() - due_s)
            self._tick_lags.note(self._feed_lag_s)

    async def _watch_loop(self) -> None:
        """Note how late the event loop is: whatever holds it up holds up everything."""
        while True:
            due_s = self._clock.monotonic() + LOOP_WATCH_S
            await self._clock.sleep(LOOP_WATCH_S)
            self._loop_lags.note(self._clock.monotonic() - due_s)

    async def _serve(self, site: Site, listening: socket.socket) -> None:
        api = make_api(site)
        api.include_router(console.router(site.basemap.origin if site.basemap is not None else None))
        config = uvicorn.Config(api, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
        server = _Server(config)
        try:
            await server.serve(sockets=[listening])
        except asyncio.CancelledError:
            site.listeners.close()
            site.partners.close()
            await server.shutdown(sockets=[listening])
            raise

    def _trouble(self, ingest: Ingest, desk: Desk, recorder: Recorder) -> list[str]:
        trouble = []
        if ingest.subscriber is None or not ingest.subscriber.connected:
            trouble.append("ingest is not connected to the broker: no device is heard")
        silence_s = 0.0 if ingest.heard_s is None else self._clock.monotonic() - ingest.heard_s
        if silence_s > SILENT_S:
            trouble.append(f"no device at all has been heard for {silence_s:.0f} s: suspect the broker or the network")
        if ingest.status_committer.failing:
            trouble.append("the ledger does not take commits: statuses wait on the devices; see the disk and the log")
        if ingest.track_committer.failing:
            trouble.append("the telemetry store does not take commits: tracks wait on the devices")
        if desk.failing:
            trouble.append("the ledger does not take what became of orders: see the disk and the log")
        if recorder.failing:
            trouble.append("what the board shows is not being written down: see the disk and the log")
        if self._feed_lag_s > 1.0:
            trouble.append(f"the feed is {self._feed_lag_s:.1f} s behind its tick: the machine is overloaded")
        return trouble


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever composed this process ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
