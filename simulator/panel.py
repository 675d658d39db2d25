"""A crew's finger on a scripted panel: presses go to the agent's socket, lamps come back."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Self

from edge_agent.clock import Clock

HOLD_S = 0.1
"""How long a finger stays on a button."""
RELEASE_S = 0.05
"""How long it stays off before the next press: more than the agent's debouncing of 30 ms."""
RECONNECT_S = 0.5
LINE_BYTES_MAX = 65_536


class Panel:
    """One scripted panel. Make it with `connect`; it comes back by itself when the agent restarts."""

    def __init__(self, path: str, *, clock: Clock) -> None:
        """`path` is the agent's socket. Nothing is opened before `connect`."""
        self.lamps: dict[str, str] = {}
        """What each button's lamp shows: `dark`, `slow`, `steady` or `fast`. Empty until the agent has spoken."""
        self.notice = ""
        self._path, self._clock = path, clock
        self._writer: asyncio.StreamWriter | None = None
        self._finger = asyncio.Lock()
        self._changed = asyncio.Condition()

    @classmethod
    @contextlib.asynccontextmanager
    async def connect(cls, path: str, *, clock: Clock) -> AsyncIterator[Self]:
        """A panel that connects, and connects again whenever it is cut off, until the block ends."""
        panel = cls(path, clock=clock)
        following = asyncio.create_task(panel.follow())
        try:
            yield panel
        finally:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await following

    @property
    def connected(self) -> bool:
        """Whether the agent is there, as far as this end knows."""
        return self._writer is not None

    async def press(self, button: str) -> None:
        """Push `button` and let it go, once the agent is there. Presses of one panel come one after another.

        It is no promise that the agent heard it: the lamp is.
        """
        async with self._finger:
            await self._until(lambda: self.connected)
            self._send(button, down=True)
            await self._clock.sleep(HOLD_S)
            self._send(button, down=False)
            await self._clock.sleep(RELEASE_S)

    async def shown(self, button: str, *lamps: str) -> str:
        """Wait until the lamp of `button` is one of `lamps`, and say which."""
        await self._until(lambda: self.lamps.get(button) in lamps)
        return self.lamps[button]

    async def follow(self) -> None:
        """Keep connected and keep `lamps` and `notice` up to date, until cancelled."""
        while True:
            try:
                reader, writer = await asyncio.open_unix_connection(self._path, limit=LINE_BYTES_MAX)
            except OSError:
                await self._clock.sleep(RECONNECT_S)
                continue
            await self._follow(reader, writer)
            await self._clock.sleep(RECONNECT_S)

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. What the lamps showed when it ended is no longer known."""
        self._writer = writer
        try:
            while line := await reader.readline():
                view = json.loads(line)
                await self._take(view["lamps"], view["notice"])
        except OSError:
            pass  # the agent went: the same as its end of file
        finally:
            self._writer = None
            writer.close()
            self.lamps, self.notice = {}, ""

    async def _take(self, lamps: dict[str, str], notice: str) -> None:
        async with self._changed:
            self.lamps, self.notice = lamps, notice
            self._changed.notify_all()

    async def _until(self, true: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(true)

    def _send(self, button: str, *, down: bool) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(json.dumps({"button": button, "down": down}).encode() + b"\n")
