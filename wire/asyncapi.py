"""Says over which topic or route each published message travels, as one AsyncAPI 3.0 document. Pure.

It is written from the side of the cloud: it *receives* what devices publish, and *sends* the rest.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from wire.topics import TOKEN_PATTERN

VERSION = "3.0.0"
Server = Literal["devices", "controlRoom", "partners"]

_SERVERS: dict[Server, dict[str, Any]] = {
    "devices": {
        "host": "127.0.0.1:1883",
        "protocol": "mqtt",
        "protocolVersion": "3.1.1",
        "description": "The broker of devices and of partners that subscribe.",
    },
    "controlRoom": {
        "host": "127.0.0.1:8470",
        "protocol": "http",
        "description": "The control room's own port: it sees every unit.",
    },
    "partners": {
        "host": "127.0.0.1:8471",
        "protocol": "http",
        "description": "The partners' port: each sees what its agreements open. Each request carries its token.",
        "security": [{"$ref": "#/components/securitySchemes/partnerToken"}],
    },
}
_PARAMETERS: dict[str, str] = {
    "org": "The organisation that the device or unit belongs to",
    "device": "The device, by the name that its certificate bears",
    "partner": "The organisation that may see the unit",
    "unit": "The unit, by its id",
}


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A topic or a route, and what travels there."""

    name: str
    address: str
    action: Literal["send", "receive"]
    messages: tuple[str, ...]
    """By the names of their published schemas."""
    servers: tuple[Server, ...] = ("devices",)
    qos: tuple[int, ...] = (0,)
    """What the sender publishes with. Of MQTT alone."""
    retain: bool = False
    does: str


CHANNELS = (
    Channel(
        name="deviceStatus",
        address="wr/1/up/{org}/{device}/status",
        action="receive",
        messages=("envelope",),
        does="Events of the status queue, not yet settled",
    ),
    Channel(
        name="deviceLive",
        address="wr/1/up/{org}/{device}/live",
        action="receive",
        messages=("heartbeat", "envelope"),
        does="Heartbeats; the newest record of the track, or an emergency, alone in its envelope",
    ),
    Channel(
        name="deviceHistory",
        address="wr/1/up/{org}/{device}/history",
        action="receive",
        messages=("envelope",),
        does="Events of the track queue, not yet settled",
    ),
    Channel(
        name="deviceLink",
        address="wr/1/up/{org}/{device}/link",
        action="receive",
        messages=("birth", "death"),
        qos=(1,),
        retain=True,
        does="The birth of a connection, and its death: the broker publishes that as the device's will",
    ),
    Channel(
        name="settle",
        address="wr/1/down/{org}/{device}/settle",
        action="send",
        messages=("settle",),
        does="The answer to a birth or heartbeat, and how far each queue is settled",
    ),
    Channel(
        name="state",
        address="wr/1/down/{org}/{device}/state",
        action="send",
        messages=("state",),
        retain=True,
        does="What control believes of the units that the device speaks for",
    ),
    Channel(
        name="command",
        address="wr/1/down/{org}/{device}/command",
        action="send",
        messages=("command",),
        does="An order to the device, repeated until its receipt or its expiry",
    ),
    Channel(
        name="hello",
        address="wr/1/down/{org}/hello",
        action="send",
        messages=("hello",),
        does="The cloud has started: every device of the organisation answers with a heartbeat",
    ),
    Channel(
        name="partnerUnit",
        address="wr/1/feed/{partner}/{org}/{unit}",
        action="send",
        messages=("partner-record",),
        qos=(0, 1),
        retain=True,
        does="A unit as that partner may see it; an empty payload when it may see it no longer",
    ),
    Channel(
        name="cadSays",
        address="wr/1/cad/{org}/in",
        action="receive",
        messages=("cad-status", "cad-assignment", "cad-crew"),
        qos=(1,),
        does="What an organisation's command and control system (CAD) says of its units: see `docs/cad.md`",
    ),
    Channel(
        name="cadAnswer",
        address="wr/1/cad/{org}/answer",
        action="send",
        messages=("cad-answer",),
        does="What became of a message of the CAD's",
    ),
    Channel(
        name="cadIsTold",
        address="wr/1/cad/{org}/out",
        action="send",
        messages=("cad-unit", "cad-order", "cad-tick"),
        qos=(1,),
        does="What stands of an organisation's units and orders, numbered without a gap",
    ),
    Channel(
        name="feed",
        address="/v1/feed",
        action="send",
        messages=("feed-snapshot", "feed-changes", "feed-orders", "feed-alarms", "feed-tick"),
        servers=("controlRoom",),
        does="The live feed as server-sent events; a message's name without `feed-` is its event's",
    ),
    Channel(
        name="partnerFeed",
        address="/v1/feed",
        action="send",
        messages=("partner-snapshot", "partner-changes", "partner-alarms", "feed-tick"),
        servers=("partners",),
        does="A partner's live feed as server-sent events; a message's name after its first `-` is its event's",
    ),
)


def document(titles: Mapping[str, str], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Give the document. `titles` names each published message's schema among `schemas`, which refer to one another."""
    travelling = dict.fromkeys(name for channel in CHANNELS for name in channel.messages)
    return {
        "asyncapi": VERSION,
        "id": "urn:watchroom:1",
        "info": {
            "title": "Watchroom",
            "version": "1",
            "description": "What devices, the cloud and partners say to one another. `docs/wire.md` and "
            "`docs/sharing-formats.md` say what each means. An envelope's events have schemas of their own: those "
            "whose names end in Event.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
            "tags": [{"name": "availability"}, {"name": "emergency services"}],
        },
        "defaultContentType": "application/json",
        "servers": _SERVERS,
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_verb(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {name: _message(name, titles[name], schemas) for name in travelling},
            "schemas": dict(sorted(schemas.items())),
            "parameters": {name: {"description": _told(name)} for name in _PARAMETERS},
            "securitySchemes": {
                "partnerToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token that the directory's [[partner]] row knows by its SHA-256.",
                }
            },
        },
    }


def _channel(channel: Channel) -> dict[str, Any]:
    names = [name for name in _PARAMETERS if f"{{{name}}}" in channel.address]
    described: dict[str, Any] = {
        "address": channel.address,
        "description": channel.does,
        "servers": [{"$ref": f"#/servers/{server}"} for server in channel.servers],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in channel.messages},
    }
    if names:
        described["parameters"] = {name: {"$ref": f"#/components/parameters/{name}"} for name in names}
    return described


def _operation(channel: Channel) -> dict[str, Any]:
    place = f"#/channels/{channel.name}"
    if channel.servers == ("devices",):
        levels = channel.qos[-1]
        bindings: dict[str, Any] = {"mqtt": {"qos": levels, "retain": channel.retain, "bindingVersion": "0.2.0"}}
    else:
        bindings = {"http": {"method": "GET", "bindingVersion": "0.3.0"}}
    return {
        "action": channel.action,
        "channel": {"$ref": place},
        "summary": channel.does,
        "messages": [{"$ref": f"{place}/messages/{name}"} for name in channel.messages],
        "bindings": bindings,
    }


def _message(name: str, title: str, schemas: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "summary": schemas[title].get("description", "").partition("\n")[0],
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{title}"},
    }


def _verb(channel: Channel) -> str:
    return f"{channel.action}{channel.name[0].upper()}{channel.name[1:]}"


def _told(name: str) -> str:
    return f"{_PARAMETERS[name]}: `{TOKEN_PATTERN}`."
