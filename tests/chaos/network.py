"""Bad networks: devices and a cloud in namespaces of their own, their links cut and impaired while crews press."""

import asyncio
import statistics
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from tests.brokers import KINDS, Kind
from tests.chaos.actors import RECOVERY_S, Home, Homes, Site, clock, pressing, running, together
from tests.chaos.impair import CLEAR, CUT, LOSSY, SHUFFLED, TWO_G, Profile
from tests.chaos.namespaces import Hosts, made_hosts
from tests.chaos.verdict import Figures

DEVICES = 6
FAULTS: dict[str, tuple[Profile, Profile]] = {
    "cut": (CUT, CUT),
    "cut_up": (CUT, CLEAR),
    "cut_down": (CLEAR, CUT),
    "loss_30": (LOSSY, LOSSY),
    "2g": (TWO_G, TWO_G),
    "shuffled": (SHUFFLED, SHUFFLED),
}
"""What is done to a link, towards the cloud and back."""
LONG_S = (9.5, 13.0)
"""Longer than the 7 s after which a device that beats each second is late, and the 2 s in which that is to be seen."""
BRIEF_S = (2.0, 6.0)
LONG_SHARE = 0.5
PAUSE_S = (0.5, 3.0)
PATIENT_PRESSES = 8
"""Presses a device on a 2G link, each after the last was settled."""
SETTLE_MAX_S = 60.0


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Hurt links `count` times, half of them on each broker.

    Raises AssertionError where the feed ever showed stale as fresh, OSError where no namespaces can be made.
    """
    shares = (count - count // 2, count // 2)
    parts = []
    for share, kind in zip(shares, KINDS, strict=True):
        say(f"{share} faults of the network on {kind}")
        parts.append(asyncio.run(impair(share, seed, kind, patient=PATIENT_PRESSES)))
    return together(parts)


async def impair(count: int, seed: int, kind: Kind, *, devices: int = DEVICES, patient: int = 0) -> Figures:
    """Hurt links `count` times on one broker, then time `patient` presses a device on 2G."""
    random = Random(f"{seed} {kind}")
    async with _site(kind, devices, random) as (hosts, site):
        lab = _Lab(hosts, site, random, count)
        started_s = clock.monotonic()
        async with pressing(site):
            await lab.run()
        live_s = clock.monotonic() - lab.ended_s
        settled_s = await lab.measure_2g(patient)
        detail = {
            "late_shown": site.board.lates,
            "late_overshoot_max_s": site.board.overshoot_s,
            "live_after_heal_max_s": max(lab.healed_s, default=0.0),
            "all_live_after_last_s": live_s,
            "wall_s": clock.monotonic() - started_s,
        }
        if len(settled_s) > 1:
            cuts = statistics.quantiles(settled_s, n=20, method="inclusive")
            detail |= {"settled_2g": len(settled_s), "settled_2g_p50_s": cuts[9], "settled_2g_p95_s": cuts[18]}
        return Figures(
            fault="network",
            faults=lab.phases.total(),
            verdict=site.judge(),
            phases=dict(lab.phases),
            detail={name: round(figure, 3) for name, figure in detail.items()},
        )


@asynccontextmanager
async def _site(kind: Kind, devices: int, random: Random) -> AsyncIterator[tuple[Hosts, Site]]:
    with tempfile.TemporaryDirectory(prefix="watchroom-network-") as folder:
        async with made_hosts(devices) as hosts:
            homes = Homes(Home(hosts.cloud), [Home(name) for name in hosts.devices])
            async with running(Path(folder), kind, homes, random) as site:
                yield hosts, site


class _Lab:
    """What is done to which link, and when: each link in its own time, every kind of fault in turn."""

    def __init__(self, hosts: Hosts, site: Site, random: Random, count: int) -> None:
        self.phases: Counter[str] = Counter()
        self.healed_s: list[float] = []
        """From the end of a cut to the unit confirmed again."""
        self.ended_s = 0.0
        self._hosts, self._site, self._random = hosts, site, random
        names = list(FAULTS) * (count // len(FAULTS) + 1)
        self._left = names[:count]
        random.shuffle(self._left)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for place in range(len(self._site.agents)):
                tasks.create_task(self._hurt(place, Random(self._random.random())))
        self.ended_s = clock.monotonic()

    async def _hurt(self, place: int, random: Random) -> None:
        board, unit = self._site.board, self._site.crews[place].unit
        while self._left:
            name = self._left.pop()
            up, down = FAULTS[name]
            await clock.sleep(random.uniform(*PAUSE_S))
            lasts_s = random.uniform(*(LONG_S if random.random() < LONG_SHARE else BRIEF_S))
            await self._hosts.shape(place, up, down)
            if up.cut:
                board.silence(unit, name)
            await clock.sleep(lasts_s)
            board.hear(unit, name)
            await self._hosts.shape(place)
            self.phases[name] += 1
            healed_s = clock.monotonic()
            await board.confirmed(unit, RECOVERY_S)
            self.healed_s.append(clock.monotonic() - healed_s)

    async def measure_2g(self, presses: int) -> list[float]:
        """Every link on 2G: give the seconds from each press to its steady lamp. Every one must get there."""
        if not presses:
            return []
        for place in range(len(self._site.agents)):
            await self._hosts.shape(place, TWO_G, TWO_G)
        settled_s: list[float] = []
        for _ in range(presses):
            settled_s += await asyncio.gather(*(crew.press_patiently(SETTLE_MAX_S) for crew in self._site.crews))
        for place in range(len(self._site.agents)):
            await self._hosts.shape(place)
        await self._site.all_live()
        return settled_s
