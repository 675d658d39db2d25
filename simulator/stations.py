"""A shared station as files: how its plant is wired, its layout, and its device's TOML. Pure but for the writing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulator.county import Station, Unit
from simulator.crew import DUTIES, codes
from simulator.folder import DEVICE_FILE, PANEL_SOCKET, STATE_FOLDER, Value, table
from simulator.plant import Cooker, Door, ExitSignal, Indicator, Inputs, Light, Parts, Sounder
from simulator.plant.parts import MAP
from wire.feed import Service

LAYOUT_FILE = "station.toml"
ALERT, BAYS = "alert", "bays"
"""The two modules of a station: what alerts people, and what is at the doors."""
SHARED_ZONES = ("bays", "mess")
DOOR_TRAVEL_S = 4.0
RESET_AFTER_S, SOUND_S, EXIT_HOLD_S = 60, 60, 30
POLL_MS = 500
TIME_ZONE = "Europe/London"
STATUSES_MAX = 8
"""Status buttons on a unit's card."""
_PLACES: Mapping[Service, str] = {"police": "yard", "fire": "fire", "ambulance": "amb"}
"""Where a service's vehicles stand, as its doors are named."""
_DOORS_MAX: Mapping[Service, int] = {"police": 1, "fire": 2, "ambulance": 2}
_SERVICES: tuple[Service, ...] = ("fire", "ambulance", "police")
_RAMP: Sequence[Mapping[str, Value]] = (
    {"level": 30, "after_s": 0},
    {"level": 60, "after_s": 3},
    {"level": 90, "after_s": 6},
)
"""A sleeping crew is woken gently."""
_TONES = {"emergency": 1, "routine": 2, "test": 9}


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """A serial line to the plant."""

    path: str
    baud: int = 19_200


@dataclass(frozen=True, slots=True, kw_only=True)
class StationSettings:
    """What a station's device is told beside who it is."""

    broker_port: int
    plant_port: int = 502
    """Where the plant is served over TCP."""
    serial: SerialLine | None = None
    """The line that it is on instead."""
    page_port: int | None = None
    """Where it serves its touch page, if it does."""
    heartbeat_s: float = 5.0
    poll_ms: int = POLL_MS
    """How often each module of the plant is read."""
    door_travel_s: float = DOOR_TRAVEL_S
    """How long a door of the plant takes."""
    night: tuple[str, str] = ("22:00", "06:30")
    """From when until when it is night there."""


def wire_plant(station: Station, *, door_travel_s: float = DOOR_TRAVEL_S) -> Parts:
    """The plant of a station: a dormitory and doors for each service, appliance bays and a mess for all."""
    zones = _zones(station)
    doors = tuple(_doors(station, door_travel_s))
    return Parts(
        slaves=((ALERT, 1), (BAYS, 2)),
        sounders=tuple(_sounder(zone, place) for place, zone in enumerate(zones)),
        lights=tuple(
            Light(id=zone, zone=zone, output=f"{ALERT}.do{place}", proof=f"{ALERT}.di{place}")
            for place, zone in enumerate(zones, 5)
        ),
        cookers=(Cooker(id="mess", zone="mess", output=f"{ALERT}.do10", proof=f"{ALERT}.di10", reset=f"{ALERT}.di11"),),
        indicators=tuple(
            Indicator(unit=unit.id, output=f"{ALERT}.do{place}", proof=f"{ALERT}.di{place}")
            for place, unit in enumerate(station.units, 12)
        ),
        doors=doors,
        exit_signals=(
            ExitSignal(
                id="front",
                doors=tuple(door.id for door in doors),
                output=f"{BAYS}.do{len(doors)}",
                proof=f"{BAYS}.di20",
            ),
        ),
        inputs=Inputs(
            mains_failed=f"{BAYS}.di21",
            on_generator=f"{BAYS}.di22",
            acknowledge=f"{BAYS}.di23",
            presence=f"{BAYS}.di24",
        ),
    )


def _zones(station: Station) -> tuple[str, ...]:
    return (*(f"dorm-{service}" for service in _services(station)), *SHARED_ZONES)


def _services(station: Station) -> tuple[Service, ...]:
    here = {unit.organisation.service for unit in station.units}
    return tuple(service for service in _SERVICES if service in here)


def _sounder(zone: str, place: int) -> Sounder:
    """Eight registers are not enough for every tone: the shared rooms have the one that they have."""
    tone = f"{ALERT}.level{5 + place}" if zone not in SHARED_ZONES else ""
    return Sounder(
        id=zone,
        zone=zone,
        output=f"{ALERT}.do{place}",
        proof=f"{ALERT}.di{place}",
        level=f"{ALERT}.level{place}",
        tone=tone,
    )


def _doors(station: Station, travel_s: float) -> Iterator[Door]:
    """One or two doors for each service, its units shared out between them."""
    place = 0
    for service in _services(station):
        units = [unit.id for unit in station.units if unit.organisation.service == service]
        count = min(len(units), _DOORS_MAX[service])
        for nth in range(count):
            inputs = [f"{BAYS}.di{4 * place + switch}" for switch in range(4)]
            yield Door(
                id=f"{_PLACES[service]}-{nth + 1}",
                units=tuple(units[nth::count]),
                output=f"{BAYS}.do{place}",
                open_input=inputs[0],
                closed_input=inputs[1],
                obstruction=inputs[2],
                maintenance=inputs[3],
                travel_s=travel_s,
            )
            place += 1


def write_station(station: Station, folder: Path, settings: StationSettings) -> Path:
    """Write a station's layout and its device's TOML into `folder`, and return the path of the latter.

    Its panel's socket and its state lie there too. A socket's path can have 107 bytes: keep `folder` short.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LAYOUT_FILE).write_text(_text(_layout_tables(station, settings)), encoding="utf-8")
    path = folder / DEVICE_FILE
    path.write_text(_text(_device_tables(station, settings)), encoding="utf-8")
    return path


def _text(tables: Iterator[tuple[str, Mapping[str, Value]]]) -> str:
    return "\n".join(table(header, row) for header, row in tables)


def _layout_tables(station: Station, settings: StationSettings) -> Iterator[tuple[str, Mapping[str, Value]]]:
    parts = wire_plant(station, door_travel_s=settings.door_travel_s)
    services = _services(station)
    yield "[station]", {"name": station.base.name, "reset_after_s": RESET_AFTER_S, "sound_s": SOUND_S}
    night_from, night_until = settings.night
    yield "[night]", {"from": night_from, "until": night_until, "zone": TIME_ZONE}
    for service in services:
        yield "[[zone]]", {"id": f"dorm-{service}", "services": [service]}
    for zone in SHARED_ZONES:
        yield "[[zone]]", {"id": zone, "services": services, "quiet_at_night": True}
    for sounder in parts.sounders:
        yield "[[sounder]]", _sounder_row(sounder)
    for light in parts.lights:
        yield "[[light]]", {"id": light.id, "zone": light.zone, **_driven(light), "needs_mains": True}
    for cooker in parts.cookers:
        yield "[[cooker]]", {"id": cooker.id, "zone": cooker.zone, **_driven(cooker), "reset": cooker.reset}
    for indicator in parts.indicators:
        yield "[[indicator]]", {"unit": indicator.unit, **_driven(indicator)}
    for door in parts.doors:
        yield "[[door]]", _door_row(door)
    for signal in parts.exit_signals:
        yield "[[exit_signal]]", {"id": signal.id, "doors": signal.doors, **_driven(signal), "hold_s": EXIT_HOLD_S}
    inputs = {"mains_failed": parts.inputs.mains_failed, "on_generator": parts.inputs.on_generator}
    yield "[inputs]", {**inputs, "acknowledge": parts.inputs.acknowledge}


def _driven(part: Sounder | Light | Cooker | Indicator | ExitSignal) -> Mapping[str, Value]:
    return {"output": part.output, "proof": part.proof}


def _sounder_row(sounder: Sounder) -> Mapping[str, Value]:
    toned: Mapping[str, Value] = {"tone_output": sounder.tone, "tones": _TONES} if sounder.tone else {}
    level: Mapping[str, Value] = {"level_output": sounder.level, "ramp": _RAMP}
    return {"id": sounder.id, "zone": sounder.zone, **_driven(sounder), **toned, **level}


def _door_row(door: Door) -> Mapping[str, Value]:
    return {
        "id": door.id,
        "units": door.units,
        "output": door.output,
        "pulse_s": 0.5,
        "open_input": door.open_input,
        "closed_input": door.closed_input,
        "obstruction": door.obstruction,
        "maintenance": door.maintenance,
        "opens_on_acknowledge": True,
        "travel_s": 2 * door.travel_s,
        "needs_mains": True,
    }


def _device_tables(station: Station, settings: StationSettings) -> Iterator[tuple[str, Mapping[str, Value]]]:
    identity = {"id": station.device, "organisation": station.organisation, "enrolment": station.enrolment}
    yield "[device]", {**identity, "state_dir": STATE_FOLDER}
    yield "[link]", {"broker": f"mqtt://127.0.0.1:{settings.broker_port}", "heartbeat_s": settings.heartbeat_s}
    for unit in station.units:
        yield "[[unit]]", _unit_row(unit)
    yield "[panel]", {"backend": "scripted", "path": PANEL_SOCKET}
    yield "[panel.buttons]", {unit.id: _mobile(unit) for unit in station.units}
    yield "[[bus]]", {"name": "plant", **_line(settings), "poll_ms": settings.poll_ms}
    for name, number in wire_plant(station).slaves:
        yield "[[bus.slave]]", {"name": name, "id": number, "map": MAP}
    yield "[station]", {"layout": LAYOUT_FILE}
    if settings.page_port is not None:
        yield "[page]", {"port": settings.page_port, "title": station.base.name}


def _line(settings: StationSettings) -> Mapping[str, Value]:
    if settings.serial is not None:
        return {"transport": "rtu", "path": settings.serial.path, "baud": settings.serial.baud}
    return {"transport": "tcp", "host": "127.0.0.1", "port": settings.plant_port}


def _unit_row(unit: Unit) -> Mapping[str, Value]:
    service = unit.organisation.service
    shown = {"callsign": unit.callsign, "service": service}
    return {"id": unit.id, "scheme": unit.scheme, **shown, "statuses": codes(service)[:STATUSES_MAX]}


def _mobile(unit: Unit) -> str:
    """What a unit's button on the wall declares: that it is turning out."""
    return f"{unit.id}:{DUTIES[unit.organisation.service].turn_out}"
