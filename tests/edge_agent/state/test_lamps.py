"""The lamp rule of the contract: what a crew reads off a lamp is true."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.state.lamps import (
    EVENT_FAST_S,
    EVENT_STEADY_S,
    NOT_RECEIVED,
    NOT_RECEIVED_AFTER_S,
    PRESSES_MAX,
    REFUSED,
    UNSEEN,
    Lamp,
    Meaning,
    Panel,
    Shown,
    carry_over,
    hear,
    is_lit,
    next_blink_s,
    plan_lamps,
    record_press,
    settle,
    vouch,
)

BUTTONS = {
    "b1": Meaning("u1", "1"),
    "b4": Meaning("u1", "4"),
    "e9": Meaning("u1", "9", event=True),
    "o1": Meaning("u2", "1"),
}
SEEN = Panel(seen_until_s=math.inf)
"""A panel that control never loses sight of."""


def lit(panel: Panel, now_s: float) -> dict[str, Lamp]:
    """The lamps that are not dark."""
    return {name: lamp for name, lamp in plan_lamps(panel, BUTTONS, now_s).lamps.items() if lamp != "dark"}


def pressed(*presses: tuple[str, int | None, float]) -> Panel:
    """A panel after these presses: button, sequence, time."""
    panel = SEEN
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
REFUSED_9 = settled(EVENT_9, 7, 1.0, (7,))
LOST_4 = pressed(("b4", None, 0.0))
LOST_9 = pressed(("e9", None, 0.0))


def then(panel: Panel, button: str, seq: int | None, at_s: float) -> Panel:
    """The panel after one more press."""
    return record_press(panel, BUTTONS[button], seq=seq, now_s=at_s)


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
        ("not stored", LOST_4, 0.0, {"b4": "fast"}),
        ("not stored, a day ago", LOST_4, 86_400.0, {"b4": "fast"}),
        ("not stored, while control shows another", heard(LOST_4, "1", None), 60.0, {"b4": "fast"}),
        ("not stored, then another unit's press", then(LOST_4, "o1", 7, 1.0), 1.0, {"b4": "fast", "o1": "slow"}),
        ("not stored, then another", pressed(("b4", None, 0.0), ("b1", 7, 1.0)), 1.0, {"b1": "slow"}),
        ("not stored, then another at once", pressed(("b4", None, 0.0), ("b1", 7, 0.0)), 0.0, {"b1": "slow"}),
        ("not stored twice at once", pressed(("b4", None, 0.0), ("b4", None, 0.0)), 0.0, {"b4": "fast"}),
        ("not stored, after one that waits", pressed(("b1", 7, 0.0), ("b4", None, 1.0)), 2.0, {"b4": "fast"}),
        ("not stored, and the one before settles", settled(pressed(("b1", 7, 0.0), ("b4", None, 1.0)), 7, 2.0), 2.0,
         {"b4": "fast"}),
        ("settled, not yet shown, then an event", record_press(SETTLED_4, BUTTONS["e9"], seq=8, now_s=2.0), 2.0,
         {"b4": "slow", "e9": "slow"}),
        ("not stored, then an event", then(LOST_4, "e9", 7, 1.0), 1.0, {"b4": "fast", "e9": "slow"}),
        ("refused", REFUSED_4, 5.0, {"b4": "fast"}),
        ("refused, a day ago", REFUSED_4, 86_400.0, {"b4": "fast"}),
        ("refused while control shows another", heard(REFUSED_4, "1", 3), 6.0, {"b4": "fast"}),
        ("refused, then another unit's press", then(REFUSED_4, "o1", 8, 6.0), 6.0, {"b4": "fast", "o1": "slow"}),
        ("refused, then an event", then(REFUSED_4, "e9", 8, 6.0), 6.0, {"b4": "fast", "e9": "slow"}),
        ("refused, then the same again", then(REFUSED_4, "b4", 8, 6.0), 6.0, {"b4": "slow"}),
        ("refused, then another, settled and shown", heard(settled(then(REFUSED_4, "b1", 8, 6.0), 8, 7.0), "1", 8),
         7.0, {"b1": "steady"}),
        ("refused after a newer press of its unit", settled(pressed(("b4", 7, 0.0), ("b1", 8, 1.0)), 7, 2.0, (7,)),
         2.0, {"b1": "slow"}),
        ("an event, stored", EVENT_9, 0.0, {"e9": "slow"}),
        ("an event, settled", settled(EVENT_9, 7, 1.0), 1.0, {"e9": "steady"}),
        ("an event, almost 10 s after settle", settled(EVENT_9, 7, 1.0), 0.9 + EVENT_STEADY_S, {"e9": "steady"}),
        ("an event, 10 s after settle", settled(EVENT_9, 7, 1.0), 1.0 + EVENT_STEADY_S, {}),
        ("an event, refused", REFUSED_9, 2.0, {"e9": "fast"}),
        ("an event, refused almost 30 s ago", REFUSED_9, 0.9 + EVENT_FAST_S, {"e9": "fast"}),
        ("an event, refused 30 s ago", REFUSED_9, 1.0 + EVENT_FAST_S, {}),
        ("an event, refused, then a status", then(REFUSED_9, "b4", 8, 2.0), 2.0, {"b4": "slow"}),
        ("an event, not stored, then another unit's press", then(LOST_9, "o1", 7, 1.0), 1.0,
         {"e9": "fast", "o1": "slow"}),
        ("an event, failed long ago, an earlier one waits", pressed(("e9", 7, 0.0), ("e9", None, 1.0)), 40.0,
         {"e9": "slow"}),
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
    ("what", "panel", "now_s", "notice"),
    [
        ("nothing", SEEN, 100.0, ""),
        ("young", PRESS_4, NOT_RECEIVED_AFTER_S - 0.1, ""),
        ("10 s old", PRESS_4, NOT_RECEIVED_AFTER_S, NOT_RECEIVED),
        ("settled in time", SETTLED_4, 100.0, ""),
        ("settled late", settled(PRESS_4, 7, 60.0), 60.0, ""),
        ("an older one still waits", pressed(("b4", 7, 0.0), ("b1", 8, 9.0)), 10.0, NOT_RECEIVED),
        ("the same button again and again", pressed(*(("b4", 7 + n, 3.0 * n) for n in range(5))), 12.0, NOT_RECEIVED),
        ("an event too", EVENT_9, 10.0, NOT_RECEIVED),
        ("not stored, at once", LOST_4, 0.0, NOT_RECEIVED),
        ("not stored, a day ago", LOST_4, 86_400.0, NOT_RECEIVED),
        ("not stored, pressed again", then(LOST_4, "b4", 7, 3.0), 3.0, ""),
        ("not stored, another pressed", then(LOST_4, "b1", 7, 3.0), 3.0, ""),
        ("not stored, another unit's pressed", then(LOST_4, "o1", 7, 3.0), 3.0, NOT_RECEIVED),
        ("not stored, an event pressed and settled", settled(then(LOST_4, "e9", 7, 3.0), 7, 4.0), 4.0, NOT_RECEIVED),
        ("refused, at once", REFUSED_4, 5.0, REFUSED),
        ("refused, a day ago", REFUSED_4, 86_400.0, REFUSED),
        ("refused, another unit's pressed", then(REFUSED_4, "o1", 8, 6.0), 6.0, REFUSED),
        ("refused, another unit's waits", then(REFUSED_4, "o1", 8, 6.0), 16.0, NOT_RECEIVED),
        ("refused, pressed again", then(REFUSED_4, "b4", 8, 6.0), 6.0, ""),
        ("refused after a newer one", settled(pressed(("b4", 7, 0.0), ("b1", 8, 1.0)), 7, 2.0, (7,)), 2.0, ""),
        ("an event refused, its lamp is dark again", REFUSED_9, 60.0, REFUSED),
        ("an event refused after a newer status", settled(pressed(("e9", 7, 0.0), ("b4", 8, 1.0)), 8, 2.0, (7,)), 60.0,
         REFUSED),
        ("an event refused, then a status", then(REFUSED_9, "b4", 8, 60.0), 60.0, ""),
        ("an event refused, and again", then(REFUSED_9, "e9", 8, 60.0), 60.0, ""),
    ],
)  # fmt: skip
def test_the_notice_says_use_radio(what: str, panel: Panel, now_s: float, notice: str) -> None:
    """At once for what failed, until it is superseded, and 10 s after a press that control has not answered for."""
    assert plan_lamps(panel, BUTTONS, now_s).notice == notice, what


@pytest.mark.parametrize(
    ("what", "panel", "answer_age_s", "notice"),
    [
        ("no answer yet", Panel(), math.inf, UNSEEN),
        ("just answered", Panel(), 0.0, ""),
        ("answered 2 E + 5 s ago", Panel(), 45.0, ""),
        ("answered longer ago", Panel(), 45.1, UNSEEN),
        ("silent, all steady", SHOWN_4, 300.0, UNSEEN),
        ("silent, and a press is young", pressed(("b4", 7, 299.0)), 300.0, UNSEEN),
        ("silent, and a press waits", PRESS_4, 300.0, NOT_RECEIVED),
        ("silent, and a press was refused", REFUSED_4, 300.0, REFUSED),
    ],
)
def test_a_silent_control_is_said(what: str, panel: Panel, answer_age_s: float, notice: str) -> None:
    """Without an answer for 2 E + 5 s the panel says that control cannot see it, unless a press says worse."""
    panel = vouch(panel, answer_age_s=answer_age_s, heartbeat_s=20.0, now_s=300.0)
    assert plan_lamps(panel, BUTTONS, 300.0).notice == notice, what


def test_silence_changes_no_lamp_and_grows_by_itself() -> None:
    """A lamp says what control showed last; that nobody has heard from it since is the notice's, by time alone."""
    panel = vouch(SHOWN_4, answer_age_s=1.0, heartbeat_s=1.0, now_s=10.0)
    assert plan_lamps(panel, BUTTONS, 16.0).notice == ""
    assert plan_lamps(panel, BUTTONS, 16.1).notice == UNSEEN
    assert lit(panel, 16.1) == {"b4": "steady"}


def test_what_an_earlier_run_left_is_late_at_once() -> None:
    """How long it has waited is not known: the ten seconds do not begin anew with every start."""
    panel = carry_over(SEEN, [(4, BUTTONS["b4"]), (5, BUTTONS["e9"])])
    assert lit(panel, 0.0) == {"b4": "slow", "e9": "slow"}
    assert plan_lamps(panel, BUTTONS, 0.0).notice == NOT_RECEIVED
    assert plan_lamps(settled(panel, 5, 1.0), BUTTONS, 1.0).notice == ""


def test_in_a_new_stream_a_press_keeps_its_own_time() -> None:
    """Its ten seconds go on, whatever its sequence is there; one from before the start stays late."""
    panel = carry_over(
        pressed(("b4", 7, 0.0), ("b1", 8, 4.0), ("e9", 9, 6.0)), [(1, BUTTONS["b1"]), (2, BUTTONS["e9"])]
    )
    assert [(each.seq, each.pressed_at_s) for each in panel.presses] == [(1, 4.0), (2, 6.0)]
    earlier = carry_over(pressed(("b4", 7, 0.0)), [(1, BUTTONS["b1"]), (2, BUTTONS["b4"])])
    assert [(each.seq, each.pressed_at_s) for each in earlier.presses] == [(1, -math.inf), (2, 0.0)]


@pytest.mark.parametrize(("panel", "notice"), [(LOST_4, NOT_RECEIVED), (REFUSED_4, REFUSED)])
def test_in_a_new_stream_what_failed_stays_failed(panel: Panel, notice: str) -> None:
    """Nobody has pressed again: the lamp stays fast and the notice stands, beside what is carried over."""
    panel = carry_over(then(panel, "o1", 8, 6.0), [(1, BUTTONS["o1"])])
    assert lit(panel, 7.0) == {"b4": "fast", "o1": "slow"}
    panel = settled(panel, 8, 8.0)
    assert plan_lamps(panel, BUTTONS, 8.0).notice == notice
    assert lit(then(panel, "b1", 2, 9.0), 9.0) == {"b1": "slow", "o1": "slow"}


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


def test_a_long_cut_forgets_nothing_that_failed() -> None:
    """However many presses wait for one unit, what failed for another stays fast."""
    panel = pressed(("b4", 0, 0.0), ("o1", None, 1.0))
    for seq in range(1, PRESSES_MAX + 3):
        panel = then(panel, ("b4", "b1")[seq % 2], seq, 1.0 + seq)
    assert len(panel.presses) == PRESSES_MAX
    assert panel.presses[0].seq == 0
    assert lit(panel, 1_000.0) == {"b4": "slow", "o1": "fast"}


@given(st.floats(0, 1e6), st.sampled_from(["slow", "fast"]))
def test_blinking_lamps_turn_when_they_say(now_s: float, lamp: Lamp) -> None:
    """A blinking lamp is otherwise just after its next turn, and unchanged until just before."""
    wait_s = next_blink_s([lamp, "dark"], now_s)
    assert wait_s is not None and wait_s <= {"slow": 0.5, "fast": 0.1}[lamp] + 1e-6
    assert is_lit(lamp, now_s) != is_lit(lamp, now_s + wait_s + 1e-6)
    assert next_blink_s(["dark", "steady"], now_s) is None
    assert is_lit("steady", now_s) and not is_lit("dark", now_s)
