"""A consumer of what is published over MQTT, as the tests need one, and one who leaves messages behind."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine

import aiomqtt
import msgspec

from cloud.clock import SystemClock
from cloud.feeds.mqttlink import MqttLink
from tests.brokers import RunningBroker
from tests.cloud.feeds.mqtt_lab import TICK_S, County, lasting, left_behind
from wire.partner import PartnerRecord
from wire.topics import FEED_FILTER


class Consumer:
    """What a consumer holds that does what `docs/sharing-mqtt.md` asks of it, and all that it was ever told."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.held: dict[str, PartnerRecord] = {}
        self.told: list[tuple[str, bytes]] = []

    def lasting(self) -> dict[str, PartnerRecord]:
        """What it holds, but for ages and for until when it is valid."""
        return {topic: lasting(record) for topic, record in self.held.items()}

    def take(self, topic: str, payload: bytes) -> None:
        """Take a message."""
        self.told.append((topic, payload))
        if payload:
            self.held[topic] = msgspec.json.decode(payload, type=PartnerRecord)
        else:
            self.held.pop(topic, None)

    async def follow(self, broker: RunningBroker, subscribed: asyncio.Event) -> None:
        """Follow every partner's view, through broken connections. What stands comes again with each."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(broker.host, broker.port) as client:
                    self.held.clear()
                    await client.subscribe(FEED_FILTER, 1)
                    subscribed.set()
                    async for message in client.messages:
                        assert isinstance(message.payload, bytes)
                        self.take(str(message.topic), message.payload)
            await SystemClock().sleep(0.1)


@contextlib.asynccontextmanager
async def consuming(broker: RunningBroker) -> AsyncIterator[Consumer]:
    """A consumer in the background, which has subscribed."""
    consumer, subscribed = Consumer(), asyncio.Event()
    async with background(consumer.follow(broker, subscribed)):
        await asyncio.wait_for(subscribed.wait(), 10)
        yield consumer


@contextlib.asynccontextmanager
async def publishing(county: County, port: int) -> AsyncIterator[None]:
    """A county that ticks, and a link that publishes what it says is due."""
    clock = SystemClock()

    async def tick() -> None:
        while True:
            county.tick()
            await clock.sleep(TICK_S)

    county.now = msgspec.structs.replace(county.now, utc=clock.now(), mono_s=clock.monotonic())
    link = MqttLink("127.0.0.1", port, county.out, clock=clock)
    async with background(tick()), background(link.run()):
        yield


@contextlib.asynccontextmanager
async def background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run a coroutine beside the block, and end it with the block."""
    task = asyncio.ensure_future(work)
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def leave(broker: RunningBroker, *topics: str) -> None:
    """Leave a message behind on each topic, as a process that is long gone would."""
    payload = msgspec.json.encode(left_behind())
    async with aiomqtt.Client(broker.host, broker.port) as client:
        for topic in topics:
            await client.publish(topic, payload, qos=1, retain=True)
