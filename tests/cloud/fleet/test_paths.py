"""Many units that fall silent together are one failed path; few, slow or sleeping ones are not."""

from cloud.fleet.entry import UnitEntry
from cloud.fleet.fleet import Fleet
from cloud.fleet.paths import PathFailure
from tests.cloud.fleet.samples import NOON, at, current, echo, entry, head, heartbeat
from tests.cloud.fleet.stories import ENTRY_FIELDS


class County:
    """So many units, each with a carrier of its own, on a board that is looked at every second."""

    def __init__(self, count: int) -> None:
        """Everybody speaks at noon, and every 5 s up to two minutes later."""
        names = [f"u-{number}" for number in range(count)]
        made = {key: getattr(entry("kp-12"), key) for key in ENTRY_FIELDS}
        entries = [UnitEntry(**made | {"id": name, "callsign": name, "carrier": f"v-{name}"}) for name in names]
        self.fleet = Fleet(entries, {name: (f"v-{name}",) for name in names})
        self.names, self.told, self.now_s = names, dict[str, int](), 0
        self.failed = False
        for name in names:
            self.fleet.apply_head(head("2", 0, unit=name, device=f"v-{name}", received=NOON), at(0))
        self.run(120, names)

    def run(self, seconds: int, speaking: list[str], asleep: tuple[str, ...] = ()) -> None:
        """Let these speak every 5 s for so long."""
        for _ in range(seconds):
            for name in speaking if self.now_s % 5 == 0 else ():
                self.beat(name, name in asleep)
            self.look()
            self.now_s += 1

    def beat(self, name: str, asleep: bool = False) -> None:
        """Let one speak."""
        until = at(self.now_s + 3_000).utc if asleep else None
        said = heartbeat(
            self.now_s * 1000 + 1,
            device=f"v-{name}",
            echo=echo(),
            asleep_until=until,
            current=[current(1, unit=name)],
        )
        self.fleet.apply_vitals(f"v-{name}", said, 1, at(self.now_s).mono_s, at(self.now_s))

    def look(self) -> None:
        """Take what changed, count how often each is told, and note whether a path ever failed."""
        now = at(self.now_s)
        for unit, as_of in self.fleet.take_changed(now).items():
            self.told[unit] = self.told.get(unit, 0) + 1
            self.fleet.record(unit, 1, as_of, now)
        self.failed |= self.fleet.path_failure is not None

    def suspected(self) -> set[str]:
        """Units whose record suspects the network."""
        records = [self.fleet.record(name, 1, NOON, at(self.now_s)) for name in self.names]
        return {one.unit for one in records if "path_failed" in [why.code for why in one.reasons]}


def test_many_that_fall_silent_within_a_minute_are_one_failed_path() -> None:
    """At 30 % of those that were fresh, and five at the least: since when, how many, what share; and each says so."""
    county = County(20)
    county.run(40, county.names[6:])
    failure = county.fleet.path_failure
    assert failure is not None
    assert (6, 0.3) == (failure.units, failure.share)
    assert at(131).utc == failure.since  # they spoke last at 115 s, and are late 15 s after that
    assert set(county.names[:6]) == county.suspected()


def test_fewer_are_no_failed_path() -> None:
    """Neither five of twenty nor four of four."""
    for count, silent in ((20, 5), (4, 4)):
        county = County(count)
        county.run(60, county.names[silent:])
        assert county.fleet.path_failure is None
        assert set() == county.suspected()


def test_one_after_the_other_is_no_failed_path() -> None:
    """Units that go silent 20 s apart are never five in a minute."""
    county = County(12)
    for silent in range(1, 10):
        county.run(20, county.names[silent:])
        assert county.fleet.path_failure is None


def test_units_that_go_to_sleep_together_are_no_failed_path() -> None:
    """They said so: the end of a shift is no failure."""
    county = County(8)
    county.run(60, county.names, asleep=tuple(county.names))
    assert not county.failed


def test_it_is_over_when_fewer_than_half_are_still_silent() -> None:
    """Not before; then nobody is suspected any more, and the board is told of those that are still silent."""
    county = County(10)
    county.run(30, county.names[8:])
    assert 8 == len(county.suspected())
    county.run(10, county.names[4:])
    assert 4 == len(county.suspected())
    assert isinstance(county.fleet.path_failure, PathFailure)
    before = dict(county.told)
    county.run(2, county.names[3:])
    county.look()
    assert county.fleet.path_failure is None
    assert set() == county.suspected()
    assert all(county.told[name] > before[name] for name in county.names[:3])


def test_who_falls_silent_soon_after_is_one_of_them() -> None:
    """A path seldom fails for all at once; but one that falls silent much later has trouble of its own."""
    county = County(12)
    county.run(30, county.names[6:])
    county.run(20, county.names[8:])
    assert 8 == len(county.suspected())
    failure = county.fleet.path_failure
    assert failure is not None and (8, 0.667) == (failure.units, failure.share)
    county.run(60, county.names[8:])
    county.run(30, county.names[9:])
    assert 8 == len(county.suspected())


def test_one_that_is_gone_is_not_silent() -> None:
    """A unit that the directory drops counts no more: neither as fresh, nor as silent."""
    county = County(10)
    county.run(30, county.names[8:])
    kept = county.names[5:]
    made = {key: getattr(entry("kp-12"), key) for key in ENTRY_FIELDS}
    entries = [UnitEntry(**made | {"id": name, "callsign": name, "carrier": f"v-{name}"}) for name in kept]
    county.fleet.rebind(entries, {name: (f"v-{name}",) for name in kept}, at(county.now_s))
    county.names = kept
    county.look()
    assert county.fleet.path_failure is None


def test_one_that_another_vehicle_carries_now_is_not_silent_with_them() -> None:
    """The network is suspected of those that fell silent, and of no vehicle that was not heard yet."""
    county = County(10)
    county.run(30, county.names[8:])
    made = {key: getattr(entry("kp-12"), key) for key in ENTRY_FIELDS}
    carriers = {name: f"v-{name}" for name in county.names} | {"u-0": "spare"}
    entries = [UnitEntry(**made | {"id": name, "callsign": name, "carrier": of}) for name, of in carriers.items()]
    county.fleet.rebind(entries, {name: (of,) for name, of in carriers.items()}, at(county.now_s))
    county.fleet.apply_head(head("2", county.now_s, unit="u-0", device="spare", received=NOON), at(county.now_s))
    county.look()
    assert set(county.names[1:8]) == county.suspected()
