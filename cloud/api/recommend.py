"""Who gets there first: the units that may be sent to a place with what is wanted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.directory import Directory
from cloud.dispatch.recommend import (
    METHOD,
    SPEED_MPS,
    Candidate,
    LeftOut,
    Place,
    Recommended,
    Wanted,
    has_capability,
    recommend,
)
from wire.feed import FeedRecord, Service

LIMIT_MAX = 100
KNOWN_MAX = 40


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets there first, as far as is known at `at`."""

    at: datetime
    lat: float
    lon: float
    capability: str
    service: Service | None
    method: str
    """How a distance was found."""
    speed_mps: float
    units: tuple[Recommended, ...]
    """The best first: confirmed before the rest, then by class, then by who is there first."""
    more: int
    """How many may be sent beside these."""
    left_out: tuple[LeftOut, ...]
    """Who has what is wanted and may not be sent."""


BODIES: list[type[msgspec.Struct]] = [Recommendation, Recommended, LeftOut]
"""What the route answers with."""


@dataclass(frozen=True)
class _Query:
    """Where to, and with what."""

    lat: Annotated[float, Query(ge=-90, le=90)]
    lon: Annotated[float, Query(ge=-180, le=180)]
    capability: Annotated[str, Query(max_length=100)] = ""
    service: Service | None = None
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 10


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(tags=["units"])

    @routes.get(
        "/v1/recommend",
        responses=answers(
            Recommendation, "Who may be sent.", s422="The query is not understood, or no unit has that capability."
        ),
    )
    async def recommend_units(query: Annotated[_Query, Depends()]) -> Response:
        """Rank the units that may be sent to a place. Nobody who is in another mode than live, covert, or at home."""
        now = site.moment()
        directory = site.ingest.directory
        candidates = [_candidate(site, directory, record) for record in site.feed.records(now)]
        capability = query.capability.strip()
        known = sorted({name for one in candidates if not one.hidden for name in one.record.capabilities})
        if capability and not has_capability(known, capability):
            return reply(Problem(_nobody(capability, known)), 422)
        place = Place(query.lat, query.lon)
        wanted = Wanted(place=place, capability=capability, service=query.service, limit=query.limit)
        found = recommend(wanted, candidates)
        return reply(
            Recommendation(
                at=now.utc,
                lat=query.lat,
                lon=query.lon,
                capability=capability,
                service=query.service,
                method=METHOD,
                speed_mps=SPEED_MPS,
                units=found.units,
                more=found.more,
                left_out=found.left_out,
            )
        )

    return routes


def _candidate(site: Site, directory: Directory, record: FeedRecord) -> Candidate:
    unit = directory.units.get(record.unit)
    if unit is None or unit.covert or site.ingest.fleet.private(record.unit):
        return Candidate(record=record, hidden=True)
    status = record.status
    meaning = None if status is None else directory.schemes[unit.scheme].code(status.code)
    base = directory.bases[unit.base]
    if meaning is None or meaning.place != "base" or base.lat is None or base.lon is None:
        return Candidate(record=record)
    return Candidate(record=record, base=Place(base.lat, base.lon))


def _nobody(capability: str, known: list[str]) -> str:
    if not known:
        return f"capability: no unit has {capability!r}: the directory names no capabilities"
    named = ", ".join(known[:KNOWN_MAX]) + (" and more" if len(known) > KNOWN_MAX else "")
    return f"capability: no unit has {capability!r}; there are {named}"
