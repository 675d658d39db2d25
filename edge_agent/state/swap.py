"""Which unit this vehicle carries where it is not its own: what its crew asked for, and control's word. Pure.

A crew asks by a callsign, for the device knows no ids; control's `state` tells the unit's id, and from then on what
is pressed here is pressed for that unit. It counts there only once control has confirmed it.
"""

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from wire.messages import ClaimState

Stage = Literal["own", "queued", "waiting", "confirmed", "refused", "ended", "unknown", "elsewhere"]
"""Of the vehicle: it carries its own unit; its crew's word is not at control yet; waits there; was confirmed; was
refused; is over; named no callsign that control knows; or another vehicle carries its own unit now."""


class Asked(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the crew asked for, while control has not answered it."""

    callsign: str
    on: bool
    stream: str
    seq: int
    """Where the event stands in the status queue."""
    refused: bool = False
    """Control has no such callsign: the event itself was refused."""
    stored: bool = False
    """Control has it."""
    before: ClaimState | None = None
    """What control said of that callsign before: the same again is no answer."""


class Swap(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known, as it is noted on disk."""

    asked: Asked | None = None
    told: tuple[ClaimState, ...] = ()
    """Control's newest word of each unit that this device has claimed, oldest first."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """How the vehicle stands."""

    stage: Stage
    callsign: str = ""
    """Of the unit that `stage` is about."""
    by: str = ""
    """Who at control said so."""
    leaving: bool = False
    """Its crew has asked to end the swap, and control has not answered."""


def plain(callsign: str) -> str:
    """Give a callsign as people mean it, however they typed it."""
    return " ".join(callsign.split()).casefold()


def ask(swap: Swap, *, callsign: str, on: bool, stream: str, seq: int) -> Swap:
    """Take in that the crew's word is on disk here. What is so already, or waits at control, is not asked."""
    if _is_answered(_told(swap.told, callsign), on=on):
        return swap
    asked = Asked(callsign=callsign, on=on, stream=stream, seq=seq, before=_told(swap.told, callsign))
    return msgspec.structs.replace(swap, asked=asked)


def hear(swap: Swap, told: Sequence[ClaimState]) -> Swap:
    """Take in control's newest word. It answers what was asked where it says anything new of that callsign."""
    asked, said = swap.asked, tuple(told)
    if asked is not None:
        now = _told(said, asked.callsign)
        if now != asked.before or _is_answered(now, on=asked.on):
            asked = None
    return Swap(asked=asked, told=said)


def settle(swap: Swap, *, stream: str, through: int, refused: Collection[int]) -> Swap:
    """Take in how far the events of a stream have ended, and which were refused."""
    asked = swap.asked
    if asked is None or asked.stream != stream or asked.seq > through:
        return swap
    ended = msgspec.structs.replace(asked, refused=asked.seq in refused, stored=asked.seq not in refused)
    return msgspec.structs.replace(swap, asked=ended)


def drop_needless(swap: Swap, own: str) -> Swap:
    """Forget a wish for the vehicle's own unit, by callsign `own`, that changes nothing: no word will answer it."""
    asked = swap.asked
    if asked is None or not (asked.on and asked.stored) or plain(asked.callsign) != plain(own):
        return swap
    needed = carried(swap) is not None or _told(swap.told, own) is not None
    return swap if needed else msgspec.structs.replace(swap, asked=None)


def carry(swap: Swap, *, stream: str, seq: int) -> Swap:
    """Go on in a new stream, where the crew's word stands at another place."""
    if swap.asked is None:
        return swap
    return msgspec.structs.replace(swap, asked=msgspec.structs.replace(swap.asked, stream=stream, seq=seq))


def carried(swap: Swap) -> ClaimState | None:
    """Give the unit that is pressed for, where that is by a claim: the one that waits before the one that holds."""
    for outcome in ("waiting", "confirmed"):
        found = [one for one in swap.told if one.outcome == outcome]
        if found:
            return found[-1]
    return None


def view(swap: Swap, own: str) -> View:
    """Tell how the vehicle stands. `own` is the unit that is its own."""
    asked, now = swap.asked, carried(swap)
    leaving = asked is not None and not asked.on and not asked.refused
    if asked is not None and asked.on:
        return View(stage="unknown" if asked.refused else "queued", callsign=asked.callsign)
    if now is not None and (now.unit != own or now.outcome == "waiting"):
        stage: Stage = "waiting" if now.outcome == "waiting" else "confirmed"
        return View(stage=stage, callsign=now.callsign, by=now.by, leaving=leaving)
    if now is not None or not swap.told:
        return View(stage="own")
    gone = next((one for one in swap.told if one.unit == own and one.outcome == "ended"), None)
    if gone is not None:
        return View(stage="elsewhere", callsign=gone.callsign, by=gone.by)
    last = max(swap.told, key=lambda one: one.at)
    return View(stage="refused" if last.outcome == "refused" else "ended", callsign=last.callsign, by=last.by)


def _is_answered(told: ClaimState | None, *, on: bool) -> bool:
    carries = told is not None and told.outcome in ("waiting", "confirmed")
    return carries == on


def _told(told: Sequence[ClaimState], callsign: str) -> ClaimState | None:
    return next((one for one in told if plain(one.callsign) == plain(callsign)), None)
