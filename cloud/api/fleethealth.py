"""Fleet health: every device, worst first, with what is wrong and what to do. For this control room alone.

Partners see units, by agreement; a device is nothing that anybody shares.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.fleetviews import BoundUnit, DeviceView, FleetCounts, Row, Survey, Surveyor
from cloud.api.pages import PAGE_MAX, reply_tagged
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.fleet.health import HealthFinding, Part, Standing
from wire.feed import Freshness
from wire.findings import Level

PAGE = 100
TOLD_AGAIN_S = 600
"""Who asks again gets all of it at least so often: a page tells a moment of yesterday by how long ago it is."""
_encode = msgspec.json.Encoder().encode
Words = Annotated[str | None, Query(min_length=1, max_length=200)]


class DeviceList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of devices, worst first."""

    at: datetime
    began_at: datetime
    """Since when this service listens: what it counts of restarts and refusals is no older."""
    fleet: FleetCounts
    matching: int
    """How many are as asked for."""
    start: int
    """How many of these come before this page."""
    devices: tuple[DeviceView, ...]


BODIES: list[type[msgspec.Struct]] = [DeviceList, DeviceView, FleetCounts, BoundUnit, HealthFinding]
"""What the routes answer with."""


@dataclass(frozen=True)
class AskedDevices:
    """Which devices are asked for; None for whichever."""

    organisation: Words = None
    standing: Annotated[Standing | None, Query(description="`look`: to look after. `untold`: tells no health.")] = None
    level: Annotated[
        Level | None, Query(description="Of the part, where one is named; else the worst of what is found.")
    ] = None
    part: Annotated[Part | None, Query(description="Without a level: those of which it is not in order.")] = None
    freshness: Annotated[Freshness | None, Query()] = None
    text: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Words that all occur in its id, organisation, vehicle, station, units, callsigns or software.",
        ),
    ] = None
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = PAGE
    start: Annotated[int, Query(ge=0, le=1_000_000, description="How many to leave out, worst first.")] = 0


def router(site: Site) -> APIRouter:
    """Make the routes."""

    @cache
    def surveyor() -> Surveyor:
        ingest, began = site.ingest, site.process.started.utc
        return Surveyor(ingest.in_force, ingest.fleet, ingest.acceptor.troubles, moment=site.moment, began=began)

    return device_routes(surveyor)


def device_routes(surveyor: Callable[[], Surveyor]) -> APIRouter:
    """Make the routes of whoever looks at devices."""
    routes = APIRouter(prefix="/v1/devices", tags=["operation"])
    listed = answers(DeviceList, "A page of devices.", s422="The query is not understood.")
    listed[304] = {"description": "Nothing but ages is other than what has the tag in `If-None-Match`."}

    @routes.get("", responses=listed)
    async def list_devices(request: Request, asked: Annotated[AskedDevices, Depends()]) -> Response:
        """Every device with its health, worst first, and all of them added up. In pages of 100."""
        page = _page(await surveyor().survey(), asked, surveyor().began)
        return reply_tagged(request, _tag(page), _encode(page), "application/json")

    @routes.get("/{device}", responses=answers(DeviceView, "The device.", s404="No such device."))
    async def show_device(device: str) -> Response:
        """One device with its health."""
        survey = await surveyor().survey()
        named = [row.view for row in survey.rows if row.view.device == device]
        found = next((view for view in named if view.listed), named[0] if named else None)
        if found is None:
            return reply(Problem(f"there is no device {device!r} that may speak; GET /v1/devices lists them"), 404)
        return reply(found)

    return routes


def _page(survey: Survey, asked: AskedDevices, began: datetime) -> DeviceList:
    words = (asked.text or "").casefold().split()
    found = [row for row in survey.rows if _takes(asked, words, row)]
    shown = tuple([row.view for row in found[asked.start : asked.start + asked.limit]])
    return DeviceList(
        at=survey.at, began_at=began, fleet=survey.counts, matching=len(found), start=asked.start, devices=shown
    )


def _takes(asked: AskedDevices, words: Iterable[str], row: Row) -> bool:
    view = row.view
    return (
        (asked.organisation is None or view.organisation == asked.organisation)
        and (asked.standing is None or view.standing == asked.standing)
        and (asked.freshness is None or view.link == asked.freshness)
        and _is_at(asked, view)
        and all(word in row.text for word in words)
    )


def _is_at(asked: AskedDevices, view: DeviceView) -> bool:
    if asked.part is not None:
        level = view.parts.get(asked.part)
        return level == asked.level if asked.level is not None else level in ("warn", "fail")
    return asked.level is None or asked.level == (view.findings[0].level if view.findings else "ok")


def _tag(page: DeviceList) -> str:
    """Give a weak tag of what is shown, but for ages."""
    seconds = int(page.at.timestamp())
    digest = hashlib.sha256(_encode((page.fleet, page.matching, page.start, page.began_at, seconds // TOLD_AGAIN_S)))
    for view in page.devices:
        digest.update(_encode(_essence(view)))
    return f'W/"{digest.hexdigest()[:32]}"'


def _essence(view: DeviceView) -> DeviceView:
    """Leave out what moves with each message of a device that says nothing new.

    Of one whose word is old the moments stand, and are shown: they stay, by the minute.
    """
    findings = tuple(
        [msgspec.structs.replace(one, since=_minute(one.since), last=_minute(one.last)) for one in view.findings]
    )
    heard_at, told_at = (_minute(view.heard_at), _minute(view.told_at)) if view.is_old else (None, None)
    pressed_s = _pressed_s(view)
    return msgspec.structs.replace(
        view, heard_at=heard_at, told_at=told_at, findings=findings, oldest_status_s=pressed_s
    )


def _minute(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(second=0, microsecond=0)


def _pressed_s(view: DeviceView) -> float | None:
    """Give the minute since which its oldest status waits: that stands still while the age of it grows."""
    if view.oldest_status_s is None or view.told_at is None:
        return None
    return (view.told_at.timestamp() - view.oldest_status_s) // 60
