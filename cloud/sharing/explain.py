"""Tells an owner who sees what of a unit, and why, in a watch manager's words. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from cloud.sharing.grants import gives_access, grants_of, opens
from cloud.sharing.terms import EMERGENCY, Agreement, Covers, EmergencyAccess, Grants, SharedUnit, Situation
from wire.partner import GRANTS, Grant

_WORDS: dict[Grant, str] = {
    "base": "its base",
    "vehicle": "its vehicle",
    "capabilities": "what it can do",
    "availability": "whether it can be sent, and why",
    "status": "its status",
    "position": "its position",
    "link": "when it was last heard",
    "crew": "its crew",
    "defects": "its defects",
    "assignment": "its order",
    "mode": "its mode",
    "kin": "the units that share its crew, its whole and its parts",
    "workings": "what contradicts its status, what is suggested, and who claims it",
    "alarms": "its emergencies",
}


class ExplainedAgreement(msgspec.Struct, frozen=True, kw_only=True):
    """One agreement, or one emergency access, between an owner and a partner."""

    id: str
    """`emergency:ID` for an emergency access."""
    purpose: str
    """Of an emergency access: the reason given."""
    opens: bool
    why: str
    """Until when it opens the unit, or each thing that keeps it shut, in plain English without a full stop."""


class ExplainedGrant(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner sees of one kind of thing."""

    grant: Grant
    words: str
    shown: bool
    by: tuple[str, ...] = ()
    """The ids of the agreements that open it, sorted; none for what is hidden, and for the owner's own."""
    note: str = ""
    """How a position is blurred or held back."""


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner sees of a unit, and why."""

    unit: str
    partner: str
    visible: bool
    """Whether the partner may know that there is such a unit."""
    why: str
    agreements: tuple[ExplainedAgreement, ...]
    """Every one between the two, in force or not, as the directory has them; then emergency accesses."""
    grants: tuple[ExplainedGrant, ...]
    """Each kind of thing that there is."""


HIDDEN = "covert, off duty or at home"
"""The three look alike to everybody but the owner, and the rules don't know which it is."""


def explain(
    unit: SharedUnit, partner: str, agreements: Iterable[Agreement], situation: Situation, *, hidden_as: str = HIDDEN
) -> Explained:
    """Explain to a unit's owner what a partner sees of it now. Never for the partner: it tells what is hidden.

    `hidden_as` is what the owner knows a hidden unit to be, such as "covert" or "off duty".
    """
    between = [one for one in agreements if (one.owner, one.partner) == (unit.organisation, partner)]
    granted = grants_of(unit, partner, between, situation)
    accesses = [one for one in situation.access if (one.owner, one.partner) == (unit.organisation, partner)]
    hidden = f"{hidden_as}: nobody but its owner sees it" if unit.hidden else ""
    told = [_agreement(one, unit, situation, hidden) for one in between]
    told += [_access(one, situation.now, hidden) for one in accesses]
    opening = {one.id: one.fields for one in between if opens(one, unit, partner, situation)}
    opening |= {EMERGENCY + one.id: one.fields for one in accesses if gives_access(one, unit, partner, situation.now)}
    return Explained(
        unit=unit.id,
        partner=partner,
        visible=granted is not None,
        why=_why(unit, partner, told, hidden),
        agreements=tuple(told),
        grants=tuple(_grant(grant, granted, opening) for grant in GRANTS),
    )


def _why(unit: SharedUnit, partner: str, told: list[ExplainedAgreement], hidden: str) -> str:
    if unit.organisation == partner:
        return "its own unit: it sees everything"
    if hidden:
        return hidden
    if opening := [one.id for one in told if one.opens]:
        return f"opened by {_listed(opening)}"
    return "no agreement opens it" if told else "there is no agreement"


def _agreement(agreement: Agreement, unit: SharedUnit, situation: Situation, hidden: str) -> ExplainedAgreement:
    shut = (*((hidden,) if hidden else ()), *_shut(agreement, unit, situation))
    until = agreement.valid_until
    why = _listed(shut) if shut else ("open" if until is None else f"open until {_at(until)}")
    return ExplainedAgreement(id=agreement.id, purpose=agreement.purpose, opens=not shut, why=why)


def _shut(agreement: Agreement, unit: SharedUnit, situation: Situation) -> Iterator[str]:
    """Everything that keeps an agreement from opening a unit, what lasts longest first."""
    now = situation.now
    if agreement.id in situation.withdrawn:
        yield "withdrawn by its owner"
    if agreement.valid_from is not None and now < agreement.valid_from:
        yield f"begins on {_at(agreement.valid_from)}"
    if agreement.valid_until is not None and now >= agreement.valid_until:
        yield f"ended on {_at(agreement.valid_until)}"
    yield from _elsewhere(agreement.covers, unit)
    if agreement.when == "joint_incident":
        joint = situation.incidents.get(agreement.partner, frozenset())
        if not unit.incident or unit.incident not in joint:
            yield "waits for a joint incident: it is on none with a unit of the partner"
    if agreement.when == "major_incident" and agreement.incident not in situation.declared:
        yield f'waits for the major incident "{agreement.incident}" to be declared'


def _elsewhere(covers: Covers, unit: SharedUnit) -> Iterator[str]:
    if covers.units and unit.id not in covers.units:
        yield f"is about {_named('unit', covers.units)} only"
    if covers.types and unit.type not in covers.types:
        yield f"is about {_named('type', covers.types)} only"
    if covers.bases and unit.base not in covers.bases:
        yield f"is about {_named('base', covers.bases)} only"
    if covers.capabilities and not set(covers.capabilities) & set(unit.capabilities):
        yield f"is about units with {_listed(covers.capabilities, 'or')} only"


def _access(access: EmergencyAccess, now: datetime, hidden: str) -> ExplainedAgreement:
    if hidden:
        why = hidden
    elif now < access.since:
        why = f"begins on {_at(access.since)}"
    elif now >= access.until:
        why = f"ended on {_at(access.until)}"
    else:
        why = f"opened by {access.by} until {_at(access.until)}"
    is_open = not hidden and access.since <= now < access.until
    return ExplainedAgreement(id=EMERGENCY + access.id, purpose=access.reason, opens=is_open, why=why)


def _grant(grant: Grant, granted: Grants | None, opening: dict[str, frozenset[Grant]]) -> ExplainedGrant:
    shown = granted is not None and grant in granted.fields
    by = tuple(sorted(name for name, fields in opening.items() if grant in fields))
    note = _place(granted) if granted is not None and shown and grant == "position" else ""
    return ExplainedGrant(grant=grant, words=_WORDS[grant], shown=shown, by=by if shown else (), note=note)


def _place(granted: Grants) -> str:
    square = f"to a square of {granted.precision_m} m" if granted.precision_m else "exact"
    return f"{square}, {granted.delay_s} s late" if granted.delay_s else square


def _named(noun: str, names: tuple[str, ...]) -> str:
    return f"{noun}{'' if len(names) == 1 else 's'} {_listed(names)}"


def _listed(names: Iterable[str], word: str = "and") -> str:
    *before, last = tuple(names)
    return f"{', '.join(before)} {word} {last}" if before else last


def _at(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y at %H:%M} UTC"
