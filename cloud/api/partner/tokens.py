"""Lets in who brings a partner's token, and finds whose it is. Nobody else learns anything, not even what there is."""

import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec
from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from cloud.api.answers import Problem
from cloud.directory import Directory
from cloud.directory.rows import Partner

_UNAUTHORISED = 401
_BODY = msgspec.json.encode(
    Problem("bring your token, as in `Authorization: Bearer TOKEN`; who runs this service gives it out")
)
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-length", str(len(_BODY)).encode()),
    (b"www-authenticate", b'Bearer realm="watchroom"'),
    (b"cache-control", b"no-store"),
]


class Caller(NamedTuple):
    """Who asks."""

    partner: str
    """The organisation."""
    token_sha256: str
    """Of the token that it brought."""


class TokenGuard:
    """An ASGI layer around the whole application. A missing token and a wrong one are answered alike."""

    def __init__(self, app: ASGIApp, partners: Callable[[], Iterable[Partner]]) -> None:
        """Stand before `app`; `partners` gives those of the directory in force."""
        self._app, self._partners = app, partners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its caller; or answer 401."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        caller = find_caller(given[0], self._partners()) if len(given) == 1 else None
        if caller is None:
            await send({"type": "http.response.start", "status": _UNAUTHORISED, "headers": _HEADERS})
            await send({"type": "http.response.body", "body": _BODY})
            return
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, receive, send)


def find_caller(authorization: bytes, partners: Iterable[Partner]) -> Caller | None:
    """Find whose token a header brings; None where it is nobody's. It takes as long for a wrong one as for a right."""
    scheme, _, token = authorization.partition(b" ")
    digest = hashlib.sha256(token.strip()).hexdigest()
    found = None
    for partner in partners:
        if hmac.compare_digest(digest, partner.token_sha256):
            found = partner.organisation
    return Caller(found, digest) if found is not None and scheme.lower() == b"bearer" else None


def caller_of(request: Request) -> Caller:
    """Give who asks. The guard has let it in."""
    caller: Caller = request.state.caller
    return caller


def withdrawn_tokens(before: Directory, after: Directory) -> list[str]:
    """Give the organisations whose token is another now, or none."""
    return [
        name
        for name, row in before.partners.items()
        if name not in after.partners or after.partners[name].token_sha256 != row.token_sha256
    ]
