"""One unit's life in the demo: its vehicle drives, its receiver sees where, and its crew presses."""

import asyncio
from datetime import datetime
from random import Random

from edge_agent.clock import Clock
from simulator import vehicle as driving
from simulator.county import County, Unit, place
from simulator.crew import Press, next_press, start
from simulator.folder import button
from simulator.panel import Panel
from simulator.receiver import Receiver
from simulator.vehicle import Antenna, Fix, Vehicle

ARRIVAL_LOOK_S = 1.0


class Life:
    """A unit that lives by itself. Its receiver serves the agent on a port of its own."""

    def __init__(self, county: County, unit: Unit, *, clock: Clock, seed: int, pace: float) -> None:
        """Begin parked at the base."""
        self._county, self._unit, self._clock, self._pace = county, unit, clock, pace
        self._random = Random(f"{unit.id} {seed}")
        self._node = unit.base.node
        self._vehicle = Vehicle(county.network.nodes[unit.base.node])
        self._antenna = Antenna()
        self._seen_s = clock.monotonic()
        self.receiver = Receiver(self._observe, clock=clock)
        self.presses = 0

    async def run(self, panel_path: str) -> None:
        """Live until cancelled: drive, and press what the shift brings."""
        async with Panel.connect(panel_path, clock=self._clock) as panel, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.receiver.run())
            tasks.create_task(self._work(panel))

    async def _work(self, panel: Panel) -> None:
        press = start(self._unit.organisation.service, self._clock.now(), self._random, pace=self._pace)
        while True:
            await panel.press(button(press.code))
            self.presses += 1
            self._send_off(press)
            while press.on_arrival and not self._vehicle.parked:
                await self._clock.sleep(ARRIVAL_LOOK_S)
            await self._clock.sleep(press.dwell_s)
            press = next_press(press.crew, self._clock.now(), self._random)

    def _send_off(self, press: Press) -> None:
        """Drive where the status says. A vehicle on its way turns off at the next junction."""
        end = place(self._county, self._unit, press.destination, self._random)
        if end is None:
            return
        begin = driving.next_junction(self._vehicle)
        begin = self._node if begin is None else begin
        path = driving.plan_path(self._county.network.route(begin, end), self._random, urgent=press.urgent)
        self._vehicle = driving.depart(self._vehicle, path)
        self._node = end

    def _observe(self, now: datetime) -> Fix:
        del now  # the vehicle moves by the monotonic clock
        now_s = self._clock.monotonic()
        dt_s, self._seen_s = now_s - self._seen_s, now_s
        self._vehicle = driving.apply(self._vehicle, dt_s)
        self._antenna, fix = driving.observe(self._antenna, self._vehicle, dt_s, self._random)
        return fix
