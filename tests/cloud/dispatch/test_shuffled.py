"""Whatever way round and however often devices tell, an order ends in the same phase and never goes back."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.dispatch import Order, apply_event, apply_status, cancel, note_sent, view
from tests.cloud.dispatch.samples import (
    AVAILABLE,
    CAR,
    MOBILE,
    PLAN,
    PUMP,
    STATION,
    acknowledge,
    ending,
    order,
    receipt,
    status,
)
from tests.cloud.fleet.samples import NOON, at
from wire.events import Event, StatusEvent

Word = tuple[str, Event, int]
"""Who tells what, and at which second."""
CODES = {"1": MOBILE, "4": AVAILABLE}

devices = st.sampled_from([STATION, PUMP, CAR, "veh-99"])
outcomes = st.sampled_from(["accepted", "started", "done", "failed", "refused", "expired", "unknown"])
receipts = st.builds(
    lambda outcome, step, elapsed_ms, revision: receipt(
        outcome, step, elapsed_ms=elapsed_ms, revision=revision, steps=PLAN if outcome == "accepted" else []
    ),
    outcomes,
    st.sampled_from(["", "", *PLAN, "door:bay"]),
    st.integers(0, 5_000),
    st.integers(1, 3),
)
acknowledgements = st.builds(acknowledge, st.sampled_from([None, "kf-1", "kp-12"]))
statuses = st.builds(
    status, st.sampled_from(["kf-1", "kp-12"]), st.sampled_from([MOBILE, AVAILABLE]), st.sampled_from(["panel", "auto"])
)
words = st.lists(st.tuples(devices, receipts | acknowledgements | statuses, st.integers(1, 3_600)), max_size=25)


def fold(known: Order, told: Sequence[Word]) -> list[Order]:
    """Every state that an order goes through."""
    states = [known]
    for device, event, second in told:
        then = NOON + timedelta(seconds=second)
        if isinstance(event, StatusEvent):
            states.append(apply_status(states[-1], event, CODES[event.code], then))
        else:
            states.append(apply_event(states[-1], device, event, then))
    return states


def begun(*, cancelled: bool) -> Order:
    """An order that was sent to everybody, and perhaps taken back."""
    known = order()
    for device in (STATION, PUMP, CAR):
        known = note_sent(known, device, NOON)
    return cancel(known, ending(), at(0)) if cancelled else known


@given(told=words, cancelled=st.booleans(), data=st.data())
def test_order_and_repetition_of_what_is_told_change_nothing(
    told: list[Word], cancelled: bool, data: st.DataObject
) -> None:
    """Shuffled and doubled, the same words come to the same phase, steps, units and deliveries."""
    repeated = data.draw(st.lists(st.sampled_from(told), max_size=10)) if told else []
    shuffled = data.draw(st.permutations([*told, *repeated]))
    one, other = (fold(begun(cancelled=cancelled), words)[-1] for words in (told, shuffled))
    assert one.rung == other.rung
    assert one.units == other.units
    assert one.deliveries == other.deliveries
    assert sorted(view(one).steps, key=str) == sorted(view(other).steps, key=str)
    assert view(one).reason == view(other).reason


@given(told=words, cancelled=st.booleans())
def test_an_order_never_goes_back(told: list[Word], cancelled: bool) -> None:
    """Each word leaves the phase or moves it on; each phase is told once; each change is a new version."""
    states = fold(begun(cancelled=cancelled), told)
    rungs = [state.rung for state in states]
    assert rungs == sorted(rungs)
    for before, after in zip(states, states[1:], strict=False):
        assert after.version == before.version + (after is not before)
        assert after.phases[: len(before.phases)] == before.phases
        assert after.alarms[: len(before.alarms)] == tuple(
            new if old != new and new.cleared else old for old, new in zip(before.alarms, after.alarms, strict=False)
        )


@given(told=words)
def test_what_is_told_again_is_no_news(told: list[Word]) -> None:
    """Telling it all once more changes nothing at all: not even the version."""
    once = fold(begun(cancelled=False), told)[-1]
    assert once is fold(once, told)[-1]
