"""Which status stands: within a device by sequence, between devices by corrected time, in doubt the less available."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.fleet.heads import Head, newer, stand
from tests.cloud.fleet.samples import NOON, STREAM, at, fleet, head
from wire.events import Origin

AVAILABLE, PARTLY, AWAY = "2", "4", "8"
DAY_S = 86_400.0


def panel(code: str, moment_s: float, *, proven: bool = True, seq: int = 1) -> Head:
    """A status that the panel declared."""
    return head(code, moment_s, device="panel-1", stream="E3-a", proven=proven, seq=seq)


def vague(code: str, moment_s: float) -> Head:
    """A status of the vehicle that no checked clock vouches for."""
    return head(code, moment_s, proven=False)


def test_within_a_device_order_is_stream_and_sequence() -> None:
    """A later sequence stands though its clock says earlier, and a later stream though its sequence is lower."""
    first = head(AVAILABLE, 0, seq=5)
    assert newer(None, first)
    assert newer(first, head(AWAY, -DAY_S, seq=6))
    assert not newer(first, head(AWAY, DAY_S, seq=5))
    assert not newer(first, head(AWAY, DAY_S, seq=4))
    assert newer(first, head(AWAY, -10, seq=1, ordinal=2, stream="E2-b"))
    assert newer(first, head(AWAY, -DAY_S, seq=1, ordinal=2, stream="E2-b", proven=False))
    assert not newer(head(AWAY, 0, seq=1, ordinal=2), head(AVAILABLE, DAY_S, seq=99))


def test_a_card_that_was_never_heard_of_brings_history() -> None:
    """Its stream is the latest to come, and its press was certainly made before the one that stands."""
    stands = head(AVAILABLE, 0, seq=5)
    assert not newer(stands, head(AWAY, -11, seq=1, ordinal=2, stream="E2-b"))
    assert newer(stands, head(AWAY, 1, seq=1, ordinal=2, stream="E2-b"))
    vague = head(AVAILABLE, 0, seq=5, proven=False)
    assert newer(vague, head(AWAY, -11, seq=1, ordinal=2, stream="E2-b"))


def carried(code: str, from_seq: int, seq: int, **changes: Any) -> Head:
    """A press of the first stream, as the second one carried it."""
    fields: dict[str, Any] = {"ordinal": 2, "stream": "E2-b", "origin": Origin(STREAM, from_seq), "origin_ordinal": 1}
    return head(code, 0, **fields | {"seq": seq, "mono_ms": from_seq} | changes)


@pytest.mark.parametrize(
    ("why", "at_s", "proven", "replaces"),
    [
        ("made well after the other had come", 66, True, True),
        ("too near to tell", 65, True, False),
        ("made before it came", 30, True, False),
        ("of an unknown time", 66, False, False),
    ],
)
def test_a_press_on_a_card_that_was_put_back_counts_once_its_time_proves_it(
    why: str, at_s: float, proven: bool, replaces: bool
) -> None:
    """A later stream's press gives way to one of an earlier stream only where that was made after it had come."""
    old = head(AWAY, 0, ordinal=5, received=NOON + timedelta(seconds=60))
    for place in ({"ordinal": 4, "seq": 9}, {"ordinal": 5, "seq": 1, "mono_ms": 7}):
        assert replaces == newer(old, head(AVAILABLE, at_s, proven=proven, **place)), why


@pytest.mark.parametrize(
    ("why", "old", "new", "replaces"),
    [
        ("pressed after", head(AWAY, 0, seq=3), carried(AVAILABLE, 4, 1), True),
        ("pressed before", head(AWAY, 0, seq=3), carried(AVAILABLE, 2, 1), False),
        ("pressed before, in the new stream's 9th place", head(AWAY, 0, seq=3), carried(AVAILABLE, 2, 9), False),
        ("the same press", head(AWAY, 0, seq=3, mono_ms=3), carried(AWAY, 3, 1), True),
        ("the same press, late, by its old place", carried(AWAY, 3, 1), head(AWAY, 0, seq=3, mono_ms=3), False),
        ("the same press, carried once more", carried(AWAY, 3, 1), carried(AWAY, 3, 2, ordinal=3), True),
        ("at its place, of another moment", head(AWAY, 0, seq=3, mono_ms=3), carried(AWAY, 3, 1, mono_ms=4), False),
        ("at its place, with another code", head(AWAY, 0, seq=3, mono_ms=3), carried(AVAILABLE, 3, 1), False),
        ("at its place, of another boot", head(AWAY, 0, seq=3, mono_ms=3), carried(AWAY, 3, 1, boot=2), False),
        ("pressed in the new stream itself", carried(AWAY, 3, 5), head(AVAILABLE, 0, ordinal=2, seq=1), True),
    ],
)
def test_a_press_that_was_carried_counts_by_where_it_was_pressed(
    why: str, old: Head, new: Head, replaces: bool
) -> None:
    """A later stream makes no press newer than it was; the press that stands moves to the place it is named by."""
    assert replaces == newer(old, new), why


@pytest.mark.parametrize(
    ("why", "pair", "stands", "availability", "conflicts"),
    [
        ("the newer", (head(AVAILABLE, 6), panel(AWAY, 0)), "veh-2", "Available", 0),
        ("the newer, of whichever device", (head(AVAILABLE, 0), panel(AWAY, 6)), "panel-1", "NotAvailable", 0),
        ("within 5 s the less available", (head(AVAILABLE, 5), panel(AWAY, 0)), "panel-1", "NotAvailable", 1),
        ("just beyond 5 s", (head(AVAILABLE, 5.001), panel(AWAY, 0)), "veh-2", "Available", 0),
        ("at once", (head(PARTLY, 0), panel(AVAILABLE, 0)), "veh-2", "ConditionallyAvailable", 1),
        ("agreed", (head(AVAILABLE, 1), panel(AVAILABLE, 0)), "veh-2", "Available", 0),
        ("other words, same class", (head("3", 1), panel(AVAILABLE, 0)), "veh-2", "Available", 1),
        ("unproven", (head(AVAILABLE, 0), panel(PARTLY, DAY_S, proven=False)), "veh-2", "ConditionallyAvailable", 1),
        ("unproven, more available", (head(AWAY, 0), panel(AVAILABLE, 1, proven=False)), "veh-2", "NotAvailable", 0),
        ("both unproven", (vague(AVAILABLE, 6), panel(AWAY, 0, proven=False)), "panel-1", "NotAvailable", 1),
        ("both unproven, the later less", (vague(AWAY, 6), panel(PARTLY, 0, proven=False)), "veh-2", "NotAvailable", 0),
    ],
)
def test_between_two_devices(why: str, pair: tuple[Head, Head], stands: str, availability: str, conflicts: int) -> None:
    """Corrected time decides; nearer than 5 s, or without proof, it does not, and the less available counts."""
    for order in (pair, pair[::-1]):
        standing = stand(order)
        assert standing is not None
        assert (stands, availability, conflicts) == (
            standing.head.device,
            standing.availability,
            len(standing.conflicts),
        ), why


def test_nobody_declared_anything() -> None:
    """Without a head nothing stands."""
    assert stand(()) is None


codes = st.sampled_from([AVAILABLE, "3", PARTLY, AWAY])
devices = st.sampled_from(["veh-2", "panel-1"])
heads = st.builds(
    lambda device, code, moment_s, proven, order: head(
        code, moment_s, device=device, proven=proven, ordinal=order[0], seq=order[1]
    ),
    devices,
    codes,
    st.integers(0, 12),
    st.booleans(),
    st.tuples(st.integers(1, 2), st.integers(1, 4)),
)
presses = st.lists(heads, min_size=1, max_size=8, unique_by=lambda each: (each.device, each.order))


@given(pressed=presses, data=st.data())
def test_the_order_of_arrival_does_not_matter(pressed: list[Head], data: st.DataObject) -> None:
    """The same presses in any order come to the same record."""
    arrivals = data.draw(st.permutations(pressed))
    records = []
    for order in (pressed, arrivals):
        county = fleet()
        for one in order:
            county.apply_head(one, at(20))
        records.append(county.record("kp-12", 1, NOON, at(20)))
    assert records[0] == records[1]


@given(pressed=presses)
def test_the_unproven_displaces_nothing(pressed: list[Head]) -> None:
    """Where any proven head is there, a proven one stands, and an unproven one only ever lowers the class."""
    county = fleet()
    for one in pressed:
        county.apply_head(one, at(20))
    latest = {one.device: one for one in sorted(pressed, key=lambda each: each.order)}
    proven = tuple(one for one in latest.values() if one.proven)
    if not proven:
        return
    stands = county.standing("kp-12")
    alone = stand(proven)
    assert stands is not None and alone is not None
    assert stands == alone.head
    ranks = ["Available", "ConditionallyAvailable", "NotAvailable"]
    shown = county.record("kp-12", 1, NOON, at(20))
    assert shown.availability is not None
    assert ranks.index(shown.availability) >= ranks.index(alone.availability)


@given(pressed=presses)
def test_in_conflict_the_least_available_stands(pressed: list[Head]) -> None:
    """A contradicted unit is never shown as more available than any of the heads in conflict."""
    standing = stand(tuple({one.device: one for one in pressed}.values()))
    assert standing is not None
    ranks = {"Available": 0, "ConditionallyAvailable": 1, "NotAvailable": 2}
    involved = [standing.head, *standing.conflicts]
    assert ranks[standing.availability] == max(ranks[one.availability] for one in involved)
    assert standing.head not in standing.conflicts


def test_only_bound_devices_hold_heads() -> None:
    """A device that isn't bound to a unit does not move it, nor does one that names a unit that there is not."""
    county = fleet()
    assert not county.apply_head(head(AVAILABLE, 0, device="veh-1"), at(0))
    assert not county.apply_head(head(AVAILABLE, 0, unit="kp-99"), at(0))
    assert county.standing("kp-12") is None


def test_the_mode_of_a_status_is_shown() -> None:
    """A press made in training is shown as training, never as live."""
    county = fleet()
    county.apply_head(head(AVAILABLE, 0, mode="training"), at(0))
    assert "training" == county.record("kp-12", 1, NOON + timedelta(seconds=1), at(1)).mode


def test_an_unproven_status_ranks_by_what_it_followed() -> None:
    """It displaces what is older than a proven press before it in its stream, and nothing that is newer."""
    vague = head(AVAILABLE, 10, proven=False, bounded=True)
    earlier, later = panel(PARTLY, 0), panel(PARTLY, 30)
    standing = stand((vague, earlier))
    assert standing is not None and (vague, ()) == (standing.head, standing.conflicts)
    standing = stand((vague, later))
    assert standing is not None and (later, ()) == (standing.head, standing.conflicts)


def test_an_unproven_status_that_is_less_available_contradicts_what_came_after_its_bound() -> None:
    """Nobody can say that it was not pressed last: the newer one stands, as available as the lesser."""
    vague, later = head(AWAY, 10, proven=False, bounded=True), panel(AVAILABLE, 30)
    standing = stand((vague, later))
    assert standing is not None
    assert (later, "NotAvailable", (vague,)) == (standing.head, standing.availability, standing.conflicts)
