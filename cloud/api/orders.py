"""Orders: given, taken back, closed, and looked up. What is asked for is durable before it is answered."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from msgspec import Meta

from cloud.api.answers import OrderClash, OrderList, OrderLog, OrderLogEntry, Problem
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk import Clash, Differs, Invalid, Placed
from cloud.dispatch import OrderRequest
from cloud.ledger import OrderLogRow
from wire.events import Word
from wire.feed import OrderView

PAGE_MAX = 1_000
BODY_BYTES_MAX = 65_536
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BAD_BODY = "The body, or the order's id, is not understood: the problem names what is wrong."
_NO_ORDER = "No such order."
_NOT_JSON = "The content type is not application/json."
_AWAY = "What is stored can't be read or written now: nothing was changed. Ask again."

_Body = TypeVar("_Body", bound=msgspec.Struct)


class Ended(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who ends an order, and why."""

    by: Word
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class Taken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has an order's alarms in hand."""

    by: Word


BODIES: list[type[msgspec.Struct]] = [OrderRequest, Ended, Taken]
"""What the routes read."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/orders", tags=["orders"])
    _add_reading(routes, site)
    _add_giving(routes, site)
    _add_ending(routes, site)
    return routes


def _add_reading(routes: APIRouter, site: Site) -> None:
    @routes.get("", responses=answers(OrderList, "Orders.", s422=_BAD_BODY, s503=_AWAY))
    async def list_orders(active: bool = False, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100) -> Response:
        """The orders in hand, oldest first; or without `active` the newest first, ended ones too."""
        orders = site.desk.active() if active else await site.desk.newest(limit)
        return reply(OrderList(at=site.moment().utc, orders=orders))

    @routes.get("/{order}", responses=answers(OrderView, "The order.", s404=_NO_ORDER, s503=_AWAY))
    async def show_order(order: str) -> Response:
        """One order as it stands."""
        return _reply_order(await site.desk.show(order), order)

    @routes.get("/{order}/log", responses=answers(OrderLog, "Its log.", s404=_NO_ORDER, s503=_AWAY))
    async def show_log(order: str) -> Response:
        """What became of an order, in order, as far as it is written: within a second of when it was known."""
        rows = await site.desk.log(order)
        if not rows:
            return _no_such_order(order)
        return reply(OrderLog(order=order, entries=tuple(map(_entry, rows))))


def _add_giving(routes: APIRouter, site: Site) -> None:
    putting = answers(
        OrderView,
        "The same order was given before: as it stands.",
        s413="The body is too long.",
        s415=_NOT_JSON,
        s422=_BAD_BODY,
        s503=_AWAY,
    )
    putting[201] = putting[200] | {"description": "The order is stored, and on its way."}
    putting[409] = answers(OrderClash, "")[200] | {
        "description": "Another order stands under this id, or units were moved by another order: "
        "`versions` then gives each one's `assignment_version` as it is now."
    }

    @routes.put("/{order}", responses=putting, openapi_extra=_body("OrderRequest"))
    async def put_order(order: str, request: Request) -> Response:
        """Give an order. The same request again is the same order: send it again until it is answered."""
        asked = await _read(request, order, OrderRequest)
        if isinstance(asked, Response):
            return asked
        match await site.desk.put(order, asked):
            case Placed(shown, new):
                return reply(shown, 201 if new else 200)
            case Differs():
                return reply(OrderClash(f"there is another order {order}; give this one an id of its own"), 409)
            case Clash(versions, orders):
                return reply(OrderClash(_clash_text(orders), versions), 409)
            case Invalid(problem):
                return reply(Problem(problem), 422)


def _add_ending(routes: APIRouter, site: Site) -> None:
    ending: dict[str, Any] = {
        "responses": answers(OrderView, "The order as it stands.", s404=_NO_ORDER, s415=_NOT_JSON, s422=_BAD_BODY)
        | answers(OrderView, "The order as it stands.", s409="It can't be closed now.", s503=_AWAY)
    }

    @routes.post("/{order}/cancel", **ending, openapi_extra=_body("Ended"))
    async def cancel_order(order: str, request: Request) -> Response:
        """Take an order back: everybody who was told of it is told so."""
        asked = await _read(request, order, Ended)
        if isinstance(asked, Response):
            return asked
        return _reply_order(await site.desk.cancel(order, asked.by, asked.reason), order)

    @routes.post("/{order}/close", **ending, openapi_extra=_body("Ended"))
    async def close_order(order: str, request: Request) -> Response:
        """End an order that nobody waits for any more. One that is not acknowledged yet is cancelled instead."""
        asked = await _read(request, order, Ended)
        if isinstance(asked, Response):
            return asked
        closed = await site.desk.close(order, asked.by, asked.reason)
        return reply(Problem(closed.problem), 409) if isinstance(closed, Invalid) else _reply_order(closed, order)

    @routes.post("/{order}/alarms/acknowledge", **ending, openapi_extra=_body("Taken"))
    async def acknowledge_alarms(order: str, request: Request) -> Response:
        """Take an order's standing alarms in hand."""
        asked = await _read(request, order, Taken)
        if isinstance(asked, Response):
            return asked
        return _reply_order(await site.desk.acknowledge_alarms(order, asked.by), order)


async def _read(request: Request, order: str, kind: type[_Body]) -> _Body | Response:
    """Read a request's body, or give the answer that says what is wrong with it.

    Only JSON that says so: another web page of this machine's browser can't send that without being asked first.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return reply(Problem("send the body as JSON, with content-type: application/json"), 415)
    if _ID.fullmatch(order) is None:
        return reply(Problem("the order's id must be a UUID, in lower case"), 422)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return reply(Problem(f"the body is longer than {BODY_BYTES_MAX} bytes"), 413)
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (ValueError, RecursionError) as error:
        return reply(Problem(f"body: {error}"), 422)


def _reply_order(order: OrderView | None, order_id: str) -> Response:
    return _no_such_order(order_id) if order is None else reply(order)


def _no_such_order(order: str) -> Response:
    return reply(Problem(f"there is no order {order!r}; GET /v1/orders lists the newest"), 404)


def _clash_text(orders: dict[str, str | None]) -> str:
    on = ", ".join(
        f"{unit} is on {'no order' if order is None else f'order {order}'}" for unit, order in orders.items()
    )
    return f"units were moved meanwhile: {on}. Look again, and quote the versions, or give an override with its reason"


def _entry(row: OrderLogRow) -> OrderLogEntry:
    return OrderLogEntry(at=row.at, kind=row.kind, by=row.by, body=msgspec.Raw(row.body))


def _body(schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"requestBody": {"required": True, "content": content}}
