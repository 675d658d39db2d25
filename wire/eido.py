"""Checks an Emergency Incident Data Object against the list of the fields that are written: `wire/eido_fields.toml`.

It says whether a document keeps to that list. It isn't NENA's own schema, and stands for nothing beyond the list. Pure.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One field of one component."""

    of: str
    """The component; `*` for every one."""
    name: str
    type: str
    required: bool
    source: str
    """Where it was read."""
    to: str = ""
    """The component that a reference leads to."""
    allowed: tuple[str, ...] = ()
    """The only words that it may hold; any where it is empty."""
    scheme: str = ""
    """The status scheme whose codes are the only words that it may hold."""
    values: str = ""
    """`ours` where the words are this project's choice."""


class FieldList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole list."""

    standard: str
    media_type: str
    root: str
    field: tuple[Field, ...]

    def of(self, component: str) -> dict[str, Field]:
        """Give a component's fields by name."""
        return {field.name: field for field in self.field if field.of in ("*", component)}


def parse_fields(text: str) -> FieldList:
    """Read the list. Raises ValueError where it is not one."""
    return msgspec.convert(tomllib.loads(text), FieldList)


def complaints(document: object, fields: FieldList, codes: Mapping[str, frozenset[str]]) -> Iterator[str]:
    """Tell where a document leaves the list. `codes` gives the words of each scheme that the list names."""
    yield from _Check(fields, codes).document(document)


class _Check:
    def __init__(self, fields: FieldList, codes: Mapping[str, frozenset[str]]) -> None:
        self._fields, self._codes = fields, codes
        self._known: dict[str, str] = {}
        """Each component's id, and which component it is."""
        self._references: list[tuple[str, str, str]] = []
        """Where each reference stands, the component that it must lead to, and its id."""

    def document(self, document: object) -> Iterator[str]:
        yield from self._component(document, self._fields.root, self._fields.root)
        for place, component, target in self._references:
            if self._known.get(target) != component:
                yield f"{place}: {target!r} is no {component} of this document"

    def _component(self, value: object, component: str, place: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{place} is no object"
            return
        listed = self._fields.of(component)
        for name in listed.keys() - value.keys():
            if listed[name].required:
                yield f"{place}.{name} is missing"
        for name in value.keys() - listed.keys():
            yield f"{place}.{name} is not in the list"
        own = value.get("$id")
        if isinstance(own, str):
            if own in self._known:
                yield f"{place}: {own!r} is the id of two components"
            self._known[own] = component
        for name, field in listed.items():
            if name in value:
                yield from self._value(value[name], field, f"{place}.{name}")

    def _value(self, value: Any, field: Field, place: str) -> Iterator[str]:
        kind = field.type.removesuffix("[]")
        if kind == field.type:
            yield from self._single(value, field, place)
        elif not isinstance(value, list):
            yield f"{place} is no array"
        else:
            for number, one in enumerate(value):
                yield from self._single(one, field, f"{place}[{number}]")

    def _single(self, value: Any, field: Field, place: str) -> Iterator[str]:
        kind = field.type.removesuffix("[]")
        if kind == "reference":
            target = value.get("$ref") if isinstance(value, dict) and len(value) == 1 else None
            if isinstance(target, str):
                self._references.append((place, field.to, target))
            else:
                yield f"{place} is no reference"
        elif kind in ("string", "timestamp"):
            yield from self._word(value, field, place)
        elif kind == "boolean":
            if not isinstance(value, bool):
                yield f"{place} is neither true nor false"
        else:
            yield from self._component(value, kind, place)

    def _word(self, value: Any, field: Field, place: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{place} is no string"
        elif field.type == "timestamp" and not _is_timestamp(value):
            yield f"{place} is no time with an offset: {value!r}"
        elif (field.allowed or field.scheme) and value not in (*field.allowed, *self._codes.get(field.scheme, ())):
            yield f"{place} may not be {value!r}"


def _is_timestamp(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
