"""How a device fares: what it found of its own parts, and what the cloud knows better than it. Pure; time comes in.

The device's own word is as old as its newest heartbeat: of one that is not fresh it is told with that age, as old.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, get_args

import msgspec

from cloud.fleet.clocks import SKEW_MAX_S, Moment
from cloud.fleet.link import Link, Said, freshness, is_silent
from cloud.fleet.troubles import Stranger, Trouble
from wire.feed import Freshness
from wire.findings import Finding, Level

Part = Literal["receiver", "bus", "panel", "disk", "clock", "link"]
PARTS: tuple[str, ...] = get_args(Part)
"""What every device looks at; a table has a column of each."""
LABELS: tuple[str, ...] = (*PARTS, "other")
Other = Literal["outbox", "events", "binding", "restarts", "fault"]
"""What else may be found: by the cloud, or of an older device, which tells faults without a part."""
Check = Literal[Part, Other]
Standing = Literal["failed", "lost", "look", "untold", "never", "well"]
"""How a device stands, worst first. `look`: it works, and somebody is to look after it. `untold`: it is heard, and says
nothing of its parts. `never`: nothing came from it since this service began."""
STANDINGS: tuple[Standing, ...] = get_args(Standing)
RESTARTS_MANY = 4
RESTARTS_WITHIN_S = 3600.0
"""So many restarts within this are a fault, and not a vehicle whose ignition goes on and off."""

_RANK: dict[Level, int] = {"ok": 0, "warn": 1, "fail": 2}
_DIAGNOSE = "run `edge-agent diagnose` on it"
_ASIDE: dict[str, tuple[Level, str]] = {
    "fork": ("fail", "two machines speak with one identity, or its card was put back: find the copy, then enrol anew"),
    "revoked_device": ("fail", "it may no longer speak: switch it off, or take `revoked` out of its directory row"),
    "wrong_device": ("fail", "its topic names another device than its messages do: mend device.id in its device.toml"),
    "wrong_enrolment": ("fail", "its device.toml and the directory differ in its enrolment: mend the older one"),
    "too_many_streams": ("fail", "its outbox begins anew again and again: replace its card, then enrol anew"),
}
_REFUSED: dict[str, str] = {
    "foreign_unit": "bind the unit to it in the directory, or take the unit out of its station's layout",
    "wrong_scheme": "give its units the status scheme that the directory has for them",
    "unknown_code": "add the code to the scheme, or take it off the device's panel",
    "unknown_callsign": "its crew typed a callsign that the organisation does not have: ask them which unit they are",
}


class HealthFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not in order."""

    check: str
    """The part, or what else was looked at. A word of the device's own where `by` says so."""
    level: Level
    found: str
    do: str
    by: Literal["device", "cloud"]
    since: datetime | None = None
    """Of the cloud's findings: since when, as far as it knows."""
    last: datetime | None = None
    """When it happened last, of what happens again and again: it may be mended since."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a device beside its connection."""

    is_bound: bool = True
    """Whether the directory puts it in a vehicle or a station, or lets it speak for a unit."""
    is_revoked: bool = False
    troubles: Sequence[Trouble] = ()


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a device fares."""

    standing: Standing
    link: Freshness
    parts: Mapping[str, Level]
    """The worst that is known of each part; one that nobody tells of is not there."""
    findings: tuple[HealthFinding, ...]
    """What is not in order, worst first."""
    heard_at: datetime | None
    """The newest moment at which it was certainly alive."""
    told_at: datetime | None
    """How old its own word is: of its newest heartbeat that proved when it was sent."""
    is_old: bool
    """Whether that word may not be taken for now."""


def judge_device(link: Link, told: Told, began: datetime, now: Moment) -> Health:
    """Judge one device; `began` is when this service began to listen."""
    fresh = freshness(link, now.mono_s)
    said = link.vitals
    own = _own(said) if said is not None else []
    is_heard = link.proof_s is not None and fresh != "lost"
    clouds = [*_of_speaker(link, now)] if is_heard else []
    if not told.is_revoked:  # nobody waits for one that may not speak
        clouds += _of_link(link, fresh, began, now)
    clouds += _of_troubles(told)
    if not told.is_bound and is_heard:
        do = "add its vehicle, its station or its unit to the directory; until then nothing that it says counts"
        clouds.append(_cloud("binding", "warn", "speaks, and the directory binds it to nothing", do))
    findings = [*clouds, *own]
    findings.sort(key=lambda one: -_RANK[one.level])
    return Health(
        standing=_stand(link, "never" if told.is_revoked else fresh, findings),
        link=fresh,
        parts=_verdicts(said, fresh, findings),
        findings=tuple(findings),
        heard_at=None if link.proof_s is None else now.since(link.proof_s),
        told_at=None if link.spoke_s is None else now.since(link.spoke_s),
        is_old=fresh != "fresh" or is_silent(link, now.mono_s),
    )


def judge_stranger(one: Stranger) -> HealthFinding:
    """Say what is wrong with somebody who speaks and is in no directory."""
    found = f"speaks as a device of {one.organisation}, and the directory holds none of that name there"
    do = "add its [[device]] row, or mend device.id and device.organisation in its device.toml"
    return msgspec.structs.replace(_cloud("binding", "fail", found, do, one.first_at), last=one.last_at)


def label_of(finding: Finding) -> str:
    """Give a part's name as a figure may carry it, one of `LABELS`: whatever else a device makes up is `other`."""
    return finding.check if finding.check in PARTS else "other"


def worst_of(findings: Iterable[Finding]) -> dict[str, Level]:
    """Give the worst level by label, for a device may say of one part more than once."""
    worst: dict[str, Level] = {}
    for one in findings:
        label = label_of(one)
        if label not in worst or _RANK[one.level] > _RANK[worst[label]]:
            worst[label] = one.level
    return worst


def readable(text: str) -> str:
    """Give a text of a device's that turns no other text around it: control and direction characters are replaced."""
    return text if text.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in text)


def _cloud(check: Check, level: Level, found: str, do: str, since: datetime | None = None) -> HealthFinding:
    return HealthFinding(check=check, level=level, found=found, do=do, by="cloud", since=since)


def _own(said: Said) -> list[HealthFinding]:
    """Give what the device says itself is wrong. A fault that its findings tell already is not told twice."""
    found = [
        HealthFinding(
            check=readable(one.check), level=one.level, found=readable(one.found), do=readable(one.do), by="device"
        )
        for one in said.health
        if one.level != "ok"
    ]
    for fault in map(readable, said.faults):
        if not any(fault in one.found for one in found):
            found.append(HealthFinding(check="fault", level="warn", found=fault, do=_DIAGNOSE, by="device"))
    return found


def _of_link(link: Link, fresh: Freshness, began: datetime, now: Moment) -> Iterable[HealthFinding]:
    if fresh == "lost" and link.proof_s is not None:
        do = "ask its crew: has it power, and a network? Then look at the tunnel and the broker between it and here"
        yield _cloud("link", "fail", "not heard", do, now.since(link.proof_s))
    elif link.proof_s is None and link.vitals is not None:
        do = f"{_DIAGNOSE}: does the cloud's answer reach it? A broker brings the last word of a dead device too"
        yield _cloud("link", "warn", "nothing proves that it is alive now", do)
    elif link.proof_s is None:
        do = f"is it switched on, and does its broker's address lead here? Then {_DIAGNOSE}"
        yield _cloud("link", "warn", "nothing heard", do, began)
    elif link.spoke_s is not None and is_silent(link, now.mono_s) and fresh == "fresh":
        found = "its events come, and no heartbeat says how it stands"
        yield _cloud("link", "warn", found, f"{_DIAGNOSE}: is its software of this version?", now.since(link.spoke_s))


def _of_speaker(link: Link, now: Moment) -> Iterable[HealthFinding]:
    """What the cloud measures of a device that is heard."""
    skew_s = link.skew_s
    if skew_s is not None and abs(skew_s) > SKEW_MAX_S:
        found = f"its clock is {_length(abs(skew_s))} {'ahead of' if skew_s > 0 else 'behind'} the cloud's"
        do = "look at its time with `chronyc sources`: receiver, network. Until then its word is placed by our clock"
        yield _cloud("clock", "warn", found, do)
    recent = [at_s for at_s in link.restarted_s if now.mono_s - at_s < RESTARTS_WITHIN_S]
    if len(recent) >= RESTARTS_MANY:
        found = f"began again {len(recent)} times within the hour"
        do = f"look at its supply and its fuse; then {_DIAGNOSE} and read why in its journal"
        yield _cloud("restarts", "warn", found, do, now.since(recent[0]))


def _of_troubles(told: Told) -> Iterable[HealthFinding]:
    for one in told.troubles:
        if one.reason != "revoked_device" or told.is_revoked:  # else it may speak again
            yield msgspec.structs.replace(_of_trouble(one), last=one.last_at)


def _of_trouble(one: Trouble) -> HealthFinding:
    things = "messages" if one.what == "aside" else "events"
    were = f"{one.count} of its {things} {'was' if one.count == 1 else 'were'}"
    if one.what == "refused":
        do = _REFUSED.get(one.reason, f"{_DIAGNOSE}: is its software of this version?")
        return _cloud("events", "warn", f"{were} refused: {one.reason}", do, one.first_at)
    check: Check = "binding" if one.reason == "revoked_device" else "outbox"
    level, do = _ASIDE.get(one.reason, ("warn", "run `watchroom doctor`; is its software of this version?"))
    return _cloud(check, level, f"{were} kept aside: {one.reason}", do, one.first_at)


def _verdicts(said: Said | None, fresh: Freshness, findings: Iterable[HealthFinding]) -> dict[str, Level]:
    worst = worst_of(one for one in said.health if one.check in PARTS) if said is not None else {}
    if fresh != "never":
        worst.setdefault("link", "ok")
    for one in findings:
        if one.check in PARTS and _RANK[one.level] > _RANK[worst.get(one.check, "ok")]:
            worst[one.check] = one.level
    return worst


def _stand(link: Link, fresh: Freshness, findings: Sequence[HealthFinding]) -> Standing:
    """Whoever is lost is lost, whatever it last said of itself."""
    if fresh == "lost":
        return "lost"
    is_proven = link.proof_s is not None  # the broker brings the last word of a dead device too
    if any(one.level == "fail" and (is_proven or one.by == "cloud") for one in findings):
        return "failed"
    if not is_proven:
        return "never"
    if findings:
        return "look"
    return "well" if link.vitals is not None and link.vitals.health else "untold"


def _length(seconds: float) -> str:
    """`7 s`, `5 min`, `3 h`, `4 days`: as one says it."""
    for limit_s, unit_s, name in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172_800.0, 3600.0, "h")):
        if seconds < limit_s:
            return f"{seconds / unit_s:.0f} {name}"
    return f"{seconds / 86_400:.0f} days"
