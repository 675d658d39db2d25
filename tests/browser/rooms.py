"""Several rooms as their feeds tell of them: this one's, and what partners see, each over a feed of its own."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import msgspec
from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from cloud.sharing.terms import OWN, Grants
from cloud.sharing.view import view
from tests.browser.feed_source import FeedSource, event, now
from wire.feed import FeedRecord
from wire.partner import Grant, PartnerChanges, PartnerRecord, PartnerSnapshot

DAY: tuple[Grant, ...] = ("base", "capabilities", "availability", "status", "position", "link", "mode")
"""What is open every day."""


@dataclass(kw_only=True)
class PartnerSource(FeedSource):
    """What one partner is told."""

    name: str
    partner: str
    room: FeedSource
    """Whose units it may see."""
    opened: Callable[[FeedRecord], Grants | None]
    """What is open of each unit; None for one that it may not know of."""

    def seen(self) -> Iterator[PartnerRecord]:
        """Every unit as this partner sees it."""
        for record in self.room.held.values():
            grants = self.opened(record)
            if grants is not None:
                yield view(record, grants, now())

    def snapshot(self) -> Iterator[bytes]:
        """The whole view."""
        body = PartnerSnapshot(
            at=now(),
            epoch=self.epoch,
            cursor=self.cursor,
            part=1,
            parts=1,
            tick_ms=self.tick_ms,
            lost_after_s=self.lost_after_s,
            partner=self.partner,
            records=tuple(self.seen()),
        )
        yield event("snapshot", self.epoch, body)

    def tell(self, *, gone: Iterable[str] = ()) -> None:
        """Say what it sees now, and what it no longer sees."""
        self.cursor += 1
        body = PartnerChanges(at=now(), cursor=self.cursor, records=tuple(self.seen()), gone=tuple(gone))
        self._send("changes", body)


@dataclass(kw_only=True)
class RoomsSource(FeedSource):
    """The feed of the room itself, and those of its partners."""

    partners: list[PartnerSource] = field(default_factory=list)

    def add(self, partner: str, name: str, opened: Callable[[FeedRecord], Grants | None]) -> PartnerSource:
        """Add a partner that is told of the units that are held. To be called before it serves."""
        made = PartnerSource(
            port=self.port,
            room=self,
            partner=partner,
            name=name,
            opened=opened,
            lost_after_s=self.lost_after_s,
            _loop=self._loop,
        )
        self.partners.append(made)
        return made

    async def tick(self) -> None:
        """Vouch for every picture."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(super().tick())
            for one in self.partners:
                tasks.create_task(FeedSource.tick(one))

    def routers(self) -> Iterable[APIRouter]:
        """Serve the partners' feeds, and who they are."""
        routes = APIRouter()
        by_name = {one.partner: one for one in self.partners}

        @routes.get("/v1/partners")
        async def partners() -> Response:
            told = [{"partner": one.partner, "name": one.name} for one in self.partners]
            return Response(msgspec.json.encode({"partners": told}), media_type="application/json")

        @routes.get("/v1/partners/{partner}/feed")
        async def feed(partner: str) -> StreamingResponse:
            return StreamingResponse(by_name[partner].stream(), media_type="text/event-stream")

        return [routes]


def own_or(organisation: str, grants: Grants | None) -> Callable[[FeedRecord], Grants | None]:
    """Open everything of an organisation's own units, and `grants` of all others."""
    return lambda record: OWN if record.organisation == organisation else grants
