"""A gpsd for one simulated vehicle: the same protocol on a loopback port, with faults that can be switched."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from edge_agent.clock import Clock
from simulator.sentences import (
    Watch,
    devices_line,
    error_line,
    fix_line,
    lost_line,
    partial_line,
    sky_line,
    version_line,
    watch_line,
)
from simulator.vehicle import Fix

EPOCH_S = 1.0
REQUEST_BYTES_MAX = 4_096
UNREAD_BYTES_MAX = 65_536
_REQUEST = re.compile(rb"\?([A-Z]+)(?:=([^;\n]*))?[;\n]|\?[^;\n]*[;\n]|[^?\n][^\n]*\n|\n")
"""A known request, an unknown one, a line that is none, and an empty line."""

Observe = Callable[[datetime], Fix]
"""What the receiver sees at this moment. Called at each epoch, whether or not anybody hears of it."""


@dataclass
class Faults:
    """What is wrong with the receiver now. Change it at any time; it counts from the next epoch."""

    silent: bool = False
    """It says nothing, and gpsd keeps its clients."""
    no_fix: bool = False
    """It sees no satellites: mode 1."""
    reports_per_epoch: int = 1
    """How many TPV of the same time each epoch brings; all but the last are without speed and track."""


class Receiver:
    """A gpsd with one receiver, for its whole life: `start`, then `tick` or `run`; `stop` and `start` are a restart.

    As with gpsd, a client gets VERSION at once, and TPV and SKY at 1 Hz after `?WATCH={"enable":true,"json":true}`. A
    client that leaves more than 64 KiB unread is dropped.
    """

    def __init__(self, observe: Observe, *, clock: Clock, port: int = 0, path: str = "/dev/ttyACM0") -> None:
        """Nothing listens before `start`. Port 0 lets the system choose once; a restart keeps what it chose."""
        self.faults = Faults()
        self.port = port
        self.path = path
        self.activated = clock.now()
        self._observe, self._clock = observe, clock
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on 127.0.0.1. Raises OSError where the port is taken."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
            self.activated = self._clock.now()

    async def stop(self) -> None:
        """End as a killed gpsd does: nobody listens, and every client's connection is cut."""
        if self._server is not None:
            self._server.close()
            for client in tuple(self._clients):
                client.drop()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()

    async def run(self) -> None:
        """Tick at 1 Hz of the monotonic clock until cancelled, whether or not the server is up."""
        due_s = self._clock.monotonic()
        while True:
            self.tick()
            due_s = max(due_s + EPOCH_S, self._clock.monotonic())
            await self._clock.sleep(due_s - self._clock.monotonic())

    def tick(self) -> None:
        """Observe, and send the epoch to every client that watches."""
        now = self._clock.now()
        fix = self._observe(now)
        watching = [client for client in self._clients if client.hears]
        if not self.faults.silent and watching:
            epoch = self._epoch(now, fix)
            for client in watching:
                client.send(epoch)

    def unplug(self) -> None:
        """Pull the receiver out and put it back: open watches stay silent until asked again (gpsd 3.22, measured)."""
        for client in self._clients:
            client.hears = False

    @property
    def watchers(self) -> int:
        """How many clients get reports."""
        return sum(client.hears for client in self._clients)

    def _epoch(self, now: datetime, fix: Fix) -> bytes:
        sky = sky_line(self.path, now, fixed=not self.faults.no_fix)
        if self.faults.no_fix:
            return lost_line(self.path, now) * self.faults.reports_per_epoch + sky
        partial = partial_line(self.path, now, fix) * (self.faults.reports_per_epoch - 1)
        return partial + fix_line(self.path, now, fix) + sky

    def join(self, client: "_Client") -> None:
        """Greet a client that has connected."""
        self._clients.add(client)
        client.send(version_line())

    def leave(self, client: "_Client") -> None:
        """Forget a client that has gone."""
        self._clients.discard(client)

    def answer(self, client: "_Client", request: re.Match[bytes]) -> None:
        """Answer one request, as gpsd does; it ignores a line that does not begin with a question mark."""
        name, body = request.group(1), request.group(2)
        if name == b"VERSION":
            client.send(version_line())
        elif name == b"DEVICES":
            client.send(devices_line(self.path, self.activated))
        elif name == b"WATCH":
            self._watch(client, body)
        elif request.group().startswith(b"?"):
            client.send(error_line(f"Unrecognized request '{request.group().decode(errors='replace')}'"))

    def _watch(self, client: "_Client", body: bytes | None) -> None:
        try:
            asked = json.loads(body or b"{}")
            client.watch = Watch(bool(asked.get("enable")), bool(asked.get("json"))) if body else client.watch
        except (ValueError, AttributeError):
            client.send(error_line("Invalid WATCH"))
            return
        client.hears = client.watch.enable and client.watch.json
        client.send(devices_line(self.path, self.activated) + watch_line(client.watch))


class _Client(asyncio.Protocol):
    """One connection. It never waits for its peer."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.watch = Watch()
        self.hears = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._receiver.join(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._receiver.leave(self)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while request := _REQUEST.match(self._rest):
            self._rest = self._rest[request.end() :]
            self._receiver.answer(self, request)
        if len(self._rest) > REQUEST_BYTES_MAX:
            self.drop()

    def send(self, line: bytes) -> None:
        """Send without waiting; a client that does not read is dropped."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(line)
            if self._transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
                self.drop()

    def drop(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()
