"""What holds of the lamps after any story of presses, settles and words from control."""

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.state.lamps import (
    EVENT_FAST_S,
    EVENT_STEADY_S,
    NOT_RECEIVED,
    NOT_RECEIVED_AFTER_S,
    REFUSED,
    Meaning,
    Shown,
    hear,
    plan_lamps,
    record_press,
    settle,
)
from tests.edge_agent.state.test_lamps import BUTTONS, SEEN, lit


class World:
    """A panel beside a plain record of what happened to it, for the invariants."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.panel, self.now_s, self.next_seq = SEEN, 0.0, 1
        self.log: list[dict[str, object]] = []
        self.shown: dict[str, Shown] = {}

    def press(self, button: str, stored: bool) -> None:
        """Somebody presses."""
        seq = self.next_seq if stored else None
        self.next_seq += stored
        self.panel = record_press(self.panel, BUTTONS[button], seq=seq, now_s=self.now_s)
        fate = "stored" if stored else "not_stored"
        self.log.append({"is": BUTTONS[button], "seq": seq, "fate": fate, "end_s": self.now_s})

    def settle(self, through: int, refused: frozenset[int]) -> None:
        """The cloud answers for what it may have got."""
        through = min(through, self.next_seq - 1)
        self.panel = settle(self.panel, through=through, refused=refused, now_s=self.now_s)
        for each in self.log:
            if each["fate"] == "stored" and isinstance(each["seq"], int) and each["seq"] <= through:
                fate = "refused" if each["seq"] in refused else "settled"
                each.update(fate=fate, end_s=self.now_s)

    def hear(self, code: str, seq: int | None) -> None:
        """Control's state comes, or expires (no code)."""
        self.shown = {"u1": Shown(code, None if seq is None else min(seq, self.next_seq - 1))} if code else {}
        self.panel = hear(self.panel, self.shown)

    def settled_event_within_10_s(self, meaning: Meaning) -> bool:
        """Whether an event code settled just now."""
        ends_s = [each["end_s"] for each in self.log if each["is"] == meaning and each["fate"] == "settled"]
        return any(isinstance(end_s, float) and self.now_s - end_s < EVENT_STEADY_S for end_s in ends_s)


actions = st.lists(
    st.one_of(
        st.tuples(st.just("press"), st.sampled_from(sorted(BUTTONS)), st.sampled_from([True, True, True, False])),
        st.tuples(st.just("settle"), st.integers(1, 12), st.frozensets(st.integers(1, 12), max_size=3)),
        st.tuples(st.just("hear"), st.sampled_from(["1", "4", "37", ""]), st.none() | st.integers(0, 12)),
        st.tuples(st.just("wait"), st.sampled_from([0.1, 1.0, 9.0, 11.0, 31.0]), st.none()),
    ),
    max_size=25,
)


def after(found: list[tuple[str, object, object]]) -> World:
    """The world after these actions."""
    world = World()
    for what, first, second in found:
        if what == "wait":
            assert isinstance(first, float)
            world.now_s += first
        else:
            getattr(world, what)(first, second)
    return world


@given(actions)
def test_steady_is_never_a_local_press_alone(found: list[tuple[str, object, object]]) -> None:
    """A steady status is what control shows, with no press waiting after it; a steady event settled within 10 s."""
    world = after(found)
    for name, lamp in plan_lamps(world.panel, BUTTONS, world.now_s).lamps.items():
        if lamp != "steady":
            continue
        meaning = BUTTONS[name]
        if meaning.event:
            assert world.settled_event_within_10_s(meaning)
            continue
        assert world.shown[meaning.unit].code == meaning.code
        own = [each for each in world.log if each["is"] in (BUTTONS["b1"], BUTTONS["b4"])]
        assert not own or name == "o1" or own[-1]["fate"] == "settled"


@given(actions, st.sampled_from(sorted(BUTTONS)), st.booleans(), st.floats(0.0, 29.0))
def test_the_newest_press_is_never_dark_before_it_ends(
    found: list[tuple[str, object, object]], button: str, stored: bool, wait_s: float
) -> None:
    """Whatever came before: a press blinks slowly until it settles, or fast if it could not be stored."""
    world = after(found)
    world.press(button, stored)
    world.now_s += wait_s
    assert plan_lamps(world.panel, BUTTONS, world.now_s).lamps[button] == ("slow" if stored else "fast")


@given(actions)
def test_one_status_of_a_unit_at_a_time(found: list[tuple[str, object, object]]) -> None:
    """Never are two standing statuses of a unit lit together."""
    world = after(found)
    shining = lit(world.panel, world.now_s)
    assert not {"b1", "b4"} <= set(shining)


@given(actions)
def test_the_notice_is_the_oldest_waiting_press(found: list[tuple[str, object, object]]) -> None:
    """With a stored press unanswered for 10 s the notice stands; with none waiting or failed there is none."""
    world = after(found)
    notice = plan_lamps(world.panel, BUTTONS, world.now_s).notice
    waiting_s = [each["end_s"] for each in world.log if each["fate"] == "stored"]
    if any(isinstance(at_s, float) and world.now_s - at_s >= NOT_RECEIVED_AFTER_S for at_s in waiting_s):
        assert notice == NOT_RECEIVED
    elif all(each["fate"] in ("settled", "stored") for each in world.log):
        assert notice == ""


@given(actions)
def test_what_failed_is_fast_and_under_a_notice_until_superseded(found: list[tuple[str, object, object]]) -> None:
    """Only a later status of the same unit, or the same press again, takes it off; never time, nor another unit."""
    world = after(found)
    view = plan_lamps(world.panel, BUTTONS, world.now_s)
    for at, each in enumerate(world.log):
        meaning, later = each["is"], [other["is"] for other in world.log[at + 1 :]]
        assert isinstance(meaning, Meaning) and isinstance(each["end_s"], float)
        standing = any(isinstance(one, Meaning) and one.unit == meaning.unit and not one.event for one in later)
        if each["fate"] not in ("not_stored", "refused") or standing or meaning in later:
            continue
        assert view.notice in (NOT_RECEIVED, REFUSED)
        if not meaning.event or world.now_s - each["end_s"] < EVENT_FAST_S:
            assert view.lamps[next(name for name, one in BUTTONS.items() if one == meaning)] == "fast"


@given(actions)
def test_what_is_forgotten_did_not_matter(found: list[tuple[str, object, object]]) -> None:
    """A panel keeps no more than what waits, events of late, and per meaning what failed and per unit what settled."""
    world = after(found)
    world.press("b4", True)
    old = [each for each in world.panel.presses if each.ended_at_s is not None]
    failed = [each.meaning for each in old if each.fate != "settled"]
    assert len(failed) == len(set(failed)) and not {BUTTONS["b1"], BUTTONS["b4"]} & set(failed)
    assert sum(each.fate == "settled" and not each.meaning.event for each in old) <= 2
    events = [each for each in old if each.fate == "settled" and each.meaning.event]
    assert all(world.now_s - (each.ended_at_s or 0.0) < EVENT_STEADY_S for each in events)
