"""A made-up world: organisations, units, agreements, and a fleet that is told of everything that happens to them."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec

from cloud.directory.rows import AgreementRow, Base, Device, Directory, Organisation, Partner, Unit, UnitsCovered
from cloud.directory.schemes import load_schemes
from cloud.feeds import Decided
from cloud.fleet.clocks import Moment
from cloud.fleet.fleet import Fleet
from cloud.ingest.entries import entries, speakers
from cloud.ledger import DecisionRow
from cloud.sharing.terms import EmergencyAccess
from cloud.telemetry import PositionRow
from simulator.disclosure.facts import IDENTITY, Fact, Mint, words_in
from wire.partner import GRANTS, Grant
from wire.scheme import Scheme

BEGIN = datetime(2026, 11, 1, 12, tzinfo=UTC)
TYPES = ("pump", "van", "car")
CAPABILITIES = ("boat", "rope", "dog")
MAJOR = ("Flood", "Fire")
SCHEME = "uk-fire-gd92"


class Lent(NamedTuple):
    """Units that one organisation has of another."""

    loan: str
    owner: str
    borrower: str
    units: tuple[str, ...]
    since: datetime


class WorldClock:
    """A world's clock, for parts that ask for one."""

    def __init__(self, world: "World") -> None:
        """Tell the time of this world."""
        self._world = world

    def now(self) -> datetime:
        """Wall time."""
        return self._world.now.utc

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return self._world.now.mono_s

    async def sleep(self, duration_s: float) -> None:
        """Nothing waits here. Raises AssertionError."""
        raise AssertionError(f"something waits for {duration_s} s")


def token_of(organisation: str) -> str:
    """Give an organisation's token."""
    return f"token-of-{organisation}"


class World:
    """One world, made from its seed. `facts` are all that was ever said in it; nothing of the product writes them."""

    def __init__(self, seed: int) -> None:
        """Make the organisations, their units and their agreements; nobody was heard yet."""
        self.seed, self.chance = seed, random.Random(seed)
        self.mint = Mint(self.chance)
        self.seconds = 0.0
        self.facts: list[Fact] = []
        self.off_duty: set[str] = set()
        self.incident: dict[str, str] = {}
        """What each unit is assigned to."""
        self.met: dict[str, str] = {}
        """The same as at the last tick: whether partners meet at an incident is found out then."""
        self.decided = Decided()
        self._covert_since: dict[str, datetime] = {}
        self.places: list[PositionRow] = []
        """Every place that was reported, off duty or not: what a store should not hold is here too."""
        self.lent: dict[str, Lent] = {}
        self.loans_ever: dict[str, Lent] = {}
        """Those that were offered only, and that are over, too."""
        self.loan_words: dict[str, set[str]] = {}
        self.loan_rows: list[DecisionRow] = []
        self.directory = self._make_directory()
        self.fleet = Fleet(entries(self.directory), speakers(self.directory))
        self.on_directory: list[Callable[[Directory, Directory], None]] = []
        """Is told of each directory that comes into force, as the parts of the product are."""
        for unit in self.directory.units.values():
            self._note_rows(unit)

    @property
    def now(self) -> Moment:
        """Now, on both clocks."""
        return Moment(BEGIN + timedelta(seconds=self.seconds), 1000.0 + self.seconds)

    @property
    def organisations(self) -> tuple[str, ...]:
        """All of them: each is a partner."""
        return tuple(self.directory.organisations)

    def hidden(self, unit: str) -> bool:
        """Whether nobody but its owner may know of a unit now."""
        return self.directory.units[unit].covert or unit in self.off_duty

    def note(self, unit: str, grant: Grant | str, *texts: str, **told: Any) -> None:
        """Write down something that was said of a unit now."""
        at = told.pop("at", self.now.utc)
        fact = Fact(unit=unit, grant=grant, words=words_in(texts), at=at, **told)
        self.facts.append(fact)

    def change(self, unit: str, **fields: Any) -> None:
        """Bring a directory into force that differs in one unit's row."""
        before = self.directory
        changed = msgspec.structs.replace(before.units[unit], **fields)
        if before.units[unit].covert and not changed.covert:
            self._keep_secret(unit)
        elif changed.covert:
            self._covert_since[unit] = self.now.utc
        version = f"{int(before.version, 16) + 1:012x}"
        self.directory = msgspec.structs.replace(before, units=before.units | {unit: changed}, version=version)
        self.fleet.rebind(entries(self.directory), speakers(self.directory), self.now)
        for listener in self.on_directory:
            listener(before, self.directory)

    def _keep_secret(self, unit: str) -> None:
        """Nobody else learns where a unit was while it was covert, though it is no more."""
        since = self._covert_since.get(unit, BEGIN)
        for at, fact in enumerate(self.facts):
            if fact.unit == unit and fact.place is not None and since <= fact.at < self.now.utc:
                self.facts[at] = msgspec.structs.replace(fact, secret=True)

    def decide(self, **changes: Any) -> None:
        """Let somebody decide something about sharing."""
        self.decided = msgspec.structs.replace(self.decided, **changes)

    def open_access(self) -> None:
        """Let some partner open emergency access, for some minutes."""
        owner, partner = self.chance.sample(self.organisations, 2)
        since = self.now.utc
        access = EmergencyAccess(
            id=self.mint.word("e"),
            owner=owner,
            partner=partner,
            reason="explosion",
            by=self.mint.word("by "),
            since=since,
            until=since + timedelta(seconds=self.chance.choice([30, 300, 3600])),
        )
        self.decide(access=(*self.decided.access, access))

    def _make_directory(self) -> Directory:
        names = [f"o{number}" for number in range(self.chance.randint(2, 4))]
        bases = {name: Base(id=name, name=self.mint.word("Base ")) for name in ("b1", "b2", "b3")}
        units = {unit.id: unit for name in names for unit in self._make_units(name, tuple(bases))}
        rows = [self._make_agreement(number, names, units) for number in range(self.chance.randint(1, 3 * len(names)))]
        return Directory(
            organisations={name: Organisation(id=name, name=name, service="fire") for name in names},
            bases=bases,
            units=units,
            devices={device.id: device for unit in units.values() for device in _devices(unit)},
            schemes=_schemes(),
            version="0" * 12,
            agreements={row.id: row for row in rows},
            partners={name: _partner(name, number) for number, name in enumerate(names)},
        )

    def _make_units(self, organisation: str, bases: tuple[str, ...]) -> list[Unit]:
        kin = self.chance.choice(["", "", "crew", "split", "joined"])
        units = [self._make_unit(organisation, bases, kin) for _ in range(self.chance.randint(2, 4))]
        if kin not in ("split", "joined"):
            return units
        whole, *parts = units
        apart = kin == "split"
        made = [msgspec.structs.replace(part, part_of=whole.id, is_apart=apart) for part in parts]
        return [msgspec.structs.replace(whole, split_into=tuple(part.id for part in parts) if apart else ()), *made]

    def _make_unit(self, organisation: str, bases: tuple[str, ...], kin: str) -> Unit:
        chance, name = self.chance, self.mint.word("u-")
        lent = chance.random() < 0.2
        return Unit(
            id=name,
            callsign=self.mint.word("C "),
            organisation=organisation,
            service="fire",
            type=chance.choice(TYPES),
            base=chance.choice(bases),
            home=chance.choice(bases) if lent else None,
            scheme=SCHEME,
            carrier=self.mint.word("veh-"),
            vehicle=self.mint.word("V"),
            capabilities=(chance.choice(CAPABILITIES), self.mint.word("can ")),
            minimum_crew=chance.choice([0, 4]),
            skills={self.mint.word("s"): 1} if chance.random() < 0.5 else {},
            tier_min=chance.choice([0, 0, 5, 30]),
            covert=chance.random() < 0.15,
            crew_group=f"shared-{organisation}" if kin == "crew" else None,
        )

    def _make_agreement(self, number: int, names: list[str], units: dict[str, Unit]) -> AgreementRow:
        chance = self.chance
        owner, partner = chance.sample(names, 2)
        fields = tuple(chance.sample(GRANTS, chance.choice([1, 3, 6, 9, 12, 13])))
        placed = "position" in fields
        when = chance.choice(["always", "always", "always", "joint_incident", "major_incident"])
        own = [unit.id for unit in units.values() if unit.organisation == owner]
        covers = {
            "units": tuple(chance.sample(own, 1)),
            "types": chance.sample(TYPES, 2),
            "bases": ("b1", "b2"),
            "capabilities": chance.sample(CAPABILITIES, 2),
        }
        asked = chance.choice([*covers, None, None, None])
        starts, ends = chance.choice([-60, 40, 400, None, None]), chance.choice([-30, 60, 500, None, None, None])
        late = ends is not None and starts is not None and ends <= starts
        return AgreementRow(
            id=f"a{number}",
            owner=owner,
            partner=partner,
            purpose="borders",
            covers=UnitsCovered(**{asked: tuple(covers[asked])}) if asked else UnitsCovered(),
            fields=fields,
            precision_m=chance.choice([None, None, 500, 5000]) if placed else None,
            delay_s=chance.choice([None, None, 30, 300]) if placed else None,
            when=when,  # type: ignore[arg-type]
            incident=chance.choice(MAJOR) if when == "major_incident" else None,
            valid_from=None if starts is None or late else BEGIN + timedelta(seconds=starts),
            valid_until=None if ends is None else BEGIN + timedelta(seconds=ends),
        )

    def _note_rows(self, unit: Unit) -> None:
        """Write down what the directory says of a unit; the kin of a unit is told by the callsigns of others."""
        bases, at = self.directory.bases, BEGIN - timedelta(days=1)
        rows: dict[Grant | str, tuple[str, ...]] = {
            IDENTITY: (unit.id, unit.callsign),
            "base": (bases[unit.base].name, bases[unit.home].name if unit.home else ""),
            "vehicle": (unit.vehicle,),
            "capabilities": unit.capabilities,
            "crew": tuple(unit.skills),
            "workings": (unit.carrier, f"{unit.carrier}-panel"),
        }
        for grant, texts in rows.items():
            self.facts.append(Fact(unit=unit.id, grant=grant, words=words_in(texts), at=at))


def _partner(name: str, number: int) -> Partner:
    """A partner; all but one of them follow their view over MQTT, and all but one have a CAD of their own."""
    digest = sha256(token_of(name).encode()).hexdigest()
    return Partner(organisation=name, token_sha256=digest, mqtt=number != 1, cad=number != 0)


def _devices(unit: Unit) -> tuple[Device, Device]:
    """A unit's carrier, and a panel beside it."""
    fields: dict[str, Any] = {"organisation": unit.organisation, "enrolment": "E1"}
    carrier = Device(id=unit.carrier, units=(unit.id,), **fields)
    return carrier, Device(id=f"{unit.carrier}-panel", units=(unit.id,), **fields)


@cache
def _schemes() -> dict[str, Scheme]:
    return load_schemes()
