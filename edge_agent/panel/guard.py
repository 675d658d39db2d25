"""Keeps other pages of the panel's browser out, and everybody who is not on this device.

A page elsewhere can point its own name at 127.0.0.1 (DNS rebinding): its `Host` header then names that page's host. Or
it can send a request here from where it is: its `Origin` header then names that page. A request that changes something
must be JSON besides, which no page can send elsewhere without being allowed to first. Nobody is allowed.
"""

import re

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from edge_agent.panel.port import Answer

_OWN_HOST = re.compile(rb"(?:127\.0\.0\.1|localhost)(?::[0-9]{1,5})?")
_HEADERS = [
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]

MISDIRECTED = 421
FORBIDDEN = 403
NOT_JSON = 415
_TROUBLES = {
    MISDIRECTED: "this panel answers to 127.0.0.1 and localhost only: open it under that name",
    FORBIDDEN: "another page asked: only the panel's own page may",
    NOT_JSON: "a request is application/json",
}


class PanelGuard:
    """An ASGI layer around the whole page."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what this device's own page asks; answer 421, 403 or 415 otherwise."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = judge(scope["method"], scope["headers"])
        if refused is not None:
            await _refuse(refused, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {name.lower() for name, _ in message["headers"]}
                added = [header for header in _HEADERS if header[0] not in known]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self._app(scope, receive, send_marked)


def judge(method: str, headers: list[tuple[bytes, bytes]]) -> int | None:
    """The status that refuses a request, or None for one that may pass. Header names are in small letters."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or _OWN_HOST.fullmatch(hosts[0]) is None:
        return MISDIRECTED
    if any(value != b"http://" + hosts[0] for name, value in headers if name == b"origin"):
        return FORBIDDEN
    if method in ("GET", "HEAD"):
        return None
    types = [value.partition(b";")[0].strip().lower() for name, value in headers if name == b"content-type"]
    return None if types == [b"application/json"] else NOT_JSON


async def _refuse(status: int, send: Send) -> None:
    body = msgspec.json.encode(Answer(_TROUBLES[status]))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *_HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
