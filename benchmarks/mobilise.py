"""From `PUT /v1/orders` to the sounder's read-back, received, committed and told by the cloud.

`python -m benchmarks.mobilise --orders 100` runs the application and a station's agent as processes of their own, on a
real plant (Modbus TCP) that is polled every 50 ms. It mobilises the station again and again, cancelling each order, and
prints one JSON object on the last line: `p50_ms` and `p99_ms` from the first byte of the request to the event on the
feed that says that the first sounder's feedback was read (later than its arrival at ingest by a commit); `confirmed_*`
for the last of all level steps; and as baselines of the same minute the answer to the same request (`put_*`, which is
one commit) and one read of the plant (`read_p50_ms`).
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from pymodbus.client import AsyncModbusTcpClient

from benchmarks.percentiles import in_ms
from benchmarks.processes import free_port, process
from cloud.clock import SystemClock
from simulator.api_client import ask
from simulator.county import County, Station, generate
from simulator.folder import DEVICE_FILE, write_directory
from simulator.plant import Plant
from simulator.stations import StationSettings, wire_plant, write_station
from wire.feed import Orders, OrderView

SEED = 14
POLL_MS = 50
ORDER_WAIT_S = 20.0
REST_S = 0.4
"""Between two orders: the station ends what it was doing."""
_clock = SystemClock()


class Board:
    """What the feed has told of orders, and when."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.orders: dict[str, OrderView] = {}
        self.sounding_s: dict[str, float] = {}
        self.confirmed_s: dict[str, float] = {}
        self._told = asyncio.Condition()

    async def follow(self, port: int) -> None:
        """Follow the feed on a bare socket: the time is taken when the bytes are there, before they are decoded."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**24)
        writer.write(b"GET /v1/feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        kind = b""
        while line := await reader.readline():
            at_s = _clock.monotonic()
            name, _, value = line.rstrip().partition(b": ")
            if name == b"event":
                kind = value
            elif name == b"data" and kind == b"orders":
                await self._take(msgspec.json.decode(value, type=Orders), at_s)

    async def until(self, order: str, phases: tuple[str, ...]) -> OrderView:
        """Wait until an order has come to one of these phases. Raises TimeoutError where it does not."""
        async with asyncio.timeout(ORDER_WAIT_S), self._told:
            await self._told.wait_for(lambda: order in self.orders and self.orders[order].phase in phases)
        return self.orders[order]

    async def _take(self, orders: Orders, at_s: float) -> None:
        for view in orders.orders:
            self.orders[view.order] = view
            if any(step.step.startswith("sounder:") and step.outcome == "done" for step in view.steps):
                self.sounding_s.setdefault(view.order, at_s)
            if view.phase == "confirmed":
                self.confirmed_s.setdefault(view.order, at_s)
        async with self._told:
            self._told.notify_all()


class Timings:
    """What each order took, in seconds."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.sounding: list[float] = []
        self.confirmed: list[float] = []
        self.put: list[float] = []
        self.read: list[float] = []


async def mobilise(port: int, board: Board, station: Station, timings: Timings) -> None:
    """Give an order, wait until it is confirmed, and cancel it."""
    order = str(uuid4())
    body: dict[str, Any] = {
        "kind": "mobilise",
        "base": station.base.id,
        "units": [unit.id for unit in station.units],
        "incident": "I0001",
        "by": "benchmark",
        "override": {"reason": "benchmark"},
    }
    began_s = _clock.monotonic()
    status = await ask(port, "PUT", f"/v1/orders/{order}", body)
    timings.put.append(_clock.monotonic() - began_s)
    if status != 201:
        raise SystemExit(f"the order was answered with {status}")
    await board.until(order, ("confirmed",))
    timings.sounding.append(board.sounding_s[order] - began_s)
    timings.confirmed.append(board.confirmed_s[order] - began_s)
    await ask(port, "POST", f"/v1/orders/{order}/cancel", {"by": "benchmark", "reason": "next"})
    await board.until(order, ("closed", "failed", "expired", "unknown"))


async def read_plant(port: int, timings: Timings, reads: int = 50) -> None:
    """Read the plant's contacts a few times: what one poll costs."""
    client = AsyncModbusTcpClient("127.0.0.1", port=port, retries=0)
    await client.connect()
    for _ in range(reads):
        began_s = _clock.monotonic()
        await client.read_discrete_inputs(0, count=24, device_id=1)
        timings.read.append(_clock.monotonic() - began_s)
    client.close()


async def run(port: int, station: Station, orders: int) -> Timings:
    """Mobilise the station so many times."""
    board, timings = Board(), Timings()
    following = asyncio.ensure_future(board.follow(port))
    try:
        await mobilise(port, board, station, Timings())  # the first waits for the device's connection
        for _ in range(orders):
            await _clock.sleep(REST_S)
            await mobilise(port, board, station, timings)
    finally:
        following.cancel()
    return timings


async def measure(orders: int) -> dict[str, Any]:
    """Run everything, and give the figures."""
    county: County = generate(SEED)
    station = county.stations[0]
    with tempfile.TemporaryDirectory(prefix="wr-") as name:
        folder, port, mqtt_port = Path(name), free_port(), free_port()
        write_directory(county, folder / "data" / "directory")
        plant = Plant(wire_plant(station), clock=_clock)
        async with plant.serve_tcp() as plant_port:
            settings = StationSettings(broker_port=mqtt_port, plant_port=plant_port, heartbeat_s=1.0, poll_ms=POLL_MS)
            write_station(station, folder / "station", settings)
            bin_folder = Path(sys.executable).parent
            up = [str(bin_folder / "watchroom"), "up", "--data", str(folder / "data")]
            up += ["--port", str(port), "--mqtt-port", str(mqtt_port)]
            agent = [str(bin_folder / "edge-agent"), "run", "--config", str(folder / "station" / DEVICE_FILE)]
            async with process(up, until="Board"), process(agent, until=""):
                timings = await run(port, station, orders)
                await read_plant(plant_port, timings)
    return {
        "p50_ms": in_ms(timings.sounding, 0.5),
        "p99_ms": in_ms(timings.sounding, 0.99),
        "confirmed_p50_ms": in_ms(timings.confirmed, 0.5),
        "confirmed_p99_ms": in_ms(timings.confirmed, 0.99),
        "put_p50_ms": in_ms(timings.put, 0.5),
        "put_p99_ms": in_ms(timings.put, 0.99),
        "read_p50_ms": in_ms(timings.read, 0.5),
        "orders": len(timings.sounding),
        "poll_ms": POLL_MS,
    }


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.mobilise",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--orders", type=int, default=100, help="how many times to mobilise (default 100)")
    print(json.dumps(asyncio.run(measure(parser.parse_args().orders))))


if __name__ == "__main__":
    main()
