"""Buttons and lamps of a Linux input device (`gpio-keys`, a USB keypad), read without any library."""

import asyncio
import errno
import fcntl
import os
from collections import Counter
from collections.abc import Iterable, Mapping

from edge_agent.clock import Clock
from edge_agent.decode.panel import (
    EV_LED,
    EV_SYN,
    EVENT,
    SYN_REPORT,
    EventStream,
    decode_events,
    release_events,
)
from edge_agent.decode.readings import Press, Rejected
from edge_agent.sources.panel import Emit, Jitter, Outage, until_first, without_words
from edge_agent.state.lamps import Lamp, is_lit, next_blink_s

EVIOCGRAB = 0x40044590
"""`_IOW('E', 0x90, int)` of `linux/input.h`."""

_READ_BYTES = 64 * EVENT.size
_BLINK_MIN_S = 0.001


class EvdevPanel:
    """The panel on one `/dev/input/event*` path, found again by that path when it is replugged.

    `rejected` counts by reason what could not be believed. Such a panel has no place for the words of a notice: while
    there is one, every LED that would be lit blinks fast.
    """

    def __init__(
        self, path: str, *, keys: Mapping[int, str], leds: Mapping[str, int], clock: Clock, jitter: Jitter
    ) -> None:
        """`keys` maps a key's code to its button, `leds` a button to the code of the LED in it."""
        self._path, self._keys, self._leds = path, keys, leds
        self._clock, self._jitter = clock, jitter
        self._lamps: Mapping[str, Lamp] = {}
        self._changed = asyncio.Event()
        self.rejected: Counter[str] = Counter()

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Light the LEDs so from now on; blinking goes on by itself."""
        self._lamps = without_words(lamps, notice)
        self._changed.set()

    async def run(self, emit: Emit) -> None:
        """Emit presses until cancelled, across unplugging and replugging."""
        outage = Outage("panel", emit=emit, clock=self._clock, jitter=self._jitter)
        while True:
            try:
                await self._serve(emit, outage)
            except OSError as error:
                await outage.wait(f"{self._path}: {error.strerror or error}")

    async def _serve(self, emit: Emit, outage: Outage) -> None:
        device = _open(self._path, writable=bool(self._leds))
        leds = _Leds(device, self._leds.values())
        try:
            outage.heal()
            await until_first(self._read(device, emit), self._blink(leds))
        finally:
            leds.darken()
            os.close(device)

    async def _read(self, device: int, emit: Emit) -> None:
        readable, loop = asyncio.Event(), asyncio.get_running_loop()
        stream = EventStream()
        loop.add_reader(device, readable.set)
        try:
            while True:
                await readable.wait()
                readable.clear()
                stream, readings = decode_events(stream, _read_some(device), self._keys)
                self._pass_on(readings, emit)
        except OSError:
            self._pass_on(release_events(stream, self._keys), emit)
            raise
        finally:
            loop.remove_reader(device)

    def _pass_on(self, readings: Iterable[Press | Rejected], emit: Emit) -> None:
        for reading in readings:
            if isinstance(reading, Rejected):
                self.rejected[reading.reason] += 1
            else:
                emit(reading)

    async def _blink(self, leds: "_Leds") -> None:
        while True:
            self._changed.clear()
            now_s = self._clock.monotonic()
            lamps = {button: self._lamps.get(button, "dark") for button in self._leds}
            leds.write({self._leds[button]: is_lit(lamp, now_s) for button, lamp in lamps.items()})
            wait_s = next_blink_s(lamps.values(), now_s)
            if wait_s is None:
                await self._changed.wait()
            else:
                await until_first(_wait(self._changed), self._clock.sleep(max(wait_s, _BLINK_MIN_S)))


class _Leds:
    """What the LEDs of a device show, written only where it changes."""

    def __init__(self, device: int, codes: Iterable[int]) -> None:
        self._device = device
        self._codes = tuple(codes)
        self._written: dict[int, bool] = {}

    def write(self, lit: Mapping[int, bool]) -> None:
        """Light LEDs by code. What a full device does not take now is written the next time. Raises OSError."""
        changed = {code: on for code, on in lit.items() if self._written.get(code) is not on}
        if not changed:
            return
        events = [EVENT.pack(0, 0, EV_LED, code, on) for code, on in changed.items()]
        try:
            os.write(self._device, b"".join((*events, EVENT.pack(0, 0, EV_SYN, SYN_REPORT, 0))))
        except BlockingIOError:
            return
        self._written |= changed

    def darken(self) -> None:
        """Turn every LED off, if the device still is there: a lamp must not outlive the agent behind it."""
        try:
            self.write(dict.fromkeys(self._codes, False))
        except OSError:
            return


def _open(path: str, *, writable: bool) -> int:
    device = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        fcntl.ioctl(device, EVIOCGRAB, 1)
    except OSError as error:
        # A fifo or terminal knows no grab. Any other failure means that the presses would go elsewhere.
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            os.close(device)
            raise
    return device


def _read_some(device: int) -> bytes:
    try:
        chunk = os.read(device, _READ_BYTES)
    except BlockingIOError:
        return b""
    if not chunk:
        raise OSError(errno.ENODEV, "the device has gone")
    return chunk


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
