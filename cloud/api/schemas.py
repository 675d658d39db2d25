"""The published schemas in the OpenAPI document: they come from the wire's structs, not from a second description."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.responses import Response

from cloud.api.answers import (
    AlarmList,
    EventList,
    EventView,
    Health,
    OrderClash,
    OrderList,
    OrderLog,
    Problem,
    TrackList,
    UnitList,
)
from wire.feed import Alarms, Changes, FeedRecord, Orders, OrderView, Snapshot, Tick

_FEED: list[type[msgspec.Struct]] = [FeedRecord, Snapshot, Changes, Orders, Alarms, Tick]
_ANSWERS: list[type[msgspec.Struct]] = [
    UnitList,
    EventList,
    EventView,
    TrackList,
    OrderView,
    OrderList,
    OrderLog,
    OrderClash,
    AlarmList,
    Health,
    Problem,
]
_encode = msgspec.json.Encoder().encode


BOARD: Sequence[type[msgspec.Struct]] = (*_FEED, *_ANSWERS)
"""What the control room's own application answers with, beside what its routers name."""


def add_schemas(api: FastAPI, structs: Sequence[type[msgspec.Struct]]) -> None:
    """Let the application's OpenAPI document define every struct that a route names."""
    make = api.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        _, components = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
        _leave_out_the_frameworks(document)
        document.setdefault("components", {}).setdefault("schemas", {}).update(components)
        return document

    api.openapi = openapi  # type: ignore[method-assign]


def _leave_out_the_frameworks(document: dict[str, Any]) -> None:
    """Take the framework's own 422 out of every route: where one is given it is a `Problem`, and the route says so."""
    document.get("components", {}).pop("schemas", None)
    for path in document["paths"].values():
        for operation in path.values():
            if "HTTPValidationError" in str(operation["responses"].get("422", "")):
                del operation["responses"]["422"]


def answers(kind: type, description: str, **others: str) -> dict[int | str, dict[str, Any]]:
    """Describe a route's answers: 200 with `kind`, and a problem for each other status, given as `s404="why"`."""
    described: dict[int | str, dict[str, Any]] = {200: _answer(kind, description)}
    for status, why in others.items():
        described[int(status[1:])] = _answer(Problem, why)
    return described


def reply(value: msgspec.Struct, status: int = 200) -> Response:
    """Answer with a struct as JSON. What is live is never cached."""
    return Response(
        _encode(value), status_code=status, media_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _answer(kind: type, description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
