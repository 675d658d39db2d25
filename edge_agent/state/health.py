"""What is wrong with each part of the device, and what to do about it: one list for every place that shows it. Pure.

The texts stand still while what they say does: no second is counted in them, so that the touch page, a heartbeat and
`edge-agent diagnose` say the same letter by letter, and nothing is told anew because time has passed.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from edge_agent.state.debounce import STUCK_AFTER_S
from edge_agent.state.vehicle import GNSS_HOLDS_S, Now, Vehicle
from wire.events import ClockSource
from wire.findings import Finding, fail, merge, warn, well

PARTS = ("receiver", "bus", "panel", "disk", "clock", "link")
"""What every device tells of, in this order. A station adds `station`; `agent` is told only where it is amiss."""
NONE_FITTED = "none is fitted"
NO_FIX_S = 900.0
"""Without a fix for longer it is worth a look: a receiver that knows nothing needs up to 12.5 minutes under open sky
(the GPS almanac takes 25 frames of 30 s: IS-GPS-200, 20.3)."""
JOINING_S = 5.0
"""So long a connection may take to come about, or the first answer on one, before anything is said of it."""
UNSETTLED_S = 60.0
"""What was pressed is worth a word when control has not got it after so long."""
ROOM_FACTOR = 8
"""Less free than so many reserves is worth a look."""
_SINCE = ((86_400, "a day"), (21_600, "6 h"), (3_600, "1 h"), (600, "10 min"), (60, "1 min"))
_KEPT = "use voice: what is pressed is kept here and goes by itself when this is mended"
_DONE_BY_HAND = "what they work is done by hand until they answer"

Mains = Literal["ok", "failed", "unknown", "unwired"]


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """The disk of the state folder, as it was looked at."""

    free_kib: int
    reserve_kib: int
    """What is kept free for presses."""
    is_reserve_held: bool
    aside: tuple[str, ...] = ()
    """Outbox files that were set aside, which nothing deletes by itself."""
    aside_kib: int = 0


class Bus(msgspec.Struct, frozen=True, kw_only=True):
    """The Modbus lines."""

    faults: Mapping[str, str]
    """By slave."""
    silent: Collection[str]


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept."""

    outbox: str = ""
    """Its fault, as the others'; empty where there is none."""
    journal: tuple[str, ...] = ()
    notes: str = ""
    room: Room | None = None
    """None: not looked at."""


class WallClock(msgspec.Struct, frozen=True, kw_only=True):
    """The wall clock."""

    source: ClockSource
    contested: bool
    """Whether the receiver lately told another time."""
    built_at: datetime | None = None
    """When the device's image was built; None where that is not known. No true clock stands before it."""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """The way to control."""

    connected: bool
    seen: bool
    """Whether an answer of the cloud proves that control sees this device."""
    answer_age_s: float
    """Infinite before the first."""
    unsettled_s: float | None = None
    """For how long, at least, the oldest status has waited for control; None where none does."""
    fault: str = ""


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """All that the agent knows of its parts. None: no such part is fitted."""

    vehicle: Vehicle
    has_receiver: bool
    has_panel: bool
    emergency: str
    """Why the emergency button can't be relied on; empty where it can."""
    bus: Bus | None
    disk: Disk
    clock: WallClock
    link: Link
    mains: Mains | None
    """None: this is no station."""
    page: str = ""
    """Why the touch page is not served; empty where it is."""
    dropped: str = ""
    """Which readings the agent has dropped; empty for none."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """What must be remembered from look to look. Moments of the monotonic clock."""

    began_s: float
    """When the agent started."""
    connected: bool = False
    turned_s: float
    """Since when it is connected, or is not."""


def begin(now_s: float) -> Watch:
    """Start to watch."""
    return Watch(began_s=now_s, turned_s=now_s)


def watch(before: Watch, *, connected: bool, now_s: float) -> Watch:
    """Take in whether the connection to the broker stands."""
    if connected == before.connected:
        return before
    return msgspec.structs.replace(before, connected=connected, turned_s=now_s)


def look(known: Known, watched: Watch, now: Now) -> tuple[Finding, ...]:
    """Judge every part: one finding for each."""
    vehicle, now_s = known.vehicle, now.mono_s
    parts = [
        judge_receiver(vehicle, watched, now_s) if known.has_receiver else well("receiver", NONE_FITTED),
        judge_bus(known.bus),
        judge_panel(vehicle, known.emergency, is_fitted=known.has_panel),
        judge_disk(known.disk),
        judge_clock(known.clock, now.utc),
        judge_link(known.link, watched, now_s),
    ]
    if known.mains is not None:
        parts.append(judge_station(known.mains))
    amiss = tuple(_agent_troubles(known))
    return (*parts, merge("agent", amiss, otherwise="runs")) if amiss else tuple(parts)


def judge_receiver(vehicle: Vehicle, watched: Watch, now_s: float) -> Finding:
    """Judge a receiver by its newest report."""
    faults = [text for source, text in vehicle.faults.items() if _part_of(source) == "receiver"]
    do = "tell control by voice where you are; look at the receiver's cable and power, then at gpsd and its log"
    if faults:
        return merge("receiver", (fail("receiver", text, do) for text in faults), otherwise="")
    fix = vehicle.fix
    if fix is not None and fix.mode != "none":
        if fix.gnss_time is not None:
            return well("receiver", f"a {fix.mode} fix")
        do = "compare the device's clock with the receiver's time; a receiver that is years off needs an update"
        return warn("receiver", f"a {fix.mode} fix, whose time is missing or not believed", do)
    without_s = now_s - (watched.began_s if vehicle.fixed_s is None else vehicle.fixed_s)
    if without_s < NO_FIX_S:
        return well("receiver", "no word yet" if fix is None else "looks for satellites: no fix for now")
    do = "nothing indoors; under open sky look at the antenna and its cable"
    return warn("receiver", f"no fix{since_words(without_s)}", do)


def judge_bus(bus: Bus | None) -> Finding:
    """Judge the Modbus lines: a module that is silent fails, one that refuses something is to be looked after."""
    if bus is None:
        return well("bus", NONE_FITTED)
    away = ", ".join(sorted(bus.silent))
    cure = f"look at the power and the bus cable of {away}; {_DONE_BY_HAND}"
    refused = "compare the module's settings with its register map, by its maker's handbook"
    troubles = [
        fail("bus", text, cure) if slave in bus.silent else warn("bus", text, refused)
        for slave, text in bus.faults.items()
    ]
    return merge("bus", troubles, otherwise="every module answers")


def judge_panel(vehicle: Vehicle, emergency: str, *, is_fitted: bool) -> Finding:
    """Judge the buttons, and the contacts that are wired to the device."""
    troubles = []
    if emergency:
        do = "free the button; until then an emergency is raised by the radio's own button"
        troubles.append(fail("panel", emergency, do))
    for source, text in vehicle.faults.items():
        if source == "panel":
            do = "use the touch page, or voice; look at the panel's plug and cable"
            troubles.append(fail("panel", text, do))
        elif _part_of(source) == "panel":
            do = "look at that contact and its wiring; until then its word is missing"
            troubles.append(warn("panel", text, do))
    for button, contact in vehicle.debounce.contacts.items():
        if contact.stuck and contact.up_since_s is None:
            found = f"button {button} has been down for more than {STUCK_AFTER_S:.0f} s"
            troubles.append(warn("panel", found, "let it go; if nobody holds it, have it mended"))
    return merge("panel", troubles, otherwise="in order" if is_fitted else NONE_FITTED)


def judge_disk(disk: Disk) -> Finding:
    """Judge what is kept, and the room for it."""
    troubles = []
    if disk.outbox:
        do = (
            "where a lamp blinks fast, use voice; make room on the data disk, and if that does not help change the disk"
        )
        troubles.append(fail("disk", f"the outbox: {disk.outbox}", do))
    for text in disk.journal:
        do = "doors are opened by hand; make room on the data disk, and keep any file that was set aside for an inquiry"
        troubles.append(fail("disk", text, do))
    if disk.notes:
        do = "see that crews and defects on the page are right; if it stays, make room on the data disk"
        troubles.append(warn("disk", disk.notes, do))
    if disk.room is not None:
        troubles += _room_troubles(disk.room)
    return merge("disk", troubles, otherwise="takes what is pressed, and has room")


def judge_clock(clock: WallClock, utc: datetime) -> Finding:
    """Judge the wall clock. Durations do not depend on it; the times of events do."""
    sky = "under open sky the receiver sets it within minutes"
    if clock.built_at is not None and utc < clock.built_at:
        found = f"stands before {clock.built_at:%Y-%m-%d}, when this device's image was built"
        do = f"{sky}; if that stays, change the clock's battery and look at chrony"
        return fail("clock", found, do)
    if clock.contested:
        do = "look which of the two is right; a receiver that is years off needs an update, else look at chrony"
        return warn("clock", "the receiver tells another time", do)
    if clock.source == "none":
        do = f"{sky}; without a receiver see that chrony runs and reaches a time server"
        return warn("clock", "nothing keeps it right now: times may be off", do)
    return well("clock", "kept right by the receiver" if clock.source == "gnss" else "kept right by the system")


def judge_link(link: Link, watched: Watch, now_s: float) -> Finding:
    """Judge the way to control. A connection that has just come or gone is nothing yet."""
    turned_s = now_s - watched.turned_s
    troubles = []
    if not link.connected and turned_s >= JOINING_S:
        found = f"the WAN is down: no connection to the broker{since_words(turned_s)}"
        troubles.append(fail("link", found, f"{_KEPT}; look at the modem, its antenna and its SIM"))
    elif link.connected and not link.seen and turned_s >= JOINING_S:
        never = math.isinf(link.answer_age_s)
        found = f"control has not answered{' since the start' if never else since_words(link.answer_age_s)}"
        troubles.append(fail("link", found, f"{_KEPT}; ask control whether its Watchroom is up"))
    if link.fault:
        do = "use voice, and have the device's stream looked at with `watchroom doctor` at the cloud"
        troubles.append(fail("link", link.fault, do))
    if not troubles and link.unsettled_s is not None and link.unsettled_s >= UNSETTLED_S:
        found = f"control has not got everything that was pressed here{since_words(link.unsettled_s)}"
        troubles.append(warn("link", found, "it is kept and goes by itself; tell control by voice until then"))
    joining = "connected, and waits for control's word" if link.connected else "connects"
    return merge("link", troubles, otherwise="control answers" if link.seen and link.connected else joining)


def judge_station(mains: Mains) -> Finding:
    """Judge the building's mains."""
    if mains == "failed":
        do = "find out why, and tell control how long the battery lasts"
        return warn("station", "the mains have failed: the station runs on its battery", do)
    if mains == "unknown":
        return warn("station", "whether the mains are on is not known", "look at the module that reads them: see bus")
    return well("station", "the mains are on" if mains == "ok" else "nothing tells of the mains here")


def since_words(age_s: float) -> str:
    """Say for how long, so that it seldom changes: ` for over 10 min`; nothing for less than a minute."""
    return next((f" for over {words}" for least_s, words in _SINCE if age_s >= least_s), "")


def is_contested(vehicle: Vehicle, now_s: float) -> bool:
    """Tell whether the receiver lately told another time than the wall clock."""
    return vehicle.contested_s is not None and now_s - vehicle.contested_s <= GNSS_HOLDS_S


def _room_troubles(room: Room) -> Iterator[Finding]:
    do = "make room on the data disk: old logs, files that were set aside"
    if room.free_kib < room.reserve_kib:
        yield fail("disk", f"less than {_size(room.reserve_kib)} free: hardly a press can be kept", f"use voice; {do}")
    elif not room.is_reserve_held:
        yield warn("disk", "the room kept for presses is given up already", do)
    elif room.free_kib < ROOM_FACTOR * room.reserve_kib:
        yield warn("disk", f"less than {_size(ROOM_FACTOR * room.reserve_kib)} free", do)
    if room.aside:
        found = f"{len(room.aside)} old outbox files, {room.aside_kib} KiB in all, which nothing deletes by itself"
        do = (
            "copy them off the device, each with its -wal, for whoever looks into losses: they may hold presses that "
            "never arrived. Then delete them here"
        )
        yield warn("disk", f"{found}: {', '.join(room.aside)}", do)


def _agent_troubles(known: Known) -> Iterator[Finding]:
    if known.page:
        yield fail("agent", known.page, "use the panel's buttons, or voice; end what else listens there, then restart")
    if known.dropped:
        yield warn("agent", known.dropped, "if it goes on, have the data disk changed: it has become slow")
    for source, text in known.vehicle.faults.items():
        if source == "power_fail":
            do = "see to fuse, battery and mains at once: the store lasts a minute or so. What you pressed is kept"
            yield fail("agent", text, do)
        elif _part_of(source) is None:
            yield fail("agent", f"{source}: {text}", "have it looked at: this part is missing in what control gets")


def _part_of(source: str) -> Literal["receiver", "panel"] | None:
    """Tell to which part a source of readings belongs."""
    if source.startswith("gpsd"):
        return "receiver"
    return "panel" if source.split()[0] in ("panel", "inputs") else None


def _size(kib: int) -> str:
    return f"{kib // 1024} MiB" if kib >= 1024 else f"{kib} KiB"
