"""Every device as it fares now: looked at in slices, so that others have the event loop, and once for all who ask."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import get_args

import msgspec

from cloud.directory import Device, Directory, InForce, Unit
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.health import (
    PARTS,
    STANDINGS,
    Health,
    HealthFinding,
    Standing,
    Told,
    judge_device,
    judge_stranger,
    readable,
)
from cloud.fleet.link import Link
from cloud.fleet.troubles import Stranger, Troubles
from wire.feed import Freshness
from wire.findings import Level
from wire.messages import OutboxDepth

SLICE = 250
"""Devices looked at in one turn of the event loop: some 5 milliseconds."""
KEPT_S = 1.0
"""Whoever asks within this of another gets what was found for that one."""
DAY_S = 86_400.0
_NEVER_HEARD = Link()
_RELEASE = re.compile(r"(?:[A-Za-z_-]*-)?(\d{1,9}(?:\.\d{1,9})*)")
"""A release, alone or behind the name of what is released: `0.10.0`, `watchroom-0.10.0`."""


class BoundUnit(msgspec.Struct, frozen=True):
    """A unit that a device may speak for."""

    unit: str
    callsign: str
    carries: bool
    """Whether the device carries it: it is in that unit's vehicle."""


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One device."""

    device: str
    organisation: str
    listed: bool = True
    """Whether the directory holds it."""
    revoked: bool = False
    vehicle: str | None = None
    """The fleet number of the vehicle that it is in."""
    station: str | None = None
    """The name of the base whose station it serves."""
    units: tuple[BoundUnit, ...] = ()
    standing: Standing
    link: Freshness
    parts: Mapping[str, Level]
    """The verdict on each part that is told of: receiver, bus, panel, disk, clock, link."""
    findings: tuple[HealthFinding, ...]
    """What is not in order, worst first, each with what to do."""
    heard_at: datetime | None = None
    """When it was certainly alive last."""
    told_at: datetime | None = None
    """How old its own word is, which is all that is not the cloud's; null where nothing proves it."""
    is_old: bool = True
    """Whether that word is not to be taken for now."""
    software: str = ""
    outdated: bool = False
    """Whether another device runs a newer software."""
    waiting_status: int = 0
    """Statuses that are not settled, as it last said; so with track, the age in seconds and the disk."""
    waiting_track: int = 0
    oldest_status_s: float | None = None
    disk_free_mib: int | None = None
    restarts: int = 0
    """Of the last day, as far as this service heard: no more than 8 are told apart."""


class FleetCounts(msgspec.Struct, frozen=True, kw_only=True):
    """All devices added up, whatever was asked for."""

    devices: int
    standings: Mapping[str, int]
    """By standing: failed, lost, look, untold, never, well. Each device is in one."""
    parts: Mapping[str, Mapping[str, int]]
    """Of each part, by level: the link of all, other parts of those whose word is of now."""
    outdated: int
    newest_software: str


class Row(msgspec.Struct, frozen=True):
    """A device, and what it is found by."""

    rank: tuple[int, int, str]
    """Worst first; of those that stand alike whoever has more that failed, then by name."""
    text: str
    view: DeviceView


class Survey(msgspec.Struct, frozen=True):
    """A look at all devices, worst first."""

    at: datetime
    at_s: float
    rows: tuple[Row, ...]
    counts: FleetCounts


class Surveyor:
    """Looks at all devices when asked, and keeps what it found for `KEPT_S`."""

    def __init__(
        self, in_force: InForce, fleet: Fleet, troubles: Troubles, *, moment: Callable[[], Moment], began: datetime
    ) -> None:
        """Look at nothing yet. `began` is when this service began to listen."""
        self.began = began
        self._in_force, self._fleet, self._troubles, self._moment = in_force, fleet, troubles, moment
        self._lock = asyncio.Lock()
        self._newest: Survey | None = None

    async def survey(self) -> Survey:
        """Give a look that is no older than `KEPT_S`."""
        async with self._lock:
            found = self._newest
            if found is None or self._moment().mono_s - found.at_s > KEPT_S:
                found = self._newest = await self._look()
            return found

    async def _look(self) -> Survey:
        now, directory = self._moment(), self._in_force.directory
        look = _Look(directory, self._fleet, self._troubles, began=self.began, now=now)
        devices = list(directory.devices.values())
        rows: list[Row] = []
        for start in range(0, len(devices), SLICE):
            rows += look.rows(devices[start : start + SLICE])
            await asyncio.sleep(0)
        rows += [_row(_stranger_view(one)) for one in self._troubles.strangers(now.utc)]
        rows.sort(key=attrgetter("rank"))
        await asyncio.sleep(0)
        return Survey(now.utc, now.mono_s, tuple(rows), _count(rows, look.newest))


class _Look:
    """A look at devices at one moment, by the directory that is in force then."""

    def __init__(self, directory: Directory, fleet: Fleet, troubles: Troubles, *, began: datetime, now: Moment) -> None:
        self._now, self._began = now, began
        self._links, self._troubles = fleet.link, troubles
        self._units = directory.units
        self._vehicles = {one.device: one.id for one in directory.vehicles.values() if one.device is not None}
        self._bases = {one.device: one.name for one in directory.bases.values() if one.device is not None}
        links = [self._links(device.id) for device in directory.devices.values() if not device.revoked]
        told = {link.vitals.software for link in links if link is not None and link.vitals is not None}
        self.newest = max(told, key=version_key, default="")

    def rows(self, devices: Iterable[Device]) -> list[Row]:
        """View these, but for those that are revoked and keep silent."""
        views = [self._view(device) for device in devices]
        return [_row(view) for view in views if view is not None]

    def _view(self, device: Device) -> DeviceView | None:
        troubles = self._troubles.of(device.id, self._now.utc)
        if device.revoked and not troubles:
            return None
        link = self._links(device.id) or _NEVER_HEARD
        units = () if device.revoked else tuple([self._units[unit] for unit in device.units])
        vehicle, station = self._vehicles.get(device.id), self._bases.get(device.id)
        is_bound = device.revoked or bool(units or vehicle or station)
        told = Told(is_bound=is_bound, is_revoked=device.revoked, troubles=troubles)
        return self._make(device, units, link, judge_device(link, told, self._began, self._now))

    def _make(self, device: Device, units: tuple[Unit, ...], link: Link, health: Health) -> DeviceView:
        said = link.vitals
        carried = next((unit.vehicle for unit in units if unit.carrier == device.id), "")
        software = readable(said.software) if said is not None else ""
        waiting = said.outbox if said is not None else OutboxDepth(0, 0)
        return DeviceView(
            device=device.id,
            organisation=device.organisation,
            revoked=device.revoked,
            vehicle=self._vehicles.get(device.id) or carried or None,
            station=self._bases.get(device.id),
            units=tuple([BoundUnit(one.id, one.callsign, one.carrier == device.id) for one in units]),
            standing=health.standing,
            link=health.link,
            parts=health.parts,
            findings=health.findings,
            heard_at=health.heard_at,
            told_at=health.told_at,
            is_old=health.is_old,
            software=software,
            outdated=bool(software) and version_key(software) < version_key(self.newest),
            waiting_status=waiting.status,
            waiting_track=waiting.track,
            oldest_status_s=waiting.oldest_status_ms / 1000 if waiting.status else None,
            disk_free_mib=said.disk_free_mib if said is not None else None,
            restarts=sum(self._now.mono_s - at_s < DAY_S for at_s in link.restarted_s),
        )


@lru_cache(1_000)
def version_key(software: str) -> tuple[tuple[int, ...], str]:
    """Order versions as people count: 0.10 is newer than 0.9, and 1.0 than 1.0rc1."""
    released = _RELEASE.match(software)
    if released is None:
        return (), software
    numbers = tuple(int(number) for number in released[1].split("."))
    rest = software[released.end() :]
    return numbers, "~" if not rest or rest[0] == "+" else rest


def _stranger_view(stranger: Stranger) -> DeviceView:
    return DeviceView(
        device=stranger.device,
        organisation=stranger.organisation,
        listed=False,
        standing="failed",
        link="never",
        parts={},
        findings=(judge_stranger(stranger),),
    )


def _row(view: DeviceView) -> Row:
    named = [view.device, view.organisation, view.vehicle or "", view.station or "", view.software]
    for unit in view.units:
        named += (unit.unit, unit.callsign)
    failed = 0
    for one in view.findings:
        failed += one.level == "fail"
    return Row((STANDINGS.index(view.standing), -failed, view.device), " ".join(named).casefold(), view)


def _count(rows: Iterable[Row], newest: str) -> FleetCounts:
    standings: Counter[str] = Counter(dict.fromkeys(STANDINGS, 0))
    parts = {part: Counter(dict.fromkeys(get_args(Level), 0)) for part in PARTS}
    devices = outdated = 0
    for row in rows:
        devices += 1
        standings[row.view.standing] += 1
        outdated += row.view.outdated
        for part, level in row.view.parts.items():
            if part == "link" or not row.view.is_old:
                parts[part][level] += 1
    return FleetCounts(
        devices=devices, standings=dict(standings), parts=parts, outdated=outdated, newest_software=newest
    )
