"""Orders: given, taken back, closed, and looked up. What is asked for is durable before it is answered."""

import re
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from msgspec import Meta

from cloud.api.answers import OrderClash, OrderList, OrderLog, OrderLogEntry, Problem
from cloud.api.bodies import AWAY, NOT_JSON, Taken, describe_body, read_body, refuse_other_than_json
from cloud.api.schemas import answers, reply
from cloud.api.source import Site
from cloud.desk import Clash, Differs, Invalid, Placed
from cloud.dispatch import OrderRequest
from cloud.ledger import OrderLogRow
from wire.events import Person
from wire.feed import OrderView

PAGE_MAX = 1_000
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BAD_BODY = "The body, or the order's id, is not understood: the problem names what is wrong."
_NO_ORDER = "No such order."

_Body = TypeVar("_Body", bound=msgspec.Struct)


class Ended(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who ends an order, and why."""

    by: Person
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class AlarmsTaken(Taken, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has an order's alarms in hand, and how many of them that person saw."""

    alarms: Annotated[int, Meta(ge=0)] | None = None
    """How many `alarms` the order had when they were looked at: one that was raised since still stands. Null: all."""


BODIES: list[type[msgspec.Struct]] = [OrderRequest, Ended, AlarmsTaken]
"""What the routes read."""


def router(site: Site) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/v1/orders", tags=["orders"])
    _add_reading(routes, site)
    _add_giving(routes, site)
    _add_ending(routes, site)
    return routes


def _add_reading(routes: APIRouter, site: Site) -> None:
    @routes.get("", responses=answers(OrderList, "Orders.", s422=_BAD_BODY, s503=AWAY))
    async def list_orders(active: bool = False, limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100) -> Response:
        """The orders in hand, oldest first; or without `active` the newest first, ended ones too."""
        orders = site.desk.active() if active else await site.desk.newest(limit)
        return reply(OrderList(at=site.moment().utc, orders=orders))

    @routes.get("/{order}", responses=answers(OrderView, "The order.", s404=_NO_ORDER, s503=AWAY))
    async def show_order(order: str) -> Response:
        """One order as it stands."""
        return _reply_order(await site.desk.show(order), order)

    @routes.get("/{order}/log", responses=answers(OrderLog, "Its log.", s404=_NO_ORDER, s503=AWAY))
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
        s415=NOT_JSON,
        s422=_BAD_BODY,
        s503=AWAY,
    )
    putting[201] = putting[200] | {"description": "The order is stored, and on its way."}
    putting[409] = answers(OrderClash, "")[200] | {
        "description": "Another order stands under this id, or units were moved by another order: "
        "`versions` then gives each one's `assignment_version` as it is now."
    }

    @routes.put("/{order}", responses=putting, openapi_extra=describe_body("OrderRequest"))
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
        "responses": answers(OrderView, "The order as it stands.", s404=_NO_ORDER, s415=NOT_JSON, s422=_BAD_BODY)
        | answers(OrderView, "The order as it stands.", s409="It can't be closed now.", s503=AWAY)
    }

    @routes.post("/{order}/cancel", **ending, openapi_extra=describe_body("Ended"))
    async def cancel_order(order: str, request: Request) -> Response:
        """Take an order back: everybody who was told of it is told so."""
        asked = await _read(request, order, Ended)
        if isinstance(asked, Response):
            return asked
        return _reply_order(await site.desk.cancel(order, asked.by, asked.reason), order)

    @routes.post("/{order}/close", **ending, openapi_extra=describe_body("Ended"))
    async def close_order(order: str, request: Request) -> Response:
        """End an order that nobody waits for any more. One that is not acknowledged yet is cancelled instead."""
        asked = await _read(request, order, Ended)
        if isinstance(asked, Response):
            return asked
        closed = await site.desk.close(order, asked.by, asked.reason)
        return reply(Problem(closed.problem), 409) if isinstance(closed, Invalid) else _reply_order(closed, order)

    @routes.post("/{order}/alarms/acknowledge", **ending, openapi_extra=describe_body("AlarmsTaken"))
    async def acknowledge_alarms(order: str, request: Request) -> Response:
        """Take an order's standing alarms in hand."""
        asked = await _read(request, order, AlarmsTaken)
        if isinstance(asked, Response):
            return asked
        return _reply_order(await site.desk.acknowledge_alarms(order, asked.by, asked.alarms), order)


async def _read(request: Request, order: str, kind: type[_Body]) -> _Body | Response:
    """Read the body of a request about an order, or give the answer that says what is wrong with it."""
    refusal = refuse_other_than_json(request)
    if refusal is not None:
        return refusal
    if _ID.fullmatch(order) is None:
        return reply(Problem("the order's id must be a UUID, in lower case"), 422)
    return await read_body(request, kind)


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
