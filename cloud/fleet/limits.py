"""What makes a unit less available than its status says. Each says how available it can be at best. Pure."""

from collections.abc import Iterator

from cloud.fleet.basis import Basis, CrewSaid, Mate, Needs
from cloud.fleet.findings import Finding, status_source
from cloud.fleet.shifts import crew_source, directory_source, shift_findings
from wire.feed import Activity, AvailabilityClass, Confidence, SourceView

ON_CALL_MIN = 30
"""A crew that takes so many minutes to turn out is only to be asked for."""

COMMITTED: frozenset[Activity | None] = frozenset(
    {"assigned", "mobile", "on_scene", "transporting", "at_destination", "clearing"}
)
"""What a crew is at while it can't be elsewhere."""

ROLLING = COMMITTED - {"assigned"}
"""What a crew is at once it has turned out."""

_MODES = {"test": "Being tested", "maintenance": "In maintenance", "commissioning": "Being fitted"}


def limits(basis: Basis) -> list[Finding]:
    """Everything that lowers the class, or that would were the status not as low already."""
    found: list[Finding] = []
    if basis.defects:
        found += _defects(basis)
    if basis.crew is not None:
        found += _crew(basis, basis.crew)
    elif basis.needs.minimum:
        text = f"Nobody has logged on, {basis.needs.minimum} needed"
        found.append(Finding(code="crew_unknown", text=text, source=directory_source()))
    if basis.crew is not None or basis.off_shift or basis.rostered_until is not None:
        found += shift_findings(basis)
    if basis.assignment is not None:
        found += _order(basis)
    if basis.mode is not None:
        found += _mode(basis)
    if basis.split_into or basis.part_of:
        found += _parts(basis)
    if basis.mates:
        found += _mates(basis.mates)
    if tier_min(basis):
        found += _tier(basis)
    return found


def tier_min(basis: Basis) -> int:
    """Minutes until its crew turns out: as its status says, else its own figure; 0 for a crew that is out already."""
    meaning = basis.meaning
    if meaning is None:
        return basis.tier_min
    if meaning.activity in ROLLING:
        return 0
    return basis.tier_min if meaning.tier_min is None else meaning.tier_min


def _defects(basis: Basis) -> Iterator[Finding]:
    """One for each thing that is broken so that the unit can't go, whoever reports it."""
    for what, defect in {each.what: each for each in basis.defects if each.off_the_run}.items():
        source = SourceView(source=f"defect:{what}", kind="defect", device=defect.device, at=defect.at)
        text = f"Off the run, {what}: send another"
        yield Finding(code="off_the_run", text=text, source=source, at_best="NotAvailable")


def _crew(basis: Basis, crew: CrewSaid) -> Iterator[Finding]:
    """Too few riders speak against a status that says Available; a status that says less has allowed for them."""
    at_most: Confidence = "contradicted" if _says_available(basis) else "confirmed"
    source = crew_source(crew)
    if not crew.on or crew.riders == 0:
        text = "No crew logged on: ask the base, or send another"
        yield Finding(code="no_crew", text=text, source=source, at_best="NotAvailable", at_most=at_most)
        return
    if crew.riders < basis.needs.minimum:
        text = f"Crew {crew.riders} of {basis.needs.minimum}"
        yield Finding(code="crew_short", text=text, source=source, at_best="ConditionallyAvailable", at_most=at_most)
    if lacking := _lacking(basis.needs, crew):
        text = f"Crew lacks: {', '.join(lacking)}"
        yield Finding(code="skill_missing", text=text, source=source, at_best="ConditionallyAvailable")


def _lacking(needs: Needs, crew: CrewSaid) -> list[str]:
    """Which skills too few on board have."""
    have = dict(crew.skills)
    short = [(skill, have.get(skill, 0), count) for skill, count in needs.skills if have.get(skill, 0) < count]
    return [f"{skill} {held} of {count}" if held else skill for skill, held, count in short]


def _order(basis: Basis) -> Iterator[Finding]:
    """An order holds the unit until it is closed: one that failed or expired may still be taken up by telephone."""
    order = basis.assignment
    if order is None or order.phase == "closed":
        return
    if _says_available(basis):
        source = SourceView(source="assignment", kind="assignment", at=order.since)
        text = f"Called to {order.incident}" if order.incident else "Called out by an order"
        yield Finding(code="on_order", text=text, source=source, at_best="ConditionallyAvailable")


def _mode(basis: Basis) -> Iterator[Finding]:
    mode = basis.mode
    if mode is None or mode.mode == "live" or (mode.until is not None and mode.until <= basis.now):
        return
    by = f", set by {mode.by}" if mode.by else ", by its own device"
    source = SourceView(source="mode", kind="mode", device="" if mode.by else basis.carrier, at=mode.at)
    if mode.mode == "training":
        text = f"In training{by}: ask before sending"
        yield Finding(code="mode", text=text, source=source, at_best="ConditionallyAvailable")
    else:
        text = f"{_MODES[mode.mode]}{by}: send another"
        yield Finding(code="mode", text=text, source=source, at_best="NotAvailable")


def _says_available(basis: Basis) -> bool:
    return basis.standing is not None and basis.standing.availability == "Available"


def _parts(basis: Basis) -> Iterator[Finding]:
    source = directory_source()
    if basis.split_into:
        text = f"Split into {' and '.join(basis.split_into)}: send those"
        yield Finding(code="split", text=text, source=source, at_best="NotAvailable")
    if basis.part_of and not basis.is_apart:
        text = f"Part of {basis.part_of}, which is not split: send that"
        yield Finding(code="part_of", text=text, source=source, at_best="NotAvailable")


def _mates(mates: tuple[Mate, ...]) -> Iterator[Finding]:
    """One crew is in one place, and only the first of the units that it could take is Available."""
    source = SourceView(source="fleet", kind="fleet")
    out = next((mate for mate in mates if mate.assigned or mate.activity in COMMITTED), None)
    if out is not None:
        text = f"Its crew is out with {out.callsign}: send another"
        yield Finding(code="crew_elsewhere", text=text, source=source, at_best="NotAvailable")
        return
    resting = next((mate for mate in mates if mate.activity == "rest"), None)
    if resting is not None:
        text = f"Its crew is on a rest break with {resting.callsign}: ask before sending"
        yield Finding(code="shares_crew", text=text, source=source, at_best="ConditionallyAvailable")
        return
    first = next((mate for mate in mates if mate.first and mate.availability == "Available"), None)
    if first is not None:
        text = f"Same crew as {first.callsign}"
        yield Finding(code="shares_crew", text=text, source=source, at_best="ConditionallyAvailable")


def _tier(basis: Basis) -> Iterator[Finding]:
    standing = basis.standing
    if standing is None or standing.availability == "NotAvailable":
        return
    by_code = basis.meaning is not None and basis.meaning.tier_min is not None
    source = status_source(standing.head, basis.now) if by_code else directory_source()
    minutes = tier_min(basis)
    text = f"Turns out in {minutes} minute{'' if minutes == 1 else 's'}"
    at_best: AvailabilityClass = "ConditionallyAvailable" if minutes >= ON_CALL_MIN else "Available"
    yield Finding(code="on_call", text=text, source=source, at_best=at_best)
