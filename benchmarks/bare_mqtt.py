"""A bare asyncio client at QoS 0: what a benchmark sends with, and the null consumer that a broker is measured by.

`python -m benchmarks.bare_mqtt PORT SECONDS` is that consumer: it takes everything on `wr/1/up/#`, does nothing with it
but tell the sender now and then how much came, for a broker hangs up on whoever falls too far behind, and prints how
many messages came in a second, from a second after the first one on.
"""

import asyncio
import json
import sys
from collections.abc import Callable

from cloud.clock import SystemClock
from cloud.ingest import packets
from cloud.ingest.packets import Published, Splitter
from wire.topics import UP_FILTER

WRITE_BYTES_MAX = 256 * 1024
TAKEN_MAX = 1_000_000
WARM_UP_S = 1.0
CAME = "wr/1/down/null"
"""Where the null consumer says how many messages came."""
CAME_EVERY = 1_000


class Bare(asyncio.Protocol):
    """One connection with one subscription. `subscribed` is set once it stands."""

    def __init__(self, name: str, topic_filter: str, on_published: Callable[[list[Published]], None]) -> None:
        """Nothing connects yet: give it to `create_connection`."""
        self._name, self._filter, self._on_published = name, topic_filter, on_published
        self._splitter = Splitter()
        self._transport: asyncio.Transport | None = None
        self.subscribed = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()

    def write(self, data: bytes) -> None:
        """Send packets."""
        assert self._transport is not None
        self._transport.write(data)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(WRITE_BYTES_MAX)
        transport.write(packets.connect(self._name, 600))

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._splitter.feed(data)
        taken = self._splitter.take(TAKEN_MAX)
        for control in taken.control:
            if control.first == packets.CONNACK:
                self.write(packets.subscribe(1, self._filter))
            elif control.first == packets.SUBACK:
                self.subscribed.set()
        if taken.published:
            self._on_published(taken.published)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the process: nothing measured without a connection means anything."""
        raise SystemExit(f"the broker closed the connection of {self._name}: {exc}")

    def pause_writing(self) -> None:
        """Note that the broker does not take it."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """Note that it does again."""
        self.writable.set()


async def connect(port: int, bare: Bare) -> Bare:
    """Connect to the broker on loopback `port`, and return once the subscription stands."""
    await asyncio.get_running_loop().create_connection(lambda: bare, "127.0.0.1", port)
    await bare.subscribed.wait()
    return bare


async def consume(port: int, seconds: float) -> float:
    """Give the messages that came in a second."""
    clock = SystemClock()
    count = 0
    came = asyncio.Event()

    def take(published: list[Published]) -> None:
        nonlocal count
        before, count = count, count + len(published)
        if count // CAME_EVERY > before // CAME_EVERY:
            bare.write(packets.publish(CAME, b"%d" % count))
        came.set()

    bare = Bare("null", UP_FILTER, take)
    await connect(port, bare)
    print("ready", flush=True)
    await came.wait()
    await clock.sleep(WARM_UP_S)
    began_s, before = clock.monotonic(), count
    await clock.sleep(seconds)
    return (count - before) / (clock.monotonic() - began_s)


if __name__ == "__main__":
    print(json.dumps({"per_s": round(asyncio.run(consume(int(sys.argv[1]), float(sys.argv[2]))))}))
