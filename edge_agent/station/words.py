"""The words of station automation: what comes in, what is remembered of an order, and what is to be done. Pure values.

All moments are seconds of the device's monotonic clock (`..._s`), which goes on over a restart of the agent but not
over one of the machine: the journal brings them back in the new count.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from wire.events import Mode, Outcome
from wire.messages import Action, CalledUnit, Priority

Quality = Literal["good", "bad", "stale"]
Nature = Literal["level", "once"]
"""`level`: asserted for as long as it is called for, read back, and asserted again after a restart (a sounder, a light,
the cooker cut-off). `once`: done at most once, never repeated (a door's pulse)."""
Start = Literal["now", "acknowledged"]
"""`acknowledged`: by a person at the station, or, where the station says so, by crew presence."""


class Value(msgspec.Struct, frozen=True, gc=False):
    """A point's value as last read. None with any quality but good: bad quality is never a number."""

    value: bool | float | None
    quality: Quality
    read_s: float


class Plant(msgspec.Struct, frozen=True, kw_only=True):
    """The station as the last reads showed it."""

    points: Mapping[str, Value] = {}
    """By the name that the station's layout uses, `SLAVE.POINT`."""
    silent: frozenset[str] = frozenset()
    """Slaves that do not answer."""
    night: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A command that was judged fresh and taken in, or a turnout by hand."""

    order: str
    revision: int
    action: Action
    mode: Mode = "live"
    priority: Priority = "emergency"
    units: tuple[CalledUnit, ...] = ()
    open_doors: bool = False
    received_s: float
    expires_s: float
    """Until then an interrupted alert sounds again."""
    zones: tuple[str, ...] = ()
    """A test by hand: these zones alone. Empty for whatever the units' services own."""
    night: bool | None = None
    """Whether it came at night. The machine sets it before it records the call."""
    planned: tuple[str, ...] = ()
    """The levels that start at once, by step. The machine sets it as it does `night`, so that control knows what it
    waits for."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to do for an order."""

    name: str
    """What and which part, as `sounder:dorm-fire`; the wire's StepName."""
    nature: Nature
    start: Start = "now"
    output: str = ""
    """The point to write, `SLAVE.POINT`; empty for a step that nothing here could do."""
    proof: str = ""
    """The point that is read back."""
    proof_value: bool = True
    within_s: float = 1.0
    """How long the read-back may take before the step has failed."""
    fails_as: str = ""
    """The reason when it does: `sounder_fail`, `lights_fail`, `cooker_fail`, `indicator_fail`, `door_fail`,
    `exit_fail`."""
    refused: str = ""
    """Why it is not tried now: `no_door`, `in_maintenance`, `manual_override`, `obstructed`, `mains_failed`."""


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """How far one step has come. Changed by the machine alone; a panel may show it."""

    step: Step
    outcome: Outcome | None = None
    """As last told; None before anything was."""
    reason: str = ""
    elapsed_ms: int = 0
    due_s: float | None = None
    """A door: when it was to open. None while nobody has asked for that."""
    begun_s: float | None = None
    """When its time to prove itself began: the first write, or the pulse."""
    doubted_s: float | None = None
    """It had proved done, and since then its proof shows the contrary."""
    interrupted: bool = False
    """Begun before a restart: whether its pulse was given is not known."""
    told: int = 0
    """How often its outcome was told."""
    over: bool = False
    """A level that is no more called for; a door that was decided upon, and is never again."""


class Journaled(msgspec.Struct, frozen=True, kw_only=True):
    """What must be on disk before the next effect happens: one row of the journal, by (order, revision, step)."""

    order: str
    revision: int
    step: str = ""
    """Empty for the order as a whole; its row carries the call."""
    outcome: Outcome
    reason: str = ""
    elapsed_ms: int = 0
    call: Call | None = None


# What comes in.


class Called(msgspec.Struct, frozen=True):
    """A call was taken in: a new revision, judged fresh."""

    call: Call


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """A person acknowledged an order (empty: every one that waits for it)."""

    order: str = ""
    by: Literal["panel", "manual_input"]
    unit: str | None = None


class PlantRead(msgspec.Struct, frozen=True):
    """The points were read (some of them): the whole plant as it now stands."""

    plant: Plant


class WriteFailed(msgspec.Struct, frozen=True, kw_only=True):
    """A write was not answered, or was refused by the slave."""

    output: str
    reason: str
    """`no_device_response` or `device_refused`."""


class CookerReset(msgspec.Struct, frozen=True, kw_only=True):
    """A person at the station gave the cooker back (empty: every one). The only thing that ever releases it."""

    cooker: str = ""


class Passed(msgspec.Struct, frozen=True):
    """Time went by. Sent at least ten times a second while anything is in hand, else once a second."""


Happening = Called | Acknowledged | PlantRead | WriteFailed | CookerReset | Passed

# What is to be done, in the order given.


class Record(msgspec.Struct, frozen=True):
    """Commit a row of the journal; nothing that follows may happen before. It becomes a receipt once committed."""

    row: Journaled


class Write(msgspec.Struct, frozen=True):
    """Assert a level on an output: on or off, or a number for one that takes a level."""

    output: str
    value: bool | float


class Pulse(msgspec.Struct, frozen=True):
    """Turn an output on, and off again after its pulse length. Never repeated by anybody."""

    output: str
    pulse_s: float


class TellAcknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """Tell control that a person took an order in."""

    order: str
    revision: int
    by: Literal["panel", "manual_input"]
    unit: str | None


class TellAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """Tell control of an alarm of the station that rose or was cleared."""

    name: str
    raised: bool
    part: str = ""
    text: str = ""


Effect = Record | Write | Pulse | TellAcknowledged | TellAlarm
