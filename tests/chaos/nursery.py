"""The lab's side of its writing processes: start one, listen to it, end it."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from tests.chaos import writers
from tests.chaos.jobs import Job

ROOT = Path(__file__).parents[2]
SILENCE_S = 30.0
"""Far above what any step takes; it is only ever reached by a failure."""

Line = list[str]
"""What a writer said, word by word."""

TOLD = frozenset({"open", "stored", "settled", "minted"})
"""The words with which a writer passes on what the code under test promised it."""


class Nursery:
    """One warm process that forks the writers. They run one at a time."""

    def __init__(self) -> None:
        """Start it."""
        command = [sys.executable, "-m", writers.__name__]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self._rest = b""
        self._writer = 0
        self.said_ns = 0
        """When the last line that was heard was said, by the monotonic clock."""

    def __enter__(self) -> Self:
        """Nothing more to do."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, and the writer with it."""
        self._process.communicate()

    def start(self, job: Job) -> None:
        """Start a writer."""
        self._tell(msgspec.json.encode(job) + b"\n")
        born = self.hear()
        assert born is not None and born[0] == "born"
        self._writer = int(born[1])

    def resume(self) -> None:
        """Let a writer that holds go on."""
        os.kill(self._writer, signal.SIGUSR1)

    def end(self, cut_ns: int | None = None) -> list[Line]:
        """Kill the writer with `kill -9`, if it still runs, and give what it had said by then.

        What it was told after `cut_ns`, when the power went, is left out: the shutdown takes milliseconds, in which a
        sync that is under way may be told well (measured), and without power nobody would have heard of it.
        """
        self._tell(b"end\n")
        said: list[Line] = []
        while (line := self.hear()) != ["gone"]:
            heard = cut_ns is None or self.said_ns <= cut_ns or (line and line[0] not in TOLD)
            said += [line] if line and heard else []
        return said

    def hear(self, within_s: float = SILENCE_S) -> Line | None:
        """The next thing that the writer says; None where nothing came in time. A long silence is a failure."""
        while b"\n" not in self._rest:
            if not self._more(within_s):
                assert within_s < SILENCE_S, f"nothing was heard of a writer for {SILENCE_S} s"
                return None
        line, self._rest = self._rest.split(b"\n", 1)
        moment, *words = line.decode().split(" ")
        self.said_ns = int(moment)
        return words

    def _more(self, within_s: float) -> bool:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], within_s)[0]:
            return False
        got = os.read(self._process.stdout.fileno(), 65_536)
        assert got, "the writers' process has ended by itself"
        self._rest += got
        return True

    def _tell(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
