"""One station's plant: physics behind Modbus modules, and what a person or a fault does to it.

It has no task of its own: whoever looks or writes first lets the time pass. Each change is recorded at the moment when
it happened, whenever anybody looked.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial

from edge_agent.clock import Clock
from simulator.plant.contacts import Change, Contacts
from simulator.plant.modules import Modules, served_rtu, served_tcp
from simulator.plant.parts import Cooker, Door, ExitSignal, Indicator, Light, Parts, Sounder

FEEDBACK_S = 0.03
"""How soon a current sensor, an auxiliary contact or a light sensor shows what happened."""
PRESS_S = 1.0
"""How long a finger stays on a button."""

Shown = Sounder | Indicator | ExitSignal
"""Parts that follow their coil."""


class Plant:
    """A plant with its doors closed, its cookers on and everything else off. Serve it, or read and write its points."""

    def __init__(self, parts: Parts, *, clock: Clock) -> None:
        """Nothing is served yet."""
        self.parts = parts
        self._clock = clock
        self._contacts = Contacts()
        self._broken: set[str] = set()
        """Outputs whose part does nothing any more."""
        self._driven = self._wire()
        self._modules = Modules(dict(parts.slaves), self.read, self.write)
        for door in parts.doors:
            self._contacts.set(door.closed_input, 1, clock.monotonic())

    def _wire(self) -> dict[str, Callable[[float], None]]:
        """What each output drives."""
        parts = self.parts
        wired: dict[str, Callable[[float], None]] = {}
        shown: list[Shown] = [*parts.sounders, *parts.indicators, *parts.exit_signals]
        for each in shown:
            wired[each.output] = partial(self._show, each)
        for light in parts.lights:
            wired[light.output] = partial(self._shine, light)
        for cooker in parts.cookers:
            wired[cooker.output] = partial(self._cut_off, cooker)
        for door in parts.doors:
            wired[door.output] = partial(self._open, door)
        return wired

    # What the modules see.

    def read(self, point: str) -> int:
        """What `SLAVE.POINT` is now."""
        self._now_s()
        return self._contacts[point]

    def look(self, points: Iterable[str]) -> dict[str, int]:
        """What each of these is now."""
        self._now_s()
        return {point: self._contacts[point] for point in points}

    def write(self, point: str, value: int) -> None:
        """Drive an output, as the agent or a person with a laptop does."""
        now_s = self._now_s()
        before = self._contacts[point]
        self._contacts.set(point, value, now_s)
        if before != value and point in self._driven:
            self._driven[point](now_s)

    @asynccontextmanager
    async def serve_tcp(self, port: int = 0) -> AsyncIterator[int]:
        """Serve every module on this port of 127.0.0.1, and give the port. Raises OSError where it is taken."""
        async with served_tcp(self._modules, port) as found:
            yield found

    @asynccontextmanager
    async def serve_rtu(self, path: str) -> AsyncIterator[None]:
        """Serve every module on a serial line, such as one end of a pair of pseudo-terminals. Raises OSError."""
        async with served_rtu(self._modules, path):
            yield

    # What an onlooker may ask.

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change so far, in the order in which they happened."""
        self._now_s()
        return tuple(self._contacts.changes)

    @property
    def door_pulses(self) -> Mapping[str, int]:
        """How many rising edges each door's coil has had. More than one for one order is a defect of the agent."""
        return {door.id: self._contacts.rises[door.output] for door in self.parts.doors}

    def is_open(self, door: str) -> bool:
        """Whether a door's upper limit switch is made."""
        return bool(self.read(self._door(door).open_input))

    def is_cooking(self, cooker: str) -> bool:
        """Whether a cooker has gas or current."""
        return not self.read(next(each.proof for each in self.parts.cookers if each.id == cooker))

    # What people do.

    def press_acknowledge(self) -> None:
        """Push the station's acknowledge button and let it go."""
        self._press(self.parts.inputs.acknowledge)

    def set_presence(self, present: bool) -> None:
        """Let the crew come to the bays, or leave them."""
        self._contacts.set(self.parts.inputs.presence, int(present), self._now_s())

    def close_door(self, door: str) -> None:
        """Close a door by hand, as the last one out does."""
        each, now_s = self._door(door), self._now_s()
        self._contacts.set(each.open_input, 0, now_s)
        self._contacts.set_later(each.closed_input, 1, now_s + each.travel_s)

    def reset_cookers(self) -> None:
        """Push the reset button at each cooker. One whose coil is let go comes on again; the others stay off."""
        now_s = self._now_s()
        for cooker in self.parts.cookers:
            self._press(cooker.reset)
            if not self._contacts[cooker.output]:
                self._contacts.set_later(cooker.proof, 0, now_s + FEEDBACK_S)

    # What goes wrong, and is mended.

    def break_door(self, door: str) -> None:
        """Let a door's opener hum and move nothing."""
        each, now_s = self._door(door), self._now_s()
        self._broken.add(each.output)
        for switch in (each.open_input, each.closed_input):
            self._contacts.set(switch, self._contacts[switch], now_s)

    def mend_door(self, door: str) -> None:
        """Let it move again, from the next pulse on."""
        self._broken.discard(self._door(door).output)

    def obstruct_door(self, door: str, obstructed: bool = True) -> None:
        """Put something in the way of a door, or take it away. It does not move past it."""
        self._contacts.set(self._door(door).obstruction, int(obstructed), self._now_s())

    def maintain_door(self, door: str, locked: bool = True) -> None:
        """Turn a door's maintenance key. Its opener has no power then."""
        self._contacts.set(self._door(door).maintenance, int(locked), self._now_s())

    def break_lights(self, zone: str, broken: bool = True) -> None:
        """Blow every lamp of a zone, or put in new ones."""
        self._break((each for each in self.parts.lights if each.zone == zone), broken)

    def break_sounders(self, zone: str, broken: bool = True) -> None:
        """Cut the wires to a zone's sounders, or mend them."""
        self._break((each for each in self.parts.sounders if each.zone == zone), broken)

    def fail_mains(self, *, on_generator: bool = False) -> None:
        """Lose the mains. On the generator the lights and the doors go on."""
        now_s = self._now_s()
        self._contacts.set(self.parts.inputs.mains_failed, 1, now_s)
        self._contacts.set(self.parts.inputs.on_generator, int(on_generator), now_s)
        self._settle_lights(now_s)

    def restore_mains(self) -> None:
        """Give the mains back."""
        now_s = self._now_s()
        self._contacts.set(self.parts.inputs.mains_failed, 0, now_s)
        self._contacts.set(self.parts.inputs.on_generator, 0, now_s)
        self._settle_lights(now_s)

    def drop_outputs(self, slave: str) -> None:
        """Take a module's power away and give it back: every one of its outputs goes off."""
        for point in [point for point in self._driven if point.startswith(f"{slave}.")]:
            self.write(point, 0)

    def go_silent(self, *slaves: str) -> None:
        """Let these modules, or all, answer nothing and do nothing. The connection stays."""
        self._modules.silent |= set(slaves or dict(self.parts.slaves))

    def come_back(self, *slaves: str) -> None:
        """Let these modules, or all, answer again."""
        self._modules.silent -= set(slaves or dict(self.parts.slaves))

    # Physics.

    def _now_s(self) -> float:
        """The time, once everything has happened that was due by then."""
        now_s = self._clock.monotonic()
        self._contacts.pass_to(now_s)
        return now_s

    def _show(self, part: Shown, now_s: float) -> None:
        works = part.output not in self._broken
        self._contacts.set_later(part.proof, int(works and bool(self._contacts[part.output])), now_s + FEEDBACK_S)

    def _shine(self, light: Light, now_s: float) -> None:
        works = self._powered and light.output not in self._broken
        self._contacts.set_later(light.proof, int(works and bool(self._contacts[light.output])), now_s + FEEDBACK_S)

    def _cut_off(self, cooker: Cooker, now_s: float) -> None:
        """The contactor drops out and latches: letting the coil go brings nothing back, only the reset button does."""
        if self._contacts[cooker.output]:
            self._contacts.set_later(cooker.proof, 1, now_s + FEEDBACK_S)
        elif cooker.reset and self._contacts[cooker.reset]:
            self._contacts.set_later(cooker.proof, 0, now_s + FEEDBACK_S)

    def _open(self, door: Door, now_s: float) -> None:
        """Start to open on the coil's rise. A door that is open or on its way stays so."""
        held = self._contacts[door.obstruction] or self._contacts[door.maintenance] or door.output in self._broken
        moving = self._contacts.ahead(door.open_input) == 1
        if not self._contacts[door.output] or held or moving or not self._powered or self._contacts[door.open_input]:
            return
        self._contacts.set(door.closed_input, 0, now_s)
        self._contacts.set_later(door.open_input, 1, now_s + door.travel_s)

    @property
    def _powered(self) -> bool:
        inputs = self.parts.inputs
        return not self._contacts[inputs.mains_failed] or bool(self._contacts[inputs.on_generator])

    def _settle_lights(self, now_s: float) -> None:
        for light in self.parts.lights:
            self._shine(light, now_s)

    def _break(self, parts: Iterable[Light | Sounder], broken: bool) -> None:
        now_s = self._now_s()
        for part in parts:
            (self._broken.add if broken else self._broken.discard)(part.output)
            self._driven[part.output](now_s)

    def _press(self, button: str) -> None:
        now_s = self._now_s()
        self._contacts.set(button, 1, now_s)
        self._contacts.set_later(button, 0, now_s + PRESS_S)

    def _door(self, name: str) -> Door:
        return next(each for each in self.parts.doors if each.id == name)
