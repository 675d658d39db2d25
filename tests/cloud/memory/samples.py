"""Records as the feed may show them, and what a client makes of one as time passes."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from cloud.memory.instants import encode_us
from simulator.scenario.showing import Showing, count_on, differing
from wire.feed import Ages, FeedRecord, PositionView, Reason, SourceKind, SourceView, StatusView

NOON = datetime(2026, 11, 1, 12, 0, 0, 123_457, tzinfo=UTC)
NOON_US = encode_us(NOON)

ages = st.none() | st.floats(0, 1e7, allow_nan=False).map(lambda age: round(age, 3))
moments = st.integers(0, 10**12).map(lambda micros: NOON - timedelta(microseconds=micros))
_LONG_AGO = NOON - timedelta(days=3, microseconds=41)
KINDS: tuple[SourceKind, ...] = ("status", "link", "position", "crew", "input", "directory")


def record(unit: str = "kp-12", **changes: object) -> FeedRecord:
    """A unit that pressed a minute before noon and was heard and placed a second before."""
    fields: dict[str, object] = {
        "callsign": "P12",
        "organisation": "kp",
        "service": "police",
        "type": "response car",
        "base": "Stn 14 shared",
        "availability": "Available",
        "confidence": "confirmed",
        "reasons": (Reason(code="declared", text="Pressed on the panel", source="panel", age_s=60.0),),
        "sources": (
            SourceView(source="panel", kind="status", device="veh-2", at=NOON - timedelta(seconds=60)),
            SourceView(source="link", kind="link", device="veh-2", at=NOON - timedelta(seconds=1)),
        ),
        "status": StatusView(
            scheme="uk-police-state",
            code="2",
            label="Available",
            since=NOON - timedelta(seconds=60),
            proven=True,
            by="panel",
        ),
        "position": PositionView(fix="3d", lat=51.27, lon=0.52, speed_mps=12.0, heading_deg=90.0, age_s=1.5),
        "position_fresh": True,
        "ages": Ages(link_s=1.0, status_s=60.0, position_s=1.5),
        "link": "fresh",
        "as_of": NOON,
        "cursor": 7,
    }
    return FeedRecord(unit=unit, **fields | changes)  # type: ignore[arg-type]


@st.composite
def records(draw: st.DrawFn) -> FeedRecord:
    """Any record that the feed might show at noon: whatever its ages are the ages of, or of nothing at all."""
    link_s, position_s = draw(ages), draw(ages)
    since = draw(moments)
    status = draw(st.sampled_from([None, msgspec.structs.replace(_status(), since=since)]))
    told = [None, link_s, position_s, _age(since), draw(ages)]
    sources = tuple(
        SourceView(source=f"s{number}", kind=kind, at=draw(st.sampled_from([None, since, _back(link_s), _LONG_AGO])))
        for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS), max_size=4)))
    )
    names = [one.source for one in sources] + ["elsewhere"]
    reasons = draw(st.lists(st.tuples(st.sampled_from(names), st.sampled_from(told)), min_size=1, max_size=4))
    place = draw(st.none() | st.just(PositionView(fix="none")) | places())
    if place is not None and place.lat is not None:
        place = msgspec.structs.replace(place, age_s=draw(st.sampled_from([position_s, None, link_s])))
    return record(
        reasons=tuple(Reason(code="c", text="t", source=source, age_s=age) for source, age in reasons),
        sources=sources,
        status=status,
        position=place,
        ages=Ages(link_s=link_s, status_s=draw(st.sampled_from(told)), position_s=position_s),
        as_of=draw(moments),
    )


@st.composite
def places(draw: st.DrawFn) -> PositionView:
    """Any place that a device may report."""
    return PositionView(
        fix=draw(st.sampled_from(["none", "2d", "3d", "dead_reckoning"])),
        lat=draw(st.floats(-90, 90)),
        lon=draw(st.floats(-180, 180)),
        heading_deg=draw(st.none() | st.floats(0, 360, exclude_max=True)),
        speed_mps=draw(st.none() | st.floats(0, 150)),
        altitude_m=draw(st.none() | st.floats(-1000, 20000)),
        accuracy_m=draw(st.none() | st.floats(0, 1_000_000)),
        gnss_time=draw(st.none() | moments.map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))),
    )


def age_by(shown: FeedRecord, passed: timedelta) -> FeedRecord:
    """Count a record's ages on, as a client does from the moment that it came."""
    return count_on(Showing(shown, 0.0), passed.total_seconds())


def differences(expected: FeedRecord, actual: FeedRecord) -> list[str]:
    """Name the fields in which two records differ by more than a frame's steps."""
    return differing({expected.unit: expected}, [actual])


def _status() -> StatusView:
    found = record().status
    assert found is not None
    return found


def _age(since: datetime) -> float:
    return round((NOON - since).total_seconds(), 3)


def _back(age_s: float | None) -> datetime | None:
    return None if age_s is None else NOON - timedelta(seconds=age_s, microseconds=317)
