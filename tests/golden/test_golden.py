"""Every message of version 1 that was ever released still means what it meant, byte for byte."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from jsonschema import Draft202012Validator

import wire
from tests.golden.expected_v1 import BEFORE_ASSIGNMENTS, BEFORE_REASONS, EXPECTED, FROM_ELSEWHERE, STATUS
from tests.wire import samples
from wire import codec
from wire.events import Event
from wire.messages import DownMessage, Envelope, UpMessage

FOLDER = Path(__file__).parent / "v1"
PUBLISHED = Path(wire.__file__).parent / "published"


def golden(name: str) -> bytes:
    """Read a message as it was released."""
    return (FOLDER / f"{name}.json").read_bytes()


def schema_name(name: str) -> str:
    """Name the published schema of a golden file: the longest one that its name begins with."""
    fitting = [path.stem for path in PUBLISHED.iterdir() if f"{name}-".startswith(f"{path.stem}-")]
    return max(fitting, key=len)


def test_every_file_has_its_expectation_and_every_kind_its_file() -> None:
    """No file goes unread, and there is no message, event or feed object without one."""
    assert set(EXPECTED) == {path.stem for path in FOLDER.iterdir()}
    kinds = {kind for union in (Event, UpMessage, DownMessage) for kind in get_args(union)}
    assert {type(expected) for expected in EXPECTED.values()} == kinds | set(samples.FEED)
    published = {path.stem for path in PUBLISHED.iterdir()} - {"asyncapi"}  # that one is of all of them
    assert {schema_name(name) for name in EXPECTED} == published


@pytest.mark.parametrize("name", EXPECTED)
def test_it_decodes_for_ever(name: str) -> None:
    """The released bytes decode to what they said when they were released."""
    assert EXPECTED[name] == samples.decode(type(EXPECTED[name]), golden(name))


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - FROM_ELSEWHERE - BEFORE_ASSIGNMENTS - BEFORE_REASONS))
def test_we_still_write_the_same_bytes(name: str) -> None:
    """What we write today is what was released: a digest over it does not change with the version that writes it."""
    assert golden(name) == msgspec.json.encode(EXPECTED[name])


@pytest.mark.parametrize("name", sorted(FROM_ELSEWHERE))
def test_what_others_write_is_not_ours_already(name: str) -> None:
    """Each of these proves something that our own writing would not."""
    assert golden(name) != msgspec.json.encode(EXPECTED[name])


@pytest.mark.parametrize("name", sorted(BEFORE_ASSIGNMENTS))
def test_a_feed_from_before_assignments_still_reads(name: str) -> None:
    """What an older cloud writes says nothing of orders: that reads as a unit that is on none."""
    assert b"assignment" not in golden(name)
    assert b'"assignment":null,"assignment_version":0' in msgspec.json.encode(EXPECTED[name])


@pytest.mark.parametrize("name", sorted(BEFORE_REASONS))
def test_a_feed_from_before_sources_still_reads(name: str) -> None:
    """What an older cloud writes names no sources and no one who ended an emergency: that reads as none."""
    now = msgspec.json.encode(EXPECTED[name])
    assert b"sources" not in golden(name) and b"cancelled_by" not in golden(name)
    assert b'"sources":[]' in now or b'"cancelled_by":null' in now


@pytest.mark.parametrize("name", EXPECTED)
def test_it_is_as_published(name: str) -> None:
    """A released message fits today's published schema: a schema never becomes stricter within a version."""
    schema = json.loads((PUBLISHED / f"{schema_name(name)}.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads(golden(name)))


def test_unknown_fields_of_an_event_are_kept_byte_for_byte() -> None:
    """What an event says beyond this version leaves an envelope as it came in: spaces, number formats, escapes."""
    decoded = codec.decode_up(golden("envelope-unknown-fields"))
    assert isinstance(decoded, Envelope)
    assert [bytes(raw) for raw in decoded.events] == [
        b'{ "seq" : 12, "new": {"\xc4\x81": [1.50, 1E2, "\\u0101"]} }',
        b"null",
        b"[]",
    ]


def test_an_event_from_a_later_version_goes_through_an_envelope_untouched() -> None:
    """The event with unknown fields, sent on in an envelope, is the same bytes, and the same status."""
    event = golden("event-status-unknown-fields")
    around = golden("envelope-status")
    sent = around.replace(b'[{"seq":11},{"seq":12}]', b"[" + event + b"]")
    decoded = codec.decode_up(sent)
    assert isinstance(decoded, Envelope)
    assert bytes(decoded.events[0]) == event.strip()
    assert codec.decode_event(bytes(decoded.events[0])) == STATUS


def test_every_example_in_the_guide_is_a_golden_message() -> None:
    """What `docs/wire.md` shows is what was released, so the guide can't drift from the wire."""
    guide = (Path(wire.__file__).parents[1] / "docs" / "wire.md").read_text(encoding="utf-8")
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]
    released = [json.loads(golden(name)) for name in EXPECTED]
    assert len(shown) == 7
    assert [example for example in shown if example not in released] == []
