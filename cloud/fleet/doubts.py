"""Why the status that stands may no longer be true: nothing recent, or a device that names another one. Pure.

Every text ends with what to do about it.
"""

from cloud.fleet.basis import Basis, Vouch
from cloud.fleet.findings import BY_RADIO, Finding, link_source
from wire.feed import Freshness, SourceView

_LINK: dict[Freshness, tuple[str, str]] = {
    "never": ("not_heard_yet", "Not heard since the service started"),
    "lost": ("link_lost", "Contact lost"),
    "late": ("link_late", "Nothing recent from the device"),
    "asleep": ("asleep", "The device is asleep"),
}
_VOUCH: dict[Vouch, tuple[str, str]] = {
    "catching_up": ("catching_up", "Later statuses are still on their way"),
    "refused": ("not_stored", "{}'s latest status was refused or lost"),
    "other": ("other_status", "{} shows another status than the one that stands"),
    "silent": ("link_late", "No heartbeat from {} lately"),
}


def doubts(basis: Basis) -> list[Finding]:
    """Everything that leaves a status unconfirmed, the link first."""
    found: list[Finding] = []
    if basis.link != "fresh":
        found += _link(basis)
    if basis.vouch in _VOUCH:
        found.append(_vouch(basis.vouch, "the device", link_source(basis)))
    elif basis.vouch == "not_held" and basis.link not in ("never", "lost"):
        found.append(_doubt("not_held", "The device no longer holds this status", link_source(basis)))
    standing = basis.standing
    if standing is None:
        return found
    if basis.declarer_vouch in _VOUCH:
        device = standing.head.device
        source = SourceView(source=f"link:{device}", kind="link", device=device)
        found.append(_vouch(basis.declarer_vouch, device, source))
    if basis.bound_at is not None and standing.head.at < basis.bound_at:
        found.append(just_bound(basis))
    return found


def just_bound(basis: Basis) -> Finding:
    """Control has bound another vehicle to the unit, and what stands was not declared from it."""
    source = SourceView(source="binding", kind="binding", device=basis.carrier, at=basis.bound_at)
    return _doubt("just_bound", "Vehicle just bound to it, nothing pressed since", source)


def _link(basis: Basis) -> list[Finding]:
    code, text = _LINK[basis.link]
    if basis.link == "late" and basis.ended:
        code, text = "link_ended", "The device's connection ended"
    found = [_doubt(code, text, link_source(basis))]
    if basis.path_failed:
        source = SourceView(source="fleet", kind="fleet")
        text = "Many units fell silent together: suspect the network, not the crew"
        found.append(Finding(code="path_failed", text=text, source=source, at_most="unconfirmed"))
    return found


def _vouch(vouch: Vouch, device: str, source: SourceView) -> Finding:
    code, text = _VOUCH[vouch]
    said = text.format(device)
    return _doubt(code, "The" + said[3:] if said.startswith("the ") else said, source)


def _doubt(code: str, text: str, source: SourceView) -> Finding:
    return Finding(code=code, text=f"{text}: {BY_RADIO}", source=source, at_most="unconfirmed")
