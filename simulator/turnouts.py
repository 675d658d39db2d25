"""Control in the demo: it mobilises one station after another, and sees what becomes of each order."""

import asyncio
from collections.abc import Sequence
from random import Random
from uuid import uuid4

from edge_agent.clock import Clock
from simulator.api_client import ask
from simulator.county import Unit
from simulator.station_life import StationLife
from simulator.watch import Watch
from wire.feed import OrderView

EVERY_S = 30.0
AGAIN_S = 1.0
"""How soon it looks again when nobody can go."""
CALLED_MAX = 3
CLOSE_AFTER_S = 120.0
"""An incident is over after this; control closes its order."""
BY = "demo control"
_CREATED = (200, 201)
_INCIDENTS = ("Fire alarm sounding", "Road traffic collision", "Person collapsed", "Smoke seen", "Water rescue")
_STREETS = ("High Street", "Station Road", "Mill Lane", "London Road", "Church Hill")


def pick(services: Sequence[int], *, joint: bool) -> int:
    """Tell which station is next, by how many services can go from each: for a joint incident the first of several."""
    return next((place for place, several in enumerate(services) if several > 1), 0) if joint else 0


class Turnouts:
    """Mobilises for as long as `run` runs."""

    def __init__(self, stations: Sequence[StationLife], *, watch: Watch, port: int, clock: Clock) -> None:
        """`port` is the API's."""
        self._stations, self._watch, self._port, self._clock = list(stations), watch, port, clock
        self._random = Random("turnouts")
        self.orders: list[str] = []
        """Every order that was accepted."""
        self.refused: list[int] = []
        """The status code of every one that was not."""

    async def run(self) -> None:
        """Mobilise a station every half minute until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                station, units = self._choose()
                if station is None:
                    await self._clock.sleep(AGAIN_S)
                    continue
                tasks.create_task(self._mobilise(station, units))
                await self._clock.sleep(EVERY_S)

    @property
    def steps_done(self) -> int:
        """How many steps were confirmed."""
        return sum(step.outcome == "done" for view in self._views for step in view.steps)

    @property
    def steps_failed(self) -> int:
        """How many steps ended otherwise."""
        ended = ("failed", "refused", "expired", "unknown")
        return sum(step.outcome in ended for view in self._views for step in view.steps)

    @property
    def acknowledged(self) -> int:
        """How many orders every crew has acknowledged."""
        return sum(all(unit.acknowledged_at for unit in view.units) for view in self._views)

    @property
    def held(self) -> bool:
        """Whether every order so far, and there is one, was acknowledged with each of its steps confirmed."""
        views = self._views
        whole = all(view.steps and all(step.outcome == "done" for step in view.steps) for view in views)
        return len(views) == len(self.orders) > 0 and whole and self.acknowledged == len(views) and not self.refused

    @property
    def _views(self) -> list[OrderView]:
        return [self._watch.orders[order] for order in self.orders if order in self._watch.orders]

    def _choose(self) -> tuple[StationLife | None, list[Unit]]:
        """The next station in turn where somebody can go: the first free unit of each of its services.

        Every other time it looks for a joint incident first: a station where two services can go.
        """
        able = [
            (station, units) for station in self._stations if not station.busy and (units := self._callable(station))
        ]
        if not able:
            return None, []
        station, units = able[pick([len(units) for _, units in able], joint=len(self.orders) % 2 == 1)]
        self._stations.remove(station)
        self._stations.append(station)
        return station, units

    def _callable(self, station: StationLife) -> list[Unit]:
        chosen: dict[str, Unit] = {}
        for unit in station.free():
            record = self._watch.records.get(unit.id)
            known = record is not None and record.availability == "Available" and record.confidence == "confirmed"
            if known and record is not None and record.assignment is None:
                chosen.setdefault(unit.organisation.id, unit)
        return list(chosen.values())[:CALLED_MAX]

    async def _mobilise(self, station: StationLife, units: Sequence[Unit]) -> None:
        """One order from its beginning to its end."""
        order = str(uuid4())
        status = await ask(self._port, "PUT", f"/v1/orders/{order}", self._order(station, units))
        if status not in _CREATED:
            self.refused.append(status)
            return
        self.orders.append(order)
        await station.respond(units)
        await self._clock.sleep(CLOSE_AFTER_S)
        view = self._watch.orders.get(order)
        if view is not None and view.active:
            await ask(self._port, "POST", f"/v1/orders/{order}/close", {"by": BY, "reason": "incident over"})

    def _order(self, station: StationLife, units: Sequence[Unit]) -> dict[str, object]:
        what = self._random.choice(_INCIDENTS)
        street = f"{self._random.randint(1, 90)} {self._random.choice(_STREETS)}"
        return {
            "kind": "mobilise",
            "base": station.station.base.id,
            "units": [unit.id for unit in units],
            "incident": f"I{len(self.orders) + 1:04d}",
            "address": street,
            "grid_reference": f"TQ {self._random.randint(0, 999):03d} {self._random.randint(0, 999):03d}",
            "text": what,
            "priority": "emergency",
            "mode": "live",
            "open_doors": False,
            "by": BY,
        }
