"""A station's life in the demo: its plant, and the crew that hears the sounders, acknowledges and turns out."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random

from edge_agent.clock import Clock
from simulator.county import Station, Unit
from simulator.life import Life
from simulator.plant import Plant
from simulator.stations import wire_plant

LOOK_S = 0.2
HEAR_S = 20.0
"""A crew that has heard nothing by then isn't called any more."""
TO_BUTTON_S = (2.0, 5.0)
TO_VEHICLE_S = (1.0, 4.0)
AWAY_S = 25.0
"""When the last one out closes the doors, and the cooker is given back."""


class StationLife:
    """A station that lives by itself. Its plant serves the agent on a port of its own."""

    def __init__(self, station: Station, lives: Mapping[str, Life], *, clock: Clock, seed: int) -> None:
        """`lives` are the units' own, by unit."""
        self.station = station
        self.plant = Plant(wire_plant(station), clock=clock)
        self.plant_port = 0
        self.busy = False
        """Whether its crew is turning out."""
        self._lives = lives
        self._clock = clock
        self._random = Random(f"{station.device} {seed}")

    @asynccontextmanager
    async def served(self) -> AsyncIterator[None]:
        """Serve the plant on a free port for as long as the block lasts."""
        async with self.plant.serve_tcp() as self.plant_port:
            yield

    def free(self) -> list[Unit]:
        """The units that stand at the station with a crew that can go, in the order of the layout."""
        return [unit for unit in self.station.units if self._lives[unit.id].can_go]

    async def respond(self, units: Sequence[Unit]) -> None:
        """Do what a crew does that is called: hear it, press the button, drive off, and leave all as it was."""
        self.busy = True
        try:
            if await self._hears():
                await self._turn_out(units)
        finally:
            self.busy = False

    async def _hears(self) -> bool:
        begun_s = self._clock.monotonic()
        while not any(self.plant.read(sounder.proof) for sounder in self.plant.parts.sounders):
            if self._clock.monotonic() - begun_s > HEAR_S:
                return False
            await self._clock.sleep(LOOK_S)
        return True

    async def _turn_out(self, units: Sequence[Unit]) -> None:
        await self._clock.sleep(self._random.uniform(*TO_BUTTON_S))
        self.plant.press_acknowledge()
        await self._clock.sleep(self._random.uniform(*TO_VEHICLE_S))
        for unit in units:
            self._lives[unit.id].turn_out()
        await self._clock.sleep(AWAY_S)
        for door in self.plant.parts.doors:
            if self.plant.is_open(door.id):
                self.plant.close_door(door.id)
        self.plant.reset_cookers()
