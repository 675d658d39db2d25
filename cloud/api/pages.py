"""Lists of units as they are given out: in pages, in the format that is asked for, and not twice to who has them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import Query, Request
from fastapi.responses import Response

from cloud.feeds import eido, geojson
from cloud.sharing.view import essence
from wire.partner import PartnerRecord, PartnerUnits

PAGE_MAX = 1_000
Format = Literal["json", "geojson", "eido"]
FORMATS: dict[Format, str] = {
    "json": "application/json",
    "geojson": geojson.MEDIA_TYPE,
    "eido": eido.MEDIA_TYPE,
}
ISSUER = "localhost"
"""Who gives an object out, until this service has a name of its own in the network."""
_NOT_MODIFIED = 304
_Item = TypeVar("_Item")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Paging:
    """Which page, and in which format."""

    limit: Annotated[int | None, Query(ge=1, le=PAGE_MAX)] = None
    after: Annotated[
        str | None, Query(max_length=200, description="`next_after` of the page before: units that come behind it.")
    ] = None
    format: Annotated[Format | None, Query(description="Goes before what `Accept` says.")] = None


def format_of(request: Request, paging: Paging) -> Format:
    """Find the format that is asked for: JSON where nothing says otherwise."""
    if paging.format is not None:
        return paging.format
    accepted = {part.partition(";")[0].strip().lower() for part in request.headers.get("accept", "").split(",")}
    if FORMATS["json"] in accepted:
        return "json"
    return next((name for name, media_type in FORMATS.items() if media_type in accepted), "json")


def cut(found: Iterable[_Item], limit: int) -> tuple[tuple[_Item, ...], bool]:
    """Give the first so many, and whether there are more."""
    page = tuple(islice(found, limit + 1))
    return page[:limit], len(page) > limit


def encode_page(page: PartnerUnits, kind: Format, issuer: str) -> bytes:
    """Write a page in a format. `issuer` names this service, where the format has it."""
    match kind:
        case "json":
            return _encode(page)
        case "geojson":
            return _encode(geojson.feature_collection(page))
        case "eido":
            return _encode(eido.eido(page, issuer=issuer))


def tag_of(shown: Iterable[PartnerRecord], *more: str) -> str:
    """Give a weak tag of what is shown, but for ages: what is told again unchanged has the same one."""
    digest = hashlib.sha256("\0".join(more).encode())
    for record in shown:
        digest.update(_encode(essence(record)))
        digest.update(b"\0")
    return f'W/"{digest.hexdigest()[:32]}"'


def reply_tagged(request: Request, tag: str, body: bytes, media_type: str) -> Response:
    """Answer with a body, or with 304 to who has it: compared weakly (RFC 9110, section 13.1.2)."""
    headers = {"ETag": tag, "Cache-Control": "no-store", "Vary": "Accept, Authorization"}
    if _has(request, tag):
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


def describe_formats(schema: str, description: str) -> dict[int | str, dict[str, Any]]:
    """Describe an answer that comes in every format."""
    json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    others = {media_type: {"schema": {"type": "object"}} for name, media_type in FORMATS.items() if name != "json"}
    return {
        200: {"description": description, "content": {FORMATS["json"]: json} | others},
        304: {"description": "Nothing but ages is other than what has the tag in `If-None-Match`."},
    }


def _has(request: Request, tag: str) -> bool:
    given = [part.strip() for line in request.headers.getlist("if-none-match") for part in line.split(",")]
    return "*" in given or tag in given or tag.removeprefix("W/") in given
