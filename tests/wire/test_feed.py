"""What the feed says: it comes back as it was, by the names that a control room's client reads."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from wire.feed import Ages, Changes, Conflict, FeedRecord, PositionView, Reason, Snapshot, StatusView, Tick

AT = datetime(2026, 11, 22, 13, 37, 1, tzinfo=UTC)
SILENT: dict[str, Any] = {
    "unit": "k-101",
    "callsign": "Pump 101",
    "organisation": "fenz",
    "service": "fire",
    "type": "pump",
    "base": "Thorndon",
    "confidence": "never",
    "reasons": (Reason(code="never_heard", text="Never heard", source="link"),),
    "ages": Ages(),
    "link": "never",
    "as_of": AT,
    "cursor": 1,
}


def on_the_wire(struct: msgspec.Struct) -> Any:
    """Read what a client reads: plain JSON."""
    return json.loads(msgspec.json.encode(struct))


@given(st.sampled_from(samples.FEED).flatmap(samples.drawn))
def test_what_the_feed_says_comes_back(struct: msgspec.Struct) -> None:
    """Any record or event of the feed decodes to an equal one, in plain JSON of one line."""
    raw = msgspec.json.encode(struct)
    assert struct == msgspec.json.decode(raw, type=type(struct))
    assert b"\n" not in raw and b"\r" not in raw


@given(samples.drawn(FeedRecord))
def test_every_field_of_a_record_is_always_there(record: FeedRecord) -> None:
    """A client never has to tell a missing field from a null: the names are the same in every record."""
    assert list(on_the_wire(FeedRecord(**SILENT))) == list(on_the_wire(record))


def test_a_record_is_read_by_these_names() -> None:
    """The names and their order. `class` is a class; a unit never heard has none, no status and no position."""
    expected = {
        "unit": "k-101",
        "callsign": "Pump 101",
        "organisation": "fenz",
        "service": "fire",
        "type": "pump",
        "base": "Thorndon",
        "home": "",
        "vehicle": "",
        "capabilities": [],
        "class": None,
        "confidence": "never",
        "reasons": [{"code": "never_heard", "text": "Never heard", "source": "link", "age_s": None}],
        "sources": [],
        "activity": None,
        "tier_min": 0,
        "crew": None,
        "defects": [],
        "proposals": [],
        "claims": [],
        "alternates": [],
        "part_of": "",
        "status": None,
        "position": None,
        "position_fresh": False,
        "ages": {"link_s": None, "status_s": None, "position_s": None},
        "link": "never",
        "conflicts": [],
        "mode": "live",
        "mode_until": None,
        "mode_by": "",
        "assignment": None,
        "assignment_version": 0,
        "as_of": "2026-11-22T13:37:01Z",
        "cursor": 1,
    }
    assert expected == on_the_wire(FeedRecord(**SILENT))


def test_parts_of_a_record_are_read_by_these_names() -> None:
    """So are those of a status, a position and a conflict."""
    status = StatusView(scheme="nz-fire-k", code="K1", label="Available", since=AT, proven=True, by="panel")
    position = PositionView(fix="3d", lat=-41.5, lon=174.5, age_s=0.5, gnss_time=AT)
    conflict = Conflict(device="k-101-b", scheme="nz-fire-k", code="K9", label="Off the run")
    assert list(on_the_wire(status)) == ["scheme", "code", "label", "since", "proven", "by"]
    assert " ".join(on_the_wire(position)) == (
        "fix lat lon heading_deg speed_mps altitude_m accuracy_m age_s gnss_time"
    )
    assert list(on_the_wire(conflict)) == ["device", "scheme", "code", "label"]


def test_events_of_the_feed_are_read_by_these_names() -> None:
    """A client that knows these three knows the whole feed."""
    snapshot = Snapshot(
        at=AT, epoch="e", cursor=1, part=1, parts=1, tick_ms=250, lost_after_s=3.0, owner_term=1, records=()
    )
    assert " ".join(on_the_wire(snapshot)) == "at epoch cursor part parts tick_ms lost_after_s owner_term records"
    assert list(on_the_wire(Changes(at=AT, cursor=1, records=()))) == ["at", "cursor", "records"]
    assert on_the_wire(Tick(at=AT, cursor=1)) == {"at": "2026-11-22T13:37:01Z", "cursor": 1}


@pytest.mark.parametrize("age_s", [float("nan"), float("inf")])
def test_an_age_that_is_no_number_is_shown_as_not_known(age_s: float) -> None:
    """It is written as null: the client must then show it as stale, and its JSON reader doesn't choke."""
    assert on_the_wire(Ages(link_s=age_s)) == {"link_s": None, "status_s": None, "position_s": None}


@pytest.mark.parametrize(
    "field",
    [
        {"class": "available"},
        {"confidence": "certain"},
        {"link": "gone"},
        {"mode": ""},
        {"reasons": None},
        {"ages": None},
        {"cursor": "1"},
        {"as_of": 0},
    ],
)
def test_what_no_record_may_say_is_refused(field: dict[str, object]) -> None:
    """A choice that is not in the contract, or a null where there is always something, is no record."""
    raw = json.dumps(on_the_wire(FeedRecord(**SILENT)) | field)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=FeedRecord)
