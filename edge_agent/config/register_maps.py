"""Register maps: what the points of a slave are called, and where and how they stand in its registers.

A map is a TOML text, `register_maps/NAME.toml`: packaged, or beside a device's own TOML, which wins.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, assert_never

import msgspec
from msgspec import Meta

from edge_agent.config.settings import Token
from wire.strict import Problem, in_file, parse_toml

SITE_FOLDER = "register_maps"
"""The folder beside a device's TOML in which a site keeps its own maps."""
PACKAGED_FOLDER = Path(__file__).parents[2] / "firmware_configs" / "register_maps"
"""Beside our packages, in a checkout as in an installation."""

REGISTERS_MAX = 125
"""In one request (MODBUS Application Protocol V1.1b3, 6.3 and 6.4)."""

Function = Literal["coil", "discrete_input", "input_register", "holding_register"]
Kind = Literal["bool", "uint16", "int16", "uint32", "int32", "float32"]
WordOrder = Literal["big", "little"]

PointName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}\Z", description="1 to 40 of a-z, 0-9, _ and -")]
Unit = Annotated[str, Meta(pattern=r"^[^\x00-\x1f]{0,12}\Z", description="a unit of up to 12 characters, such as kWh")]
Title = Annotated[str, Meta(pattern=r"^\S[^\x00-\x1f]{0,99}\Z", description="1 to 100 printable characters")]
Reference = Annotated[
    str, Meta(pattern=r"^\S[^\x00-\x1f]{0,299}\Z", description="where the addresses come from: manual and table")
]


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a slave: a bit, or a number in one or two registers."""

    name: PointName
    function: Function
    address: Annotated[int, Meta(ge=0, le=65535, description="as sent, counted from 0: 40001 in a manual is 0")]
    kind: Kind = "bool"
    word_order: WordOrder = "big"
    """`big`: of two registers, the first is the higher half."""
    scale: float = 1.0
    """The value is what is in the register, times this, plus `offset`."""
    offset: float = 0.0
    unit: Unit = ""
    active: Literal["high", "low"] = "high"
    """`low`: a bit that is 0 means true."""
    pulse_ms: (
        Annotated[int, Meta(ge=20, le=60_000, description="how long the output is on, in milliseconds")] | None
    ) = None
    """For an output that is only ever pulsed: it is turned off at every start."""
    alarm: bool = False
    """Raises an alarm while it is true."""
    writable: bool = False

    @property
    def length(self) -> int:
        """How many bits or registers it takes."""
        match self.kind:
            case "bool" | "uint16" | "int16":
                return 1
            case "uint32" | "int32" | "float32":
                return 2
            case _:
                assert_never(self.kind)


class MapHead(msgspec.Struct, frozen=True, kw_only=True):
    """What a map is of, and what its slave can bear."""

    name: Token
    """Also the file's name, without its ending."""
    title: Title
    reference: Reference
    gap_max: Annotated[int, Meta(ge=0, le=64, description="addresses without a point that may be read over")] = 0
    """Many slaves refuse a read over an address that they don't have: only what its manual allows."""
    registers_max: Annotated[int, Meta(ge=2, le=REGISTERS_MAX, description="registers in one request")] = REGISTERS_MAX


class RegisterMap(msgspec.Struct, frozen=True, kw_only=True):
    """A register map as it is written."""

    head: MapHead = msgspec.field(name="map")
    points: Annotated[tuple[Point, ...], Meta(min_length=1, max_length=1000, description="[[point]]")] = msgspec.field(
        name="point"
    )

    @property
    def name(self) -> str:
        """What configurations call it."""
        return self.head.name


def parse_map(text: str) -> RegisterMap | tuple[Problem, ...]:
    """Read a map from its TOML, or tell every problem that it has."""
    found = parse_toml(text, RegisterMap, "a register map")
    if isinstance(found, tuple):
        return found
    return tuple(_map_problems(found)) or found


def load_maps(folder: Path | None = None) -> tuple[dict[str, RegisterMap], tuple[Problem, ...]]:
    """Read every map, packaged and of `folder`, by name; a site's own wins over a packaged one of the same name.

    What can't be used is left out and told in the problems, whose path begins with the file.
    """
    maps, problems = _read_folder(PACKAGED_FOLDER)
    if folder is None or not folder.exists():
        return maps, problems
    own, own_problems = _read_folder(folder)
    return {**maps, **own}, problems + own_problems


def _read_folder(folder: Path) -> tuple[dict[str, RegisterMap], tuple[Problem, ...]]:
    maps: dict[str, RegisterMap] = {}
    problems: list[Problem] = []
    try:
        texts = {each.name: each.read_text("utf-8") for each in _toml_files(folder)}
    except (OSError, UnicodeDecodeError) as error:
        return {}, (Problem(f"{SITE_FOLDER}/", f"can't be read: {error}", "a folder of TOML files in UTF-8"),)
    for file, text in texts.items():
        found = parse_map(text)
        if isinstance(found, tuple):
            problems += (in_file(f"{SITE_FOLDER}/{file}", problem) for problem in found)
        elif file != f"{found.name}.toml":
            wrong = Problem("map.name", f"is {found.name!r}", f"the file's own name, {file.removesuffix('.toml')!r}")
            problems.append(in_file(f"{SITE_FOLDER}/{file}", wrong))
        else:
            maps[found.name] = found
    return maps, tuple(problems)


def _toml_files(folder: Path) -> list[Path]:
    found = (each for each in folder.iterdir() if each.name.endswith(".toml") and each.name[0] != ".")
    return sorted(found, key=lambda each: each.name)


def _map_problems(found: RegisterMap) -> Iterator[Problem]:
    taken: dict[tuple[str, int], str] = {}
    names: set[str] = set()
    for index, point in enumerate(found.points):
        path = f"point[{index}]"
        if point.name in names:
            yield Problem(f"{path}.name", f"{point.name!r} is there twice", "each point once")
        names.add(point.name)
        yield from _address_problems(path, point, taken)
        yield from _bit_problems(path, point) if point.kind == "bool" else _number_problems(path, point)
        yield from _output_problems(path, point)


def _address_problems(path: str, point: Point, taken: dict[tuple[str, int], str]) -> Iterator[Problem]:
    if point.address + point.length > 65536:
        yield Problem(f"{path}.address", f"is {point.address}", f"at most {65536 - point.length} for {point.kind}")
    for address in range(point.address, point.address + point.length):
        other = taken.setdefault((point.function, address), point.name)
        if other != point.name:
            yield Problem(f"{path}.address", f"{address} is also that of {other!r}", "addresses of its own")
            return


def _bit_problems(path: str, point: Point) -> Iterator[Problem]:
    if point.function not in ("coil", "discrete_input"):
        yield Problem(f"{path}.kind", f"is 'bool' in a {point.function}", "a kind of number: only bits are bool")
    yield from _unread(path, point, ("scale", "offset", "unit", "word_order"), "a bit")


def _number_problems(path: str, point: Point) -> Iterator[Problem]:
    if point.function not in ("input_register", "holding_register"):
        yield Problem(f"{path}.kind", f"is {point.kind!r} in a {point.function}", "'bool': it is one bit")
    if point.scale == 0:
        yield Problem(f"{path}.scale", "is 0", "a number other than 0")
    yield from _unread(path, point, ("active", "alarm"), "a number")
    if point.length == 1:
        yield from _unread(path, point, ("word_order",), "a single register")


def _output_problems(path: str, point: Point) -> Iterator[Problem]:
    if point.writable and point.function not in ("coil", "holding_register"):
        yield Problem(f"{path}.writable", "is true", f"false: a {point.function} can't be written")
    if point.pulse_ms is not None and not (point.writable and point.function == "coil"):
        yield Problem(f"{path}.pulse_ms", f"is {point.pulse_ms}", "no such key: only a writable coil is pulsed")


def _unread(path: str, point: Point, keys: tuple[str, ...], what: str) -> Iterator[Problem]:
    defaults: Mapping[str, object] = {field.name: field.default for field in msgspec.structs.fields(Point)}
    for key in keys:
        if getattr(point, key) != defaults[key]:
            yield Problem(f"{path}.{key}", "is there, and nobody reads it", f"no such key for {what}")
