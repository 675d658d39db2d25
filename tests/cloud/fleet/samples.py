"""A small county, its moments, and the messages of its devices, as they travel."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import msgspec

from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.fleet.clocks import Corrected, Moment
from cloud.fleet.entry import UnitEntry
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import Head
from cloud.fleet.position import Place, make_place
from wire.events import PositionEvent, StatusEvent
from wire.messages import Birth, CurrentStatus, Death, Echo, Heartbeat, LastSeq, OutboxDepth, PositionAge

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
STREAM = "E2-a"
COUNTY = """
[[organisation]]
id = "kp"
name = "Weald Police"
service = "police"
[[organisation]]
id = "kf"
name = "Weald Fire and Rescue"
service = "fire"
[[base]]
id = "stn-14"
name = "Stn 14 shared"
[[unit]]
id = "kp-12"
callsign = "P12"
organisation = "kp"
type = "response car"
base = "stn-14"
scheme = "uk-police-state"
carrier = "veh-2"
[[unit]]
id = "kf-1"
callsign = "14P1"
organisation = "kf"
type = "pump"
base = "stn-14"
scheme = "uk-fire-gd92"
carrier = "veh-1"
[[device]]
id = "veh-1"
organisation = "kf"
enrolment = "E1"
[[device]]
id = "veh-2"
organisation = "kp"
enrolment = "E2"
[[device]]
id = "panel-1"
organisation = "kp"
enrolment = "E3"
units = ["kp-12"]
[[device]]
id = "veh-9"
organisation = "kp"
enrolment = "E9"
revoked = true
"""


@cache
def county() -> Directory:
    """Two organisations with a unit each, a panel beside a vehicle, and a revoked device."""
    directory = build({"county.toml": COUNTY}, read_packaged(), {})
    assert isinstance(directory, Directory), directory
    return directory


def speakers() -> dict[str, set[str]]:
    """Which devices may speak for each unit."""
    return {"kp-12": {"veh-2", "panel-1"}, "kf-1": {"veh-1"}}


def entry(unit: str) -> UnitEntry:
    """A unit of the county, as the fleet knows it."""
    row = county().units[unit]
    return UnitEntry(
        id=row.id,
        callsign=row.callsign,
        organisation=row.organisation,
        service=row.service,
        type=row.type,
        base=county().bases[row.base].name,
        capabilities=row.capabilities,
        carrier=row.carrier,
    )


def fleet() -> Fleet:
    """The county's fleet, with nobody heard yet."""
    return Fleet([entry(unit) for unit in county().units], speakers())


def at(moment_s: float) -> Moment:
    """Noon and some seconds, when the cloud's monotonic clock shows a thousand and as many."""
    return Moment(NOON + timedelta(seconds=moment_s), 1000.0 + moment_s)


def heartbeat(sent_ms: int, **changes: Any) -> Heartbeat:
    """A heartbeat of the vehicle, which sends one every 5 s; its monotonic clock is 0 at noon."""
    return Heartbeat(**_vitals(sent_ms) | changes)


def birth(sent_ms: int, **changes: Any) -> Birth:
    """The vehicle's birth."""
    return Birth(**_vitals(sent_ms) | {"software": "0.1.0", "config_hash": "c0"} | changes)


def death(**changes: Any) -> Death:
    """The end of the vehicle's connection."""
    fields: dict[str, Any] = {"v": 1, "device": "veh-2", "boot": 1, "conn": 1, "stream": STREAM}
    return Death(**fields | changes)


def echo(held_ms: int = 0, given: str = "x") -> Echo:
    """An echo of an id that was held for so long."""
    return Echo(given, held_ms)


def current(seq: int, code: str = "2", **changes: Any) -> CurrentStatus:
    """What the vehicle names as its unit's status."""
    fields: dict[str, Any] = {"unit": "kp-12", "stream": STREAM, "scheme": "uk-police-state"}
    return CurrentStatus(**fields | {"seq": seq, "code": code} | changes)


def head(code: str, moment_s: float, **changes: Any) -> Head:
    """A committed status of the vehicle, declared so many seconds after noon."""
    found = county().schemes["uk-police-state"].code(code)
    assert found is not None and found.availability is not None
    fields: dict[str, Any] = {
        "unit": "kp-12",
        "device": "veh-2",
        "ordinal": 1,
        "stream": STREAM,
        "seq": 1,
        "scheme": "uk-police-state",
        "code": code,
        "label": found.label,
        "availability": found.availability,
        "meaning": found,
        "by": "panel",
        "at": NOON + timedelta(seconds=moment_s),
        "proven": True,
        "received": NOON + timedelta(days=2),
    }
    return Head(**fields | changes)


def status(seq: int, code: str = "2", **changes: Any) -> StatusEvent:
    """A press of the vehicle's crew."""
    return StatusEvent(
        **_event(seq) | {"unit": "kp-12", "scheme": "uk-police-state", "code": code, "by": "panel"} | changes
    )


def position(seq: int, mono_ms: int = 0, **changes: Any) -> PositionEvent:
    """A position of the vehicle."""
    fields = _event(seq) | {"mono_ms": mono_ms, "fix": "3d", "lat": 51.27, "lon": 0.52, "speed_mps": 12.0}
    return PositionEvent(**fields | changes)


def place(seq: int, sent_s: float, **changes: Any) -> Place:
    """A position that arrived as soon as it was measured, so many seconds after noon."""
    event = changes.pop("event", None) or position(seq, int(sent_s * 1000))
    moment = at(sent_s)
    corrected = Corrected(moment.utc, True)
    made = make_place(event, ordinal=1, stream=STREAM, corrected=corrected, received_s=moment.mono_s)
    return msgspec.structs.replace(made, **changes)


def vouching(seq: int, age_ms: int = 0) -> PositionAge:
    """A heartbeat's word on how recently a fix agreed with a report."""
    return PositionAge(seq, age_ms)


def _event(seq: int) -> dict[str, Any]:
    return {"seq": seq, "at": NOON, "clock": "none", "boot": 1, "mono_ms": 0, "mode": "live"}


def _vitals(sent_ms: int) -> dict[str, Any]:
    return {
        "v": 1,
        "device": "veh-2",
        "boot": 1,
        "conn": 1,
        "sent_mono_ms": sent_ms,
        "sent_at": NOON + timedelta(milliseconds=min(sent_ms, 10**12)),
        "clock": "gnss",
        "stream": STREAM,
        "interval_s": 5,
        "last_seq": LastSeq(0, 0),
        "outbox": OutboxDepth(0, 0),
    }
