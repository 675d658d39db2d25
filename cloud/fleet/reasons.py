"""Confidence in a unit's class, with the reasons, the deciding one first. In plain English, for a dispatcher."""

from typing import Literal

import msgspec

from cloud.fleet.heads import Head, Standing
from cloud.fleet.link import Link
from wire.feed import Confidence, Freshness, Reason

Vouch = Literal["stored", "catching_up", "refused", "other", "not_held", "unsaid", "silent"]
"""What a device's last heartbeat means for its head: it names that very status, or a later one that is still on its
way, or one that was refused or lost, or one that does not stand, or holds none, or it has not spoken since the cloud
started, or only envelopes have come for longer than a device may be silent."""

_BY = {"panel": "Pressed on the panel", "auto": "Set automatically", "order": "Set by an order", "radio": "By radio"}

_VOUCH_DOUBTS: dict[Vouch, tuple[str, str]] = {
    "catching_up": ("catching_up", "Later statuses are still on their way: confirm by radio"),
    "refused": ("not_stored", "{}'s latest status was refused or lost: confirm by radio"),
    "other": ("other_status", "{} shows another status than the one that stands: confirm by radio"),
    "silent": ("link_late", "No heartbeat from {} lately: confirm by radio"),
}


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """All that confidence is decided on."""

    standing: Standing | None
    link: Freshness
    ended: bool
    link_age_s: float | None
    status_age_s: float | None
    vouch: Vouch
    """The carrier's."""
    declarer_vouch: Vouch = "stored"
    """That of the device whose status stands, where it is another one."""


def vouch_for(head: Head | None, link: Link | None, unit: str, through: int, *, spoken_since: bool = False) -> Vouch:
    """Compare a device's head with the status that the device names as the unit's current one.

    `through` is the status queue's watermark of the stream that the device speaks in now.

    | the heartbeat names | it means |
    |---|---|
    | the head, by its place or by the one it was carried from | `stored` (`refused` where the code is another) |
    | an earlier status, and had not counted the head yet | `stored`: the head came after the heartbeat |
    | the same, and was certainly sent after the head had come (`spoken_since`) | `other`: an older copy of the card |
    | one of its own stream that has not ended yet | `catching_up` |
    | one of the head's stream, after the head, that has ended | `refused`, or lost |
    | any other, so one carried from before the head | `other` |
    """
    if link is None or link.vitals is None:
        return "unsaid"
    vitals = link.vitals
    named = next((one for one in vitals.current if one.unit == unit), None)
    if named is None:
        return "stored" if head is None else "not_held"
    if head is not None and head.is_at(named.stream, named.seq):
        return "stored" if (named.scheme, named.code) == (head.scheme, head.code) else "refused"
    counted = max(named.seq, vitals.last_seq.status)
    if head is not None and named.stream == vitals.stream == head.stream and counted < head.seq:
        return "other" if spoken_since else "stored"
    if named.stream == vitals.stream and named.seq > through:
        return "catching_up"
    return "refused" if head is None or (named.stream == head.stream and named.seq > head.seq) else "other"


def judge(basis: Basis) -> tuple[Confidence, tuple[Reason, ...]]:
    """Decide the confidence. Stale is never confirmed; what is unconfirmed keeps its class and says why."""
    if basis.standing is None:
        return "never", (_missing(basis),)
    doubts = _doubts(basis)
    declared = _declared(basis.standing.head, basis.status_age_s)
    if basis.standing.conflicts:
        return "contradicted", (_conflict(basis.standing), *doubts, *declared)
    if doubts:
        return "unconfirmed", (*doubts, *declared)
    return "confirmed", declared


def _missing(basis: Basis) -> Reason:
    if basis.link == "never":
        return Reason(code="never_heard", text="Never heard from", source="link")
    return Reason(code="no_status", text="No status has been declared", source="panel", age_s=basis.link_age_s)


def _doubts(basis: Basis) -> tuple[Reason, ...]:
    doubts = []
    link = _link_doubt(basis)
    if link is not None:
        doubts.append(link)
    if basis.vouch in _VOUCH_DOUBTS:
        doubts.append(_vouch_doubt(basis.vouch, "The device"))
    elif basis.vouch == "not_held" and basis.link not in ("never", "lost"):
        doubts.append(_reason("not_held", "The device no longer holds this status: confirm by radio"))
    if basis.declarer_vouch in _VOUCH_DOUBTS and basis.standing is not None:
        doubts.append(_vouch_doubt(basis.declarer_vouch, basis.standing.head.device))
    return tuple(doubts)


def _vouch_doubt(vouch: Vouch, device: str) -> Reason:
    code, text = _VOUCH_DOUBTS[vouch]
    return _reason(code, text.format(device))


def _link_doubt(basis: Basis) -> Reason | None:
    match basis.link:
        case "never":
            return _reason("not_heard_yet", "Not heard since the service started: confirm by radio")
        case "lost":
            return _reason("link_lost", "Contact lost: confirm by radio", basis.link_age_s)
        case "late" if basis.ended:
            return _reason("link_ended", "The device's connection ended: confirm by radio", basis.link_age_s)
        case "late":
            return _reason("link_late", "Nothing recent from the device: confirm by radio", basis.link_age_s)
        case "asleep":
            return _reason("asleep", "The device is asleep: confirm by radio", basis.link_age_s)
        case "fresh":
            return None


def _conflict(standing: Standing) -> Reason:
    other = standing.conflicts[0]
    text = f"{standing.head.device} says {standing.head.label}, {other.device} says {other.label}"
    return Reason(code="conflict", text=text, source="panel")


def _declared(head: Head, age_s: float | None) -> tuple[Reason, ...]:
    declared = Reason(code="declared", text=_BY[head.by], source=head.by, age_s=age_s)
    if head.proven and age_s is not None:
        return (declared,)
    return declared, Reason(code="time_unproven", text="When it was declared is not known", source="ledger")


def _reason(code: str, text: str, age_s: float | None = None) -> Reason:
    return Reason(code=code, text=text, source="link", age_s=age_s)
