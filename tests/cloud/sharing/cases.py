"""Generated agreements, units, situations and records: small enough that they often meet."""

from datetime import datetime, timedelta
from typing import Any, get_args

import msgspec
from hypothesis import strategies as st

from cloud.sharing.reasons import COMES_FROM, NEVER
from cloud.sharing.terms import Agreement, Condition, Covers, EmergencyAccess, SharedUnit, Situation
from tests.cloud.fleet.samples import NOON
from wire.feed import (
    Ages,
    Assignment,
    ClaimView,
    Conflict,
    CrewView,
    DefectView,
    FeedRecord,
    PositionView,
    Proposal,
    Reason,
    SourceKind,
    SourceView,
    StatusView,
)
from wire.partner import FIELDS_OF, GRANTS, Grant, PartnerRecord

ORGANISATIONS = ("kp", "kf", "ka")
UNITS = ("kp-12", "kp-13", "kf-1")
INCIDENTS = ("", "I0417", "I0418")
PARTNER = "ka"
Position = tuple[int, int]
"""How late, in seconds, and how blurred, in metres."""

_moments = st.sampled_from([None, *(NOON + timedelta(hours=hours) for hours in (-2, -1, 0, 1, 2))])
_times: st.SearchStrategy[tuple[datetime | None, datetime | None]] = st.tuples(_moments, _moments).filter(
    lambda times: times[0] is None or times[1] is None or times[0] < times[1]
)
grants = st.frozensets(st.sampled_from(GRANTS))


def _some(*names: str) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sampled_from([(), (), names[:1], names])


covers = st.builds(
    Covers,
    units=_some("kp-12", "kf-1"),
    types=_some("pump", "van"),
    bases=_some("stn-14", "stn-15"),
    capabilities=_some("ba", "boat"),
)


@st.composite
def agreements(draw: st.DrawFn, name: str = "") -> Agreement:
    """One agreement between two organisations; an id of its own where `name` is given."""
    owner, partner = draw(st.sampled_from([(o, p) for o in ORGANISATIONS for p in ORGANISATIONS if o != p]))
    fields = draw(grants)
    conditions: tuple[Condition, ...] = ("always", "always", "joint_incident", "major_incident")
    when = draw(st.sampled_from(conditions))
    since, until = draw(_times)
    return Agreement(
        id=name or draw(st.sampled_from(["a1", "a2", "a3"])),
        owner=owner,
        partner=partner,
        purpose="boundaries",
        covers=draw(covers),
        fields=fields,
        precision_m=draw(st.sampled_from([0, 0, 500, 2000])) if "position" in fields else 0,
        delay_s=draw(st.sampled_from([0, 0, 30, 300])) if "position" in fields else 0,
        when=when,
        incident=draw(st.sampled_from(["Flood", "Fire"])) if when == "major_incident" else "",
        valid_from=since,
        valid_until=until,
    )


@st.composite
def several(draw: st.DrawFn) -> tuple[Agreement, ...]:
    """Some agreements, each with an id of its own."""
    return tuple(draw(agreements(f"a{number}")) for number in range(draw(st.integers(0, 4))))


units = st.builds(
    SharedUnit,
    id=st.sampled_from(UNITS),
    organisation=st.sampled_from(ORGANISATIONS),
    type=st.sampled_from(["pump", "van"]),
    base=st.sampled_from(["stn-14", "stn-15"]),
    capabilities=_some("ba", "boat"),
    hidden=st.sampled_from([False, False, False, True]),
    incident=st.sampled_from(INCIDENTS),
)


@st.composite
def accesses(draw: st.DrawFn, name: str = "e1") -> EmergencyAccess:
    """An emergency access, over, on, or to come."""
    owner, partner = draw(st.sampled_from([(o, p) for o in ORGANISATIONS for p in ORGANISATIONS if o != p]))
    since = NOON + timedelta(minutes=draw(st.sampled_from([-90, -60, -30, 0, 30])))
    return EmergencyAccess(
        id=name,
        owner=owner,
        partner=partner,
        reason="explosion",
        by="A. Smith",
        since=since,
        until=since + timedelta(minutes=60),
    )


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """What holds at noon."""
    held = {one: draw(st.frozensets(st.sampled_from(INCIDENTS[1:]))) for one in ORGANISATIONS}
    return Situation(
        now=NOON,
        declared=draw(st.frozensets(st.sampled_from(["Flood", "Fire"]))),
        withdrawn=draw(st.sampled_from([frozenset(), frozenset(), frozenset({"a0"}), frozenset({"a1", "a2"})])),
        access=tuple(draw(accesses(f"e{number}")) for number in range(draw(st.sampled_from([0, 0, 1, 2])))),
        incidents=held,
    )


_ages = st.sampled_from([0.0, 1.5, 61.25, 4000.0])
_metres = st.sampled_from([None, 3.5, 900.25])
places = st.builds(
    PositionView,
    fix=st.sampled_from(["3d", "2d", "dead_reckoning"]),
    lat=st.floats(-90, 90).map(lambda lat: round(lat, 7)),
    lon=st.floats(-180, 180).map(lambda lon: round(lon, 7)),
    heading_deg=st.sampled_from([None, 271.5]),
    speed_mps=st.sampled_from([None, 13.25]),
    altitude_m=st.sampled_from([None, 61.5]),
    accuracy_m=_metres,
    age_s=_ages,
    gnss_time=st.sampled_from([None, NOON]),
)
_sources = st.builds(
    SourceView,
    source=st.sampled_from(["panel", "link", "gpsd", "crew", "directory", "defect:pump", "other:veh-9", "link:veh-9"]),
    kind=st.sampled_from(get_args(SourceKind)),
    device=st.sampled_from(["", "veh-1", "veh-9"]),
)


@st.composite
def records(draw: st.DrawFn) -> FeedRecord:
    """A record with something in every field, and any reasons."""
    sources = draw(st.lists(_sources, min_size=1, max_size=4, unique_by=lambda one: one.source))
    codes = draw(st.lists(st.sampled_from([*COMES_FROM, *NEVER, "unheard_of"]), min_size=1, max_size=8, unique=True))
    reasons = tuple(
        Reason(code=code, text=f"text of {code}", source=draw(st.sampled_from(sources)).source, age_s=draw(_ages))
        for code in codes
    )
    place = draw(places)
    return a_record(
        reasons=reasons,
        sources=tuple(sources),
        position=place,
        position_fresh=draw(st.booleans()),
        ages=Ages(link_s=draw(_ages), status_s=draw(_ages), position_s=place.age_s),
    )


def held_of(record: FeedRecord, delay_s: int) -> PositionView | None:
    """The place that a delay would let through: another for each, as old as the delay and the same amount again."""
    place = record.position
    assert place is not None and place.lat is not None
    if not delay_s:
        return None
    lat = place.lat / 2 + delay_s / 1000
    return msgspec.structs.replace(place, lat=round(lat, 7), age_s=2.0 * delay_s)


def encoded(record: PartnerRecord) -> dict[str, bytes]:
    """A record as it leaves, field by field: what is absent is not in it."""
    return {name: bytes(raw) for name, raw in msgspec.json.decode(_encode(record), type=dict[str, msgspec.Raw]).items()}


def wire_names(grant: Grant) -> tuple[str, ...]:
    """The names of a grant's fields in JSON."""
    return tuple("class" if name == "availability" else name for name in FIELDS_OF[grant])


PLACE_FIELDS = frozenset({*FIELDS_OF["position"], "precision_m", "delay_s"})
_encode: Any = msgspec.json.Encoder().encode


def a_record(**changes: Any) -> FeedRecord:
    """A record with something in every field."""
    place = PositionView(
        fix="3d", lat=51.2712345, lon=0.5212345, heading_deg=90.5, speed_mps=13.25, accuracy_m=3.5, age_s=1.5
    )
    source = SourceView(source="panel", kind="status", device="veh-1")
    fields: dict[str, Any] = {
        "unit": "kp-12",
        "callsign": "P12",
        "organisation": "kp",
        "service": "police",
        "type": "van",
        "base": "Stn 14",
        "home": "Stn 15",
        "vehicle": "V12",
        "capabilities": ("ba",),
        "availability": "Available",
        "confidence": "confirmed",
        "reasons": (Reason(code="declared", text="Pressed on the panel", source="panel", age_s=60.5),),
        "sources": (source,),
        "activity": "free",
        "tier_min": 5,
        "crew": CrewView(riders=4, skills=("ba",)),
        "defects": (DefectView(what="pump", off_the_run=True, since=NOON),),
        "proposals": (Proposal(code="left_base", text="Has left its base", at=NOON),),
        "claims": (ClaimView(claim="c1", device="veh-9", vehicle="V9", at=NOON),),
        "alternates": ("P13",),
        "part_of": "P1",
        "status": StatusView(scheme="s", code="4", label="At base", since=NOON, proven=True, by="panel"),
        "position": place,
        "position_fresh": True,
        "ages": Ages(link_s=2.5, status_s=60.5, position_s=1.5),
        "link": "fresh",
        "conflicts": (Conflict(device="veh-9", scheme="s", code="1", label="Mobile"),),
        "mode": "training",
        "mode_until": NOON,
        "mode_by": "A. Smith",
        "assignment": Assignment(order="o1", incident="I0417", phase="sent", since=NOON, version=3),
        "assignment_version": 3,
        "as_of": NOON,
        "cursor": 7,
    }
    return FeedRecord(**fields | changes)
