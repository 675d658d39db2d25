"""The guarded emergency button: held for long enough it raises an emergency, once; and what its own lamp says. Pure.

Product rule: emergency is a long press on a guarded hardware button, never on glass. A push that is let go earlier is
nothing. A button that stays down has raised one emergency and then is a fault, never a second emergency. All times
are seconds of the monotonic clock.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Literal

import msgspec

from edge_agent.state.debounce import STUCK_AFTER_S
from edge_agent.state.lamps import Lamp
from wire.events import Origin

HOLD_S = 1.0

Happened = Literal["raised", "stuck", "freed"]
"""`raised`: commit an emergency. `stuck` and `freed`: the fault began, and it ended."""


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The button's contact, as far as its present push goes."""

    hold_s: float = HOLD_S
    debounce_s: float = 0.03
    """A contact that opens for less than this has only bounced: the push goes on."""
    down_s: float | None = None
    """When the push began; None while there is none."""
    open_s: float | None = None
    """Since when the contact has been open within a push; None while it is closed."""
    raised: bool = False
    """This push has raised its emergency."""
    stuck: bool = False
    """This push has been reported as stuck."""


def apply(guard: Guard, down: bool, now_s: float) -> tuple[Guard, tuple[Happened, ...]]:
    """Fold one edge of the contact, and whatever time alone had brought about before it."""
    guard, happened = pass_time(guard, now_s)
    if down:
        began_s = now_s if guard.down_s is None else guard.down_s
        return msgspec.structs.replace(guard, down_s=began_s, open_s=None), happened
    if guard.down_s is not None and guard.open_s is None:
        guard = msgspec.structs.replace(guard, open_s=now_s)
    return guard, happened


def pass_time(guard: Guard, now_s: float) -> tuple[Guard, tuple[Happened, ...]]:
    """Tell what has happened by `now_s` without another edge. However late it is asked, nothing is told twice."""
    down_s = guard.down_s
    if down_s is None:
        return guard, ()
    happened: list[Happened] = []
    closed_until_s = now_s if guard.open_s is None else guard.open_s
    if not guard.raised and closed_until_s >= down_s + guard.hold_s:
        guard = msgspec.structs.replace(guard, raised=True)
        happened.append("raised")
    if not guard.stuck and closed_until_s > down_s + STUCK_AFTER_S:
        guard = msgspec.structs.replace(guard, stuck=True)
        happened.append("stuck")
    if guard.open_s is not None and now_s >= guard.open_s + guard.debounce_s:
        if guard.stuck:
            happened.append("freed")
        guard = Guard(hold_s=guard.hold_s, debounce_s=guard.debounce_s)
    return guard, tuple(happened)


def due_s(guard: Guard) -> float | None:
    """When `pass_time` next has something to say, if no edge comes; None while nobody pushes."""
    if guard.down_s is None:
        return None
    if guard.open_s is not None:
        return guard.open_s + guard.debounce_s
    if not guard.raised:
        return guard.down_s + guard.hold_s
    return None if guard.stuck else guard.down_s + STUCK_AFTER_S + guard.debounce_s


class Raised(msgspec.Struct, frozen=True, kw_only=True):
    """The newest emergency of this button, and what has become of it."""

    seq: int | None
    """Its sequence in the status queue; None where it was not stored, or is not there any more."""
    name: Origin | None = None
    """The place where it was first stored: control calls it by that, whichever stream it was carried to."""
    failed: bool = False
    """It was not stored, or the cloud refused it."""
    acknowledged: bool = False
    """A person at control has it in hand."""
    over: bool = False
    """Control has ended it."""


def record(seq: int | None, stream: str) -> Raised:
    """Take in an emergency that the outbox committed as `seq` of a stream, or could not commit (None)."""
    return Raised(seq=seq, name=None if seq is None else Origin(stream, seq), failed=seq is None)


def carry(raised: Raised | None, unsettled: Sequence[tuple[int, Origin]]) -> Raised | None:
    """Go on after a start, or in a new stream, with the emergencies that are unsettled there: sequence and name."""
    if raised is not None and raised.failed:
        return raised
    if not unsettled:
        return None if raised is None else msgspec.structs.replace(raised, seq=None)
    seq, name = unsettled[-1]
    if raised is None or raised.name != name:
        return Raised(seq=seq, name=name)
    return msgspec.structs.replace(raised, seq=seq)


def settle(raised: Raised, *, through: int, refused: Collection[int]) -> Raised:
    """Take in the cloud's word. That it is stored there says nothing of a person: only a refusal changes the lamp."""
    if raised.seq is None or raised.seq > through or raised.seq not in refused:
        return raised
    return msgspec.structs.replace(raised, failed=True)


def hear(raised: Raised | None, told: Mapping[Origin, bool]) -> Raised | None:
    """Take in control's word: which emergencies are in hand, and of each whether it was cancelled; the newest last.

    Control tells of an emergency from when somebody has it in hand until a while after it was cancelled. So one that
    is in hand and is told of no more is over. Where nothing is known of any, as after a start, the newest that is in
    hand is this button's.
    """
    if raised is None or raised.over:
        in_hand = [name for name, cancelled in told.items() if not cancelled]
        if raised is not None or not in_hand:
            return raised
        return Raised(seq=None, name=in_hand[-1], acknowledged=True)
    if raised.name is None:
        return raised
    if raised.name not in told:
        return msgspec.structs.replace(raised, over=raised.acknowledged)
    return msgspec.structs.replace(raised, failed=False, acknowledged=True, over=told[raised.name])


def plan_lamp(raised: Raised | None) -> Lamp:
    """The button's own lamp: slow is stored here, fast not stored or refused, steady in hand, dark when it is over."""
    if raised is None or raised.over:
        return "dark"
    if raised.acknowledged:
        return "steady"
    return "fast" if raised.failed else "slow"
