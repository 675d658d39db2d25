"""A station cut off from the world goes on, and afterwards the ledger equals what it did.

`python -m simulator.scenario.island --cut-s 46800` plays a cut of thirteen hours on the virtual clock and prints one
JSON object on the last line: what was done, and under `violations` what did not hold. Exit code 1 where there is any.
"""

import argparse
import asyncio
import logging
import sys
from pathlib import Path
from random import Random

import msgspec
import structlog

from simulator.plant import Plant
from simulator.scenario.clock import MachineClock, elapse
from simulator.scenario.cloud import Cloud
from simulator.scenario.island_audit import Audit, read_ledger
from simulator.scenario.machine import START, Machine
from simulator.scenario.network import Broker
from simulator.scenario.stage import Stage
from simulator.scenario.station import POLL_S, Finger, VirtualLines, make_station, write_files
from simulator.scenario.station_crew import Reach, StationCrew, steps_of
from simulator.scenario.story import Story
from simulator.scenario.virtual import VirtualLoop
from simulator.scenario.world import empty_ledger, scratch
from simulator.stations import wire_plant
from wire.feed import FeedRecord, OrderView

START_S = 30.0
ONLINE_S = 120.0
"""How long the station lives in contact before the cut."""
DRAINS_S = 300.0
"""By then control has everything. A link is tried again at most every 15 s."""


class Island(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a cut."""

    seed: int
    cut_s: float
    virtual_s: float
    reads: int
    longest_read_gap_s: float
    deeds: int
    turnouts: int
    steps: int
    events: int
    """In the ledger."""
    drained_s: float
    """How long it took from the end of the cut until control had everything."""
    violations: list[str]


class Place:
    """The station, the way to it, and the cloud."""

    def __init__(self, seed: int, root: Path) -> None:
        """Everything is switched off."""
        self.loop = VirtualLoop()
        story = Story(self.loop.time, told=False)
        stage = Stage(self.loop, Broker(self.loop, Random(f"broker/{seed}"), story), story, root)
        station = make_station()
        config, directory = write_files(station, root)
        clock = MachineClock(self.loop, START, booted_mono_s=0.0)
        self.plant = Plant(wire_plant(station), clock=clock)
        self.machine = Machine("station", config, stage, Random(f"station/{seed}"))
        self.finger = Finger(self.machine)
        self.lines = VirtualLines(self.plant, lambda: self.machine.clock, self.loop.time)
        self.machine.has_receiver = False
        self.machine.lines, self.machine.serve = self.lines, self.finger.serve
        self.machine.on_died = lambda machine, error: self.broken.append(f"the agent ended: {error!r}")
        self.cloud = Cloud(directory, empty_ledger(), stage, Random(f"cloud/{seed}"))
        self.cloud.has_desk = True
        self.cloud.on_died = lambda error: self.broken.append(f"the cloud ended: {error!r}")
        self.cloud.on_feed = lambda records, now_s: self.records.update({one.unit: one for one in records})
        self.cloud.on_orders = lambda orders: self.orders.update({one.order: one for one in orders})
        self.records: dict[str, FeedRecord] = {}
        self.orders: dict[str, OrderView] = {}
        reach = Reach(
            page=lambda: self.finger.page,
            ask=self.finger.ask,
            buttons=config.buttons,
            push=self.finger.push,
            plant=self.plant,
            clock=clock,
        )
        self.crew = StationCrew(reach, Random(f"crew/{seed}"))
        self.broken: list[str] = []
        """Processes that ended by themselves."""


def play(cut_s: float, seed: int = 1) -> Island:
    """Cut the station off for so long, let its people live meanwhile, mend it, and look."""
    with scratch() as root:
        place = Place(seed, root)
        try:
            asyncio.set_event_loop(None)
            cut_from_s, mended_s = place.loop.run_until_complete(_direct(place, cut_s))
            return _judge(place, seed, cut_s, (cut_from_s, mended_s))
        finally:
            _end(place)


async def _direct(place: Place, cut_s: float) -> tuple[float, float]:
    """Play it. Gives from when to when the station was cut off."""
    place.cloud.start()
    place.machine.start(reboot=True)
    await elapse(START_S)
    await place.crew.live(ONLINE_S)
    await elapse(START_S)
    cut_from_s = place.loop.time()
    place.machine.way.cut(up=True, down=True)
    await place.crew.live(cut_s)
    mended_s = place.loop.time()
    place.machine.way.cut(up=False, down=False)
    while place.finger.page.view().oldest_unsent_s is not None and place.loop.time() < mended_s + DRAINS_S:
        await elapse(1.0)
    await elapse(START_S)
    return cut_from_s, mended_s


def _judge(place: Place, seed: int, cut_s: float, cut: tuple[float, float]) -> Island:
    told = read_ledger(place.cloud.ledger, START)
    deeds = sorted([*place.crew.deeds, *steps_of(place.plant)], key=lambda deed: deed.at_s)
    audit = Audit(told, deeds)
    audit.check_stream()
    audit.check_deeds()
    audit.check_orders(place.crew.turnouts, place.orders)
    audit.check_board(place.records)
    gap_s = place.lines.longest_gap_s
    paused = [f"the lines were not read for {gap_s:.2f} s"] if gap_s > 2 * POLL_S else []
    return Island(
        seed=seed,
        cut_s=cut_s,
        virtual_s=round(place.loop.time(), 1),
        reads=place.lines.reads,
        longest_read_gap_s=round(gap_s, 3),
        deeds=len(place.crew.deeds),
        turnouts=len(place.crew.turnouts),
        steps=len(deeds) - len(place.crew.deeds),
        events=len(told.events),
        drained_s=round(place.loop.time() - cut[1] - START_S, 1),
        violations=[*place.broken, *paused, *place.crew.troubles, *audit.violations],
    )


def _end(place: Place) -> None:
    """Kill whatever runs, and let it clean up where nobody sees it."""
    place.machine.kill()
    place.cloud.kill()
    while tasks := asyncio.all_tasks(place.loop):
        for task in tasks:
            task.cancel()
        place.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    place.loop.close()


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.scenario.island",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--cut-s", type=float, default=2_100.0, metavar="S", help="how long (default 2100)")
    parser.add_argument("--seed", type=int, default=1, help="of what its people do, and when (default 1)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    island = play(asked.cut_s, asked.seed)
    print(msgspec.json.encode(island).decode())
    sys.exit(1 if island.violations else 0)


if __name__ == "__main__":
    main()
