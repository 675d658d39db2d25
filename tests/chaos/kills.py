"""`kill -9` on agent, broker and cloud while crews press, in a seeded order and at seeded moments.

Each kill is aimed at a phase of one press, and counted in the phase in which it *hit*: at that instant every process
that could change it stands still, and the files of the outbox and the ledger are read. `python -m tests.chaos.kills`
runs this lab alone.
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec

from tests.chaos.lab import (
    ROOT,
    Device,
    Lab,
    LabBroke,
    Tap,
    clock,
    count_rows,
    freeze,
    has,
    held,
    newest_id,
    running_lab,
    stored,
    thaw,
)
from tests.chaos.pace import Pace
from tests.chaos.verdict import Figures, audit, read_ledger

Victim = Literal["agent", "broker", "cloud"]
Target = Literal["before commit", "commit to send", "ledger to settle", "after settle"]
Aim = Target | Literal["anywhere", "starting"]
Phase = Target | Literal["send to ledger", "unclear"]
PHASES: tuple[Target, ...] = ("before commit", "commit to send", "ledger to settle", "after settle")
"""Those that the proof wants a share of each. `send to ledger` lies between; a hit there is counted too."""
AIMS: tuple[Aim, ...] = ("before commit", *PHASES, "anywhere", "starting")
"""The first is aimed at twice as often: it is over in a few milliseconds, and half of the kills come too late."""
DEVICES = 8
BROKER_SHARE, CLOUD_SHARE = 0.12, 0.08
MOSQUITTO_SHARE = 0.3
"""How often a killed broker comes back as the other kind."""
KILLS_A_QUOTA = 50
"""One kill in so many has to hit each phase: 20 of 1,000. More are dealt until it is so."""
COMMIT_S = 0.0015
"""From a push to its commit on a quick disk: shorter than the event loop can sleep."""
TRIES = 20
AIM_S = 4.0
"""How long an aim may take to come about, a cloud that is being restarted included; then the blow falls anyhow."""


class Killable(Protocol):
    """What can be killed."""

    def kill(self) -> None:
        """Send it SIGKILL."""


class Blow(NamedTuple):
    """Who is to be killed, and in which phase of a press."""

    victim: Victim
    aim: Aim


class Deck:
    """The blows of a run in their seeded order, and more of them until every phase has been hit often enough."""

    def __init__(self, count: int, chance: random.Random) -> None:
        """Shuffle `count` blows."""
        brokers, clouds = (max(2, round(count * share)) for share in (BROKER_SHARE, CLOUD_SHARE))
        agents = max(2, count - brokers - clouds)
        shares: dict[Victim, int] = {"broker": brokers, "cloud": clouds, "agent": agents}
        victims = [victim for victim, share in shares.items() for _ in range(share)]
        self._blows = [Blow(victim, AIMS[place % len(AIMS)]) for place, victim in enumerate(victims)]
        chance.shuffle(self._blows)
        self._quota = max(1, count // KILLS_A_QUOTA)
        self._spare = count
        self.count = len(self._blows)
        self.hits: Counter[tuple[Victim, Phase]] = Counter()

    @property
    def phases(self) -> Counter[str]:
        """Kills by the phase that they hit."""
        found: Counter[str] = Counter()
        for (_, phase), hits in self.hits.items():
            found[phase] += hits
        return found

    def deal(self) -> Blow | None:
        """The next blow; None once enough have fallen and every phase has its share.

        Agents are also killed on the way to an aim, and while they start: so many of the last blows are not needed.
        """
        while self._blows:
            blow = self._blows.pop()
            if blow.victim != "agent" or self.hits.total() < self.count:
                return blow
        short = [phase for phase in PHASES if self.phases[phase] < self._quota]
        if not short or self._spare == 0:
            return None
        self._spare -= 1
        return Blow("agent", short[self._spare % len(short)])


class KillRun:
    """One run: a crew a device, each with its own seeded hand, and blows dealt from one deck."""

    def __init__(self, lab: Lab, deck: Deck, pace: Pace, seed: int) -> None:
        """Nothing is killed yet."""
        self._lab, self._deck, self._pace, self._seed = lab, deck, pace, seed
        self._turn = {"broker": asyncio.Lock(), "cloud": asyncio.Lock()}
        self.detail: Counter[str] = Counter()

    async def run(self) -> None:
        """Let every blow fall, and wait until everything that was pressed is settled."""
        async with asyncio.TaskGroup() as crews:
            for device in self._lab.devices:
                crews.create_task(self._crew(device, random.Random(f"{self._seed}/{device.name}")))
        await self._lab.settle()

    async def _crew(self, device: Device, chance: random.Random) -> None:
        while (blow := self._deck.deal()) is not None:
            tap = await self._aim(blow.aim, device, chance)
            if blow.victim == "agent":
                await self._strike(blow, device, tap, chance)
            else:
                async with self._turn[blow.victim]:
                    await self._strike(blow, device, tap, chance)

    async def _aim(self, aim: Aim, device: Device, chance: random.Random) -> Tap:
        """Press, and bring the last press into the phase that is aimed at, or near it."""
        for _ in range(chance.randint(0, 3)):
            device.push(chance)
            await clock.sleep(chance.uniform(0.0, 0.02))
        match aim:
            case "before commit":
                tap = device.push(chance)
                spin(chance.uniform(0.0, COMMIT_S))
            case "commit to send" | "starting":
                if chance.random() < 0.5:
                    await self._be_heard(device, chance)
                device.link.hold("up")
                tap = device.push(chance)
                await tap.wait_for_lamp(AIM_S)
                if chance.random() < 0.5:  # else at the very moment that the crew is told
                    await clock.sleep(chance.uniform(0.0, 0.05))
            case "ledger to settle":
                await self._be_heard(device, chance)
                device.link.hold("down")
                ledger = self._lab.cloud.ledger
                since = newest_id(ledger)
                tap = device.push(chance)
                await self._reached(lambda: has(stored(ledger, device.unit, since), tap))
                await clock.sleep(chance.uniform(0.0, 0.05))
            case "after settle":
                tap = await self._be_heard(device, chance)
                await clock.sleep(chance.uniform(0.0, 0.05))
            case "anywhere":
                for _ in range(chance.randint(1, 4)):
                    tap = device.push(chance)
                    await clock.sleep(chance.uniform(0.0, 0.06))
                await clock.sleep(chance.uniform(0.0, 0.3))
        return tap

    async def _be_heard(self, device: Device, chance: random.Random) -> Tap:
        """Press until a press is settled. An agent that sits out a long back-off is killed, and tries again at once."""
        for _ in range(TRIES):
            tap = device.push(chance)
            if await self._reached(partial(_is_settled, device, tap)):
                return tap
            await self._strike(Blow("agent", "anywhere"), device, tap, chance)
        raise LabBroke(f"nothing that {device.name} says is settled:\n{device.program.said}")

    async def _reached(self, true: Callable[[], object]) -> bool:
        until_s = clock.monotonic() + AIM_S
        while not true() and clock.monotonic() < until_s:
            await clock.sleep(0.005)
        return bool(true())

    async def _strike(self, blow: Blow, device: Device, tap: Tap, chance: random.Random) -> None:
        """Kill, note the phase, and bring the victim back, with another kill while it starts where that was dealt."""
        self._kill(blow.victim, device, tap)
        if chance.random() < 0.5:
            await device.link.cut()
        device.link.release()
        await clock.sleep(chance.uniform(0.0, 0.1))
        if blow.victim == "broker":
            await self._lab.broker.bury()
            await self._lab.broker.start("mosquitto" if chance.random() < MOSQUITTO_SHARE else "nats")
            return
        victim = device if blow.victim == "agent" else self._lab.cloud
        await victim.bury()
        if blow.aim == "starting":
            await victim.program.start()
            await clock.sleep(chance.uniform(0.0, 0.25 if blow.victim == "agent" else 0.8))
            self._kill(blow.victim, device, tap)
            self.detail["kills while starting"] += 1
            await victim.bury()
        await victim.start()

    def _kill(self, victim: Victim, device: Device, tap: Tap) -> None:
        """Stop what could change the files, kill, read, and let the others go on: one instant, seen from outside."""
        cloud = self._lab.cloud
        stopped = [program.pid for program in (device.program, cloud.program) if program.running]
        for pid in stopped:
            freeze(pid)
        killable: dict[Victim, Killable] = {"agent": device.program, "cloud": cloud.program, "broker": self._lab.broker}
        killable[victim].kill()
        phase = phase_of(device, tap, cloud.ledger)
        for pid in stopped:
            thaw(pid)
        self._deck.hits[victim, phase] += 1
        if victim == "broker":
            self.detail[f"kills of {self._lab.broker.kind}"] += 1
        self._pace.step(self._deck.hits.total())


def _is_settled(device: Device, tap: Tap) -> bool:
    return tap.lamp_s is not None and not has(held(device.outbox), tap)


def spin(duration_s: float) -> None:
    """Wait for less than the event loop can."""
    until_s = clock.monotonic() + duration_s
    while clock.monotonic() < until_s:
        pass


def phase_of(device: Device, tap: Tap, ledger: Path) -> Phase:
    """Where a press stands, from the two files, and from whether the link has carried anything since its push.

    `unclear` where a process was stopped while it had a file to itself, as it has for an instant when it opens it.
    """
    try:
        in_outbox, in_ledger = has(held(device.outbox), tap), has(stored(ledger, device.unit), tap)
    except sqlite3.OperationalError:
        return "unclear"
    if in_ledger:
        return "ledger to settle" if in_outbox else "after settle"
    if not in_outbox:
        return "before commit"
    return "commit to send" if device.link.carried_up == tap.sent_bytes else "send to ledger"


async def run_kills(folder: Path, count: int, seed: int, say: Callable[[str], None], source: Path = ROOT) -> Figures:
    """Run `count` kills or a few more in a lab in `folder`, heal, and audit."""
    deck = Deck(count, random.Random(seed))
    async with running_lab(folder, min(DEVICES, max(4, count // 8)), source=source) as lab:
        run = KillRun(lab, deck, Pace("kills", deck.count, say), seed)
        await run.run()
        verdict = audit(lab.presses, read_ledger(lab.cloud.ledger))
        run.detail["gaps recorded"] = count_rows(lab.cloud.ledger, "gap")
        run.detail["events refused"] = count_rows(lab.cloud.ledger, "refused")
        run.detail["outboxes set aside"] = sum(device.set_aside for device in lab.devices)
    victims: Counter[str] = Counter()
    for (victim, _), hits in deck.hits.items():
        victims[f"kills of {victim}"] += hits
    return Figures(
        fault="kill -9",
        faults=deck.hits.total(),
        verdict=verdict,
        phases={phase: deck.phases[phase] for phase in (*PHASES[:2], "send to ledger", *PHASES[2:], "unclear")},
        detail={key: float(value) for key, value in {**victims, **run.detail}.items()},
    )


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Kill `count` times, and hold the ledger against what the lamps said."""
    with tempfile.TemporaryDirectory(prefix="kills") as folder:
        return asyncio.run(run_kills(Path(folder), count, seed, say))


def main() -> None:
    """Run this lab alone; prints its figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="how many (default 100)")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the moments (default 1)")
    asked = parser.parse_args()
    figures = prove(asked.kills, asked.seed, lambda line: print(line, flush=True))
    print(msgspec.json.encode(figures).decode())
    raise SystemExit(0 if figures.verdict.holds else 1)


if __name__ == "__main__":
    main()
