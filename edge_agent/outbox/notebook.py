"""What people told this device and will want to read again: who is on a unit, which defects are open.

One small file, replaced whole. Control has each of these as an event; this is for the device's own glass.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from edge_agent.state.swap import Swap

_log = structlog.get_logger("notebook")
BYTES_MAX = 262_144


class CrewNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The crew that last logged on to a unit and has not logged off."""

    riders: int
    commander: str = ""


class DefectNote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A defect that is open."""

    what: str
    off_the_run: bool = False
    text: str = ""


class Notes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that is noted, by unit."""

    crews: dict[str, CrewNote] = {}
    defects: dict[str, tuple[DefectNote, ...]] = {}
    swap: Swap = Swap()
    """Which unit the vehicle carries, where that is another than its own."""


class Notebook:
    """The file. What can't be read or written is said, here and in the log; the notes then live in memory alone."""

    def __init__(self, path: Path) -> None:
        """Read what is there; an unreadable file counts as empty and is replaced with the next note."""
        self._path = path
        self.fault = ""
        """What is wrong with the file, as a person is told it; empty where nothing is."""
        self.notes = self._read()
        self._pen = asyncio.Lock()

    async def note(self, change: Callable[[Notes], Notes]) -> None:
        """Replace the notes by what `change` makes of them, beside the loop: each note is made of the one before it."""
        async with self._pen:
            await asyncio.to_thread(self.write, change(self.notes))

    def write(self, notes: Notes) -> None:
        """Replace the notes: on disk when this returns, where the disk takes them."""
        self.notes = notes
        ready = self._path.with_suffix(".new")
        try:
            with ready.open("wb") as file:
                file.write(msgspec.json.encode(notes))
                file.flush()
                os.fsync(file.fileno())
            ready.replace(self._path)
        except OSError as error:
            if not self.fault:
                _log.warning("notes_not_written", cause=error.strerror)
            self.fault = f"crews and defects can't be noted on disk: {error.strerror}; a restart forgets them"
        else:
            self.fault = ""

    def _read(self) -> Notes:
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(BYTES_MAX), type=Notes)
        except FileNotFoundError:
            return Notes()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            _log.warning("notes_not_read", cause=str(error))
            self.fault = "the notes of crews and open defects could not be read: log crews on and report defects again"
            return Notes()
