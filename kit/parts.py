"""The catalogue of parts: rows of `parts.csv`, of which bills of materials are made. Pure."""

import csv
from collections.abc import Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from kit.pinmap import Label
from wire.strict import Problem, convert

Text = Annotated[str, Meta(min_length=1, max_length=120, description="1 to 120 characters")]
Celsius = Annotated[float, Meta(ge=-80, le=200)]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part that can be bought. Prices are indicative, without tax, and of no offer."""

    key: Label
    """What everything else here calls it."""
    what: Text
    maker: Text
    number: Text
    """The maker's part number."""
    rating: Text
    """The ratings that matter here, in words, with units."""
    volts_max: Annotated[float, Meta(ge=0, le=1000)] | None = None
    """The most that it stands, continuously."""
    amps_max: Annotated[float, Meta(ge=0, le=200)] | None = None
    temp_min_c: Celsius
    temp_max_c: Celsius
    second: Text
    """A second source: another maker and number that fit the same place, or `none: ` and why."""
    gbp: Annotated[float, Meta(gt=0, le=2000, description="pounds each, indicative")]
    source: Text
    """Where the ratings stand: the data sheet's title."""


COLUMNS = tuple(Part.__struct_fields__)
_NUMBERS = ("volts_max", "amps_max", "temp_min_c", "temp_max_c", "gbp")


def parse_parts(text: str) -> tuple[Part, ...] | tuple[Problem, ...]:
    """Read a catalogue, or tell every problem with it, by line. An empty cell of a number is one that is not given."""
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        return (Problem("line 1", "is not the columns of a catalogue", ",".join(COLUMNS)),)
    parts: list[Part] = []
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    for row in reader:
        where = f"line {reader.line_num}"
        if None in row:
            problems.append(Problem(where, f"has more than {len(COLUMNS)} cells", "quotes round what has a comma"))
            continue
        found = convert({key: _cell(key, value) for key, value in row.items() if value}, Part)
        if isinstance(found, tuple):
            problems += [Problem(f"{where}: {each.path}", each.problem, each.expected) for each in found]
            continue
        if found.key in lines:
            problem = f"{found.key!r} stands on line {lines[found.key]} too"
            problems.append(Problem(where, problem, "each part once"))
        lines.setdefault(found.key, reader.line_num)
        parts.append(found)
    if not parts and not problems:
        problems.append(Problem("line 1", "is all there is: no part", "a line for each part"))
    return tuple(problems) or tuple(parts)


def join_parts(catalogues: Mapping[str, tuple[Part, ...]]) -> dict[str, Part] | tuple[Problem, ...]:
    """Make one catalogue, by key, of several by the name of their file, or tell each part that stands in two."""
    joined: dict[str, Part] = {}
    files: dict[str, str] = {}
    problems: list[Problem] = []
    for file, parts in catalogues.items():
        for part in parts:
            if part.key in joined:
                problems.append(Problem(file, f"{part.key!r} stands in {files[part.key]} too", "each part once"))
            joined.setdefault(part.key, part)
            files.setdefault(part.key, file)
    return tuple(problems) or joined


def _cell(column: str, text: str) -> str | float:
    try:
        return float(text) if column in _NUMBERS else text
    except ValueError:
        return text
