"""A station's turnout as a process of its own: the agent's bus, journal, outbox and runner, and nothing else of it.

It says `nonce WORD` when it has begun, and then takes commands from its standard input, one a line, as the cloud would
send them. `python -m tests.chaos.turnout_program FOLDER PORT`.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog

from edge_agent.bus import Bus
from edge_agent.clock import Clock, SystemClock
from edge_agent.config.buses import BusSettings, SlaveEntry
from edge_agent.config.register_maps import RegisterMap, parse_map
from edge_agent.outbox import OutboxKeeper, OutboxLimits
from edge_agent.outbox.file import Draft
from edge_agent.state.events import Stamp
from edge_agent.station.layout import Layout, parse_layout
from edge_agent.turnout import Journal, Turnout
from edge_agent.turnout.journal import read_boot_id
from edge_agent.turnout.runner import Around
from wire.messages import Command

TRAVEL_S = 0.2
SOUND_S = 8.0
RESET_S = 8.0
LAYOUT = f"""
[station]
name = "The yard"
reset_after_s = {RESET_S}
sound_s = {SOUND_S}

[[zone]]
id = "dorm"
services = ["fire"]

[[zone]]
id = "cells"
services = ["police"]

[[sounder]]
id = "dorm"
zone = "dorm"
output = "io.do0"
proof = "io.di0"

[[sounder]]
id = "cells"
zone = "cells"
output = "io.do1"
proof = "io.di1"

[[light]]
id = "dorm"
zone = "dorm"
output = "io.do2"
proof = "io.di2"

[[cooker]]
id = "mess"
zone = "dorm"
output = "io.do3"
proof = "io.di3"
reset = "io.di17"

[[indicator]]
unit = "engine-1"
output = "io.do4"
proof = "io.di4"

[[door]]
id = "bay-1"
units = ["engine-1"]
output = "io.do8"
open_input = "io.di8"
closed_input = "io.di9"
pulse_s = 0.1
travel_s = {TRAVEL_S + 0.8}

[inputs]
acknowledge = "io.di16"
"""
"""A door is given a second: what the yard's takes, and what a busy machine takes to look."""
_COILS = [f'name = "do{at}", function = "coil", address = {at}, writable = true' for at in range(16)]
_COILS[8] += ", pulse_ms = 100"
_INPUTS = [f'name = "di{at}", function = "discrete_input", address = {at}' for at in range(24)]
_POINTS = ",".join(f"{{ {words} }}" for words in _COILS + _INPUTS)
MAP = f'map = {{ name = "yard", title = "The yard", reference = "No maker" }}\npoint = [{_POINTS}]\n'


def yard_layout() -> Layout:
    """The station of the lab: a dormitory, a cell corridor and one bay."""
    found = parse_layout(LAYOUT)
    assert isinstance(found, Layout), found
    return found


def yard_bus(port: int, clock: Clock) -> Bus:
    """Its one module."""
    found = parse_map(MAP)
    assert isinstance(found, RegisterMap), found
    line = BusSettings(
        name="yard",
        transport="tcp",
        host="127.0.0.1",
        port=port,
        poll_ms=50,
        slave=(SlaveEntry(name="io", id=1, map="yard"),),
    )
    return Bus((line,), {"yard": found}, clock=clock, jitter=lambda: 0.5)


class Rig:
    """A turnout with its journal and outbox in a folder, on a bus."""

    def __init__(self, folder: Path, port: int, *, clock: Clock) -> None:
        """Open the files."""
        self._clock = clock
        self.outbox = OutboxKeeper(folder, "e1", OutboxLimits(track_max_rows=1_000, reserve_kib=64), frozenset())
        self.journal = Journal(folder, clock=clock, boot_id=read_boot_id())
        self.bus = yard_bus(port, clock)
        around = Around(outputs=self.bus, tell=self._tell, stamp=self._stamp)
        self.turnout = Turnout(yard_layout(), around, journal=self.journal, clock=clock)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Turnout]:
        """Run it while the block runs."""
        try:
            async with asyncio.TaskGroup() as tasks:
                running = [tasks.create_task(self.turnout.run())]
                running += [tasks.create_task(self.bus.run(lambda read: self.turnout.read(read, self.bus.silent)))]
                yield self.turnout
                for task in running:
                    task.cancel()
        finally:
            await self.journal.close()
            await self.outbox.close()

    async def _tell(self, drafts: Sequence[Draft]) -> None:
        await self.outbox.append("status", drafts)

    def _stamp(self) -> Stamp:
        mono_ms = int(self._clock.monotonic() * 1000)
        return Stamp(at=self._clock.now(), clock="ntp", boot=self.outbox.boot, mono_ms=mono_ms)


async def main(folder: Path, port: int) -> None:
    """Run until killed."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    rig = Rig(folder, port, clock=SystemClock())
    async with rig.running() as turnout:
        print(f"nonce {turnout.nonce()}", flush=True)
        while line := await reader.readline():
            turnout.take(msgspec.json.decode(line, type=Command))


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
