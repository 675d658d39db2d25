"""A simulated station with the agent's own bus, machine and journal: what an order brings about, step by step."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from edge_agent.bus import Bus
from edge_agent.clock import SystemClock
from edge_agent.config import load
from edge_agent.outbox.file import Draft
from edge_agent.state.events import Stamp
from edge_agent.station.layout import Layout, parse_layout
from edge_agent.station.words import Value
from edge_agent.turnout import Journal, Turnout
from edge_agent.turnout.runner import Around
from simulator.county import Station, Unit, generate
from simulator.plant import Plant
from simulator.stations import StationSettings, wire_plant, write_station
from tests.waiting import eventually
from wire.events import AcknowledgeEvent, Event, ReceiptEvent
from wire.messages import CalledUnit, Command

ORDER = "00000000-0000-4000-8000-000000000001"
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
STATION = next(station for station in generate(14).stations if station.device == "stn-14")
FIRST_S = 1.0
"""Within a second control sees each step confirmed or failed."""


class Working:
    """A station whose agent runs, but for the link: what control would be told is kept in `told`."""

    def __init__(self, station: Station, plant: Plant, turnout: Turnout) -> None:
        """Nothing was told yet."""
        self.station, self.plant, self.turnout = station, plant, turnout
        self.told: list[Event] = []

    @property
    def steps(self) -> dict[str, ReceiptEvent]:
        """The newest receipt of each step."""
        return {event.step: event for event in self.told if isinstance(event, ReceiptEvent)}

    def mobilise(self, units: Sequence[Unit]) -> None:
        """Give the command of an order of control."""
        command = Command(
            v=1,
            owner_term=1,
            order=ORDER,
            revision=1,
            action="mobilise",
            nonce=self.turnout.nonce(),
            expires_ms=60_000,
            issued_at=AT,
            units=[CalledUnit(unit=u.id, callsign=u.callsign, service=u.organisation.service) for u in units],
        )
        self.turnout.take(command)

    def outcomes(self, prefix: str) -> set[str]:
        """How the steps of one kind stand."""
        return {event.outcome for step, event in self.steps.items() if step.startswith(prefix)}

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait for something; what was told is in the message where it never comes."""
        try:
            await eventually(true, what=what)
        except AssertionError as error:
            told = {step: (event.outcome, event.reason) for step, event in self.steps.items()}
            raise AssertionError(f"{error}; told: {told}") from None


@contextlib.asynccontextmanager
async def working(station: Station, folder: Path) -> AsyncIterator[Working]:
    """The station, once both its modules have been read."""
    clock = SystemClock()
    plant = Plant(wire_plant(station), clock=clock)
    async with plant.serve_tcp() as port:
        config = load(write_station(station, folder, StationSettings(broker_port=1, plant_port=port)), {})
        assert config.station is not None
        layout = parse_layout(Path(config.station.layout).read_text(encoding="utf-8"))
        assert isinstance(layout, Layout)
        bus = Bus(config.buses, config.maps, clock=clock, jitter=Random(1).random)
        seen: set[str] = set()

        async def tell(drafts: Sequence[Draft]) -> None:
            found.told += [draft(seq=len(found.told) + place) for place, draft in enumerate(drafts, 1)]

        def stamp() -> Stamp:
            return Stamp(at=clock.now(), clock="ntp", boot=1, mono_ms=int(clock.monotonic() * 1000))

        journal = Journal(folder, clock=clock, boot_id="b")
        turnout = Turnout(layout, Around(outputs=bus, tell=tell, stamp=stamp), journal=journal, clock=clock)
        found = Working(station, plant, turnout)

        def read(values: Mapping[str, Value]) -> None:
            seen.update(name.partition(".")[0] for name in values)
            turnout.read(values, bus.silent)

        tasks = [asyncio.create_task(bus.run(read)), asyncio.create_task(turnout.run())]
        try:
            await eventually(lambda: len(seen) == len(config.buses[0].slave), what="both modules")
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await journal.close()


def one_of_each(station: Station) -> list[Unit]:
    """The first unit of each service there."""
    return list({unit.organisation.id: unit for unit in reversed(station.units)}.values())


def test_a_station_turns_out_with_every_step_confirmed(tmp_path: Path) -> None:
    """Sounders, lights, cooker and indicators are proved within a second, doors after the button, each pulsed once."""

    async def main() -> None:
        async with working(STATION, tmp_path) as at_work:
            units = one_of_each(STATION)
            at_work.mobilise(units)
            at_once = len(at_work.plant.parts.sounders) + len(at_work.plant.parts.lights) + 1 + len(units)
            await at_work.until(
                lambda: sum(e.outcome == "done" for e in at_work.steps.values()) == at_once, what="a called station"
            )
            steps = at_work.steps
            assert max(e.elapsed_ms for e in steps.values() if e.outcome == "done") < FIRST_S * 1000
            assert at_work.outcomes("sounder") == {"done"} and not at_work.plant.is_cooking("mess")
            assert set(at_work.plant.door_pulses.values()) == {0}
            at_work.plant.press_acknowledge()
            await at_work.until(lambda: at_work.outcomes("door") == {"done"}, what="open doors")
            await at_work.until(lambda: at_work.outcomes("exit") == {"done"}, what="an exit signal")
            assert any(isinstance(event, AcknowledgeEvent) for event in at_work.told)
            called = {unit.id for unit in units}
            for door in at_work.plant.parts.doors:
                assert at_work.plant.door_pulses[door.id] == (1 if called & set(door.units) else 0)
            assert {e.outcome for step, e in at_work.steps.items() if step} == {"done"}

    asyncio.run(main())


def test_faults_of_the_plant_are_told_by_name(tmp_path: Path) -> None:
    """Blown lamps, a door that does not move and a locked one are told as such; everything else is still confirmed."""

    async def main() -> None:
        async with working(STATION, tmp_path) as at_work:
            plant = at_work.plant
            fire, *_, police = plant.parts.doors
            plant.break_lights("mess")
            plant.maintain_door(police.id)
            plant.break_door(fire.id)
            await at_work.until(lambda: plant.read(police.maintenance), what="a key that is turned")
            at_work.mobilise(one_of_each(STATION))
            await at_work.until(lambda: at_work.outcomes("light:mess") == {"failed"}, what="dark lamps")
            plant.press_acknowledge()
            await at_work.until(lambda: at_work.outcomes(f"door:{fire.id}") == {"failed"}, what="a door that failed")
            assert at_work.steps["light:mess"].reason == "lights_fail"
            assert at_work.steps[f"door:{fire.id}"].reason == "door_fail"
            locked = at_work.steps[f"door:{police.id}"]
            assert (locked.outcome, locked.reason) == ("refused", "in_maintenance")
            assert at_work.outcomes("sounder") == {"done"}
            assert (plant.door_pulses[fire.id], plant.door_pulses[police.id]) == (1, 0)

    asyncio.run(main())
