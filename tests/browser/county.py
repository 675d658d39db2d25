"""Sixty units of a county that three services share, as a feed would tell them."""

from collections.abc import Iterator
from datetime import timedelta

from tests.browser.feed_source import now
from wire.feed import (
    Activity,
    Ages,
    AvailabilityClass,
    Confidence,
    Conflict,
    FeedRecord,
    FixMode,
    Freshness,
    PositionView,
    Reason,
    Service,
    StatusView,
)

BASES: tuple[tuple[str, Service, str, tuple[str, ...]], ...] = (
    ("Stn 14 shared", "fire", "Pumping appliance", ("P141", "P142", "ALP14", "WRC14")),
    ("Stn 14 shared", "police", "Response car", ("KP21", "KP22")),
    ("Stn 14 shared", "ambulance", "DSA", ("A3141", "A3142")),
    ("Ashford fire", "fire", "Pumping appliance", ("P201", "P202", "P203", "RSV20")),
    ("Canterbury fire", "fire", "Pumping appliance", ("P311", "P312", "HVP31")),
    ("Dover fire", "fire", "Pumping appliance", ("P411", "P412", "P413")),
    ("Thanet fire", "fire", "Pumping appliance", ("P511", "P512", "P513", "ALP51")),
    ("Maidstone police", "police", "Response car", ("KM01", "KM02", "KM03", "KM04", "KM10", "KM11", "KM12")),
    ("Medway police", "police", "Response car", ("KD01", "KD02", "KD03", "KD04", "KD05", "ARV7")),
    ("Roads policing Coldharbour", "police", "Traffic car", ("KT1", "KT2", "KT3", "KT4", "KT5")),
    ("Paddock Wood make ready", "ambulance", "DSA", ("A1101", "A1102", "A1103", "A1104", "A1105", "RRV11")),
    ("Thanet ambulance", "ambulance", "DSA", ("A2201", "A2202", "A2203", "A2204", "RRV22")),
    (
        "Medway make ready",
        "ambulance",
        "DSA",
        ("A3301", "A3302", "A3303", "A3304", "A3305", "HART1", "HART2", "RRV33", "PTS9"),
    ),
)

_Code = tuple[str, str, AvailabilityClass]
SCHEMES: dict[Service, tuple[str, tuple[_Code, ...]]] = {
    "fire": (
        "uk-fire-gd92",
        (
            ("4", "Available at base", "Available"),
            ("1", "Mobile to incident", "NotAvailable"),
            ("4", "Available at base", "Available"),
            ("2", "In attendance", "NotAvailable"),
            ("3", "Available at incident", "ConditionallyAvailable"),
            ("16", "Insufficient crew", "NotAvailable"),
            ("25", "At standby station", "Available"),
            ("24", "Mobile in standby station's area", "Available"),
        ),
    ),
    "police": (
        "uk-police-state",
        (
            ("2", "Available, on patrol", "Available"),
            ("6", "At scene", "NotAvailable"),
            ("3", "Available, standby", "Available"),
            ("7", "Committed but deployable", "ConditionallyAvailable"),
            ("9", "Prisoner escort", "NotAvailable"),
            ("4", "Refreshments", "ConditionallyAvailable"),
        ),
    ),
    "ambulance": (
        "uk-ambulance",
        (
            ("at_base", "Available at base", "Available"),
            ("at_hospital", "At hospital", "NotAvailable"),
            ("standby", "Available at standby point", "Available"),
            ("vor", "Vehicle off road", "NotAvailable"),
            ("meal", "Meal break", "ConditionallyAvailable"),
            ("mobile", "Mobile to scene", "NotAvailable"),
        ),
    ),
}

ACTIVITIES: dict[str, Activity] = {
    "Mobile to incident": "mobile",
    "In attendance": "on_scene",
    "Available at incident": "on_scene",
    "At standby station": "standby",
    "Mobile in standby station's area": "standby",
    "Insufficient crew": "out_of_service",
    "At scene": "on_scene",
    "Committed but deployable": "on_scene",
    "Prisoner escort": "transporting",
    "Refreshments": "rest",
    "Available, standby": "standby",
    "At hospital": "at_destination",
    "Vehicle off road": "out_of_service",
    "Meal break": "rest",
    "Mobile to scene": "mobile",
}
"""What a crew is at by each status; by the rest it is free."""

LATE = Reason(code="link_late", text="Nothing heard from the vehicle", source="link", age_s=31.0)
DECLARED = Reason(code="declared", text="Declared on the vehicle's panel", source="panel", age_s=840.0)
NEVER = Reason(code="never_heard", text="Never heard", source="directory")
CONFLICT = Reason(code="conflict", text="Station panel says mobile to incident", source="ledger", age_s=64.0)


def position(number: int, *, fix: FixMode = "3d") -> PositionView:
    """A position in the county."""
    return PositionView(
        fix=fix,
        lat=51.1 + number * 0.004,
        lon=0.6 + number * 0.01,
        heading_deg=120.0,
        speed_mps=13.4,
        altitude_m=34.0,
        accuracy_m=4.0,
        age_s=float(number % 9) if fix != "none" else 412.0,
        gnss_time=now(),
    )


def unit(  # noqa: PLR0913 - the record is this wide
    number: int,
    callsign: str,
    *,
    service: Service = "fire",
    kind: str = "Pumping appliance",
    base: str = "Stn 14 shared",
    code: int = 0,
    confidence: Confidence = "confirmed",
    link: Freshness = "fresh",
    link_s: float = 2.0,
    status_s: float | None = None,
    fix: FixMode | None = "3d",
    cursor: int = 0,
) -> FeedRecord:
    """One unit's record as it stands now."""
    scheme, codes = SCHEMES[service]
    declared, label, availability = codes[code % len(codes)]
    heard = confidence != "never"
    declared_s = status_s if status_s is not None else 60.0 * (number * 7 % 170) + 11
    since = now() - timedelta(seconds=declared_s)
    place = position(number, fix=fix) if heard and fix is not None else None
    return FeedRecord(
        unit=f"u-{number}",
        callsign=callsign,
        organisation=f"kent-{service}",
        service=service,
        type=kind,
        base=base,
        capabilities=("ba", "ladder-135") if service == "fire" else (),
        availability=availability if heard else None,
        activity=ACTIVITIES.get(label, "free") if heard else None,
        confidence=confidence,
        reasons={"unconfirmed": (LATE, DECLARED), "contradicted": (CONFLICT, DECLARED), "never": (NEVER,)}.get(
            confidence, (DECLARED,)
        ),
        status=StatusView(scheme=scheme, code=declared, label=label, since=since, proven=number % 11 != 3, by="panel")
        if heard
        else None,
        position=place,
        position_fresh=place is not None and confidence == "confirmed" and place.fix != "none",
        ages=Ages(
            link_s=link_s if heard else None,
            status_s=declared_s if heard else None,
            position_s=place.age_s if place is not None else None,
        ),
        link=link if heard else "never",
        conflicts=(Conflict(device="stn14-panel", scheme=scheme, code="1", label="Mobile to incident"),)
        if confidence == "contradicted"
        else (),
        as_of=now(),
        cursor=cursor,
    )


def _confidence(number: int) -> Confidence:
    if number in (9, 44, 58):
        return "never"
    if number == 2:
        return "contradicted"
    return "unconfirmed" if number in (5, 17, 18, 30, 51) else "confirmed"


def county() -> Iterator[FeedRecord]:
    """Sixty units: most confirmed, some unconfirmed, one contradicted, some never heard, some without a fix."""
    number = 0
    for base, service, kind, callsigns in BASES:
        for callsign in callsigns:
            confidence = _confidence(number)
            late = confidence == "unconfirmed"
            yield unit(
                number,
                callsign,
                service=service,
                kind=kind,
                base=base,
                code=number,
                confidence=confidence,
                link="late" if late else "fresh",
                link_s=31.0 + number if late else float(number % 6),
                fix="none" if number in (12, 33) else "dead_reckoning" if number == 20 else "3d",
            )
            number += 1


def crowd(size: int) -> Iterator[FeedRecord]:
    """As many units as asked for, at forty bases."""
    for number in range(size):
        yield unit(number, f"P{number:04}", base=f"Stn {number % 40:02}", code=number)
