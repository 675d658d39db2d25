"""Control's own word about a unit: a status that was heard by voice, or that settles which of two stands."""

import asyncio
from datetime import timedelta
from typing import Literal

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response

from cloud.api.answers import EventView, Problem
from cloud.api.bodies import AWAY, NOT_JSON, describe_body, read_body
from cloud.api.once import Once
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.units import event_view, no_such_unit
from cloud.directory import Unit
from cloud.errors import Retryable
from cloud.fleet.heads import CONTROL, Head
from wire.events import Instant, Mode, Person, StatusEvent, Text, Word

Source = Literal["control", "cad"]
HEARD_WITHIN = timedelta(days=1)
"""What was heard longer ago than this is not entered any more."""
_MASTERS: dict[str, Source] = {"watchroom": "control", "cad": "cad"}
"""Whose word a master takes."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The status that stood when it was decided. Each that is given must hold still."""

    device: str | None = None
    stream: str | None = None
    seq: int | None = None
    code: str | None = None
    since: Instant | None = None


class SaidStatus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A unit's status, by a person's word."""

    code: Word
    """Of the unit's scheme, and none that is only an event."""
    by: Person
    """Who at control says so."""
    reason: Text = ""
    """Such as "by radio"."""
    source: Source = "control"
    """Who sends it: the control room, or a dispatch system where the directory makes that the master of statuses."""
    at: Instant | None = None
    """Since when; null for now."""
    mode: Mode = "live"
    expects: Expected | None = None


BODIES: list[type[msgspec.Struct]] = [SaidStatus, Expected]
"""What the route reads."""
_KEYED = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": "The same key with the same body gets the same answer, and is stored once.",
}
_ANSWERS = answers(
    EventView,
    "",
    s404="No such unit.",
    s409="Another is the master of statuses, or another status stands by now, or the key was used for something else.",
    s413="The body is too long.",
    s415=NOT_JSON,
    s422="The body is not understood, or the code is none that can stand: the problem names what is wrong.",
    s503=AWAY,
)
_ANSWERS[201] = _ANSWERS.pop(200) | {"description": "The event, stored and shown."}


def router(site: Site) -> APIRouter:
    """Make the route."""
    routes = APIRouter(prefix="/v1/units", tags=["units"])
    once, pen = Once(), asyncio.Lock()

    @routes.post(
        "/{unit}/status",
        status_code=201,
        responses=_ANSWERS,
        openapi_extra=describe_body("SaidStatus") | {"parameters": [_KEYED]},
    )
    async def say_status(unit: str, request: Request) -> Response:
        """Enter a unit's status at control. It stands over what was received before it, and its crew sees it."""
        asked = await read_body(request, SaidStatus)
        if isinstance(asked, Response):
            return asked

        async def say() -> Response:
            async with pen:  # so that two who decided on the same picture don't both have their way
                return await _say(site, unit, asked)

        return await once.answer(request, msgspec.json.encode(asked), say)

    return routes


async def _say(site: Site, unit_id: str, asked: SaidStatus) -> Response:
    unit = site.ingest.directory.units.get(unit_id)
    if unit is None:
        return no_such_unit(unit_id)
    refusal = _objection(site, unit, asked)
    if refusal is not None:
        return refusal
    now = site.moment().utc
    event = StatusEvent(
        seq=1,
        at=asked.at or now,
        clock="ntp",
        boot=0,
        mono_ms=0,
        mode=asked.mode,
        unit=unit.id,
        scheme=unit.scheme,
        code=asked.code,
        by="radio",
        remarks=asked.reason,
        operator=asked.by,
    )
    try:
        row = await site.ingest.say(unit.id, event)
    except Retryable:
        return reply(
            Problem("the ledger takes nothing now: nothing was changed. Ask again; GET /healthz says why"), 503
        )
    return reply(event_view(row), 201)


def _objection(site: Site, unit: Unit, asked: SaidStatus) -> Response | None:
    """Say why a word can't be taken; None where it can."""
    directory = site.ingest.directory
    master = directory.organisations[unit.organisation].masters.status
    if _MASTERS[master] != asked.source:
        whose = f"the statuses of {unit.organisation!r} are the word of {_MASTERS[master]!r}"
        return reply(Problem(f"{whose}, not of {asked.source!r}: enter it there, or change masters.status"), 409)
    scheme = directory.schemes[unit.scheme]
    code = scheme.code(asked.code)
    if code is None or code.availability is None:
        known = ", ".join(row.code for row in scheme.codes if row.availability is not None)
        what = "is no code of" if code is None else "is an event, and never stands, in"
        return reply(Problem(f"code: {asked.code!r} {what} {scheme.name}; one of {known}"), 422)
    said = site.ingest.fleet.head(unit.id, CONTROL)
    if asked.at is not None and asked.at > site.moment().utc:
        return reply(Problem("at: it is in the future; leave it out for now"), 422)
    if asked.at is not None and asked.at < site.moment().utc - HEARD_WITHIN:
        return reply(Problem("at: it is more than a day ago: what was heard then is no status now"), 422)
    if asked.at is not None and said is not None and asked.at < said.at:
        return reply(
            Problem(f"at: control has said {said.label!r} since {said.at.isoformat()}: name no time before"), 422
        )
    standing = site.ingest.fleet.standing(unit.id)
    if asked.expects is not None and not _holds(asked.expects, standing):
        stands = "no status" if standing is None else f"{standing.label!r} of {standing.device}"
        return reply(Problem(f"the picture has changed: {stands} stands now. Look again, and decide on that"), 409)
    return None


def _holds(expected: Expected, standing: Head | None) -> bool:
    if standing is None:
        return expected == Expected()
    pairs = (
        (expected.device, standing.device),
        (expected.stream, standing.stream),
        (expected.seq, standing.seq),
        (expected.code, standing.code),
        (expected.since, standing.at),
    )
    return all(wanted is None or wanted == found for wanted, found in pairs)
