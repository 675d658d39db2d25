"""The past, as far as an organisation may see it: what was allowed then, and is allowed now."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.partner.tokens import caller_of
from cloud.api.partner.units import NO_SUCH_UNIT
from cloud.api.replay import moment_of
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.units import TRACK_DEFAULT, TRACK_MAX, window_of
from cloud.memory.replay import Replayed
from cloud.memory.sharedpast import Now, Stretch
from cloud.sharing.lending import agreement_of
from cloud.sharing.past import Circumstances, is_as_open, place_then
from cloud.telemetry import PositionRow
from wire.feed import PositionView
from wire.partner import PartnerRecord

WINDOW_MAX = timedelta(days=1)
BAD_WINDOW = "The query is not understood, or its window is none or longer than a day."
AWAY = "What is stored can't be read now, or what you may see changed meanwhile: ask again."
CHANGED = Problem("what you may see has changed while this was looked up: ask again")
UNKNOWN = "what was shown then is not known: nothing was shown, or it could not be kept, or is let go of"


class PartnerTrackPoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a unit was, no sharper than agreed."""

    at: datetime
    position: PositionView
    """Without an age: it is of `at`."""
    precision_m: int
    """The side of the square whose middle it is; 0 where it is exact."""


class PartnerTrack(msgspec.Struct, frozen=True, kw_only=True):
    """A unit's positions in a window, oldest first. `more` tells whether there are more in it than these."""

    unit: str
    since: datetime
    until: datetime
    points: tuple[PartnerTrackPoint, ...]
    more: bool


class PartnerReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What you may see now of what the board showed at `at`, ages as they were then."""

    at: datetime
    known: bool
    problem: str | None = None
    """Why it is not known."""
    units: tuple[PartnerRecord, ...] = ()
    """By unit. Only what was open to you then, always, and is now."""


BODIES: list[type[msgspec.Struct]] = [PartnerTrack, PartnerTrackPoint, PartnerReplay]
"""What the routes answer with."""
_encode = msgspec.json.Encoder().encode
TrackLimit = Annotated[int, Query(ge=1, le=TRACK_MAX)]


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["history"])
    _add_track(routes, site)
    _add_replay(routes, site)
    return routes


def _add_track(routes: APIRouter, site: Site) -> None:
    turn = asyncio.Lock()  # one track at a time: however many look back, whoever sends an order finds a thread

    @routes.get(
        "/v1/units/{unit}/track",
        responses=answers(PartnerTrack, "Positions.", s404=NO_SUCH_UNIT.problem, s422=BAD_WINDOW, s503=AWAY),
    )
    async def show_track(
        request: Request,
        unit: str,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: TrackLimit = 10_000,
    ) -> Response:
        """Where a unit was in a window of at most a day, the last hour by default: what was allowed then and is now."""
        partner = caller_of(request).partner
        window = window_of(since, until or site.moment().utc, TRACK_DEFAULT)
        if isinstance(window, tuple) and window[1] - window[0] > WINDOW_MAX:
            window = Problem("the window must not be longer than a day: ask for each part")
        if isinstance(window, Problem):
            return reply(window, 422)
        grants = site.partners.views.opened(partner, unit, site.moment())
        if grants is None:
            return reply(NO_SUCH_UNIT, 404)
        async with turn:
            now = holding_now(site, partner)
            points = await asyncio.to_thread(_read_track, site, (unit, *window, limit + 1), now)
        if site.partners.views.opened(partner, unit, site.moment()) is None:  # it was closed meanwhile
            return reply(NO_SUCH_UNIT, 404)
        if not _holds([unit], now, holding_now(site, partner)):
            return reply(CHANGED, 503)
        site.reads.note(partner, {unit: grants}, way="history", now=now.situation.now)
        more = len(points) > limit
        return reply(PartnerTrack(unit=unit, since=window[0], until=window[1], points=tuple(points[:limit]), more=more))


def _add_replay(routes: APIRouter, site: Site) -> None:
    @routes.get(
        "/v1/replay",
        responses=answers(PartnerReplay, "What was shown, or why that is not known.", s422=BAD_WINDOW, s503=AWAY),
    )
    async def replay_view(request: Request, at: datetime) -> Response:
        """What the board showed at a moment, as far as it was open to you then and is now."""
        asked = moment_of(at, site.moment().utc)
        if isinstance(asked, Problem):
            return reply(asked, 422)
        partner = caller_of(request).partner
        now, shown = holding_now(site, partner), list[str]()

        def make(board: Replayed) -> bytes:
            if not board.known:
                return _encode(PartnerReplay(at=asked, known=False, problem=UNKNOWN))
            units = tuple(site.shared_past.board(board.units, asked, now))
            shown.extend(record.unit for record in units)
            return _encode(PartnerReplay(at=asked, known=True, units=units))

        body = await site.past.answer(asked, make)
        if not _holds(shown, now, holding_now(site, partner)):  # it may have waited behind many others
            return reply(CHANGED, 503)
        seen = site.partners.views.seen_by(partner)
        read = {unit: seen[unit] for unit in shown if unit in seen}
        site.reads.note(partner, read, way="history", now=now.situation.now)
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


def holding_now(site: Site, partner: str) -> Now:
    """Give what holds as a partner asks: the past is judged on a thread, where nothing may change meanwhile."""
    moment, views = site.moment(), site.partners.views
    units = {unit: shared for unit in site.ingest.directory.units if (shared := views.shared(unit)) is not None}
    loans = ((loan.committed_at, agreement_of(loan)) for loan in site.lending.loans(partner))
    return Now(
        partner=partner,
        units=units,
        agreements=views.agreements(),
        loans=tuple((since, made) for since, made in loans if since is not None and made is not None),
        situation=views.situation(moment),
    )


def _holds(units: Iterable[str], before: Now, after: Now) -> bool:
    """Tell whether the same may be seen of the past of these units as when it was looked up."""

    def around(unit: str, now: Now) -> Circumstances:
        return Circumstances(unit=now.units[unit], agreements=now.agreements, situation=now.situation)

    return all(
        unit in after.units and is_as_open(before.partner, around(unit, before), around(unit, after)) for unit in units
    )


def _read_track(site: Site, asked: tuple[str, datetime, datetime, int], now: Now) -> list[PartnerTrackPoint]:
    unit, since, until, limit = asked
    points: list[PartnerTrackPoint] = []
    for stretch in site.shared_past.stretches(unit, since, until, now):
        if len(points) < limit and "position" in stretch.grants.fields:
            rows = site.telemetry.series(unit, stretch.since, stretch.until, limit - len(points))
            points += (point for row in rows if (point := _point(row, stretch, now)) is not None)
    return points


def _point(row: PositionRow, stretch: Stretch, now: Now) -> PartnerTrackPoint | None:
    place = PositionView(
        fix=row.fix,
        lat=row.lat,
        lon=row.lon,
        heading_deg=row.heading_deg,
        speed_mps=row.speed_mps,
        altitude_m=row.altitude_m,
        accuracy_m=row.accuracy_m,
        gnss_time=row.gnss_time,
    )
    shown = place_then(place, row.corrected_at, stretch.grants, now.situation.now)
    if shown is None:
        return None
    return PartnerTrackPoint(at=row.corrected_at, position=shown, precision_m=stretch.grants.precision_m)
