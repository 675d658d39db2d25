"""What each lamp of a panel says, and its notice. Pure.

The rule is "Lamps and panel" of the wire contract, version 1: dark says nothing; slow, the press is committed here and
has not yet ended as control's word; steady, it settled and control's `state` shows it (an event code: for 10 s after
settle); fast, it was not stored or it was refused. Never steady on a local press alone. A press that failed stays
fast, and under a notice, until a person has pressed again: nothing else says that somebody has seen it. All times are
seconds of the monotonic clock.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

Lamp = Literal["dark", "slow", "steady", "fast"]
Fate = Literal["not_stored", "stored", "settled", "refused"]

NOT_RECEIVED = "NOT RECEIVED: USE RADIO"
"""The notice of a press that waits or was not stored, word for word from the contract."""
REFUSED = "REFUSED: USE RADIO"
UNSEEN = "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE"
"""The notice while control is silent, word for word from the product's panel."""
NOT_RECEIVED_AFTER_S = 10.0
EVENT_STEADY_S = 10.0
EVENT_FAST_S = 30.0
"""How long the lamp of an event code that failed blinks, unless it is superseded first. Its notice stays."""
BLINK_HALF_S: Mapping[Lamp, float] = {"slow": 0.5, "fast": 0.1}
PRESSES_MAX = 512
"""Presses remembered at once, a bound for a long cut; past it the oldest superseded ones are forgotten."""


class Meaning(msgspec.Struct, frozen=True):
    """What a button says: a code for a unit. An `event` code never becomes the unit's standing status."""

    unit: str
    code: str
    event: bool = False


class PressState(msgspec.Struct, frozen=True, kw_only=True):
    """One press, and what has become of it."""

    meaning: Meaning
    pressed_at_s: float
    """When it was pressed; minus infinity where that was before this run."""
    seq: int | None
    """Its sequence in the status queue; None where it was not stored."""
    fate: Fate
    ended_at_s: float | None = None
    """When it settled, was refused or failed to be stored; None while it is stored and waiting."""
    shown: bool = False
    """It settled, and control's state has shown it: another status there is a newer one."""


class Shown(msgspec.Struct, frozen=True):
    """The status that control's state shows for a unit."""

    code: str
    seq: int | None
    """Its sequence in this device's present stream (0: of an earlier stream); None where another said it."""


class Panel(msgspec.Struct, frozen=True):
    """The presses that may still matter, oldest first, and what control shows per unit."""

    presses: tuple[PressState, ...] = ()
    shown: Mapping[str, Shown] = {}
    seen_until_s: float = -math.inf
    """Until then the newest answer from the cloud proves that control sees this panel; without one, it does not."""


class PanelView(msgspec.Struct, frozen=True):
    """What the panel shows: a lamp for every button, and a notice, which may be empty."""

    lamps: dict[str, Lamp]
    notice: str


def is_lit(lamp: Lamp, now_s: float) -> bool:
    """Whether a lamp burns at `now_s`: slow blinks at 1 Hz, fast at 5 Hz, half of the time on."""
    half_s = BLINK_HALF_S.get(lamp)
    return lamp == "steady" if half_s is None else int(now_s / half_s) % 2 == 0


def next_blink_s(lamps: Collection[Lamp], now_s: float) -> float | None:
    """Seconds from `now_s` until one of `lamps` turns on or off by itself; None where none blinks."""
    halves_s = [BLINK_HALF_S[lamp] for lamp in lamps if lamp in BLINK_HALF_S]
    return min(((int(now_s / half_s) + 1) * half_s - now_s for half_s in halves_s), default=None)


def record_press(panel: Panel, meaning: Meaning, *, seq: int | None, now_s: float) -> Panel:
    """Take in a press that the outbox committed as `seq`, or could not commit (None)."""
    ended_at_s = None if seq is not None else now_s
    fate: Fate = "stored" if seq is not None else "not_stored"
    new = PressState(meaning=meaning, pressed_at_s=now_s, seq=seq, fate=fate, ended_at_s=ended_at_s)
    presses = _worth_keeping((*panel.presses, new), now_s)
    if len(presses) > PRESSES_MAX:
        presses = _without_one(presses)
    return msgspec.structs.replace(panel, presses=presses)


def carry_over(panel: Panel, unsettled: Sequence[tuple[int, Meaning]]) -> Panel:
    """Go on with what the outbox holds unsettled, in the order of its sequences: after a start, or in a new stream.

    Sequences count anew there, so nothing that settled is kept. What failed stays failed. A press of this run keeps its
    own time; any other is late at once, for how long it has waited is not known.
    """
    known = [each for each in panel.presses if each.fate == "stored"]
    carried: list[PressState] = []
    for seq, meaning in reversed(unsettled):
        while known and known[-1].meaning != meaning:
            known.pop()
        pressed_at_s = known.pop().pressed_at_s if known else -math.inf
        carried.insert(0, PressState(meaning=meaning, pressed_at_s=pressed_at_s, seq=seq, fate="stored"))
    failed = tuple(each for each in _in_force(panel.presses) if _failed(each))
    return msgspec.structs.replace(panel, presses=(*carried, *failed))


def vouch(panel: Panel, *, answer_age_s: float, heartbeat_s: float, now_s: float) -> Panel:
    """Take in how old the newest answer from the cloud is (infinite: none yet in this run).

    It proves that control sees this panel for 2 E + 5 s, E being the heartbeat's interval: the cloud calls the link
    late by the same rule (decision 8).
    """
    return msgspec.structs.replace(panel, seen_until_s=now_s - answer_age_s + 2 * heartbeat_s + 5)


def settle(panel: Panel, *, through: int, refused: Collection[int], now_s: float) -> Panel:
    """Take in the cloud's word: every sequence up to `through` has ended, those in `refused` as refused."""
    presses = tuple(_settled(each, through, refused, now_s) for each in panel.presses)
    return _note_shown(msgspec.structs.replace(panel, presses=presses))


def hear(panel: Panel, shown: Mapping[str, Shown]) -> Panel:
    """Take in control's state, by unit. A unit is left out where that state is unknown or has expired."""
    return _note_shown(msgspec.structs.replace(panel, shown=dict(shown)))


def forget_others(panel: Panel, units: Collection[str]) -> Panel:
    """Forget the presses that have ended of units that no button here declares for any more."""
    presses = tuple(each for each in panel.presses if each.fate == "stored" or each.meaning.unit in units)
    return msgspec.structs.replace(panel, presses=presses)


def plan_lamps(panel: Panel, buttons: Mapping[str, Meaning], now_s: float) -> PanelView:
    """The lamp of every button, and the notice, as they should be at `now_s`.

    Of a unit's standing presses only the newest is lit (decision 12: the last press stands), and while it waits or
    blinks no other status of that unit is. Otherwise the status that control shows, whoever entered it, is steady.
    Both change with time alone, so ask again at least once a second.
    """
    presses = _in_force(panel.presses)
    lit: dict[Meaning, Lamp] = {}
    for each in presses:
        if each.meaning.event and (lamp := _event_lamp(each, now_s)) != "dark":
            lit[each.meaning] = lamp
    for unit in {meaning.unit for meaning in buttons.values()}:
        lit |= _standing_lamp(presses, unit, panel.shown.get(unit))
    lamps: dict[str, Lamp] = {name: lit.get(meaning, "dark") for name, meaning in buttons.items()}
    return PanelView(lamps, _notice(presses, now_s, seen=now_s <= panel.seen_until_s))


def is_overruled(panel: Panel, unit: str) -> bool:
    """Tell whether control shows another status of a unit than the newest that this panel declared and it settled."""
    shown = panel.shown.get(unit)
    standing = [each for each in panel.presses if each.meaning.unit == unit and not each.meaning.event]
    return bool(shown and standing and _has_settled(standing[-1]) and shown.code != standing[-1].meaning.code)


def _notice(presses: Collection[PressState], now_s: float, *, seen: bool) -> str:
    """The notice that matters most: what a person did and control lacks comes before what is silent."""
    if any(_is_late(each, now_s) for each in presses):
        return NOT_RECEIVED
    if any(each.fate == "refused" for each in presses):
        return REFUSED
    return "" if seen else UNSEEN


def _standing_lamp(presses: Iterable[PressState], unit: str, shown: Shown | None) -> dict[Meaning, Lamp]:
    standing = [each for each in presses if each.meaning.unit == unit and not each.meaning.event]
    if standing:
        newest = standing[-1]
        if _failed(newest):
            return {newest.meaning: "fast"}
        if newest.fate == "stored" or not (_shows(shown, newest) or (newest.shown and shown)):
            return {newest.meaning: "slow"}
    return {Meaning(unit, shown.code): "steady"} if shown else {}


def _event_lamp(press: PressState, now_s: float) -> Lamp:
    if press.fate == "stored":
        return "slow"
    if _has_settled(press):
        return "steady" if _elapsed_s(press, now_s) < EVENT_STEADY_S else "dark"
    return "fast" if _elapsed_s(press, now_s) < EVENT_FAST_S else "dark"


def _shows(shown: Shown | None, press: PressState) -> bool:
    """Whether control shows this very status: not the same code from an earlier press of ours."""
    if shown is None or shown.code != press.meaning.code or press.seq is None:
        return False
    return shown.seq is None or shown.seq >= press.seq


def _is_late(press: PressState, now_s: float) -> bool:
    if press.fate == "stored":
        return now_s - press.pressed_at_s >= NOT_RECEIVED_AFTER_S
    return press.fate == "not_stored"


def _in_force(presses: tuple[PressState, ...]) -> tuple[PressState, ...]:
    """Without the failed presses that a later one supersedes."""
    return tuple(
        each
        for at, each in enumerate(presses)
        if not (_failed(each) and any(_supersedes(later, each) for later in presses[at + 1 :]))
    )


def _supersedes(later: PressState, press: PressState) -> bool:
    """Whether a later press takes the place of `press`: the same again, or a standing status of its unit.

    A status does not take the place of an event code that failed only afterwards: nobody had seen that yet.
    """
    if later.meaning == press.meaning:
        return True
    if later.meaning.unit != press.meaning.unit or later.meaning.event:
        return False
    return not press.meaning.event or (press.ended_at_s is not None and later.pressed_at_s >= press.ended_at_s)


def _without_one(presses: tuple[PressState, ...]) -> tuple[PressState, ...]:
    """Without the oldest press that waits and is superseded; but the very oldest that waits keeps the notice."""
    waiting = [at for at, each in enumerate(presses) if each.fate == "stored"][1:]
    superseded = (at for at in waiting if any(_supersedes(later, presses[at]) for later in presses[at + 1 :]))
    forgotten = next(superseded, 1)
    return (*presses[:forgotten], *presses[forgotten + 1 :])


def _failed(press: PressState) -> bool:
    return press.fate in ("not_stored", "refused")


def _elapsed_s(press: PressState, now_s: float) -> float:
    return 0.0 if press.ended_at_s is None else now_s - press.ended_at_s


def _settled(press: PressState, through: int, refused: Collection[int], now_s: float) -> PressState:
    if press.fate != "stored" or press.seq is None or press.seq > through:
        return press
    fate: Fate = "refused" if press.seq in refused else "settled"
    return msgspec.structs.replace(press, fate=fate, ended_at_s=now_s)


def _note_shown(panel: Panel) -> Panel:
    """Remember which settled presses control has shown: "not yet" and "no longer" look alike otherwise."""
    presses = tuple(
        msgspec.structs.replace(each, shown=True)
        if _has_settled(each) and _shows(panel.shown.get(each.meaning.unit), each)
        else each
        for each in panel.presses
    )
    return msgspec.structs.replace(panel, presses=presses)


def _worth_keeping(presses: tuple[PressState, ...], now_s: float) -> tuple[PressState, ...]:
    """Without the presses that can no longer light a lamp or raise the notice, however the others end."""
    settled = {each.meaning.unit: each for each in presses if _has_settled(each) and not each.meaning.event}
    return tuple(
        each
        for each in _in_force(presses)
        if not _has_settled(each)
        or (each.meaning.event and _elapsed_s(each, now_s) < EVENT_STEADY_S)
        or settled.get(each.meaning.unit) is each
    )


def _has_settled(press: PressState) -> bool:
    return press.fate == "settled"
