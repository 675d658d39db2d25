"""The published schemas: they are those of the structs, and they say what the decoders do."""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import wire
from tests.wire import samples
from wire import cad, codec, events, feed, lending, messages, partner
from wire.events import Event
from wire.messages import DownMessage, Envelope, UpMessage
from wire.publish import documents

PUBLISHED = Path(wire.__file__).parent / "published"
KINDS: dict[str, type[msgspec.Struct]] = {
    "envelope.json": messages.Envelope,
    "event-status.json": events.StatusEvent,
    "event-position.json": events.PositionEvent,
    "event-input.json": events.InputEvent,
    "event-receipt.json": events.ReceiptEvent,
    "event-acknowledge.json": events.AcknowledgeEvent,
    "event-turnout.json": events.TurnoutEvent,
    "event-crew.json": events.CrewEvent,
    "event-defect.json": events.DefectEvent,
    "event-binding.json": events.BindingEvent,
    "event-alarm.json": events.AlarmEvent,
    "event-emergency.json": events.EmergencyEvent,
    "heartbeat.json": messages.Heartbeat,
    "birth.json": messages.Birth,
    "death.json": messages.Death,
    "settle.json": messages.Settle,
    "hello.json": messages.Hello,
    "state.json": messages.State,
    "command.json": messages.Command,
    "feed-snapshot.json": feed.Snapshot,
    "feed-changes.json": feed.Changes,
    "feed-tick.json": feed.Tick,
    "feed-orders.json": feed.Orders,
    "feed-alarms.json": feed.Alarms,
    "feed-record.json": feed.FeedRecord,
    "partner-record.json": partner.PartnerRecord,
    "partner-snapshot.json": partner.PartnerSnapshot,
    "partner-changes.json": partner.PartnerChanges,
    "partner-alarms.json": partner.PartnerAlarms,
    "partner-units.json": partner.PartnerUnits,
    "cad-status.json": cad.CadStatus,
    "cad-assignment.json": cad.CadAssignment,
    "cad-crew.json": cad.CadCrew,
    "cad-answer.json": cad.CadAnswer,
    "cad-unit.json": cad.CadUnit,
    "cad-order.json": cad.CadOrder,
    "cad-tick.json": cad.CadTick,
    "cad-messages.json": cad.CadMessages,
    "cad-units.json": cad.CadUnits,
    "loan-message.json": lending.LoanMessage,
    "loan.json": lending.Loan,
}
names = st.sampled_from(sorted(KINDS))


@cache
def schema(name: str) -> dict[str, Any]:
    """Read a published schema, as an integrator does."""
    found = json.loads((PUBLISHED / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    """Make what checks a JSON value against a published schema."""
    return Draft202012Validator(schema(name))


def test_the_published_files_are_those_of_the_structs() -> None:
    """Whoever changes a struct publishes the change: `make schemas`. No file is left over."""
    assert documents() == {path.name: path.read_text(encoding="utf-8") for path in PUBLISHED.iterdir()}


def test_everything_that_travels_is_published() -> None:
    """Each message, event and feed object has a schema, with an id of its own; one document says where they travel."""
    assert list(documents()) == [*KINDS, "asyncapi.json"]
    assert set(KINDS.values()) >= {kind for union in (Event, UpMessage, DownMessage) for kind in get_args(union)}
    assert len({schema(name)["$id"] for name in KINDS}) == len(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_schema_is_one_and_explains_itself(name: str) -> None:
    """It is valid JSON Schema of 2020-12, and it and each part of it has a title and says what it is."""
    document = schema(name)
    assert document["$schema"].endswith("/2020-12/schema")
    Draft202012Validator.check_schema(document)
    assert document["title"] == KINDS[name].__name__
    for part in (document, *document.get("$defs", {}).values()):
        assert part["title"] and part["description"]
    assert documents()[name].endswith("}\n")


@pytest.mark.parametrize("name", KINDS)
def test_patterns_are_those_of_every_language(name: str) -> None:
    r"""JSON Schema's patterns have no `\Z`: a reader in another language would look for a Z."""
    assert r"\Z" not in str(schema(name)) and r"\\Z" not in documents()[name]


def times(kind: Any, path: str = "") -> Iterator[str]:
    """Name every field, however deep in `kind`, that is a time."""
    for inner in (kind, *get_args(kind)):
        if inner is datetime:
            yield path
        elif isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            for field in msgspec.structs.fields(inner):
                yield from times(field.type, f"{inner.__name__}.{field.encode_name}")
        elif inner is not kind:
            yield from times(inner, path)


@pytest.mark.parametrize("name", KINDS)
def test_every_time_is_published_as_one(name: str) -> None:
    """A field that is a time in the struct is a `date-time` in the schema, and no other field is."""
    parts = {schema(name)["title"]: schema(name)} | schema(name).get("$defs", {})
    published = {
        f"{title}.{field}"
        for title, part in parts.items()
        for field, value in part["properties"].items()
        if "date-time" in str(value)
    }
    assert published == set(times(KINDS[name]))


@given(names.flatmap(lambda name: st.tuples(st.just(name), samples.json_of(KINDS[name]))))
def test_whatever_we_write_is_as_published(made: tuple[str, Any]) -> None:
    """Any message, event or feed object that its struct can hold fits its schema."""
    name, written = made
    validator(name).validate(written)


def is_taken(name: str, written: object) -> bool:
    """Tell whether the decoder takes it."""
    try:
        decoded = samples.decode(KINDS[name], json.dumps(written).encode())
    except msgspec.ValidationError:
        return False
    return isinstance(decoded, KINDS[name])


def is_said_elsewhere(name: str, field: str, value: object) -> bool:
    """Tell whether a schema leaves this to the reader: the text of a time, `1.0` for 1, numbers past a double."""
    is_time = isinstance(value, str) and f"{KINDS[name].__name__}.{field}" in times(KINDS[name])
    shown = json.dumps(value)
    return is_time or ".0" in shown or "e+" in shown or "NaN" in shown or "Infinity" in shown


@given(names.flatmap(lambda name: st.tuples(st.just(name), samples.json_of(KINDS[name]))), st.data())
def test_a_schema_takes_what_the_decoder_takes(made: tuple[str, Any], data: st.DataObject) -> None:
    """With any one field replaced or left out, the schema and the decoder agree on whether it still holds."""
    name, written = made
    field = data.draw(st.sampled_from(sorted(written)))
    value = data.draw(samples.json_values)
    assume(not is_said_elsewhere(name, field, value))
    spoilt = data.draw(st.sampled_from([written | {field: value}, {k: v for k, v in written.items() if k != field}]))
    assume(len(json.dumps(spoilt)) < 4_000)
    assert validator(name).is_valid(spoilt) == is_taken(name, spoilt), (field, value)


LIMITS: tuple[tuple[str, str, object, bool], ...] = (
    ("event-status.json", "unit", "k" * 40, True),
    ("event-status.json", "unit", "k" * 41, False),
    ("event-status.json", "remarks", "ā" * 500, True),
    ("event-status.json", "remarks", "ā" * 501, False),
    ("event-status.json", "seq", 2**63 - 1, True),
    ("event-status.json", "seq", 2**63, False),
    ("event-status.json", "seq", 0, False),
    ("event-position.json", "heading_deg", 0, True),
    ("event-position.json", "heading_deg", 359.9, True),
    ("event-position.json", "heading_deg", 360, False),
    ("event-position.json", "lat", 90, True),
    ("event-position.json", "lat", 90.1, False),
    ("event-position.json", "lat", None, False),
    ("event-position.json", "fix", "none", False),
    ("event-position.json", "satellites", 256, False),
    ("event-input.json", "quality", "stale", False),
    ("event-input.json", "value", None, False),
    ("event-input.json", "value", False, True),
)


@pytest.mark.parametrize(("name", "field", "value", "taken"), LIMITS)
def test_a_schema_and_its_decoder_share_their_limits(name: str, field: str, value: object, taken: bool) -> None:
    """At a limit and one beyond it, both say the same."""
    common = '"seq":1,"at":"2026-11-22T13:37:01Z","clock":"gnss","boot":1,"mono_ms":2,"mode":"live"'
    bodies = {
        "event-status.json": '"kind":"status","unit":"k-101","scheme":"nz-fire-k","code":"K1","by":"panel"',
        "event-position.json": '"kind":"position","fix":"3d","lat":-41.5,"lon":174.5',
        "event-input.json": '"kind":"input","name":"mains","value":12.5',
    }
    whole = json.loads("{" + common + "," + bodies[name] + "}")
    assert is_taken(name, whole) and validator(name).is_valid(whole)
    changed = whole | {field: value}
    assert (is_taken(name, changed), validator(name).is_valid(changed)) == (taken, taken)


def test_an_envelope_is_as_published_whatever_its_events_are() -> None:
    """An envelope's schema leaves events alone, as the decoder does: each has a schema of its own."""
    envelope = {
        "type": "envelope",
        "v": 1,
        "device": "d",
        "boot": 1,
        "conn": 1,
        "sent_mono_ms": 1,
        "sent_at": "2026-11-22T13:37:01Z",
        "clock": "ntp",
        "stream": "s",
        "queue": "status",
        "first_held": 1,
        "base_digest": "0" * 64,
        "events": [None, {"kind": "news"}],
    }
    validator("envelope.json").validate(envelope)
    assert isinstance(codec.decode_up(json.dumps(envelope).encode()), Envelope)
