"""Lays the environment over a device's TOML: `EDGE__LINK__BROKER` is `broker` in `[link]`. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import inspect

from edge_agent.config.device_file import DeviceFile
from wire.strict import Problem

PREFIX = "EDGE__"


def merge(data: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Make a copy of `data` with the environment's values over it, and tell which variables can't be placed.

    A value becomes a number or a boolean where its key wants one and it reads as one; else it stays text. Whether it is
    right is for the shape to say, as if it stood in the file. Names are taken in lower case.
    """
    merged = {name: dict(table) if isinstance(table, dict) else table for name, table in data.items()}
    problems = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        keys = variable.removeprefix(PREFIX).lower().split("__")
        if not _place(merged, keys, environ[variable]):
            expected = "EDGE__SECTION__KEY, of a section that is a table"
            problems.append(Problem(f"environment {variable}", "can't be placed", expected))
    return merged, tuple(problems)


def variable_of(path: str, environ: Mapping[str, str]) -> str | None:
    """Name the variable that set the key at `path`, if one did."""
    name = PREFIX + path.replace(".", "__").upper()
    return name if name in environ else None


def _place(merged: dict[str, Any], keys: list[str], text: str) -> bool:
    if len(keys) < 2 or not all(keys):
        return False
    table: Any = merged
    for key in keys[:-1]:
        table[key] = dict(table[key]) if isinstance(table.get(key), dict) else table.get(key, {})
        table = table[key]
        if not isinstance(table, dict):
            return False
    table[keys[-1]] = _value(text, _wanted(keys))
    return True


def _wanted(keys: list[str]) -> inspect.Type | None:
    """The type of the value at `keys`; None where there is no such key."""
    found: inspect.Type | None = inspect.type_info(DeviceFile)
    for key in keys:
        found = next(_inside(found, key), None)
    return found


def _inside(info: inspect.Type | None, key: str) -> Iterator[inspect.Type]:
    if isinstance(info, inspect.StructType):
        yield from (_bare(field.type) for field in info.fields if field.encode_name == key)
    elif isinstance(info, inspect.DictType):
        yield _bare(info.value_type)


def _bare(info: inspect.Type) -> inspect.Type:
    if isinstance(info, inspect.Metadata):
        return _bare(info.type)
    if isinstance(info, inspect.UnionType):
        return _bare(next(each for each in info.types if not isinstance(each, inspect.NoneType)))
    return info


def _value(text: str, wanted: inspect.Type | None) -> object:
    kinds: dict[type, type] = {inspect.IntType: int, inspect.FloatType: float, inspect.BoolType: bool}
    if type(wanted) not in kinds:
        return text
    try:
        return msgspec.convert(text.strip().lower(), kinds[type(wanted)], strict=False)
    except msgspec.ValidationError:
        return text
