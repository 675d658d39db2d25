"""The turnout over restarts, and on disks and files that fail: what was begun is known, and a door is never risked."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from edge_agent.clock import SystemClock
from edge_agent.turnout import Journal
from edge_agent.turnout.journal import read_boot_id
from simulator.plant import Plant
from tests.chaos.turnout_station import COOKER, DOOR, PARTS, SOUNDER
from tests.edge_agent.turnout.lab import call, command, order_id, row
from tests.edge_agent.turnout.yard import Yard, locked, read_told, scene, served, working
from wire.events import Outcome

ORDER = order_id()
FRESH_S = 60.0


def write_journal(folder: Path, *steps: tuple[str, Outcome]) -> None:
    """Leave a journal behind, of an order that came in a moment ago."""

    async def run() -> None:
        clock = SystemClock()
        journal = Journal(folder, clock=clock, boot_id=read_boot_id())
        now_s = clock.monotonic()
        held = call(received_s=now_s - 1.0, expires_s=now_s + FRESH_S)
        await journal.record([row(call=held), *(row(step, outcome) for step, outcome in steps)])
        await journal.close()

    asyncio.run(run())


def test_what_was_not_told_is_told_after_a_restart(tmp_path: Path) -> None:
    """The receipts that never came to the outbox do now, once, and then they count as told."""
    write_journal(tmp_path, ("sounder:dorm", "done"))

    async def play(yard: Yard) -> None:
        await yard.until(lambda: {"", "sounder:dorm"} <= set(yard.outcomes(ORDER)), "the receipts are told")
        await yard.until(lambda: all(line.told for line in yard.rig.journal.lines), "they are marked")

    scene(tmp_path, play)
    told_before = count_receipts(tmp_path, "sounder:dorm")
    scene(tmp_path, play)
    assert told_before == count_receipts(tmp_path, "sounder:dorm")


def count_receipts(folder: Path, step: str) -> int:
    """How many receipts of a step an outbox holds."""
    return sum(one["kind"] == "receipt" and one.get("step") == step for one in read_told(folder))


def test_an_interrupted_alert_sounds_again(tmp_path: Path) -> None:
    """A station whose module lost its outputs meanwhile rings again, and the order ends in the end."""
    write_journal(tmp_path, ("sounder:dorm", "done"))

    async def play(yard: Yard) -> None:
        await yard.until(lambda: yard.plant.read(SOUNDER), "it rings")
        yard.turnout.take(command(revision=2, action="cancel", nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.outcomes(ORDER).get("") == "done", "the order has ended")
        await yard.until(lambda: not yard.plant.read(SOUNDER), "it is quiet")

    scene(tmp_path, play)


def test_what_an_ended_order_left_on_is_turned_off(tmp_path: Path) -> None:
    """It was killed between the row of its end and the write that ends the sound: the next start makes it quiet."""
    write_journal(tmp_path, ("sounder:dorm", "done"), ("", "done"))
    plant = Plant(PARTS, clock=SystemClock())
    plant.write(SOUNDER, 1)
    plant.write(COOKER, 1)

    async def run() -> None:
        async with served(plant) as (_, port), working(tmp_path, plant, port) as yard:
            await yard.until(lambda: not plant.read(SOUNDER), "it is quiet")
            assert plant.read(COOKER)

    asyncio.run(run())


def test_a_door_that_was_begun_is_not_opened_again(tmp_path: Path) -> None:
    """Its outcome is unknown, whatever is acknowledged or sent again."""
    write_journal(tmp_path, ("acknowledge", "done"), ("door:bay-1", "started"))

    async def play(yard: Yard) -> None:
        yard.turnout.take(command(nonce=yard.turnout.nonce()))
        await yard.turnout.acknowledge(ORDER)
        await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "unknown", "the door's outcome is unknown")
        assert {"bay-1": 0} == yard.plant.door_pulses

    scene(tmp_path, play)


def test_a_damaged_journal_opens_no_door(tmp_path: Path) -> None:
    """What is left of it may lack the row that says that the door was opened; the alert sounds again all the same."""
    write_journal(tmp_path, ("sounder:dorm", "done"))
    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek(0, 2)
        file.write(b"x" * 100)
        file.seek(28)
        file.write(b"\0\0\0\x09")  # more pages than there are

    async def play(yard: Yard) -> None:
        assert yard.rig.journal.salvaged and "set aside" in yard.turnout.faults[0]
        await yard.until(lambda: yard.plant.read(SOUNDER), "it rings")
        await yard.turnout.acknowledge(ORDER)
        await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "unknown", "the door's outcome is unknown")
        assert "journal_damaged" == yard.reasons(ORDER)["door:bay-1"]
        assert {"bay-1": 0} == yard.plant.door_pulses

    scene(tmp_path, play)


def test_a_disk_that_fails_silences_nothing_and_opens_nothing(tmp_path: Path) -> None:
    """Sounders ring and no door moves; control is told nothing of it that is not on disk, and everything afterwards."""

    async def play(yard: Yard) -> None:
        yard.rig.journal._file._db.execute("PRAGMA busy_timeout=0")
        with locked(tmp_path / "journal.db"):
            yard.turnout.take(command(nonce=yard.turnout.nonce()))
            await yard.until(lambda: yard.plant.read(SOUNDER), "it rings")
            assert "done" == await yard.turnout.acknowledge(ORDER)
            await yard.until(lambda: yard.turnout.view[0].steps[-1].reason == "storage_failed", "the door has failed")
            assert {} == yard.outcomes(ORDER) and "cannot be written" in yard.turnout.faults[0]
            yard.turnout.take(command(nonce=yard.turnout.nonce()))
        await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "failed", "what happened is told")
        assert "accepted" == yard.outcomes(ORDER)[""] and () == yard.turnout.faults
        assert {"bay-1": 0} == yard.plant.door_pulses

    scene(tmp_path, play)


def test_a_disk_that_does_not_answer_silences_nothing_and_opens_nothing(tmp_path: Path) -> None:
    """It neither takes a row nor fails: sounders ring all the same, no door moves, and what happened is told later."""

    async def play(yard: Yard) -> None:
        yard.rig.journal._file._db.execute("PRAGMA busy_timeout=60000")
        with locked(tmp_path / "journal.db"):
            yard.turnout.take(command(nonce=yard.turnout.nonce()))
            await yard.until(lambda: yard.plant.read(SOUNDER), "it rings")
            assert "done" == await yard.turnout.acknowledge(ORDER)
            await yard.until(lambda: yard.turnout.view[0].steps[-1].reason == "storage_failed", "the door has failed")
            assert {} == yard.outcomes(ORDER) and "does not answer" in yard.turnout.faults[0]
        await yard.until(lambda: yard.outcomes(ORDER).get("door:bay-1") == "failed", "what happened is told")
        await yard.until(lambda: () == yard.turnout.faults, "the journal has healed")
        assert "accepted" == yard.outcomes(ORDER)[""]
        assert {"bay-1": 0} == yard.plant.door_pulses

    scene(tmp_path, play)


class Witness(Plant):
    """A plant that looks into the journal the moment that its door's coil is driven."""

    def __init__(self, folder: Path) -> None:
        """Look into this folder's journal."""
        self._folder = folder
        self.seen: list[list[str]] = []
        super().__init__(PARTS, clock=SystemClock())

    def write(self, point: str, value: int) -> None:
        """Drive an output."""
        if point == DOOR and value:
            self.seen.append(journaled(self._folder))
        super().write(point, value)


def journaled(folder: Path) -> list[str]:
    """The steps that a journal holds on disk."""
    with closing(sqlite3.connect(f"{(folder / 'journal.db').absolute().as_uri()}?mode=ro", uri=True)) as db:
        return [step for (step,) in db.execute("SELECT step FROM line")]


def test_a_door_is_in_the_journal_before_it_moves(tmp_path: Path) -> None:
    """When its coil is driven, the row that says so is on disk already."""
    plant = Witness(tmp_path)

    async def run() -> None:
        async with served(plant) as (_, port), working(tmp_path, plant, port) as yard:
            yard.turnout.take(command(nonce=yard.turnout.nonce()))
            await yard.until(lambda: yard.outcomes(ORDER).get("sounder:dorm") == "done", "it rings")
            await yard.turnout.acknowledge(ORDER)
            await yard.until(lambda: plant.seen, "the door is driven")

    asyncio.run(run())
    assert 1 == len(plant.seen) and "door:bay-1" in plant.seen[0]
