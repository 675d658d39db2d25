"""Modbus bits and registers become values, and values bits and registers; points become few requests. Pure.

A point's place and coding are given by whoever has its register map: anything with these attributes will do.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, Protocol

import msgspec

Function = Literal["coil", "discrete_input", "input_register", "holding_register"]
Kind = Literal["bool", "uint16", "int16", "uint32", "int32", "float32"]

BITS_MAX = 2000
"""In one request (MODBUS Application Protocol V1.1b3, 6.1 and 6.2)."""

_FORMATS = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f"}


class Place(Protocol):
    """Where a point stands."""

    @property
    def function(self) -> Function:
        """The kind of table that it is in."""
        ...

    @property
    def address(self) -> int:
        """Its first address, counted from 0."""
        ...

    @property
    def length(self) -> int:
        """How many bits or registers it takes."""
        ...


class Coding(Protocol):
    """How a point's value is written in its bits or registers."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        ...

    @property
    def word_order(self) -> Literal["big", "little"]:
        """`big`: of two registers, the first is the higher half."""
        ...

    @property
    def scale(self) -> float:
        """The value is what is written, times this, plus `offset`."""
        ...

    @property
    def offset(self) -> float:
        """See `scale`."""
        ...

    @property
    def active(self) -> Literal["high", "low"]:
        """`low`: a bit that is 0 means true."""
        ...


class Span(msgspec.Struct, frozen=True):
    """What one request reads: `count` bits or registers from `address`."""

    function: Function
    address: int
    count: int

    def offset_of(self, place: Place) -> int | None:
        """Where in this span's answer a point begins; None where it isn't wholly inside."""
        offset = place.address - self.address
        inside = self.function == place.function and offset >= 0 and offset + place.length <= self.count
        return offset if inside else None


def plan_spans(places: Iterable[Place], *, gap_max: int, registers_max: int) -> tuple[Span, ...]:
    """Plan the fewest requests that read every place once, none cut in two.

    No request reads over more than `gap_max` addresses in a row that are nobody's, nor more than `registers_max`
    registers or BITS_MAX bits.
    """
    return tuple(_spans(sorted(places, key=lambda each: (each.function, each.address)), gap_max, registers_max))


def decode_value(coding: Coding, words: Sequence[int]) -> bool | float | None:
    """Make a point's value of its bit or registers; None where they hold no number (NaN and infinities)."""
    if coding.kind == "bool":
        return bool(words[0]) == (coding.active == "high")
    ordered = words if coding.word_order == "big" else words[::-1]
    raw = struct.unpack(_FORMATS[coding.kind], b"".join(word.to_bytes(2, "big") for word in ordered))[0]
    value = raw * coding.scale + coding.offset
    return float(value) if math.isfinite(value) else None


def encode_value(coding: Coding, value: bool | float) -> tuple[int, ...]:
    """Make the bit or registers that hold a value, rounded to what they can hold.

    Raises ValueError where they can't: a number for a bit, a bit for a number, or one out of range.
    """
    if (coding.kind == "bool") != isinstance(value, bool):
        raise ValueError(f"{value!r} can't be written as {coding.kind}")
    if isinstance(value, bool):
        return (int(value == (coding.active == "high")),)
    raw = (value - coding.offset) / coding.scale
    try:
        packed = struct.pack(_FORMATS[coding.kind], raw if coding.kind == "float32" else round(raw))
    except (struct.error, OverflowError) as error:
        raise ValueError(f"{value!r} is out of range for {coding.kind}") from error
    words = tuple(int.from_bytes(packed[i : i + 2], "big") for i in range(0, len(packed), 2))
    return words if coding.word_order == "big" else words[::-1]


def _spans(places: Sequence[Place], gap_max: int, registers_max: int) -> Iterator[Span]:
    span: Span | None = None
    for place in places:
        end = place.address + place.length
        if span is not None and _fits(span, place, gap_max, registers_max):
            span = Span(span.function, span.address, max(span.count, end - span.address))
            continue
        if span is not None:
            yield span
        span = Span(place.function, place.address, place.length)
    if span is not None:
        yield span


def _fits(span: Span, place: Place, gap_max: int, registers_max: int) -> bool:
    count_max = BITS_MAX if place.function in ("coil", "discrete_input") else registers_max
    return (
        span.function == place.function
        and place.address - (span.address + span.count) <= gap_max
        and place.address + place.length - span.address <= count_max
    )
