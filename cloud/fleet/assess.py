"""What may be believed of a unit: its class, how sure that is, and why. Pure.

The class begins as that of the status that stands, the confidence as confirmed, and both only ever go down. Every
reason names a source that is in the record. docs/availability.md has the rules as a table.
"""

from collections.abc import Iterator
from datetime import datetime

from cloud.fleet.basis import CONTROL, Assessment, Basis
from cloud.fleet.contradictions import contradictions, ignition_counts_at
from cloud.fleet.doubts import doubts, just_bound
from cloud.fleet.findings import RANK, Finding, link_source, ranked, reason_of, status_source
from cloud.fleet.heads import Head, Standing
from cloud.fleet.limits import limits, tier_min
from cloud.fleet.shifts import shift_moments
from wire.feed import AvailabilityClass, Confidence, SourceView

_BY = {"panel": "Pressed on the panel", "auto": "Set automatically", "order": "Set by an order", "radio": "By radio"}


def assess(basis: Basis) -> Assessment:
    """Decide what may be believed of a unit at `basis.now`. The reason that decided comes first."""
    found = contradictions(basis) + limits(basis)
    if basis.standing is None:
        return _undeclared(basis, found)
    return _declared(basis, basis.standing, found + doubts(basis))


def _declared(basis: Basis, standing: Standing, found: list[Finding]) -> Assessment:
    head = standing.head
    status = status_source(head, basis.now)
    availability = standing.availability
    confidence: Confidence = "confirmed"
    shown = [_said(head, status), *_notes(basis, head, status)]
    if found:
        deciding, notes = ranked(found, standing.availability)
        shown = [*deciding, *shown, *notes]
        availability = _least(availability, found)
        confidence = _weakest(found)
    return _assessment(basis, (status, link_source(basis)), shown, (availability, confidence))


def _undeclared(basis: Basis, found: list[Finding]) -> Assessment:
    """A unit without a status has no class; what else is known of it is said all the same."""
    link = link_source(basis)
    if basis.link == "never":
        missing = Finding(code="never_heard", text="Never heard from", source=link)
    else:
        missing = Finding(code="no_status", text="No status has been declared", source=link)
    bound = [just_bound(basis)] if basis.bound_at is not None else []
    deciding, notes = ranked(found, None)
    return _assessment(basis, (link,), [*bound, missing, *deciding, *notes], (None, "never"))


def _assessment(
    basis: Basis,
    always: tuple[SourceView, ...],
    shown: list[Finding],
    judged: tuple[AvailabilityClass | None, Confidence],
) -> Assessment:
    sources = {source.source: source for source in always}
    for finding in shown:
        sources.setdefault(finding.source.source, finding.source)
    return Assessment(
        availability=judged[0],
        confidence=judged[1],
        reasons=tuple([reason_of(finding, basis.now) for finding in shown]),
        sources=tuple(sources.values()),
        activity=None if basis.meaning is None else basis.meaning.activity,
        tier_min=tier_min(basis),
        changes_at=min((moment for moment in _moments(basis) if moment > basis.now), default=None),
    )


def _said(head: Head, status: SourceView) -> Finding:
    by_control = head.device == CONTROL and head.by == "radio"
    text = "By radio, entered by control" if by_control else _BY[head.by]
    return Finding(code="declared", text=text, source=status)


def _notes(basis: Basis, head: Head, status: SourceView) -> list[Finding]:
    """What is to be known of the status that stands, and neither lowers its class nor casts doubt on it."""
    notes = []
    if not head.proven or status.at is None:
        received = SourceView(source="ledger", kind="ledger", at=head.received if head.received <= basis.now else None)
        notes.append(Finding(code="time_unproven", text="When it was declared is not known", source=received))
    if basis.meaning is not None and basis.meaning.activity == "rest":
        notes.append(Finding(code="rest_break", text="On a rest break: ask before sending", source=status))
    return notes


def _least(declared: AvailabilityClass, found: list[Finding]) -> AvailabilityClass:
    least = declared
    for finding in found:
        if RANK[finding.at_best] > RANK[least]:
            least = finding.at_best
    return least


def _weakest(found: list[Finding]) -> Confidence:
    said = {finding.at_most for finding in found}
    if "contradicted" in said:
        return "contradicted"
    return "unconfirmed" if "unconfirmed" in said else "confirmed"


def _moments(basis: Basis) -> Iterator[datetime]:
    """When time alone may change any of it."""
    if basis.standing is not None and basis.standing.head.at > basis.now:
        yield basis.standing.head.at
    if basis.mode is not None and basis.mode.until is not None:
        yield basis.mode.until
    if basis.crew is not None or basis.rostered_until is not None or basis.roster_begins is not None:
        yield from shift_moments(basis)
    if (counts_at := ignition_counts_at(basis)) is not None:
        yield counts_at
