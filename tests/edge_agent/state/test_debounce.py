"""One push is one press, at once, whatever the contact does."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.readings import Press
from edge_agent.state.debounce import STUCK_AFTER_S, Debounce, apply, find_stuck

DEBOUNCE_S = 0.03

Edge = tuple[str, bool, float]

bounces = st.lists(st.floats(0.0005, 0.0025), max_size=10)
"""Gaps between the edges of a bouncing contact: together shorter than the debounce time."""


def presses(edges: list[Edge]) -> list[tuple[str, float]]:
    """Each press with its time."""
    state, found = Debounce(DEBOUNCE_S), list[tuple[str, float]]()
    for button, down, at_s in edges:
        state, pressed = apply(state, Press(button, down), at_s)
        found += [(name, at_s) for name in pressed]
    return found


def bounce(button: str, down: bool, at_s: float, gaps_s: list[float]) -> list[Edge]:
    """The edges of a contact that closes (or opens) at `at_s`, bounces, and ends closed (or open)."""
    edges = [(button, down, at_s)]
    for index, gap_s in enumerate(gaps_s):
        at_s += gap_s
        edges.append((button, down == (index % 2 == 1), at_s))
    if len(gaps_s) % 2 == 1:
        edges.append((button, down, at_s + 0.001))
    return edges


@given(bounces, bounces, st.floats(0.001, 20.0))
def test_one_push_is_one_press_at_its_first_edge(closing: list[float], opening: list[float], held_s: float) -> None:
    """However the contact bounces, closing and opening, and however short the push: one press, without waiting."""
    released_s = 100.0 + sum(closing) + 0.001 + held_s
    edges = bounce("b4", True, 100.0, closing) + bounce("b4", False, released_s, opening)
    assert presses(edges) == [("b4", 100.0)]


@given(st.lists(st.tuples(bounces, st.floats(0.001, 5.0), bounces, st.floats(0.05, 5.0)), max_size=6))
def test_every_push_counts(pushes: list[tuple[list[float], float, list[float], float]]) -> None:
    """Pushes with a held release between them are as many presses, each at its first edge."""
    edges, expected, now_s = list[Edge](), list[tuple[str, float]](), 100.0
    for closing, held_s, opening, open_s in pushes:
        expected.append(("b4", now_s))
        edges += bounce("b4", True, now_s, closing)
        now_s = edges[-1][2] + held_s
        edges += bounce("b4", False, now_s, opening)
        now_s = edges[-1][2] + open_s
    assert presses(edges) == expected


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0.0, 0.1))))
def test_any_edges_at_all(found: list[tuple[str, bool, float]]) -> None:
    """A first down edge is never lost, and two presses of a button are never closer than the debounce time."""
    edges, now_s = list[Edge](), 0.0
    for button, down, gap_s in found:
        now_s += gap_s
        edges.append((button, down, now_s))
    for name in "ab":
        own = [at_s for button, at_s in presses(edges) if button == name]
        downs = [at_s for button, down, at_s in edges if button == name and down]
        assert own[:1] == downs[:1]
        assert all(later - earlier >= DEBOUNCE_S for earlier, later in zip(own, own[1:], strict=False))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans(), st.floats(0.0, 0.1))))
def test_buttons_do_not_affect_each_other(found: list[tuple[str, bool, float]]) -> None:
    """Two buttons at once are two streams: each press is what it would be alone."""
    edges, now_s = list[Edge](), 0.0
    for button, down, gap_s in found:
        now_s += gap_s
        edges.append((button, down, now_s))
    alone = [press for name in "ab" for press in presses([edge for edge in edges if edge[0] == name])]
    assert sorted(presses(edges)) == sorted(alone)


def test_a_second_button_counts_while_the_first_is_held() -> None:
    """Two buttons held together are two presses."""
    assert presses([("a", True, 1.0), ("b", True, 1.001)]) == [("a", 1.0), ("b", 1.001)]


def test_a_release_must_hold() -> None:
    """A release shorter than the debounce time starts no new press, a longer one does."""
    assert presses([("a", True, 1.0), ("a", False, 2.0), ("a", True, 2.029)]) == [("a", 1.0)]
    assert presses([("a", True, 1.0), ("a", False, 2.0), ("a", True, 2.031)]) == [("a", 1.0), ("a", 2.031)]


def test_a_repeated_release_does_not_restart_the_wait() -> None:
    """Being told twice that a button is up does not make the next push too early."""
    edges = [("a", True, 1.0), ("a", False, 2.0), ("a", False, 2.02), ("a", True, 2.035)]
    assert presses(edges) == [("a", 1.0), ("a", 2.035)]


def test_a_stuck_button_is_told_once_per_hold() -> None:
    """Held for more than 30 s is stuck, once, with no press; let go and held again it is told again."""
    state, _ = apply(Debounce(DEBOUNCE_S), Press("a", True), 100.0)
    assert find_stuck(state, 100.0 + STUCK_AFTER_S)[1] == ()
    state, found = find_stuck(state, 100.1 + STUCK_AFTER_S)
    assert found == ("a",)
    assert find_stuck(state, 1_000.0) == (state, ())
    state, pressed = apply(state, Press("a", True), 1_000.0)
    assert pressed == ()
    state, _ = apply(state, Press("a", False), 1_001.0)
    state, pressed = apply(state, Press("a", True), 1_002.0)
    assert pressed == ("a",)
    assert find_stuck(state, 1_033.0)[1] == ("a",)


def test_a_button_let_go_is_not_stuck() -> None:
    """A released button is never stuck; one that was chattering all the while is."""
    state, _ = apply(Debounce(DEBOUNCE_S), Press("a", True), 0.0)
    state, _ = apply(state, Press("a", False), 20.0)
    assert find_stuck(state, 60.0)[1] == ()
    state, _ = apply(state, Press("a", True), 20.01)
    assert find_stuck(state, 60.0)[1] == ("a",)
