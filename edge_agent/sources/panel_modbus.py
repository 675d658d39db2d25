"""A keypad on the Modbus bus: its buttons are discrete inputs, its lamps coils of a slave that the bus reads.

It opens nothing: whoever runs the bus hands it what was read (`take`) and a way to write. A write costs a turn on the
bus, which the station's sounders share. So lamps are written one at a time with a pause between, and fast is slower
than on other panels: 2.5 Hz, still not to be taken for slow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

import msgspec

from edge_agent.clock import Clock
from edge_agent.decode.contacts import ContactReading, Contacts, fold_levels, release
from edge_agent.decode.readings import SourceFault
from edge_agent.sources.panel import Emit, until_first, without_words
from edge_agent.state.lamps import Lamp
from edge_agent.station.words import Value

HALF_S: Mapping[Lamp, float] = {"slow": 0.5, "fast": 0.2}
WRITE_PAUSE_S = 0.05
"""Between two writes, so that lamps take at most 20 turns a second and reads get theirs."""
RETRY_S = 1.0
"""After a write that failed; the bus itself backs off from a slave that is away."""

Write = Callable[[str, bool], Awaitable[bool]]
"""Write a coil, `SLAVE.POINT`, and say whether it was done. It never raises for outside reasons."""


class Blink(msgspec.Struct, frozen=True):
    """Where blinking stands.

    It turns by what has been shown, not by the clock: a slow bus makes it slower, and never catches a blinking lamp in
    the same half again and again, which would look steady or dark.
    """

    lit: Mapping[Lamp, bool] = msgspec.field(default_factory=lambda: dict.fromkeys(HALF_S, True))
    turned_s: Mapping[Lamp, float] = msgspec.field(default_factory=lambda: dict.fromkeys(HALF_S, 0.0))


class ModbusPanel:
    """The panel of a keypad on the bus.

    It has no place for the words of a notice: while there is one, every lamp that would be lit blinks fast.
    """

    def __init__(self, inputs: Mapping[str, str], lamps: Mapping[str, str], *, write: Write, clock: Clock) -> None:
        """`inputs` maps a point, `SLAVE.POINT`, to its button; `lamps` a button to the coil of its lamp."""
        self._inputs, self._coils = inputs, lamps
        self._write, self._clock = write, clock
        self._contacts = Contacts()
        self._unread: frozenset[str] = frozenset()
        self._emit: Emit | None = None
        self._lamps: Mapping[str, Lamp] = {}
        self._changed = asyncio.Event()

    def take(self, values: Mapping[str, Value]) -> None:
        """Take in what the bus has read of any slave; other points than this panel's are nothing. It never blocks."""
        mine = {point: value for point, value in values.items() if point in self._inputs}
        if not mine or self._emit is None:
            return
        levels = {self._inputs[point]: decode_level(value) for point, value in mine.items()}
        unread = frozenset(button for button, level in levels.items() if level is None)
        self._tell_unread((self._unread - levels.keys()) | unread, self._emit)
        self._contacts, readings = fold_levels(self._contacts, levels)
        _pass_on(readings, self._emit)

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Light the lamps so from now on; blinking goes on by itself."""
        self._lamps = without_words(lamps, notice)
        self._changed.set()

    async def run(self, emit: Emit) -> None:
        """Emit presses from what is taken in until cancelled, and keep the lamps."""
        self._emit = emit
        try:
            await self._blink()
        finally:
            self._emit = None
            _pass_on(release(self._contacts), emit)
            self._contacts = Contacts()

    def _tell_unread(self, unread: frozenset[str], emit: Emit) -> None:
        if bool(unread) is not bool(self._unread):
            emit(SourceFault("panel", _unread_text(unread) if unread else ""))
        self._unread = unread

    async def _blink(self) -> None:
        blink, written = Blink(), dict[str, bool]()
        while True:
            self._changed.clear()
            shown = {button: self._lamps.get(button, "dark") for button in self._coils}
            blink = turn(blink, self._clock.monotonic())
            wanted = {self._coils[button]: is_lit(lamp, blink) for button, lamp in shown.items()}
            all_written = await self._write_changed(wanted, written)
            wait_s = until_turn_s(blink, shown.values(), self._clock.monotonic())
            if not all_written:
                wait_s = RETRY_S
            if wait_s is None:
                await self._changed.wait()
            else:
                await until_first(_wait(self._changed), self._clock.sleep(wait_s))

    async def _write_changed(self, wanted: Mapping[str, bool], written: dict[str, bool]) -> bool:
        """Write the coils that differ from what was `written`; False where one could not be."""
        for coil, lit in wanted.items():
            if written.get(coil) is lit:
                continue
            written.pop(coil, None)
            if not await self._write(coil, lit):
                return False
            written[coil] = lit
            await self._clock.sleep(WRITE_PAUSE_S)
        return True


def decode_level(value: Value) -> bool | None:
    """A contact's level, or None where it could not be read: bad quality is never a level."""
    return bool(value.value) if value.quality == "good" and value.value is not None else None


def turn(blink: Blink, now_s: float) -> Blink:
    """Turn each way of blinking whose half has passed since it last turned."""
    due = [lamp for lamp, half_s in HALF_S.items() if now_s >= blink.turned_s[lamp] + half_s]
    return Blink(
        {**blink.lit, **{lamp: not blink.lit[lamp] for lamp in due}},
        {**blink.turned_s, **dict.fromkeys(due, now_s)},
    )


def is_lit(lamp: Lamp, blink: Blink) -> bool:
    """Whether a lamp burns now."""
    return lamp == "steady" if lamp not in HALF_S else blink.lit[lamp]


def until_turn_s(blink: Blink, lamps: Collection[Lamp], now_s: float) -> float | None:
    """Seconds until one of `lamps` turns, at least a write's pause; None where none blinks."""
    due_s = [blink.turned_s[lamp] + HALF_S[lamp] for lamp in lamps if lamp in HALF_S]
    return max(min(due_s) - now_s, WRITE_PAUSE_S) if due_s else None


def _unread_text(unread: frozenset[str]) -> str:
    first, *others = sorted(unread)
    more = f" and {len(others)} more" if others else ""
    return f"button {first}{more}: the keypad's slave does not answer with a good value"


def _pass_on(readings: Collection[ContactReading], emit: Emit) -> None:
    for reading in readings:
        emit(reading)


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
