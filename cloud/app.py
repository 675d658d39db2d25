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
from cloud.broker.kept import broker_of
from cloud.clock import Clock
from cloud.config import LOOPBACK, Settings
from cloud.desk import AlarmPorts, Alarms, Desk, Minted, Ports
from cloud.directory import load
from cloud.durations import Durations
from cloud.feeds import Feed, Listeners
from cloud.ingest.ingest import Ingest
from cloud.ingest.subscriber import Messages, Subscriber
from cloud.ingest.work import Recorded
from cloud.ledger import Ledger
from cloud.process import claim_folder, listen_on, next_slot, raise_file_limit
from cloud.telemetry import DuckTelemetry
from wire.feed import Assignment

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

    async def run(self) -> None:
        """Serve until cancelled. Raises `Fatal`, in one line, where it cannot start."""
        settings = self._settings
        raise_file_limit()
        with claim_folder(settings), listen_on(settings.port) as listening, contextlib.ExitStack() as stack:
            directory = load(settings.directory)
            ledger = Ledger.open(f"sqlite:///{settings.data / 'ledger.db'}")
            stack.callback(ledger.close)
            telemetry = DuckTelemetry.open(settings.data / "telemetry")
            stack.callback(telemetry.close)
            started = self._clock.now()
            owner_term = ledger.record_start(started, int(started.timestamp()), version("watchroom"))
            ingest = Ingest(directory, ledger, telemetry, clock=self._clock, owner_term=owner_term)
            self.site = self._make_site(ingest, ledger, telemetry)
            async with broker_of(settings, self._clock) as (host, port), asyncio.TaskGroup() as tasks:
                self.broker_port = port
                tasks.create_task(ingest.run(partial(self._subscriber, host, port), self.ready.set))
                tasks.create_task(self.site.desk.run())
                tasks.create_task(self._tick(self.site))
                tasks.create_task(self._watch_loop())
                tasks.create_task(self._serve(self.site, listening))

    def _subscriber(self, host: str, port: int, on_messages: Callable[[Messages], None]) -> Subscriber:
        return Subscriber(host, port, clock=self._clock, on_messages=on_messages)

    def _make_site(self, ingest: Ingest, ledger: Ledger, telemetry: DuckTelemetry) -> Site:
        feed = Feed(
            ingest.fleet,
            epoch=secrets.token_hex(6),
            owner_term=ingest.owner_term,
            tick_ms=self._settings.tick_ms,
            now=ingest.moment(),
        )
        listeners = Listeners()
        ports = _connect_desk(ingest, feed, listeners)
        desk = Desk(ingest.directory, ledger, ports, clock=self._clock, owner_term=ingest.owner_term)
        alarms = _connect_alarms(ingest, feed, listeners, ledger, self._clock)

        def act(recorded: Sequence[Recorded]) -> None:
            alarms.on_events(recorded)  # an emergency waits for nothing
            desk.on_events(recorded)

        ingest.on_events = act
        return Site(
            feed=feed,
            listeners=listeners,
            ingest=ingest,
            desk=desk,
            alarms=alarms,
            ledger=ledger,
            telemetry=telemetry,
            process=Process(
                started=ingest.moment(),
                data=self._settings.data,
                tick_lags=self._tick_lags,
                loop_lags=self._loop_lags,
            ),
            moment=ingest.moment,
            trouble=lambda: self._trouble(ingest, desk),
        )

    async def _tick(self, site: Site) -> None:
        """Speak on a fixed grid, so that when something is said tells nothing but that it is time."""
        tick_s = self._settings.tick_ms / 1000
        slot_s = self._clock.monotonic()
        while True:
            event = site.feed.tick(site.moment())
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
        api.include_router(console.router())
        config = uvicorn.Config(api, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=2)
        server = _Server(config)
        try:
            await server.serve(sockets=[listening])
        except asyncio.CancelledError:
            site.listeners.close()
            await server.shutdown(sockets=[listening])
            raise

    def _trouble(self, ingest: Ingest, desk: Desk) -> list[str]:
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
        if self._feed_lag_s > 1.0:
            trouble.append(f"the feed is {self._feed_lag_s:.1f} s behind its tick: the machine is overloaded")
        return trouble


def _connect_desk(ingest: Ingest, feed: Feed, listeners: Listeners) -> Ports:
    """Connect the orders with those who carry them out, and with those who watch."""

    def publish(topic: str, payload: bytes) -> bool:
        if ingest.subscriber is None or not ingest.subscriber.connected:
            return False
        ingest.publish(topic, payload)
        return True

    def nonce_of(device: str) -> Minted | None:
        known = ingest.nonces.get(device)
        return None if known is None else Minted(known.nonce, known.received.mono_s)

    def assign(unit: str, assignment: Assignment | None, version: int) -> None:
        ingest.fleet.assign(unit, assignment, version, ingest.moment())

    return Ports(
        publish=publish,
        nonce_of=nonce_of,
        show=lambda orders: listeners.send(feed.show_orders(orders, ingest.moment())),
        assign=assign,
    )


def _connect_alarms(ingest: Ingest, feed: Feed, listeners: Listeners, ledger: Ledger, clock: Clock) -> Alarms:
    """Connect the alarms with those who watch, and with the lamps of the devices that raised them."""
    ports = AlarmPorts(
        show=lambda alarms: listeners.send(feed.show_alarms(alarms, ingest.moment())),
        tell_state=ingest.tell_state,
        ordinal=lambda device, stream: ingest.acceptor.known(device).get(stream),
    )
    alarms = Alarms(ingest.directory, ledger, ports, clock=clock)
    ingest.acceptor.states.acknowledged = alarms.acknowledged
    return alarms


class _Server(uvicorn.Server):
    """uvicorn without its signal handling: whoever composed this process ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield
