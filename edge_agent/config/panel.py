"""What a panel's buttons declare, held against the units and their schemes. Pure."""

import re
from collections.abc import Iterator, Mapping

import msgspec

from edge_agent.config.settings import Panel, UnitEntry
from wire.scheme import Scheme
from wire.strict import Problem, closest

SOCKET_PATH_BYTES_MAX = 107
"""What fits in Linux's `sockaddr_un` with its final zero."""

POINT = re.compile(r"[a-z0-9_-]{1,40}\.[a-z0-9_-]{1,40}")
"""A point of a bus, `SLAVE.POINT`."""

_PATHS = {
    "scripted": "the socket to listen on, such as 'panel.sock'",
    "evdev": "the input device, such as '/dev/input/by-path/platform-keypad-event'",
    "gpiod": "the chip, such as '/dev/gpiochip0'",
}
_ROWS = {"evdev": "KEY_1 = 'b1'", "gpiod": "GPIO17 = 'b1'", "modbus": "'keypad.b1' = 'b1'"}
_READERS = {
    "keys": ("evdev",),
    "leds": ("evdev",),
    "lines": ("gpiod", "modbus"),
    "lamps": ("gpiod", "modbus"),
    "active_low": ("gpiod",),
    "lamps_active_low": ("gpiod",),
}
_KINDS = {"active_low": "setting", "lamps_active_low": "setting"}
_DEFAULTS: dict[str, object] = {
    "keys": {}, "leds": {}, "lines": {}, "lamps": {}, "active_low": True, "lamps_active_low": False,
}  # fmt: skip


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """What a press of one button declares."""

    unit: str
    scheme: str
    code: str
    event: bool
    """Whether the code is an event, which never replaces the status that stands."""


Schemes = Mapping[str, Scheme]


def buttons(panel: Panel, units: tuple[UnitEntry, ...], schemes: Schemes) -> dict[str, Button]:
    """Resolve a panel's buttons that can be; `panel_problems` tells why the others can't."""
    found = {}
    for name, written in panel.buttons.items():
        unit, code = _split(written, units)
        row = schemes[unit.scheme].code(code) if unit and unit.scheme in schemes else None
        if unit and row:
            found[name] = Button(unit=unit.id, scheme=unit.scheme, code=code, event=row.event)
    return found


def unit_problems(units: tuple[UnitEntry, ...], known: tuple[str, ...]) -> Iterator[Problem]:
    """Tell units that stand twice and schemes that are not `known`."""
    ids = [unit.id for unit in units]
    for index, unit in enumerate(units):
        if ids.index(unit.id) != index:
            yield Problem(f"unit[{index}].id", f"{unit.id!r} is there twice", "each unit once")
        if unit.scheme not in known:
            problem = f"{unit.scheme!r} is no known scheme{closest(unit.scheme, known)}"
            yield Problem(f"unit[{index}].scheme", problem, f"one of {', '.join(known)}")


def button_problems(written: Mapping[str, str], units: tuple[UnitEntry, ...], schemes: Schemes) -> Iterator[Problem]:
    """Tell buttons whose unit or code there isn't. A unit whose scheme is unknown is told elsewhere."""
    for name, text in written.items():
        yield from _button_problems(f"panel.buttons.{name}", text, units, schemes)


def panel_problems(panel: Panel) -> Iterator[Problem]:
    """Tell what is wrong with a panel beyond its shape and what its buttons declare."""
    yield from _path_problems(panel)
    yield from _table_problems(panel)
    known = panel.names
    for table, named in (("keys", panel.keys), ("lines", panel.lines)):
        for key, name in named.items():
            if name not in known:
                yield Problem(f"panel.{table}.{key}", _no_button(name, known), f"one of {', '.join(known)}")
    for table, lit in (("leds", panel.leds), ("lamps", panel.lamps)):
        for name in lit:
            if name not in known:
                yield Problem(f"panel.{table}.{name}", _no_button(name, known), f"one of {', '.join(known)}")
    yield from _wired_twice(panel)


def emergency_problems(panel: Panel, units: tuple[UnitEntry, ...]) -> Iterator[Problem]:
    """Tell an emergency button that is a status button as well, that nothing reaches, or whose unit there isn't."""
    emergency = panel.emergency
    if emergency is None:
        return
    if emergency.button in panel.buttons:
        expected = "a button of its own, that declares no status"
        yield Problem("panel.emergency.button", f"{emergency.button!r} declares a status too", expected)
    for table, named in _button_tables(panel).items():
        if named and emergency.button not in named.values():
            problem = f"no row of panel.{table} leads to {emergency.button!r}"
            yield Problem("panel.emergency.button", problem, f"a row of panel.{table} for it")
    known = tuple(unit.id for unit in units)
    if emergency.unit is not None and emergency.unit not in known:
        problem = f"{emergency.unit!r} is no unit of this device{closest(emergency.unit, known)}"
        yield Problem("panel.emergency.unit", problem, f"one of {', '.join(known)}")


def _no_button(name: str, known: tuple[str, ...]) -> str:
    return f"{name!r} is no button of this panel{closest(name, known)}"


def _split(written: str, units: tuple[UnitEntry, ...]) -> tuple[UnitEntry | None, str]:
    """Which unit and code a button means. Without `unit:` it is the first unit, the vehicle's own."""
    name, colon, code = written.rpartition(":")
    if not colon:
        return units[0], written
    return next((unit for unit in units if unit.id == name), None), code


def _button_problems(path: str, written: str, units: tuple[UnitEntry, ...], schemes: Schemes) -> Iterator[Problem]:
    unit, code = _split(written, units)
    if unit is None:
        known = ", ".join(each.id for each in units)
        yield Problem(path, f"{written!r} names no unit of this device", f"a code, or unit:code with one of {known}")
    elif unit.scheme in schemes and schemes[unit.scheme].code(code) is None:
        codes = tuple(row.code for row in schemes[unit.scheme].codes)
        problem = f"{code!r} is no code of {unit.scheme}{closest(code, codes)}"
        yield Problem(path, problem, f"one of {', '.join(codes)}")


def _path_problems(panel: Panel) -> Iterator[Problem]:
    if panel.backend == "modbus":
        if panel.path:
            yield Problem("panel.path", "is there, and nobody reads it", "no path: modbus reads the buses of [[bus]]")
        return
    if not panel.path:
        yield Problem("panel.path", "is missing", _PATHS[panel.backend])
        return
    size = len(panel.path.encode())
    if panel.backend == "scripted" and size > SOCKET_PATH_BYTES_MAX:
        expected = f"at most {SOCKET_PATH_BYTES_MAX} bytes: a socket's path can't be longer"
        yield Problem("panel.path", f"is {size} bytes long as {panel.path!r}", expected)


def _table_problems(panel: Panel) -> Iterator[Problem]:
    """Tell a table that the backend needs and hasn't, or has and doesn't read."""
    for table, needed in (("keys", "evdev"), ("lines", "gpiod"), ("lines", "modbus")):
        if panel.backend == needed and not getattr(panel, table):
            problem = f"a table such as {_ROWS[needed]}: {needed} needs it to know the buttons"
            yield Problem(f"panel.{table}", "is missing", problem)
    for table, readers in _READERS.items():
        if panel.backend not in readers and getattr(panel, table) != _DEFAULTS[table]:
            expected = f"no such {_KINDS.get(table, 'table')}: it is for {' and '.join(readers)} only"
            yield Problem(f"panel.{table}", "is there, and nobody reads it", expected)
    for table, name in (("lines", "panel.lines"), ("lamps", "panel.lamps")):
        for point in _points(panel, table):
            if panel.backend == "modbus" and POINT.fullmatch(point) is None:
                yield Problem(name, f"{point!r} is no point of a bus", "SLAVE.POINT, such as 'keypad.b1'")


def _wired_twice(panel: Panel) -> Iterator[Problem]:
    lines = [*panel.lines, *panel.lamps.values()]
    for line in dict.fromkeys(lines):
        if lines.count(line) > 1:
            yield Problem("panel.lamps", f"{line!r} is used {lines.count(line)} times", "each line or point once")


def _points(panel: Panel, table: str) -> tuple[str, ...]:
    return tuple(panel.lines) if table == "lines" else tuple(panel.lamps.values())


def _button_tables(panel: Panel) -> dict[str, dict[str, str]]:
    """The table that leads to buttons, for the backends that have one."""
    tables = {"evdev": {"keys": panel.keys}, "gpiod": {"lines": panel.lines}, "modbus": {"lines": panel.lines}}
    return tables.get(panel.backend, {})
