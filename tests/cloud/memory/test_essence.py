"""A record taken apart and put together again is what a client shows, at any later moment."""

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.memory.essence import Essence, restore, take_apart
from cloud.memory.instants import decode_us, encode_us
from tests.cloud.memory.samples import NOON, NOON_US, age_by, differences, record, records
from wire.feed import Ages, FeedRecord, PositionView, Reason, SourceView


def essence_bytes(shown: FeedRecord, after_s: float) -> bytes:
    """What the board log would keep of a record shown so long after noon."""
    essence, _ = take_apart(shown, NOON_US + round(after_s * 1_000_000))
    return msgspec.json.encode(essence)


@settings(max_examples=150, deadline=None)
@given(shown=records(), passed_us=st.integers(0, 10**10))
def test_a_record_comes_back_as_a_client_shows_it(shown: FeedRecord, passed_us: int) -> None:
    """Whatever its ages are the ages of, a record restored for a later moment is the one shown, its ages counted on."""
    essence, frame = take_apart(shown, NOON_US)
    kept = msgspec.json.decode(msgspec.json.encode(essence), type=Essence)
    again = restore(kept, frame, NOON_US + passed_us)
    assert [] == differences(age_by(shown, timedelta(microseconds=passed_us)), again)


@settings(max_examples=100, deadline=None)
@given(shown=records(), passed_s=st.floats(0, 1000).map(lambda value: round(value, 3)))
def test_an_essence_does_not_pass_with_time(shown: FeedRecord, passed_s: float) -> None:
    """What only ages, moves or is heard again is not a change: the essence stays the same, so it is logged once."""
    later = age_by(shown, timedelta(seconds=passed_s))
    rounded = msgspec.structs.replace(
        later,
        as_of=NOON + timedelta(seconds=passed_s),
        cursor=99,
    )
    first = msgspec.json.decode(essence_bytes(shown, 0.0), type=Essence)
    then = msgspec.json.decode(essence_bytes(rounded, passed_s), type=Essence)
    assert first.record == then.record


def test_a_unit_heard_and_placed_again_has_the_same_essence() -> None:
    """A heartbeat and a fix make everything younger, and the essence does not change by a byte."""
    again = record(
        reasons=(Reason(code="declared", text="Pressed on the panel", source="panel", age_s=64.25),),
        sources=(
            SourceView(source="panel", kind="status", device="veh-2", at=NOON - timedelta(seconds=60)),
            SourceView(source="link", kind="link", device="veh-2", at=NOON + timedelta(seconds=4, microseconds=1)),
        ),
        position=PositionView(fix="2d", lat=51.3, lon=0.5, speed_mps=2.0, heading_deg=359.99, age_s=0.4),
        ages=Ages(link_s=0.25, status_s=64.25, position_s=0.4),
        as_of=NOON + timedelta(seconds=4),
        cursor=12,
    )
    assert essence_bytes(record(), 0.0) == essence_bytes(again, 4.25)


def test_what_is_believed_changes_the_essence() -> None:
    """Freshness, class, a reason's words, a source's device, an order: each is a change that is logged."""
    before = essence_bytes(record(), 0.0)
    changed = [
        record(link="late"),
        record(position_fresh=False),
        record(availability="NotAvailable"),
        record(mode="training"),
        record(assignment_version=3),
        record(reasons=(Reason(code="link_late", text="Nothing recent", source="link", age_s=1.0),)),
    ]
    assert len({before, *(essence_bytes(one, 0.0) for one in changed)}) == len(changed) + 1


def test_moments_keep_their_microseconds() -> None:
    """Instants before and after 1970 survive as whole microseconds."""
    for moment in (NOON, NOON.replace(year=1969), NOON.replace(microsecond=999_999)):
        assert moment == decode_us(encode_us(moment))
