"""Publishes the device's messages on one connection. All speak of the stream that the connection began with."""

import msgspec

from edge_agent.clock import Clock
from edge_agent.link import writer
from edge_agent.link.connection import Address, Client
from edge_agent.link.writer import Describe, Echo, Sending
from edge_agent.outbox import Held, OutboxKeeper
from edge_agent.state.delivery import Send
from wire import topics
from wire.messages import EVENTS_MAX, Queue


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """Which connection of which boot this is, and the stream that it speaks of."""

    stream: str
    boot: int
    conn: int


class Sender:
    """Sends on one connection. What belongs to another stream is not sent: the outbox may change it at any time."""

    def __init__(self, address: Address, spoken: Spoken, *, keeper: OutboxKeeper, clock: Clock) -> None:
        """Nothing is sent yet."""
        self._address = address
        self._spoken = spoken
        self._keeper = keeper
        self._clock = clock

    @property
    def is_current(self) -> bool:
        """Whether the outbox still goes on in the stream that this connection speaks of."""
        return self._keeper.stream == self._spoken.stream

    def death(self) -> bytes:
        """Write the end of this connection."""
        return writer.write_death(self._sending())

    async def publish_death(self, client: Client, timeout_s: float) -> None:
        """Tell the end of this connection. Raises `aiomqtt.MqttError` where the broker does not take it in time."""
        await client.publish(self._topic("link"), self.death(), qos=1, retain=True, timeout=timeout_s)

    async def publish_birth(self, client: Client, held: Held, describe: Describe, echo: Echo) -> None:
        """Tell the beginning of this connection; returns once the broker has it."""
        birth = writer.write_birth(self._sending(), held, describe(), echo)
        await client.publish(self._topic("link"), birth, qos=1, retain=True)

    async def publish(self, client: Client, send: Send, describe: Describe, echo: Echo) -> int:
        """Send what is due. Gives the last sequence of an envelope that now waits for its settle, else 0."""
        match send:
            case "heartbeat":
                return await self._publish_heartbeat(client, describe, echo)
            case "live":
                return await self._publish_live(client, describe)
            case "status":
                return await self._publish_batch(client, "status", describe)
            case "history":
                return await self._publish_batch(client, "track", describe)

    async def _publish_heartbeat(self, client: Client, describe: Describe, echo: Echo) -> int:
        held = await self._keeper.held()
        if held.stream == self._spoken.stream:
            payload = writer.write_heartbeat(self._sending(), held, describe(), echo)
            await client.publish(self._topic("live"), payload)
        return 0

    async def _publish_live(self, client: Client, describe: Describe) -> int:
        records = await self._keeper.newest_track()
        for record in records if self.is_current else ():
            await client.publish(self._topic("live"), writer.write_live(self._sending(), describe().clock, record))
        return 0

    async def _publish_batch(self, client: Client, queue: Queue, describe: Describe) -> int:
        batch = await self._keeper.batch(queue, EVENTS_MAX)
        if batch is None or not self.is_current:
            return 0
        payload = writer.write_batch(self._sending(), describe().clock, batch)
        await client.publish(self._topic("status" if queue == "status" else "history"), payload)
        return batch.last

    def _topic(self, channel: topics.UpChannel) -> str:
        return topics.up(self._address.organisation, self._address.device, channel)

    def _sending(self) -> Sending:
        return Sending(
            device=self._address.device,
            boot=self._spoken.boot,
            conn=self._spoken.conn,
            mono_s=self._clock.monotonic(),
            utc=self._clock.now(),
            stream=self._spoken.stream,
        )
