"""Twin worlds: what is hidden leaves no trace in what anybody else receives, not even in when they are spoken to.

Each pair lives through the same under one clock, but for what is hidden: bytes, cursors and ticks must be the same.
"""

import random
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec
import pytest

from cloud.directory import Directory
from cloud.directory.rows import Unit
from cloud.feeds.partnerfeeds import PartnerFeeds
from cloud.feeds.views import Views
from cloud.fleet.fleet import Fleet
from cloud.fleet.heads import CONTROL
from cloud.fleet.record import ALL
from cloud.ingest.entries import entries, speakers
from simulator.disclosure.happenings import Happenings
from simulator.disclosure.world import World

ROUNDS = 10
TICK_S = 0.2
SEEDS = range(24)
OFF_DUTY = "37"


class Twin:
    """A world with its feeds, and all that each organisation received from them."""

    def __init__(self, seed: int, prepare: Callable[["Twin"], None]) -> None:
        """Begin with a world that was prepared in its own way."""
        self.world = World(seed)
        prepare(self)
        self.happenings = Happenings(self.world)
        world = self.world
        world.fleet = Fleet(entries(world.directory), speakers(world.directory))
        views = Views(world.fleet, world.directory, world.now)
        self.feeds = PartnerFeeds(views, epoch="epoch", tick_ms=200, now=world.now)
        world.on_directory.append(views.follow)
        self.received: dict[str, list[bytes]] = {name: [] for name in world.organisations}

    def tick(self) -> None:
        """Speak to everybody, and note what each one gets, or that it gets nothing."""
        world, now = self.world, self.world.now
        heard = {name: self.feeds.listeners(name).listen([]) for name in world.organisations}
        changed = world.fleet.take_changed(now)
        self.feeds.tick(now, [world.fleet.record(unit, 0, as_of, now) for unit, as_of in changed.items()])
        self.feeds.show_alarms(list(self.happenings.alarms.values()), now)
        self.happenings.forget_alarms()
        for name, events in heard.items():
            self.feeds.listeners(name).close()
            self.received[name].append(b"".join(_told(events)))

    def ask(self) -> None:
        """Let everybody ask for the whole view, and for what came since a while ago."""
        for name, got in self.received.items():
            feed = self.feeds.feed(name)
            assert feed is not None
            got += feed.snapshot(self.world.now)
            got += feed.since(f"epoch-{feed.cursor // 2}", self.world.now)
            got.append(str(feed.cursor).encode())
            got += (f"{unit} {grants}".encode() for unit, grants in sorted(self.feeds.views.seen_by(name).items()))

    def change(self, unit: str, **fields: object) -> None:
        """Bring a directory into force that differs in one unit's row."""
        self.world.change(unit, **fields)


def _told(events: AsyncIterator[bytes]) -> Iterator[bytes]:
    """Give the events that wait for a listener who was let go since."""
    while True:
        try:
            events.__anext__().__await__().__next__()
        except StopIteration as told:
            yield told.value
        except StopAsyncIteration:
            return


def related(directory: Directory, unit: str) -> set[str]:
    """A unit and all that may share its crew, be its whole, or a part of it."""
    row = directory.units[unit]
    return {
        one.id
        for one in directory.units.values()
        if one.organisation == row.organisation
        and (one.id == unit or (row.crew_group and one.crew_group == row.crew_group) or one.part_of == unit)
    }


def widen(twin: Twin) -> None:
    """Let the first organisation's units be opened to every other one, with kin among all else; nobody is covert."""
    directory = twin.world.directory
    rows = {
        name: msgspec.structs.replace(
            row, fields=(*{*row.fields, "kin", "availability", "status", "position", "link"},)
        )
        for name, row in directory.agreements.items()
    }
    units = {name: msgspec.structs.replace(unit, covert=False) for name, unit in directory.units.items()}
    twin.world.directory = msgspec.structs.replace(directory, agreements=rows, units=units)


def without(directory: Directory, gone: str) -> Directory:
    """The directory as if it never had a unit."""

    def never_had(unit: Unit) -> Unit:
        is_part = unit.part_of == gone
        return msgspec.structs.replace(
            unit,
            split_into=tuple(part for part in unit.split_into if part != gone),
            part_of=None if is_part else unit.part_of,
            is_apart=False if is_part else unit.is_apart,
        )

    units = {name: never_had(unit) for name, unit in directory.units.items() if name != gone}
    devices = {name: device for name, device in directory.devices.items() if gone not in device.units}
    return msgspec.structs.replace(directory, units=units, devices=devices)


def same_but_for(one: Twin, other: Twin, owner: str) -> None:
    """Hold what each organisation received in one world against the other, but for the owner of what is hidden."""
    for name in one.received:
        if name == owner:
            continue
        for number, (left, right) in enumerate(zip(one.received[name], other.received[name], strict=True)):
            assert left == right, (name, number)


class Script:
    """What happens, the same in both worlds of a pair, but for what happens to the unit that is hidden."""

    def __init__(self, seed: int, twins: tuple[Twin, Twin], hidden: str) -> None:
        """Begin at the begin."""
        self.chance = random.Random(seed)
        self.twins, self.hidden, self.count = twins, hidden, 0
        self.stays = False
        """Whether nobody presses for it, so that it stays off duty."""

    def live(self, at: Callable[[int], None]) -> None:
        """Let things happen and time pass; after each everybody is spoken to, and now and then they ask."""
        units = sorted(self.twins[0].world.directory.units)
        for number in range(ROUNDS):
            at(number)
            for _ in range(self.chance.randint(1, 6)):
                self.happen(self.chance.choice(units))
            wait_s = self.chance.choice([TICK_S, 1.0, 5.0, 9.9, 10.1, 31.0, 60.0]) + self.chance.randrange(97) / 1000
            for twin in self.twins:
                twin.tick()
                twin.world.seconds = round(twin.world.seconds + wait_s, 3)
                twin.tick()
                if number % 3 == 2:
                    twin.ask()

    def happen(self, unit: str) -> None:
        """Let one thing happen to a unit, wherever it is: with the same values, whatever else was made before."""
        self.count += 1
        what = self.chance.randrange(1 << 30)
        for twin in self.twins:
            world = twin.world
            if unit not in world.directory.units:
                continue
            world.chance.seed(what)
            world.mint.count = twin.happenings.count = 1000 * self.count
            if unit == self.hidden and self.stays:
                world.chance.choice([twin.happenings.place, twin.happenings.beat, twin.happenings.order])(unit)
            else:
                twin.happenings.happen_to(unit)
            if unit == self.hidden:
                world.incident.pop(unit, None)  # nobody else is sent where it is: the script is of both worlds


def hidden_of(twin: Twin, seed: int) -> str:
    """The unit that is hidden: one with kin, where there is any."""
    units = twin.world.directory.units
    kin = [name for name in units if len(related(twin.world.directory, name)) > 1]
    return random.Random(seed).choice(sorted(kin or units))


def with_and_without(seed: int) -> tuple[Twin, Twin, str]:
    """A world with a covert unit, one that never had it, and which it is."""
    hidden = hidden_of(Twin(seed, widen), seed)

    def make_covert(twin: Twin) -> None:
        widen(twin)
        units = twin.world.directory.units
        covert = msgspec.structs.replace(units[hidden], covert=True)
        twin.world.directory = msgspec.structs.replace(twin.world.directory, units=units | {hidden: covert})

    def make_without(twin: Twin) -> None:
        widen(twin)
        twin.world.directory = without(twin.world.directory, hidden)

    return Twin(seed, make_covert), Twin(seed, make_without), hidden


@pytest.mark.parametrize("seed", SEEDS)
def test_a_covert_unit_leaves_no_trace(seed: int) -> None:
    """A world with a covert unit, and one that never had it, look alike to everybody but its owner."""
    one, other, hidden = with_and_without(seed)
    Script(seed, (one, other), hidden).live(lambda _: None)
    assert any(map(len, one.received.values()))
    same_but_for(one, other, one.world.directory.units[hidden].organisation)


def test_what_happens_to_a_hidden_mate_makes_nobody_speak_again() -> None:
    """A unit that was heard again a moment too soon to be told again is not, when its hidden mate presses."""
    tried = 0
    for seed in SEEDS:
        one, other, hidden = with_and_without(seed)
        mates = one.world.fleet.kin(hidden)
        seen = [name for name in one.received if any(mate in one.feeds.views.seen_by(name) for mate in mates)]
        tried += len(seen) - (one.world.directory.units[hidden].organisation in seen)
        for at_s, happens in ((0.0, "beat"), (0.1, "tick"), (9.9997, "beat"), (10.1003, "tick"), (10.3, "press")):
            for twin in (one, other):
                twin.world.seconds = at_s
                if happens == "press":
                    twin.happenings.press(hidden, "4", by_s=1.0) if twin is one else None
                    twin.tick()
                elif happens == "tick":
                    twin.tick()
                else:
                    list(map(twin.happenings.beat, mates))
        same_but_for(one, other, one.world.directory.units[hidden].organisation)
    assert tried > 5


@pytest.mark.parametrize("seed", SEEDS)
def test_going_covert_looks_like_going_off_duty(seed: int) -> None:
    """Whether a unit goes off duty by a press, or is made covert in the directory at that moment, nobody can tell."""
    one, other = Twin(seed, widen), Twin(seed, widen)
    hidden = hidden_of(one, seed)
    owner = one.world.directory.units[hidden].organisation

    script = Script(seed, (one, other), hidden)

    def hide(number: int) -> None:
        if number == 4:
            one.happenings.press(hidden, OFF_DUTY, device=CONTROL)
            other.change(hidden, covert=True)
            script.stays = True
            for twin in (one, other):
                twin.world.incident.pop(hidden, None)

    script.live(hide)
    assert one.world.fleet.private(hidden)
    same_but_for(one, other, owner)


@pytest.mark.parametrize("seed", SEEDS)
def test_coming_back_from_covert_looks_like_coming_on_duty(seed: int) -> None:
    """A unit that is covert no more, and one that is on duty again: where it was before is shown of neither."""
    one, other = Twin(seed, widen), Twin(seed, widen)
    hidden = hidden_of(one, seed)
    owner = one.world.directory.units[hidden].organisation
    script = Script(seed, (one, other), hidden)

    def turn(number: int) -> None:
        if number not in (2, 5):
            return
        script.stays = number == 2
        script.count += 1
        for twin in (one, other):
            if number == 5:
                twin.happenings.place(hidden)
            twin.world.chance.seed(seed)
            twin.world.mint.count = twin.happenings.count = 1000 * script.count
            twin.world.incident.pop(hidden, None)
        if number == 5:
            for twin in (one, other):
                twin.tick()
                twin.world.seconds = round(twin.world.seconds + TICK_S, 3)
                twin.happenings.press(hidden, "4", device=CONTROL, by_s=0.005)
        else:
            one.happenings.press(hidden, OFF_DUTY, device=CONTROL, by_s=0.005)
        other.change(hidden, covert=script.stays)

    script.live(turn)
    assert not one.world.fleet.private(hidden)
    assert other.world.fleet.record_among(hidden, other.world.now.utc, other.world.now, ALL).position is not None
    same_but_for(one, other, owner)
