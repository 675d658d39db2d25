"""What a vehicle knows of its swap: from what its crew asked, and from control's newest word."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge_agent.state.swap import Stage, Swap, View, ask, carried, carry, drop_needless, hear, settle, view
from wire.messages import ClaimState

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
OWN = "spare-1"


def told(outcome: Any, unit: str = "kf-1", callsign: str = "14P1", minutes: int = 0, by: str = "") -> ClaimState:
    """Control's word of one unit."""
    at = NOON + timedelta(minutes=minutes)
    return ClaimState(unit=unit, callsign=callsign, scheme="uk-fire-gd92", outcome=outcome, at=at, by=by)


def asked(swap: Swap, callsign: str = " 14p1", seq: int = 1, *, on: bool = True) -> Swap:
    """The crew asks."""
    return ask(swap, callsign=callsign, on=on, stream="s", seq=seq)


def stage(swap: Swap) -> Stage:
    """How the vehicle stands."""
    return view(swap, OWN).stage


def test_a_swap_from_the_press_to_its_end() -> None:
    """Queued, waiting, confirmed, ended: each as control says it, and the presses go to the unit while it does."""
    swap = asked(Swap())
    assert (View(stage="queued", callsign=" 14p1"), None) == (view(swap, OWN), carried(swap))
    assert swap == hear(swap, []), "a word from before says nothing of it"
    swap = hear(swap, [told("waiting")])
    assert "waiting" == stage(swap) and (unit := carried(swap)) is not None and "kf-1" == unit.unit
    swap = hear(swap, [told("confirmed", minutes=1, by="Shah")])
    assert View(stage="confirmed", callsign="14P1", by="Shah") == view(swap, OWN)
    swap = hear(swap, [told("ended", minutes=2, by="Shah")])
    assert ("ended", None) == (stage(swap), carried(swap))
    assert "own" == stage(hear(swap, []))


def test_an_old_refusal_does_not_answer_a_new_word() -> None:
    """Refused once and asked again: the refusal from before leaves it queued, and a new one is the answer."""
    swap = asked(hear(asked(Swap()), [told("refused", minutes=1)]), seq=2)
    assert "queued" == stage(hear(swap, [told("refused", minutes=1)]))
    assert "refused" == stage(hear(swap, [told("refused", minutes=9)]))
    assert "waiting" == stage(hear(swap, [told("waiting", minutes=9)]))


def test_a_callsign_that_control_does_not_know() -> None:
    """Its event is refused: the page says so, and no other refusal counts."""
    swap = asked(Swap(), seq=7)
    assert "queued" == stage(settle(swap, stream="s", through=7, refused={6}))
    assert "queued" == stage(settle(swap, stream="other", through=7, refused={7}))
    assert "unknown" == stage(settle(swap, stream="s", through=7, refused={7}))
    assert "unknown" == stage(settle(carry(swap, stream="t", seq=1), stream="t", through=1, refused={1}))


def test_what_is_so_already_is_not_asked() -> None:
    """A word that waits at control, or holds, is not queued again; nor is the end of a swap that there is not."""
    waits = hear(Swap(), [told("waiting")])
    assert waits == asked(waits) and Swap() == asked(Swap(), on=False)


def test_a_wish_for_its_own_unit_is_over_once_control_has_it() -> None:
    """The vehicle carries it: nobody will answer, and the page does not say for ever that it is not at control."""
    swap = asked(Swap(), "Spare 1", seq=3)
    assert "queued" == view(drop_needless(swap, "SPARE 1"), OWN).stage, "it is not at control yet"
    stored = settle(swap, stream="s", through=3, refused=())
    assert "own" == stage(drop_needless(stored, "SPARE 1"))
    assert "queued" == stage(drop_needless(stored, "SPARE 2")), "another's is answered by control's word"
    gone = hear(Swap(), [told("ended", unit=OWN, callsign="SPARE 1")])
    back = settle(asked(gone, "SPARE 1", seq=3), stream="s", through=3, refused=())
    assert "queued" == stage(drop_needless(back, "SPARE 1")), "another vehicle carries it: control decides"


def test_the_end_of_a_swap_waits_for_control() -> None:
    """It is a proposal: the unit is carried on until control says otherwise, and a refusal is an answer too."""
    swap = asked(hear(Swap(), [told("confirmed", by="Shah")]), on=False)
    assert View(stage="confirmed", callsign="14P1", by="Shah", leaving=True) == view(swap, OWN)
    assert carried(swap) is not None
    assert not view(hear(swap, [told("confirmed", minutes=5, by="Okafor")]), OWN).leaving
    assert "ended" == stage(hear(swap, [told("ended", minutes=5)]))


def test_another_vehicle_carries_its_own_unit() -> None:
    """The old vehicle's page says so whatever else is told; its crew may ask for it back."""
    gone = told("ended", unit=OWN, callsign="SPARE 1", by="Shah")
    swap = hear(Swap(), [gone, told("refused", minutes=9)])
    assert View(stage="elsewhere", callsign="SPARE 1", by="Shah") == view(swap, OWN)
    back = hear(asked(swap, "spare 1"), [told("waiting", unit=OWN, callsign="SPARE 1", minutes=1)])
    assert "waiting" == stage(back)
    assert "own" == stage(hear(back, [told("confirmed", unit=OWN, callsign="SPARE 1", minutes=2)]))


def test_the_unit_that_waits_comes_before_the_one_that_holds() -> None:
    """From one unit to another: what is pressed is pressed for the one that was asked for last."""
    swap = hear(Swap(), [told("confirmed"), told("waiting", unit="kf-2", callsign="14P2", minutes=1)])
    assert (unit := carried(swap)) is not None and "kf-2" == unit.unit


@pytest.mark.parametrize("outcome", ["waiting", "confirmed"])
def test_a_new_disk_learns_it_from_control(outcome: Any) -> None:
    """Nothing is noted here: the retained state tells it again."""
    assert outcome == stage(hear(Swap(), [told(outcome)]))
