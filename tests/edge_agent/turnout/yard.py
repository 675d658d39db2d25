"""A station to test a turnout with: a simulated plant on a real Modbus server, and the agent's parts beside it."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock, SystemClock
from edge_agent.turnout import Turnout
from simulator.plant import Plant
from tests.chaos.turnout_program import Rig
from tests.chaos.turnout_station import PARTS
from tests.waiting import eventually


class Yard:
    """A plant, and the turnout that runs it."""

    def __init__(self, folder: Path, plant: Plant, port: int, clock: Clock) -> None:
        """Open the turnout's files."""
        self.folder, self.plant = folder, plant
        self.rig = Rig(folder, port, clock=clock)

    @property
    def turnout(self) -> Turnout:
        """What is under test."""
        return self.rig.turnout

    @property
    def told(self) -> list[dict[str, Any]]:
        """Every event that control was told, in order."""
        return read_told(self.folder)

    def outcomes(self, order: str, revision: int = 1) -> dict[str, str]:
        """The newest outcome of each step that control was told of."""
        receipts = [one for one in self.told if one["kind"] == "receipt"]
        return {
            one.get("step", ""): one["outcome"]
            for one in receipts
            if (one["order"], one["revision"]) == (order, revision)
        }

    def reasons(self, order: str, revision: int = 1) -> dict[str, str]:
        """Likewise the reasons."""
        receipts = [one for one in self.told if one["kind"] == "receipt"]
        return {
            one.get("step", ""): one.get("reason", "")
            for one in receipts
            if (one["order"], one["revision"]) == (order, revision)
        }

    async def until(self, true: Callable[[], object], what: str) -> None:
        """Wait for something; what control was told is in the message where it never comes."""
        try:
            await eventually(true, what=what)
        except AssertionError as error:
            raise AssertionError(f"{error}; told: {json.dumps(self.told)}") from None


def read_told(folder: Path) -> list[dict[str, Any]]:
    """Every unsettled event of an outbox, in order."""
    path = folder / "outbox.db"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as db:
        return [json.loads(event) for (event,) in db.execute("SELECT event FROM status ORDER BY seq")]


@asynccontextmanager
async def served(plant: Plant | None = None) -> AsyncIterator[tuple[Plant, int]]:
    """A plant on a Modbus server."""
    plant = plant or Plant(PARTS, clock=SystemClock())
    async with plant.serve_tcp() as port:
        yield plant, port


@asynccontextmanager
async def working(folder: Path, plant: Plant, port: int, *, clock: Clock | None = None) -> AsyncIterator[Yard]:
    """The turnout, running, once the station has been read."""
    yard = Yard(folder, plant, port, clock or SystemClock())
    async with yard.rig.running() as turnout:
        await yard.until(lambda: "io.di8" in turnout._station.plant.points, "the station is read")
        yield yard


def scene(folder: Path, play: Callable[[Yard], Coroutine[Any, Any, None]]) -> None:
    """Play something with a plant and a turnout."""

    async def run() -> None:
        async with served() as (plant, port), working(folder, plant, port) as yard:
            await play(yard)

    asyncio.run(run())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let nobody write a database while the block runs, as a disk that fails does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
