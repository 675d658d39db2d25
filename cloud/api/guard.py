"""Keeps other web pages of this machine's browser out.

A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding), and a browser then lets it read what this service
says. The `Host` header tells: it names the page's host, not ours. Until people have identities, only requests that are
addressed to the loopback interface by its own name or address are answered.

A page elsewhere can also send a request here under our own name, without reading the answer. A browser then says in
`Origin` where that page is from: what would change something is only taken from our own pages, and from programs,
which name none.
"""

import re

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.api.answers import Problem

OWN_HOST = re.compile(rb"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")
_HEADERS = [(b"cross-origin-resource-policy", b"same-origin"), (b"x-content-type-options", b"nosniff")]
_MISDIRECTED = 421
_FORBIDDEN = 403
_ELSEWHERE = Problem("this service answers to 127.0.0.1 and localhost only: open it under that name")
_FOREIGN = Problem("a page of another site may not change anything here")
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class LoopbackGuard:
    """An ASGI layer around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on where it is addressed to us; answer 421 otherwise, and 403 to another site's page."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1 or OWN_HOST.fullmatch(hosts[0]) is None:
            await _refuse(send, _MISDIRECTED, _ELSEWHERE)
            return
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if scope["method"] not in _READING and any(origin != b"http://" + hosts[0] for origin in origins):
            await _refuse(send, _FORBIDDEN, _FOREIGN)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                added = [header for header in _HEADERS if header[0] not in known]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_marked)


async def _refuse(send: Send, status: int, problem: Problem) -> None:
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
