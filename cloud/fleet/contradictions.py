"""What speaks against the status that stands: another head, the place, the ignition, a second device. Pure.

A contradiction is shown and never settled here. Two heads leave the less available. What is seen by itself, a place
or an ignition, leaves the class alone: what never lowers a class can never raise one again by going away.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cloud.fleet.basis import Basis, InputSaid, Spot
from cloud.fleet.findings import BY_RADIO, Finding
from cloud.fleet.heads import Head, Standing
from wire.feed import SourceView
from wire.scheme import Code

OFF_BASE_M = 500.0
"""A unit that says it is at base may be this far outside of its fence, beside what its receiver may be wrong by."""
MOVING_MPS = 8.0
"""A unit that says it stands somewhere and goes faster than this is not there: 29 km/h, beyond any yard."""
IGNITION_OFF = timedelta(seconds=60)
"""A crew may press before it starts the engine, and an engine may stall."""
SEEN_BEFORE = timedelta(seconds=30)
"""What was seen earlier than this before the press is no word against it: the crew may have come back by then."""


def contradictions(basis: Basis) -> list[Finding]:
    """Everything that speaks against the status that stands, the plainest first."""
    found: list[Finding] = []
    standing, meaning = basis.standing, basis.meaning
    if standing is not None:
        if standing.conflicts:
            found += _heads(standing, basis.now)
        if meaning is not None and basis.spot is not None and meaning.place is not None:
            found += _place(standing.head, meaning, basis.spot)
        if (due := ignition_counts_at(basis)) is not None and due <= basis.now and basis.ignition is not None:
            found.append(_ignition(basis.ignition))
    if basis.claims:
        found += _claims(basis)
    return found


def ignition_counts_at(basis: Basis) -> datetime | None:
    """When an ignition that is off speaks against a status that says mobile; None where it does not.

    A vehicle that was not heard since the press may have started unseen.
    """
    standing, meaning, ignition = basis.standing, basis.meaning, basis.ignition
    if standing is None or meaning is None or ignition is None or ignition.value:
        return None
    if not meaning.mobile and meaning.activity != "mobile":
        return None
    if basis.link_at is None or basis.link_at < standing.head.at:
        return None
    return max(standing.head.at, ignition.at) + IGNITION_OFF


def _heads(standing: Standing, now: datetime) -> Iterator[Finding]:
    head = standing.head
    for other in standing.conflicts:
        at = other.at if other.at <= now else None
        yield Finding(
            code="conflict",
            text=f"{head.device} says {head.label}, {other.device} says {other.label}",
            source=SourceView(source=f"other:{other.device}", kind="status", device=other.device, at=at),
            at_most="contradicted",
        )


def _place(head: Head, meaning: Code, spot: Spot) -> Iterator[Finding]:
    source = SourceView(source="gpsd", kind="position", device=spot.device, at=spot.at)
    if _is_off_base(meaning, spot) and head.at - spot.at <= SEEN_BEFORE:
        yield _against("not_at_base", f"Says at base, is {_km(spot.off_base_m or 0.0)} km away", source)
    if meaning.place in ("base", "hospital") and spot.at >= head.at and (spot.speed_mps or 0.0) > MOVING_MPS:
        where = "at base" if meaning.place == "base" else "at hospital"
        yield _against("moving", f"Says {where}, is moving: {BY_RADIO}", source)


def _is_off_base(meaning: Code, spot: Spot) -> bool:
    off_m = spot.off_base_m
    return meaning.place == "base" and off_m is not None and off_m > OFF_BASE_M + (spot.accuracy_m or 0.0)


def _ignition(ignition: InputSaid) -> Finding:
    source = SourceView(source="ignition", kind="input", device=ignition.device, at=ignition.at)
    return _against("ignition_off", f"Says mobile, its ignition is off: {BY_RADIO}", source)


def _claims(basis: Basis) -> Iterator[Finding]:
    twice = sum(claim.on for claim in basis.claims) > 1
    for claim in basis.claims:
        vehicle = f"Vehicle {claim.vehicle}" if claim.vehicle else claim.device
        source = SourceView(source=f"claim:{claim.device}", kind="binding", device=claim.device, at=claim.at)
        if not claim.on:
            text = f"{vehicle} says that it carries it no longer: confirm or refuse that"
            yield Finding(code="claimed", text=text, source=source, at_most="unconfirmed")
        elif twice:
            text = f"{vehicle} says that it carries it, and so does another: ask by radio, confirm one"
            yield Finding(code="claimed_twice", text=text, source=source, at_most="contradicted")
        else:
            text = f"{vehicle} says that it carries it now: confirm or refuse that"
            yield Finding(code="claimed", text=text, source=source, at_most="unconfirmed")


def _against(code: str, text: str, source: SourceView) -> Finding:
    return Finding(code=code, text=text, source=source, at_most="contradicted")


def _km(metres: float) -> str:
    """Give a distance in steps of half a kilometre, so that its text does not change with each position."""
    return f"{max(0.5, round(metres / 500) / 2):.1f}"
