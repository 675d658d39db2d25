"""A subscriber that runs, and servers that behave as brokers do, well and badly."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from cloud.clock import SystemClock
from cloud.ingest.subscriber import Messages, Subscriber

HOST = "127.0.0.1"
CONNACK, REFUSED = bytes.fromhex("20020000"), bytes.fromhex("20020005")
SUBACK, NOT_GRANTED = bytes.fromhex("9003000100"), bytes.fromhex("9003000180")
"""MQTT 3.1.1, sections 3.2 and 3.9; return code 5 is "not authorised", 0x80 is "failure"."""
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Hurried(SystemClock):
    """The system's clock for those who cannot wait: every pause is over at once."""

    async def sleep(self, duration_s: float) -> None:
        """Let others run."""
        await asyncio.sleep(0)


class Listening:
    """A subscriber that runs, and all that it said and handed over."""

    def __init__(self, port: int, clock: SystemClock) -> None:
        """Listen to the broker on a port of this machine."""
        self.batches: list[Messages] = []
        self.greetings = 0
        self.subscriber = Subscriber(HOST, port, clock=clock, on_messages=self.batches.append)
        self.task: asyncio.Task[None] = asyncio.create_task(self.subscriber.run(self._greet))

    @property
    def payloads(self) -> list[bytes]:
        """Every payload so far, in order."""
        return [payload for batch in self.batches for _, payload in batch]

    def _greet(self) -> None:
        self.greetings += 1


@contextlib.asynccontextmanager
async def listening(port: int, clock: SystemClock | None = None) -> AsyncIterator[Listening]:
    """A subscriber in the background. A failure of it is the block's."""
    running = Listening(port, clock or SystemClock())
    try:
        yield running
    finally:
        running.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running.task


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[int]:
    """A server of one behaviour, on the port that is given."""

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mine = asyncio.current_task()
        assert mine is not None
        open_now.add(mine)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
        finally:
            writer.transport.abort()
            open_now.discard(mine)

    open_now: set[asyncio.Task[None]] = set()
    server = await asyncio.start_server(run, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)
        await asyncio.sleep(0)


async def packet(reader: asyncio.StreamReader) -> bytes:
    """Read one MQTT packet of less than 128 bytes."""
    head = await reader.readexactly(2)
    return head + await reader.readexactly(head[1])


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a connection and its subscription, as a broker does."""
    await packet(reader)
    writer.write(CONNACK)
    await packet(reader)
    writer.write(SUBACK)
    await writer.drain()


def publish_packet(topic: bytes, payload: bytes) -> bytes:
    """A PUBLISH of less than 128 bytes at QoS 0 (section 3.3)."""
    body = len(topic).to_bytes(2, "big") + topic + payload
    return bytes([0x30, len(body)]) + body


def descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))


def watched() -> int:
    """How many files the running loop watches."""
    return len(asyncio.get_running_loop()._selector.get_map())  # type: ignore[attr-defined]


def events(logs: list[Any], *names: str) -> list[str]:
    """The log's events of these names, in order."""
    return [line["event"] for line in logs if line["event"] in names]


async def keep_silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    while await reader.read(65_536):
        pass


async def fall_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept, then say nothing more: not even that it is alive."""
    await accept(reader, writer)
    await keep_silent(reader, writer)


def seconds_from_now(duration_s: float) -> Callable[[], bool]:
    """A condition that holds once so much time has passed."""
    loop = asyncio.get_running_loop()
    end_s = loop.time() + duration_s
    return lambda: loop.time() > end_s
