"""What a broker holds of the partners' views of a made-up world, searched message by message."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import msgspec

from cloud.feeds import MqttOut, PartnerFeeds
from cloud.feeds.mqttout import GAP_S, VALID_S, Retained
from simulator.disclosure.search import Reading, leaks_of
from simulator.disclosure.world import World
from wire import topics

TAKEN_MAX = 1_000


class Broker:
    """Keeps the last message of each topic, as a broker does. Another process has left some, which are to go."""

    def __init__(self, world: World, feeds: PartnerFeeds) -> None:
        """Nothing was published yet in this world."""
        self._world = world
        units = world.directory.units.values()
        left = (topics.feed(name, one.organisation, one.id) for name in world.organisations for one in units)
        self._held: dict[str, tuple[bytes, float]] = dict.fromkeys(left, (b"{}", -GAP_S))
        self._out = MqttOut(feeds, world.directory)
        world.on_directory.append(self._out.follow)
        feeds.on_update.append(self._out.on_update)
        self._out.begin(world.now.mono_s)

    def search(self, readings: dict[str, Reading]) -> Iterator[tuple[str, str]]:
        """Take what is published after a tick, and tell what each partner finds that it may not know."""
        now_s = self._world.now.mono_s
        taken = self._out.take(TAKEN_MAX)
        if self._out.look_s <= now_s:
            self._out.begin_look(now_s)
            for topic in self._held:
                self._out.find(topic)
            self._out.end_look()
            taken += self._out.take(TAKEN_MAX)
        for message in taken:
            self._held.pop(message.topic, None)
            if message.payload:
                self._held[message.topic] = (message.payload, now_s)
                yield from self._about(message.topic, readings, self._message_faults(message))
        for topic, (payload, since_s) in self._held.items():
            yield from self._about(topic, readings, _held_faults(topic, payload, is_settled=now_s - since_s >= GAP_S))

    def _about(self, topic: str, readings: dict[str, Reading], judge: "Judge") -> Iterator[tuple[str, str]]:
        name = topics.parse_feed(topic)
        assert name is not None
        yield from ((name.partner, told) for told in judge(readings[name.partner]))

    def _message_faults(self, message: Retained) -> "Judge":
        def judge(reading: Reading) -> Iterator[str]:
            record = msgspec.json.decode(message.payload)
            until = self._world.now.utc + timedelta(seconds=VALID_S)
            if msgspec.convert(record.pop("valid_until"), type(until)) != until:
                yield "a message vouches for another time than the rest"
            yield from leaks_of(self._world, reading, msgspec.json.encode(record))

        return judge


Judge = Callable[[Reading], Iterator[str]]


def _held_faults(topic: str, payload: bytes, *, is_settled: bool) -> Judge:
    """Tell whether what the broker holds is still opened; what it holds for a second must be by what opens it now."""

    def judge(reading: Reading) -> Iterator[str]:
        name = topics.parse_feed(topic)
        assert name is not None
        share = reading.now.units.get(name.unit)
        if share is None:
            yield f"{name.unit} is held by the broker, and nothing opens it"
        elif is_settled and tuple(msgspec.json.decode(payload).get("agreements", ("?",))) != share.by:
            yield f"{name.unit} is held by the broker, by what opens it no more"

    return judge
