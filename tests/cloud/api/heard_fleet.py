"""A fleet that was heard: devices with links and findings of their own, looked at without a broker."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cloud.api.fleetviews import Surveyor
from cloud.clock import SystemClock
from cloud.directory import Directory, InForce
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.troubles import Troubles
from cloud.ingest.entries import entries, speakers
from tests.cloud.fleet.samples import birth, echo
from wire.findings import Finding, fail, warn

PARTS = ("receiver", "bus", "panel", "disk", "clock", "link")
_clock = SystemClock()
WELL = tuple(Finding(check=part, level="ok") for part in PARTS)
NO_FIX = fail("receiver", "no position for 14 min: no satellite in sight", "look at the aerial and its plug")
FULL = warn("disk", "93 MiB free", "copy off and delete what was set aside")
_START = '[[organisation]]\nid = "kp"\nname = "Weald Police"\nservice = "police"\n'
_BASE = """[[base]]
id = "stn-{0}"
name = "Stn {0}"
device = "stn-{0}"
[[device]]
id = "stn-{0}"
organisation = "kp"
enrolment = "S{0}"
"""
_UNIT = """[[unit]]
id = "u-{0}"
callsign = "P{0}"
organisation = "kp"
type = "response car"
base = "stn-1"
scheme = "uk-police-state"
carrier = "veh-{0}"
[[vehicle]]
id = "47{0}"
organisation = "kp"
type = "car"
device = "veh-{0}"
[[device]]
id = "veh-{0}"
organisation = "kp"
enrolment = "V{0}"
"""


def write_fleet(vehicles: int, stations: int = 1, more: str = "") -> Directory:
    """A police force with so many vehicles, each with a unit, and stations, each with a device."""
    bases = [_BASE.format(number) for number in range(1, stations + 1)]
    units = [_UNIT.format(number) for number in range(1, vehicles + 1)]
    found = build({"fleet.toml": "".join([_START, *bases, *units, more])}, read_packaged(), {})
    assert isinstance(found, Directory), found
    return found


def with_findings(*worse: Finding) -> tuple[Finding, ...]:
    """All parts as well, but for these."""
    named = {one.check: one for one in worse}
    return tuple(named.get(one.check, one) for one in WELL)


@dataclass(kw_only=True)
class HeardFleet:
    """What a cloud knows of its devices."""

    directory: Directory = field(default_factory=lambda: write_fleet(3))
    ahead_s: float = 0.0
    """By how much more time has passed for the cloud than for the test."""
    troubles: Troubles = field(default_factory=Troubles)
    began: datetime = field(default_factory=lambda: now() - timedelta(hours=3))
    _said: int = 0

    def __post_init__(self) -> None:
        """Hear nobody yet."""
        self.in_force = InForce(self.directory)
        self.fleet = Fleet(entries(self.directory), speakers(self.directory))

    def moment(self) -> Moment:
        """Now, on both clocks."""
        return Moment(now() + timedelta(seconds=self.ahead_s), _clock.monotonic() + self.ahead_s)

    def surveyor(self) -> Surveyor:
        """Whoever looks at them."""
        return Surveyor(self.in_force, self.fleet, self.troubles, moment=self.moment, began=self.began)

    def hear(self, device: str, health: Iterable[Finding] = WELL, *, ago_s: float = 1.0, **changes: Any) -> None:
        """Hear a device that proved, so long ago, that it was alive, and said this."""
        self._said += 1
        heard = self.moment()
        at = Moment(heard.utc - timedelta(seconds=ago_s), heard.mono_s - ago_s)
        said: dict[str, Any] = {
            "device": device,
            "stream": f"{device}-a",
            "sent_at": at.utc,
            "echo": echo(),
            "interval_s": 20.0,
            "health": list(health),
            "software": "0.5.0",
            "disk_free_mib": 93 if FULL in health else 21_504,
        }
        self.fleet.apply_vitals(device, birth(self._said, **said | changes), 1, at.mono_s, at)


def now() -> datetime:
    """The wall clock."""
    return _clock.now()
