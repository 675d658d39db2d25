"""What the lab's writers are told to do, how they tell what came of it, and the events that they write."""

import os
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Any, Literal

import msgspec

from edge_agent.outbox.file import Draft
from tests.chaos.filesystems import cut_power
from wire.events import PositionEvent, StatusEvent

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
UNIT = "engine-1"
REFUSALS_MAX = 3
"""After so many refusals in a row a crowd of presses ends."""
_TOUCHES = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect"})


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a process is to do: steps, one after another, and then to wait for its end."""

    role: Literal["outbox", "ledger", "plain"]
    disk: str
    folder: str
    steps: list[str]
    first: int = 1
    """The number of its first event. An event is known by its number, whatever sequence it gets."""
    cut_in: Literal["", "start", "mint"] = ""
    """Where the process cuts the power under itself, before ..."""
    cut_at: int = 0
    """... so many more files are opened, renamed or removed."""
    journalled: bool = False
    """Whether the file system writes its journal just before that cut."""
    journal: str = ""
    synchronous: str = ""


def say(*words: object) -> None:
    """Tell the lab, at once, with the moment in nanoseconds: a line that is in the pipe outlives its writer."""
    os.write(1, (" ".join(map(str, (time.monotonic_ns(), *words))) + "\n").encode())


class OwnCut:
    """Cuts the power under this very process, before a chosen touch of its disk's files."""

    def __init__(self, job: Job) -> None:
        """Listen; nothing is cut before `arm`."""
        self._job = job
        self._left: int | None = None
        self._folder = os.open(job.disk, os.O_RDONLY)
        if job.cut_in:
            sys.addaudithook(self._heard)

    def arm(self, where: str) -> None:
        """Begin to count if this is where the job wants its cut."""
        if where == self._job.cut_in:
            self._left = self._job.cut_at

    def _heard(self, event: str, args: Sequence[Any]) -> None:
        if self._left is None or event not in _TOUCHES or self._job.disk not in str(args[0]):
            return
        self._left -= 1
        if self._left < 0:
            say("cut", event)
            cut_power(self._folder, journalled=self._job.journalled)
            os._exit(0)


def press(number: int) -> Draft:
    """A draft of a press that is known by its number."""
    return partial(
        StatusEvent,
        at=AT,
        clock="gnss",
        boot=1,
        mono_ms=number,
        mode="live",
        unit=UNIT,
        scheme="county",
        code=f"C{number}",
        by="panel",
        remarks="r" * (number % 90),
    )


def place(number: int) -> Draft:
    """A draft of a position that is known by its number."""
    lat = number % 80 + 0.5
    return partial(
        PositionEvent,
        at=AT,
        clock="gnss",
        boot=1,
        mono_ms=number,
        mode="live",
        fix="3d",
        lat=lat,
        lon=0.5,
        speed_mps=9.0,
    )


def chain(digest: bytes, events: Sequence[bytes]) -> bytes:
    """The digest after `events`, as the contract says it, by hashlib alone."""
    for event in events:
        digest = sha256(digest + event).digest()
    return digest
