"""Lives one made-up world through, and reads everything that each of its organisations could read meanwhile."""

from collections.abc import AsyncIterator, Iterator

import msgspec

from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Views
from cloud.fleet.clocks import Moment
from simulator.disclosure.broker import Broker
from simulator.disclosure.doorway import Doorway, run
from simulator.disclosure.endpoints import ENDPOINTS, Served
from simulator.disclosure.happenings import Happenings
from simulator.disclosure.knocks import Knocks
from simulator.disclosure.loans import Loans
from simulator.disclosure.oracle import Allowed, allowed
from simulator.disclosure.search import Reading, gone_in, leaks_of, missing_of, records_in
from simulator.disclosure.stores import Stores
from simulator.disclosure.world import World

ROUNDS = 5
TWICE = 4
"""In every so many worlds everybody asks at the partners' port in an earlier round too, else only at the end: it takes
the longest of all."""
HAPPENINGS = 12
WAITS_S = (0.2, 1.3, 11.7, 31.1, 61.9, 305.3)
TELLS_MAX = 20


class Verdict(msgspec.Struct, frozen=True):
    """What reading a world came to."""

    seed: int
    bodies: int
    bytes: int
    forbidden: list[str]
    """Each thing that somebody learned and may not know, with who and where; the first few."""


class Play:
    """One world, its feeds, and what was read."""

    def __init__(self, seed: int) -> None:
        """Make the world, and let its feeds begin."""
        self.world = World(seed)
        self.happenings = Happenings(self.world)
        world = self.world
        views = Views(world.fleet, world.directory, world.now)
        self.served = Served(world, PartnerFeeds(views, epoch="epoch", tick_ms=200, now=world.now))
        world.on_directory.append(views.follow)
        self._stores = Stores(world)
        self._loans = Loans(world, self._stores)
        self._broker = Broker(world, self.served.feeds)
        self._knocks = Knocks(world, self._stores, Doorway(world, self.served.feeds, self._stores))
        self.bodies = self.bytes = 0
        self.forbidden: list[str] = []
        self._ever: dict[str, set[str]] = {name: set() for name in world.organisations}
        self._held: dict[str, set[str]] = {
            name: set(self.served.feeds.views.seen_by(name)) for name in world.organisations
        }
        """What a client of each partner's stream holds, that began with a snapshot."""
        self._ticked: dict[str, Allowed] = {}
        self._moments: set[float] = set()
        self._blurred: dict[str, set[float]] = {name: set() for name in world.organisations}
        self._note_moment(world.now)
        self._tick()

    @property
    def paths(self) -> set[str]:
        """What was asked for at the partners' port."""
        return self._knocks.paths

    def live(self) -> Verdict:
        """Let things happen, time pass, and everybody read."""
        world, chance = self.world, self.world.chance
        for number in range(1, ROUNDS + 1):
            for _ in range(chance.randint(1, HAPPENINGS)):
                self.happenings.happen()
            self._read("before the tick")
            if chance.random() < 0.7:
                self.happenings.decide()
            self._loans.speak()
            self._stores.note_decided()
            self.served.feeds.views.decide(world.decided)
            self._tick()
            world.seconds = round(world.seconds + chance.choice(WAITS_S), 3)
            self._tick()
            self._read("after the tick", whole=True)
            if number == ROUNDS or (world.seed % TWICE == 0 and number == ROUNDS // 2):
                self._knock()
        bodies, count = self.bodies + self._knocks.bodies, self.bytes + self._knocks.bytes
        return Verdict(world.seed, bodies, count, self.forbidden[:TELLS_MAX])

    def _tick(self) -> None:
        """Tell what changed, as each tick does, and each emergency; everybody listens."""
        world, feeds = self.world, self.served.feeds
        self._note_moment(world.now)
        world.met = dict(world.incident)
        heard = {name: feeds.listeners(name).listen([]) for name in world.organisations}
        changed = world.fleet.take_changed(world.now)
        feeds.tick(world.now, [world.fleet.record(unit, 0, as_of, world.now) for unit, as_of in changed.items()])
        feeds.show_alarms(list(self.happenings.alarms.values()), world.now)
        readings = {name: self._reading(name) for name in world.organisations}
        for name, events in heard.items():
            feeds.listeners(name).close()
            for event in _told(events):
                self._search(name, "stream", event, readings[name])
                self._hold(name, event)
            held, opened = self._held[name], readings[name].now.units.keys()
            self._tell(name, "client", (f"{unit} is held, and nothing opens it" for unit in sorted(held - opened)))
            self._tell(name, "client", (f"{unit} is not held, and is opened" for unit in sorted(opened - held)))
        for name, told in self._broker.search(readings):
            self._tell(name, "broker", iter([told]))
        self._stores.remember()
        self.happenings.forget_alarms()
        self._ticked = {name: reading.now for name, reading in readings.items()}

    def _hold(self, name: str, event: bytes) -> None:
        """Do with an event as a client does: hold what it tells, and let go of what is gone."""
        held = self._held[name]
        held.difference_update(gone_in(event))
        held.update(record["unit"] for record in records_in(event))

    def _read(self, when: str, *, whole: bool = False) -> None:
        for name in self.world.organisations:
            reading = self._reading(name)
            for endpoint in ENDPOINTS:
                if endpoint.settled and not whole:
                    continue
                for body in endpoint.read(self.served, name):
                    self._search(name, f"{endpoint.name} {when}", body, reading)
                    if whole and endpoint.whole:
                        self._tell(name, endpoint.name, missing_of(reading, body))

    def _knock(self) -> None:
        for name in self.world.organisations:
            self._tell(name, "door", iter(run(self._knocks.knock(name, self._reading(name)))))

    def _reading(self, name: str) -> Reading:
        found = allowed(self.world, name)
        ever = self._ever[name]
        ever.update(found.units)
        ticked = self._ticked.get(name, found)
        return Reading(now=found, ticked=ticked, ever=ever, moments=self._moments, blurred=self._blurred[name])

    def _search(self, name: str, where: str, body: bytes, reading: Reading) -> None:
        self.bodies += 1
        self.bytes += len(body)
        self._tell(name, where, leaks_of(self.world, reading, body))

    def _tell(self, name: str, where: str, found: Iterator[str]) -> None:
        self.forbidden += (f"{self.world.seconds} s, {name}, {where}: {one}" for one in found)

    def _note_moment(self, now: Moment) -> None:
        self._moments.add(now.utc.timestamp())


def _told(events: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Give the events that wait for a listener who was let go since: there is nothing to wait for."""
    while True:
        try:
            events.__anext__().__await__().__next__()
        except StopIteration as told:
            yield told.value
        except StopAsyncIteration:
            return


def play(seed: int) -> Verdict:
    """Live a world through, and tell what came of it."""
    return Play(seed).live()
