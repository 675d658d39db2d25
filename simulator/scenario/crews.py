"""Fingers on the panels."""

from random import Random

from simulator.scenario.clock import elapse
from simulator.scenario.machine import Machine
from simulator.scenario.world import World

BUTTONS = ("mobile", "attending", "incident", "available", "off", "radio")
FOREIGN = 0.04
"""How many presses are of the button that the cloud refuses."""


class Crews:
    """Fingers on every panel."""

    def __init__(self, world: World, chance: Random) -> None:
        """Nobody presses yet."""
        self._world, self._chance = world, chance
        self.rest = False
        """Whether they leave the buttons alone, so that what stands can be compared."""

    async def press(self) -> None:
        """Press now and then, on every machine that runs."""
        await elapse(5.0)
        mean_s = self._world.faults.press_every_s
        while not self.rest:
            machines = [machine for machine in self._world.machines if machine.running]
            if machines:
                self.push(self._chance.choice(machines))
            await elapse(self._chance.expovariate(len(self._world.machines) / mean_s))

    def push(self, machine: Machine) -> None:
        """Push a button that is dark."""
        dark = [name for name in BUTTONS if machine.panel.lamps.get(name, "dark") == "dark"]
        if self._chance.random() < FOREIGN:
            machine.push("foreign")
        elif dark:
            machine.push(self._chance.choice(dark))
