"""The command `edge-agent` as a process of its own: started, listened to, killed."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.programs import require_program

STARTED = "link_up"
ENDED_S = 10.0
SILENT = {"PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "100"}


def asked(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """What the command answers that ends by itself."""
    program = [str(require_program("edge-agent")), *map(str, arguments)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EDGE__")}
    return subprocess.run(
        program, capture_output=True, text=True, timeout=30, check=False, env={**clean, **SILENT, **environment}
    )


class Program:
    """A running `edge-agent run`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a process whose stderr is a pipe."""
        self._process = process
        self.lines: list[str] = []
        """What it said so far, line by line."""

    async def listen(self) -> None:
        """Read what it says until it ends."""
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            self.lines.append(line.decode().rstrip("\n"))

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its log; what is no JSON is an error of the caller's."""
        return [json.loads(line) for line in self.lines]

    def said(self, event: str) -> int:
        """How often it logged an event."""
        return sum(json.loads(line)["event"] == event for line in self.lines)

    def kill(self) -> None:
        """End it as a crash would."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def interrupt(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end."""
        self._process.send_signal(number)

    async def ended(self, deadline_s: float = ENDED_S) -> int:
        """Its exit status, once it has ended. Raises TimeoutError where it does not."""
        async with asyncio.timeout(deadline_s):
            return await self._process.wait()


@contextlib.asynccontextmanager
async def running_program(folder: Path) -> AsyncIterator[Program]:
    """The agent of `folder`/device.toml, killed at the end of the block where it still runs."""
    process = await asyncio.create_subprocess_exec(
        *(str(require_program("edge-agent")), "run", "--config", str(folder / "device.toml")),
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **SILENT},
    )
    program = Program(process)
    listening = asyncio.create_task(program.listen())
    try:
        yield program
    finally:
        program.kill()
        await process.wait()
        await listening
