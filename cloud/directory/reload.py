"""Watches the folder of the directory: what is right comes into force, what is wrong changes nothing."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import structlog

from cloud.clock import Clock
from cloud.directory.folder import DirectoryInvalid, look, make, read
from cloud.directory.in_force import InForce
from cloud.directory.rows import Directory
from cloud.errors import Retryable
from wire.strict import Problem

LOOK_S = 1.0
"""How often it looks. A change counts once two looks agree, so that nothing half copied is read."""

Record = Callable[[Directory, datetime], None]
"""Writes down which directory came into force, and when; in a thread of its own. Raises `Retryable`."""
OWED_MAX = 100
"""How many directories wait for a ledger that fails. Beyond that the oldest are forgotten."""
TRIES_MAX = 3
"""How often a folder that changes while it is read is read again at once."""
Seen = dict[str, tuple[int, int]]

_log = structlog.get_logger("directory")


class Reloader:
    """Keeps the directory in force as the folder has it."""

    def __init__(self, folder: Path, in_force: InForce, *, clock: Clock, record: Record) -> None:
        """The directory in force was read from `folder`."""
        self._folder, self._in_force, self._clock, self._record = folder, in_force, clock, record
        self._problems: tuple[Problem, ...] = ()
        self._owed: deque[tuple[Directory, datetime]] = deque(maxlen=OWED_MAX)
        """What is not written down yet, oldest first."""
        self._failing = False
        """Whether the last writing down did not succeed."""
        self._read: Seen | None = None
        """How the files were when they were last read."""
        self._pen = asyncio.Lock()
        self._wake = asyncio.Event()
        self.since = clock.now()
        """When the directory in force came into force, as far as this process knows."""
        self._owe()

    @property
    def trouble(self) -> list[str]:
        """What is wrong now, one line each; empty where all is well."""
        trouble = []
        if self._problems:
            count, version = len(self._problems), self._in_force.written.version
            errors = "1 error" if count == 1 else f"{count} errors"
            trouble.append(
                f"the directory's files have {errors}, so version {version} stays in force: {self._problems[0]}; "
                f"`watchroom check {self._folder}` lists them"
            )
        if self._failing:
            trouble.append("the ledger does not take which directory is in force: see the disk and the log")
        return trouble

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of the files as they are; empty where what they say is in force."""
        return self._problems

    def wake(self) -> None:
        """Look at once, as a signal asks for."""
        self._wake.set()

    async def run(self) -> None:
        """Look every second until cancelled. What can't be used is trouble, never a failure."""
        before = await asyncio.to_thread(look, self._folder)
        await self.look_now()  # it may have changed since it was loaded
        while True:
            asked = await self._pause()
            seen = await asyncio.to_thread(look, self._folder)
            if asked or (seen == before and seen != self._read):
                await self.look_now()
            before = seen
            await self._write_down()

    async def look_now(self) -> tuple[Problem, ...]:
        """Read the folder now, and put what it says in force. Tells every problem; then nothing has changed."""
        async with self._pen:
            found = await asyncio.to_thread(self._read_whole)
            if isinstance(found, Directory):
                self._take(found)
            else:
                self._refuse(found)
        await self._write_down()
        return self._problems

    def _read_whole(self) -> Directory | tuple[Problem, ...]:
        """Read the folder at a moment at which nobody writes to it."""
        in_force = self._in_force.written
        for _ in range(TRIES_MAX):
            self._read = look(self._folder)
            try:
                texts = read(self._folder)
                if not texts.unread and texts.version == in_force.version:
                    return in_force  # nothing new: to make it again would take seconds of a large county
                found: Directory | tuple[Problem, ...] = make(self._folder, texts)
            except DirectoryInvalid as invalid:
                found = invalid.problems
            if look(self._folder) == self._read:
                break
        return found

    async def _pause(self) -> bool:
        """Wait for the next look. True where somebody asked for it."""
        waiting = asyncio.ensure_future(self._wake.wait())
        sleeping = asyncio.ensure_future(self._clock.sleep(LOOK_S))
        try:
            await asyncio.wait((waiting, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()
        asked = self._wake.is_set()
        self._wake.clear()
        return asked

    def _refuse(self, problems: tuple[Problem, ...]) -> None:
        if not self._problems:
            _log.error(
                "directory_refused",
                errors=len(problems),
                first=str(problems[0]),
                in_force=self._in_force.written.version,
            )
        self._problems = problems

    def _take(self, directory: Directory) -> None:
        before = self._in_force.written
        if self._problems:
            self._problems = ()
            _log.info("directory_mended", version=directory.version)
        if directory.version == before.version:
            return
        self.since = self._clock.now()
        self._in_force.replace(directory)
        self._owe()
        _log.info("directory_reloaded", version=directory.version, before=before.version, units=len(directory.units))

    async def _write_down(self) -> None:
        """Write down what came into force, in order. What the store does not take is tried again with the next look."""
        async with self._pen:
            while self._owed:
                try:
                    await asyncio.to_thread(self._record, *self._owed[0])
                except Retryable as error:
                    if not self._failing:
                        _log.error("directory_not_recorded", cause=str(error))
                    self._failing = True
                    return
                self._owed.popleft()
            if self._failing:
                _log.info("directory_recorded")
            self._failing = False

    def _owe(self) -> None:
        self._owed.append((self._in_force.written, self.since))
