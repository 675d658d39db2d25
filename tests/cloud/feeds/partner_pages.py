"""Pages of a partner's units: any that can be, and one that is known."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import strategies as st

from tests.wire import samples
from wire.feed import PositionView, Reason, StatusView
from wire.partner import PartnerRecord, PartnerUnits

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
lats, lons = st.floats(-90, 90), st.floats(-180, 180)


def _placed(record: PartnerRecord, lat: float, lon: float) -> PartnerRecord:
    place = record.position
    if not isinstance(place, PositionView) or place.lat is None or place.lon is None:
        return record
    age_s = None if place.age_s is None else abs(place.age_s) % 1e8
    moved = msgspec.structs.replace(place, lat=lat, lon=lon, age_s=age_s)
    return msgspec.structs.replace(record, position=moved)


records: st.SearchStrategy[PartnerRecord] = st.builds(_placed, samples.drawn(PartnerRecord), lats, lons)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis
pages: st.SearchStrategy[PartnerUnits] = st.builds(
    lambda at, cursor, units: PartnerUnits(at=at, cursor=cursor, units=tuple(units)),
    moments,
    st.integers(0, 2**53),
    st.lists(records, max_size=2, unique_by=lambda record: record.unit),
)
"""Any page, of places that are on the earth."""


def unit(name: str = "kf-1", **opened: Any) -> PartnerRecord:
    """A unit of a fire service of which only these fields are opened."""
    return PartnerRecord(
        unit=name,
        callsign=name.upper(),
        organisation="kf",
        service="fire",
        type="pump",
        grants=(),
        agreements=("a1",),
        as_of=NOON,
        **opened,
    )


def page(*units: PartnerRecord) -> PartnerUnits:
    """A page at noon."""
    return PartnerUnits(at=NOON, cursor=7, units=units)


def status(code: str = "4", scheme: str = "uk-fire-gd92", label: str = "Available <base>") -> StatusView:
    """A status that a crew declared two minutes ago."""
    since = NOON - timedelta(minutes=2)
    return StatusView(scheme=scheme, code=code, label=label, since=since, proven=True, by="panel")


def place(age_s: float | None = 3.0, accuracy_m: float | None = None) -> PositionView:
    """A place in Kent."""
    return PositionView(fix="3d", lat=51.278123456, lon=0.521987654, age_s=age_s, accuracy_m=accuracy_m)


def reason(text: str) -> Reason:
    """Why it is not confirmed."""
    return Reason(code="link_lost", text=text, source="link")
