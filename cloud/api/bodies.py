"""Reads the bodies of requests: JSON that says so, within a bound, as its struct has it."""

from typing import Any, TypeVar

import msgspec
from fastapi import Request
from fastapi.responses import Response

from cloud.api.answers import Problem
from cloud.api.schemas import reply
from wire.events import Person

BODY_BYTES_MAX = 65_536
NOT_JSON = "The content type is not application/json."
AWAY = "What is stored can't be read or written now: nothing was changed. Ask again."

_Body = TypeVar("_Body", bound=msgspec.Struct)


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has it in hand."""

    by: Person


def refuse_other_than_json(request: Request) -> Response | None:
    """Give the answer to what isn't JSON by its own word; None for what is.

    Another web page of this machine's browser can't send JSON without being asked first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return None
    return reply(Problem("send the body as JSON, with content-type: application/json"), 415)


async def read_body(request: Request, kind: type[_Body]) -> _Body | Response:
    """Read a request's body, or give the answer that says what is wrong with it."""
    refusal = refuse_other_than_json(request)
    if refusal is not None:
        return refusal
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return reply(Problem(f"the body is longer than {BODY_BYTES_MAX} bytes"), 413)
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (ValueError, RecursionError) as error:
        return reply(Problem(f"body: {error}"), 422)


def describe_body(schema: str) -> dict[str, Any]:
    """Describe a route's body by the schema's name."""
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}
