"""What a command and control system is told of a unit: what it said itself is no news, what came of it is."""

import pytest
from msgspec.structs import replace

from cloud.feeds.cadviews import Word, look_at
from tests.cloud.fleet.samples import NOON, at, fleet
from wire.cad import CadUnit, Changed
from wire.feed import Confidence, FeedRecord, StatusView

SAID = Word("status", ("2", NOON), "altaris")


def record(confidence: Confidence) -> FeedRecord:
    """The police's unit, free as its CAD said, and believed so far."""
    status = StatusView(scheme="s", code="2", label="Free", since=NOON, proven=True, by="radio")
    return replace(
        fleet().record("kp-12", 0, NOON, at(0)), status=status, availability="Available", confidence=confidence
    )


def held(confidence: Confidence) -> CadUnit:
    """What the CAD was told before: another status, believed so far."""
    unknown = fleet().record("kp-12", 0, NOON, at(0))
    return look_at(
        replace(unknown, availability="NotAvailable", confidence=confidence), None, None, lambda _: None
    ).unit


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        ("confirmed", "confirmed", ()),
        ("confirmed", "contradicted", ("availability",)),
        ("confirmed", "unconfirmed", ("availability",)),
        ("contradicted", "confirmed", ("availability",)),
    ],
)
def test_how_far_its_own_word_is_believed_is_news(
    before: Confidence, after: Confidence, news: tuple[Changed, ...]
) -> None:
    """A CAD whose word contradicts what a vehicle shows is told so; that the unit is free now it knows."""
    found = look_at(record(after), held(before), SAID, lambda _: None)
    assert news == found.news
    assert found.unit.status is not None and "altaris" == found.unit.status.origin
