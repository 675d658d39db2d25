"""A scripted source of the feed: the board page and `/v1/feed`, served on a loopback port from a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

import msgspec
import uvicorn
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response, StreamingResponse

from cloud import console
from cloud.api import map as maps
from cloud.api.bases import BaseList, BaseView
from cloud.clock import SystemClock
from tests.waiting import DEADLINE_S
from wire.feed import Alarms, AlarmView, Changes, FeedRecord, Orders, OrderView, Snapshot, Tick

_clock = SystemClock()


class Body(Protocol):
    """What an event says."""

    @property
    def cursor(self) -> int:
        """Of which event of its feed."""


def event(kind: str, epoch: str, body: Body) -> bytes:
    """One server-sent event as the feed's contract has it."""
    return f"event: {kind}\nid: {epoch}-{body.cursor}\ndata: {msgspec.json.encode(body).decode()}\n\n".encode()


@dataclass(kw_only=True)
class FeedSource:
    """The feed of one server process. Everything but `url` runs in the server's own thread by `tell`."""

    port: int
    epoch: str = "e1"
    owner_term: int = 1
    tick_ms: int = 200
    lost_after_s: float = 3.0
    parts: int = 1
    parts_sent: int | None = None
    """Stop a snapshot after so many parts."""
    silent: bool = False
    """Says nothing more, on connections that stay open; a new one gets its snapshot when this ends."""
    delay_s: float = 0.0
    """Each event is this old when it is sent, as on a network that has become congested."""
    cursor: int = 0
    ticks: int = 0
    """Ticks sent so far."""
    held: dict[str, FeedRecord] = field(default_factory=dict)
    orders: dict[str, OrderView] = field(default_factory=dict)
    """Those in hand, which follow each snapshot."""
    alarms: dict[str, AlarmView] = field(default_factory=dict)
    """Those that are active, which follow each snapshot."""
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Which alarm the page took in hand, and for whom."""
    cancelled: list[tuple[str, str, str]] = field(default_factory=list)
    """Which emergency the page cancelled, for whom and why."""
    taken_by: str = ""
    """Whoever has all alarms in hand already; "" for nobody."""
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)
    """What is answered beside the feed, such as to `POST v1/modes`: the status, and a body that is a struct or JSON."""
    asked: list[tuple[str, object]] = field(default_factory=list)
    """What the page asked for beside the feed, in order: as in `answers`, and the body or query of each."""
    basemap: maps.Basemap | None = None
    """What the map stands on."""
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Where bases are, by name: latitude and longitude."""
    connected: int = 0
    """Connections accepted so far."""
    _queues: set[asyncio.Queue[bytes]] = field(default_factory=set)
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    @property
    def url(self) -> str:
        """The address of the board page."""
        return f"http://127.0.0.1:{self.port}/"

    def routers(self) -> Iterable[APIRouter]:
        """What is served beside this feed, such as others' feeds."""
        return ()

    def hold(self, records: Iterable[FeedRecord]) -> None:
        """Make these the whole picture of the next snapshot."""
        self.held = {record.unit: record for record in records}

    def change(self, *records: FeedRecord) -> None:
        """Send changed records to every connection."""
        self.held |= {record.unit: record for record in records}
        self.cursor += 1
        self._send("changes", Changes(at=now(), cursor=self.cursor, records=records))

    def order(self, *orders: OrderView) -> None:
        """Send orders as they stand now to every connection."""
        self.orders |= {order.order: order for order in orders}
        self.cursor += 1
        self._send("orders", Orders(at=now(), cursor=self.cursor, orders=orders))

    def alarm(self, *alarms: AlarmView) -> None:
        """Send alarms as they stand now to every connection."""
        for alarm in alarms:
            self.alarms[alarm.alarm] = alarm
            if not alarm.active:
                del self.alarms[alarm.alarm]
        self.cursor += 1
        self._send("alarms", Alarms(at=now(), cursor=self.cursor, alarms=alarms))

    def take(self, alarm_id: str, by: str) -> AlarmView:
        """Note who has an alarm in hand."""
        self.taken.append((alarm_id, by))
        known = self.alarms[alarm_id]
        return msgspec.structs.replace(
            known, acknowledged_by=by, acknowledged_at=now(), escalation=0, active=known.kind != "speech"
        )

    def cancel(self, alarm_id: str, by: str, reason: str) -> AlarmView:
        """Note who has cancelled an emergency, and why."""
        self.cancelled.append((alarm_id, by, reason))
        known = self.alarms[alarm_id]
        return msgspec.structs.replace(known, cancelled_by=by, cancelled_at=now(), cancel_reason=reason, active=False)

    def send_raw(self, text: str) -> None:
        """Send bytes as they are to every connection."""
        self._put(text.encode())

    def _send(self, kind: str, body: Body) -> None:
        self._put(event(kind, self.epoch, body))

    def _put(self, sent: bytes) -> None:
        def put() -> None:
            for queue in self._queues:
                queue.put_nowait(sent)

        self._loop.call_soon_threadsafe(self._loop.call_later, self.delay_s, put)

    async def tick(self) -> None:
        """Vouch for the picture until cancelled."""
        while True:
            await _clock.sleep(self.tick_ms / 1000)
            if not self.silent:
                self.ticks += 1
                self._send("tick", Tick(at=now(), cursor=self.cursor))

    def snapshot(self) -> Iterator[bytes]:
        """The whole picture, in parts."""
        records = tuple(self.held.values())
        size = -(-len(records) // self.parts) or 1
        for part in range(self.parts):
            body = Snapshot(
                at=now(),
                epoch=self.epoch,
                cursor=self.cursor,
                part=part + 1,
                parts=self.parts,
                tick_ms=self.tick_ms,
                lost_after_s=self.lost_after_s,
                owner_term=self.owner_term,
                records=records[part * size : (part + 1) * size],
            )
            yield event("snapshot", self.epoch, body)

    async def stream(self) -> AsyncIterator[bytes]:
        """What one connection is sent."""
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._queues.add(queue)
        self.connected += 1
        try:
            yield b": welcome\n\n"
            while self.silent:
                await _clock.sleep(0.05)
            for part in islice(self.snapshot(), self.parts_sent):
                yield part
            if self.alarms and self.parts_sent is None:
                active = tuple(self.alarms.values())
                yield event("alarms", self.epoch, Alarms(at=now(), cursor=self.cursor, alarms=active))
            if self.orders and self.parts_sent is None:
                in_hand = tuple(self.orders.values())
                yield event("orders", self.epoch, Orders(at=now(), cursor=self.cursor, orders=in_hand))
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)


def now() -> datetime:
    """The server's wall clock."""
    return SystemClock().now()


def application(source: FeedSource) -> FastAPI:
    """The console's own router, and the feed beside it."""
    app = FastAPI()
    app.include_router(console.router(source.basemap.origin if source.basemap is not None else None))
    app.include_router(maps.router(source.basemap))
    for router in source.routers():
        app.include_router(router)

    @app.get("/v1/feed")
    async def feed() -> StreamingResponse:
        return StreamingResponse(source.stream(), media_type="text/event-stream")

    @app.get("/v1/bases")
    async def bases() -> Response:
        named = sorted({record.base for record in source.held.values()})
        known = tuple(_base(name, source.places.get(name, (None, None))) for name in named)
        return Response(msgspec.json.encode(BaseList(bases=known)), media_type="application/json")

    @app.post("/v1/alarms/{alarm}/acknowledge")
    async def acknowledge(alarm: str, request: Request) -> Response:
        if source.taken_by:
            problem = msgspec.json.encode({"problem": f"{source.taken_by} has it in hand already"})
            return Response(problem, 409, media_type="application/json")
        view = source.take(alarm, (await request.json())["by"])
        if not source.silent:
            source.alarm(view)
        return Response(msgspec.json.encode(view), media_type="application/json")

    @app.post("/v1/alarms/{alarm}/cancel")
    async def cancel(alarm: str, request: Request) -> Response:
        asked = await request.json()
        view = source.cancel(alarm, asked["by"], asked["reason"])
        source.alarm(view)
        return Response(msgspec.json.encode(view), media_type="application/json")

    @app.api_route("/v1/{path:path}", methods=["GET", "POST", "PUT"])
    async def other(path: str, request: Request) -> Response:
        asked = f"{request.method} v1/{path}"
        body = await request.body()
        source.asked.append((asked, msgspec.json.decode(body) if body else dict(request.query_params)))
        status, answer = source.answers.get(asked, (404, {"problem": f"nothing is scripted for {asked}"}))
        return Response(msgspec.json.encode(answer), status, media_type="application/json")

    return app


def _base(name: str, place: tuple[float | None, float | None]) -> BaseView:
    """A base that can be alerted."""
    return BaseView(base=name.lower().replace(" ", "-"), name=name, device="panel", lat=place[0], lon=place[1])


async def _serve(source: FeedSource, server: uvicorn.Server, listening: socket.socket) -> None:
    ticking = asyncio.create_task(source.tick())
    await server.serve([listening])
    ticking.cancel()
    await asyncio.wait([ticking])
    for connection in list(server.server_state.connections):
        connection.transport.abort()
    await asyncio.sleep(0)


@contextmanager
def serving(source: FeedSource) -> Iterator[FeedSource]:
    """Serve the source until the block ends; every connection is cut then, as when a server is killed."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", source.port))
    listening.listen()
    config = uvicorn.Config(
        application(source), log_level="critical", lifespan="off", timeout_graceful_shutdown=0, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=source._loop.run_until_complete, args=[_serve(source, server, listening)])
    thread.start()
    try:
        yield source
    finally:
        server.should_exit = True
        thread.join(DEADLINE_S)
        source._loop.close()
        listening.close()


SourceFactory = Callable[[FeedSource], FeedSource]
