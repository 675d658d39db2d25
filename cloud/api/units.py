"""Units as they stand, their events and their tracks."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cloud.api.answers import EventList, EventView, Problem, TrackList, TrackPoint, UnitList
from cloud.api.filters import Asked
from cloud.api.pages import PAGE_MAX, Paging, describe_formats
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.unitlist import give_units
from cloud.ledger import EventRow
from cloud.telemetry import PositionRow
from wire.events import SEQ_MAX
from wire.feed import FeedRecord

TRACK_MAX = 50_000
TRACK_DEFAULT = timedelta(hours=1)

_BAD_QUERY = "The query is not understood, or its window is none."
_AWAY = "What is stored can't be read now."

EventId = Annotated[int, Query(ge=1, le=SEQ_MAX)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
TrackLimit = Annotated[int, Query(ge=1, le=TRACK_MAX)]


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/units", tags=["units"])

    @routes.get("", responses=answers(UnitList, "", s422=_BAD_QUERY) | describe_formats("UnitList", "Units."))
    async def list_units(
        request: Request, asked: Annotated[Asked, Depends()], paging: Annotated[Paging, Depends()]
    ) -> Response:
        """Every unit as it stands. In pages, by unit, where `limit` or `after` is given."""
        return give_units(site, request, asked, paging)

    @routes.get("/{unit}", responses=answers(FeedRecord, "The unit.", s404="No such unit."))
    async def show_unit(unit: str) -> Response:
        """One unit as it stands."""
        record = site.feed.record(unit, site.moment())
        return reply(record) if record is not None else no_such_unit(unit)

    @routes.get(
        "/{unit}/events",
        responses=answers(EventList, "A page of events.", s404="No such unit.", s422=_BAD_QUERY, s503=_AWAY),
    )
    async def list_events(unit: str, before: EventId | None = None, limit: Limit = 100) -> Response:
        """A unit's stored events, newest first."""
        if unit not in site.ingest.directory.units:
            return no_such_unit(unit)
        rows = await asyncio.to_thread(site.ledger.events_of, unit, before, limit)
        more = len(rows) == limit and rows[-1].prev is not None
        views = tuple(event_view(row) for row in rows)
        return reply(EventList(unit=unit, events=views, next_before=rows[-1].id if more else None))

    @routes.get(
        "/{unit}/track",
        responses=answers(TrackList, "Positions.", s404="No such unit.", s422=_BAD_QUERY, s503=_AWAY),
    )
    async def show_track(
        unit: str, since: datetime | None = None, until: datetime | None = None, limit: TrackLimit = 10_000
    ) -> Response:
        """A unit's stored positions in a window of corrected time, the last hour by default."""
        if unit not in site.ingest.directory.units:
            return no_such_unit(unit)
        window = window_of(since, until or site.moment().utc, TRACK_DEFAULT)
        if isinstance(window, Problem):
            return reply(window, 422)
        start, end = window
        rows = await asyncio.to_thread(site.telemetry.series, unit, start, end, limit + 1)
        points = tuple(_track_point(row) for row in rows[:limit])
        return reply(TrackList(unit=unit, since=start, until=end, points=points, more=len(rows) > limit))

    return routes


def window_of(since: datetime | None, until: datetime, default: timedelta) -> tuple[datetime, datetime] | Problem:
    """Give the window in UTC, as long as `default` where it has no begin, or why it is none."""
    if until.tzinfo is None or (since is not None and since.tzinfo is None):
        return Problem("since and until must name their offset from UTC, such as 2026-01-26T15:57:02Z")
    try:
        end = until.astimezone(UTC)
        start = since.astimezone(UTC) if since is not None else end - default
    except OverflowError:
        return Problem("since and until must lie in the years 1 to 9999 of UTC")
    return (start, end) if start < end else Problem("since must be before until")


def no_such_unit(unit: str) -> Response:
    """Answer that there is no such unit."""
    return reply(Problem(f"there is no unit {unit!r}; GET /v1/units lists them"), 404)


def event_view(row: EventRow) -> EventView:
    """Make the view of a stored event."""
    return EventView(
        id=row.id,
        device=row.device,
        stream=row.stream,
        seq=row.seq,
        kind=row.kind,
        at=row.at,
        corrected_at=row.corrected_at,
        proven=row.proven,
        received_at=row.received_at,
        event=msgspec.Raw(row.body),
    )


def _track_point(row: PositionRow) -> TrackPoint:
    return TrackPoint(
        at=row.corrected_at,
        device=row.device,
        stream=row.stream,
        seq=row.seq,
        mode=row.mode,
        fix=row.fix,
        lat=row.lat,
        lon=row.lon,
        speed_mps=row.speed_mps,
        heading_deg=row.heading_deg,
        altitude_m=row.altitude_m,
        accuracy_m=row.accuracy_m,
        satellites=row.satellites,
        gnss_time=row.gnss_time,
    )
