"""Counts devices and units by how they stand. Figures only: no device, unit or place can be told from them."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import get_args

from cloud.api.source import Site
from cloud.fleet.health import worst_of
from cloud.fleet.link import Link, Said, freshness, thresholds_s
from wire.feed import Confidence, Freshness

SLICE = 1_000
"""Devices looked at in one turn of the event loop: about half a millisecond."""
_NEVER_HEARD = Link()


@dataclass
class Census:
    """What the devices say of themselves, added up. Of the outboxes only those of devices that are heard now count."""

    devices: dict[str, int] = field(default_factory=lambda: dict.fromkeys(get_args(Freshness), 0))
    units: dict[str, int] = field(default_factory=lambda: dict.fromkeys(get_args(Confidence), 0))
    waiting: Counter[str] = field(default_factory=Counter)
    """Events on all devices that are not settled, by queue."""
    waiting_max: dict[str, int] = field(default_factory=lambda: {"status": 0, "track": 0})
    oldest_status_s: float = 0.0
    with_faults: int = 0
    parts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """What devices that are heard now find of their parts, by part and level."""
    disk_free_min_mib: int | None = None


async def take_census(site: Site) -> Census:
    """Count, and let others run meanwhile. Revoked devices do not count: they may not speak."""
    census = Census()
    now_s = site.moment().mono_s
    fleet = site.ingest.fleet
    devices = [device.id for device in site.ingest.directory.devices.values() if not device.revoked]
    for start in range(0, len(devices), SLICE):
        for device in devices[start : start + SLICE]:
            _count_device(census, fleet.link(device) or _NEVER_HEARD, now_s)
        await asyncio.sleep(0)
    for confidence, count in Counter(record.confidence for record in site.feed.shown()).items():
        census.units[confidence] = count
    return census


def _count_device(census: Census, link: Link, now_s: float) -> None:
    fresh = freshness(link, now_s)
    census.devices[fresh] += 1
    if link.vitals is not None and fresh in ("fresh", "late") and _is_of_now(link, now_s):
        _count_vitals(census, link.vitals)


def _is_of_now(link: Link, now_s: float) -> bool:
    """Tell whether its word is: no birth that a broker kept, and no old one beside events that still come."""
    return link.spoke_s is not None and now_s - link.spoke_s <= thresholds_s(link)[1]


def _count_vitals(census: Census, vitals: Said) -> None:
    outbox = vitals.outbox
    census.waiting["status"] += outbox.status
    census.waiting["track"] += outbox.track
    census.waiting_max["status"] = max(census.waiting_max["status"], outbox.status)
    census.waiting_max["track"] = max(census.waiting_max["track"], outbox.track)
    if outbox.status:
        census.oldest_status_s = max(census.oldest_status_s, outbox.oldest_status_ms / 1000)
    census.with_faults += bool(vitals.faults) or any(one.level == "fail" for one in vitals.health)
    census.parts.update(worst_of(vitals.health).items())
    free_mib = vitals.disk_free_mib
    if free_mib is not None:
        known = census.disk_free_min_mib
        census.disk_free_min_mib = free_mib if known is None else min(known, free_mib)
