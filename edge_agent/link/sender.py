"""Publishes the device's messages on one connection. All speak of the stream that the connection began with."""

from collections.abc import Sequence

import msgspec

from edge_agent.clock import Clock
from edge_agent.link import writer
from edge_agent.link.connection import Address, Client
from edge_agent.link.writer import Describe, Description, Echo, Sending
from edge_agent.outbox import Held, OutboxKeeper, Stored
from edge_agent.state.delivery import Send
from wire import topics
from wire.events import ClockSource, Queue
from wire.messages import EVENTS_MAX

EMERGENCIES_MAX = 5
"""How many emergencies are repeated at a time: the newest."""


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
        self._disciplined: ClockSource = "none"
        """What disciplined the wall clock when this connection last described the device."""

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
        about = self._describe(describe)
        birth = writer.write_birth(self._sending(), held, about, echo)
        await client.publish(self._topic("link"), birth, qos=1, retain=True)

    async def publish(self, client: Client, send: Send, describe: Describe, echo: Echo) -> int:
        """Send what is due. Gives the last sequence of an envelope that now waits for its settle, else 0."""
        match send:
            case "heartbeat":
                return await self._publish_heartbeat(client, describe, echo)
            case "emergency":
                return await self._publish_emergencies(client)
            case "live":
                return await self._publish_live(client)
            case "status":
                return await self._publish_batch(client, "status")
            case "history":
                return await self._publish_batch(client, "track")

    async def _publish_heartbeat(self, client: Client, describe: Describe, echo: Echo) -> int:
        held = await self._keeper.held()
        if held.stream == self._spoken.stream:
            about = self._describe(describe)
            payload = writer.write_heartbeat(self._sending(), held, about, echo)
            await client.publish(self._topic("live"), payload)
        return 0

    async def _publish_emergencies(self, client: Client) -> int:
        """Tell the unsettled emergencies ahead of all that waits before them; their queue brings them again."""
        emergencies = await self._keeper.emergencies(EMERGENCIES_MAX)
        await self._publish_ahead(client, "status", emergencies)
        return max((one.seq for one in emergencies), default=0)

    async def _publish_live(self, client: Client) -> int:
        await self._publish_ahead(client, "track", await self._keeper.newest_track())
        return 0

    async def _publish_ahead(self, client: Client, queue: Queue, records: Sequence[Stored]) -> None:
        for record in records if self.is_current else ():
            payload = writer.write_live(self._sending(), self._disciplined, queue, record)
            await client.publish(self._topic("live"), payload)

    async def _publish_batch(self, client: Client, queue: Queue) -> int:
        batch = await self._keeper.batch(queue, EVENTS_MAX)
        if batch is None or not self.is_current:
            return 0
        payload = writer.write_batch(self._sending(), self._disciplined, batch)
        await client.publish(self._topic("status" if queue == "status" else "history"), payload)
        return batch.last

    def _describe(self, describe: Describe) -> Description:
        """Describe the device. Only for a message that says it all: each description mints a nonce."""
        about = describe()
        self._disciplined = about.clock
        return about

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
