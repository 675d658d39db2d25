"""Reads a device's TOML and the status schemes that it names."""

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from edge_agent.config.buses import BusSettings, bus_problems, name_problems
from edge_agent.config.cards import card, card_problems
from edge_agent.config.device_file import DeviceFile
from edge_agent.config.inputs import Inputs, input_problems
from edge_agent.config.merge import merge, variable_of
from edge_agent.config.panel import (
    Button,
    button_problems,
    buttons,
    emergency_problems,
    panel_problems,
    unit_problems,
)
from edge_agent.config.register_maps import RegisterMap, load_maps
from edge_agent.config.settings import (
    ButtonCode,
    ButtonName,
    Device,
    Gpsd,
    Link,
    Outbox,
    Page,
    Panel,
    Report,
    Station,
    UnitEntry,
)
from edge_agent.errors import Fatal
from wire.scheme import Scheme, assemble
from wire.strict import Problem, convert

MAPS_FOLDER = "register_maps"
"""The folder beside the TOML in which a site keeps its own register maps."""
SITE_FOLDER = "schemes"
"""The folder beside the TOML in which a site keeps its own schemes and overrides."""

_Placed = TypeVar("_Placed", Panel, Inputs)


class ConfigInvalid(Fatal):
    """The configuration can't be used. The text names the file, then has one line for each error."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the device was told, checked."""

    device: Device
    link: Link
    units: tuple[UnitEntry, ...]
    """At least one; the first is the vehicle's own."""
    gpsd: Gpsd | None
    panel: Panel | None
    inputs: Inputs | None
    buses: tuple[BusSettings, ...]
    maps: dict[str, RegisterMap]
    """The register maps that the slaves of `buses` have, by name."""
    station: Station | None
    page: Page | None
    report: Report
    outbox: Outbox
    schemes: dict[str, Scheme]
    """The schemes of `units`, by name."""
    buttons: dict[str, Button]
    """What each of the panel's buttons declares, by the button's name; empty without a panel."""
    cards: dict[str, dict[str, Button]]
    """What each unit's card on the touch page offers: its status buttons, by code; empty without a page."""


class UnitSection(msgspec.Struct, frozen=True):
    """The units alone, so that they can be checked while another section is wrong."""

    unit: tuple[UnitEntry, ...]


class BusSection(msgspec.Struct, frozen=True):
    """The Modbus lines alone, likewise."""

    bus: tuple[BusSettings, ...]


class PanelSection(msgspec.Struct, frozen=True):
    """The panel alone, likewise."""

    panel: Panel


class InputSection(msgspec.Struct, frozen=True):
    """The inputs alone, likewise."""

    inputs: Inputs


class ButtonSection(msgspec.Struct, frozen=True):
    """The panel's buttons alone, likewise."""

    buttons: dict[ButtonName, ButtonCode]


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Load a device's TOML, with `EDGE__SECTION__KEY` of `environ` over it.

    Schemes are the packaged ones, with those of the folder `schemes` beside the TOML over them.
    Raises ConfigInvalid with every error at once, each with its key's path and what would be right.
    """
    data, problems = merge(_read_toml(path), environ)
    schemes, scheme_problems = _read_schemes(path.parent / SITE_FOLDER)
    maps, map_problems = load_maps(path.parent / MAPS_FOLDER) if data.get("bus") else ({}, ())
    found = convert(data, DeviceFile)
    problems += scheme_problems + map_problems
    problems += found if isinstance(found, tuple) else ()
    if not scheme_problems:
        problems += tuple(_meaning_problems(data, schemes, path.parent))
    if not map_problems:
        problems += tuple(_bus_problems(data, maps))
    if problems or isinstance(found, tuple):
        lines = (f"  {_with_origin(problem, environ)}" for problem in problems)
        raise ConfigInvalid("\n".join([f"{path}:", *lines]))
    return _config(found, schemes, maps, path.parent)


def load_scheme(name: str, folder: Path | None = None) -> Scheme:
    """Load one status scheme, packaged or of `folder`. Raises ConfigInvalid where there is none of that name."""
    schemes, problems = _read_schemes(folder)
    if name not in schemes:
        unknown = Problem("scheme", f"{name!r} is no known scheme", f"one of {', '.join(schemes)}")
        raise ConfigInvalid("\n".join(str(problem) for problem in (*problems, unknown)))
    return schemes[name]


def _config(found: DeviceFile, schemes: dict[str, Scheme], maps: dict[str, RegisterMap], folder: Path) -> Config:
    declared = buttons(found.panel, found.unit, schemes) if found.panel else {}
    used = {slave.map for bus in found.bus for slave in bus.slave}
    return Config(
        device=replace(found.device, state_dir=_absolute(found.device.state_dir, folder)),
        link=found.link,
        units=found.unit,
        gpsd=found.gpsd,
        panel=_placed(found.panel, folder) if found.panel else None,
        inputs=_placed(found.inputs, folder) if found.inputs else None,
        buses=found.bus,
        maps={name: one for name, one in maps.items() if name in used},
        station=replace(found.station, layout=_absolute(found.station.layout, folder)) if found.station else None,
        page=found.page,
        report=found.report,
        outbox=found.outbox,
        schemes={unit.scheme: schemes[unit.scheme] for unit in found.unit},
        buttons=declared,
        cards={unit.id: card(unit, declared.values(), schemes[unit.scheme]) for unit in found.unit}
        if found.page
        else {},
    )


def _meaning_problems(data: Mapping[str, Any], schemes: Mapping[str, Scheme], folder: Path) -> Iterator[Problem]:
    """What the shape can't tell, of each section whose own shape is right."""
    units = convert({"unit": data.get("unit")}, UnitSection)
    panel = convert({"panel": data.get("panel")}, PanelSection)
    report = convert(data.get("report", {}), Report)
    if isinstance(report, Report) and report.parked_s < report.moving_s:
        expected = f"at least moving_s, which is {report.moving_s:g}"
        yield Problem("report.parked_s", f"is {report.parked_s:g}", expected)
    if not isinstance(panel, tuple):
        yield from panel_problems(_placed(panel.panel, folder))
    inputs = convert({"inputs": data.get("inputs")}, InputSection)
    if not isinstance(inputs, tuple):
        own = None if isinstance(panel, tuple) else _placed(panel.panel, folder)
        yield from input_problems(_placed(inputs.inputs, folder), own)
    if isinstance(units, tuple) or not units.unit:
        return
    yield from unit_problems(units.unit, tuple(schemes))
    yield from card_problems(units.unit, schemes)
    if not isinstance(panel, tuple):
        yield from emergency_problems(panel.panel, units.unit)
    table = data.get("panel")
    written = convert({"buttons": table.get("buttons") if isinstance(table, dict) else None}, ButtonSection)
    if not isinstance(written, tuple):
        yield from button_problems(written.buttons, units.unit, schemes)


def _bus_problems(data: Mapping[str, Any], maps: Mapping[str, RegisterMap]) -> Iterator[Problem]:
    buses = convert({"bus": data.get("bus", [])}, BusSection)
    if not isinstance(buses, tuple):
        yield from bus_problems(buses.bus, tuple(maps))
        yield from name_problems(buses.bus, maps)


def _with_origin(problem: Problem, environ: Mapping[str, str]) -> str:
    variable = variable_of(problem.path, environ)
    return f"{problem} (set by {variable})" if variable else str(problem)


def _placed(section: _Placed, folder: Path) -> _Placed:
    """The section with its path absolute, where it has one."""
    return replace(section, path=_absolute(section.path, folder)) if section.path else section


def _absolute(path: str, folder: Path) -> str:
    return str(folder.absolute() / path)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigInvalid(f"{path}: {error.strerror}: name a device's TOML file") from error
    except UnicodeDecodeError:
        raise ConfigInvalid(f"{path}: is not text in UTF-8; expected a TOML file in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(f"{path}: is not TOML: {error}") from None


def _read_schemes(folder: Path | None) -> tuple[dict[str, Scheme], tuple[Problem, ...]]:
    packaged = {each.name: each.read_text("utf-8") for each in _toml_files(files("wire") / "schemes")}
    if folder is None or not folder.exists():
        return assemble(packaged, {})
    try:
        site = {f"{folder.name}/{each.name}": each.read_text("utf-8") for each in _toml_files(folder)}
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(f"{folder.name}/", f"can't be read: {error}", "a folder of TOML files in UTF-8")
        return assemble(packaged, {})[0], (problem,)
    return assemble(packaged, site)


def _toml_files(folder: Traversable) -> list[Traversable]:
    found = (each for each in folder.iterdir() if each.name.endswith(".toml") and each.name[0] != ".")
    return sorted(found, key=lambda each: each.name)
