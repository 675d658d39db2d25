"""The published contract: one JSON Schema (2020-12) for each message, event and feed object, made from the structs.

A schema says what the decoder takes, but for three things that JSON Schema can't say or leaves to the reader: the
limits in bytes, that a whole number is written without a point, and that a `date-time` is checked. Fields that a schema
does not name are allowed.

`python -m wire.publish` writes them to `wire/published`.
"""

from typing import Any

import msgspec

from wire import events, feed, messages

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
}
_PLACE: dict[str, Any] = {"lat": {"type": "number"}, "lon": {"type": "number"}}
_NO_PLACE: dict[str, Any] = {"lat": {"type": "null"}, "lon": {"type": "null"}}
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
}
"""What a struct checks once it has all of its fields."""


def documents() -> dict[str, str]:
    """Give every published schema: its file's name, and its text with a newline at the end."""
    return {f"{name}.json": _text(name, kind) for name, kind in _PUBLISHED.items()}


def _text(name: str, kind: type[msgspec.Struct]) -> str:
    schema = msgspec.json.schema(kind)
    definitions = schema["$defs"]
    own = definitions.pop(kind.__name__) | _RULES.get(kind, {})
    document = {"$schema": _DIALECT, "$id": f"urn:watchroom:1:{name}", **own}
    if definitions:
        document["$defs"] = definitions
    return msgspec.json.format(msgspec.json.encode(_portable(document)), indent=2).decode() + "\n"


def _portable(node: Any) -> Any:
    r"""Write `$` for Python's `\Z`: in the pattern language of JSON Schema that is the end and nothing else."""
    if isinstance(node, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _portable(value)
            for key, value in node.items()
        }
    return [_portable(item) for item in node] if isinstance(node, list) else node


if __name__ == "__main__":
    from pathlib import Path

    folder = Path(__file__).parent / "published"
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.json"):
        stale.unlink()
    for file_name, text in documents().items():
        (folder / file_name).write_text(text, encoding="utf-8")
