"""What the files of `v1` that speak of orders, crews and alarms say. Add to it; what stands here is never changed."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from wire.events import (
    AcknowledgeEvent,
    AlarmEvent,
    CrewEvent,
    CrewPerson,
    DefectEvent,
    EmergencyEvent,
    Origin,
    ReceiptEvent,
    TurnoutEvent,
)
from wire.feed import Alarms, AlarmView, CalledView, DeliveryView, OrderAlarm, Orders, OrderView, PhaseView, StepView
from wire.messages import AcknowledgedEmergency, CalledUnit, Command, State

AT = datetime(2026, 11, 22, 13, 37, 1, 250000, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 13, 37, 9, tzinfo=UTC)
ORDER = "0b9f2c4e-7a11-4c55-9d0e-2f6a8c3b1d70"
TURNOUT = "7d3f1a02-5b6c-4e8f-8a90-112233445566"
EVENT: dict[str, Any] = {"at": AT, "clock": "ntp", "boot": 4, "mono_ms": 905250, "mode": "live"}
RECEIPT = ReceiptEvent(**EVENT, seq=21, order=ORDER, revision=1, outcome="accepted")
COMMAND = Command(
    v=1,
    owner_term=1790000000,
    order=ORDER,
    revision=1,
    action="mobilise",
    nonce="b3JkZXI",
    expires_ms=120000,
    issued_at=AT,
    units=[
        CalledUnit(unit="k-101", callsign="Pump 101", service="fire"),
        CalledUnit(unit="kp-12", callsign="KP12", service="police"),
    ],
    incident="F3051234",
    address="12 Tory Street, Te Aro “rear”",
    grid_reference="NZTM 1749120 5427010",
    text="Smoke seen from the second floor",
    open_doors=True,
)
MOBILISED = OrderView(
    order=ORDER,
    revision=1,
    kind="mobilise",
    phase="confirmed",
    base="thorndon",
    base_name="Thorndon",
    mode="live",
    priority="emergency",
    incident="F3051234",
    address="12 Tory Street, Te Aro “rear”",
    grid_reference="NZTM 1749120 5427010",
    text="Smoke seen from the second floor",
    units=(
        CalledView(unit="k-101", callsign="Pump 101", service="fire", acknowledged_at=LATER),
        CalledView(unit="kp-12", callsign="KP12", service="police"),
    ),
    deliveries=(
        DeliveryView(device="sta-1", phase="delivered"),
        DeliveryView(device="d-0042", phase="failed", reason="refused"),
    ),
    steps=(
        StepView(device="sta-1", step="sounder:dorm-fire", outcome="done", elapsed_ms=180, at=AT),
        StepView(device="sta-1", step="door:bay-1", outcome="failed", reason="door_fail", elapsed_ms=4010, at=LATER),
        StepView(device="sta-1", step="cooker:mess", outcome="waiting"),
    ),
    phases=(PhaseView(phase="created", at=AT), PhaseView(phase="confirmed", at=LATER)),
    alarms=(OrderAlarm(code="step_failed", text="Bay door 1 did not open: telephone the station", at=LATER),),
    by="control-2",
    created_at=AT,
    active=True,
    version=9,
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
    active=True,
)

EXPECTED: dict[str, msgspec.Struct] = {
    "event-receipt": RECEIPT,
    "event-receipt-steps": msgspec.structs.replace(
        RECEIPT, seq=36, steps=["sounder:dorm-fire", "lights:bay", "cooker:mess"]
    ),
    "event-receipt-step": msgspec.structs.replace(
        RECEIPT, seq=22, step="sounder:dorm-fire", outcome="done", elapsed_ms=180
    ),
    "event-receipt-failed": msgspec.structs.replace(
        RECEIPT, seq=23, step="door:bay-1", outcome="failed", reason="door_fail", elapsed_ms=4010
    ),
    "event-receipt-stale-nonce": msgspec.structs.replace(
        RECEIPT, seq=24, outcome="refused", reason="stale_nonce", nonce="bmV3ZXI"
    ),
    "event-acknowledge": AcknowledgeEvent(**EVENT, seq=25, order=ORDER, revision=1, by="manual_input"),
    "event-acknowledge-unit": AcknowledgeEvent(**EVENT, seq=26, order=ORDER, revision=2, by="panel", unit="k-101"),
    "event-turnout": TurnoutEvent(
        **EVENT, seq=27, order=TURNOUT, units=["k-101", "kp-12"], text="Running call at the door"
    ),
    "event-turnout-bare": TurnoutEvent(**EVENT, seq=28, order=TURNOUT, units=["k-101"]),
    "event-crew": CrewEvent(
        **EVENT,
        seq=29,
        unit="k-101",
        on=True,
        riders=5,
        persons=[CrewPerson("WN-1042", ["ba", "driver-heavy"]), CrewPerson("WN-1107")],
        driver="WN-1042",
        commander="WN-1107",
        until=datetime(2026, 11, 22, 18, 0, tzinfo=UTC),
    ),
    "event-crew-off": CrewEvent(**EVENT, seq=30, unit="k-101", on=False),
    "event-defect": DefectEvent(
        **EVENT, seq=31, unit="k-101", what="pump primer", off_the_run=True, raised=True, text="Loses its prime"
    ),
    "event-defect-mended": DefectEvent(
        **EVENT, seq=32, unit="k-101", what="pump primer", off_the_run=False, raised=False
    ),
    "event-alarm": AlarmEvent(
        **EVENT, seq=33, name="bay_left_open", raised=True, part="bay-1", text="Open for 15 min and nobody there"
    ),
    "event-alarm-cleared": AlarmEvent(**EVENT, seq=34, name="mains_failed", raised=False),
    "event-emergency": EmergencyEvent(**EVENT, seq=35, unit="k-101"),
    "event-emergency-carried": EmergencyEvent(**EVENT, seq=3, unit="k-101", origin=Origin("d-0042-0a1b", 35)),
    "command": COMMAND,
    "command-cancel": Command(
        v=1,
        owner_term=1790000000,
        order=ORDER,
        revision=2,
        action="cancel",
        nonce="bmV3ZXI",
        expires_ms=120000,
        issued_at=LATER,
    ),
    "command-standby": msgspec.structs.replace(
        COMMAND, action="standby_move", priority="routine", mode="training", open_doors=False, signature="c2ln"
    ),
    "feed-orders": Orders(at=LATER, cursor=43, orders=(MOBILISED,)),
    "feed-orders-empty": Orders(at=LATER, cursor=44, orders=()),
    "feed-alarms": Alarms(
        at=LATER,
        cursor=45,
        alarms=(
            EMERGENCY,
            AlarmView(
                alarm="sta-1.sta-1-0a1b.33",
                kind="station",
                name="bay_left_open",
                unit=None,
                callsign="",
                base="thorndon",
                base_name="Thorndon",
                device="sta-1",
                part="bay-1",
                text="Thorndon: a bay door was left open (bay-1)",
                mode="live",
                raised_at=AT,
                proven=False,
                acknowledged_by="control-2",
                acknowledged_at=LATER,
                cleared_at=LATER,
                active=False,
            ),
        ),
    ),
    "feed-alarms-empty": Alarms(at=LATER, cursor=46, alarms=()),
    "state-acknowledged": State(
        v=1,
        owner_term=1790000000,
        version=7,
        valid_until=LATER,
        emergencies=[AcknowledgedEmergency(unit="k-101", stream="d-0042-9f86d081884c7d65", seq=35, by="control-2")],
    ),
}
