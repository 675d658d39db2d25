"""Many reports of one epoch to one fix, and a jump to nothing until it is confirmed. A pure state machine.

gpsd reports an epoch up to twenty times (measured with 3.22) while its sentences come in. The last report of an
epoch is the right one: the first ones lack the receiver's own speed, and where the fix is lost within an epoch the
last one says so. An epoch ends with a report of another time, or `HOLD_S` after its first report, whichever is sooner.
"""

from typing import Final

import msgspec

from edge_agent.decode.gpsd import Sky, Tpv, decode_fix
from edge_agent.decode.plausible import Moment, Place, is_jump
from edge_agent.decode.readings import Fix, Rejected

HOLD_S: Final = 0.2
"""How long a fix waits for the rest of its epoch. With the shell's tick of 0.1 s a fix is at most 0.3 s late."""

SATELLITES_MAX_AGE_S: Final = 10.0
"""Receivers repeat their satellite view every 1 to 5 s; an older count is not passed on."""


class Satellites(msgspec.Struct, frozen=True, kw_only=True):
    """Satellites used. The views of one epoch come by constellation: the largest count is the complete one."""

    gathering: int | None = None
    complete: int | None = None
    counted_s: float = 0.0


class Epochs(msgspec.Struct, frozen=True, kw_only=True):
    """What stands between two lines: the open epoch, the last one passed on, and the places that judge a jump."""

    held: Tpv | None = None
    held_since_s: float = 0.0
    sent: Tpv | None = None
    satellites: Satellites = Satellites()
    accepted: Place | None = None
    doubted: Place | None = None


Outcome = tuple[Epochs, tuple[Fix | Rejected, ...]]


def apply(epochs: Epochs, report: Tpv | Sky, now: Moment) -> Outcome:
    """Fold one report in. What comes out belongs to the epoch that it ended; where it ended none, nothing does."""
    if isinstance(report, Sky):
        satellites = _count(epochs.satellites, report, now.mono_s)
        return msgspec.structs.replace(epochs, satellites=satellites), ()
    epochs, out = close_due(epochs, now)
    if epochs.held is not None:
        if _same_epoch(epochs.held, report):
            return msgspec.structs.replace(epochs, held=report), out
        epochs, out = _close(epochs, now)
    if epochs.sent is None or report.time is None or report.time != epochs.sent.time:
        epochs = msgspec.structs.replace(epochs, satellites=_complete(epochs.satellites))
    return msgspec.structs.replace(epochs, held=report, held_since_s=now.mono_s), out


def close_due(epochs: Epochs, now: Moment) -> Outcome:
    """End the open epoch if it has been held for `HOLD_S`. To be called at least every 0.1 s."""
    if epochs.held is None or now.mono_s - epochs.held_since_s < HOLD_S:
        return epochs, ()
    return _close(epochs, now)


def _close(epochs: Epochs, now: Moment) -> Outcome:
    """Pass the held report on, unless it repeats the time of the last one without telling more.

    So a receiver whose time stands still goes silent here, and is treated as silent.
    """
    held, sent = epochs.held, epochs.sent
    epochs = msgspec.structs.replace(epochs, held=None)
    if held is None or (sent is not None and not _tells_more(held, sent)):
        return epochs, ()
    epochs = msgspec.structs.replace(epochs, sent=held)
    fix, doubts = decode_fix(held, now.wall)
    if fix is None:
        return epochs, doubts
    fix = msgspec.structs.replace(fix, satellites=_satellites(epochs.satellites, now.mono_s))
    place = _place(fix, held, epochs.held_since_s)
    if place is None:
        return epochs, (fix, *doubts)
    epochs, agreed = _judge(epochs, place)
    return epochs, ((fix, *doubts) if agreed else (Rejected("jump", held.raw),))


def _same_epoch(held: Tpv, report: Tpv) -> bool:
    """Whether both speak of one epoch. Without a time to go by, gaining or losing the fix begins a new one."""
    return held.time == report.time and (held.time is not None or (held.mode < 2) == (report.mode < 2))


def _tells_more(late: Tpv, sent: Tpv) -> bool:
    """Whether a report is of a new epoch, or adds to the epoch already passed on (slow serial lines: RMC after GGA)."""
    if late.time is None or late.time != sent.time:
        return True
    # Modes 0 and 1 both say that there is no fix.
    return max(late.mode, 1) != max(sent.mode, 1) or (late.course_deg is not None and sent.course_deg is None)


def _judge(epochs: Epochs, place: Place) -> tuple[Epochs, bool]:
    """Believe a place that follows from the last believed one, or from the one doubted just before it."""
    accepted, doubted = epochs.accepted, epochs.doubted
    follows = accepted is None or not is_jump(accepted, place)
    confirmed = doubted is not None and not is_jump(doubted, place)
    if follows or confirmed:
        return msgspec.structs.replace(epochs, accepted=place, doubted=None), True
    return msgspec.structs.replace(epochs, doubted=place), False


def _place(fix: Fix, tpv: Tpv, mono_s: float) -> Place | None:
    if fix.lat is None or fix.lon is None:
        return None
    return Place(lat=fix.lat, lon=fix.lon, accuracy_m=fix.accuracy_m or 0.0, receiver_time=tpv.time, mono_s=mono_s)


def _count(satellites: Satellites, sky: Sky, mono_s: float) -> Satellites:
    most = max(satellites.gathering or 0, sky.used)
    return msgspec.structs.replace(satellites, gathering=most, counted_s=mono_s)


def _complete(satellites: Satellites) -> Satellites:
    if satellites.gathering is None:
        return satellites
    return msgspec.structs.replace(satellites, complete=satellites.gathering, gathering=None)


def _satellites(satellites: Satellites, mono_s: float) -> int | None:
    if mono_s - satellites.counted_s > SATELLITES_MAX_AGE_S:
        return None
    return satellites.complete if satellites.complete is not None else satellites.gathering
