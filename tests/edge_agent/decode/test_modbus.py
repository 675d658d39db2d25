"""Bits and registers to values and back, and points to requests."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config.register_maps import Function, Kind, Point
from edge_agent.decode.modbus import Span, decode_value, encode_value, plan_spans

NUMBERS: tuple[Kind, ...] = ("uint16", "int16", "uint32", "int32", "float32")
FUNCTIONS: tuple[Function, ...] = ("coil", "discrete_input", "input_register", "holding_register")


def number(kind: Kind, **more: object) -> Point:
    """A point that is a number."""
    return Point(name="n", function="holding_register", address=0, kind=kind, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "words", "value"),
    [
        (number("uint16"), (0xFFFE,), 65534.0),
        (number("int16"), (0xFFFE,), -2.0),
        (number("uint32"), (0x0001, 0x0002), 65538.0),
        (number("uint32", word_order="little"), (0x0002, 0x0001), 65538.0),
        (number("int32"), (0xFFFF, 0xFFFE), -2.0),
        (number("float32"), (0x428F, 0x0000), 71.5),
        (number("float32", word_order="little"), (0x0000, 0x428F), 71.5),
        (number("int16", scale=0.1, offset=-40.0), (250,), -15.0),
        (Point(name="b", function="coil", address=0), (1,), True),
        (Point(name="b", function="coil", address=0, active="low"), (1,), False),
    ],
)
def test_known_registers_have_known_values(point: Point, words: tuple[int, ...], value: bool | float) -> None:
    """Each kind, word order, scale, offset and active level is read, and written, as the maps say."""
    assert value == decode_value(point, words)
    assert words == encode_value(point, value)


@pytest.mark.parametrize("words", [(0x7FC0, 0), (0x7F80, 0), (0xFF80, 0)])
def test_what_is_no_number_is_none(words: tuple[int, ...]) -> None:
    """NaN and the infinities, which meters send for what they can't measure, never become a number."""
    assert decode_value(number("float32"), words) is None


@given(kind=st.sampled_from(NUMBERS), order=st.sampled_from(["big", "little"]), data=st.data())
def test_what_is_written_is_read_back(kind: Kind, order: str, data: st.DataObject) -> None:
    """Any registers of any kind, read as a value and written again, are the same registers."""
    point = number(kind, word_order=order if kind not in ("uint16", "int16") else "big")
    words = tuple(data.draw(st.integers(0, 0xFFFF)) for _ in range(point.length))
    value = decode_value(point, words)
    if value is not None:
        assert encode_value(point, value) == words or value == 0.0  # a negative zero is a zero


@pytest.mark.parametrize(
    ("point", "value"),
    [
        (number("uint16"), -1.0),
        (number("uint16"), 65536.0),
        (number("int16"), 40_000.0),
        (number("uint16", scale=0.001), 66.0),
        (number("uint16"), math.nan),
        (number("uint32"), math.inf),
        (number("float32"), 1e39),
        (number("uint16"), True),
        (Point(name="b", function="coil", address=0), 1.0),
    ],
)
def test_what_cannot_be_held_is_refused(point: Point, value: bool | float) -> None:
    """A value of the wrong sort or out of range is never cut to fit: an output gets what was meant, or nothing."""
    with pytest.raises(ValueError):
        encode_value(point, value)


def placed(function: Function, *places: tuple[int, Kind]) -> list[Point]:
    """Points of one table."""
    return [Point(name=f"p{at}", function=function, address=at, kind=kind) for at, kind in places]


def test_neighbours_share_a_request_and_gaps_part_them() -> None:
    """Runs are read in one go; a gap is read over only as far as is allowed, and never from one table into another."""
    points = placed("input_register", (0, "float32"), (2, "uint16"), (5, "uint16")) + placed("coil", (0, "bool"))
    first = Span("coil", 0, 1)
    assert (first, Span("input_register", 0, 3), Span("input_register", 5, 1)) == plan_spans(
        points, gap_max=1, registers_max=125
    )
    assert (first, Span("input_register", 0, 6)) == plan_spans(points, gap_max=2, registers_max=125)


def test_no_request_is_longer_than_its_slave_can_bear() -> None:
    """A run longer than the limit is cut between points, never inside one."""
    points = placed("input_register", *((at, "float32") for at in range(0, 20, 2)))
    spans = plan_spans(points, gap_max=0, registers_max=7)
    assert [6, 6, 6, 2] == [span.count for span in spans]
    assert [2000, 1] == [
        span.count
        for span in plan_spans(placed("coil", *((at, "bool") for at in range(2001))), gap_max=0, registers_max=125)
    ]


@given(
    places=st.lists(st.tuples(st.sampled_from(FUNCTIONS), st.integers(0, 300)), unique=True, max_size=60),
    gap_max=st.integers(0, 64),
    registers_max=st.integers(2, 125),
)
def test_every_point_is_read_by_exactly_one_request(
    places: list[tuple[Function, int]], gap_max: int, registers_max: int
) -> None:
    """Whatever the map, no point is left out, none is read twice, and the limits hold."""
    points = [
        Point(name="p", function=function, address=2 * at, kind="bool" if "coil" in function else "float32")
        for function, at in places
        if function != "discrete_input"
    ]
    spans = plan_spans(points, gap_max=gap_max, registers_max=registers_max)
    for point in points:
        assert 1 == sum(span.offset_of(point) is not None for span in spans)
    assert all(span.count <= registers_max for span in spans if "register" in span.function)


def test_a_point_of_another_table_or_place_is_not_in_a_span() -> None:
    """Offsets are given only to points that lie wholly inside, in the same table."""
    span = Span("input_register", 10, 4)
    inside, cut, below = placed("input_register", (12, "float32"), (13, "float32"), (9, "float32"))
    (other,) = placed("coil", (10, "bool"))
    assert [2, None, None, None] == [span.offset_of(each) for each in (inside, cut, below, other)]


def test_the_formats_are_those_of_the_wire() -> None:
    """A register is sent with its high byte first."""
    assert struct.unpack(">HH", struct.pack(">f", 71.5)) == encode_value(number("float32"), 71.5)
