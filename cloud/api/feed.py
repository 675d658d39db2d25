"""The live feed as server-sent events."""

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from cloud.api.source import Site

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Events of five kinds: `snapshot`, `changes`, `orders`, `alarms` and `tick`, with `id: "
        "EPOCH-CURSOR`. The schemas Snapshot, Changes, Orders, Alarms and Tick describe their data.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["feed"])

    @routes.get("/v1/feed", responses=_ANSWERS, response_class=StreamingResponse)
    async def feed(last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
        """A snapshot, or what changed since `Last-Event-ID`, and then every change, on the feed's tick."""
        now = site.moment()
        first = site.feed.since(last_event_id, now) if last_event_id else site.feed.snapshot(now)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(site.listeners.listen(first), media_type="text/event-stream", headers=headers)

    return routes
