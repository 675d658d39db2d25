"""One unit's life in the demo: its vehicle drives, its receiver sees where, and its crew presses."""

import asyncio
from datetime import datetime
from random import Random

from edge_agent.clock import Clock
from simulator import vehicle as driving
from simulator.county import County, Unit, place
from simulator.crew import Crew, Press, is_free, next_press, start, turn_out
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
        self._crew: Crew | None = None
        self._called = asyncio.Event()

    async def run(self, panel_path: str) -> None:
        """Live until cancelled: drive, and press what the shift brings."""
        async with Panel.connect(panel_path, clock=self._clock) as panel, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.receiver.run())
            tasks.create_task(self._work(panel))

    @property
    def can_go(self) -> bool:
        """Whether the vehicle stands at its base with a crew that control may call out."""
        at_base = self._vehicle.parked and self._node == self._unit.base.node
        return at_base and self._crew is not None and not self._called.is_set() and is_free(self._crew)

    def turn_out(self) -> None:
        """Let the crew go to its vehicle and press that it is going, where it still can."""
        if self.can_go:
            self._called.set()

    async def _work(self, panel: Panel) -> None:
        press = start(self._unit.organisation.service, self._clock.now(), self._random, pace=self._pace)
        while True:
            await panel.press(button(press.code))
            self.presses += 1
            self._crew = press.crew
            if not is_free(press.crew):
                self._called.clear()  # too late: it was on its way to something else
            self._send_off(press)
            await self._dwell(press)
            press = self._next(press)

    def _next(self, press: Press) -> Press:
        """What the crew presses now: the turn-out where it was called, else what its shift brings."""
        now = self._clock.now()
        called = turn_out(press.crew, now, self._random) if self._called.is_set() else None
        self._called.clear()
        return called or next_press(press.crew, now, self._random)

    async def _dwell(self, press: Press) -> None:
        """Stay under a status until it is over, or the crew is called out."""
        staying = asyncio.create_task(self._stay(press))
        called = asyncio.create_task(self._called.wait())
        try:
            await asyncio.wait((staying, called), return_when=asyncio.FIRST_COMPLETED)
        finally:
            staying.cancel()
            called.cancel()

    async def _stay(self, press: Press) -> None:
        while press.on_arrival and not self._vehicle.parked:
            await self._clock.sleep(ARRIVAL_LOOK_S)
        await self._clock.sleep(press.dwell_s)

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
