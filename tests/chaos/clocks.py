"""Wall clocks that jump, run wild and lie, on devices and in the cloud, while crews press and devices fall silent."""

import asyncio
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from tests.brokers import KINDS, Kind
from tests.chaos.actors import Home, Homes, Site, clock, pressing, running, together
from tests.chaos.verdict import Figures
from tests.chaos.wall_clock import WallClock, build
from tests.programs import require_program

AGENTS = 5
HOUR_S, DAY_S = 3600.0, 86_400.0
JUMPS_S: dict[str, float] = {"+1h": HOUR_S, "-1h": -HOUR_S, "+1d": DAY_S, "-1d": -DAY_S, "+3s": 3.0, "back": 0.0}
FAULTS = (*JUMPS_S, "1970", "drift +5%", "drift -5%")
LASTS_S = (1.0, 4.0)
SILENT_S = 10.0
"""Longer than the 7 s after which a device is late, and the 2 s in which that is to be seen."""


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Set wall clocks wrong `count` times, half of them on each broker.

    Raises AssertionError where the feed ever showed stale as fresh, or a status was refused.
    """
    shares = (count - count // 2, count // 2)
    parts = []
    for share, kind in zip(shares, KINDS, strict=True):
        say(f"{share} jumps of wall clocks on {kind}")
        parts.append(asyncio.run(jump(share, seed, kind)))
    return together(parts)


async def jump(count: int, seed: int, kind: Kind, agents: int = AGENTS) -> Figures:
    """Set wall clocks wrong `count` times on one broker, then start the cloud again with its clock an hour behind."""
    random = Random(f"{seed} {kind}")
    with tempfile.TemporaryDirectory(prefix="watchroom-clocks-") as name:
        folder = Path(name)
        library = build(require_program("cc"), folder)
        clocks = [WallClock(library, folder / f"clock-{place}") for place in range(agents + 1)]
        homes = Homes(Home(environment=clocks[0].environment), [Home(environment=c.environment) for c in clocks[1:]])
        async with running(folder, kind, homes, random) as site:
            lab = _Lab(site, clocks, random, count)
            async with pressing(site):
                await lab.run()
            await lab.restart_an_hour_behind()
            assert not (refused := _refused(site.ledger)), f"refused: {refused}"
            return Figures(
                fault="wall clocks",
                faults=lab.phases.total(),
                verdict=site.judge(),
                phases=dict(lab.phases),
                detail={
                    "of_the_cloud": lab.of_the_cloud,
                    "disciplined": lab.disciplined,
                    "late_shown": site.board.lates,
                    "late_overshoot_max_s": round(site.board.overshoot_s, 3),
                    "live_after_restart_max_s": round(lab.live_s, 3),
                },
            )


class _Lab:
    """Which clock is set to what, and when: each in its own time. Meanwhile one device after another falls silent."""

    def __init__(self, site: Site, clocks: list[WallClock], random: Random, count: int) -> None:
        self.phases: Counter[str] = Counter()
        self.of_the_cloud = self.disciplined = 0
        self.live_s = 0.0
        self._site, self._clocks, self._random = site, clocks, random
        self._left = list(FAULTS) * (count // len(FAULTS) + 1)
        del self._left[count:]
        random.shuffle(self._left)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for place in range(len(self._clocks)):
                tasks.create_task(self._set_wrong(place, Random(self._random.random())))
            tasks.create_task(self._fall_silent())
        for wall in self._clocks:
            wall.set()

    async def _set_wrong(self, place: int, random: Random) -> None:
        while self._left:
            name = self._left.pop()
            disciplined = place > 0 and random.random() < 0.5
            _set(self._clocks[place], name, disciplined)
            await clock.sleep(random.uniform(*LASTS_S))
            self.phases[name] += 1
            self.of_the_cloud += place == 0
            self.disciplined += disciplined

    async def _fall_silent(self) -> None:
        """At least once, and for as long as clocks are set."""
        board = self._site.board
        place = 0
        while place == 0 or self._left:
            agent, unit = self._site.agents[place % len(self._site.agents)], self._site.crews[place].unit
            await agent.freeze()
            board.silence(unit, "frozen")
            await clock.sleep(SILENT_S)
            board.hear(unit, "frozen")
            agent.thaw()
            place = (place + 1) % len(self._site.agents)

    async def restart_an_hour_behind(self) -> None:
        """A cloud whose clock is behind that of its last run must still be listened to."""
        await self._site.stop_cloud()
        await asyncio.gather(*(crew.press() for crew in self._site.crews))
        self._clocks[0].set(-HOUR_S)
        await self._site.start_cloud()
        started_s = clock.monotonic()
        await self._site.all_live()
        self.live_s = clock.monotonic() - started_s


def _set(wall: WallClock, name: str, disciplined: bool) -> None:
    match name:
        case "1970":
            # A whole day into it: no time zone may lead before the epoch.
            wall.set(DAY_S - time.clock_gettime(time.CLOCK_REALTIME), disciplined=disciplined)
        case "drift +5%":
            wall.set(rate=0.05, disciplined=disciplined)
        case "drift -5%":
            wall.set(rate=-0.05, disciplined=disciplined)
        case _:
            wall.set(JUMPS_S[name], disciplined=disciplined)


def _refused(ledger: Path) -> list[tuple[str, str]]:
    """Everything that was refused, with the reason."""
    with closing(sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return db.execute("SELECT topic, reason FROM refused").fetchall()
