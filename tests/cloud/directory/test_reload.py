"""The folder is watched: what is right comes into force within seconds, what is wrong changes nothing and says so."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from cloud.clock import SystemClock
from cloud.directory import Directory, InForce, Reloader, load
from cloud.directory.folder import look
from cloud.errors import Retryable
from tests.cloud.directory.shire import AREA_FILE, write_shire
from tests.waiting import eventually

FASTER = 20
"""How much shorter a pause is here: a look each 50 ms."""


class QuickClock(SystemClock):
    """The system's clock, on which pauses are short."""

    async def sleep(self, duration_s: float) -> None:
        """Wait for a part of it."""
        await super().sleep(duration_s / FASTER)


class Lab:
    """A folder, what is in force of it, and what was written down."""

    def __init__(self, folder: Path) -> None:
        """The shire is in force."""
        self.folder = write_shire(folder)
        self.in_force = InForce(load(self.folder))
        self.told: list[tuple[str, str]] = []
        """The versions before and after, as whoever follows was told."""
        self.in_force.follow(lambda before, now: self.told.append((before.version, now.version)))
        self.recorded: list[str] = []
        self.broken = False
        self.reloader = Reloader(self.folder, self.in_force, clock=QuickClock(), record=self._record)

    @property
    def version(self) -> str:
        """Of what is in force."""
        return self.in_force.directory.version

    def change(self, old: str, new: str, file: str = "units.toml") -> None:
        """Change a file as an editor does: whole, in one step."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        written = path.with_name(f".{path.name}.new")
        written.write_text(text.replace(old, new), encoding="utf-8")
        os.replace(written, path)

    def _record(self, directory: Directory, _at: datetime) -> None:
        if self.broken:
            raise Retryable("the disk is full")
        self.recorded.append(directory.version)


@contextlib.asynccontextmanager
async def watching(lab: Lab) -> AsyncIterator[None]:
    """The reloader at work, after its first look."""
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(lab.reloader.run())
        await eventually(lambda: lab.recorded or lab.broken, what="the first look")
        yield
        running.cancel()


def run(folder: Path, scenario: Callable[[Lab], Coroutine[None, None, None]]) -> Lab:
    """Run a scenario beside a reloader on a fresh shire."""
    lab = Lab(folder)

    async def work() -> None:
        async with watching(lab):
            await scenario(lab)

    asyncio.run(work())
    return lab


def test_a_right_change_comes_into_force(tmp_path: Path) -> None:
    """A new callsign is there within looks, whoever follows is told once, and it is written down once."""

    async def scenario(lab: Lab) -> None:
        before, since = lab.version, lab.reloader.since
        lab.change('callsign = "14P1"', 'callsign = "14P7"')
        await eventually(lambda: lab.in_force.directory.units["14p1"].callsign == "14P7", what="the new callsign")
        await eventually(lambda: len(lab.recorded) == 2, what="it is written down")
        assert [before, lab.version] == lab.recorded
        assert [(before, lab.version)] == lab.told
        assert lab.reloader.since > since

    run(tmp_path, scenario)


def test_what_is_wrong_changes_nothing_and_heals(tmp_path: Path) -> None:
    """The old directory stays in force, one line says how many errors and which first; mended, all is well again."""

    async def scenario(lab: Lab) -> None:
        before = lab.version
        lab.change("minimum_crew = 4", "minimum_crew = 6")
        lab.change("days = 8", "days = 3", "shifts.toml")
        await eventually(lambda: "2 errors" in "".join(lab.reloader.trouble), what="trouble")
        first = "units.toml: unit[0].minimum_crew: is 6; expected at most preferred_crew, which is 5"
        assert [
            f"the directory's files have 2 errors, so version {before} stays in force: {first}; "
            f"`watchroom check {lab.folder}` lists them"
        ] == lab.reloader.trouble
        assert (before, [], 2) == (lab.version, lab.told, len(lab.reloader.problems))
        lab.change("days = 3", "days = 8", "shifts.toml")
        await eventually(lambda: "1 error," in "".join(lab.reloader.trouble), what="less trouble")
        lab.change("minimum_crew = 6", "minimum_crew = 3")
        await eventually(lambda: lab.version != before, what="the mended one")
        assert [] == lab.reloader.trouble

    with capture_logs() as logs:
        run(tmp_path, scenario)
    names = [line["event"] for line in logs]
    assert ["directory_refused", "directory_mended", "directory_reloaded"] == names, "once when it breaks, once after"


def test_a_file_that_cannot_be_read_is_trouble(tmp_path: Path) -> None:
    """What else the folder says is what is in force already, and the file is not passed over all the same."""
    lab = Lab(tmp_path)
    (lab.folder / "more.toml").write_bytes(b"\xff")
    (problem,) = asyncio.run(lab.reloader.look_now())
    assert ("more.toml", "is not text in UTF-8") == (problem.path, problem.problem)


def test_taking_a_change_back_heals_without_a_new_version(tmp_path: Path) -> None:
    """The files are as before, so the same directory is in force and nobody is told anything."""

    async def scenario(lab: Lab) -> None:
        before = lab.in_force.directory
        lab.change("minimum_crew = 4", "minimum_crew = 6")
        await eventually(lambda: lab.reloader.trouble, what="trouble")
        lab.change("minimum_crew = 6", "minimum_crew = 4")
        await eventually(lambda: not lab.reloader.trouble, what="no trouble")
        assert (before, []) == (lab.in_force.directory, lab.told)

    assert 1 == len(run(tmp_path, scenario).recorded)


@pytest.mark.parametrize("file", [AREA_FILE, "schemes/mine.toml", "more.toml"])
def test_every_kind_of_file_is_watched(tmp_path: Path, file: str) -> None:
    """Areas, schemes and new files count as the others do, and so does taking one away."""
    texts = {
        AREA_FILE: None,
        "schemes/mine.toml": 'replaces = "uk-police-state"\nvariant = "nottinghamshire"\n',
        "more.toml": '[[base]]\nid = "more"\nname = "More"\n',
    }

    async def scenario(lab: Lab) -> None:
        before, path = lab.version, lab.folder / file
        path.parent.mkdir(exist_ok=True)
        text = texts[file]
        if text is None:
            lab.change('"name": "Yard"', '"name": "Yard of 14"', file)
        else:
            path.write_text(text, encoding="utf-8")
        await eventually(lambda: lab.version != before, what="the change")
        changed = lab.version
        path.unlink()
        await eventually(lambda: lab.version != changed or lab.reloader.trouble, what="it is noticed")

    run(tmp_path, scenario)


def test_a_folder_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    """A mount that is lost is one error, with the folder's name; when it is back all is well."""

    async def scenario(lab: Lab) -> None:
        before = lab.version
        away = lab.folder.with_name("away")
        lab.folder.rename(away)
        await eventually(lambda: lab.reloader.trouble, what="trouble")
        assert "1 error" in lab.reloader.trouble[0] and before == lab.version
        away.rename(lab.folder)
        await eventually(lambda: not lab.reloader.trouble, what="no trouble")

    run(tmp_path / "shire", scenario)


class StepClock(SystemClock):
    """The system's clock, on which a pause ends when the test says so."""

    def __init__(self) -> None:
        """Nobody pauses yet."""
        self.pauses = 0
        self._go = asyncio.Event()

    async def sleep(self, duration_s: float) -> None:
        """Wait for a step."""
        self.pauses += 1
        await self._go.wait()
        self._go.clear()

    async def step(self) -> None:
        """End the pause, and wait for the next."""
        pauses = self.pauses
        self._go.set()
        await eventually(lambda: self.pauses > pauses, what="the next pause")


def test_what_is_still_being_copied_is_not_read(tmp_path: Path) -> None:
    """While a file goes on changing nothing is read; once two looks agree it is, and half a file never was trouble."""
    lab, clock = Lab(tmp_path), StepClock()
    lab.reloader = Reloader(lab.folder, lab.in_force, clock=clock, record=lab._record)

    async def scenario() -> None:
        async with watching(lab):
            await eventually(lambda: clock.pauses, what="the first pause")
            before, whole = lab.version, '[[base]]\nid = "new-base"\nname = "New"\n'
            with (lab.folder / "more.toml").open("w", encoding="utf-8") as file:
                for letter in whole:
                    file.write(letter)
                    file.flush()
                    await clock.step()
                    assert ([], before) == (lab.reloader.trouble, lab.version)
            await clock.step()
            assert "new-base" in lab.in_force.directory.bases

    asyncio.run(scenario())


def test_who_asks_has_it_looked_at_now(tmp_path: Path) -> None:
    """Asked for, the folder is read at once: what is right is in force on return, what is wrong is the answer."""
    lab = Lab(tmp_path)

    async def scenario() -> None:
        lab.change('callsign = "14P1"', 'callsign = "14P7"')
        assert () == await lab.reloader.look_now()
        assert "14P7" == lab.in_force.directory.units["14p1"].callsign
        lab.change("minimum_crew = 4", "minimum_crew = 6")
        (problem,) = await lab.reloader.look_now()
        assert "units.toml: unit[0].minimum_crew" == problem.path

    asyncio.run(scenario())


def test_a_wake_does_not_wait_for_two_looks(tmp_path: Path) -> None:
    """A signal is enough: the next look reads, although the change is new to it."""

    class SlowClock(SystemClock):
        async def sleep(self, duration_s: float) -> None:
            await asyncio.get_running_loop().create_future()

    lab = Lab(tmp_path)
    lab.reloader = Reloader(lab.folder, lab.in_force, clock=SlowClock(), record=lab._record)

    async def scenario() -> None:
        async with watching(lab):
            lab.change('callsign = "14P1"', 'callsign = "14P7"')
            lab.reloader.wake()
            await eventually(lambda: lab.in_force.directory.units["14p1"].callsign == "14P7", what="the new callsign")

    asyncio.run(scenario())


def test_a_ledger_that_fails_is_told_every_version_later(tmp_path: Path) -> None:
    """The directory comes into force all the same; it says that it is not written down, and all are once it can."""

    async def scenario(lab: Lab) -> None:
        lab.broken = True
        versions = [lab.version]
        for callsign in ("14P7", "14P8"):
            lab.change(lab.in_force.directory.units["14p1"].callsign, callsign)
            assert () == await lab.reloader.look_now()
            versions.append(lab.version)
        assert ["the ledger does not take which directory is in force: see the disk and the log"] == (
            lab.reloader.trouble
        )
        lab.broken = False
        await eventually(lambda: not lab.reloader.trouble, what="no trouble")
        assert versions == lab.recorded

    with capture_logs() as logs:
        run(tmp_path, scenario)
    assert ["directory_reloaded"] * 2 == [line["event"] for line in logs if line["event"] == "directory_reloaded"]
    about = [line["event"] for line in logs if "recorded" in line["event"]]
    assert ["directory_not_recorded", "directory_recorded"] == about


def test_hidden_and_other_files_are_not_looked_at(tmp_path: Path) -> None:
    """An editor's hidden copy and a text beside the directory make no look differ."""
    folder = write_shire(tmp_path)
    before = look(folder)
    (folder / ".units.toml.swp").write_text("x", encoding="utf-8")
    (folder / ".units.toml").write_text("x", encoding="utf-8")
    (folder / "readme.txt").write_text("x", encoding="utf-8")
    assert before == look(folder)
    assert AREA_FILE in before
    assert {} == look(folder / "none")


def test_control_s_word_lies_over_each_directory(tmp_path: Path) -> None:
    """An overlay holds for the one in force and for each that replaces it; whoever follows sees what it makes."""
    in_force = InForce(load(write_shire(tmp_path)))
    word = "one"

    def overlay(directory: Directory) -> Directory:
        return msgspec.structs.replace(directory, version=word)

    told: list[tuple[str, str]] = []
    in_force.follow(lambda before, now: told.append((before.version, now.version)))
    written = in_force.written
    in_force.lay_over(overlay)
    assert ("one", written) == (in_force.directory.version, in_force.written)
    word = "two"
    in_force.refresh()
    in_force.replace(load(tmp_path))
    assert [(written.version, "one"), ("one", "two"), ("two", "two")] == told
    assert in_force.written.version == written.version
