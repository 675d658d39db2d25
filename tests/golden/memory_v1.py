"""What the files of `v1` that speak of bindings and of what is believed say. Add to it, and never change it."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from wire.events import BindingEvent, StatusEvent
from wire.feed import (
    Ages,
    Alarms,
    AlarmView,
    Changes,
    ClaimView,
    CrewView,
    DefectView,
    FeedRecord,
    PositionView,
    Proposal,
    Reason,
    Snapshot,
    SourceView,
    StatusView,
)
from wire.messages import ClaimState, State

AT = datetime(2026, 11, 22, 13, 37, 1, 250000, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 13, 37, 9, tzinfo=UTC)
EVENT: dict[str, Any] = {"at": AT, "clock": "ntp", "boot": 4, "mono_ms": 905250, "mode": "live"}
BOUND = FeedRecord(
    unit="k-101",
    callsign="Pump 101",
    organisation="fenz",
    service="fire",
    type="pump",
    base="Thorndon",
    home="Karori",
    vehicle="P-0042",
    capabilities=("pumping",),
    availability="ConditionallyAvailable",
    confidence="contradicted",
    reasons=(
        Reason(code="crew_short", text="Crew 3 of 4", source="crew", age_s=7.75),
        Reason(code="declared", text="Pressed on the panel", source="panel", age_s=7.75),
    ),
    sources=(
        SourceView(source="link", kind="link", device="d-0042", at=LATER),
        SourceView(source="panel", kind="status", device="d-0042", at=AT),
        SourceView(source="crew", kind="crew", device="d-0042", at=AT),
        SourceView(source="directory", kind="directory"),
    ),
    activity="free",
    tier_min=5,
    crew=CrewView(riders=3, minimum=4, preferred=5, skills=("ba", "erd"), missing=("first-aid",), until=LATER),
    defects=(DefectView(what="pump", off_the_run=False, text="slow to prime", since=AT),),
    proposals=(
        Proposal(code="left_base", text="Left base at 13:37", at=AT),
        Proposal(code="auto", text="Mobile", at=AT, scheme="nz-fire-k", status="K1", label="Proceeding"),
    ),
    claims=(ClaimView(claim="d-0043.d-0043-1a2b.7", device="d-0043", vehicle="P-0043", at=AT),),
    alternates=("Aerial 109",),
    part_of="Pump 100",
    status=StatusView(scheme="nz-fire-k", code="K7", label="At station", since=AT, proven=True, by="panel"),
    position=PositionView(fix="3d", lat=-41.278889, lon=174.777222, age_s=0.75),
    position_fresh=True,
    ages=Ages(link_s=0.0, status_s=7.75, position_s=0.75),
    link="fresh",
    mode="training",
    mode_until=LATER,
    mode_by="A. Smith",
    as_of=LATER,
    cursor=51,
)
PATH = AlarmView(
    alarm="path.1790000000",
    kind="path",
    name="path_failed",
    unit=None,
    callsign="",
    base=None,
    base_name="",
    device="",
    part="",
    text="12 of 30 units fell silent together: suspect the network",
    mode="live",
    raised_at=AT,
    proven=True,
    active=True,
)
EMERGENCY = AlarmView(
    alarm="d-0042.d-0042-9f86d081884c7d65.35",
    kind="emergency",
    name="emergency",
    unit="k-101",
    callsign="Pump 101",
    base="thorndon",
    base_name="Thorndon",
    device="d-0042",
    part="",
    text="Emergency: Pump 101",
    mode="live",
    raised_at=AT,
    proven=True,
    acknowledged_by="A. Smith",
    acknowledged_at=LATER,
    escalation=2,
    cancelled_by="B. Jones",
    cancelled_at=LATER,
    cancel_reason="Pressed by mistake",
    active=False,
)
EXPECTED: dict[str, msgspec.Struct] = {
    "event-binding": BindingEvent(**EVENT, seq=41, callsign="Pump 101", vehicle="P-0043", base="thorndon"),
    "event-binding-ended": BindingEvent(**EVENT, seq=42, callsign="Pump 101", on=False),
    "event-status-operator": StatusEvent(
        **EVENT,
        seq=1,
        unit="k-101",
        scheme="nz-fire-k",
        code="K7",
        by="radio",
        remarks="heard on channel 2",
        operator="A. Smith",
    ),
    "state-claims": State(
        v=1,
        owner_term=1790000000,
        version=8,
        valid_until=LATER,
        claims=[
            ClaimState(
                unit="k-101", callsign="Pump 101", scheme="nz-fire-k", outcome="confirmed", at=LATER, by="A. Smith"
            ),
            ClaimState(unit="k-102", callsign="Pump 102", scheme="nz-fire-k", outcome="waiting", at=AT),
        ],
    ),
    "feed-record-explained": BOUND,
    "feed-changes-explained": Changes(at=LATER, cursor=51, records=(BOUND,)),
    "feed-snapshot-explained": Snapshot(
        at=LATER,
        epoch="5f3a",
        cursor=51,
        part=1,
        parts=1,
        tick_ms=250,
        lost_after_s=3.0,
        owner_term=1790000000,
        records=(BOUND,),
    ),
    "feed-alarms-cancelled": Alarms(at=LATER, cursor=52, alarms=(EMERGENCY, PATH)),
}
