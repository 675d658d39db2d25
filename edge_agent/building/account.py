"""What the agent says of itself: in births and heartbeats, on its page, and to others on this device."""

import asyncio
import math
from collections.abc import Callable
from hashlib import sha256
from importlib.metadata import version

import msgspec

from edge_agent.actuators.lamps import Lamps
from edge_agent.around import Surroundings
from edge_agent.building.building import Building
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.glass import Standing
from edge_agent.link import Description, Link
from edge_agent.outbox import OutboxKeeper
from edge_agent.standing import StandingFile
from edge_agent.state import health
from edge_agent.state import vehicle as vehicles
from edge_agent.state.vehicle import Now, Vehicle
from wire.events import ClockSource
from wire.findings import Finding


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is made of."""

    around: Surroundings
    building: Building
    keeper: OutboxKeeper
    lamps: Lamps
    link: Link
    vehicle: Callable[[], Vehicle]
    """As it stands now."""
    fixes_dropped: Callable[[], int]
    """How many, since the start."""
    busy: Callable[[], tuple[str, ...]]
    """Why the device must not be updated, restarted or reset now; empty where it may."""


class Account:
    """The same findings wherever it is asked."""

    def __init__(self, config: Config, told: Told, clock: Clock) -> None:
        """Begin to watch."""
        self._config, self._told, self._clock = config, told, clock
        self._watch = health.begin(clock.monotonic())
        self._software = f"watchroom-{version('watchroom')}"
        self._config_hash = sha256(msgspec.json.encode(config)).hexdigest()[:12]

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Say to others on this device how it stands, where there is a place for that."""
        around = self._told.around
        if around.runtime is not None:
            file = StandingFile(around.runtime, boot_id=around.boot_id, clock=self._clock)
            tasks.create_task(file.run(self.look, self._told.busy))

    def look(self, *, connected: bool | None = None) -> tuple[Finding, ...]:
        """Look at every part of the device. What is being sent knows that it is `connected`."""
        told, now = self._told, Now(self._clock.now(), self._clock.monotonic())
        link = health.Link(
            connected=told.link.connected if connected is None else connected,
            seen=told.lamps.is_seen(now.mono_s),
            answer_age_s=told.link.answer_age_s,
            unsettled_s=self._unsent_s(now.mono_s, else_since_s=self._watch.began_s),
            fault=told.link.fault,
        )
        clock = health.WallClock(
            source=self.clock_source(now.mono_s),
            contested=health.is_contested(told.vehicle(), now.mono_s),
            built_at=told.around.built_at,
        )
        self._watch = health.watch(self._watch, connected=told.link.connected, now_s=now.mono_s)
        watched = health.watch(self._watch, connected=link.connected, now_s=now.mono_s)
        known = told.building.known(told.vehicle(), link, clock=clock, outbox=told.keeper.fault, dropped=self._dropped)
        return health.look(known, watched, now)

    def standing(self) -> Standing:
        """How the device stands, for the people at its glass."""
        told, now_s, age_s = self._told, self._clock.monotonic(), self._told.link.answer_age_s
        return Standing(
            answer_age_s=None if age_s == math.inf else round(age_s, 1),
            seen=told.lamps.is_seen(now_s),
            connected=told.link.connected,
            oldest_unsent_s=self._unsent_s(now_s, else_since_s=0.0),
            mains=told.building.mains,
            health=self.look(),
            night=told.building.is_night,
        )

    def describe(self) -> Description:
        """Describe the device in a message that is about to be sent. Mints a nonce for it."""
        told, now_s = self._told, self._clock.monotonic()
        return Description(
            interval_s=self._config.link.heartbeat_s,
            clock=self.clock_source(now_s),
            faults=self._faults,
            health=self.look(connected=True),
            position=vehicles.position_age(told.vehicle(), now_s),
            software=self._software,
            config_hash=self._config_hash,
            state=told.lamps.state_held,
            nonce=told.building.turnout.nonce(),
        )

    def clock_source(self, now_s: float) -> ClockSource:
        """Tell what disciplines the wall clock."""
        return vehicles.clock_source(self._told.vehicle(), self._told.around.synchronised(), now_s)

    @property
    def _faults(self) -> tuple[str, ...]:
        """What is wrong, without what to do: for clouds that do not know findings yet."""
        told = self._told
        own = (told.keeper.fault, told.link.fault, self._dropped)
        return tuple(fault for fault in (*own, *told.vehicle().faults.values(), *told.building.faults) if fault)

    @property
    def _dropped(self) -> str:
        count = self._told.fixes_dropped()
        return f"{count} fixes dropped since the start: the disk is too slow for them" if count else ""

    def _unsent_s(self, now_s: float, *, else_since_s: float) -> float | None:
        """For how long the oldest status has waited for control; one of an earlier run since `else_since_s`."""
        oldest = self._told.keeper.depth.oldest_status
        if oldest is None:
            return None
        since_s = oldest[1] / 1000 if oldest[0] == self._told.keeper.boot else else_since_s
        return round(max(0.0, now_s - since_s), 1)
