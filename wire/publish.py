"""The published contract: one JSON Schema (2020-12) for each message, event and feed object, made from the structs.

Beside them `asyncapi.json` says over which topic or route each travels: see `wire.asyncapi`.

A schema says what the decoder takes, but for three things that JSON Schema can't say or leaves to the reader: the
limits in bytes, that a whole number is written without a point, and that a `date-time` is checked. Fields that a schema
does not name are allowed where it does not forbid them. Of `health` the decoder takes what it can read of anything.

`python -m wire.publish` writes them to `wire/published`.
"""

from typing import Any

import msgspec

from wire import asyncapi, cad, events, feed, lending, messages, partner

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PUBLISHED: dict[str, type[msgspec.Struct]] = {
    "envelope": messages.Envelope,
    "event-status": events.StatusEvent,
    "event-position": events.PositionEvent,
    "event-input": events.InputEvent,
    "event-receipt": events.ReceiptEvent,
    "event-acknowledge": events.AcknowledgeEvent,
    "event-turnout": events.TurnoutEvent,
    "event-crew": events.CrewEvent,
    "event-defect": events.DefectEvent,
    "event-binding": events.BindingEvent,
    "event-alarm": events.AlarmEvent,
    "event-emergency": events.EmergencyEvent,
    "heartbeat": messages.Heartbeat,
    "birth": messages.Birth,
    "death": messages.Death,
    "settle": messages.Settle,
    "hello": messages.Hello,
    "state": messages.State,
    "command": messages.Command,
    "feed-snapshot": feed.Snapshot,
    "feed-changes": feed.Changes,
    "feed-tick": feed.Tick,
    "feed-orders": feed.Orders,
    "feed-alarms": feed.Alarms,
    "feed-record": feed.FeedRecord,
    "partner-record": partner.PartnerRecord,
    "partner-snapshot": partner.PartnerSnapshot,
    "partner-changes": partner.PartnerChanges,
    "partner-alarms": partner.PartnerAlarms,
    "partner-units": partner.PartnerUnits,
    "cad-status": cad.CadStatus,
    "cad-assignment": cad.CadAssignment,
    "cad-crew": cad.CadCrew,
    "cad-answer": cad.CadAnswer,
    "cad-unit": cad.CadUnit,
    "cad-order": cad.CadOrder,
    "cad-tick": cad.CadTick,
    "cad-messages": cad.CadMessages,
    "cad-units": cad.CadUnits,
    "loan-message": lending.LoanMessage,
    "loan": lending.Loan,
}
_PLACE: dict[str, Any] = {"lat": {"type": "number"}, "lon": {"type": "number"}}
_NO_PLACE: dict[str, Any] = {"lat": {"type": "null"}, "lon": {"type": "null"}}
_SOME: dict[str, Any] = {"properties": {"units": {"minItems": 1}}, "required": ["units"]}
_COUNTED: dict[str, Any] = {
    "properties": {"type": {"minLength": 1}, "count": {"minimum": 1}},
    "required": ["type", "count"],
}
_RULES: dict[type[msgspec.Struct], dict[str, Any]] = {
    events.PositionEvent: {
        "if": {"properties": {"fix": {"const": "none"}}},
        "then": {"properties": _NO_PLACE},
        "else": {"properties": _PLACE, "required": ["lat", "lon"]},
    },
    events.InputEvent: {
        "if": {"properties": {"quality": {"const": "good"}}},
        "then": {"properties": {"value": {"type": ["boolean", "number"]}}},
        "else": {"properties": {"value": {"type": "null"}}},
    },
    lending.LoanMessage: {
        "allOf": [
            {"properties": {"reason": {"pattern": r"\S"}, "units": {"uniqueItems": True}}},
            {
                "if": {"properties": {"verb": {"const": "request"}}},
                "then": {"oneOf": [_SOME, _COUNTED]},
                "else": {"properties": {"type": {"maxLength": 0}, "count": {"maximum": 0}}},
            },
            {"if": {"properties": {"verb": {"const": "offer"}}}, "then": _SOME},
            {
                "if": {"properties": {"verb": {"enum": ["decline", "release", "return"]}}},
                "then": {"properties": {"units": {"maxItems": 0}}},
            },
        ],
    },
}
"""What a struct checks once it has all of its fields."""


def documents() -> dict[str, str]:
    """Give every published file: its name, and its text with a newline at the end."""
    schemas = {f"{name}.json": _text(schema(name)) for name in _PUBLISHED}
    return {**schemas, "asyncapi.json": _text(asyncapi.document(_titles(), _components()))}


def schema(name: str) -> dict[str, Any]:
    """Give one published schema, such as `feed-record`. Raises KeyError for a name that there is not."""
    kind = _PUBLISHED[name]
    definitions = msgspec.json.schema(kind)["$defs"]
    for ruled, rule in _RULES.items():
        if ruled.__name__ in definitions:
            definitions[ruled.__name__] |= rule
    own = definitions.pop(kind.__name__)
    document = {"$schema": _DIALECT, "$id": f"urn:watchroom:1:{name}", **own}
    if definitions:
        document["$defs"] = definitions
    portable: dict[str, Any] = _portable(document)
    return portable


def _titles() -> dict[str, str]:
    """The name of each published message's component in the AsyncAPI document."""
    return {name: kind.__name__ for name, kind in _PUBLISHED.items()}


def _components() -> dict[str, Any]:
    """Every struct that travels, each once, with references to one another."""
    _, components = msgspec.json.schema_components(_PUBLISHED.values(), ref_template="#/components/schemas/{name}")
    for kind, rule in _RULES.items():
        components[kind.__name__] |= rule
    portable: dict[str, Any] = _portable(components)
    return portable


def _text(document: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _portable(node: Any) -> Any:
    r"""Write what JSON Schema itself says, for readers of every language.

    `$` for Python's `\Z`: in its pattern language that is the end and nothing else. And no `discriminator`, which is
    OpenAPI's: the constants of the alternatives say the same.
    """
    if isinstance(node, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _portable(value)
            for key, value in node.items()
            if not (key == "discriminator" and isinstance(value, dict) and "propertyName" in value)
        }
    return [_portable(item) for item in node] if isinstance(node, list | tuple) else node


if __name__ == "__main__":
    from pathlib import Path

    folder = Path(__file__).parent / "published"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.json"):
        stale.unlink()
    for file_name, text in documents().items():
        (folder / file_name).write_text(text, encoding="utf-8")
