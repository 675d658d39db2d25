"""What each file of `v1` says. Add to it; what stands here is never changed, since devices in the field send it."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Raw

from tests.golden import cad_v1, lending_v1, memory_v1, partner_v1, turnout_v1
from wire.events import InputEvent, Origin, PositionEvent, StatusEvent
from wire.feed import (
    Ages,
    Assignment,
    Changes,
    Conflict,
    FeedRecord,
    PositionView,
    Reason,
    Snapshot,
    StatusView,
    Tick,
)
from wire.findings import Finding
from wire.messages import (
    Birth,
    CurrentStatus,
    Death,
    Echo,
    Envelope,
    Heartbeat,
    Hello,
    LastSeq,
    OutboxDepth,
    PositionAge,
    QueueSettle,
    RefusedSeq,
    Settle,
    ShownStatus,
    State,
    StateHeld,
)

AT = datetime(2026, 11, 22, 13, 37, 1, 250000, tzinfo=UTC)
WHOLE_SECOND = datetime(2026, 11, 22, 13, 37, 1, tzinfo=UTC)
STREAM = "d-0042-9f86d081884c7d65"
EVENT: dict[str, Any] = {"at": AT, "clock": "gnss", "boot": 17, "mono_ms": 905250, "mode": "live"}
SENT: dict[str, Any] = {
    "v": 1,
    "device": "d-0042",
    "boot": 17,
    "conn": 3,
    "sent_mono_ms": 905300,
    "sent_at": AT,
    "clock": "gnss",
    "stream": STREAM,
}
VITALS: dict[str, Any] = SENT | {
    "echo": Echo("1790000000-7", 4800),
    "interval_s": 5.0,
    "current": [CurrentStatus("k-101", STREAM, 12, "nz-fire-k", "K1")],
    "last_seq": LastSeq(12, 3400),
    "position": PositionAge(3399, 700),
    "outbox": OutboxDepth(1, 20, 50),
    "disk_free_mib": 512,
    "faults": ["gnss: no date"],
    "asleep_until": None,
    "nonce": "b3JkZXI",
}
STATUS = StatusEvent(**EVENT, seq=12, unit="k-101", scheme="nz-fire-k", code="K1", by="panel")
BARE_RECORD = FeedRecord(
    unit="k-102",
    callsign="Pump 102",
    organisation="fenz",
    service="fire",
    type="pump",
    base="Thorndon",
    confidence="never",
    reasons=(Reason(code="never_heard", text="Never heard", source="link"),),
    ages=Ages(),
    link="never",
    as_of=WHOLE_SECOND,
    cursor=1,
)
RECORD = FeedRecord(
    unit="k-101",
    callsign="Pump 101 “Tūī”",
    organisation="fenz",
    service="fire",
    type="pump",
    base="Thorndon",
    capabilities=("ba", "ladder"),
    availability="Available",
    confidence="confirmed",
    reasons=(Reason(code="declared", text="K1 at the panel", source="panel", age_s=3.5),),
    status=StatusView(scheme="nz-fire-k", code="K1", label="Available", since=AT, proven=True, by="panel"),
    position=PositionView(
        fix="3d",
        lat=-41.278889,
        lon=174.777222,
        heading_deg=271.5,
        speed_mps=12.25,
        altitude_m=8.0,
        accuracy_m=2.5,
        age_s=0.75,
        gnss_time=WHOLE_SECOND,
    ),
    position_fresh=True,
    ages=Ages(link_s=1.5, status_s=3.5, position_s=0.75),
    link="fresh",
    conflicts=(Conflict(device="d-0043", scheme="nz-fire-k", code="K9", label="Off the run"),),
    mode="training",
    as_of=AT,
    cursor=42,
)
ASSIGNED = msgspec.structs.replace(
    RECORD,
    assignment=Assignment(
        order=turnout_v1.ORDER, incident="F3051234", phase="acknowledged", since=WHOLE_SECOND, version=7
    ),
    assignment_version=7,
)
SETTLED = QueueSettle(stream=STREAM, queue="status", through=12, digest="ab" * 32)

EXPECTED: dict[str, msgspec.Struct] = {
    "event-status": STATUS,
    "event-status-full": msgspec.structs.replace(
        STATUS, clock="none", by="radio", remarks='Pā "road"\nclosed \U0001f692', origin=Origin("d-0042-0a1b", 7)
    ),
    "event-status-unknown-fields": STATUS,
    "event-status-offset": STATUS,
    "event-status-training": msgspec.structs.replace(STATUS, mode="training", at=WHOLE_SECOND),
    "event-position": PositionEvent(
        **EVENT,
        seq=3399,
        fix="3d",
        lat=-41.278889,
        lon=174.777222,
        speed_mps=12.25,
        heading_deg=271.5,
        altitude_m=8.0,
        accuracy_m=2.5,
        satellites=11,
        gnss_time=WHOLE_SECOND,
    ),
    "event-position-no-fix": PositionEvent(**EVENT, seq=3400, fix="none", satellites=2),
    "event-position-bare": PositionEvent(**EVENT, seq=3401, fix="2d", lat=-41.0, lon=1e-7),
    "event-position-integers": PositionEvent(
        **EVENT, seq=3402, fix="dead_reckoning", lat=-41.0, lon=174.0, speed_mps=0.0
    ),
    "event-input-switch": InputEvent(**EVENT, seq=3403, name="blue lights", value=True),
    "event-input-number": InputEvent(**EVENT, seq=3404, name="cabin_temperature_c", value=21.5),
    "event-input-bad": InputEvent(**EVENT, seq=3405, name="mains", value=None, quality="bad"),
    "event-input-stale": InputEvent(**EVENT, seq=3406, name="mains", value=None, quality="stale"),
    "envelope-status": Envelope(
        **SENT,
        queue="status",
        first_held=11,
        base_digest="0f" * 32,
        events=[Raw(b'{"seq":11}'), Raw(b'{"seq":12}')],
    ),
    "envelope-track": Envelope(
        **SENT, queue="track", first_held=3399, base_digest="0" * 64, events=[Raw(b'{"seq":3399}')], signature="c2ln"
    ),
    "envelope-unknown-fields": Envelope(
        **SENT,
        queue="status",
        first_held=12,
        base_digest="0f" * 32,
        events=[Raw('{ "seq" : 12, "new": {"ā": [1.50, 1E2, "\\u0101"]} }'.encode()), Raw(b"null"), Raw(b"[]")],
    ),
    "heartbeat": Heartbeat(**VITALS),
    "heartbeat-state": Heartbeat(**VITALS, state=StateHeld(1790000000, 812)),
    "heartbeat-health": Heartbeat(
        **VITALS,
        health=[
            Finding(check="receiver", level="ok"),
            Finding(
                check="bus", level="fail", found="io does not answer", do="look at the power and the bus cable of io"
            ),
        ],
    ),
    "heartbeat-asleep": Heartbeat(**VITALS | {"asleep_until": datetime(2026, 11, 22, 14, 30, tzinfo=UTC)}),
    "heartbeat-bare": Heartbeat(**SENT, interval_s=20.0, last_seq=LastSeq(0, 0), outbox=OutboxDepth(0, 0)),
    "birth": Birth(**VITALS, software="0.1.0", config_hash="5d41402a"),
    "birth-predecessor": Birth(
        **VITALS | {"echo": None}, software="0.1.0", config_hash="5d41402a", predecessor="d-0042-0a1b"
    ),
    "death": Death(v=1, device="d-0042", boot=17, conn=3, stream=STREAM),
    "settle": Settle(v=1, id="1790000000-8", owner_term=1790000000, queues=[SETTLED]),
    "settle-plain": Settle(v=1, id="1790000000-9", owner_term=1790000000),
    "settle-refused": Settle(
        v=1,
        id="1790000000-10",
        owner_term=1790000000,
        queues=[
            msgspec.structs.replace(SETTLED, refused=[RefusedSeq(11, "unknown_code"), RefusedSeq(12, "foreign_unit")]),
            QueueSettle(stream=STREAM, queue="track", through=0, digest="0" * 64),
        ],
    ),
    "settle-fork": Settle(v=1, id="1790000000-11", owner_term=1790000000, mint="fork"),
    "hello": Hello(v=1, id="1790000000-1", owner_term=1790000000),
    "state": State(
        v=1,
        owner_term=1790000000,
        version=5,
        valid_until=datetime(2026, 11, 23, 13, 37, 1, tzinfo=UTC),
        units=[
            ShownStatus(
                unit="k-101",
                scheme="nz-fire-k",
                code="K1",
                label="Available",
                since=AT,
                by="panel",
                device="d-0042",
                stream=STREAM,
                seq=12,
            )
        ],
    ),
    "state-empty": State(v=1, owner_term=1790000000, version=6, valid_until=WHOLE_SECOND),
    "feed-snapshot": Snapshot(
        at=AT,
        epoch="5f3a",
        cursor=42,
        part=1,
        parts=1,
        tick_ms=250,
        lost_after_s=3.0,
        owner_term=1790000000,
        records=(RECORD, BARE_RECORD),
    ),
    "feed-changes": Changes(at=AT, cursor=42, records=(RECORD,)),
    "feed-tick": Tick(at=WHOLE_SECOND, cursor=42),
    "feed-record": RECORD,
    "feed-record-never-heard": BARE_RECORD,
    "feed-record-assigned": ASSIGNED,
    "feed-record-unassigned": BARE_RECORD,
    "feed-changes-assigned": Changes(at=AT, cursor=43, records=(ASSIGNED,)),
    "feed-snapshot-assigned": Snapshot(
        at=AT,
        epoch="5f3a",
        cursor=43,
        part=1,
        parts=1,
        tick_ms=250,
        lost_after_s=3.0,
        owner_term=1790000000,
        records=(ASSIGNED, BARE_RECORD),
    ),
    **turnout_v1.EXPECTED,
    **memory_v1.EXPECTED,
    **cad_v1.EXPECTED,
    **lending_v1.EXPECTED,
    **partner_v1.EXPECTED,
}
FROM_ELSEWHERE = frozenset(
    {
        "event-status-unknown-fields",
        "event-status-offset",
        "event-position-integers",
        "envelope-unknown-fields",
        "heartbeat-bare",
    }
)
"""Files that another writer of version 1 may send and we would write otherwise."""
BEFORE_ASSIGNMENTS = frozenset({"feed-record", "feed-record-never-heard", "feed-changes", "feed-snapshot"})
"""Files as they were written before a record named the unit's order."""
BEFORE_REASONS = frozenset(
    {
        "feed-record-assigned",
        "feed-record-unassigned",
        "feed-changes-assigned",
        "feed-snapshot-assigned",
        "feed-alarms",
    }
)
"""Files as they were written before a record named its sources, and an emergency who ended it."""
