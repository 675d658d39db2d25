"""Reads a station's layout, and tells everything that is wrong with it at once. Pure.

Beyond the shape: ids that stand twice, parts of zones that aren't there, points that the register maps don't have.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from edge_agent.station.parts import Door, Layout, Part, Sounder
from wire.strict import Problem, closest, convert

__all__ = ["Layout", "PointKind", "check_points", "parse_layout"]

STAND_INS: dict[str, Any] = {"station": {"name": "-"}, "zone": [{"id": "-", "services": ["fire"]}]}
"""For a table that must be there and is wrong, so that the others can be checked."""


PROVING = (".proof", ".open_input", ".closed_input")
"""Inputs that show how a part stands; a switch for maintenance or by hand may be that of several."""


class PointKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a register map says of one point."""

    kind: Literal["bool", "number"]
    writable: bool = False


Named = tuple[str, str]
"""A path in the file, and what stands there."""


def parse_layout(text: str) -> Layout | tuple[Problem, ...]:
    """Read a layout, or tell every problem it has: at least one, each with its path and what would be right."""
    try:
        data: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (Problem("", f"is no TOML: {error}", "a station's layout in TOML"),)
    found = convert(data, Layout)
    if isinstance(found, Layout):
        return tuple(_meaning_problems(found)) or found
    wrong = frozenset(problem.path.split(".")[0].split("[")[0] for problem in found)
    rest = convert(STAND_INS | {name: table for name, table in data.items() if name not in wrong}, Layout)
    return found if isinstance(rest, tuple) else (*found, *_meaning_problems(rest, wrong))


def _meaning_problems(layout: Layout, wrong: frozenset[str] = frozenset()) -> Iterator[Problem]:
    """Tell what is wrong with tables whose shape is right; `wrong` names the others."""
    yield from _id_problems(layout)
    if "zone" not in wrong:
        yield from _zone_problems(layout)
    if "door" not in wrong:
        yield from _exit_problems(layout)
    yield from _door_problems(layout)
    yield from _sounder_problems(layout)
    yield from _twice(_outputs(layout), "each output once: what it drives is one part")
    proofs = (named for named in _inputs(layout) if named[0].endswith(PROVING))
    yield from _twice(proofs, "each once: it shows how one part stands, and not which of two")
    if layout.station.sound_s > layout.station.reset_after_s:
        expected = f"at most reset_after_s, which is {layout.station.reset_after_s:g}"
        yield Problem("station.sound_s", f"is {layout.station.sound_s:g}", expected)
    if layout.inputs.on_generator and not layout.inputs.mains_failed:
        yield Problem("inputs.on_generator", "has no mains_failed beside it", "mains_failed too, or neither")


def check_points(layout: Layout, known: Mapping[str, PointKind]) -> tuple[Problem, ...]:
    """Tell points that the register maps do not have, or that are not of the kind that the layout takes them for."""
    found: list[Problem] = []
    for path, point in _outputs(layout):
        number = path.endswith(("tone_output", "level_output"))
        found += _point_problems(path, point, known, PointKind(kind="number" if number else "bool", writable=True))
    for path, point in _inputs(layout):
        found += _point_problems(path, point, known, PointKind(kind="bool"))
        if path.endswith(PROVING) and point in known and known[point].writable:
            found.append(Problem(path, f"{point!r} is an output, which says what was asked for", "an input"))
    return tuple(found)


def _id_problems(layout: Layout) -> Iterator[Problem]:
    yield from _twice(_paths("zone", "id", (each.id for each in layout.zones)), "each zone once")
    yield from _twice(_paths("sounder", "id", (each.id for each in layout.sounders)), "each sounder once")
    yield from _twice(_paths("light", "id", (each.id for each in layout.lights)), "each light once")
    yield from _twice(_paths("cooker", "id", (each.id for each in layout.cookers)), "each cooker once")
    yield from _twice(_paths("indicator", "unit", (each.unit for each in layout.indicators)), "each unit once")
    yield from _twice(_paths("door", "id", (each.id for each in layout.doors)), "each door once")
    yield from _twice(_paths("exit_signal", "id", (each.id for each in layout.exit_signals)), "each exit signal once")


def _zone_problems(layout: Layout) -> Iterator[Problem]:
    known = tuple(each.id for each in layout.zones)
    named: list[Named] = [
        *_paths("sounder", "zone", (each.zone for each in layout.sounders)),
        *_paths("light", "zone", (each.zone for each in layout.lights)),
        *_paths("cooker", "zone", (each.zone for each in layout.cookers)),
    ]
    for path, zone in named:
        if zone not in known:
            yield _missing(path, f"{zone!r} is no zone of this station", zone, known)


def _exit_problems(layout: Layout) -> Iterator[Problem]:
    known = tuple(each.id for each in layout.doors)
    for at, signal in enumerate(layout.exit_signals):
        for index, door in enumerate(signal.doors):
            if door not in known:
                path = f"exit_signal[{at}].doors[{index}]"
                yield _missing(path, f"{door!r} is no door of this station", door, known)


def _door_problems(layout: Layout) -> Iterator[Problem]:
    for at, each in enumerate(layout.doors):
        if not (each.opens_on_acknowledge or each.opens_from_control or each.presence):
            problem = "nothing would ever open it"
            yield Problem(f"door[{at}]", problem, "opens_on_acknowledge, opens_from_control or a presence input")
        if each.pulse_s >= each.travel_s:
            yield Problem(f"door[{at}].pulse_s", f"is {each.pulse_s:g}", f"less than travel_s, {each.travel_s:g}")
    leaving = {unit for door in layout.doors for unit in door.units}
    for at, unit in enumerate(layout.station.without_door):
        if unit in leaving:
            yield Problem(f"station.without_door[{at}]", f"{unit!r} has a door", "only units that no door names")


def _sounder_problems(layout: Layout) -> Iterator[Problem]:
    for at, each in enumerate(layout.sounders):
        path = f"sounder[{at}]"
        if bool(each.tone_output) != (each.tones is not None):
            yield Problem(path, "has one of tone_output and tones", "both, or neither")
        if bool(each.level_output) != bool(each.ramp):
            yield Problem(path, "has one of level_output and ramp", "both, or neither")
        times_s = [step.after_s for step in each.ramp]
        if times_s and (times_s[0] != 0 or times_s != sorted(set(times_s))):
            yield Problem(f"{path}.ramp", "does not go on from 0 s", "after_s 0 first, then each later than the last")


def _point_problems(path: str, point: str, known: Mapping[str, PointKind], need: PointKind) -> Iterator[Problem]:
    expected = "a writable " if need.writable else "a "
    expected += "number" if need.kind == "number" else "bool"
    if point not in known:
        yield Problem(path, f"{point!r} is no known point{closest(point, tuple(known))}", f"{expected} point")
        return
    if known[point].kind != need.kind:
        yield Problem(path, f"{point!r} is a {known[point].kind}", f"{expected} point")
    if need.writable and not known[point].writable:
        yield Problem(path, f"{point!r} is not writable", f"{expected} point")


def _outputs(layout: Layout) -> list[Named]:
    """Every output, with its path."""
    found: list[Named] = []
    for table, part in _parts(layout):
        found.append((f"{table}.output", part.output))
        if isinstance(part, Sounder):
            found += [(f"{table}.tone_output", part.tone_output), (f"{table}.level_output", part.level_output)]
    return [(path, point) for path, point in found if point]


def _inputs(layout: Layout) -> list[Named]:
    """Every input that is named, with its path."""
    names = "proof override reset open_input closed_input obstruction maintenance presence".split()
    found: list[Named] = [
        (f"{table}.{name}", getattr(part, name, "")) for table, part in _parts(layout) for name in names
    ]
    found += [(f"button[{at}].input", each.input) for at, each in enumerate(layout.buttons)]
    found += [(f"inputs.{name}", getattr(layout.inputs, name)) for name in layout.inputs.__struct_fields__]
    return [(path, point) for path, point in found if point]


def _parts(layout: Layout) -> Iterator[tuple[str, Part | Door]]:
    tables: tuple[tuple[str, Iterable[Part | Door]], ...] = (
        ("sounder", layout.sounders),
        ("light", layout.lights),
        ("cooker", layout.cookers),
        ("indicator", layout.indicators),
        ("door", layout.doors),
        ("exit_signal", layout.exit_signals),
    )
    for name, parts in tables:
        for at, part in enumerate(parts):
            yield f"{name}[{at}]", part


def _paths(table: str, key: str, values: Iterable[str]) -> list[Named]:
    return [(f"{table}[{at}].{key}", value) for at, value in enumerate(values)]


def _twice(named: Iterable[Named], expected: str) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for path, value in named:
        if value in first:
            yield Problem(path, f"{value!r} stands at {first[value]} too", expected)
        first.setdefault(value, path)


def _missing(path: str, problem: str, word: str, known: tuple[str, ...]) -> Problem:
    return Problem(path, problem + closest(word, known), f"one of {', '.join(known)}" if known else "none, without any")
