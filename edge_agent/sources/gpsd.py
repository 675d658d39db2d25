"""Reads fixes from gpsd over its JSON socket, and keeps at it. See README.md in this folder."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from edge_agent.clock import Clock
from edge_agent.decode.gpsd import Devices, decode_line
from edge_agent.decode.gpsd_epoch import Epochs, Outcome, apply, close_due
from edge_agent.decode.plausible import Moment
from edge_agent.decode.readings import Reading, Rejected
from edge_agent.sources.silence import Silence

SOURCE: Final = "gpsd"
WATCH: Final = b'?WATCH={"enable":true,"json":true};\n'
SILENT_AFTER_S: Final = 5.0
TICK_S: Final = 0.1
"""How often due epochs and silence are looked at, whether or not gpsd talks."""

CONNECT_S: Final = 3.0
LINE_BYTES_MAX: Final = 32 * 1024
"""gpsd's longest line is a SKY: 6 KB for 67 satellites. A longer one is no gpsd's."""

DELAY_FIRST_S: Final = 0.5
DELAY_MAX_S: Final = 15.0
QUARANTINE_MAX: Final = 16

Emit = Callable[[Reading], None]
Jitter = Callable[[], float]
"""Gives a number from 0 to below 1, so that devices that broke together do not come back together."""


class GpsdSource:
    """The position source of a vehicle: one gpsd with one receiver.

    `received` counts lines, `rejected` counts by reason what was not believed, and `quarantine` keeps the latest of it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        clock: Clock,
        silent_after_s: float = SILENT_AFTER_S,
        jitter: Jitter = random.random,
    ) -> None:
        """Nothing is opened before `run`."""
        self.received = 0
        self.rejected: Counter[str] = Counter()
        self.quarantine: deque[Rejected] = deque(maxlen=QUARANTINE_MAX)
        self._host, self._port = host, port
        self._clock, self._jitter = clock, jitter
        self._silent_after_s = silent_after_s
        self._epochs = Epochs()
        self._attempts = 0
        self._heard_s = 0.0
        self._unusable = f"gpsd on {host}:{port} reports no usable position"
        self._trouble = self._unusable

    async def run(self, emit: Emit) -> None:
        """Emit every believed `Fix` within 0.3 s, until cancelled. Never ends for outside reasons.

        After `silent_after_s` without a fix report: `SourceFault("gpsd", why)` and `Fix(mode="none")`, once. With the
        next one: `SourceFault("gpsd", "")`, once.
        """
        silence = Silence(SOURCE, after_s=self._silent_after_s, mono_s=self._clock.monotonic())
        while True:
            try:
                await self._converse(emit, silence)
            except asyncio.LimitOverrunError:
                self._reject(Rejected("oversize", b""))
                self._trouble = f"what listens on {self._host}:{self._port} is no gpsd: endless line"
            except (OSError, EOFError) as error:
                self._trouble = f"no gpsd on {self._host}:{self._port}: {error or 'no answer'}"
            await self._pause(emit, silence)

    async def _converse(self, emit: Emit, silence: Silence) -> None:
        """One connection, from its opening until it fails or has been silent for too long."""
        async with asyncio.timeout(CONNECT_S):
            reader, writer = await asyncio.open_connection(self._host, self._port, limit=LINE_BYTES_MAX)
        try:
            self._trouble = self._unusable
            await self._listen(reader, writer, emit, silence)
        finally:
            writer.close()

    async def _listen(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, emit: Emit, silence: Silence
    ) -> None:
        """Ask, listen, ask again after each half of `silent_after_s` without a fix, and return after twice that.

        After a receiver went away gpsd notices that it is back only when it is asked (measured with 3.22).
        """
        self._heard_s = self._clock.monotonic()
        asked = 0
        while (idle := (self._clock.monotonic() - self._heard_s) / self._silent_after_s) < 2.0:
            due = int(2.0 * idle) + 1
            asked = min(asked, due)
            if asked < due:
                writer.write(WATCH)
                asked += 1
            line = await _next_line(reader)
            if line is not None:
                self._attempts = 0
                self._take(line, emit, silence)
            self._tick(emit, silence)

    async def _pause(self, emit: Emit, silence: Silence) -> None:
        """Wait before the next connection: 0.5 s, doubling to 15 s while nobody answers, less up to half by jitter."""
        delay_s = min(DELAY_MAX_S, DELAY_FIRST_S * 2.0 ** min(self._attempts, 10))
        self._attempts += 1
        until_s = self._clock.monotonic() + delay_s * (1.0 - 0.5 * self._jitter())
        while (left_s := until_s - self._clock.monotonic()) > 0.0:
            self._tick(emit, silence)
            await self._clock.sleep(min(TICK_S, left_s))

    def _take(self, line: bytes, emit: Emit, silence: Silence) -> None:
        self.received += 1
        report = decode_line(line)
        if isinstance(report, Rejected):
            self._reject(report)
        elif isinstance(report, Devices):
            lost = f"gpsd on {self._host}:{self._port} has no receiver: tell it with gpsdctl add, or restart it"
            self._trouble = lost if report.count == 0 else self._unusable
        elif report is not None:
            self._pass_on(apply(self._epochs, report, self._moment()), emit, silence)

    def _tick(self, emit: Emit, silence: Silence) -> None:
        self._pass_on(close_due(self._epochs, self._moment()), emit, silence)
        for reading in silence.told(self._clock.monotonic(), self._trouble):
            emit(reading)

    def _pass_on(self, outcome: Outcome, emit: Emit, silence: Silence) -> None:
        self._epochs, results = outcome
        for result in results:
            if isinstance(result, Rejected):
                self._reject(result)
                continue
            self._heard_s = self._clock.monotonic()
            for reading in silence.heard(self._heard_s):
                emit(reading)
            emit(result)

    def _reject(self, rejected: Rejected) -> None:
        self.rejected[rejected.reason] += 1
        self.quarantine.append(rejected)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


async def _next_line(reader: asyncio.StreamReader) -> bytes | None:
    """The next line, or None if none is complete within `TICK_S`; what has come of it is kept.

    Raises EOFError at the end, LimitOverrunError for a line beyond the reader's limit, OSError if the connection broke.
    """
    try:
        async with asyncio.timeout(TICK_S) as limit:
            return await reader.readuntil(b"\n")
    except TimeoutError:
        if not limit.expired():
            raise
        return None
