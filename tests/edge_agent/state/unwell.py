"""Devices in every state of health, for the pure judges and for whoever shows what they say."""

import math
from datetime import UTC, datetime

from edge_agent.decode.readings import Fix
from edge_agent.state import health
from edge_agent.state.debounce import Contact, Debounce
from edge_agent.state.health import Bus, Disk, Known, Link, Room, WallClock, Watch
from edge_agent.state.reporting import ReportRules
from edge_agent.state.vehicle import Now, Vehicle
from wire.findings import Finding

AT = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
NOW = Now(AT, 10_000.0)
BEGAN_S = 1_000.0
FIX = Fix(mode="3d", lat=51.2, lon=0.9, gnss_time=AT)
WATCHED = Watch(began_s=BEGAN_S, connected=True, turned_s=BEGAN_S)
CUT_OFF = Watch(began_s=BEGAN_S, connected=False, turned_s=9_000.0)
WELL = Known(
    vehicle=Vehicle(rules=ReportRules(), debounce=Debounce(0.03), fix=FIX, fix_s=9_999.0, fixed_s=9_999.0),
    has_receiver=True,
    has_panel=True,
    emergency="",
    bus=Bus(faults={}, silent=()),
    disk=Disk(room=Room(free_kib=900_000, reserve_kib=1_024, is_reserve_held=True)),
    clock=WallClock(source="gnss", contested=False),
    link=Link(connected=True, seen=True, answer_age_s=0.4),
    mains="ok",
)
FAULTS = {
    "outbox": "database or disk is full",
    "journal": "the journal of orders cannot be written: disk I/O error; doors stay shut",
    "notes": "crews and defects can't be noted on disk: No space left on device; a restart forgets them",
    "link": "the cloud's settle of status 412 does not match what is kept here",
    "gpsd": "gpsd on 127.0.0.1:2947 has no receiver: tell it with gpsdctl add, or restart it",
    "panel": "/dev/gpiochip0: No such device",
    "panel b1": "button b1 is held down since before it was first read: let it go, or mend it",
    "weather": "a source that nobody has heard of is silent",
    "emergency": "the emergency button emergency is stuck: it raises no other emergency",
    "bays": "bays does not answer",
    "hall": "hall refuses input_register 0: exception 6, device busy",
    "page": "the touch page can't be served: port 8480: Address already in use",
    "dropped": "12 fixes dropped since the start: the disk is too slow for them",
}
"""Every kind of fault that the agent knows, as it words it."""
BROKEN = Known(
    vehicle=Vehicle(
        rules=ReportRules(),
        debounce=Debounce(0.03, {"b4": Contact(9_000.0, None, True)}),
        faults={source: FAULTS[source] for source in ("gpsd", "panel", "panel b1", "weather")},
    ),
    has_receiver=True,
    has_panel=True,
    emergency=FAULTS["emergency"],
    bus=Bus(faults={slave: FAULTS[slave] for slave in ("bays", "hall")}, silent=("bays",)),
    disk=Disk(
        outbox=FAULTS["outbox"],
        journal=(FAULTS["journal"],),
        notes=FAULTS["notes"],
        room=Room(free_kib=100, reserve_kib=1_024, is_reserve_held=False, aside=("outbox.damaged-1.db",), aside_kib=96),
    ),
    clock=WallClock(source="none", contested=True),
    link=Link(connected=False, seen=False, answer_age_s=math.inf, unsettled_s=700.0, fault=FAULTS["link"]),
    mains="failed",
    page=FAULTS["page"],
    dropped=FAULTS["dropped"],
)


def findings(known: Known = WELL, watched: Watch = WATCHED) -> dict[str, Finding]:
    """What is found of each part."""
    return {one.check: one for one in health.look(known, watched, NOW)}
