"""The cloud side in one process: broker, ingest, feed, API and console, composed. The only supervisor here.

devices ─▶ broker ─▶ ingest ─▶ ledger, telemetry
                       ├─▶ fleet ─▶ feed ─▶ API and console ─▶ control rooms
                       └─▶ desk ◀── orders, acknowledgements ── API
                            └─▶ devices
"""

import asyncio
import contextlib
import itertools
import secrets
import socket
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from importlib.metadata import version

import structlog
import uvicorn
from fastapi import FastAPI

from cloud import console
from cloud.api import Process, Site, make_api
from cloud.api.map import read_basemap
from cloud.api.partner import make_partner_api
from cloud.broker.kept import broker_of
from cloud.clock import Clock
from cloud.config import LOOPBACK, Settings
from cloud.connections import (
    Watching,
    connect_alarms,
    connect_bindings,
    connect_cad,
    connect_desk,
    connect_events,
    connect_memory,
    connect_modes,
    connect_mqtt,
    connect_partners,
    connect_sharing,
    record_directory,
)
from cloud.desk import Alarms, Bindings, Desk
from cloud.desk.withdrawals import withdrawals
from cloud.directory import InForce, Reloader, load
from cloud.durations import Durations
from cloud.errors import CloudError
from cloud.feeds import CadLink, Feed, Listeners, MqttLink
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import Messages, Subscriber
from cloud.ledger import Ledger
from cloud.memory.counting import Counting
from cloud.memory.past import Past
from cloud.memory.recorder import Recorder
from cloud.memory.retention import Retention
from cloud.memory.sharedpast import SharedPast
from cloud.memory.terms import forgotten
from cloud.memory.tidying import tidy_days
from cloud.process import claim_folder, listen_on, next_slot, raise_file_limit
from cloud.telemetry import DuckFrames, DuckTelemetry, Telemetry

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

    @property
    def partner_address(self) -> str:
        """Where partners' systems read; empty where nobody serves them."""
        port = self._settings.partner_port
        return f"http://{LOOPBACK}:{port}/" if port else ""

    def reload(self) -> None:
        """Look at the directory's folder at once."""
        if self.site is not None:
            self.site.reloader.wake()

    async def run(self) -> None:
        """Serve until cancelled. Raises `Fatal`, in one line, where it cannot start."""
        settings = self._settings
        raise_file_limit()
        with claim_folder(settings), listen_on(settings.port) as listening, contextlib.ExitStack() as stack:
            to_partners = self._listen_to_partners(stack)
            in_force = InForce(load(settings.directory))
            ledger = Ledger.open(f"sqlite:///{settings.data / 'ledger.db'}")
            stack.callback(ledger.close)
            telemetry = await _opened(settings)
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
                tasks.create_task(self.site.sharing.run())
                tasks.create_task(self.site.reads.run())
                tasks.create_task(self.site.cad.streams.run(self._clock))
                tasks.create_task(
                    CadLink((host, port), self.site.cad.streams, self.site.cad.inbox.take, clock=self._clock).run()
                )
                tasks.create_task(self.site.reloader.run())
                tasks.create_task(MqttLink(host, port, self.site.mqtt, clock=self._clock).run())
                tasks.create_task(self.site.recorder.run())
                tasks.create_task(tidy_days(frames, self._clock))
                tasks.create_task(Retention(in_force, ledger, telemetry, frames, clock=self._clock).run())
                tasks.create_task(self._tick(self.site))
                tasks.create_task(self._watch_loop())
                tasks.create_task(serve(board_api(self.site), listening, self.site))
                if to_partners is not None:
                    tasks.create_task(serve(make_partner_api(self.site), to_partners, self.site))

    def _listen_to_partners(self, stack: contextlib.ExitStack) -> socket.socket | None:
        port = self._settings.partner_port
        return stack.enter_context(listen_on(port, "--partner-port")) if port else None

    def _subscriber(self, host: str, port: int, on_messages: Callable[[Messages], None]) -> Subscriber:
        return Subscriber(host, port, clock=self._clock, on_messages=on_messages)

    def _make_site(
        self, ingest: Ingest, bindings: Bindings, ledger: Ledger, telemetry: Telemetry, frames: DuckFrames
    ) -> Site:
        epoch = secrets.token_hex(6)
        feed = self._feed(ingest, epoch)
        recorder = connect_memory(ingest, feed, ledger, frames, self._clock)
        listeners = Listeners()
        partners = connect_partners(ingest, feed, ledger, epoch, self._settings.tick_ms)
        ports = connect_desk(ingest, feed, listeners)
        in_force = ingest.in_force
        reloader = Reloader(
            self._settings.directory, in_force, clock=self._clock, record=partial(record_directory, ledger)
        )
        desk = Desk(in_force, ledger, ports, clock=self._clock, owner_term=ingest.owner_term)
        partners.views.given_here = desk.is_given_here
        modes = connect_modes(ingest, in_force, ledger, self._clock)
        alarm_ports = connect_alarms(ingest, Watching(feed, listeners, partners), modes)
        alarms = Alarms(in_force, ledger, alarm_ports, clock=self._clock)
        ingest.acceptor.states.acknowledged = alarms.acknowledged
        connect_bindings(ingest, bindings, desk)
        shared = connect_sharing(in_force, ledger, alarms=alarms, partners=partners, clock=self._clock)
        mqtt = connect_mqtt(partners, in_force)
        connect_events(ingest, alarms.on_events, bindings.on_events, desk.on_events)  # an emergency waits for nothing
        return Site(
            feed=feed,
            listeners=listeners,
            partners=partners,
            mqtt=mqtt,
            ingest=ingest,
            desk=desk,
            alarms=alarms,
            modes=modes,
            bindings=bindings,
            sharing=shared.sharing,
            lending=shared.lending,
            covering=shared.covering,
            reads=shared.reads,
            shared_past=SharedPast(ledger, in_force, lambda: withdrawals(ledger.decisions())),
            cad=connect_cad(ingest, feed, desk, shared, ledger),
            reloader=reloader,
            recorder=recorder,
            past=self._past(recorder, in_force, ledger, frames),
            counting=Counting(in_force, ledger, frames),
            ledger=ledger,
            telemetry=telemetry,
            process=self._process(ingest),
            basemap=read_basemap(self._settings.data),
            moment=ingest.moment,
            look=lambda now: alarms.path(ingest.fleet.path_failure, now),
            trouble=self._trouble,
        )

    def _feed(self, ingest: Ingest, epoch: str) -> Feed:
        tick_ms, owner_term = self._settings.tick_ms, ingest.owner_term
        return Feed(ingest.fleet, epoch=epoch, owner_term=owner_term, tick_ms=tick_ms, now=ingest.moment())

    def _process(self, ingest: Ingest) -> Process:
        started, data = ingest.moment(), self._settings.data
        return Process(started=started, data=data, tick_lags=self._tick_lags, loop_lags=self._loop_lags)

    def _past(self, recorder: Recorder, in_force: InForce, ledger: Ledger, frames: DuckFrames) -> Past:
        def let_go_of(at: datetime) -> tuple[str, ...]:
            return forgotten(in_force.directory, at, self._clock.now().date())

        return Past(recorder, ledger.board_at, frames, forgotten=let_go_of)

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

    def _trouble(self) -> list[str]:
        site = self.site
        assert site is not None  # whoever asks, asks the site
        ingest, desk, recorder = site.ingest, site.desk, site.recorder
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
        told = (site.reloader.trouble, site.reads.trouble, site.mqtt.trouble(self._clock.monotonic()))
        return [*trouble, *itertools.chain(*told, site.partners.trouble, site.cad.streams.trouble)]


def open_telemetry(settings: Settings) -> Telemetry:
    """Open the store that was asked for. Raises `Fatal` where it can't be used."""
    if settings.telemetry is None:
        return DuckTelemetry.open(settings.data / "telemetry")
    from cloud.telemetry.influx import InfluxTelemetry  # its client takes 0.3 s to import

    return InfluxTelemetry.open(settings.telemetry)


async def _opened(settings: Settings) -> Telemetry:
    """Open the store on a thread, for a server may be far away. Whoever is cancelled meanwhile leaves nothing open."""
    opening = asyncio.ensure_future(asyncio.to_thread(open_telemetry, settings))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        with contextlib.suppress(CloudError):
            (await opening).close()
        raise


def board_api(site: Site) -> FastAPI:
    """Make this control room's own application: its routes, and its pages."""
    api = make_api(site)
    api.include_router(console.router(site.basemap.origin if site.basemap is not None else None))
    return api


async def serve(api: FastAPI, listening: socket.socket, site: Site) -> None:
    """Serve an application until cancelled; then end every stream, and wait a little for whoever reads an answer."""
    server = _Server(
        uvicorn.Config(api, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
    )
    try:
        await server.serve(sockets=[listening])
    except asyncio.CancelledError:
        site.listeners.close()
        site.partners.close()
        await server.shutdown(sockets=[listening])
        raise


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever composed this process ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
