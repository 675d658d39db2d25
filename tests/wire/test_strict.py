"""Strict loading: nothing wrong gets through, and everything wrong is told at once."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from wire.strict import Problem, closest, convert, in_file, read_toml


class Inner(msgspec.Struct, frozen=True, kw_only=True):
    """A row."""

    name: Annotated[str, Meta(pattern=r"^[a-z]{1,5}\Z", description="1 to 5 of a-z")]
    level: Annotated[int, Meta(ge=0)] = 0


class Outer(msgspec.Struct, frozen=True, kw_only=True):
    """A file with every kind of field."""

    rate_s: Annotated[float, Meta(ge=1, le=20, description="seconds between heartbeats")] = 10.0
    share: Annotated[float, Meta(gt=0, lt=0.5)] = 0.25
    on: bool = False
    colour: Literal["red", "green"] = "red"
    title: Annotated[str, Meta(max_length=8)] = ""
    inner: Inner | None = None
    rows: tuple[Inner, ...] = ()
    words: Annotated[dict[Annotated[str, Meta(max_length=3)], str], Meta(max_length=2)] = {}
    named: str = msgspec.field(name="as", default="")


def told(data: object) -> list[str]:
    """Tell the problems of `data` as an Outer, as a person reads them."""
    found = convert(data, Outer)
    assert isinstance(found, tuple), found
    return [str(problem) for problem in found]


def test_right_data_becomes_the_frozen_struct() -> None:
    """Data of the right shape loads: integers where numbers are wanted, lists as tuples, keys by their written name."""
    data = {"rate_s": 5, "inner": {"name": "a"}, "rows": [{"name": "b", "level": 2}], "words": {"x": "y"}, "as": "z"}
    expected = Outer(rate_s=5.0, inner=Inner(name="a"), rows=(Inner(name="b", level=2),), words={"x": "y"}, named="z")
    assert expected == convert(data, Outer)


def test_every_problem_is_told_at_once_with_its_path() -> None:
    """Seven faults in one file give seven problems, each with its own path, in one go."""
    data = {
        "rate_s": 40,
        "on": "yes",
        "colour": "gren",
        "rows": [{"name": "a"}, {"level": -1}],
        "words": {"long": "x"},
        "inner": 3,
    }
    found = convert(data, Outer)
    assert isinstance(found, tuple)
    expected = ["rate_s", "on", "colour", "inner", "rows[1].name", "rows[1].level", "words.long"]
    assert expected == [problem.path for problem in found]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"rate_s": 40}, "rate_s: is 40; expected a number from 1 to 20 (seconds between heartbeats)"),
        ({"rate_s": "5"}, "rate_s: is '5'; expected a number from 1 to 20 (seconds between heartbeats)"),
        ({"share": 0.5}, "share: is 0.5; expected a number above 0 and below 0.5"),
        ({"on": 1}, "on: is 1; expected true or false"),
        ({"on": []}, "on: is a list; expected true or false"),
        ({"title": "123456789"}, "title: is '123456789'; expected text of 0 to 8 characters"),
        ({"colour": "gren"}, "colour: is 'gren' (did you mean 'green'?); expected one of 'green', 'red'"),
        ({"inner": {}}, "inner.name: is missing; expected 1 to 5 of a-z"),
        ({"inner": {"name": "a\n"}}, "inner.name: is 'a\\n'; expected 1 to 5 of a-z"),
        ({"inner": 3}, "inner: is 3; expected a table with name, level"),
        ({"rows": {}}, "rows: is a table; expected a list"),
        ({"rows": [{"name": "a", "level": True}]}, "rows[0].level: is true; expected a whole number of at least 0"),
        ({"words": {"a": "", "b": "", "c": ""}}, "words: has 3 entries; expected a table of 0 to 2 entries"),
        ({"words": {"long": "x"}}, "words.long: the key is 'long'; expected text of 0 to 3 characters"),
        ({"words": {"a": 1}}, "words.a: is 1; expected text"),
        ({"title": "x" * 99}, f"title: is '{'x' * 60}…'; expected text of 0 to 8 characters"),
        (3, "the file: is 3; expected a table with rate_s, share, on, colour, title, inner, rows, words, as"),
    ],
)
def test_a_problem_says_what_is_there_and_what_would_be_right(data: object, line: str) -> None:
    """Each kind of fault reads as one line that a person can mend the file by."""
    assert [line] == told(data)


def test_none_is_taken_where_it_may_be_and_never_offered_as_right() -> None:
    """Outside data with an explicit nothing loads, and a missing value is explained by what a person would write."""

    class Row(msgspec.Struct, frozen=True):
        size: int | None

    assert Row(size=None) == convert({"size": None}, Row)
    assert (Problem("size", "is missing", "a whole number"),) == convert({}, Row)


def test_an_unknown_key_is_refused_and_the_close_spelling_named() -> None:
    """A key that nobody reads is a fault, since a mistyped key would otherwise leave its default in force silently."""
    found = convert({"rat_s": 5, "zzz": 1}, Outer)
    assert isinstance(found, tuple)
    assert ["unknown key (did you mean 'rate_s'?)", "unknown key"] == [problem.problem for problem in found]
    assert found[0].expected.startswith("one of rate_s, share, ")


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf"), 10**400, True, None])
def test_what_is_no_sane_number_is_refused(wrong: object) -> None:
    """NaN passes every comparison of limits and TOML can write it, so it is refused by name; so is a number too big."""

    class Row(msgspec.Struct, frozen=True):
        size: float

    assert isinstance(convert({"size": wrong}, Row), tuple)


def test_what_a_struct_refuses_itself_is_a_problem_too() -> None:
    """A `__post_init__` that raises doesn't crash the load: its message becomes the problem, under the given path."""

    class Pair(msgspec.Struct, frozen=True):
        low: int
        high: int

        def __post_init__(self) -> None:
            if self.low > self.high:
                raise ValueError("low is above high")

    found = convert({"low": 2, "high": 1}, Pair, path="pair")
    assert (Problem("pair", "low is above high", "what holds for pair"),) == found


def test_a_field_of_a_type_it_does_not_know_is_a_mistake_of_the_program() -> None:
    """Strict loading never lets a type through that it can't check."""

    class Odd(msgspec.Struct, frozen=True):
        either: int | str

    with pytest.raises(TypeError):
        convert({"either": 1}, Odd)


class Timed(msgspec.Struct, frozen=True, kw_only=True):
    """A row with a time."""

    until: datetime | None = None


def test_a_time_is_one_with_its_zone_and_no_text() -> None:
    """TOML's own date and time is taken, with a zone only: a text, a day and a local time are problems."""
    until = datetime(2026, 11, 22, 18, tzinfo=UTC)
    assert Timed(until=until) == convert(read_toml("until = 2026-11-22T18:00:00Z"), Timed)
    for wrong in ('"2026-11-22T18:00:00Z"', "2026-11-22", "2026-11-22T18:00:00", "1"):
        problems = convert(read_toml(f"until = {wrong}"), Timed)
        assert isinstance(problems, tuple)
        assert "its zone" in problems[0].expected


def test_a_problem_names_its_file_before_its_path() -> None:
    """Of many files, the one to open comes first."""
    assert "a.toml: x: is 1; expected 2" == str(in_file("a.toml", Problem("x", "is 1", "2")))
    assert "a.toml: is 1; expected 2" == str(in_file("a.toml", Problem("", "is 1", "2")))


def test_no_spelling_is_suggested_where_none_is_close_or_there_are_too_many() -> None:
    """A suggestion is near or absent, and thousands of names are never compared."""
    assert "" == closest("zebra", ("apple", "pear"))
    assert "" == closest("n1", tuple(f"n{number}" for number in range(5000)))


KEYS = st.sampled_from([*Outer.__struct_encode_fields__, "name", "level", "z\nz"]) | st.text(max_size=2)

toml = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.just("red"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@given(toml)
def test_no_data_crashes_it_and_what_it_takes_is_right(data: Any) -> None:
    """Any value gives a struct that msgspec's own strict decoder takes too, or at least one problem."""
    found = convert(data, Outer)
    if isinstance(found, tuple):
        assert found
        assert all("\n" not in str(problem) for problem in found)
    else:
        assert found == msgspec.convert(data, Outer)
        assert set(data) <= set(Outer.__struct_encode_fields__)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "rate_s": st.floats(1, 20) | st.integers(1, 20),
            "on": st.booleans(),
            "colour": st.sampled_from(["red", "green"]),
            "inner": st.fixed_dictionaries({"name": st.from_regex(r"\A[a-z]{1,5}\Z")}),
            "words": st.dictionaries(st.text(max_size=3), st.text(), max_size=2),
        },
    )
)
def test_nothing_right_is_refused(data: dict[str, Any]) -> None:
    """Whatever keeps to the limits loads."""
    assert isinstance(convert(data, Outer), Outer)
