"""Modes that control sets, for a unit, a base, an organisation or all: the most restrictive counts, for its time."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.modes import RESTRICTIVE, Belonging, ModeBook, Scope, Setting, why_not
from tests.cloud.fleet.samples import NOON
from wire.events import Mode

UNIT = Belonging(unit="kp-12", base="stn-14", organisation="kp")
KEYS: list[tuple[Scope, str]] = [("unit", "kp-12"), ("base", "stn-14"), ("organisation", "kp"), ("all", "")]
HOUR = timedelta(hours=1)


def setting(scope: Scope, scope_id: str, mode: Mode, hours: float = 1.0, by: str = "op 7") -> Setting:
    """A mode that was set at noon."""
    until = None if mode == "live" else NOON + hours * HOUR
    return Setting(scope=scope, id=scope_id, mode=mode, by=by, reason="drill", at=NOON, until=until)


@pytest.mark.parametrize(("first", "second"), list(product(RESTRICTIVE[1:], repeat=2)))
def test_the_most_restrictive_counts(first: Mode, second: Mode) -> None:
    """Whatever it is set for, and in whichever order: commissioning, maintenance, test, training, then live."""
    most = max(first, second, key=RESTRICTIVE.index)
    for one, other in product(KEYS, repeat=2):
        if one == other:
            continue
        said = ModeBook([setting(*one, first), setting(*other, second)]).of(UNIT, NOON)
        assert said is not None and most == said.mode


def test_what_is_set_for_others_is_nothing_to_a_unit() -> None:
    """Another unit's, base's or organisation's mode leaves it live."""
    book = ModeBook([setting("unit", "kp-13", "test"), setting("base", "stn-9", "test")])
    assert None is book.of(UNIT, NOON)
    book.put(setting("organisation", "stn-14", "test"))
    assert None is book.of(UNIT, NOON)


def test_a_mode_runs_out_by_itself() -> None:
    """At its very moment; what is less restrictive and still holds counts then, and in the end the unit is live."""
    book = ModeBook([setting("unit", "kp-12", "test", 1), setting("base", "stn-14", "training", 2)])
    for hours, mode in ((0.99, "test"), (1.0, "training"), (1.99, "training"), (2.0, None)):
        said = book.of(UNIT, NOON + hours * HOUR)
        assert mode == (None if said is None else said.mode)
    assert ["test"] == [one.mode for one in book.drop_over(NOON + HOUR)]
    assert () == book.drop_over(NOON + HOUR)
    assert ["training"] == [one.mode for one in book.in_force(NOON + HOUR)]


def test_of_two_alike_the_longer_counts() -> None:
    """A unit is not live again before the last of those that hold it back has run out."""
    book = ModeBook([setting("all", "", "test", 5, "op 9"), setting("unit", "kp-12", "test", 1)])
    said = book.of(UNIT, NOON)
    assert said is not None and (NOON + 5 * HOUR, "op 9") == (said.until, said.by)


def test_live_ends_what_was_set_for_just_that() -> None:
    """Ended early it is gone; what was set for something wider stands."""
    book = ModeBook([setting("unit", "kp-12", "test"), setting("base", "stn-14", "training")])
    book.put(setting("unit", "kp-12", "live"))
    said = book.of(UNIT, NOON)
    assert said is not None and "training" == said.mode
    book.put(setting("base", "stn-14", "live"))
    assert None is book.of(UNIT, NOON)


@given(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(RESTRICTIVE), st.integers(1, 9)), max_size=8))
def test_nothing_outlives_its_time(told: list[tuple[tuple[Scope, str], Mode, int]]) -> None:
    """Whatever is set and ended: at each hour a unit is in the most restrictive of what was said last and holds."""
    book = ModeBook(setting(*key, mode, hours) for key, mode, hours in told)
    last = {key: (mode, hours) for key, mode, hours in told}
    for hour in range(10):
        holds = [mode for mode, hours in last.values() if mode != "live" and hours > hour]
        said = book.of(UNIT, NOON + hour * HOUR)
        assert max(holds, key=RESTRICTIVE.index, default=None) == (None if said is None else said.mode)


@pytest.mark.parametrize(
    ("mode", "hours", "problem"),
    [
        ("test", None, "say when test ends"),
        ("test", 0.0, "not in the future"),
        ("test", 24.0, ""),
        ("test", 24.1, "at most 24 hours"),
        ("training", 25.0, "at most 24 hours"),
        ("maintenance", 25.0, "at most 24 hours"),
        ("commissioning", 25.0, ""),
        ("commissioning", 30 * 24.0, ""),
        ("commissioning", 30 * 24.1, "at most 30 days"),
        ("live", None, ""),
        ("live", 1.0, "leave it out"),
    ],
)
def test_a_mode_ends_within_a_bound(mode: Mode, hours: float | None, problem: str) -> None:
    """Every mode but live says when it ends, and none lasts longer than a day, but for commissioning."""
    said = why_not(mode, None if hours is None else NOON + hours * HOUR, NOON)
    assert problem in said and bool(problem) == bool(said)
