"""A shared station in memory: the machine, a journal, and a plant that does as it is told. No bus and no clock."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from edge_agent.station.layout import parse_layout
from edge_agent.station.machine import apply, begin
from edge_agent.station.parts import Layout
from edge_agent.station.readings import is_off
from edge_agent.station.words import (
    Acknowledged,
    Call,
    Called,
    Effect,
    Happening,
    Journaled,
    Passed,
    Plant,
    PlantRead,
    Pulse,
    Record,
    TellAlarm,
    Value,
    Write,
    WriteFailed,
)
from wire.events import Outcome
from wire.messages import Action, CalledUnit

RESET_S, SOUND_S, EXPIRES_S, TRAVEL_S, HOLD_S, LEFT_OPEN_S = 60.0, 30.0, 20.0, 5.0, 8.0, 40.0
ENDS_WITHIN_S = RESET_S + max(TRAVEL_S, HOLD_S)
FIRE = CalledUnit(unit="fire-1", callsign="F1", service="fire")
POLICE = CalledUnit(unit="police-1", callsign="P1", service="police")
ON_FOOT = CalledUnit(unit="police-9", callsign="P9", service="police")
ORDERS = tuple(f"00000000-0000-4000-8000-{number:012d}" for number in range(4))
TEXT = f"""
station = {{ name = "Lab", reset_after_s = {RESET_S}, sound_s = {SOUND_S} }}
zone = [
    {{ id = "fire", services = ["fire"] }},
    {{ id = "police", services = ["police"] }},
    {{ id = "mess", services = ["fire", "police"] }},
    {{ id = "bays", services = ["fire", "police"], quiet_at_night = false }},
]
sounder = [
    {{ id = "fire", zone = "fire", output = "io.s-fire", proof = "io.s-fire-on", override = "io.s-fire-hand", \
       tone_output = "io.tone", tones = {{ emergency = 1, routine = 2, test = 9 }}, \
       level_output = "io.level", ramp = [{{ level = 30, after_s = 0 }}, {{ level = 60, after_s = 3 }}] }},
    {{ id = "police", zone = "police", output = "io.s-police", proof = "io.s-police-on" }},
    {{ id = "mess", zone = "mess", output = "io.s-mess", proof = "io.s-mess-on" }},
    {{ id = "bays", zone = "bays", output = "io.s-bays", proof = "io.s-bays-on" }},
]
light = [
    {{ id = "fire", zone = "fire", output = "io.l-fire", proof = "io.l-fire-on", needs_mains = true }},
    {{ id = "mess", zone = "mess", output = "io.l-mess", proof = "io.l-mess-on" }},
]
cooker = [{{ id = "mess", zone = "mess", output = "io.cooker", proof = "io.cooker-on", reset = "io.cooker-reset" }}]
indicator = [{{ unit = "fire-1", output = "io.i-fire", proof = "io.i-fire-on" }}]
exit_signal = [{{ id = "road", doors = ["fire", "police"], output = "io.exit", proof = "io.exit-on", \
    hold_s = {HOLD_S} }}]
inputs = {{ mains_failed = "io.mains-failed", on_generator = "io.generator", acknowledge = "io.button" }}
button = [{{ input = "io.button-fire", services = ["fire"] }}]

[[door]]
id = "fire"
units = ["fire-1", "fire-2"]
output = "io.d-fire"
open_input = "io.d-fire-open"
closed_input = "io.d-fire-closed"
obstruction = "io.d-fire-blocked"
maintenance = "io.d-fire-repair"
override = "io.d-fire-hand"
presence = "io.d-fire-crew"
travel_s = {TRAVEL_S}
left_open_s = {LEFT_OPEN_S}

[[door]]
id = "police"
units = ["police-1"]
output = "io.d-police"
open_input = "io.d-police-open"
opens_from_control = true
travel_s = {TRAVEL_S}
needs_mains = true
"""
DOORS = {"io.d-fire": "io.d-fire-open", "io.d-police": "io.d-police-open"}
INPUTS = """s-fire-hand cooker-reset mains-failed generator button button-fire d-fire-open d-fire-blocked d-fire-repair
d-fire-hand d-fire-crew d-police-open""".split()
COOKER = "io.cooker"


def make_layout() -> Layout:
    """The layout above."""
    found = parse_layout(TEXT)
    assert isinstance(found, Layout), found
    return found


LAYOUT = make_layout()
LEVELS = {part.output: part.read_back for part in LAYOUT.parts.values()}


class Lab:
    """A station, what it wrote, and what its journal holds."""

    def __init__(self, layout: Layout = LAYOUT) -> None:
        """Nothing was called for, and the plant is as it was left: doors shut, everything off."""
        self.layout, self.now_s, self.night = layout, 100.0, False
        self.outputs: dict[str, bool | float] = {}
        self.inputs: dict[str, bool] = {f"io.{name}": False for name in INPUTS}
        self.broken: set[str] = set()
        """Outputs that take a write and do nothing."""
        self.bad: set[str] = set()
        """Points that are read in bad quality."""
        self.dead: set[str] = set()
        """Outputs whose write is not answered."""
        self.silent: frozenset[str] = frozenset()
        self.journal: dict[tuple[str, int, str], Journaled] = {}
        self.log: list[tuple[float, Effect]] = []
        self.pulses: list[tuple[str, str, int, float]] = []
        """Every pulse: its output, the order and revision whose row came before it, and when."""
        self.rash: list[str] = []
        """Doors that were pulsed though the last read did not show them as not open."""
        self.station, _ = begin(layout, (), self.now_s)
        self.read()

    def happen(self, *happenings: Happening, survive: int | None = None) -> list[Effect]:
        """Let something happen. With `survive`, the process dies after so many of its effects, and starts again."""
        found: list[Effect] = []
        for happening in happenings:
            self.station, effects = apply(self.station, happening, self.now_s)
            found += effects[:survive]
            failed = self._carry_out(effects[:survive])
            if survive is not None:
                self.restart()
                return found
            for each in failed:
                found += self.happen(each)
        return found

    def restart(self, survive: int | None = None) -> None:
        """Start the process again; with `survive`, it dies once more after so many of its first effects."""
        self.station, effects = begin(self.layout, tuple(self.journal.values()), self.now_s)
        self._carry_out(effects[:survive])
        if survive is not None:
            self.restart()

    def read(self, survive: int | None = None) -> list[Effect]:
        """Read the plant."""
        shown: dict[str, bool | float] = {**self.inputs, **self.outputs}
        for output, proof in LEVELS.items():
            shown[proof] = self.outputs.get(output) is True and output not in self.broken
        shown["io.d-fire-closed"] = not self.inputs["io.d-fire-open"]
        points = {
            point: Value(None, "bad", self.now_s) if point in self.bad else Value(value, "good", self.now_s)
            for point, value in shown.items()
        }
        return self.happen(PlantRead(Plant(points=points, silent=self.silent, night=self.night)), survive=survive)

    def wait(self, seconds: float, step_s: float = 0.25) -> list[Effect]:
        """Let time pass, reading the plant four times a second."""
        found: list[Effect] = []
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s = min(end_s, self.now_s + step_s)
            found += self.happen(Passed()) + self.read()
        return found

    def turn(self, point: str, value: bool) -> list[Effect]:
        """Change an input, and read the plant."""
        self.inputs[f"io.{point}"] = value
        return self.read()

    def press(self, point: str) -> list[Effect]:
        """Press a button, and let it go."""
        return self.turn(point, True) + self.turn(point, False)

    def call(self, *units: CalledUnit, order: int = 0, revision: int = 1, **more: Any) -> list[Effect]:
        """Mobilise units."""
        return self.happen(Called(self.make_call(*units, order=order, revision=revision, **more)))

    def make_call(
        self, *units: CalledUnit, order: int = 0, revision: int = 1, action: Action = "mobilise", **more: Any
    ) -> Call:
        """A call that comes in now."""
        fields: dict[str, object] = {
            "order": ORDERS[order],
            "revision": revision,
            "action": action,
            "units": units,
            "received_s": self.now_s,
            "expires_s": self.now_s + EXPIRES_S,
            **more,
        }
        return msgspec.convert(fields, Call)

    def cancel(self, order: int = 0, revision: int = 2) -> list[Effect]:
        """Cancel an order."""
        return self.call(order=order, revision=revision, action="cancel")

    def acknowledge(self, order: int = 0, unit: str | None = None) -> list[Effect]:
        """Acknowledge an order at the panel."""
        return self.happen(Acknowledged(order=ORDERS[order], by="panel", unit=unit))

    def outcome(self, step: str = "", order: int = 0, revision: int = 1) -> tuple[Outcome | None, str]:
        """What the journal holds of a step, or of the order."""
        found = self.journal.get((ORDERS[order], revision, step))
        return (found.outcome, found.reason) if found is not None else (None, "")

    def on(self) -> set[str]:
        """The levels that are on now."""
        return {output for output in LEVELS if self.outputs.get(output) is True}

    def alarms(self) -> list[tuple[str, str, bool]]:
        """The alarms that control was told of, in order."""
        return [(one.name, one.part, one.raised) for _, one in self.log if isinstance(one, TellAlarm)]

    def _carry_out(self, effects: Sequence[Effect]) -> list[WriteFailed]:
        failed: list[WriteFailed] = []
        begun = ("", 0)
        for effect in effects:
            self.log.append((self.now_s, effect))
            match effect:
                case Record(row):
                    self.journal[(row.order, row.revision, row.step)] = row
                    begun = (row.order, row.revision) if row.outcome == "started" else ("", 0)
                case Write(output, value) if output not in self.dead:
                    self.outputs[output] = value
                case Pulse(output):
                    self.pulses.append((output, *begun, self.now_s))
                    self.rash += [] if is_off(self.station.plant, DOORS[output]) else [output]
                    if output not in self.broken | self.dead:
                        self.inputs[DOORS[output]] = True
            if isinstance(effect, Write | Pulse) and effect.output in self.dead:
                failed.append(WriteFailed(output=effect.output, reason="no_device_response"))
        return failed


def written(effects: Iterable[Effect]) -> list[tuple[str, bool | float]]:
    """What was written, in order."""
    return [(each.output, each.value) for each in effects if isinstance(each, Write)]


def told(effects: Iterable[Effect], step: str) -> list[tuple[Outcome, str]]:
    """What was recorded of a step, in order."""
    return [
        (each.row.outcome, each.row.reason) for each in effects if isinstance(each, Record) and each.row.step == step
    ]
