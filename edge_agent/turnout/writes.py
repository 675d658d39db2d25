"""Puts what the station asks for on the bus, without making it wait.

A level has one value that is wanted now: a newer one takes the place of one that has not been written yet, so that a
cancel never stands behind retries. A pulse is given to the bus once, at once, and never again.
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

import structlog

from edge_agent.station.words import Pulse, Write, WriteFailed

DONE = "done"
IMPOSSIBLE = "device_refused"

_log = structlog.get_logger("turnout")


class Outputs(Protocol):
    """The bus, as far as a turnout writes to it. Each gives `done`, or why not: the reason of a `WriteFailed`."""

    async def write(self, output: str, value: bool | float) -> str:
        """Write once."""
        ...

    async def pulse(self, output: str, pulse_s: float) -> str:
        """Turn on once, and off again."""
        ...


class Writes:
    """What is being written."""

    def __init__(
        self,
        outputs: Outputs,
        failed: Callable[[WriteFailed], None],
        start: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        """`failed` hears of every write that was not done, unless a newer one followed; `start` makes tasks."""
        self._outputs, self._failed, self._start = outputs, failed, start
        self._wanted: dict[str, bool | float] = {}
        self._busy: set[str] = set()

    def write(self, effect: Write) -> None:
        """Assert a level."""
        self._wanted[effect.output] = effect.value
        if effect.output not in self._busy:
            self._busy.add(effect.output)
            self._start(self._write(effect.output))

    def pulse(self, effect: Pulse) -> None:
        """Pulse an output."""
        self._start(self._pulse(effect))

    async def _write(self, output: str) -> None:
        try:
            while output in self._wanted:
                result = await _tried(output, self._outputs.write(output, self._wanted.pop(output)))
                if result != DONE and output not in self._wanted:
                    self._failed(WriteFailed(output=output, reason=result))
        finally:
            self._busy.discard(output)

    async def _pulse(self, effect: Pulse) -> None:
        result = await _tried(effect.output, self._outputs.pulse(effect.output, effect.pulse_s))
        if result != DONE:
            self._failed(WriteFailed(output=effect.output, reason=result))


async def _tried(output: str, writing: Awaitable[str]) -> str:
    """Give the result of a write. One that its register can't hold fails alone: it must not take the alert with it."""
    try:
        return await writing
    except (KeyError, ValueError) as error:
        _log.error("output_impossible", output=output, cause=str(error))
        return IMPOSSIBLE
