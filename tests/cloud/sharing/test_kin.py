"""A unit whose kin a partner may not know of looks as if there were no such kin: byte for byte, in any history."""

from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.fleet.entry import UnitEntry
from cloud.fleet.fleet import Fleet
from tests.cloud.fleet.samples import NOON, at
from tests.cloud.fleet.stories import BOUND, UNITS, Step, Story, steps, units

SHARED, WHOLE, PART = "shared", "whole", "part"
KINDS = ("crew", "crew of three", "split", "joined")


def entries(kind: str) -> list[UnitEntry]:
    """Three units: of one crew, or a whole and two parts."""
    found = {unit.id: unit for unit in units()}
    if kind == "crew of three":
        found["kp-12"] = msgspec.structs.replace(found["kp-12"], crew_group="pair", group_place=9)
    elif kind != "crew":
        parts = ("kp-12", "kp-14")
        is_split = kind == "split"
        found["kp-13"] = msgspec.structs.replace(found["kp-13"], crew_group="", split_into=parts if is_split else ())
        for part in parts:
            found[part] = msgspec.structs.replace(found[part], crew_group="", part_of="kp-13", is_apart=is_split)
    return list(found.values())


def bound(known: Iterable[UnitEntry]) -> dict[str, tuple[str, ...]]:
    """Which devices may speak for each unit."""
    return {unit.id: BOUND[unit.id] for unit in known}


def never_had(entry: UnitEntry, hidden: str) -> UnitEntry:
    """The entry in a directory that never had a certain unit."""
    split_into = tuple(part for part in entry.split_into if part != hidden)
    changes = {"part_of": "", "is_apart": False} if entry.part_of == hidden else {}
    return msgspec.structs.replace(entry, split_into=split_into, **changes)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sampled_from(KINDS), st.sampled_from(sorted(UNITS)), st.lists(steps, min_size=8, max_size=24))
def test_hidden_kin_is_no_kin(kind: str, hidden: str, history: list[Step]) -> None:
    """The record among the others is that of a fleet which never had the hidden unit, whatever became of it."""
    story, without = Story(), Story()
    had = entries(kind)
    story.fleet = Fleet(had, bound(had))
    less = [never_had(entry, hidden) for entry in had if entry.id != hidden]
    without.fleet = Fleet(less, bound(less))
    seen = {entry.id for entry in less}
    for step in history:
        story.take(step)
        without.take(step)
        now = at(story.now_s)
        for unit in sorted(seen):
            among = story.fleet.record_among(unit, NOON, now, seen)
            assert msgspec.json.encode(among) == msgspec.json.encode(without.fleet.record_among(unit, NOON, now, seen))


@pytest.mark.parametrize(("kind", "hidden"), [("crew", "kp-14"), ("split", "kp-13"), ("joined", "kp-13")])
def test_hidden_kin_would_show(kind: str, hidden: str) -> None:
    """Without that rule it would: whoever sees all kin sees what the hidden one does to the others."""
    story = Story()
    had = entries(kind)
    story.fleet = Fleet(had, bound(had))
    others = [entry.id for entry in had if entry.id != hidden]
    press = {"panel": False, "ago_s": 0.0, "rehearsed": False, "proven": True}
    for unit, code in (*((unit, "4") for unit in others), (hidden, "1")):
        story.take(("status", {"unit": unit, "code": code} | press))
        story.take(("wait", {"seconds": 6.0}))
    now = at(story.now_s)
    whole = [story.fleet.record(unit, 0, NOON, now) for unit in others]
    among = [story.fleet.record_among(unit, NOON, now, set(others)) for unit in others]
    assert whole != among
