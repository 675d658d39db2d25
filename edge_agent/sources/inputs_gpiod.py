"""The device's own contacts on GPIO lines, such as ignition and the supply's failure: a thin adapter.

What a level means is decided in `decode/inputs.py`. Lines are requested as the panel's are, once for each polarity.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from edge_agent.clock import Clock
from edge_agent.config.inputs import POWER_FAIL, Inputs
from edge_agent.decode import inputs as contacts
from edge_agent.decode.inputs import Contacts, InputRules
from edge_agent.sources.panel import Emit, Jitter, Outage, until_first
from edge_agent.sources.panel_gpiod import Lines, Request, Wiring, gpiod_request

LOOK_S = 5.0
"""How often levels are read where no edge asks for it: an edge that was lost, or a chip that went without a word."""

SOURCE = "inputs"


def rules_of(inputs: Inputs) -> InputRules:
    """How these inputs are read."""
    return InputRules(debounce_s=inputs.debounce_ms / 1000, prompt=frozenset({POWER_FAIL} & set(inputs.names)))


class GpiodInputs:
    """The inputs on one chip's lines. `rejected` counts by reason what could not be believed."""

    def __init__(self, inputs: Inputs, *, clock: Clock, jitter: Jitter, request: Request | None = None) -> None:
        """Raises Fatal where the library is not installed. `request` asks the kernel, unless told otherwise."""
        self._names, self._chip, self._rules = inputs.names, inputs.path, rules_of(inputs)
        wirings = (
            Wiring(chip=inputs.path, lines=inputs.lines_of(active_low), active_low=active_low)
            for active_low in (True, False)
        )
        self._wirings = [wiring for wiring in wirings if wiring.lines]
        self._clock, self._jitter = clock, jitter
        self._request = request or gpiod_request(SOURCE)
        self.rejected: Counter[str] = Counter()

    async def run(self, emit: Emit) -> None:
        """Emit each input's value whenever it changes, until cancelled, across a chip that goes and comes back.

        While the chip is away every input is bad, which is one `SourceFault("inputs", text)` as well.
        """
        outage = Outage(SOURCE, emit=emit, clock=self._clock, jitter=self._jitter)
        while True:
            try:
                await self._serve(emit, outage)
            except OSError as error:
                for reading in contacts.lose(self._names, self._rules):
                    emit(reading)
                await outage.wait(f"{self._chip}: {error.strerror or error}")

    async def _serve(self, emit: Emit, outage: Outage) -> None:
        opened: list[_Group] = []
        readable, loop = asyncio.Event(), asyncio.get_running_loop()
        try:
            for wiring in self._wirings:
                opened.append(_Group(wiring, self._request(wiring), self.rejected))
                loop.add_reader(opened[-1].lines.fd, readable.set)
            for group in opened:
                group.read_levels()
            outage.heal()
            await self._follow(opened, readable, emit)
        finally:
            for group in opened:
                loop.remove_reader(group.lines.fd)
                group.lines.close()

    async def _follow(self, opened: "Sequence[_Group]", readable: asyncio.Event, emit: Emit) -> None:
        held: Contacts = {}
        while True:
            readable.clear()
            levels = [level for group in opened for level in (*group.read_edges(), *group.read_levels())]
            now_s = self._clock.monotonic()
            held, readings = contacts.fold(held, levels, now_s, self._rules)
            for reading in readings:
                emit(reading)
            due_s = contacts.due_s(held, self._rules)
            wait_s = LOOK_S if due_s is None else min(LOOK_S, due_s - now_s)
            await until_first(_wait(readable), self._clock.sleep(wait_s))


class _Group:
    """The lines of one polarity, and the number of the newest edge."""

    def __init__(self, wiring: Wiring, lines: Lines, rejected: Counter[str]) -> None:
        self.lines = lines
        self._wiring, self._rejected = wiring, rejected
        self._number = 0

    def read_edges(self) -> list[tuple[str, bool]]:
        """The edges that wait, by input."""
        edges = tuple(self.lines.read_edges())
        if edges and edges[0].number != self._number + 1:
            self._rejected["edges dropped by the kernel"] += 1
        self._number = edges[-1].number if edges else self._number
        return [(self._wiring.lines[edge.line], edge.rising) for edge in edges]

    def read_levels(self) -> list[tuple[str, bool]]:
        """Every level now, by input."""
        return [(self._wiring.lines[line], on) for line, on in self.lines.read_levels().items()]


async def _wait(event: asyncio.Event) -> None:
    await event.wait()
