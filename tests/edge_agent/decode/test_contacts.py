"""Levels of contacts become presses: each change once, nothing at the start, nothing left held."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.contacts import ContactReading, Contacts, fold_levels, release
from edge_agent.decode.readings import Press, SourceFault


def fold(*levels: dict[str, bool | None]) -> list[ContactReading]:
    """Fold levels, one read after another, and give all readings."""
    contacts, found = Contacts(), list[ContactReading]()
    for each in levels:
        contacts, readings = fold_levels(contacts, each)
        found += readings
    return found


def test_a_change_is_a_press_once() -> None:
    """A contact that closes and opens is one press and one release, however often its level is read."""
    assert fold({"b1": False}, {"b1": True}, {"b1": True}, {"b1": False}, {"b1": False}) == [
        Press("b1", True),
        Press("b1", False),
    ]


def test_held_at_the_start_is_a_fault_until_let_go() -> None:
    """A button that is down when it is first read declares nothing: it is a fault, ends when let go, and then works."""
    held, healed, *presses = fold({"b1": True}, {"b1": True}, {"b1": False}, {"b1": True})
    assert isinstance(held, SourceFault) and "b1 is held down" in held.text
    assert healed == SourceFault(held.source, "")
    assert presses == [Press("b1", True)]


def test_a_level_that_cannot_be_read_releases() -> None:
    """A button that can no longer be read counts as let go; closed when it is back, it is no press."""
    readings = fold({"b1": False}, {"b1": True}, {"b1": None}, {"b1": None}, {"b1": True}, {"b1": None})
    assert readings[:2] == [Press("b1", True), Press("b1", False)]
    assert [each.text != "" for each in readings[2:] if isinstance(each, SourceFault)] == [True, False]


@given(st.lists(st.dictionaries(st.sampled_from(["b1", "b2"]), st.sampled_from([True, False, None]))))
def test_nothing_stays_held_or_at_fault(reads: list[dict[str, bool | None]]) -> None:
    """Whatever is read, downs and ups of a button alternate, and its release leaves nothing held and no fault."""
    contacts, readings = Contacts(), list[ContactReading]()
    for each in reads:
        contacts, found = fold_levels(contacts, each)
        readings += found
    readings += release(contacts)
    balance = Counter[str]()
    for reading in readings:
        if isinstance(reading, Press):
            balance[reading.button] += 1 if reading.down else -1
        else:
            balance[reading.source] += 1 if reading.text else -1
        assert set(balance.values()) <= {0, 1}
    assert set(balance.values()) <= {0}
