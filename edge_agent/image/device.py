"""Makes one device's TOML of its profile, its board and what it was told of itself. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

import msgspec

from edge_agent.config.profiles import Profile
from wire.events import Service
from wire.strict import Problem, closest

STATE_DIR = "/var/lib/watchroom"
LAYOUT = "station.toml"
UNNAMED = "unnamed"
"""Stands where nobody has said which device, organisation or unit it is."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who the device is, as far as that was said on the command line."""

    device: str | None = None
    organisation: str | None = None
    enrolment: str | None = None
    unit: str | None = None
    """The id of its first unit."""
    callsign: str | None = None
    vehicle: str | None = None


def profile_problems(profile: Profile, board: Mapping[str, Any]) -> Iterator[Problem]:
    """Tell where a profile and the sections of its board do not fit each other."""
    head = profile.profile
    buses = tuple(bus["name"] for bus in board.get("bus", ()))
    inputs = tuple(board.get("inputs", {}).get("lines", {}).values())
    for key, named, there in (("buses", head.buses, buses), ("inputs", head.inputs, inputs)):
        for name in named:
            if name not in there:
                problem = f"board {head.board} has no {name!r}{closest(name, there)}"
                yield Problem(f"profile.{key}", problem, f"of {', '.join(there)}" if there else "none")
    if not carried(profile):
        yield Problem("profile.schemes", "names no service", f"one of {', '.join(get_args(Service))}")
    yield from _button_problems(profile, board.get("panel", {}))


def carried(profile: Profile) -> dict[str, str]:
    """Give the services that a profile carries units of, and the scheme of each."""
    schemes = profile.profile.schemes
    return {name: scheme for name in get_args(Service) if (scheme := getattr(schemes, name)) is not None}


def _button_problems(profile: Profile, panel: Mapping[str, Any]) -> Iterator[Problem]:
    board = profile.profile.board
    wired = tuple(name for name in panel.get("lines", {}).values() if name != _emergency(panel))
    said = tuple(each.name for each in profile.button)
    declared: dict[tuple[str | None, str], str] = {}
    for name in wired:
        if name not in said:
            yield Problem("button", f"none is {name!r}, which board {board} has", f"[[button]] {name!r}")
    for index, each in enumerate(profile.button):
        path = f"button[{index}]"
        if each.name not in wired:
            problem = f"board {board} has no button {each.name!r}{closest(each.name, wired)}"
            yield Problem(f"{path}.name", problem, f"one of {', '.join(wired)}")
        elif each.name in said[:index]:
            yield Problem(f"{path}.name", f"{each.name!r} stands twice", "each button once")
        if (other := declared.setdefault((each.service, each.code), each.name)) != each.name:
            yield Problem(f"{path}.code", f"{other!r} and {each.name!r} both declare {each.code!r}", "a code each")
        if each.service is not None and each.service not in carried(profile):
            problem = f"the profile carries no units of {each.service}"
            yield Problem(f"{path}.service", problem, f"one of {', '.join(carried(profile))}")


def site_problems(board: Mapping[str, Any], identity: Identity, more: Mapping[str, Any]) -> Iterator[Problem]:
    """Tell what a site says itself that no table can be made of, and what would load and yet make no device of ours."""
    for key in ("device", "gpsd", "page", "report", "panel", "inputs", "station"):
        if not isinstance(more.get(key, {}), Mapping):
            yield Problem(key, f"is {more[key]!r}", f"a table: [{key}]")
    device, panel = _table(more, "device"), _table(more, "panel")
    if (place := device.get("state_dir", STATE_DIR)) != STATE_DIR:
        problem = f"is {place!r}, and the device keeps nothing there when its power fails"
        yield Problem("device.state_dir", problem, f"{STATE_DIR}, which is on the data partition: leave it out")
    name = device.get("id", identity.device or "")
    if isinstance(name, str) and name != name.strip("-"):
        yield Problem("device.id", f"{name!r} is no host name", "a letter or digit at both ends")
    lines = {**_table(board.get("panel", {}), "lines"), **_table(panel, "lines")}
    wired = tuple(str(each) for each in lines.values())
    for button in _table(panel, "buttons") if wired else ():
        if button not in wired:
            problem = f"no line of the panel is {button!r}{closest(button, wired)}"
            yield Problem(f"panel.buttons.{button}", problem, f"one of {', '.join(wired)}")


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key, {})
    return found if isinstance(found, Mapping) else {}


def device_document(
    profile: Profile, board: Mapping[str, Any], identity: Identity, more: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the whole document. `more` is what a site says itself, in the shape of device.toml, and wins."""
    head = profile.profile
    panel, buses = board.get("panel"), [bus for bus in board.get("bus", ()) if bus["name"] in head.buses]
    document: dict[str, Any] = {
        "device": {
            "id": identity.device or f"{UNNAMED}-{head.name}",
            "organisation": identity.organisation or UNNAMED,
            "enrolment": identity.enrolment or UNNAMED,
            "state_dir": STATE_DIR,
        },
        "unit": _units(profile, identity),
        **{name: _written(section) for name in _sections(profile) if (section := getattr(profile.agent, name))},
    }
    if board.get("inputs") and head.inputs:
        lines = {line: name for line, name in board["inputs"]["lines"].items() if name in head.inputs}
        document["inputs"] = {**board["inputs"], "lines": lines}
    merged = _merge(document, more)
    if panel is not None:
        merged["panel"] = _merge({**panel, "buttons": _buttons(profile, merged["unit"])}, more.get("panel", {}))
    if buses:
        merged.setdefault("bus", buses)
    return merged


def unnamed(document: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what nobody has said: the keys whose value only holds a place."""
    device = document.get("device", {})
    keys = [f"device.{key}" for key in ("id", "organisation", "enrolment") if UNNAMED in str(device.get(key, ""))]
    units = [f"unit[{n}].id" for n, unit in enumerate(document.get("unit", ())) if UNNAMED in str(unit.get("id", ""))]
    return (*keys, *units)


def _sections(profile: Profile) -> tuple[str, ...]:
    return tuple(type(profile.agent).__struct_fields__)


def _written(section: msgspec.Struct) -> dict[str, Any]:
    return {key: value for key, value in msgspec.to_builtins(section).items() if value is not None}


def _units(profile: Profile, identity: Identity) -> list[dict[str, Any]]:
    """One unit of each service that the profile carries; what was said of a unit is said of the first."""
    units = [
        {"id": f"{UNNAMED}-{service}", "scheme": scheme, "service": service}
        for service, scheme in carried(profile).items()
    ]
    said = {"id": identity.unit, "callsign": identity.callsign, "vehicle": identity.vehicle}
    return [{**units[0], **{key: value for key, value in said.items() if value is not None}}, *units[1:]]


def _buttons(profile: Profile, units: Any) -> dict[str, str]:
    """What each button declares: a code of the first unit, or `unit:code` where the profile names a service.

    A button of a service that no unit here is of keeps its bare code: loading then tells that the first unit has none.
    """
    of_service = carried(profile)
    first: dict[str, str] = {}
    for unit in units if isinstance(units, list) else ():
        if not isinstance(unit, Mapping):
            continue  # loading tells it
        service = unit.get("service") or next(
            (s for s, scheme in of_service.items() if scheme == unit.get("scheme")), ""
        )
        first.setdefault(str(service), unit.get("id", ""))
    return {
        each.name: f"{first[each.service]}:{each.code}" if each.service in first else each.code
        for each in profile.button
    }


def _emergency(panel: Mapping[str, Any]) -> str | None:
    emergency = panel.get("emergency")
    return emergency.get("button") if emergency else None


def _merge(under: Mapping[str, Any], over: Any) -> dict[str, Any]:
    """Lay one document over another: tables are joined, everything else is replaced. What is no table has no say."""
    merged = dict(under)
    for key, value in over.items() if isinstance(over, Mapping) else ():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged
