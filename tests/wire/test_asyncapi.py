"""The AsyncAPI document: the parser that others use takes it, and it says what the code does."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

import wire
from tests.programs import require_node_packages, require_program
from wire import cad, topics
from wire.asyncapi import CHANNELS
from wire.events import Event
from wire.messages import DownMessage, UpMessage
from wire.publish import documents, schema

PUBLISHED = Path(wire.__file__).parent / "published" / "asyncapi.json"
ERROR = 0
"""The parser's severities begin with the worst."""


@cache
def document() -> dict[str, Any]:
    """Read the published document, as an integrator does."""
    found = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def parsed(text: str) -> dict[str, Any]:
    """What `@asyncapi/parser` makes of a document."""
    folder = require_node_packages()
    run = subprocess.run(
        [require_program("node"), folder / "check_asyncapi.mjs"],
        input=text.encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    found = json.loads(run.stdout)
    assert isinstance(found, dict)
    return found


def test_the_parser_takes_the_document() -> None:
    """`@asyncapi/parser` reads it without an error or a warning, and finds every channel with all its messages."""
    found = parsed(PUBLISHED.read_text(encoding="utf-8"))
    assert found["parsed"]
    assert {"asyncapi-latest-version"} >= {one["code"] for one in found["diagnostics"]}
    assert [(one["address"], one["messages"], one["actions"]) for one in found["channels"]] == [
        (channel.address, list(channel.messages), [channel.action]) for channel in CHANNELS
    ]
    for one in found["channels"]:
        assert one["parameters"] == [
            name for name in ("org", "device", "partner", "unit") if f"{{{name}}}" in one["address"]
        ]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda doc: doc["channels"]["settle"]["messages"].update({"gone": {"$ref": "#/components/messages/gone"}}),
        lambda doc: doc["operations"]["sendState"].update(action="publish"),
        lambda doc: doc["channels"]["command"].update(parameters={"device": {"schema": {"type": "string"}}}),
        lambda doc: doc["components"]["schemas"]["FeedRecord"].update(type="record"),
    ],
)
def test_the_parser_would_say_what_is_wrong(spoil: Any) -> None:
    """A reference to nothing, a word of AsyncAPI 2, a parameter of the old form or no JSON type: each is an error."""
    spoilt = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    spoil(spoilt)
    assert ERROR in {one["severity"] for one in parsed(json.dumps(spoilt))["diagnostics"]}


def test_every_topic_of_the_code_is_a_channel() -> None:
    """The topics that the code makes, with the names of parameters in their places, are the document's."""
    made = {topics.up("{org}", "{device}", channel) for channel in get_args(topics.UpChannel)}
    made |= {topics.down("{org}", "{device}", channel) for channel in get_args(topics.DownChannel)}
    made |= {topics.hello("{org}"), topics.feed("{partner}", "{org}", "{unit}")}
    made |= {cad.topic("{org}", channel) for channel in get_args(cad.Channel)}
    addresses = {one["address"]: one["action"] for one in map(_with_action, CHANNELS)}
    assert made <= addresses.keys()
    for address in made:
        comes_in = address.startswith("wr/1/up/") or address.endswith("/in")
        assert addresses[address] == ("receive" if comes_in else "send")


def _with_action(channel: Any) -> dict[str, str]:
    return {"address": channel.address, "action": channel.action}


def test_everything_that_travels_is_described() -> None:
    """Every message up and down, and every event, has its schema in the document, and each message a channel."""
    described = document()["components"]["schemas"]
    for kind in (*get_args(Event), *get_args(UpMessage), *get_args(DownMessage)):
        assert described[kind.__name__]["properties"]
    travelling = {message for channel in CHANNELS for message in channel.messages}
    titles = {schema(name)["title"] for name in travelling}
    assert titles >= {kind.__name__ for kind in (*get_args(UpMessage), *get_args(DownMessage))}


def test_a_schema_is_the_same_wherever_it_is_published() -> None:
    """What the document says of a message is what its own published schema says."""
    described = document()["components"]["schemas"]
    for name in documents():
        if name != "asyncapi.json":
            alone = schema(name.removesuffix(".json"))
            own = {key: value for key, value in alone.items() if key not in ("$schema", "$id", "$defs")}
            shown = json.dumps(described[own["title"]]).replace("#/components/schemas/", "#/$defs/")
            assert json.loads(shown) == own
