"""Answers and events of any shape: each gets its verdict, and none ends the check."""

import itertools
from typing import Any

import msgspec
import pytest

from cloud.conformance.asking import Answer, Event
from cloud.conformance.consumer import _is_young
from cloud.conformance.feed import judge_feed
from cloud.conformance.listening import Heard, up_to
from cloud.conformance.picture import Picture
from cloud.conformance.resuming import judge_ages
from cloud.conformance.units import listing

SHAPES: tuple[Any, ...] = (
    None, True, 5, "x", [], {}, [None], [[1]], [{}], [{"unit": ["a"]}], [{"unit": "a", "grants": 5}], {"a": 1},
)  # fmt: skip
PARTS = ("part", "parts", "epoch", "cursor", "at", "partner", "records", "gone", "alarms")
WHOLE: dict[str, Any] = {
    "part": 1, "parts": 1, "epoch": "e", "cursor": 0, "at": "2026-11-22T13:37:01Z", "partner": "kf", "records": [],
    "gone": [], "alarms": [],
}  # fmt: skip


def heard(kind: str, data: dict[str, Any]) -> Heard:
    """A snapshot, and another event after it."""
    events = [
        Event(id="e-0", kind=one, data=what, arrived_s=0.0) for one, what in (("snapshot", WHOLE | data), (kind, data))
    ]
    found = Heard(status=200, media_type="text/event-stream", began_s=0.0, events=events, picture=Picture())
    for event in events:
        found.picture.apply(event.kind, event.data or {})
    return found


@pytest.mark.parametrize("kind", ["snapshot", "changes", "alarms"])
def test_an_event_of_any_shape_gets_a_verdict(kind: str) -> None:
    """Whatever stands in a field: the feed is judged to its end, and what is no such event fails."""
    for part, shape in itertools.product(PARTS, SHAPES):
        found = heard(kind, {part: shape})
        assert "fail" in {one.level for one in judge_feed(found)}, (part, shape)
        assert up_to(0)(found) in (True, False)


def test_a_list_of_any_shape_is_read() -> None:
    """Whatever stands where the units should: those that are none are passed over, and the schema's check tells."""
    for shape in SHAPES:
        answer = Answer(status=200, headers={}, body=msgspec.json.encode({"units": shape}))
        assert all(isinstance(one, dict) for one in listing(answer).records)
        assert judge_ages({"units": shape}, {"units": shape}, 1.0).level in ("ok", "warn")


def test_what_is_nested_too_deeply_is_no_json() -> None:
    """It is answered for like any other that can't be read."""
    assert None is Answer(status=200, headers={}, body=b"[" * 100_000).json()


@pytest.mark.parametrize(("age_s", "young"), [(30.0, True), (32.0, False), ("30", False), (None, False), ([], False)])
def test_an_age_that_is_no_number_is_not_young(age_s: Any, young: bool) -> None:
    """A consumer's view may hold anything: whether its ages stood still is told of numbers."""
    assert young is _is_young(age_s)
