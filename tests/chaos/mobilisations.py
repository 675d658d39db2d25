"""`kill -9` in the middle of mobilisations: no door is opened twice, an alert sounds on, and every order has an end.

A station's turnout runs as a process of its own, on a simulated plant that lives here and outlives it. Each round is
one order and its cancel, each sent at least three times, at seeded moments and in any order, over a turnout that is
killed at a seeded moment or the instant that a coil is driven, and started again. Meanwhile the plant may lose its
outputs, and a person may close the door. `python -m tests.chaos.mobilisations` runs this lab alone.

The verdict is the one of the other labs, with orders for presses: `lost` are revisions without a recorded end and
alerts that did not sound again, `twice` doors that were opened twice for one order, and `out_of_order` orders that did
something after their cancel.
"""

import argparse
import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec

from tests.chaos.pace import Pace
from tests.chaos.turnout_program import SOUND_S
from tests.chaos.turnout_station import DOOR, FINAL, LIGHT, ROOT, SOUNDER, Key, Station, clock
from tests.chaos.verdict import Figures, Verdict
from wire.messages import CalledUnit, Command

Aim = Literal["taken", "alerting", "door", "cancel", "anywhere", "starting"]
AIMS: tuple[Aim, ...] = ("taken", "alerting", "door", "door", "cancel", "anywhere", "starting")
"""The door is aimed at twice as often: what is done once is what a kill can double."""
STATIONS = 3
COPIES = 3
CANCEL_FIRST_SHARE = 0.15
RESEND_S = 0.25
ROUND_S = 30.0
"""Within this long a round ends, starts on busy cores included; a revision without an end by then is lost."""
SOUND_AGAIN_S = 3.0
"""How soon after its start a turnout must sound an interrupted alert, on busy cores."""
QUIET_S = 3.0
SHORTFALLS = ("without an end", "doors opened twice", "after the cancel")
ENGINE = CalledUnit(unit="engine-1", callsign="P12", service="fire")
AT = datetime(2026, 11, 3, 12, tzinfo=UTC)


class Round:
    """One order at one station, from its first command to the end of its cancel."""

    def __init__(self, station: Station, aim: Aim, chance: random.Random) -> None:
        """Nothing is sent yet."""
        self._station, self._aim, self._chance = station, aim, chance
        self._plant = station.plant
        self.order = station.order = str(UUID(int=chance.getrandbits(128), version=4))
        self._since = len(self._plant.changes)
        self._began_s = clock.monotonic()
        self._sent: Counter[int] = Counter()
        self._asked: set[int] = set()
        self.found: Counter[str] = Counter()

    def __str__(self) -> str:
        """What was found, and everything that the plant and the journal show of it."""
        changes = [
            f"{one.at_s - self._began_s:.3f} {one.point}={one.value}" for one in self._plant.changes[self._since :]
        ]
        journal = {key[1:]: outcome for key, outcome in (self._station.journal() or {}).items() if key[0] == self.order}
        return f"{dict(self.found)}, aimed at {self._aim}; plant: {', '.join(changes)}; journal: {journal}"

    async def run(self) -> None:
        """Play it, and look at what came of it."""
        if self._chance.random() < 0.4:
            self._plant.break_door("bay-1")
        first = self._chance.random() < CANCEL_FIRST_SHARE
        async with asyncio.TaskGroup() as tasks:
            cloud = tasks.create_task(self._resend())
            if self._aim == "anywhere":
                tasks.create_task(self._kill_later(1.5))
            try:
                async with asyncio.timeout(ROUND_S):
                    await (self._play_cancelled() if first else self._play())
                    await self._ended()
            except TimeoutError:
                self.found["without an end"] += sum(not self._has_end(each) for each in self._asked)
            cloud.cancel()
        await self._look(cancelled_first=first)
        self._plant.mend_door("bay-1")
        self._plant.close_door("bay-1")

    async def starting(self) -> None:
        """What happens while the turnout is down and starts again."""
        if self._chance.random() < 0.5:
            self._plant.drop_outputs("io")
        if self._chance.random() < 0.5:
            self._plant.close_door("bay-1")
        if self._aim == "starting" and self._chance.random() < 0.5:
            await self._kill_later(0.8)

    def must_sound(self) -> bool:
        """Whether the alert must be heard: taken in, not acknowledged, not cancelled, and with time to spare."""
        journal = self._station.journal() or {}
        steps = {key.step for key in journal if key.order == self.order and key.revision == 1}
        in_hand = journal.get(Key(self.order, 1, "")) == "accepted" and "acknowledge" not in steps
        left_s = self._began_s + SOUND_S - clock.monotonic()
        return in_hand and 2 not in self._asked and left_s > SOUND_AGAIN_S + 1.0

    async def _play(self) -> None:
        self._plant.trap = {"alerting": SOUNDER, "door": DOOR}.get(self._aim, "")
        await self._command(1)
        if self._aim == "taken":
            await self._kill_later(0.03)
        if self._aim == "starting":
            await self._kill_later(0.3)
        await self._until(lambda: self._is_journaled(1))
        await self._listen()
        await self._acknowledge()
        self._again(1)
        await self._until(lambda: self._outcome(1, "door:bay-1") in (*FINAL, "started") or self._has_end(1))
        self._again(1)
        await clock.sleep(self._chance.uniform(0.0, 0.3))
        self._plant.trap = ""
        await self._command(2)
        if self._aim == "cancel":
            await self._kill_later(0.03)
        self._again(1)

    async def _play_cancelled(self) -> None:
        """The cancel has overtaken its order."""
        await self._command(2)
        if self._aim in ("taken", "cancel", "starting"):
            await self._kill_later(0.03)
        await self._until(lambda: self._is_journaled(2))
        await self._command(1)

    async def _ended(self) -> None:
        """Send what has to be sent three times, and wait until both have ended, on disk and on their way to control."""
        while any(self._sent[revision] < COPIES for revision in self._asked):
            await self._until(lambda: self._station.is_up)
            for revision in self._chance.sample(sorted(self._asked), len(self._asked)):
                self._again(revision)
            await clock.sleep(0.05)
        await self._until(lambda: all(self._has_end(revision) for revision in self._asked))

    async def _look(self, *, cancelled_first: bool) -> None:
        """What must be true once it is over."""
        await self._quiet()
        rung = len(self._plant.changes)
        for revision in (1, 2, 1):
            self._again(revision)
        await clock.sleep(0.3)
        late = self._plant.rises(SOUNDER, rung) + self._plant.rises(DOOR, rung)
        if cancelled_first:
            late += self._plant.rises(SOUNDER, self._since) + self._plant.rises(DOOR, self._since)
        self.found["after the cancel"] += bool(late or self._is_on())
        pulses = self._plant.rises(DOOR, self._since)
        self.found["doors opened"] += pulses > 0
        self.found["doors opened twice"] += pulses > 1
        self.found["revisions"] += len(self._asked)

    async def _quiet(self) -> None:
        """Wait for the sounders and lights to be off, or for so long as a turnout that is up may take to see to it."""
        by_s = clock.monotonic() + QUIET_S
        while clock.monotonic() < by_s and (self._is_on() or not self._station.is_up):
            by_s = by_s if self._station.is_up else clock.monotonic() + QUIET_S
            await clock.sleep(0.01)

    def _is_on(self) -> bool:
        return bool(self._plant.read(SOUNDER) or self._plant.read(LIGHT))

    async def _listen(self) -> None:
        """Let it ring for a while, so that a kill can fall between."""
        await self._until(lambda: self._plant.read(SOUNDER) or self._has_end(1))
        await clock.sleep(self._chance.uniform(0.0, 0.2))

    async def _acknowledge(self) -> None:
        """Push the button, and push it again where nothing came of it, as a person does."""
        while self._outcome(1, "acknowledge") is None and not self._has_end(1):
            if not self._plant.read("io.di16"):
                self._plant.press_acknowledge()
            await clock.sleep(0.05)

    async def _command(self, revision: int) -> None:
        await self._until(lambda: self._station.is_up)
        self._asked.add(revision)
        self._again(revision)

    def _again(self, revision: int) -> None:
        """Send a command, now and then with a nonce of another life."""
        stale = len(self._station.nonces) > 1 and self._chance.random() < 0.2
        self._sent[revision] += self._station.is_up
        self._station.send(self._make(revision), self._station.nonces[0] if stale else None)

    async def _resend(self) -> None:
        """Send what has no receipt yet again and again, as the cloud does."""
        while True:
            await clock.sleep(RESEND_S)
            receipts = self._station.receipts()
            for revision in sorted(self._asked):
                if receipts is not None and receipts.get(Key(self.order, revision, ""), "refused") == "refused":
                    self._again(revision)

    async def _kill_later(self, within_s: float) -> None:
        await clock.sleep(self._chance.uniform(0.0, within_s))
        self._station.kill()

    async def _until(self, true: Callable[[], object]) -> None:
        while not true():
            await clock.sleep(0.02)

    def _make(self, revision: int) -> Command:
        return Command(
            v=1,
            owner_term=1,
            order=self.order,
            revision=revision,
            action="mobilise" if revision == 1 else "cancel",
            nonce="",
            expires_ms=300_000,
            issued_at=AT,
            units=[ENGINE],
        )

    def _outcome(self, revision: int, step: str) -> str | None:
        return (self._station.journal() or {}).get(Key(self.order, revision, step))

    def _is_journaled(self, revision: int) -> bool:
        return self._outcome(revision, "") is not None

    def _has_end(self, revision: int) -> bool:
        """Whether a revision has ended on disk, and control is being told so."""
        told = (self._station.receipts() or {}).get(Key(self.order, revision, ""))
        return self._outcome(revision, "") in FINAL and told in FINAL


class Run:
    """All rounds of all stations."""

    def __init__(self, count: int, seed: int, say: Callable[[str], None]) -> None:
        """Nothing is killed yet."""
        self._count, self._seed, self._say = count, seed, say
        self._pace = Pace("mobilisations", count, say)
        self._aims = [AIMS[at % len(AIMS)] for at in range(count)]
        random.Random(seed).shuffle(self._aims)
        self.stations: list[Station] = []
        self.found: Counter[str] = Counter()
        self.rounds = 0
        self._failed = asyncio.Event()

    @property
    def kills(self) -> int:
        """How often anything was killed."""
        return sum(station.kills for station in self.stations)

    async def work(self, station: Station, name: str) -> None:
        """Play rounds at one station until enough has been killed, or something has not held."""
        self.stations.append(station)
        chance = random.Random(f"{self._seed}/{name}")
        current = Round(station, "anywhere", chance)
        listening: list[asyncio.Task[None]] = []

        async def starting() -> None:
            await current.starting()

        def started() -> None:
            listening.append(asyncio.create_task(self._hear_again(station, current)))

        async with station.plant.serve_tcp() as port:
            keeping = asyncio.create_task(station.run(port, starting, started))
            try:
                while self.kills < self._count and not self._failed.is_set():
                    current = Round(station, self._deal(), chance)
                    await self._play(current, keeping)
            finally:
                keeping.cancel()
                await asyncio.gather(keeping, *listening, return_exceptions=True)
                await station.stop()

    def _deal(self) -> Aim:
        self.rounds += 1
        return self._aims[(self.rounds - 1) % len(self._aims)]

    async def _play(self, current: Round, keeping: asyncio.Task[None]) -> None:
        """Play a round, until it is over, something has not held, or the turnout can't be kept up."""
        playing = asyncio.create_task(current.run())
        failed = asyncio.create_task(self._failed.wait())
        try:
            await asyncio.wait({keeping, playing, failed}, return_when=asyncio.FIRST_COMPLETED)
            if keeping.done():
                keeping.result()
            if playing.done():
                playing.result()
        finally:
            playing.cancel()
            failed.cancel()
            await asyncio.gather(playing, failed, return_exceptions=True)
        self.found += current.found
        self._pace.step(self.kills)
        if any(current.found[each] for each in SHORTFALLS):
            self._say(f"does not hold: {current}")
            self._failed.set()

    async def _hear_again(self, station: Station, current: Round) -> None:
        """After a start: an alert that was interrupted must be heard again."""
        if not current.must_sound():
            return
        by_s = clock.monotonic() + SOUND_AGAIN_S
        life = station.kills
        while not station.plant.read(SOUNDER):
            if station.kills != life or not current.must_sound():
                return
            if clock.monotonic() > by_s:
                self.found["not sounded again"] += 1
                self._failed.set()
                return
            await clock.sleep(0.01)
        self.found["sounded again"] += 1


async def run_mobilisations(
    folder: Path, count: int, seed: int, say: Callable[[str], None], source: Path = ROOT
) -> Figures:
    """Kill `count` times or a few more, at stations in `folder`."""
    run = Run(count, seed, say)
    async with asyncio.TaskGroup() as tasks:
        for name in map(str, range(min(STATIONS, max(1, count // 6)))):
            (folder / name).mkdir(parents=True)
            tasks.create_task(run.work(Station(folder / name, source), name))
    phases: Counter[str] = Counter()
    for station in run.stations:
        phases += station.phases
    found = run.found
    verdict = Verdict(
        presses=found["revisions"],
        confirmed=found["revisions"] - found["without an end"],
        lost=found["without an end"] + found["not sounded again"],
        twice=found["doors opened twice"],
        out_of_order=found["after the cancel"],
    )
    detail = {key: float(found[key]) for key in ("doors opened", "sounded again")} | {"orders": float(run.rounds)}
    return Figures(
        fault="kill -9 in a mobilisation", faults=run.kills, verdict=verdict, phases=dict(phases), detail=detail
    )


def prove(count: int, seed: int, say: Callable[[str], None]) -> Figures:
    """Kill `count` times, and hold what the plant saw and the files say against what was promised."""
    with tempfile.TemporaryDirectory(prefix="mobilisations") as folder:
        return asyncio.run(run_mobilisations(Path(folder), count, seed, say))


def main() -> None:
    """Run this lab alone; prints its figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="how many (default 200)")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the moments (default 1)")
    asked = parser.parse_args()
    figures = prove(asked.kills, asked.seed, lambda line: print(line, flush=True))
    print(msgspec.json.encode(figures).decode())
    raise SystemExit(0 if figures.verdict.holds else 1)


if __name__ == "__main__":
    main()
