"""Buttons and lamps on GPIO lines, by libgpiod 2 (the `gpiod` of PyPI, extra `gpio`): a thin adapter.

What an edge means is decided in `decode/contacts.py`, what a lamp shows in `state/lamps.py`. The kernel counts edges by
the line's logical value: on an active-low line closing the contact is the rising edge (GPIO_V2_LINE_EVENT_READ).
"""

import asyncio
import importlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Protocol

import msgspec

from edge_agent.clock import Clock
from edge_agent.decode.contacts import ContactReading, Contacts, fold_edge, fold_levels, release
from edge_agent.errors import Fatal
from edge_agent.sources.panel import Emit, Jitter, Outage, until_first, without_words
from edge_agent.state.lamps import Lamp, is_lit, next_blink_s

CONSUMER = "watchroom"
_BLINK_MIN_S = 0.001


class Wiring(msgspec.Struct, frozen=True, kw_only=True):
    """Which line of a chip is what. A line is named by its name, or by its offset in decimal."""

    chip: str
    """Its path, such as `/dev/gpiochip0`."""
    lines: Mapping[str, str]
    """Line to button."""
    lamps: Mapping[str, str] = {}
    """Button to the line of its lamp."""
    active_low: bool = True
    """A pushed button pulls its line to ground. The line is then pulled up, otherwise down, where the chip can."""
    lamps_active_low: bool = False


class Edge(msgspec.Struct, frozen=True):
    """One edge of a line, by its logical value."""

    line: str
    rising: bool
    number: int
    """Counts the request's edges from 1: a gap means that the kernel dropped some."""


class Lines(Protocol):
    """Lines that were requested from the kernel. Every method may raise OSError."""

    @property
    def fd(self) -> int:
        """Readable while edges wait."""
        ...

    def read_edges(self) -> Iterable[Edge]:
        """The edges that wait, of which there may be none: it never waits for one."""
        ...

    def read_levels(self) -> Mapping[str, bool]:
        """Every button line's logical value now."""
        ...

    def write(self, levels: Mapping[str, bool]) -> None:
        """Set lamp lines."""
        ...

    def close(self) -> None:
        """Give the lines back."""
        ...


Request = Callable[[Wiring], Lines]


class GpiodPanel:
    """The panel on one chip's lines. `rejected` counts by reason what could not be believed.

    It has no place for the words of a notice: while there is one, every lamp that would be lit blinks fast.
    """

    def __init__(self, wiring: Wiring, *, clock: Clock, jitter: Jitter, request: Request | None = None) -> None:
        """Raises Fatal where the library is not installed. `request` asks the kernel, unless told otherwise."""
        self._wiring, self._clock, self._jitter = wiring, clock, jitter
        self._request = request or gpiod_request()
        self._lamps: Mapping[str, Lamp] = {}
        self._changed = asyncio.Event()
        self.rejected: Counter[str] = Counter()

    def show(self, lamps: Mapping[str, Lamp], notice: str) -> None:
        """Light the lamps so from now on; blinking goes on by itself."""
        self._lamps = without_words(lamps, notice)
        self._changed.set()

    async def run(self, emit: Emit) -> None:
        """Emit presses until cancelled, across a chip that goes and comes back."""
        outage = Outage("panel", emit=emit, clock=self._clock, jitter=self._jitter)
        while True:
            try:
                await self._serve(emit, outage)
            except OSError as error:
                await outage.wait(f"{self._wiring.chip}: {error.strerror or error}")

    async def _serve(self, emit: Emit, outage: Outage) -> None:
        lines = self._request(self._wiring)
        try:
            outage.heal()
            await until_first(self._read(lines, emit), self._blink(lines))
        finally:
            _darken(lines, self._wiring.lamps.values())
            lines.close()

    async def _read(self, lines: Lines, emit: Emit) -> None:
        readable, loop = asyncio.Event(), asyncio.get_running_loop()
        contacts, number = Contacts(), 0
        loop.add_reader(lines.fd, readable.set)
        try:
            contacts = self._take_levels(contacts, lines, emit)
            while True:
                await readable.wait()
                readable.clear()
                edges = tuple(lines.read_edges())
                if not edges:
                    continue
                if edges[0].number != number + 1:
                    self.rejected["edges dropped by the kernel"] += 1
                number = edges[-1].number
                contacts, readings = fold_edges(contacts, edges, self._wiring.lines)
                _pass_on(readings, emit)
                # What was dropped before these edges may have been the last word on another line.
                contacts = self._take_levels(contacts, lines, emit)
        finally:
            loop.remove_reader(lines.fd)
            _pass_on(release(contacts), emit)

    def _take_levels(self, contacts: Contacts, lines: Lines, emit: Emit) -> Contacts:
        levels = {self._wiring.lines[line]: closed for line, closed in lines.read_levels().items()}
        contacts, readings = fold_levels(contacts, levels)
        _pass_on(readings, emit)
        return contacts

    async def _blink(self, lines: Lines) -> None:
        written: dict[str, bool] = {}
        while True:
            self._changed.clear()
            now_s = self._clock.monotonic()
            levels = plan_levels(self._lamps, self._wiring.lamps, now_s)
            changed = {line: lit for line, lit in levels.items() if written.get(line) is not lit}
            if changed:
                lines.write(changed)
                written |= changed
            wait_s = next_blink_s([self._lamps.get(button, "dark") for button in self._wiring.lamps], now_s)
            if wait_s is None:
                await self._changed.wait()
            else:
                await until_first(_wait(self._changed), self._clock.sleep(max(wait_s, _BLINK_MIN_S)))


def fold_edges(
    contacts: Contacts, edges: Iterable[Edge], buttons: Mapping[str, str]
) -> tuple[Contacts, tuple[ContactReading, ...]]:
    """Fold edges in the kernel's order; `buttons` maps a line to its button."""
    readings: list[ContactReading] = []
    for edge in edges:
        contacts, found = fold_edge(contacts, buttons[edge.line], edge.rising)
        readings += found
    return contacts, tuple(readings)


def plan_levels(lamps: Mapping[str, Lamp], lines: Mapping[str, str], now_s: float) -> dict[str, bool]:
    """Each lamp line's level at `now_s`; `lines` maps a button to the line of its lamp."""
    return {line: is_lit(lamps.get(button, "dark"), now_s) for button, line in lines.items()}


def gpiod_request(section: str = "panel") -> Request:
    """Give what requests lines from the kernel for a section of the configuration.

    Raises Fatal where libgpiod 2 for Python is not installed.
    """
    try:
        gpiod, line = importlib.import_module("gpiod"), importlib.import_module("gpiod.line")
    except ImportError as error:
        raise Fatal(
            f"[{section}] backend 'gpiod' needs libgpiod 2 for Python: install the extra 'gpio' (pip install "
            f"'watchroom[edge,gpio]'), or choose another backend: {error}"
        ) from error
    return lambda wiring: _GpiodLines(gpiod, line, wiring, section)


class _GpiodLines:
    """A `gpiod.LineRequest` under the names that the configuration uses."""

    def __init__(self, gpiod: ModuleType, line: ModuleType, wiring: Wiring, section: str) -> None:
        """Request the lines. Raises OSError where the chip or a line isn't there, or is another's."""
        self._value = line.Value
        self._rising = gpiod.EdgeEvent.Type.RISING_EDGE
        try:
            self._request: Any = gpiod.request_lines(
                wiring.chip, consumer=CONSUMER, config=_settings(gpiod, line, wiring)
            )
        except ValueError as error:
            raise OSError(f"{error}: check the lines of [{section}]") from error
        self._buttons = tuple(wiring.lines)
        offsets = dict(zip(self._request.lines, self._request.offsets, strict=True))
        self._names = {offset: name for name, offset in offsets.items()}

    @property
    def fd(self) -> int:
        """The request's own."""
        fd: int = self._request.fd
        return fd

    def read_edges(self) -> Iterable[Edge]:
        """Read the edges that wait, in the kernel's order.

        The library's own read waits where there is none, and the loop calls a reader once more than there is to read.
        """
        events = self._request.read_edge_events() if self._request.wait_edge_events(0) else ()
        return [
            Edge(self._names[each.line_offset], each.event_type is self._rising, each.global_seqno) for each in events
        ]

    def read_levels(self) -> Mapping[str, bool]:
        """Read every button line."""
        values = self._request.get_values(self._buttons)
        return {name: value is self._value.ACTIVE for name, value in zip(self._buttons, values, strict=True)}

    def write(self, levels: Mapping[str, bool]) -> None:
        """Set lamp lines, all at once."""
        self._request.set_values(
            {name: self._value.ACTIVE if lit else self._value.INACTIVE for name, lit in levels.items()}
        )

    def close(self) -> None:
        """Release the request."""
        self._request.release()


def _settings(gpiod: ModuleType, line: ModuleType, wiring: Wiring) -> dict[tuple[str, ...], Any]:
    buttons = gpiod.LineSettings(
        direction=line.Direction.INPUT,
        edge_detection=line.Edge.BOTH,
        bias=line.Bias.PULL_UP if wiring.active_low else line.Bias.PULL_DOWN,
        active_low=wiring.active_low,
    )
    lamps = gpiod.LineSettings(
        direction=line.Direction.OUTPUT, output_value=line.Value.INACTIVE, active_low=wiring.lamps_active_low
    )
    asked = ((tuple(wiring.lines), buttons), (tuple(wiring.lamps.values()), lamps))
    return {names: settings for names, settings in asked if names}


def _pass_on(readings: Iterable[ContactReading], emit: Emit) -> None:
    for reading in readings:
        emit(reading)


def _darken(lines: Lines, lamps: Iterable[str]) -> None:
    """Turn every lamp off, if the chip still is there: a lamp must not outlive the agent behind it."""
    try:
        lines.write(dict.fromkeys(lamps, False))
    except OSError:
        return


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
