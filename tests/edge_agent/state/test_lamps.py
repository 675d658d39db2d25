"""The lamp rule of the contract: what a crew reads off a lamp is true."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.state.lamps import (
    EVENT_STEADY_S,
    FAST_S,
    NOT_RECEIVED,
    NOT_RECEIVED_AFTER_S,
    PRESSES_MAX,
    Lamp,
    Meaning,
    Panel,
    Shown,
    hear,
    is_lit,
    next_blink_s,
    plan_lamps,
    record_press,
    settle,
)

BUTTONS = {
    "b1": Meaning("u1", "1"),
    "b4": Meaning("u1", "4"),
    "e9": Meaning("u1", "9", event=True),
    "o1": Meaning("u2", "1"),
}


def lit(panel: Panel, now_s: float) -> dict[str, Lamp]:
    """The lamps that are not dark."""
    return {name: lamp for name, lamp in plan_lamps(panel, BUTTONS, now_s).lamps.items() if lamp != "dark"}


def pressed(*presses: tuple[str, int | None, float]) -> Panel:
    """A panel after these presses: button, sequence, time."""
    panel = Panel()
    for button, seq, at_s in presses:
        panel = record_press(panel, BUTTONS[button], seq=seq, now_s=at_s)
    return panel


def settled(panel: Panel, through: int, now_s: float, refused: tuple[int, ...] = ()) -> Panel:
    """The panel after the cloud's word."""
    return settle(panel, through=through, refused=refused, now_s=now_s)


def heard(panel: Panel, code: str, seq: int | None) -> Panel:
    """The panel after control's state for the first unit."""
    return hear(panel, {"u1": Shown(code, seq)})


PRESS_4 = pressed(("b4", 7, 0.0))
SETTLED_4 = settled(PRESS_4, 7, 1.0)
SHOWN_4 = heard(SETTLED_4, "4", 7)
EVENT_9 = pressed(("e9", 7, 0.0))
REFUSED_4 = settled(PRESS_4, 7, 5.0, (7,))


@pytest.mark.parametrize(
    ("what", "panel", "now_s", "expected"),
    [
        ("nothing pressed, nothing heard", Panel(), 0.0, {}),
        ("stored", PRESS_4, 0.0, {"b4": "slow"}),
        ("stored for long", PRESS_4, 1e6, {"b4": "slow"}),
        ("stored, control shows this code from before", heard(PRESS_4, "4", 3), 1.0, {"b4": "slow"}),
        ("stored and already shown, settle still missing", heard(PRESS_4, "4", 7), 1.0, {"b4": "slow"}),
        ("settled, control unknown", SETTLED_4, 2.0, {"b4": "slow"}),
        ("settled, control shows an earlier press", heard(SETTLED_4, "1", 3), 2.0, {"b4": "slow"}),
        ("settled, control shows this code from an earlier press", heard(SETTLED_4, "4", 3), 2.0, {"b4": "slow"}),
        ("settled, control shows another's status", heard(SETTLED_4, "1", None), 2.0, {"b4": "slow"}),
        ("settled and shown", SHOWN_4, 2.0, {"b4": "steady"}),
        ("shown by another's word with the same code", heard(SETTLED_4, "4", None), 2.0, {"b4": "steady"}),
        ("settled and shown for long", SHOWN_4, 1e6, {"b4": "steady"}),
        ("shown, then control's state expired", hear(SHOWN_4, {}), 3.0, {"b4": "slow"}),
        ("shown, then control entered another", heard(SHOWN_4, "1", None), 3.0, {"b1": "steady"}),
        ("shown, then control entered one without a button", heard(SHOWN_4, "37", None), 3.0, {}),
        ("superseded by a press", record_press(SHOWN_4, BUTTONS["b1"], seq=8, now_s=3.0), 3.0, {"b1": "slow"}),
        ("superseded before it settled", pressed(("b4", 7, 0.0), ("b1", 8, 1.0)), 1.0, {"b1": "slow"}),
        ("another unit's press", record_press(SHOWN_4, BUTTONS["o1"], seq=8, now_s=3.0), 3.0,
         {"b4": "steady", "o1": "slow"}),
        ("only control's word", heard(Panel(), "1", None), 0.0, {"b1": "steady"}),
        ("only control's word, from an earlier stream", heard(Panel(), "1", 0), 0.0, {"b1": "steady"}),
        ("control's word on an event code", heard(Panel(), "9", None), 0.0, {}),
        ("not stored", pressed(("b4", None, 0.0)), 0.0, {"b4": "fast"}),
        ("not stored, until 30 s", pressed(("b4", None, 0.0)), FAST_S - 0.1, {"b4": "fast"}),
        ("not stored, after 30 s", pressed(("b4", None, 0.0)), FAST_S, {}),
        ("not stored, then another", pressed(("b4", None, 0.0), ("b1", 7, 1.0)), 1.0, {"b1": "slow"}),
        ("not stored, then another at once", pressed(("b4", None, 0.0), ("b1", 7, 0.0)), 0.0, {"b1": "slow"}),
        ("not stored twice at once", pressed(("b4", None, 0.0), ("b4", None, 0.0)), 0.0, {"b4": "fast"}),
        ("not stored, after one that waits", pressed(("b1", 7, 0.0), ("b4", None, 1.0)), 2.0, {"b4": "fast"}),
        ("not stored and over, one still waits", pressed(("b1", 7, 0.0), ("b4", None, 1.0)), 31.0, {"b1": "slow"}),
        ("settled, not yet shown, then an event", record_press(SETTLED_4, BUTTONS["e9"], seq=8, now_s=2.0), 2.0,
         {"b4": "slow", "e9": "slow"}),
        ("not stored, then an event", pressed(("b4", None, 0.0), ("e9", 7, 1.0)), 1.0, {"e9": "slow"}),
        ("refused", REFUSED_4, 5.0, {"b4": "fast"}),
        ("refused, until 30 s after it was told", REFUSED_4, 5.0 + FAST_S - 0.1, {"b4": "fast"}),
        ("refused, after 30 s", REFUSED_4, 5.0 + FAST_S, {}),
        ("refused while control shows another", heard(REFUSED_4, "1", 3), 6.0, {"b4": "fast"}),
        ("refused and over, control shows another", heard(REFUSED_4, "1", 3), 35.0, {"b1": "steady"}),
        ("refused, then any press", record_press(REFUSED_4, BUTTONS["o1"], seq=8, now_s=6.0), 6.0, {"o1": "slow"}),
        ("refused after a newer press of its unit", settled(pressed(("b4", 7, 0.0), ("b1", 8, 1.0)), 7, 2.0, (7,)),
         2.0, {"b1": "slow"}),
        ("an event, stored", EVENT_9, 0.0, {"e9": "slow"}),
        ("an event, settled", settled(EVENT_9, 7, 1.0), 1.0, {"e9": "steady"}),
        ("an event, almost 10 s after settle", settled(EVENT_9, 7, 1.0), 0.9 + EVENT_STEADY_S, {"e9": "steady"}),
        ("an event, 10 s after settle", settled(EVENT_9, 7, 1.0), 1.0 + EVENT_STEADY_S, {}),
        ("an event, refused", settled(EVENT_9, 7, 1.0, (7,)), 2.0, {"e9": "fast"}),
        ("an event, refused after a newer press", settled(pressed(("e9", 7, 0.0), ("b4", 8, 1.0)), 7, 2.0, (7,)),
         2.0, {"e9": "fast", "b4": "slow"}),
        ("an event beside a status", record_press(SHOWN_4, BUTTONS["e9"], seq=8, now_s=3.0), 3.0,
         {"b4": "steady", "e9": "slow"}),
    ],
)  # fmt: skip
def test_the_lamp_says(what: str, panel: Panel, now_s: float, expected: dict[str, Lamp]) -> None:
    """Each row of the contract's lamp rule, and each of its edges."""
    assert lit(panel, now_s) == expected, what


@pytest.mark.parametrize(
    ("what", "panel", "now_s", "late"),
    [
        ("nothing", Panel(), 100.0, False),
        ("young", PRESS_4, NOT_RECEIVED_AFTER_S - 0.1, False),
        ("10 s old", PRESS_4, NOT_RECEIVED_AFTER_S, True),
        ("settled in time", SETTLED_4, 100.0, False),
        ("settled late", settled(PRESS_4, 7, 60.0), 60.0, False),
        ("an older one still waits", pressed(("b4", 7, 0.0), ("b1", 8, 9.0)), 10.0, True),
        ("the same button pressed again and again", pressed(*(("b4", 7 + n, 3.0 * n) for n in range(5))), 12.0, True),
        ("an event too", EVENT_9, 10.0, True),
        ("not stored", pressed(("b4", None, 0.0)), 10.0, True),
        ("not stored, pressed again and settled", settled(pressed(("b4", None, 0.0), ("b4", 7, 3.0)), 7, 4.0),
         10.0, False),
        ("refused: the lamp says it", REFUSED_4, 15.0, False),
    ],
)  # fmt: skip
def test_the_notice_says_use_radio(what: str, panel: Panel, now_s: float, late: bool) -> None:
    """10 s after the oldest press that control has not answered for, the panel says to use the radio."""
    assert plan_lamps(panel, BUTTONS, now_s).notice == (NOT_RECEIVED if late else ""), what


def test_a_settle_below_leaves_a_press_waiting() -> None:
    """A watermark says nothing about what is above it, and a refusal once told stays told."""
    assert lit(settled(EVENT_9, 6, 1.0), 1.0) == {"e9": "slow"}
    assert lit(settled(REFUSED_4, 8, 6.0), 6.0) == {"b4": "fast"}


def test_a_long_cut_is_remembered_within_bounds() -> None:
    """However many presses wait, the oldest keeps the notice and the newest keeps its lamp, in bounded memory."""
    panel = pressed(*((("b4", "b1")[seq % 2], seq, float(seq)) for seq in range(2 * PRESSES_MAX)))
    assert len(panel.presses) == PRESSES_MAX
    assert panel.presses[0].seq == 0
    assert lit(panel, 2.0 * PRESSES_MAX) == {"b1": "slow"}


@given(st.floats(0, 1e6), st.sampled_from(["slow", "fast"]))
def test_blinking_lamps_turn_when_they_say(now_s: float, lamp: Lamp) -> None:
    """A blinking lamp is otherwise just after its next turn, and unchanged until just before."""
    wait_s = next_blink_s([lamp, "dark"], now_s)
    assert wait_s is not None and wait_s <= {"slow": 0.5, "fast": 0.1}[lamp] + 1e-6
    assert is_lit(lamp, now_s) != is_lit(lamp, now_s + wait_s + 1e-6)
    assert next_blink_s(["dark", "steady"], now_s) is None
    assert is_lit("steady", now_s) and not is_lit("dark", now_s)


class World:
    """A panel beside a plain record of what happened to it, for the invariants."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.panel, self.now_s, self.next_seq = Panel(), 0.0, 1
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
        taken = [each for each in own if each["fate"] in ("stored", "settled")]
        assert not taken or taken[-1]["fate"] == "settled"


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
    elif all(each["fate"] in ("settled", "refused", "stored") for each in world.log):
        assert notice == ""


@given(actions)
def test_what_is_forgotten_did_not_matter(found: list[tuple[str, object, object]]) -> None:
    """A panel keeps no more than what waits, what failed or settled lately, and a status per unit."""
    world = after(found)
    world.press("b4", True)
    old = [each for each in world.panel.presses if each.ended_at_s is not None]
    assert sum(world.now_s - (each.ended_at_s or 0.0) >= FAST_S for each in old) <= 2
