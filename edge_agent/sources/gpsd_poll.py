"""Reads fixes from gpsd by polling, over gpsd-py3 (extra `gpsd-poll`). See README.md in this folder.

The library blocks without a timeout, keeps its connection in its module, says 0.0, 0.0 where there is no fix, and
goes on reporting the last fix of a receiver that went silent. Hence one worker thread with an outer timeout, and a
fix counts only if its time advanced. One such source in a process.
"""

import asyncio
import importlib
import socket
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import msgspec

from edge_agent.clock import Clock
from edge_agent.decode.gpsd import Sky, Tpv
from edge_agent.decode.gpsd_epoch import HOLD_S, Epochs, Outcome, apply, close_due
from edge_agent.decode.plausible import Moment
from edge_agent.decode.readings import Reading, Rejected
from edge_agent.errors import Fatal
from edge_agent.sources.silence import Silence

SOURCE: Final = "gpsd_poll"
SILENT_AFTER_S: Final = 5.0
PERIOD_S: Final = 1.0
ANSWER_S: Final = 2.0
"""gpsd on the same device answers in milliseconds; a worker that has not by then is cut off from its socket."""

Emit = Callable[[Reading], None]


class GpsdPollSource:
    """The position of a vehicle, asked for once a second. `GpsdSource` is the default; this is for comparison.

    `received` counts answers and `rejected` counts by reason what was not believed, `answer` being those that failed.
    """

    def __init__(self, host: str, port: int, *, clock: Clock, silent_after_s: float = SILENT_AFTER_S) -> None:
        """Raises Fatal where gpsd-py3 is not installed. Nothing is opened before `run`."""
        self.received = 0
        self.rejected: Counter[str] = Counter()
        self._library = _load_library()
        self._host, self._port, self._clock = host, port, clock
        self._silent_after_s = silent_after_s
        self._connected = False
        self._asked: asyncio.Future[Any] | None = None
        self._epochs = Epochs()
        self._trouble = f"no gpsd on {host}:{port}"

    async def run(self, emit: Emit) -> None:
        """Emit every believed, fresh `Fix`, until cancelled. Faults and silence as with `GpsdSource.run`."""
        silence = Silence(SOURCE, after_s=self._silent_after_s, mono_s=self._clock.monotonic())
        worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=SOURCE)
        try:
            while True:
                for report in await self._ask(worker):
                    self._pass_on(apply(self._epochs, report, self._moment()), emit, silence)
                await self._clock.sleep(HOLD_S)
                self._pass_on(close_due(self._epochs, self._moment()), emit, silence)
                for reading in silence.told(self._clock.monotonic(), self._trouble):
                    emit(reading)
                await self._clock.sleep(PERIOD_S - HOLD_S)
        finally:
            self._cut_off()
            worker.shutdown(wait=False, cancel_futures=True)
            _close(self._library)

    async def _ask(self, worker: ThreadPoolExecutor) -> tuple[Sky | Tpv, ...]:
        """One answer as reports; none at all where it failed, which is counted."""
        if self._asked is None:
            self._asked = asyncio.get_running_loop().run_in_executor(worker, self._answer)
            self._asked.add_done_callback(_seen)
        answer = self._asked
        await asyncio.wait({answer}, timeout=ANSWER_S)
        if not answer.done():
            self._cut_off()
            await asyncio.wait({answer}, timeout=ANSWER_S)
        if answer.done():
            self._asked = None
        # Whatever the library raises (it raises bare Exception too) says that gpsd did not answer as it should.
        if not answer.done() or answer.exception() is not None:
            self._connected = False
            self.rejected["answer"] += 1
            return ()
        self.received += 1
        self._trouble = f"gpsd on {self._host}:{self._port} reports no fresh position"
        return decode_answer(answer.result())

    def _answer(self) -> Any:
        """In the worker: one poll, over a connection made anew after a failure."""
        if not self._connected:
            _close(self._library)
            self._library.connect(self._host, self._port)
            self._connected = True
        return self._library.get_current()

    def _cut_off(self) -> None:
        """Wake a worker that waits for gpsd: its read ends at once."""
        if self._library.gpsd_socket is not None:
            try:
                self._library.gpsd_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # Not connected, or already gone: nobody waits on it.

    def _pass_on(self, outcome: Outcome, emit: Emit, silence: Silence) -> None:
        self._epochs, results = outcome
        for result in results:
            if isinstance(result, Rejected):
                self.rejected[result.reason] += 1
                continue
            for reading in silence.heard(self._clock.monotonic()):
                emit(reading)
            emit(result)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


def decode_answer(answer: Any) -> tuple[Sky | Tpv, ...]:
    """The library's answer as reports. A fix without a time gives nothing: it can't be told from an old one.

    The library writes 0 for what gpsd left out, so a 0 that could be either counts as left out.
    """
    if answer.mode < 2:
        return Sky(int(answer.sats_valid)), Tpv(mode=int(answer.mode))
    try:
        time = msgspec.convert(answer.time, datetime)
    except msgspec.ValidationError:
        return ()
    errors = max(answer.error["x"], answer.error["y"])
    tpv = Tpv(
        mode=int(answer.mode),
        time=time,
        lat=float(answer.lat),
        lon=float(answer.lon),
        speed_mps=answer.hspeed or None,
        course_deg=answer.track or None,
        altitude_m=answer.alt or None,
        accuracy_m=errors or None,
    )
    return (Sky(int(answer.sats_valid)), tpv) if answer.sats_valid else (tpv,)


def _seen(answer: asyncio.Future[Any]) -> None:
    """Take note of a failure that comes after `run` was cancelled: it is what cutting off does."""
    if not answer.cancelled():
        answer.exception()


def _load_library() -> Any:
    try:
        return importlib.import_module("gpsd")
    except ModuleNotFoundError:
        raise Fatal("source gpsd_poll needs gpsd-py3: install watchroom[gpsd-poll], or use source gpsd") from None


def _close(library: Any) -> None:
    """Close what the library never closes."""
    for opened in (library.gpsd_stream, library.gpsd_socket):
        if opened is not None:
            try:
                opened.close()
            except OSError:
                continue  # A write that was never sent: the connection is gone either way.
    library.gpsd_stream = library.gpsd_socket = None
