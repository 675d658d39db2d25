"""What people ask for and decide about sharing, and how that stands: requests, the ledger's words, views."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from cloud.desk.bindingwords import DecisionRequest
from cloud.directory.tokens import Name
from cloud.ledger import DecisionRow
from cloud.sharing.terms import EmergencyAccess
from wire.events import Token
from wire.partner import Grant

AGREEMENT, INCIDENT, ACCESS, ACCESS_ENDED = "agreement", "major_incident", "emergency_access", "emergency_access_ended"
"""The kinds of such decisions in the ledger."""
AgreementState = Literal["in_force", "waiting", "withdrawn", "not_yet", "over"]

_Body = TypeVar("_Body")


class DeclareRequest(DecisionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A major incident that control declares. Agreements that name it open from then on."""

    name: Name


class AccessRequest(DecisionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An emergency access that a partner opens for itself: to whose units, for how long, who, and why."""

    owner: Token
    minutes: Annotated[int, Meta(ge=1, le=240)] = 60


class AccessFor(AccessRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, opened by control for an organisation."""

    partner: Token


class AccessEnd(DecisionRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The early end of an emergency access."""

    organisation: Token
    """Which of the two ends it: whose units they are, or who looks at them."""


class AgreementWord(msgspec.Struct, frozen=True, kw_only=True):
    """That an agreement was withdrawn, or put in force again."""

    agreement: str
    withdrawn: bool
    by: str
    reason: str
    at: datetime


class IncidentWord(msgspec.Struct, frozen=True, kw_only=True):
    """That a major incident was declared, or ended."""

    name: str
    declared: bool
    by: str
    reason: str
    at: datetime


class AccessEnded(msgspec.Struct, frozen=True, kw_only=True):
    """That an emergency access was ended early."""

    access: str
    organisation: str
    by: str
    reason: str
    at: datetime


class AgreementView(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement, or what a loan opens, as it stands."""

    agreement: str
    owner: str
    partner: str
    purpose: str
    units: tuple[str, ...]
    """The owner's units that it is about: those that fit each list that is not empty."""
    types: tuple[str, ...]
    bases: tuple[str, ...]
    capabilities: tuple[str, ...]
    fields: tuple[Grant, ...]
    """Sorted."""
    precision_m: int
    """0 for exact positions."""
    delay_s: int
    when: Literal["always", "joint_incident", "major_incident"]
    incident: str
    valid_from: datetime | None
    valid_until: datetime | None
    state: AgreementState
    """`in_force`: it opens units now, each as soon as what it waits for is so of that unit."""
    waits_for: str
    """Plain English; empty where it waits for nothing."""
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    reason: str = ""
    """Why it was withdrawn."""


class MajorIncident(msgspec.Struct, frozen=True, kw_only=True):
    """A major incident that is declared."""

    name: str
    by: str
    reason: str
    since: datetime
    agreements: tuple[str, ...]
    """The ids of the agreements that name it, sorted: none where its name may be misspelt."""


class AccessView(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency access as it stands, or stood."""

    access: str
    owner: str
    partner: str
    reason: str
    by: str
    fields: tuple[Grant, ...]
    since: datetime
    until: datetime
    """When it ends, or ended."""
    active: bool
    ended_by: str | None = None
    """Who ended it early."""
    ended_for: str | None = None
    """The organisation for which that was."""
    end_reason: str = ""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What people have decided, as the rules of sharing go by it."""

    declared: frozenset[str]
    withdrawn: frozenset[str]
    access: tuple[EmergencyAccess, ...]
    """Those that are not over."""


def decided(rows: Iterable[DecisionRow], kind: str, body: type[_Body]) -> Iterator[_Body]:
    """Give what was decided of one kind, among others, in order."""
    return (msgspec.json.decode(row.body, type=body) for row in rows if row.kind == kind)


def word_row(
    kind: str, subject: str, word: AgreementWord | IncidentWord | AccessEnded | EmergencyAccess
) -> DecisionRow:
    """Give the ledger's row of a decision."""
    at = word.since if isinstance(word, EmergencyAccess) else word.at
    return DecisionRow(
        at=at, kind=kind, subject=subject, by=word.by, reason=word.reason, body=msgspec.json.encode(word)
    )
