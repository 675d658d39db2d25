"""Freezes: agents, broker and cloud stand still under SIGSTOP and go on, at seeded moments, while crews press."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.brokers import KINDS, Kind
from tests.chaos.actors import Homes, Program, Site, clock, pressing, running, together
from tests.chaos.verdict import Figures

AGENTS = 6
BRIEF_S = (0.2, 5.0)
LONG_S = (9.5, 12.0)
"""Longer than the 7 s after which a device that beats each second is late, and the 2 s in which that is to be seen."""
LONG_SHARE = 0.4
PAUSE_S = (0.5, 2.5)
"""Between two freezes of one process."""
PAUSE_MAX_S = 16.0
"""Of an agent, so that some are frozen for as long as the servers' turns last."""
SERVERS_SHARE = 0.33
"""Of the freezes, those of broker and cloud, in turn."""


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Freeze `count` times, half on each broker. Raises AssertionError where the feed ever showed stale as fresh."""
    shares = (count - count // 2, count // 2)
    parts = []
    for share, kind in zip(shares, KINDS, strict=True):
        say(f"{share} freezes on {kind}")
        parts.append(asyncio.run(freeze(share, seed, kind)))
    return together(parts)


async def freeze(count: int, seed: int, kind: Kind, agents: int = AGENTS) -> Figures:
    """Freeze `count` times on one broker."""
    random = Random(f"{seed} {kind}")
    with tempfile.TemporaryDirectory(prefix="watchroom-freezes-") as folder:
        async with running(Path(folder), kind, Homes.here(agents), random) as site:
            lab = _Lab(site, random, count)
            async with pressing(site):
                await lab.run()
            live_s = clock.monotonic() - lab.ended_s
            return Figures(
                fault="freezes",
                faults=lab.phases.total(),
                verdict=site.judge(),
                phases=dict(lab.phases),
                detail={
                    "late_shown": site.board.lates,
                    "late_overshoot_max_s": round(site.board.overshoot_s, 3),
                    "resumed_feeds": site.board.after_pauses,
                    "live_after_last_max_s": round(live_s, 3),
                },
            )


class _Lab:
    """What is frozen when: each agent in its own time, and the broker and the cloud in turn."""

    def __init__(self, site: Site, random: Random, count: int) -> None:
        self.phases: Counter[str] = Counter()
        self.ended_s = 0.0
        self._site, self._random = site, random
        self._servers = max(2, round(count * SERVERS_SHARE))
        self._agents = count - self._servers
        self._agent_pause_s = (PAUSE_S[0], min(PAUSE_MAX_S, max(PAUSE_S[1], count / 3)))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._freeze_servers(self._own_random()))
            for place in range(len(self._site.agents)):
                tasks.create_task(self._freeze_agent(place, self._own_random()))
        self.ended_s = clock.monotonic()

    def _own_random(self) -> Random:
        """Chances of one process's own, so that what is drawn for it does not hang on when others draw."""
        return Random(self._random.random())

    async def _freeze_servers(self, random: Random) -> None:
        everybody = [crew.unit for crew in self._site.crews]
        for turn in range(self._servers):
            await clock.sleep(random.uniform(*PAUSE_S))
            if turn % 2:
                await self._freeze("broker", self._site.broker, everybody, random)
            else:
                await self._freeze("cloud", self._site.cloud, [], random)

    async def _freeze_agent(self, place: int, random: Random) -> None:
        while self._agents:
            self._agents -= 1
            await clock.sleep(random.uniform(*self._agent_pause_s))
            await self._freeze("agent", self._site.agents[place], [self._site.crews[place].unit], random)

    async def _freeze(self, what: str, program: Program, silent: list[str], random: Random) -> None:
        """Freeze a program for a while; until it goes on, nothing comes from these units."""
        frozen_s = random.uniform(*(LONG_S if random.random() < LONG_SHARE else BRIEF_S))
        await program.freeze()
        for unit in silent:
            self._site.board.silence(unit, what)
        await clock.sleep(frozen_s)
        for unit in silent:
            self._site.board.hear(unit, what)
        program.thaw()
        self.phases[what] += 1
