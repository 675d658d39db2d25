"""What the files of `v1` that partners receive say. What stands here is never changed."""

from datetime import UTC, datetime

import msgspec

from wire.feed import CrewView, PositionView, Reason, StatusView
from wire.partner import (
    PartnerAlarm,
    PartnerAlarms,
    PartnerAssignment,
    PartnerChanges,
    PartnerRecord,
    PartnerSnapshot,
    PartnerUnits,
)

AT = datetime(2026, 11, 1, 12, 0, 30, 250000, tzinfo=UTC)
ORDER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0c0de"
RECORD = PartnerRecord(
    unit="14p1",
    callsign="14P1",
    organisation="kfrs",
    service="fire",
    type="pump",
    grants=("assignment", "availability", "capabilities", "crew", "link", "position", "status"),
    agreements=("fire-to-police", "joint"),
    capabilities=("pump", "ladder"),
    availability="ConditionallyAvailable",
    confidence="confirmed",
    reasons=(Reason(code="on_order", text="On order 20-117", source="assignment", age_s=61.5),),
    tier_min=0,
    status=StatusView(scheme="uk-fire-gd92", code="2", label="In attendance", since=AT, proven=True, by="panel"),
    activity="on_scene",
    status_s=61.5,
    position=PositionView(fix="3d", lat=51.2702265, lon=0.5223881, accuracy_m=353.6, age_s=4.25),
    position_fresh=True,
    position_s=4.25,
    precision_m=500,
    link="fresh",
    link_s=1.5,
    crew=CrewView(riders=5, minimum=4, skills=("ba", "driver"), until=AT),
    assignment=PartnerAssignment(order=ORDER, incident="20-117", since=AT, version=3),
    assignment_version=3,
    as_of=AT,
)
LITTLE = PartnerRecord(
    unit="kw01",
    callsign="KW01",
    organisation="kp",
    service="police",
    type="van",
    grants=("availability", "position"),
    agreements=("emergency:9f86d081",),
    availability=None,
    confidence="never",
    reasons=(),
    tier_min=0,
    position=None,
    position_fresh=False,
    position_s=None,
    delay_s=120,
    as_of=AT,
)
OWN = msgspec.structs.replace(
    RECORD,
    agreements=(),
    assignment=PartnerAssignment(order=ORDER, incident="20-117", phase="mobile", since=AT, version=3),
)
ALARM = PartnerAlarm(
    alarm="0a1b2c3d4e5f60718293", unit="14p1", callsign="14P1", text="14P1: emergency button", raised_at=AT, active=True
)
EXPECTED = {
    "partner-record": RECORD,
    "partner-record-little": LITTLE,
    "partner-record-mqtt": msgspec.structs.replace(RECORD, valid_until=AT),
    "partner-record-own": OWN,
    "partner-snapshot": PartnerSnapshot(
        at=AT,
        epoch="e0",
        cursor=7,
        part=1,
        parts=1,
        tick_ms=200,
        lost_after_s=3.0,
        partner="kp",
        records=(RECORD, LITTLE),
    ),
    "partner-changes": PartnerChanges(at=AT, cursor=8, records=(LITTLE,), gone=("14p2",)),
    "partner-alarms": PartnerAlarms(at=AT, cursor=9, alarms=(ALARM,)),
    "partner-units": PartnerUnits(at=AT, cursor=9, units=(RECORD,), next_after="14p1"),
}
