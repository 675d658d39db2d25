"""Strict loading: outside tables (parsed TOML) become frozen structs, or the full list of what is wrong with them.

One rule above all: a person who mends a file must see every problem at once, each with its path and with what would
be right. Limits and words come from the struct itself: `msgspec.Meta` constraints, and its `description` as the text
that explains the field. Keys that no field reads are refused. Lists are counted from 0: `unit[2]` is the third.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)

INT_MAX = 2**63 - 1
"""The largest whole number that is taken: TOML's own limit, which the parser doesn't hold."""

_SURROGATE = re.compile("[\ud800-\udfff]")

SHOWN_CHARS_MAX = 60
"""How much of a wrong text is quoted back."""

SUGGEST_CHOICES_MAX = 1000
"""No spelling is suggested out of more choices than these: comparing takes a few µs each, for each wrong word."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, what is there, and what would be right. Prints as one line."""

    path: str
    problem: str
    expected: str

    def __str__(self) -> str:
        """Write path, problem and what was expected on one line."""
        where = self.path or "the file"
        return f"{where}: {self.problem}; expected {self.expected}"


def convert(data: object, kind: type[T], path: str = "") -> T | tuple[Problem, ...]:
    """Make `data` a `kind`, or tell every problem it has (at least one); `path` stands before each one's own.

    Loads structs, lists (as tuples), `dict[str, …]`, literals, text, numbers, booleans, times; any of them `| None`.
    Never coerces: a number in quotes is not a number. NaN and infinities are not numbers either.
    Raises TypeError where `kind` has a field of another type: that is a mistake in this program.
    """
    problems = tuple(_problems(_info(kind), data, path, ""))
    if problems:
        return problems
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:  # a struct's own `__post_init__`
        return (Problem(path, str(error), f"what holds for {_words(kind.__name__)}"),)


def read_toml(text: str) -> dict[str, Any]:
    """Parse TOML. Raises ValueError for all that is none, also for what is beyond the parser: depth, and digits."""
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_toml(text: str, kind: type[T], what: str) -> T | tuple[Problem, ...]:
    """Make TOML a `kind`, or tell every problem it has (at least one). `what` is what it should be: `a pin map`."""
    try:
        data = read_toml(text)
    except ValueError as error:
        return (Problem("", f"is not TOML: {error}", what),)
    return convert(data, kind)


def in_file(file: str, problem: Problem) -> Problem:
    """Say which file `problem` is in, before its path."""
    return msgspec.structs.replace(problem, path=f"{file}: {problem.path}" if problem.path else file)


def closest(word: str, choices: tuple[str, ...]) -> str:
    """Suggest the one of `choices` that is spelt much like `word`; empty where none is."""
    if len(choices) > SUGGEST_CHOICES_MAX:
        return ""
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.7)
    return f" (did you mean {near[0]!r}?)" if near else ""


def shown(value: object) -> str:
    """Say what is there, short enough for one line."""
    match value:
        case bool():
            return "is true" if value else "is false"
        case str():
            cut = value if len(value) <= SHOWN_CHARS_MAX else value[:SHOWN_CHARS_MAX] + "…"
            return f"is {cut!r}"
        case Mapping():
            return "is a table"
        case list() | tuple():
            return "is a list"
        case int() if abs(value) > INT_MAX:  # Python refuses to write out one of some thousand digits
            return "is beyond all bounds"
        case _:
            return f"is {str(value)[:SHOWN_CHARS_MAX]}"


@cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _problems(info: inspect.Type, value: object, path: str, note: str) -> Iterator[Problem]:
    match info:
        case inspect.Metadata():
            described = (info.extra_json_schema or {}).get("description", note)
            yield from _problems(info.type, value, path, described)
        case inspect.StructType():
            yield from _struct_problems(info, value, path, note)
        case inspect.UnionType():
            yield from _union_problems(info, value, path, note)
        case inspect.VarTupleType() | inspect.ListType():
            yield from _list_problems(info, value, path, note)
        case inspect.DictType():
            yield from _dict_problems(info, value, path, note)
        case _ if not _fits(info, value):
            yield Problem(path, shown(value) + _near_choice(info, value), expected(info, note))


def _struct_problems(info: inspect.StructType, value: object, path: str, note: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, shown(value), expected(info, note))
        return
    known = tuple(field.encode_name for field in info.fields)
    for key in value:
        if key not in known:
            unknown = f"unknown key{closest(str(key), known)}"
            yield Problem(join(path, str(key)), unknown, f"one of {', '.join(known)}")
    for field in info.fields:
        where = join(path, field.encode_name)
        if field.encode_name in value:
            yield from _problems(field.type, value[field.encode_name], where, "")
        elif field.required:
            yield Problem(where, "is missing", expected(field.type))


def _union_problems(info: inspect.UnionType, value: object, path: str, note: str) -> Iterator[Problem]:
    others = [choice for choice in info.types if not isinstance(choice, inspect.NoneType)]
    if value is None and len(others) < len(info.types):
        return
    if len(others) != 1:
        raise TypeError(f"{path}: strict loading knows no union but `| None`")
    yield from _problems(others[0], value, path, note)


def _list_problems(
    info: inspect.VarTupleType | inspect.ListType, value: object, path: str, note: str
) -> Iterator[Problem]:
    if not isinstance(value, list | tuple) or not _within_length(info, len(value)):
        problem = f"has {len(value)} entries" if isinstance(value, list | tuple) else shown(value)
        yield Problem(path, problem, expected(info, note))
        return
    for index, item in enumerate(value):
        yield from _problems(info.item_type, item, f"{path}[{index}]", "")


def _dict_problems(info: inspect.DictType, value: object, path: str, note: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping) or not _within_length(info, len(value)):
        problem = f"has {len(value)} entries" if isinstance(value, Mapping) else shown(value)
        yield Problem(path, problem, expected(info, note))
        return
    for key, item in value.items():
        if any(_problems(info.key_type, key, path, "")):
            yield Problem(join(path, str(key)), f"the key {shown(key)}", expected(info.key_type))
        yield from _problems(info.value_type, item, join(path, str(key)), "")


def join(path: str, key: str) -> str:
    """Name the path of `key` inside the table at `path`. An odd key is quoted, so that a path stays on its line."""
    key = key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else repr(key)
    return f"{path}.{key}" if path else key


def _fits(info: inspect.Type, value: object) -> bool:
    match info:
        case inspect.BoolType():
            return isinstance(value, bool)
        case inspect.IntType():
            return isinstance(value, int) and not isinstance(value, bool) and _within(info, value)
        case inspect.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool) and _within(info, value)
        case inspect.StrType():
            return isinstance(value, str) and _text_fits(info, value)
        case inspect.LiteralType():
            return any(value == choice and type(value) is type(choice) for choice in info.values)
        case inspect.DateTimeType():
            return isinstance(value, datetime) and value.tzinfo is not None
        case _:
            raise TypeError(f"strict loading knows no {type(info).__name__}")


def _within(info: inspect.IntType | inspect.FloatType, value: int | float) -> bool:
    sane = abs(value) <= INT_MAX if isinstance(value, int) else math.isfinite(value)
    return (
        sane
        and (info.ge is None or value >= info.ge)
        and (info.gt is None or value > info.gt)
        and (info.le is None or value <= info.le)
        and (info.lt is None or value < info.lt)
    )


def _text_fits(info: inspect.StrType, value: str) -> bool:
    fits = _within_length(info, len(value)) and (info.pattern is None or bool(re.search(info.pattern, value)))
    return fits and not _SURROGATE.search(value)  # half a character, which JSON's escapes can name: nobody can write it


Sized = inspect.StrType | inspect.VarTupleType | inspect.ListType | inspect.DictType


def _within_length(info: Sized, length: int) -> bool:
    return (info.min_length or 0) <= length and (info.max_length is None or length <= info.max_length)


def _near_choice(info: inspect.Type, value: object) -> str:
    if isinstance(info, inspect.LiteralType) and isinstance(value, str):
        return closest(value, tuple(str(choice) for choice in info.values))
    return ""


def expected(info: inspect.Type, note: str = "") -> str:
    """Say what would be right for `info`, with the field's description where it has one."""
    if isinstance(info, inspect.Metadata):
        return expected(info.type, (info.extra_json_schema or {}).get("description", note))
    if isinstance(info, inspect.UnionType):
        return expected(next(t for t in info.types if not isinstance(t, inspect.NoneType)), note)
    if isinstance(info, inspect.StrType) and info.pattern is not None and note:
        return note  # a pattern is no help to a person; its description is
    return _plain(info) + (f" ({note})" if note else "")


def _plain(info: inspect.Type) -> str:
    match info:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return "a whole number" + _limits(info)
        case inspect.FloatType():
            return "a number" + _limits(info)
        case inspect.StrType():
            return "text" + _lengths(info, "characters")
        case inspect.LiteralType():
            return "one of " + ", ".join(repr(choice) for choice in info.values)
        case inspect.DateTimeType():
            return "a date and a time with its zone, without quotes, such as 2026-11-22T18:00:00Z"
        case inspect.StructType():
            return "a table with " + ", ".join(field.encode_name for field in info.fields)
        case inspect.DictType():
            return "a table" + _lengths(info, "entries")
        case inspect.VarTupleType() | inspect.ListType():
            return "a list" + _lengths(info, "entries")
        case _:
            raise TypeError(f"strict loading knows no {type(info).__name__}")


def _limits(info: inspect.IntType | inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {_figure(info.ge)} to {_figure(info.le)}"
    named = (("of at least", info.ge), ("above", info.gt), ("of at most", info.le), ("below", info.lt))
    parts = [f"{word} {_figure(limit)}" for word, limit in named if limit is not None]
    return " " + " and ".join(parts) if parts else ""


def _figure(limit: float) -> str:
    return str(int(limit)) if limit == int(limit) else str(limit)


def _lengths(info: Sized, what: str) -> str:
    if info.max_length is not None:
        return f" of {info.min_length or 0} to {info.max_length} {what}"
    return f" of at least {info.min_length} {what}" if info.min_length else ""
