"""A broker and the ways to it, with everything that may happen to a message on its way.

Harsher than TCP on purpose: at QoS 0, over brokers and reconnects, a message can be lost, come twice, late or out of
order, and a broker can hold what a dead device said and deliver it as if now (measured: 13 to 16 s).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from random import Random
from typing import Any, NamedTuple

import aiomqtt
import msgspec

from edge_agent.link import Address
from simulator.scenario.clock import elapse
from simulator.scenario.story import Story
from simulator.scenario.virtual import Process, VirtualLoop
from wire import topics

CONNECT_WAIT_S = 5.0
RESET_S = 0.01
"""How soon a broker notices that a process has died (measured: 7 ms)."""
ACK_WAIT_S = 10.0
FAIR_DELAY_S = (0.005, 0.05)

Deliver = Callable[[str, bytes], None]


class Weather(msgspec.Struct, kw_only=True):
    """What a way does to each message. It changes while the scenario runs."""

    loss: float = 0.0
    duplication: float = 0.0
    delay_s: tuple[float, float] = FAIR_DELAY_S
    reorder: bool = False
    up_cut: bool = False
    down_cut: bool = False

    def clear_up(self) -> None:
        """Let every message through, once and soon."""
        self.loss = self.duplication = 0.0
        self.reorder = False
        self.delay_s = FAIR_DELAY_S


class Packet(NamedTuple):
    """A message as a client gets it."""

    topic: str
    payload: bytes


class Session:
    """One connection of one client, as the broker holds it."""

    def __init__(self, name: str, weather: Weather, will: tuple[str, bytes] | None, deliver: Deliver) -> None:
        """Connect; nothing is subscribed."""
        self.name, self.weather, self.will, self.deliver = name, weather, will, deliver
        self.filters: list[str] = []
        self.open = True
        self.on_broken: Callable[[], None] = lambda: None
        self.silent_s: float | None = None
        """Since when its way has been cut."""
        self.up_free_s = self.down_free_s = 0.0


class Broker:
    """Delivers at QoS 0, keeps what is retained, tells wills."""

    def __init__(self, loop: VirtualLoop, chance: Random, story: Story) -> None:
        """Begin empty and up."""
        self._loop, self._chance, self._story = loop, chance, story
        self.up = True
        self.retained: dict[str, bytes] = {}
        self.sessions: list[Session] = []
        self._held: list[tuple[str, bytes]] | None = None
        self.on_delivered: Callable[[str, bytes], None] = lambda topic, payload: None
        """Called with each upward message that reaches the cloud."""
        self.on_sent: Callable[[bytes], None] = lambda payload: None
        """Called with each message that a device sends."""
        self.on_link: Callable[[str, bytes], None] = lambda topic, payload: None
        """Called with each birth and death that the broker takes."""

    def connect(self, session: Session) -> None:
        """Take a client in. Raises `aiomqtt.MqttError` where it cannot be reached."""
        if not self.up or session.weather.up_cut or session.weather.down_cut:
            raise aiomqtt.MqttError("the broker cannot be reached")
        self.sessions.append(session)

    def subscribe(self, session: Session, filters: Iterable[str]) -> None:
        """Subscribe, and send what is retained."""
        session.filters += filters
        for topic, payload in list(self.retained.items()):
            if _matches(session.filters, topic):
                self._send(session, topic, payload)

    def publish(self, session: Session, topic: str, payload: bytes, retain: bool = False) -> bool:
        """Take a message on its way to the broker. Tells whether it will arrive."""
        if not session.open:
            raise aiomqtt.MqttError("the connection is lost")
        weather = session.weather
        self.on_sent(payload)
        if weather.up_cut or not self.up or self._chance.random() < weather.loss:
            return False
        for _ in range(2 if self._chance.random() < weather.duplication else 1):
            at_s = self._arrives_s(weather, session.up_free_s)
            session.up_free_s = at_s if not weather.reorder else 0.0
            self._loop.call_at(at_s, self._take, topic, payload, retain)
        return True

    def inject(self, topic: str, payload: bytes) -> None:
        """Deliver something once more that was published before."""
        self._route(topic, payload)

    def end(self, session: Session, *, in_order: bool) -> None:
        """End a connection; out of order, its will is told."""
        if not session.open:
            return
        session.open = False
        if session in self.sessions:
            self.sessions.remove(session)
        if not in_order and session.will is not None and self.up:
            self._take(*session.will, True)
        session.on_broken()

    def restart(self, *, forgets: bool, down_s: float) -> None:
        """Die with every connection, and come back."""
        self._story.tell("broker", "dies", down_s=round(down_s, 1), forgets=forgets)
        self.up = False
        for session in list(self.sessions):
            self.end(session, in_order=True)
        self._held = None
        if forgets:
            self.retained.clear()
        self._loop.call_later(down_s, self._come_back)

    def hold(self, duration_s: float) -> None:
        """Hold what is for the cloud, and deliver it all later as if now."""
        if self._held is None:
            self._story.tell("broker", "holds what is for the cloud", for_s=round(duration_s, 1))
            self._held = []
            self._loop.call_later(duration_s, self._release)

    def _come_back(self) -> None:
        self.up = True
        self._story.tell("broker", "is back")

    def _release(self) -> None:
        held, self._held = self._held or [], None
        for topic, payload in held:
            self._route(topic, payload)

    def _take(self, topic: str, payload: bytes, retain: bool) -> None:
        if not self.up:
            return
        if retain:
            self.retained[topic] = payload
        if topic.endswith("/link"):
            self.on_link(topic, payload)
        self._route(topic, payload)

    def _route(self, topic: str, payload: bytes) -> None:
        if self._held is not None and topic.startswith("wr/1/up/"):
            self._held.append((topic, payload))
            return
        for session in list(self.sessions):
            if _matches(session.filters, topic):
                self._send(session, topic, payload)

    def _send(self, session: Session, topic: str, payload: bytes) -> None:
        weather = session.weather
        if weather.down_cut or self._chance.random() < weather.loss:
            return
        for _ in range(2 if self._chance.random() < weather.duplication else 1):
            at_s = self._arrives_s(weather, session.down_free_s)
            session.down_free_s = at_s if not weather.reorder else 0.0
            self._loop.call_at(at_s, self._arrive, session, topic, payload)

    def _arrive(self, session: Session, topic: str, payload: bytes) -> None:
        if session.open and not session.weather.down_cut:
            session.deliver(topic, payload)

    def _arrives_s(self, weather: Weather, after_s: float) -> float:
        return max(after_s, self._loop.time() + self._chance.uniform(*weather.delay_s))


class DeviceClient:
    """The link's client of the simulated broker."""

    def __init__(self, broker: Broker, session: Session, loop: VirtualLoop) -> None:
        """Not subscribed yet."""
        self._broker, self.session, self._loop = broker, session, loop
        self._inbox: asyncio.Queue[Packet | None] = asyncio.Queue()
        session.deliver = lambda topic, payload: self._inbox.put_nowait(Packet(topic, payload))
        session.on_broken = lambda: self._inbox.put_nowait(None)

    @property
    def messages(self) -> AsyncIterator[Packet]:
        """What arrives."""
        return self._read()

    async def _read(self) -> AsyncIterator[Packet]:
        while (packet := await self._inbox.get()) is not None:
            yield packet
        raise aiomqtt.MqttError("the connection is lost")

    async def subscribe(self, topic: Any, /) -> Iterable[object]:
        """Subscribe to (topic, QoS) pairs."""
        await elapse(self.session.weather.delay_s[1])
        self._broker.subscribe(self.session, [name for name, _ in topic])
        return [0 for _ in topic]

    async def publish(
        self, topic: str, payload: bytes, qos: int = 0, retain: bool = False, *, timeout: float | None = None
    ) -> None:
        """Publish; at QoS 1 wait for the broker."""
        arrives = self._broker.publish(self.session, topic, payload, retain)
        if qos == 0:
            return
        if not arrives or self.session.weather.down_cut:
            await elapse(timeout if timeout is not None else ACK_WAIT_S)
            raise aiomqtt.MqttError("the broker did not answer")
        await elapse(2 * self.session.weather.delay_s[1])
        if not self.session.open:
            raise aiomqtt.MqttError("the connection is lost")


class Way:
    """A machine's way to the broker: `connect` is what its link is given."""

    def __init__(self, broker: Broker, loop: VirtualLoop, chance: Random, name: str) -> None:
        """Begin in good weather, with no connection."""
        self._broker, self._loop, self._chance, self.name = broker, loop, chance, name
        self.weather = Weather()
        self.session: Session | None = None
        self.keepalive_s = 15.0

    @contextlib.asynccontextmanager
    async def connect(self, address: Address, death: bytes) -> AsyncIterator[DeviceClient]:
        """Connect with a will."""
        will = (topics.up(address.organisation, address.device, "link"), death)
        session = Session(self.name, self.weather, will, lambda topic, payload: None)
        await elapse(self._chance.uniform(*self.weather.delay_s) * 3)
        if self.weather.up_cut or self.weather.down_cut or not self._broker.up:
            await elapse(self._chance.uniform(0.1, CONNECT_WAIT_S))
        self._broker.connect(session)
        self.session = session
        try:
            yield DeviceClient(self._broker, session, self._loop)
        finally:
            self._broker.end(session, in_order=True)

    def cut(self, *, up: bool, down: bool) -> None:
        """Cut one or both directions. After one and a half keepalives both ends give the connection up."""
        self.weather.up_cut, self.weather.down_cut = up, down
        session = self.session
        if session is not None and session.open and (up or down):
            self._loop.call_later(1.5 * self.keepalive_s * self._chance.uniform(0.7, 1.0), self._give_up, session)

    def _give_up(self, session: Session) -> None:
        if session.weather.up_cut or session.weather.down_cut:
            self._broker.end(session, in_order=False)

    def lose(self, *, soon: bool) -> None:
        """The process behind it is gone: the broker notices at once, or (power gone) when the keepalive runs out."""
        session, self.session = self.session, None
        if session is None or not session.open:
            return
        session.deliver = lambda topic, payload: None
        session.on_broken = lambda: None
        wait_s = RESET_S if soon else 1.5 * self.keepalive_s
        self._loop.call_later(wait_s, lambda: self._broker.end(session, in_order=False))


class CloudLine:
    """Ingest's line to the simulated broker: what `Ingest.run` is given."""

    def __init__(self, broker: Broker, weather: Weather, process: Process, on_messages: Callable[..., None]) -> None:
        """Nothing is connected before `run`."""
        self._broker, self._weather, self._process, self._on_messages = broker, weather, process, on_messages
        self._session: Session | None = None
        self._waiting: list[tuple[str, bytes]] = []
        self._paused = False
        self.connected = False
        self.connections = 0
        self.dropped = 0

    async def run(self, on_connected: Callable[[], None]) -> None:
        """Connect, and connect again for as long as the task lives."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._stay(on_connected)
            self.connected = False
            await elapse(0.7)

    async def _stay(self, on_connected: Callable[[], None]) -> None:
        lost = asyncio.Event()
        session = Session("cloud", self._weather, None, self._deliver)
        session.on_broken = lost.set
        await elapse(0.01)
        self._broker.connect(session)
        self._session, self.connected = session, True
        self.connections += 1
        try:
            self._broker.subscribe(session, ["wr/1/up/"])
            on_connected()
            await lost.wait()
        finally:
            self._broker.end(session, in_order=True)

    def publish(self, message: Any) -> None:
        """Send a message, or drop it."""
        session = self._session
        if session is None or not session.open or not self._process.alive:
            self.dropped += 1
            return
        self._broker.publish(session, message.topic, message.payload, message.retain)

    def pause(self) -> None:
        """Stop reading."""
        self._paused = True

    def resume(self) -> None:
        """Read on."""
        self._paused = False
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for topic, payload in waiting:
                self._deliver(topic, payload)

    def _deliver(self, topic: str, payload: bytes) -> None:
        if not self._process.alive:
            return
        if self._paused:
            self._waiting.append((topic, payload))
            return
        self._broker.on_delivered(topic, payload)
        self._process.call(lambda: self._on_messages([(topic, payload)]))


def _matches(filters: list[str], topic: str) -> bool:
    """A filter that ends with a slash takes everything below it; any other takes its own topic."""
    return any(topic == one or (one.endswith("/") and topic.startswith(one)) for one in filters)
