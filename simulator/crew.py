"""A crew's shift as a chain of status codes, each with where to drive and how long it lasts. Pure.

Each service has a table over its own scheme's codes (`wire/schemes`). The lengths and odds are made up, so that a day
looks plausible to somebody of that service; `pace` shortens them for a demo.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from random import Random

from wire.feed import Service

SCHEMES: Mapping[Service, str] = {"police": "uk-police-state", "fire": "uk-fire-gd92", "ambulance": "uk-ambulance"}
SHIFT_S = 10 * 3600.0
SPREAD = (0.5, 1.7)
"""The shortest and longest that a status lasts, of what its table says."""


class Destination(Enum):
    """Where a vehicle drives under a status."""

    STAY = "stay"
    BASE = "base"
    INCIDENT = "incident"
    HOSPITAL = "hospital"
    PATROL = "patrol"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True)
class Phase:
    """What a code means for a crew: where to, for how long, and what may follow with which weight."""

    destination: Destination
    dwell_s: float
    then: Mapping[str, int]
    on_arrival: bool = False
    """Whether `dwell_s` begins only when the vehicle has arrived."""
    urgent: bool = False
    """Whether it drives on blue lights."""
    free: bool = False
    """Whether the crew can be called out, or its shift can end."""


@dataclass(frozen=True, slots=True)
class Duty:
    """A service's whole chain: its codes, what a call-out and the end of a shift bring, and where it starts."""

    phases: Mapping[str, Phase]
    turn_out: str
    starts: tuple[str, ...]
    off_duty: str | None = None


@dataclass(frozen=True, slots=True)
class Crew:
    """Who is on one unit now: the code that they last pressed, and when their shift ends."""

    service: Service
    code: str
    shift_ends: datetime
    pace: float = 1.0
    """How much faster than life they live: 10 makes a tenth of every wait."""


@dataclass(frozen=True, slots=True)
class Press:
    """A status that a crew declares, and what they do under it."""

    crew: Crew
    """The crew once it is pressed."""
    code: str
    destination: Destination
    dwell_s: float
    """Seconds until the next press: from now or, if `on_arrival`, from when the vehicle gets there."""
    on_arrival: bool
    urgent: bool


_STAY, _BASE, _INCIDENT = Destination.STAY, Destination.BASE, Destination.INCIDENT
_HOSPITAL, _PATROL, _STANDBY = Destination.HOSPITAL, Destination.PATROL, Destination.STANDBY

_POLICE = Duty(
    {
        "1": Phase(_BASE, 400, {"2": 6, "3": 4}),
        "2": Phase(_PATROL, 900, {"5": 7, "3": 2, "4": 1}, free=True),
        "3": Phase(_BASE, 700, {"5": 5, "2": 4, "8": 1}, on_arrival=True, free=True),
        "4": Phase(_BASE, 1_500, {"2": 8, "5": 2}, on_arrival=True, free=True),
        "5": Phase(_INCIDENT, 20, {"6": 19, "2": 1}, on_arrival=True, urgent=True),
        "6": Phase(_STAY, 1_100, {"7": 3, "2": 4, "9": 2, "8": 1}),
        "7": Phase(_STAY, 600, {"2": 7, "5": 3}, free=True),
        "8": Phase(_BASE, 1_200, {"2": 7, "3": 3}, on_arrival=True),
        "9": Phase(_BASE, 900, {"8": 6, "2": 4}, on_arrival=True),
        "11": Phase(_BASE, 1_800, {"1": 1}, on_arrival=True),
    },
    turn_out="5",
    starts=("2", "2", "3", "3", "4", "8"),
    off_duty="11",
)
_FIRE = Duty(
    {
        "1": Phase(_INCIDENT, 15, {"2": 12, "29": 1}, on_arrival=True, urgent=True),
        "2": Phase(_STAY, 1_300, {"3": 6, "36": 1}),
        "3": Phase(_STAY, 400, {"36": 7, "1": 1}, free=True),
        "4": Phase(_BASE, 1_800, {"1": 14, "10": 2, "5": 1, "16": 1}, on_arrival=True, free=True),
        "5": Phase(_BASE, 900, {"4": 1}, on_arrival=True),
        "10": Phase(_STANDBY, 20, {"25": 1}, on_arrival=True, free=True),
        "16": Phase(_BASE, 1_500, {"4": 1}, on_arrival=True),
        "25": Phase(_STAY, 1_500, {"36": 3, "1": 2}, free=True),
        "29": Phase(_BASE, 20, {"4": 1}, on_arrival=True, free=True),
        "36": Phase(_BASE, 30, {"4": 1}, on_arrival=True, free=True),
    },
    turn_out="1",
    starts=("4", "4", "4", "4", "4", "16"),
)
_AMBULANCE = Duty(
    {
        "at_base": Phase(_BASE, 1_000, {"allocated": 8, "standby": 2}, on_arrival=True, free=True),
        "standby": Phase(_STANDBY, 900, {"allocated": 8, "at_base": 1, "meal": 1}, on_arrival=True, free=True),
        "allocated": Phase(_STAY, 40, {"mobile": 1}),
        "mobile": Phase(_INCIDENT, 15, {"at_scene": 19, "clear": 1}, on_arrival=True, urgent=True),
        "at_scene": Phase(_STAY, 1_400, {"leaving_scene": 7, "clear": 3}),
        "leaving_scene": Phase(_HOSPITAL, 20, {"at_hospital": 1}, on_arrival=True),
        "at_hospital": Phase(_STAY, 1_500, {"handover": 1}),
        "handover": Phase(_STAY, 400, {"clearing": 1}),
        "clearing": Phase(_STAY, 400, {"clear": 8, "allocated": 1, "vor": 1}),
        "clear": Phase(_BASE, 20, {"at_base": 6, "standby": 2, "allocated": 1, "meal": 1}, on_arrival=True, free=True),
        "meal": Phase(_BASE, 1_800, {"at_base": 1}, on_arrival=True),
        "vor": Phase(_BASE, 1_800, {"at_base": 1}, on_arrival=True),
        "off_duty": Phase(_BASE, 1_800, {"at_base": 1}, on_arrival=True),
    },
    turn_out="allocated",
    starts=("at_base", "at_base", "at_base", "standby", "standby", "meal"),
    off_duty="off_duty",
)
DUTIES: Mapping[Service, Duty] = {"police": _POLICE, "fire": _FIRE, "ambulance": _AMBULANCE}


def codes(service: Service) -> tuple[str, ...]:
    """Every code that a crew of this service may press."""
    return tuple(DUTIES[service].phases)


def start(service: Service, now: datetime, random: Random, *, pace: float = 1.0) -> Press:
    """A crew somewhere within its shift and its first press, most likely available."""
    code = random.choice(DUTIES[service].starts)
    crew = Crew(service, code, now + timedelta(seconds=random.uniform(0.1, 1.0) * SHIFT_S / pace), pace)
    first = _press(crew, code, now, random)
    return replace(first, dwell_s=first.dwell_s * random.random())


def next_press(crew: Crew, now: datetime, random: Random) -> Press:
    """What the crew presses when its present status is over. At the end of a shift a free crew goes off duty."""
    duty = DUTIES[crew.service]
    phase = duty.phases[crew.code]
    if duty.off_duty is not None and phase.free and now >= crew.shift_ends:
        return _press(crew, duty.off_duty, now, random)
    code = random.choices(list(phase.then), list(phase.then.values()))[0]
    return _press(crew, code, now, random)


def is_free(crew: Crew) -> bool:
    """Whether control may call it out now."""
    return DUTIES[crew.service].phases[crew.code].free


def turn_out(crew: Crew, now: datetime, random: Random) -> Press | None:
    """What the crew presses when control calls it out now; None where it can't go."""
    duty = DUTIES[crew.service]
    return _press(crew, duty.turn_out, now, random) if is_free(crew) else None


def _press(crew: Crew, code: str, now: datetime, random: Random) -> Press:
    duty = DUTIES[crew.service]
    phase = duty.phases[code]
    dwell_s = phase.dwell_s * random.uniform(*SPREAD) / crew.pace
    relieved = crew.code == duty.off_duty and code != duty.off_duty
    shift_ends = now + timedelta(seconds=SHIFT_S / crew.pace) if relieved else crew.shift_ends
    after = replace(crew, code=code, shift_ends=shift_ends)
    return Press(after, code, phase.destination, dwell_s, phase.on_arrival, phase.urgent)
