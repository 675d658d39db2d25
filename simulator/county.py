"""A made-up county: three organisations, their bases and units, and where units drive to. Pure, and seeded."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice, zip_longest
from random import Random

from simulator.crew import SCHEMES, Destination
from simulator.earth import Point, distance_m
from simulator.roads import Network, Town
from simulator.roads import generate as generate_roads
from wire.feed import Service

UNITS = 60
SHARES: dict[Service, float] = {"police": 0.4, "fire": 0.3, "ambulance": 0.3}
PATROL_RADIUS_M = 2_200.0
TOWN_INCIDENTS_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class Organisation:
    """Owns units and devices."""

    id: str
    name: str
    service: Service


@dataclass(frozen=True, slots=True)
class Base:
    """Where units belong. A shared one has no organisation."""

    id: str
    name: str
    organisation: str | None
    node: int
    """The junction at its door."""
    point: Point


@dataclass(frozen=True, slots=True)
class Unit:
    """What is sent. `device` is the carrier in its vehicle."""

    id: str
    callsign: str
    organisation: Organisation
    type: str
    base: Base
    device: str
    capabilities: tuple[str, ...]
    covert: bool = False
    """Whether nobody but its own organisation may know of it."""

    @property
    def scheme(self) -> str:
        """The status scheme in whose codes its crew speaks."""
        return SCHEMES[self.organisation.service]


@dataclass(frozen=True, slots=True)
class Device:
    """The agent in one vehicle."""

    id: str
    organisation: str
    enrolment: str
    unit: Unit


@dataclass(frozen=True, slots=True)
class Station:
    """A shared building with an agent of its own, and the units that are called through it."""

    device: str
    organisation: str
    """Who looks after the building, and so owns the device."""
    enrolment: str
    base: Base
    units: tuple[Unit, ...]
    """At most what a device may speak for."""


@dataclass(frozen=True, slots=True)
class County:
    """Everything that stands still."""

    network: Network
    organisations: tuple[Organisation, ...]
    bases: tuple[Base, ...]
    units: tuple[Unit, ...]
    devices: tuple[Device, ...]
    stations: tuple[Station, ...]
    hospital: int
    standby_points: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of unit: what stands before its number in the callsign, and what it can do."""

    type: str
    mark: str
    capabilities: tuple[str, ...]


_CAR = _Kind("response car", "1", ("response", "anpr"))
_VAN = _Kind("van", "3", ("response", "prisoner transport", "public order"))
_PUMP = _Kind("pump", "P", ("pumping", "breathing apparatus", "road rescue"))
_LADDER = _Kind("ladder", "L", ("aerial", "breathing apparatus"))
_RESCUE = _Kind("rescue", "R", ("heavy rescue", "water rescue", "rope rescue"))
_AMBULANCE = _Kind("double-crewed ambulance", "1", ("conveyance", "defibrillator", "bariatric stretcher"))
_RAPID = _Kind("rapid response car", "5", ("critical care", "defibrillator"))

_ORDER: dict[Service, tuple[tuple[_Kind, ...], ...]] = {
    "police": ((_CAR,), (_CAR,), (_VAN,)),
    "fire": ((_PUMP,), (_PUMP,), (_RESCUE, _LADDER)),
    "ambulance": ((_AMBULANCE,), (_AMBULANCE,), (_RAPID,)),
}
"""What is handed round a service's bases in each turn: of several kinds, the bases get one each, alternating."""

_ORGANISATIONS = (
    Organisation("kp", "Weald Police", "police"),
    Organisation("kfrs", "Weald Fire and Rescue", "fire"),
    Organisation("kas", "Weald Ambulance", "ambulance"),
)
_LANDLORD = "kfrs"
_SHARED = {"stn-10": 0, "stn-14": 2, "stn-21": 1, "stn-33": 3, "stn-42": 4, "stn-51": 5}
"""Shared stations and their towns."""
_SITES: dict[Service, tuple[tuple[str, str], ...]] = {
    "police": (("W", "Police Station"), ("S", "stn-14"), ("H", "stn-21"), ("M", "stn-33")),
    "fire": (
        *(("10", "stn-10"), ("14", "stn-14"), ("21", "stn-21")),
        *(("33", "stn-33"), ("42", "stn-42"), ("51", "stn-51")),
    ),
    "ambulance": (("10", "stn-10"), ("14", "stn-14"), ("21", "stn-21"), ("42", "stn-42"), ("51", "stn-51")),
}
"""Each service's bases: its mark in callsigns, and which shared station that is, or what it's called in town 0."""
_COVERT_BASE, _COVERT_MARK = "W", "1"
_COVERT = (3, 4)
"""Which response cars of the police's own station nobody else may know of: none in a small county."""
STATION_UNITS_MAX = 19
"""The directory lets a device speak for this many units."""


def generate(seed: int, units: int = UNITS) -> County:
    """A county of `units` units, 40 % police and 30 % each fire and ambulance."""
    random = Random(f"county {seed}")
    network = generate_roads(seed)
    bases = _bases(network, random)
    everywhere = tuple(dict.fromkeys(base for each in bases.values() for base in each.values()))
    placed = tuple(islice(_units(bases, units), units))
    devices = (Device(unit.device, unit.organisation.id, f"E{i:04d}", unit) for i, unit in enumerate(placed, 1))
    hospital = _near(network, network.towns[0], random)
    standby = tuple(network.nearest(town.centre) for town in network.towns)
    return County(
        network=network,
        organisations=_ORGANISATIONS,
        bases=everywhere,
        units=placed,
        devices=tuple(devices),
        stations=tuple(_stations(everywhere, placed)),
        hospital=hospital,
        standby_points=standby,
    )


def place(county: County, unit: Unit, destination: Destination, random: Random) -> int | None:
    """The junction that a unit drives to; None where it stays."""
    if destination is Destination.STAY:
        return None
    if destination is Destination.BASE:
        return unit.base.node
    if destination is Destination.HOSPITAL:
        return county.hospital
    if destination is Destination.PATROL:
        return random.choice(county.network.within(unit.base.point, PATROL_RADIUS_M))
    if destination is Destination.STANDBY:
        return min(random.sample(county.standby_points, 3), key=lambda node: _gap_m(county, node, unit))
    return _incident(county, unit, random)


def _incident(county: County, unit: Unit, random: Random) -> int:
    """Mostly in a town, the larger the likelier, else anywhere; of two, the one nearer to the unit's base."""
    towns = county.network.towns
    nodes = range(len(county.network.nodes))

    def happen() -> int:
        if random.random() >= TOWN_INCIDENTS_SHARE:
            return random.choice(nodes)
        town = random.choices(towns, [town.radius_m for town in towns])[0]
        return random.choice(county.network.within(town.centre, town.radius_m))

    return min(happen(), happen(), key=lambda node: _gap_m(county, node, unit))


def _gap_m(county: County, node: int, unit: Unit) -> float:
    return distance_m(county.network.nodes[node], unit.base.point)


def _bases(network: Network, random: Random) -> dict[Service, dict[str, Base]]:
    """Each service's bases by their mark in callsigns. A shared one is the same in all of them."""
    shared = {name: _shared(network, name, town) for name, town in _SHARED.items()}
    return {
        organisation.service: {
            mark: shared[kind] if kind in shared else _base(network, organisation, f"{mark} {kind}", random)
            for mark, kind in _SITES[organisation.service]
        }
        for organisation in _ORGANISATIONS
    }


def _shared(network: Network, name: str, town: int) -> Base:
    node = network.nearest(network.towns[town].centre)
    return Base(name, f"{name.replace('stn-', 'Stn ')} shared", None, node, network.nodes[node])


def _base(network: Network, organisation: Organisation, label: str, random: Random) -> Base:
    mark, _, kind = label.partition(" ")
    node = _near(network, network.towns[0], random)
    name = f"{network.towns[0].name} {kind}"
    return Base(f"{organisation.id}-{mark.lower()}", name, organisation.id, node, network.nodes[node])


def _stations(bases: Sequence[Base], units: Sequence[Unit]) -> Iterator[Station]:
    """Each shared base that has units. Their services take turns, so that no service is left out of too many."""
    for number, base in enumerate((base for base in bases if base.organisation is None), 1):
        services = ([unit for unit in units if (unit.base, unit.organisation) == (base, o)] for o in _ORGANISATIONS)
        called = [unit for turn in zip_longest(*services) for unit in turn if unit is not None]
        if called:
            yield Station(base.id, _LANDLORD, f"S{number:04d}", base, tuple(called[:STATION_UNITS_MAX]))


def _near(network: Network, town: Town, random: Random) -> int:
    return random.choice(network.within(town.centre, max(0.5 * town.radius_m, 250.0)))


def _units(bases: dict[Service, dict[str, Base]], total: int) -> Iterator[Unit]:
    """Each service's units, handed round its bases, numbered and fitted with a device."""
    number = 0
    counts = _counts(total)
    for organisation in _ORGANISATIONS:
        for mark, kind, nth in islice(_round(organisation.service, list(bases[organisation.service])), counts.pop(0)):
            number += 1
            callsign = _callsign(organisation.service, mark, kind, nth)
            yield Unit(
                id=f"{organisation.id}-{callsign.lower()}",
                callsign=callsign,
                organisation=organisation,
                type=kind.type,
                base=bases[organisation.service][mark],
                device=f"veh-{number:04d}",
                capabilities=kind.capabilities,
                covert=(mark, kind.mark) == (_COVERT_BASE, _COVERT_MARK) and nth in _COVERT,
            )


def _counts(total: int) -> list[int]:
    """How many units each organisation has; together `total`."""
    fire = round(total * SHARES["fire"])
    ambulance = round(total * SHARES["ambulance"])
    return [total - fire - ambulance, fire, ambulance]


def _round(service: Service, marks: Sequence[str]) -> Iterator[tuple[str, _Kind, int]]:
    """Endless: base after base, each with a type of this turn, and which of that type at that base it is."""
    turn = 0
    had: dict[tuple[str, str], int] = {}
    while True:
        for mark, kind in zip(marks, cycle(_ORDER[service][turn % len(_ORDER[service])]), strict=False):
            had[mark, kind.mark] = nth = had.get((mark, kind.mark), 0) + 1
            yield mark, kind, nth
        turn += 1


def _callsign(service: Service, mark: str, kind: _Kind, nth: int) -> str:
    """As each service speaks: police `KW11`, fire `14P1`, ambulance `A1451`."""
    if service == "fire":
        return f"{mark}{kind.mark}{nth}"
    return f"{'K' if service == 'police' else 'A'}{mark}{kind.mark}{nth}"
