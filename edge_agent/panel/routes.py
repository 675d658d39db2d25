"""What the page asks for: its files, everything it shows as server-sent events, and its requests.

`GET /events` sends `build` once, which names the page's files, and then `page` (`PanelPage`): whole, at once when
anything changes, and at least every `KEEP_S`. A page that hears nothing for longer is not connected, and must say so.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, Router

from edge_agent.clock import Clock
from edge_agent.panel.files import HEADERS, PAGE, build_of, read_parts
from edge_agent.panel.port import (
    AcknowledgeForm,
    Answer,
    CrewForm,
    DefectForm,
    PanelPort,
    PressForm,
    SwapForm,
    TurnOutForm,
    ZoneTestForm,
)

KEEP_S = 1.0
PAUSE_S = 0.05
"""Between two pages, however fast things change."""
BODY_BYTES_MAX = 4_096
LISTENERS_MAX = 8

_BAD, _NOT_FOUND, _TOO_LONG, _TOO_MANY = 400, 404, 413, 503
_NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

FormT = TypeVar("FormT", bound=msgspec.Struct)


class Listeners:
    """The connections that are sent the page. Each is always sent the newest, never what it missed."""

    def __init__(self, port: PanelPort, clock: Clock, build: str) -> None:
        """Show `port`'s page, and name the page's files by `build`."""
        self._port = port
        self._clock = clock
        self._build = build
        self._closing = asyncio.Event()
        self.count = 0

    def close(self) -> None:
        """End every connection."""
        self._closing.set()

    async def listen(self) -> AsyncIterator[bytes]:
        """What one connection is sent, until it or the server ends."""
        self.count += 1
        try:
            yield f"event: build\ndata: {self._build}\n\n".encode()
            while not self._closing.is_set():
                page = self._port.view()
                yield b"event: page\ndata: " + msgspec.json.encode(page) + b"\n\n"
                await self._first(self._clock.sleep(PAUSE_S), self._closing.wait())
                await self._first(self._port.changed(page.version), self._clock.sleep(KEEP_S), self._closing.wait())
        finally:
            self.count -= 1

    async def _first(self, *waits: Awaitable[object]) -> None:
        """Wait for whichever comes first; one that fails is heard."""
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        for task in done:
            task.result()


def make_router(port: PanelPort, clock: Clock) -> tuple[Router, Listeners]:
    """The whole page as an ASGI application, and its listeners. Files are read once, here."""
    parts = read_parts()
    listeners = Listeners(port, clock, build_of(parts))

    async def page(_: Request) -> Response:
        return _file(*parts[PAGE])

    async def part(request: Request) -> Response:
        found = parts.get(request.path_params["path"])
        return _file(*found) if found is not None else Response(status_code=_NOT_FOUND)

    async def events(_: Request) -> Response:
        if listeners.count >= LISTENERS_MAX:
            return _answer(Answer("too many pages are open on this panel: close one"), _TOO_MANY)
        return StreamingResponse(listeners.listen(), media_type="text/event-stream", headers=_NO_STORE)

    asked = [
        Route("/press", _asking(PressForm, port.press), methods=["POST"]),
        Route("/crew", _asking(CrewForm, port.crew), methods=["POST"]),
        Route("/defect", _asking(DefectForm, port.defect), methods=["POST"]),
        Route("/swap", _asking(SwapForm, port.swap), methods=["POST"]),
        Route("/acknowledge", _asking(AcknowledgeForm, port.acknowledge), methods=["POST"]),
        Route("/test", _asking(ZoneTestForm, port.test), methods=["POST"]),
        Route("/turn-out", _asking(TurnOutForm, port.turn_out), methods=["POST"]),
    ]
    shown = [Route("/", page), Route("/panel/{path:path}", part), Route("/events", events)]
    return Router([*shown, *asked]), listeners


def _asking(kind: type[FormT], ask: Callable[[FormT], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Response]]:
    """A request of the page: its body is a `kind`, and the agent answers."""
    decoder = msgspec.json.Decoder(kind)

    async def asked(request: Request) -> Response:
        try:
            body = await _read_body(request)
        except ClientDisconnect:
            return Response(status_code=_BAD)
        if body is None:
            return _answer(Answer(f"a request is at most {BODY_BYTES_MAX} bytes"), _TOO_LONG)
        try:
            form = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return _answer(Answer(f"not understood: {error}"), _BAD)
        return _answer(await ask(form))

    return asked


async def _read_body(request: Request) -> bytes | None:
    """The body, or None where it is too long; then its rest is not read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return body


def _answer(answer: Answer, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status_code=status, media_type="application/json")


def _file(content: bytes, content_type: str) -> Response:
    return Response(content, media_type=content_type, headers=HEADERS)
