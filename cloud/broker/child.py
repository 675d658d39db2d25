"""A program that this process starts, watches and ends, and that never outlives it."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

TETHER = Path(__file__).with_name("tether.py")


class Child:
    """One run of a program, in a session of its own so that Ctrl-C in a terminal reaches only us."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take charge of a process that has just been started; `spawn` is the way in."""
        self._process = process

    @classmethod
    async def spawn(cls, argv: list[str], *, stderr: Path) -> "Child":
        """Start `argv` (its first word an absolute path); what it says on stderr replaces the file `stderr`.

        Call it from a thread that lives as long as the program should: the kernel kills it with that thread.
        """
        with stderr.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(TETHER), str(os.getpid()), *argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        return cls(process)

    @property
    def pid(self) -> int:
        """The program's process number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not been seen to end."""
        return self._process.returncode is None

    async def ended(self) -> int:
        """Wait until it ends; its exit status, or minus the signal that ended it."""
        return await self._process.wait()

    async def stop(self, *, grace_s: float) -> None:
        """Ask it to end and wait; after `grace_s` seconds, or when cancelled, kill it."""
        try:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            async with asyncio.timeout(grace_s):
                await self.ended()
        except TimeoutError:
            await self.kill()
        finally:
            if self.running:
                self._process.kill()

    async def kill(self) -> None:
        """End it at once, as a crash would, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self.ended()
