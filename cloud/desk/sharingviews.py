"""How what was decided about sharing reads: for whoever asks, and for the owner whom it is announced to. Pure."""

from collections.abc import Collection
from datetime import datetime

import msgspec

from cloud.desk.sharingwords import AccessEnded, AccessView, AgreementState, AgreementView, AgreementWord
from cloud.directory import Directory
from cloud.sharing.terms import Agreement, EmergencyAccess


def view_agreement(
    agreement: Agreement, now: datetime, declared: Collection[str], withdrawn: AgreementWord | None
) -> AgreementView:
    """Show an agreement as it stands."""
    covers = agreement.covers
    shown = AgreementView(
        agreement=agreement.id,
        owner=agreement.owner,
        partner=agreement.partner,
        purpose=agreement.purpose,
        units=covers.units,
        types=covers.types,
        bases=covers.bases,
        capabilities=covers.capabilities,
        fields=tuple(sorted(agreement.fields)),
        precision_m=agreement.precision_m,
        delay_s=agreement.delay_s,
        when=agreement.when,
        incident=agreement.incident,
        valid_from=agreement.valid_from,
        valid_until=agreement.valid_until,
        state=_state(agreement, now, declared, withdrawn is not None),
        waits_for=_waits_for(agreement),
    )
    if withdrawn is None:
        return shown
    return msgspec.structs.replace(shown, withdrawn_by=withdrawn.by, withdrawn_at=withdrawn.at, reason=withdrawn.reason)


def view_access(access: EmergencyAccess, ended: AccessEnded | None, *, active: bool) -> AccessView:
    """Show an emergency access as it stands."""
    shown = AccessView(
        access=access.id,
        owner=access.owner,
        partner=access.partner,
        reason=access.reason,
        by=access.by,
        fields=tuple(sorted(access.fields)),
        since=access.since,
        until=access.until,
        active=active,
    )
    if ended is None:
        return shown
    return msgspec.structs.replace(
        shown, until=ended.at, ended_by=ended.by, ended_for=ended.organisation, end_reason=ended.reason
    )


def access_text(access: EmergencyAccess, directory: Directory, ended: AccessEnded | None) -> str:
    """Say to the owner who opened its units, until when and why. In one line, its time in UTC."""
    partner, owner = (_name(directory, one) for one in (access.partner, access.owner))
    said = f"{partner} opened emergency access to all units of {owner} until {access.until:%H:%M} UTC"
    reason = " ".join(access.reason.split())
    over = (
        ""
        if ended is None
        else f"; ended at {ended.at:%H:%M} UTC by {ended.by}, {_name(directory, ended.organisation)}"
    )
    return f"{said}: {reason} ({access.by}){over}"


def _name(directory: Directory, organisation: str) -> str:
    known = directory.organisations.get(organisation)
    return organisation if known is None else known.name


def _state(agreement: Agreement, now: datetime, declared: Collection[str], withdrawn: bool) -> AgreementState:
    if agreement.valid_until is not None and now >= agreement.valid_until:
        return "over"
    if withdrawn:
        return "withdrawn"
    if agreement.valid_from is not None and now < agreement.valid_from:
        return "not_yet"
    if agreement.when == "major_incident" and agreement.incident not in declared:
        return "waiting"
    return "in_force"


def _waits_for(agreement: Agreement) -> str:
    match agreement.when:
        case "joint_incident":
            return "of each unit, that it is on an incident that a unit of the partner is on too"
        case "major_incident":
            return f"that the major incident {agreement.incident!r} is declared"
        case _:
            return ""
