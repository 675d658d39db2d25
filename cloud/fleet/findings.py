"""One thing that bears on what may be believed of a unit, and the source that it rests on. Pure values."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from cloud.fleet.basis import Basis
from cloud.fleet.heads import Head
from wire.feed import AvailabilityClass, Confidence, Reason, SourceView

BY_RADIO = "confirm by radio"
"""How the text of a doubt ends: what to do about it. Boards put it in front."""

RANK: dict[AvailabilityClass | None, int] = {None: -1, "Available": 0, "ConditionallyAvailable": 1, "NotAvailable": 2}
"""The less available, the higher."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that was said of a unit, and what it allows at most."""

    code: str
    text: str
    source: SourceView
    at_best: AvailabilityClass = "Available"
    """It can be no more available than this."""
    at_most: Confidence = "confirmed"
    """It can be believed no more than this."""


def status_source(head: Head, now: datetime) -> SourceView:
    """The status that stands. Of a time that lies ahead nothing is known."""
    return SourceView(source=head.by, kind="status", device=head.device, at=head.at if head.at <= now else None)


def link_source(basis: Basis) -> SourceView:
    """The carrier's connection."""
    return SourceView(source="link", kind="link", device=basis.carrier, at=basis.link_at)


def ranked(findings: Iterable[Finding], declared: AvailabilityClass | None) -> tuple[list[Finding], list[Finding]]:
    """Part what decides from what is only to be noted, where the status that stands comes to `declared`.

    Contradictions are first, then what lowers the class, the lowest first, then what lowers the confidence.
    """
    deciding: list[tuple[int, Finding]] = []
    notes: list[Finding] = []
    for finding in findings:
        if finding.at_most == "contradicted":
            deciding.append((0, finding))
        elif RANK[finding.at_best] > RANK[declared] >= 0:
            deciding.append((1 if finding.at_best == "NotAvailable" else 2, finding))
        elif finding.at_most == "unconfirmed":
            deciding.append((3, finding))
        else:
            notes.append(finding)
    deciding.sort(key=lambda each: each[0])
    return [finding for _, finding in deciding], notes


def reason_of(finding: Finding, now: datetime) -> Reason:
    """Say it as the feed does, with the age of its source at `now`."""
    source = finding.source
    return Reason(code=finding.code, text=finding.text, source=source.source, age_s=age_s(source.at, now))


def age_s(at: datetime | None, now: datetime) -> float | None:
    """Give an age; None where it cannot be known, or would be negative: one of the two clocks was wrong."""
    if at is None or at > now:
        return None
    return round((now - at) / _SECOND, 3)


_SECOND = timedelta(seconds=1)
