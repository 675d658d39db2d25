"""Status schemes: each service's own codes, with the words that its people have for them."""

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.api.units import no_such_unit
from wire.feed import Activity, AvailabilityClass
from wire.scheme import Code, Place, Scheme, SchemeConfidence


class CodeView(msgspec.Struct, frozen=True, kw_only=True):
    """One status code."""

    code: str
    label: str
    """In the service's own words."""
    availability: AvailabilityClass | None = msgspec.field(name="class")
    """Null for an event: a moment that never replaces the status that stands, and that nobody may enter."""
    activity: Activity | None
    place: Place | None
    tier_min: int | None
    note: str


class SchemeView(msgspec.Struct, frozen=True, kw_only=True):
    """One scheme, as the site reads it."""

    name: str
    title: str
    confidence: SchemeConfidence
    """How sure the codes and labels are."""
    codes: tuple[CodeView, ...]
    """In the order in which the service lists them."""


BODIES: list[type[msgspec.Struct]] = [SchemeView, CodeView]
"""What the routes answer with."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(tags=["directory"])

    @routes.get("/v1/schemes/{name}", responses=answers(SchemeView, "The scheme.", s404="No such scheme."))
    async def show_scheme(name: str) -> Response:
        """A scheme's codes and labels, with the site's own rows in place of the packaged ones."""
        schemes = site.ingest.directory.schemes
        scheme = schemes.get(name)
        if scheme is None:
            return reply(Problem(f"there is no scheme {name!r}; one of {', '.join(sorted(schemes))}"), 404)
        return reply(view_scheme(scheme))

    @routes.get("/v1/units/{unit}/scheme", responses=answers(SchemeView, "The unit's scheme.", s404="No such unit."))
    async def show_scheme_of_unit(unit: str) -> Response:
        """The scheme whose codes are a unit's, heard or not."""
        directory = site.ingest.directory
        known = directory.units.get(unit)
        return no_such_unit(unit) if known is None else reply(view_scheme(directory.schemes[known.scheme]))

    return routes


def view_scheme(scheme: Scheme) -> SchemeView:
    """Show a scheme."""
    codes = tuple(_code(code) for code in scheme.codes)
    return SchemeView(name=scheme.name, title=scheme.title, confidence=scheme.confidence, codes=codes)


def _code(code: Code) -> CodeView:
    return CodeView(
        code=code.code,
        label=code.label,
        availability=code.availability,
        activity=code.activity,
        place=code.place,
        tier_min=code.tier_min,
        note=code.note,
    )
