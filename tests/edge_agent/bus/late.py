"""Reads a serial slave of which some answers come late, while callers go away; counts values that are not its own.

`python -m tests.edge_agent.bus.late --reads 5000` does it with our bus, and then with a naive client, as a check that
the line tells the two apart. It fails where our bus hands out one wrong value, or the naive client none.
"""

import argparse
import asyncio
import json
import logging
import random
import sys
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

import structlog
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException

from edge_agent.bus import Bus
from edge_agent.bus.client import Unanswered
from edge_agent.clock import SystemClock
from edge_agent.config.register_maps import MapHead, Point, RegisterMap
from tests.edge_agent.bus.plants import running
from tests.edge_agent.bus.serial_line import SerialLine, a_serial_line, on_serial, truth

REGISTERS = (0, 2, 4)
"""No two are neighbours: a poll asks for them singly, so that each answer has the shape of every other."""
LATE, CANCELLED = 0.15, 0.10
TIMEOUT_MS, QUIET_MS = 40, 80
LATE_S = (0.045, 0.100)
"""Later than the timeout, and earlier than the end of the quiet, by a margin for a busy machine."""
SLOW, SLOW_S = 0.20, (0.002, 0.025)
"""As many answers are slow, but in time: their callers may be gone by then."""
TURNS_MAX = 20
"""Turns of the event loop after which a caller goes away: before its request is sent, or while it is in flight."""
PAUSE_S = 0.05
"""Before the next try of a slave that is held to be silent."""

Counts = Counter[str]
T = TypeVar("T")


def late_map() -> RegisterMap:
    """Registers r0, r1, and so on."""
    head = MapHead(name="plant", title="Registers that know their address", reference="made up for the tests")
    names = ((f"r{address}", address) for address in REGISTERS)
    points = (Point(name=name, function="holding_register", address=at, kind="uint16") for name, at in names)
    return RegisterMap(head=head, points=tuple(points))


class Lateness:
    """Makes a share of the answers late, by a seed."""

    def __init__(self, seed: int) -> None:
        """Begin the series of `seed`."""
        self._random = random.Random(seed)
        self.late = 0

    def __call__(self, _slave: int) -> float | None:
        """How late the next answer is."""
        drawn = self._random.random()
        if drawn < LATE:
            self.late += 1
            return self._random.uniform(*LATE_S)
        return self._random.uniform(*SLOW_S) if drawn < LATE + SLOW else 0.0


async def read_with_bus(reads: int, seed: int) -> Counts:
    """Read `reads` times through our bus, with its polls going on beside, and count how that went."""
    lateness, counts, chance = Lateness(seed), Counts(), random.Random(seed)
    async with a_serial_line(lateness) as line:
        config = on_serial(line, 1, timeout_ms=TIMEOUT_MS, poll_ms=5000, quiet_ms=QUIET_MS)
        async with running(config, maps={"plant": late_map()}) as bench:
            for _ in range(reads):
                await _read_once(bench.bus, chance, counts)
            for values in bench.told:
                _count_poll({name: value.value for name, value in values.items()}, counts)
        counts["late"] = lateness.late
    return counts


async def _read_once(bus: Bus, chance: random.Random, counts: Counts) -> None:
    while bus.silent:  # nothing is sent to a slave that is held to be silent: that would be no read
        if (await bus.read("s1.r0")).quality == "good":
            break
        await SystemClock().sleep(PAUSE_S)
    address = chance.choice(REGISTERS)
    value = await _given_up(bus.read(f"s1.r{address}"), chance)
    if value is None:
        counts["cancelled"] += 1
    else:
        counts["unanswered" if value.value is None else "right" if value.value == truth(1, address) else "wrong"] += 1


async def _given_up(read: Awaitable[T], chance: random.Random) -> T | None:
    """Wait for `read`; or, by chance, give it up after some turns of the loop: None."""
    task = asyncio.ensure_future(read)
    if chance.random() < CANCELLED:
        for _ in range(chance.randrange(TURNS_MAX)):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.wait((task,))
    return None if task.cancelled() else task.result()


def _count_poll(values: dict[str, bool | float | None], counts: Counts) -> None:
    for name, value in values.items():
        if value is not None:
            counts["polled" if value == truth(1, int(name.removeprefix("s1.r"))) else "wrong"] += 1


async def read_naively(reads: int, seed: int) -> Counts:
    """Read `reads` times as one would without knowing: pymodbus, with retries, and requests given up half-way."""
    lateness, counts, chance = Lateness(seed), Counts(), random.Random(seed)
    async with a_serial_line(lateness) as line:
        client = await _naive_client(line)
        for _ in range(reads):
            address = chance.choice(REGISTERS)
            try:
                answer = await _given_up(client.read_holding_registers(address, device_id=1), chance)
            except ModbusException:
                counts["unanswered"] += 1
                continue
            is_right = answer is not None and list(answer.registers) == [truth(1, address)]
            counts["cancelled" if answer is None else "right" if is_right else "wrong"] += 1
        client.close()
        counts["late"] = lateness.late
    return counts


async def _naive_client(line: SerialLine) -> AsyncModbusSerialClient:
    client = AsyncModbusSerialClient(line.path, baudrate=115200, timeout=TIMEOUT_MS / 1000, retries=1)
    if not await client.connect():
        raise Unanswered("the line does not open")
    return client


def main() -> int:
    """Run both and print their counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reads", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    ours = asyncio.run(read_with_bus(given.reads, given.seed))
    naive = asyncio.run(read_naively(given.reads, given.seed))
    print(json.dumps({"reads": given.reads, "bus": {"wrong": 0, **ours}, "naive": {"wrong": 0, **naive}}))
    return 0 if ours["wrong"] == 0 and naive["wrong"] > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
