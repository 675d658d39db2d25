"""A station of the lab: a simulated plant in this process, and the turnout under test in another, which is killed.

What is found out of it comes from outside alone: the plant's contacts, and the files, read with SQLite.
"""

import asyncio
import json
import os
import signal
import sqlite3
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from edge_agent.clock import SystemClock
from simulator.plant import Cooker, Door, Indicator, Inputs, Light, Parts, Plant, Sounder
from tests.chaos import turnout_program
from tests.chaos.turnout_program import TRAVEL_S
from wire.messages import Command

ROOT = Path(__file__).parents[2]
PARTS = Parts(
    slaves=(("io", 1),),
    sounders=(
        Sounder(id="dorm", zone="dorm", output="io.do0", proof="io.di0"),
        Sounder(id="cells", zone="cells", output="io.do1", proof="io.di1"),
    ),
    lights=(Light(id="dorm", zone="dorm", output="io.do2", proof="io.di2"),),
    cookers=(Cooker(id="mess", zone="dorm", output="io.do3", proof="io.di3", reset="io.di17"),),
    indicators=(Indicator(unit="engine-1", output="io.do4", proof="io.di4"),),
    doors=(
        Door(
            id="bay-1",
            units=("engine-1",),
            output="io.do8",
            open_input="io.di8",
            closed_input="io.di9",
            travel_s=TRAVEL_S,
        ),
    ),
    inputs=Inputs(acknowledge="io.di16"),
)
SOUNDER, CELLS, LIGHT, COOKER, DOOR = "io.do0", "io.do1", "io.do2", "io.do3", "io.do8"
START_S = 30.0
"""Far above what a start takes on busy cores."""
FINAL = frozenset({"done", "failed", "refused", "expired", "unknown"})

clock = SystemClock()


class Key(NamedTuple):
    """What the journal has one row of."""

    order: str
    revision: int
    step: str


class TrappedPlant(Plant):
    """A plant in which a coil can be a trap: the moment that it is driven, something happens."""

    def __init__(self) -> None:
        """No trap is set."""
        self.trap = ""
        self.spring: Callable[[], None] = lambda: None
        super().__init__(PARTS, clock=clock)

    def write(self, point: str, value: int) -> None:
        """Drive an output."""
        super().write(point, value)
        if value and point == self.trap:
            self.trap = ""
            self.spring()

    def rises(self, point: str, since: int) -> int:
        """How often a coil went on, from so many changes on."""
        return sum(change.point == point and bool(change.value) for change in self.changes[since:])


class Station:
    """A plant and its turnout. The turnout is started again whenever it has died."""

    def __init__(self, folder: Path, source: Path) -> None:
        """Nothing runs yet. `source` has the code under test."""
        self.folder, self._source = folder, source
        self.plant = TrappedPlant()
        self.plant.spring = self.kill
        self.nonces: list[str] = []
        self.is_up = False
        """Whether a turnout runs that has given out a nonce, and has not been killed."""
        self.kills = 0
        self.phases: Counter[str] = Counter()
        self.order = ""
        """The order that the kills are about."""
        self._process: Process | None = None
        self._dying = False
        self._port = 0

    async def run(
        self, port: int, starting: Callable[[], Coroutine[Any, Any, None]], started: Callable[[], None]
    ) -> None:
        """Keep the turnout up until cancelled. `starting` runs while it starts, `started` once it is up."""
        self._port = port
        while True:
            async with asyncio.TaskGroup() as tasks:
                start = tasks.create_task(self._start())
                tasks.create_task(starting())
            assert self._process is not None
            if start.result():
                started()
                await self._process.wait()
            assert self._dying, f"the turnout in {self.folder} has ended by itself"

    async def stop(self) -> None:
        """End the turnout."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def kill(self) -> None:
        """Kill the turnout with `kill -9`, if there is one, and note what its journal then says."""
        if self._process is None or self._process.returncode is not None or self._dying:
            return
        os.kill(self._process.pid, signal.SIGKILL)
        self.is_up, self._dying = False, True
        self.kills += 1
        self.phases[phase_of(self.journal(), self.order)] += 1

    def send(self, command: Command, nonce: str | None = None) -> None:
        """Send a command as the cloud does, quoting the newest nonce or another. It is lost where nobody is there."""
        if not self.is_up:
            return
        assert self._process is not None and self._process.stdin is not None
        quoted = msgspec.structs.replace(command, nonce=nonce or self.nonces[-1])
        try:
            self._process.stdin.write(msgspec.json.encode(quoted) + b"\n")
        except ConnectionError:
            pass

    def journal(self) -> dict[Key, str] | None:
        """The journal's outcomes; None where the file can't be read just now."""
        rows = self._read("journal.db", "SELECT body FROM line")
        if rows is None:
            return None
        bodies = [json.loads(body)["row"] for body in rows]
        return {Key(body["order"], body["revision"], body.get("step", "")): body["outcome"] for body in bodies}

    def receipts(self) -> dict[Key, str] | None:
        """The newest receipt of each row that is on its way to control; None where the file can't be read just now."""
        rows = self._read("outbox.db", "SELECT event FROM status ORDER BY seq")
        if rows is None:
            return None
        events = [event for row in rows if (event := json.loads(row))["kind"] == "receipt"]
        return {Key(each["order"], each["revision"], each.get("step", "")): each["outcome"] for each in events}

    async def _start(self) -> bool:
        """Start the turnout; tells whether it has got as far as giving out a nonce."""
        self._dying = False
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", turnout_program.__name__, str(self.folder), str(self._port)),
            stdin=PIPE,
            stdout=PIPE,
            cwd=self._source,
            env={**os.environ, "PYTHONPATH": f"{self._source}{os.pathsep}{ROOT}"},
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_S):
            line = await self._process.stdout.readline()
        if not line:
            await self._process.wait()
            return False
        self.nonces.append(line.decode().split()[1])
        self.is_up = not self._dying
        return True

    def _read(self, name: str, query: str) -> list[Any] | None:
        path = self.folder / name
        if not path.exists():
            return []
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as db:
                return [row for (row,) in db.execute(query)]
        except sqlite3.OperationalError:
            return None


def phase_of(journal: dict[Key, str] | None, order: str) -> str:
    """How far an order had come, by its journal."""
    if journal is None:
        return "unclear"
    held = {(key.revision, key.step): outcome for key, outcome in journal.items() if key.order == order}
    if not held:
        return "before the journal"
    if held.get((1, "")) in FINAL:
        return "over"
    if (2, "") in held:
        return "cancelled"
    door = held.get((1, "door:bay-1"))
    if door is None:
        return "alerting"
    return "door begun" if door == "started" else "door over"
