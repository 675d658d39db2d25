"""What a panel's buttons declare, held against the units and their schemes. Pure."""

from collections.abc import Iterator, Mapping

import msgspec

from edge_agent.config.settings import Panel, UnitEntry
from wire.scheme import Scheme
from wire.strict import Problem, closest

SOCKET_PATH_BYTES_MAX = 107
"""What fits in Linux's `sockaddr_un` with its final zero."""


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
    yield from _backend_problems(panel)
    known = tuple(panel.buttons)
    for key, name in panel.keys.items():
        if name not in known:
            yield Problem(f"panel.keys.{key}", _no_button(name, known), f"one of {', '.join(known)}")
    for name in panel.leds:
        if name not in known:
            yield Problem(f"panel.leds.{name}", _no_button(name, known), f"one of {', '.join(known)}")


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


def _backend_problems(panel: Panel) -> Iterator[Problem]:
    if panel.backend == "evdev" and not panel.keys:
        yield Problem("panel.keys", "is missing", "a table such as KEY_1 = 'b1': evdev needs it to know the buttons")
    if panel.backend == "scripted":
        for key, table in (("keys", panel.keys), ("leds", panel.leds)):
            if table:
                yield Problem(f"panel.{key}", "is there, and nobody reads it", "no such table: it is for evdev only")
        size = len(panel.path.encode())
        if size > SOCKET_PATH_BYTES_MAX:
            expected = f"at most {SOCKET_PATH_BYTES_MAX} bytes: a socket's path can't be longer"
            yield Problem("panel.path", f"is {size} bytes long as {panel.path!r}", expected)
