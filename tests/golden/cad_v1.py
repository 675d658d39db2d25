"""What the files of `v1` that go to and from command and control systems say. What stands here is never changed."""

from datetime import UTC, datetime

import msgspec

from wire.cad import (
    CadAboard,
    CadAnswer,
    CadAssignment,
    CadCrew,
    CadHolding,
    CadMessages,
    CadOrder,
    CadStanding,
    CadStatus,
    CadTick,
    CadUnit,
    CadUnits,
    CadVersions,
)
from wire.events import CrewPerson
from wire.feed import CalledView

AT = datetime(2026, 11, 1, 12, 0, 30, 250000, tzinfo=UTC)
ORDER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0c0de"
UNIT = CadUnit(
    seq=41,
    id="wr.20261101T120030.41",
    origin="watchroom",
    at=AT,
    changed=("status", "availability"),
    unit="14p1",
    callsign="14P1",
    availability="NotAvailable",
    confidence="confirmed",
    status=CadStanding(
        scheme="uk-fire-gd92",
        code="2",
        label="In attendance",
        since=AT,
        proven=True,
        by="panel",
        device="veh-1",
        origin="watchroom",
    ),
    assignment=CadHolding(order="20-117", incident="RTC M20", since=AT, origin="weald-cad"),
    crew=CadAboard(riders=5, skills=("ba", "driver"), until=AT, origin="weald-cad"),
    mode="live",
    versions=CadVersions(status=7, assignment=3, crew=1),
)
CALLED = CadOrder(
    seq=42,
    id="wr.20261101T120030.42",
    origin="watchroom",
    at=AT,
    version=4,
    order=ORDER,
    order_kind="mobilise",
    phase="mobile",
    reason="",
    base="stn14",
    base_name="Stn 14",
    incident="RTC M20",
    address="M20 J9",
    text="two cars",
    mode="live",
    units=(CalledView(unit="14p1", callsign="14P1", service="fire", acknowledged_at=AT, mobile_at=AT),),
    by="op 7",
    created_at=AT,
    active=True,
)
EXPECTED: dict[str, msgspec.Struct] = {
    "cad-status": CadStatus(
        id="m-1", origin="weald-cad", at=AT, unit="14p1", by="J Shah", code="4", remarks="by voice", version=6
    ),
    "cad-assignment": CadAssignment(
        id="m-2",
        origin="weald-cad",
        at=AT,
        unit="14p1",
        order="20-117",
        incident="RTC M20",
        address="M20 J9",
        text="two cars",
        version=2,
    ),
    "cad-assignment-off": CadAssignment(id="m-3", origin="weald-cad", at=AT, unit="14p1", order=None, version=3),
    "cad-crew": CadCrew(
        id="m-4",
        origin="weald-cad",
        at=AT,
        unit="14p1",
        on=True,
        riders=5,
        persons=[CrewPerson(ref="a1", skills=["driver"])],
        until=AT,
    ),
    "cad-answer": CadAnswer(
        id="m-3", unit="14p1", outcome="refused", why="moved", text="version: look again", version=3, at=AT
    ),
    "cad-unit": UNIT,
    "cad-order": CALLED,
    "cad-tick": CadTick(at=AT, seq=42),
    "cad-messages": CadMessages(at=AT, newest=42, missed=0, messages=(UNIT, CALLED)),
    "cad-units": CadUnits(at=AT, newest=42, units=(UNIT,), next_after="14p1"),
}
