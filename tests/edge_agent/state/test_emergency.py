"""The guarded emergency button: what a push raises, and what its lamp may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.state import emergency
from edge_agent.state.debounce import STUCK_AFTER_S
from edge_agent.state.emergency import Guard, Happened, Raised
from wire.events import Origin

STEP_S = 0.01


def play(edges: list[tuple[float, bool]], until_s: float, guard: Guard | None = None) -> list[tuple[float, Happened]]:
    """Play edges, (time, down), with time told at every hundredth of a second; what happened, and when."""
    guard = guard or Guard()
    told: list[tuple[float, Happened]] = []
    waiting = sorted(edges)
    for at_s in (number * STEP_S for number in range(int(until_s / STEP_S) + 1)):
        while waiting and waiting[0][0] <= at_s:
            edge_s, down = waiting.pop(0)
            guard, happened = emergency.apply(guard, down, edge_s)
            told += [(edge_s, each) for each in happened]
        guard, happened = emergency.pass_time(guard, at_s)
        told += [(at_s, each) for each in happened]
    return told


@pytest.mark.parametrize("hold_s", [0.5, 1.0, 3.0])
def test_a_long_push_raises_one_emergency(hold_s: float) -> None:
    """A button held for its time raises an emergency when that time is up, while it still is held, and only once."""
    ((at_s, happened),) = play([(0.0, True), (9.0, False)], 12.0, Guard(hold_s=hold_s))
    assert happened == "raised"
    assert hold_s <= at_s <= hold_s + STEP_S


@pytest.mark.parametrize("let_go_s", [0.02, 0.5, 0.99])
def test_a_push_let_go_early_is_nothing(let_go_s: float) -> None:
    """A brush against the guard raises nothing, nor do many of them that add up to the time."""
    assert play([(0.0, True), (let_go_s, False)], 5.0) == []
    brushes = [(number * 1.5 + edge, edge == 0.0) for number in range(5) for edge in (0.0, let_go_s)]
    assert play(brushes, 20.0) == []


def test_a_contact_that_bounces_is_still_held() -> None:
    """An old contact that opens for a few milliseconds, at the start or in the middle, does not lose the emergency."""
    edges = [(0.0, True), (0.004, False), (0.008, True), (0.6, False), (0.615, True), (0.99, False), (1.0, True)]
    assert [happened for _, happened in play([*edges, (2.0, False)], 4.0)] == ["raised"]


def test_a_stuck_button_is_a_fault_not_an_emergency_again() -> None:
    """A button that never comes up has raised one emergency, then is a fault, told once; let go, the fault is over."""
    told = play([(0.0, True), (95.0, False)], 100.0)
    assert [happened for _, happened in told] == ["raised", "stuck", "freed"]
    assert STUCK_AFTER_S < told[1][0] < STUCK_AFTER_S + 0.1
    assert told[2][0] < 95.1


def test_pressed_again_it_raises_another() -> None:
    """After it was let go, a second long push is a second emergency: a person asks again."""
    edges = [(0.0, True), (1.5, False), (4.0, True), (5.5, False)]
    assert [happened for _, happened in play(edges, 8.0)] == ["raised", "raised"]


def test_a_late_look_finds_the_emergency() -> None:
    """A button held long enough and let go before anybody looked has still raised its emergency."""
    guard, _ = emergency.apply(Guard(), True, 0.0)
    guard, happened = emergency.apply(guard, False, 1.4)
    assert happened == ("raised",)
    assert emergency.pass_time(guard, 60.0)[1] == ()


@given(st.lists(st.floats(0.001, 2.0), max_size=40), st.floats(0.5, 3.0))
def test_no_emergency_without_a_hold(gaps_s: list[float], hold_s: float) -> None:
    """However the contact chatters, each emergency took a push of its own, held for its time: they never add up."""
    guard, at_s, raised = Guard(hold_s=hold_s), 0.0, 0
    for number, gap_s in enumerate(gaps_s):
        at_s += gap_s
        guard, happened = emergency.apply(guard, number % 2 == 0, at_s)
        raised += happened.count("raised")
    raised += emergency.pass_time(guard, at_s + 100.0)[1].count("raised")
    held = guard.down_s is not None
    assert raised <= at_s / hold_s + held
    if all(gap_s < hold_s / len(gaps_s) for gap_s in gaps_s[1:]) and len(gaps_s) % 2 == 0:
        assert raised == 0


@given(st.floats(0.0, 1e6), st.floats(0.5, 3.0))
def test_what_is_due_is_due(down_s: float, hold_s: float) -> None:
    """Asked exactly when it said, it has something to say: nobody waits for a second look."""
    guard, _ = emergency.apply(Guard(hold_s=hold_s), True, down_s)
    assert emergency.due_s(Guard()) is None
    for expected in ("raised", "stuck"):
        due_s = emergency.due_s(guard)
        assert due_s is not None
        guard, happened = emergency.pass_time(guard, due_s)
        assert happened == (expected,)
    assert emergency.due_s(guard) is None


def heard(raised: Raised | None, *names: Origin, cancelled: bool = False) -> Raised | None:
    """Control's word: each of these is in hand, or was cancelled."""
    return emergency.hear(raised, dict.fromkeys(names, cancelled))


def test_the_lamp_never_says_more_than_is_known() -> None:
    """Slow while it is only stored, settled or not; steady when control acknowledged; fast where it was not taken."""
    assert emergency.plan_lamp(None) == "dark"
    assert emergency.plan_lamp(emergency.record(None, "s")) == "fast"
    stored = emergency.record(7, "s")
    assert emergency.plan_lamp(stored) == "slow"
    assert emergency.plan_lamp(emergency.settle(stored, through=7, refused=())) == "slow"
    assert emergency.plan_lamp(emergency.settle(stored, through=9, refused={8})) == "slow"
    assert emergency.plan_lamp(emergency.settle(stored, through=9, refused={7})) == "fast"
    acknowledged = heard(stored, Origin("s", 7))
    assert acknowledged == Raised(seq=7, name=Origin("s", 7), acknowledged=True)
    assert heard(acknowledged, Origin("s", 7)) == acknowledged, "told again"
    for other in (Origin("s", 6), Origin("t", 7)):
        assert heard(stored, other) == stored, "another one"
    assert heard(stored) == stored, "control says nothing of it yet"
    assert emergency.plan_lamp(acknowledged) == "steady"


def test_the_lamp_is_dark_once_control_has_cancelled_it() -> None:
    """By control's word, or by its silence about one that was in hand; and what it says later lights it no more."""
    name = Origin("s", 7)
    in_hand = heard(emergency.record(7, "s"), name)
    assert "steady" == emergency.plan_lamp(in_hand)
    for over in (heard(in_hand, name, cancelled=True), heard(in_hand), heard(in_hand, Origin("s", 6))):
        assert "dark" == emergency.plan_lamp(over)
        assert "dark" == emergency.plan_lamp(heard(over, name))
    assert "dark" == emergency.plan_lamp(heard(emergency.record(7, "s"), name, cancelled=True)), "while it was away"
    assert "slow" == emergency.plan_lamp(emergency.record(8, "s")), "another push"


def test_after_a_start_the_lamp_shows_what_is_in_hand() -> None:
    """Of those that control tells of, the newest that is not cancelled; what is on disk goes before."""
    names = {Origin("s", 5): False, Origin("s", 7): False, Origin("s", 9): True}
    assert emergency.hear(None, names) == Raised(seq=None, name=Origin("s", 7), acknowledged=True)
    assert emergency.hear(None, {Origin("s", 9): True}) is None
    on_disk = emergency.carry(emergency.hear(None, names), [(3, Origin("s", 11))])
    assert "slow" == emergency.plan_lamp(on_disk)


def test_an_emergency_is_known_by_where_it_first_stood() -> None:
    """In a new stream it has another sequence, and still the name by which control acknowledges it."""
    first = Origin("s", 7)
    carried = emergency.carry(emergency.record(7, "s"), [(2, Origin("s", 5)), (3, first)])
    assert carried == Raised(seq=3, name=first)
    assert emergency.plan_lamp(emergency.settle(carried, through=9, refused={7})) == "slow"
    assert emergency.plan_lamp(emergency.settle(carried, through=9, refused={3})) == "fast"
    assert emergency.plan_lamp(heard(carried, first)) == "steady"


def test_an_emergency_that_was_settled_is_in_no_new_stream() -> None:
    """Another event that has its sequence there does not refuse it; control may still acknowledge it."""
    gone = emergency.carry(emergency.record(7, "s"), [])
    assert gone == Raised(seq=None, name=Origin("s", 7))
    assert emergency.plan_lamp(emergency.settle(gone, through=9, refused={7})) == "slow"
    assert emergency.plan_lamp(heard(gone, Origin("s", 7))) == "steady"


def test_after_a_start_the_lamp_shows_what_is_unsettled() -> None:
    """An emergency that is on disk blinks on; without one it is dark, and one that was not stored goes on saying so."""
    assert emergency.carry(None, []) is None
    assert emergency.carry(None, [(4, Origin("s", 4))]) == Raised(seq=4, name=Origin("s", 4))
    failed = emergency.record(None, "s")
    assert emergency.carry(failed, [(4, Origin("s", 4))]) == failed
