"""A county on a busy night, as a dispatcher would meet it.

The sixty units of `county` where they would be, with guests, short and on-call crews, claims, defects and a test.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import msgspec

from tests.browser.county import county
from tests.browser.feed_source import now
from tests.browser.orders import ORDER
from wire.feed import (
    Assignment,
    ClaimView,
    CrewView,
    DefectView,
    FeedRecord,
    PositionView,
    Proposal,
    Reason,
    SourceView,
)

PLACES: Final = {
    "Stn 14 shared": (51.339, 0.735),
    "Ashford fire": (51.146, 0.875),
    "Canterbury fire": (51.279, 1.082),
    "Dover fire": (51.128, 1.312),
    "Thanet fire": (51.358, 1.412),
    "Maidstone police": (51.272, 0.525),
    "Medway police": (51.388, 0.541),
    "Roads policing Coldharbour": (51.298, 0.437),
    "Paddock Wood make ready": (51.181, 0.391),
    "Thanet ambulance": (51.341, 1.391),
    "Medway make ready": (51.371, 0.562),
}
"""Where the bases are."""

AT_BASE: Final = ("at base", "At standby station", "Insufficient crew", "standby", "Vehicle off road", "Refreshments")
WANTED: Final = {"fire": 5, "police": 2, "ambulance": 2}
ON: Final = {"P141": 17, "P142": 17, "A3141": 17, "KP21": 18, "KP22": 18, "P411": 19, "P412": 19, "A2201": 16}
"""Which order of `tests.browser.orders.busy` a unit is on."""


def reason(code: str, text: str, source: str = "crew", age_s: float | None = 1260.0) -> Reason:
    """Why a unit is believed to be what it is."""
    return Reason(code=code, text=text, source=source, age_s=age_s)


def _spot(number: int, record: FeedRecord) -> PositionView | None:
    """Where it would be by its status: at its base, or on the road."""
    if record.position is None or record.status is None:
        return record.position
    lat, lon = PLACES[record.base]
    away = 0.0008 if any(word in record.status.label for word in AT_BASE) else 0.02 + (number % 7) * 0.009
    turn = number * 2.4
    return msgspec.structs.replace(
        record.position, lat=lat + away * math.sin(turn), lon=lon + away * 1.6 * math.cos(turn)
    )


def _crewed(number: int, record: FeedRecord) -> FeedRecord:
    """The record with its place, its crew, its vehicle and what it rests on."""
    wanted = WANTED[record.service]
    riders = wanted if number % 5 else wanted - 1
    crew = CrewView(
        riders=riders,
        minimum=wanted - 1,
        preferred=wanted,
        skills=("ba", "driver") if record.service == "fire" else (),
        until=now() + timedelta(hours=3),
    )
    sources = (
        SourceView(source="panel", kind="status", device=f"veh-{number:04}", at=now() - timedelta(minutes=14)),
        SourceView(source="link", kind="link", device=f"veh-{number:04}"),
        SourceView(source="crew", kind="crew", device="stn14-panel", at=now() - timedelta(hours=9)),
    )
    called = _assignment(record.callsign)
    held = called is not None and record.availability == "Available"
    on_order = reason("on_order", "On an order that is not closed", "assignment", 50.0)
    return msgspec.structs.replace(
        record,
        availability="ConditionallyAvailable" if held else record.availability,
        reasons=(on_order, *record.reasons) if held else record.reasons,
        position=_spot(number, record),
        crew=crew if record.confidence != "never" else None,
        vehicle=f"F{1000 + number}",
        sources=sources,
        assignment=called,
    )


def _assignment(callsign: str) -> Assignment | None:
    """The order that a unit is on; None for none."""
    if callsign not in ON:
        return None
    number = ON[callsign]
    since = now() - timedelta(seconds=50)
    return Assignment(order=ORDER % number, incident=f"I04{number}", phase="alerting", since=since, version=2)


def _special(record: FeedRecord) -> dict[str, object]:
    """What is not ordinary about a unit."""
    declared = record.reasons
    crew = CrewView(riders=3, minimum=4, preferred=5, skills=("driver",), missing=("ba",))
    left = Proposal(code="left_base", text="Left the base's ground", at=now() - timedelta(minutes=9))
    special: dict[str, dict[str, object]] = {
        "P203": {
            "availability": "ConditionallyAvailable",
            "crew": crew,
            "reasons": (reason("crew_short", "3 riding, at least 4 are wanted"), *declared),
        },
        "RSV20": {"defects": (DefectView(what="winch", off_the_run=False, since=now() - timedelta(hours=2)),)},
        "P312": {"home": "Ashford fire", "alternates": ("HVP31",)},
        "P412": {
            "tier_min": 5,
            "crew": CrewView(minimum=4, preferred=5),
            "reasons": (reason("on_call", "On call: turns out in 5 minutes", "directory"), *declared),
        },
        "KM03": {"proposals": (left,)},
        "KM10": {
            "claims": (ClaimView(claim="veh-0009.s.4", device="veh-0009", vehicle="F1009", at=now()),),
            "confidence": "unconfirmed",
            "reasons": (reason("claimed", "Another device says that it carries the unit", "fleet"), *declared),
        },
        "A3304": {
            "mode": "test",
            "mode_until": now() + timedelta(hours=1),
            "mode_by": "A. Smith",
            "availability": "NotAvailable",
            "reasons": (reason("mode", "In test mode until 14:30", "mode"), *declared),
        },
        "KD04": {
            "confidence": "contradicted",
            "availability": "ConditionallyAvailable",
            "reasons": (reason("not_at_base", "Says at base, is 3.0 km away", "position", 6.0), *declared),
        },
    }
    return special.get(record.callsign, {})


def shire() -> Iterator[FeedRecord]:
    """The county's sixty units on a busy night."""
    for number, record in enumerate(county()):
        crewed = _crewed(number, record)
        yield msgspec.structs.replace(crewed, **_special(crewed))
