"""A device on the wire, spoken word by word: what it sends is the test's to choose, right or wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt

from cloud.app import App
from cloud.clock import SystemClock
from tests.brokers import RunningBroker
from tests.cloud.fleet.samples import COUNTY, birth, current, echo, heartbeat
from tests.cloud.ingest.samples import Vehicle
from tests.site import running_site
from tests.waiting import eventually
from wire import codec, topics
from wire.events import StatusEvent
from wire.messages import Command, Hello, Settle, State

UNIT = "kp-12"


def write_county(folder: Path) -> Path:
    """The county of the samples as a directory on disk: police and fire, a unit and a vehicle each."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "county.toml").write_text(COUNTY, encoding="utf-8")
    return folder


@contextlib.asynccontextmanager
async def county_site(folder: Path, broker: RunningBroker) -> AsyncIterator[App]:
    """The application with the county on `broker`, its data under `folder`: run it twice and it goes on."""
    directory = write_county(folder / "directory")
    async with running_site(folder / "data", broker_port=broker.port, directory=directory) as app:
        yield app


class Speaker:
    """One device's connection: it hears what the cloud answers, and says what it is told to say."""

    def __init__(self, client: aiomqtt.Client, vehicle: Vehicle) -> None:
        """Speak as `vehicle`, on a client that is connected."""
        self._client = client
        self.vehicle = vehicle
        self.settles: list[Settle] = []
        self.states: list[State] = []
        self.hellos: list[Hello] = []
        self.commands: list[Command] = []
        self.nonce = ""
        """What its heartbeats bring for commands; empty for a device that takes none."""
        self.sent_ms = 0

    async def listen(self) -> None:
        """Take in what comes until cancelled."""
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            match codec.decode_down(message.payload):
                case Settle() as settle:
                    self.settles.append(settle)
                    self.vehicle.take([settle])
                case State() as state:
                    self.states.append(state)
                case Hello() as hello:
                    self.hellos.append(hello)
                case Command() as command:
                    self.commands.append(command)
                case other:
                    raise AssertionError(f"the cloud said {other}")

    @property
    def newest_id(self) -> str | None:
        """The newest id that the cloud gave."""
        return self.settles[-1].id if self.settles else self.hellos[-1].id if self.hellos else None

    async def publish(self, topic: str, payload: bytes, *, qos: int = 0, retain: bool = False) -> None:
        """Say anything, anywhere."""
        await self._client.publish(topic, payload, qos=qos, retain=retain)

    async def send(self, first: int = 1, last: int | None = None) -> None:
        """Send the queue's events in an envelope, in good order."""
        await self.publish(self.vehicle.topic, self.vehicle.envelope(first, last))

    async def press(self, code: str = "2", **changes: Any) -> int:
        """Press, and send that press; its sequence."""
        seq = self.vehicle.press(code, **changes)
        await self.send(seq, seq)
        return seq

    async def settled(self) -> None:
        """Wait until everything that was pressed or measured is settled."""
        done = len(self.vehicle.events)
        await eventually(lambda: self.vehicle.settled == done, what=f"{done} settled", deadline_s=20)

    async def announce(self) -> None:
        """Tell of this connection."""
        await self.publish(self._topic("link"), codec.encode(birth(self._tick(), **self._own())), qos=1, retain=True)

    async def beat(self, *, echoing: str | None = None) -> None:
        """Send a heartbeat that names the newest press, and echoes an id, if any, as only just received."""
        last = codec.decode_event(self.vehicle.events[-1]) if self.vehicle.events else None
        code = last.code if isinstance(last, StatusEvent) else ""
        seq = len(self.vehicle.events)
        named = [current(seq, code, stream=self.vehicle.stream)] if code else []
        said = heartbeat(self._tick(), echo=echo(0, echoing) if echoing else None, current=named, **self._own())
        await self.publish(self._topic("live"), codec.encode(said))

    async def prove(self) -> None:
        """Exchange an id for a heartbeat that echoes it: afterwards the link is fresh."""
        known = len(self.settles)
        await self.beat()
        await eventually(lambda: len(self.settles) > known, what="an answer to a heartbeat")
        await self.beat(echoing=self.newest_id)

    def _own(self) -> dict[str, Any]:
        return {
            "device": self.vehicle.device,
            "stream": self.vehicle.stream,
            "sent_at": SystemClock().now(),
            "nonce": self.nonce,
        }

    def _topic(self, channel: Any) -> str:
        return topics.up(self.vehicle.org, self.vehicle.device, channel)

    def _tick(self) -> int:
        self.sent_ms += 1
        return self.sent_ms


@contextlib.asynccontextmanager
async def speaking(broker: RunningBroker, vehicle: Vehicle | None = None) -> AsyncIterator[Speaker]:
    """A device that is connected; by default the police vehicle of the county."""
    vehicle = vehicle or Vehicle()
    async with aiomqtt.Client(broker.host, broker.port) as client:
        await client.subscribe(f"wr/1/down/{vehicle.org}/{vehicle.device}/#")
        await client.subscribe(topics.hello(vehicle.org))
        speaker = Speaker(client, vehicle)
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(speaker.listen())
            try:
                yield speaker
            finally:
                listening.cancel()
