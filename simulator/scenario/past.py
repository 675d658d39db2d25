"""A day on the virtual clock, looked back at: at random moments the replayed board is what a client showed then.

`python -m simulator.scenario.past --hours 24 --instants 200` lets the real agents and the real ingest, fleet, feed,
recorder and stores live through presses, cuts, kills of every process, full disks and directories replaced while they
run. A client follows the feed's bytes as a control room does and lets ages grow on its own clock; at random moments
what it shows is noted. In the end the board is replayed for each of them from what is on disk. It prints one JSON
object on the last line; exit code 1 where anything differs.
"""

import argparse
import asyncio
import logging
import sys
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import msgspec
import structlog

from cloud.ledger import Ledger
from cloud.memory import replay
from cloud.telemetry import DuckFrames
from simulator.scenario.clock import elapse
from simulator.scenario.crews import BUTTONS
from simulator.scenario.machine import START, Machine
from simulator.scenario.network import Broker
from simulator.scenario.remembering import RememberingCloud, directories
from simulator.scenario.showing import Showing, count_on, differing
from simulator.scenario.stage import Stage
from simulator.scenario.story import Story
from simulator.scenario.virtual import VirtualLoop
from simulator.scenario.world import UNITS_MAX, device_config, empty_ledger, scratch

KEPT_WITHIN_S = 3.0
"""What was shown as long before a process ended is durable: a second until it is taken, and a slow disk."""
HEARTBEAT_S = 5.0
KNOWN_SHARE = 0.8
"""With fewer of the moments known, nothing was proved."""


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    seed: int
    virtual_s: float
    instants: int
    known: int
    """How many of the instants replay knew."""
    records: int
    """How many records were compared."""
    starts: int
    """Of the cloud."""
    directories: int
    """How often another one came into force."""
    presses: int
    largest_age_s: float
    """The oldest link that was compared: nobody is fresh all day."""
    violations: list[str]


class Noted(msgspec.Struct, frozen=True):
    """What the client showed at a moment."""

    at_s: float
    records: Mapping[str, Showing]
    directory: str


class Day:
    """The world, the client and what it notes."""

    def __init__(self, seed: int, root: Path) -> None:
        """Everything is switched off."""
        self.seed, self.chance = seed, Random(f"past/{seed}")
        self.loop = VirtualLoop()
        story = Story(self.loop.time, told=False)
        stage = Stage(self.loop, Broker(self.loop, Random(f"broker/{seed}"), story), story, root)
        self.cloud = RememberingCloud(directories()[0], empty_ledger(), stage, Random(f"cloud/{seed}"))
        self.machines = [
            Machine(name, device_config(name, HEARTBEAT_S), stage, Random(f"{name}/{seed}"))
            for name in (f"veh-{number}" for number in range(1, UNITS_MAX + 1))
        ]
        self.broken: list[str] = []
        for machine in self.machines:
            machine.on_died = lambda one, error: self._died(f"{one.name}: {error!r}", one.medium.full)
        self.cloud.on_died = lambda error: self._died(f"cloud: {error!r}", self.cloud.full)
        self.noted: list[Noted] = []
        self.changes = 0

    def note(self) -> None:
        """Note what the client shows now."""
        showing = self.cloud.showing if self.cloud.running else {}
        self.noted.append(Noted(self.loop.time(), dict(showing), self.cloud.version))

    async def live(self, hours: float, instants: Sequence[float]) -> None:
        """Let everybody live, each fault in its turn, and note what is shown at each of the instants."""
        self.cloud.start()
        for machine in self.machines:
            machine.start(reboot=True)
        for instant_s in instants:
            self.loop.call_at(instant_s, self.note)
        tasks = [asyncio.ensure_future(work()) for work in (self._press, self._cut, self._kill, self._restart)]
        tasks += [asyncio.ensure_future(self._replace()), asyncio.ensure_future(self._fill())]
        await elapse(hours * 3600)
        for task in tasks:
            task.cancel()

    async def _press(self) -> None:
        while True:
            await elapse(self.chance.expovariate(1 / 30))
            machine = self.chance.choice(self.machines)
            dark = [name for name in BUTTONS if machine.panel.lamps.get(name, "dark") == "dark"]
            if dark:
                machine.push(self.chance.choice(dark))

    async def _cut(self) -> None:
        while True:
            await elapse(self.chance.uniform(60, 600))
            machine = self.chance.choice(self.machines)
            machine.way.cut(up=True, down=self.chance.random() < 0.7)
            await elapse(self.chance.choice((5, 20, 60, 900)))
            machine.way.cut(up=False, down=False)

    async def _kill(self) -> None:
        while True:
            await elapse(self.chance.uniform(200, 900))
            machine = self.chance.choice(self.machines)
            machine.kill(soon=self.chance.random() < 0.5)
            await elapse(self.chance.uniform(1, 200))
            machine.start(reboot=self.chance.random() < 0.5)

    async def _restart(self) -> None:
        while True:
            await elapse(self.chance.uniform(200, 1200))
            self.cloud.kill()
            await elapse(self.chance.choice((0.5, 30, 100, 200)))
            self.cloud.start()

    async def _replace(self) -> None:
        """Put another directory in force: a base has another name, or a unit is no more, or is there again."""
        turn = 0
        while True:
            await elapse(self.chance.uniform(200, 1000))
            if self.cloud.running and self.cloud.ingest is not None and self.cloud.following:
                turn += 1
                self.changes += 1
                self.cloud.replace(directories()[turn % len(directories())])

    async def _fill(self) -> None:
        while True:
            await elapse(self.chance.uniform(600, 2000))
            self.cloud.full = True
            await elapse(self.chance.uniform(2, 60))
            self.cloud.full = False

    def _died(self, who: str, full: bool) -> None:
        if full:
            self.loop.call_later(1.0, self.cloud.start)
        else:
            self.broken.append(f"nobody dies by itself: {who}")


def play(hours: float, instants: int, seed: int) -> Past:
    """Live, then look back."""
    with scratch() as root:
        day = Day(seed, root)
        moments = sorted(day.chance.uniform(1.0, hours * 3600 - 10) for _ in range(instants))
        try:
            asyncio.set_event_loop(None)
            day.loop.run_until_complete(day.live(hours, moments))
        finally:
            _end(day)
        return _look_back(day)


def _look_back(day: Day) -> Past:
    violations = list(day.broken)
    known = records = 0
    largest_s = 0.0
    ledger = Ledger.open(f"sqlite:///{day.cloud.ledger}")
    frames = DuckFrames.open(day.cloud.frames)
    while frames.tidy((START + timedelta(seconds=day.loop.time())).date()):
        pass  # a day that is over is read as it lies then
    for noted in day.noted:
        replayed = replay(ledger.board_at, frames, START + timedelta(seconds=noted.at_s))
        told = [f"at {noted.at_s:.3f} s: {one}" for one in _compare(day.cloud, noted, replayed.known)]
        if replayed.known:
            known += 1
            records += len(noted.records)
            shown = {unit: count_on(one, noted.at_s) for unit, one in noted.records.items()}
            told += [f"at {noted.at_s:.3f} s: {one}" for one in differing(shown, replayed.units)]
            if replayed.directory_version != noted.directory:
                told.append(f"at {noted.at_s:.3f} s: another directory is named than was in force")
            largest_s = max([largest_s, *(one.ages.link_s or 0.0 for one in shown.values())])
        violations += told
    frames.close()
    ledger.close()
    if known < KNOWN_SHARE * len(day.noted):
        violations.append(f"only {known} of {len(day.noted)} moments are known: nothing was proved")
    return Past(
        seed=day.seed,
        virtual_s=round(day.loop.time(), 1),
        instants=len(day.noted),
        known=known,
        records=records,
        starts=day.cloud.starts,
        directories=day.changes,
        presses=sum(len(machine.pushed) for machine in day.machines),
        largest_age_s=round(largest_s, 1),
        violations=violations,
    )


def _compare(cloud: RememberingCloud, noted: Noted, known: bool) -> list[str]:
    """Tell whether a moment should have been known: where a process showed the board and lived on, and not else."""
    lives = cloud.lives
    number = bisect_right([life.since_s for life in lives], noted.at_s) - 1
    showed = number >= 0 and noted.at_s <= lives[number].until_s
    if known and not showed:
        return ["a board is replayed though none was shown"]
    if showed and not known and noted.at_s < lives[number].kept_s - KEPT_WITHIN_S:
        return ["no board is known though one was shown, and kept"]
    return []


def _end(day: Day) -> None:
    """Kill whatever runs, and let it clean up where nobody sees it."""
    for machine in day.machines:
        machine.kill()
    day.cloud.kill()
    while tasks := asyncio.all_tasks(day.loop):
        for task in tasks:
            task.cancel()
        day.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    day.loop.close()


def main() -> None:
    """Play a day, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=24.0, help="how long to live (default 24)")
    parser.add_argument("--instants", type=int, default=200, help="moments to look back at (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="which day (default 1)")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    past = play(asked.hours, asked.instants, asked.seed)
    print(msgspec.json.encode(past).decode())
    sys.exit(1 if past.violations else 0)


if __name__ == "__main__":
    main()
