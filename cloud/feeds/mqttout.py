"""What each named partner's view comes to over MQTT, and what of it is to be published next. Pure.

The view of a unit is one retained message on a topic of its own: told anew when it changes, at most once a second, and
renewed before it runs out; empty when the view ends, and that waits for nothing. A message is made at the tick that
judged what it says, never later, and only as many at a time as the broker takes. So what waits for the broker is young,
and there is never more of it than there are units.

What the broker holds is read back whenever the connection is new and after views have ended: what is found that should
not be there is taken away. A broker's acknowledgement is not storage, and whoever published it may be long gone.
"""

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import islice

import msgspec

from cloud.directory import Directory
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Shown, Update
from cloud.fleet.clocks import Moment
from wire import topics
from wire.messages import MESSAGE_BYTES_MAX

VALID_S = 30.0
"""How long a message vouches for what it says. It is the same for every message: one that fitted the unit would tell
when it was heard."""
RENEW_S = 15.0
"""A message this old is made anew: half its time is left for a slow broker, and for a connection to come back."""
GAP_S = 1.0
"""Between two messages of one unit to one partner."""
MADE_MAX = 250
"""Messages made at one tick: about 10 ms of work. At five ticks a second they renew the views of 18,000 units."""
WAITING_MAX = 500
"""Messages that may wait for the broker. While there are as many, changes are noted, and no message is made."""
LOOK_AFTER_S = 2.0
"""Views that ended are taken away within this; then it is time to see whether they are gone."""
LOOK_GAP_S = 30.0
"""Between two looks at what the broker holds: each costs a message for everything that it holds."""

_Key = tuple[str, str]
"""A partner, and a unit that it sees."""


class Retained(msgspec.Struct, frozen=True, gc=False):
    """A message to be kept by the broker. An empty one takes away what it keeps."""

    topic: str
    payload: bytes


class _Line(msgspec.Struct, frozen=True, gc=False):
    topic: str
    made_s: float = -math.inf


class MqttOut:
    """What the broker should hold, and what it must be told for that. One owner, one thread."""

    def __init__(self, feeds: PartnerFeeds, directory: Directory) -> None:
        """Publish for the partners that the directory names for MQTT. Nothing is made before `begin`."""
        self._feeds = feeds
        self._named: frozenset[str] = frozenset()
        self._met: frozenset[str] = frozenset()
        """The partners that it tells, as of the last tick."""
        self._lines: dict[_Key, _Line] = {}
        """In the order in which their messages were made."""
        self._due: dict[_Key, float] = {}
        """What must be told, first come first served, and since when."""
        self._rests: dict[str, float] = {}
        """When the message of a view that has ended since was made, by topic, while that is less than `GAP_S` ago."""
        self._clears: dict[str, None] = {}
        self._waiting: dict[str, bytes] = {}
        self._too_large: set[_Key] = set()
        self._looked_s = -math.inf
        self._first_look = True
        self._ended: set[str] = set()
        """Topics of views that ended since the last look began: it may still have met them."""
        self._found = 0
        self.look_s = math.inf
        """When it is time to read back what the broker holds."""
        self.connected = False
        self.published = self.cleared = 0
        self.still_held = 0
        """Messages that the broker was found to hold although they had been taken away."""
        self.on_waiting: Callable[[], None] = lambda: None
        """Is told when there is something to take."""
        self.follow(directory, directory)

    @property
    def named(self) -> frozenset[str]:
        """The partners whose view is published over MQTT."""
        return self._named

    @property
    def due(self) -> int:
        """How many messages are due, made or not."""
        return len(self._due) + len(self._waiting) + len(self._clears)

    def follow(self, _before: Directory, after: Directory) -> None:
        """Go by another directory from the next tick on."""
        self._named = frozenset(name for name, partner in after.partners.items() if partner.mqtt)

    def begin(self, now_s: float) -> None:
        """A connection stands: tell everything, and look what the broker holds."""
        self._forget()
        self.connected, self._first_look, self.look_s = True, True, now_s
        self._met = frozenset()
        self._follow_names(now_s)

    def lost(self) -> None:
        """The connection is gone: whatever is not told now is told with the next."""
        self._forget()
        self.connected, self.look_s = False, math.inf

    def on_update(self, now: Moment, updates: Mapping[str, Update]) -> None:
        """Take in what changed for whom at a tick, and make the messages that are due."""
        if not self.connected:
            return
        self._follow_names(now.mono_s)
        fresh: dict[_Key, Shown] = {}
        for partner in self._named & updates.keys():
            for unit in updates[partner].gone:
                self._end((partner, unit), now.mono_s)
            for shown in updates[partner].records:
                fresh[partner, shown.record.unit] = shown
                self._mark(partner, shown.record.unit, now.mono_s)
        self._renew(now.mono_s)
        self._make(now, fresh)
        if self._clears or self._waiting:
            self.on_waiting()

    def take(self, count: int) -> list[Retained]:
        """Give what is to be published next, what takes away first. No two are of one topic."""
        batch = [Retained(topic, b"") for topic in islice(self._clears, count)]
        for one in batch:
            del self._clears[one.topic]
        for topic in list(islice(self._waiting, count - len(batch))):
            batch.append(Retained(topic, self._waiting.pop(topic)))
        return batch

    def settle(self, batch: list[Retained]) -> None:
        """Note that the broker has acknowledged these."""
        cleared = sum(not one.payload for one in batch)
        self.cleared += cleared
        self.published += len(batch) - cleared

    def begin_look(self, now_s: float) -> None:
        """What the broker holds is about to be read back."""
        self._looked_s, self.look_s = now_s, math.inf
        self._found = 0
        self._ended.clear()

    def find(self, topic: str) -> None:
        """Take away what the broker was found to hold on a topic, where nothing should be there."""
        name = topics.parse_feed(topic)
        line = self._lines.get((name.partner, name.unit)) if name is not None else None
        if (line is not None and line.topic == topic) or topic in self._ended or topic in self._clears:
            return
        self._found += 1
        self._clear(topic)
        self.on_waiting()

    def end_look(self) -> int:
        """All that the broker held was read back. Gives how much of it should not have been there."""
        self.still_held = 0 if self._first_look else self._found
        self._first_look = False
        if self._found:
            self.look_s = self._looked_s + LOOK_GAP_S
        return self._found

    def trouble(self, now_s: float) -> list[str]:
        """Tell what is wrong, one line each."""
        trouble = []
        if self._named and not self.connected:
            trouble.append("no partner's view is published over MQTT: there is no connection to the broker")
        waited_s = now_s - next(iter(self._due.values()), now_s)
        if waited_s > VALID_S - RENEW_S:
            trouble.append(f"partners' views are published {waited_s:.0f} s late over MQTT: the broker is too slow")
        if self.still_held:
            trouble.append(f"the broker still held {self.still_held} views that were taken away: they are, again")
        if self._too_large:
            trouble.append(f"{len(self._too_large)} views are too large for MQTT: they are not published there")
        return trouble

    def _forget(self) -> None:
        for kept in (self._lines, self._due, self._rests, self._clears, self._waiting, self._too_large, self._ended):
            kept.clear()

    def _follow_names(self, now_s: float) -> None:
        """Begin with partners that are newly named, and end what is told to those that are none any more."""
        if self._met == self._named:
            return
        for key in [key for key in self._lines if key[0] not in self._named]:
            self._end(key, now_s)
        for partner in self._named - self._met:
            self._meet(partner, now_s)
        self._met = self._named

    def _meet(self, partner: str, now_s: float) -> None:
        for unit in self._feeds.views.seen_by(partner):
            self._mark(partner, unit, now_s)

    def _mark(self, partner: str, unit: str, now_s: float) -> None:
        """Note that a unit must be told."""
        entry = self._feeds.views.shared(unit)
        assert entry is not None  # whoever sees a unit sees one that there is
        key, topic = (partner, unit), topics.feed(partner, entry.organisation, unit)
        line = self._lines.get(key)
        if line is not None and line.topic != topic:
            self._end(key, now_s)
            line = None
        if line is None:
            self._lines[key] = _Line(topic, self._rests.pop(topic, -math.inf))
        self._due.setdefault(key, now_s)

    def _end(self, key: _Key, now_s: float) -> None:
        line = self._lines.pop(key, None)
        if line is None:
            return
        self._due.pop(key, None)
        self._too_large.discard(key)
        self._rests[line.topic] = line.made_s
        self._clear(line.topic)
        self.look_s = min(self.look_s, max(now_s + LOOK_AFTER_S, self._looked_s + LOOK_GAP_S))

    def _clear(self, topic: str) -> None:
        self._waiting.pop(topic, None)
        self._clears[topic] = None
        self._ended.add(topic)

    def _renew(self, now_s: float) -> None:
        for key, line in self._lines.items():
            if line.made_s + RENEW_S > now_s:
                break
            self._due.setdefault(key, now_s)
        self._rests = {topic: made_s for topic, made_s in self._rests.items() if made_s + GAP_S > now_s}

    def _make(self, now: Moment, fresh: Mapping[_Key, Shown]) -> None:
        room = min(MADE_MAX, WAITING_MAX - len(self._waiting))
        for key in list(self._due):
            line = self._lines[key]
            if line.made_s + GAP_S > now.mono_s:
                continue
            if room <= 0:
                return
            room -= 1
            del self._due[key], self._lines[key]
            self._lines[key] = _Line(line.topic, now.mono_s)
            shown = fresh.get(key) or self._feeds.views.record(*key, now)
            payload = None if shown is None else self._payload(key, shown, now)
            if payload is None:
                self._clear(line.topic)
            else:
                self._clears.pop(line.topic, None)
                self._waiting[line.topic] = payload

    def _payload(self, key: _Key, shown: Shown, now: Moment) -> bytes | None:
        """Give a record as bytes; None for one that must not leave, or that a broker would not take."""
        record = msgspec.structs.replace(shown.record, valid_until=now.utc + timedelta(seconds=VALID_S))
        encoded = self._feeds.encode((Shown(record, shown.grants),), now)
        payload = bytes(encoded[0]) if encoded else None
        if payload is not None and len(payload) > MESSAGE_BYTES_MAX:
            self._too_large.add(key)
            return None
        self._too_large.discard(key)
        return payload
