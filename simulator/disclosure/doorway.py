"""The partners' application over made-up worlds: the one that is served, every route and layer of it, asked in place.

It is made once, and reads whichever world is being read. What it is made of are the product's own parts, but for the
stores, and for what counts figures: that tells only of whom it was asked.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from datetime import datetime
from functools import cache, partial
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn, TypeVar, cast

from fastapi import FastAPI

from cloud.api.cad import CadSite
from cloud.api.partner import make_partner_api
from cloud.api.source import Site
from cloud.desk import CadInbox, CadPorts, Lending, Sharing, SharingPorts
from cloud.directory import InForce
from cloud.feeds import CadStreams, PartnerFeeds
from cloud.memory import Replayed
from cloud.memory.counting import Asked, NoSuch
from simulator.disclosure.stores import Stores
from simulator.disclosure.world import World, WorldClock, token_of

_Found = TypeVar("_Found")


class Answer(NamedTuple):
    """What was answered, as it is sent."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Give a header; empty where there is none."""
        return dict(self.headers).get(name, b"")


class Doorway:
    """The partners' port of one world."""

    def __init__(self, world: World, feeds: PartnerFeeds, stores: Stores) -> None:
        """Stand before the feeds and the stores."""
        self.world, self._feeds, self._stores = world, feeds, stores

    def open(self) -> None:
        """Let the application read this world as it is now."""
        world, stores, feeds = self.world, self._stores, self._feeds
        in_force, clock = InForce(world.directory), WorldClock(world)
        lending = Lending(in_force, stores.ledger, clock=clock, hidden=world.hidden)
        ports = SharingPorts(announce=lambda _access: None, loans=lending.agreements)
        parts = {
            "partners": feeds,
            "ingest": SimpleNamespace(directory=world.directory, in_force=in_force),
            "sharing": Sharing(in_force, stores.ledger, ports, clock=clock),
            "lending": lending,
            "reads": SimpleNamespace(note=_forget),
            "shared_past": stores.past(in_force),
            "telemetry": stores,
            "past": _Past(stores),
            "counting": _Counting(),
            "moment": lambda: world.now,
        }
        _SITE.__dict__.update(parts)
        _CAD.__dict__.update(vars(self._cad(in_force, lending)))

    def _cad(self, in_force: InForce, lending: Lending) -> CadSite:
        world, ledger = self.world, self._stores.ledger
        ports = CadPorts(
            say=_never,
            assign=_never,
            standing=_never,
            word=_never,
            look=_never,
            saying=lambda _speech: nullcontext(),
            may_move=partial(lending.may_move, withdrawn=world.decided.withdrawn),
        )
        return CadSite(
            inbox=CadInbox(in_force, ledger, ports, now=lambda: world.now.utc),
            streams=CadStreams(
                in_force,
                ledger,
                record_of=lambda unit, now: world.fleet.record(unit, 0, now.utc, now),
                outside_of=lambda _order: None,
            ),
            moment=lambda: world.now,
        )


class Caller:
    """An organisation's system, or nobody's."""

    def __init__(self, organisation: str) -> None:
        """It brings the organisation's token."""
        self._token = f"Bearer {token_of(organisation)}".encode()

    async def ask(self, path: str, *, tag: bytes = b"", body: bytes | None = None) -> Answer:
        """Get something, or put something there."""
        path, _, query = path.partition("?")
        headers = [(b"host", b"localhost"), (b"authorization", self._token), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET" if body is None else "PUT",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [*headers, *([(b"if-none-match", tag)] if tag else [])],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8471),
        }
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body or b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await _api()(scope, receive, send)
        whole = b"".join(message.get("body", b"") for message in sent[1:])
        return Answer(sent[0]["status"], tuple(sorted(sent[0]["headers"])), whole)


def run(work: Coroutine[Any, Any, _Found]) -> _Found:
    """Do something that waits, to its end."""
    return _runner().run(work)


def routes() -> list[str]:
    """Give the path of each route that is read, as the application documents it."""
    return [path for path, methods in _api().openapi()["paths"].items() if "get" in methods]


class _Past:
    """What was shown at a tick: whole, and at once."""

    def __init__(self, stores: Stores) -> None:
        self._boards = stores.boards

    async def answer(self, at: datetime, make: Callable[[Replayed], bytes]) -> bytes:
        board = self._boards.get(at)
        return make(Replayed(at=at, known=board is not None, units=board or ()))


class _Counting:
    """Says of whom figures are asked for."""

    async def count(self, asked: Asked) -> NoSuch:
        return NoSuch(f"figures of {asked.scope} {asked.id}")


_SITE, _CAD = SimpleNamespace(), SimpleNamespace()


@cache
def _api() -> FastAPI:
    _SITE.cad = _CAD
    return make_partner_api(cast(Site, _SITE))


@cache
def _runner() -> asyncio.Runner:
    return asyncio.Runner()


def _forget(*_read: object, **_told: object) -> None:
    """Who read what is not what is looked at here."""


def _never(*_asked: object) -> NoReturn:
    raise AssertionError("a CAD's word about a unit that is none of its own was let through")
