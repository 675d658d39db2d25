"""Draws any message, event or feed object that its struct's own limits allow, and any JSON at all."""

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from wire import cad, codec, feed, lending, partner
from wire.events import (
    SEQ_MAX,
    AcknowledgeEvent,
    AlarmEvent,
    BindingEvent,
    CrewEvent,
    DefectEvent,
    EmergencyEvent,
    Event,
    InputEvent,
    PositionEvent,
    ReceiptEvent,
    StatusEvent,
    TurnoutEvent,
)
from wire.messages import Birth, Command, Death, Envelope, Heartbeat, Hello, Settle, State

EVENTS: tuple[type[Event], ...] = (
    StatusEvent,
    PositionEvent,
    InputEvent,
    ReceiptEvent,
    AcknowledgeEvent,
    TurnoutEvent,
    CrewEvent,
    DefectEvent,
    BindingEvent,
    AlarmEvent,
    EmergencyEvent,
)
UP = (Envelope, Heartbeat, Birth, Death)
DOWN = (Settle, Hello, State, Command)
FEED = (
    feed.Snapshot,
    feed.Changes,
    feed.Tick,
    feed.Orders,
    feed.Alarms,
    feed.FeedRecord,
    partner.PartnerRecord,
    partner.PartnerSnapshot,
    partner.PartnerChanges,
    partner.PartnerAlarms,
    partner.PartnerUnits,
    cad.CadStatus,
    cad.CadAssignment,
    cad.CadCrew,
    cad.CadAnswer,
    cad.CadUnit,
    cad.CadOrder,
    cad.CadTick,
    cad.CadMessages,
    cad.CadUnits,
    lending.LoanMessage,
    lending.Loan,
)

Drawn = st.SearchStrategy[Any]

_text = st.characters(exclude_categories=["Cs"])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(_text, max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(_text, max_size=8), inner, max_size=4),
    max_leaves=8,
)


@cache
def drawn(kind: type[msgspec.Struct]) -> Drawn:
    """Draw a struct of `kind`, its times in UTC."""
    return _drawn(inspect.type_info(kind))


def json_of(kind: type[msgspec.Struct]) -> Drawn:
    """Draw a struct of `kind` as the JSON object that it is on the wire, ready to be spoilt."""
    return drawn(kind).map(lambda struct: msgspec.json.decode(msgspec.json.encode(struct)))


def decode(kind: type[msgspec.Struct], raw: bytes) -> object:
    """Decode `raw` with the decoder that a `kind` comes in by."""
    if kind in get_args(cad.SaidToUs) or kind in get_args(cad.SaidByUs) or kind is cad.CadTick:
        return cad.decode(raw)
    if kind in FEED:
        return msgspec.json.decode(raw, type=kind)
    if kind in EVENTS:
        return codec.decode_event(raw)
    return codec.decode_up(raw) if kind in UP else codec.decode_down(raw)


def _drawn(info: inspect.Type) -> Drawn:
    match info:
        case inspect.Metadata():
            return _drawn(info.type)
        case inspect.StructType():
            return _structs(info)
        case inspect.UnionType():
            return st.one_of(*map(_drawn, info.types))
        case inspect.ListType() | inspect.VarTupleType():
            items = st.lists(
                _drawn(info.item_type), min_size=info.min_length or 0, max_size=min(info.max_length or 3, 3)
            )
            return items if isinstance(info, inspect.ListType) else items.map(tuple)
        case inspect.RawType():
            return st.one_of(*map(drawn, EVENTS)).map(lambda event: msgspec.Raw(codec.encode(event)))
        case _:
            return _scalars(info)


def _scalars(info: inspect.Type) -> Drawn:
    match info:
        case inspect.IntType():
            return st.integers(-(2**63) if info.ge is None else info.ge, 2**63 - 1 if info.le is None else info.le)
        case inspect.FloatType():
            top, open_top = (info.lt, True) if info.lt is not None else (info.le, False)
            return st.floats(info.ge, top, exclude_max=open_top, allow_nan=False, allow_infinity=False)
        case inspect.StrType() if info.pattern is not None:
            return st.from_regex(re.compile(info.pattern, re.ASCII))
        case inspect.StrType():
            return st.text(_text, min_size=info.min_length or 0, max_size=min(info.max_length or 20, 70))
        case inspect.DateTimeType():
            return st.datetimes(timezones=st.just(UTC))
        case inspect.LiteralType():
            return st.sampled_from(info.values)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case _:
            raise TypeError(f"nobody has said how to draw a {type(info).__name__}")


def _structs(info: inspect.StructType) -> Drawn:
    fields = st.fixed_dictionaries(
        {field.name: _drawn(field.type) for field in info.fields if field.default is not msgspec.UNSET},
        optional={field.name: _drawn(field.type) for field in info.fields if field.default is msgspec.UNSET},
    )
    if info.cls is PositionEvent:
        fields = st.tuples(fields, st.floats(-90, 90), st.floats(-180, 180)).map(_placed)
    elif info.cls is InputEvent:
        fields = fields.map(lambda f: f | {"quality": "bad" if f["value"] is None else "good"})
    elif info.cls is lending.LoanMessage:
        fields = fields.map(_meant)
    return fields.map(lambda values: info.cls(**values))


def _placed(drawn: tuple[dict[str, Any], float, float]) -> dict[str, Any]:
    fields, lat, lon = drawn
    return fields | ({"lat": None, "lon": None} if fields["fix"] == "none" else {"lat": lat, "lon": lon})


def _meant(drawn: dict[str, Any]) -> dict[str, Any]:
    """Make what was drawn of a loan's message say something: see its `__post_init__`."""
    fields = drawn | {"units": tuple(dict.fromkeys(drawn["units"])), "reason": drawn["reason"].strip() or "flood"}
    match fields["verb"]:
        case "request" if not fields["units"]:
            return fields | {"type": fields["type"] or "pump", "count": fields["count"] or 1}
        case "offer":
            fields["units"] = fields["units"] or ("kf-1",)
        case "decline" | "release" | "return":
            fields["units"] = ()
    return fields | {"type": "", "count": 0}


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def envelope(events: list[bytes]) -> Envelope:
    """Write an envelope whose own fields are as long as they can be."""
    return Envelope(
        v=1,
        device="d" * 40,
        boot=SEQ_MAX,
        conn=SEQ_MAX,
        sent_mono_ms=SEQ_MAX,
        sent_at=datetime(2026, 11, 22, 13, 37, 1, 123456, tzinfo=UTC),
        clock="gnss",
        stream="s" * 80,
        signature="g" * 200,
        queue="status",
        first_held=SEQ_MAX,
        base_digest="f" * 64,
        events=[msgspec.Raw(raw) for raw in events],
    )
