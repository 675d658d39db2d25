"""When a device really said something: its clocks, mapped to the cloud's by echoes.

Receipt is not recency: a broker delivers a dead device's heartbeats later as if now (measured: 13 to 16 s). So the
cloud gives out ids and a heartbeat echoes the newest and says how long it was held. The message was then sent no
earlier than `sent(id) + held`, on the cloud's monotonic clock alone, and no later than it arrived. That interval also
maps the device's monotonic clock of that boot.
"""

from datetime import datetime, timedelta

import msgspec

from wire.events import ClockSource

SKEW_MAX_S = 5.0
"""A disciplined clock that is measured to be further off than this is not believed."""
MAP_RENEW_S = 600.0
"""A narrower map is preferred for this long."""
DRIFT_MAX_S = 0.03
"""What a drift of 50 ppm comes to in that time: maps that are further apart are of a clock that leapt."""
MAPPED_MAX_S = 315_576_000.0
"""Ten years: a monotonic clock that says an event is older than this is not believed."""


class Moment(msgspec.Struct, frozen=True, gc=False):
    """Now, on both of the cloud's clocks."""

    utc: datetime
    mono_s: float

    def since(self, mono_s: float) -> datetime:
        """Give the wall time of an earlier monotonic moment."""
        return self.utc - timedelta(seconds=self.mono_s - mono_s)


class ClockMap(msgspec.Struct, frozen=True, gc=False):
    """Cloud monotonic seconds minus device monotonic seconds: between `low_s` and `high_s`."""

    boot: int
    low_s: float
    high_s: float
    at_s: float

    def earliest_s(self, mono_ms: int) -> float:
        """The earliest cloud moment that a device's monotonic time can mean. Ages count from here."""
        return self.low_s + mono_ms / 1000

    def middle_s(self, mono_ms: int) -> float:
        """The likeliest cloud moment, within half a round trip."""
        return (self.low_s + self.high_s) / 2 + mono_ms / 1000

    def allows(self, mono_ms: int, moment_s: float) -> bool:
        """Tell whether a device's monotonic time can mean a cloud moment, give or take what a clock may be off."""
        sent_s = moment_s - mono_ms / 1000
        return self.low_s - SKEW_MAX_S - DRIFT_MAX_S < sent_s < self.high_s + SKEW_MAX_S + DRIFT_MAX_S


class Corrected(msgspec.Struct, frozen=True, gc=False):
    """When an event happened, and what that rests on.

    `proven`: a clock that was checked. `bounded`: none, but it was not before `at`. Neither: `at` is its receipt.
    """

    at: datetime
    proven: bool
    bounded: bool = False


def map_clock(old: ClockMap | None, boot: int, sent_mono_ms: int, sent_after_s: float, now_s: float) -> ClockMap:
    """Map a boot's clock from one echoed message, keeping the narrower of a young old map and the new one.

    Both hold the true difference, so they overlap, but for drift. Else the device's clock ran wild: the new one counts.
    """
    sent_s = sent_mono_ms / 1000
    new = ClockMap(boot, sent_after_s - sent_s, now_s - sent_s, now_s)
    if old is None or old.boot != boot or now_s - old.at_s > MAP_RENEW_S:
        return new
    if max(new.low_s - old.high_s, old.low_s - new.high_s) > DRIFT_MAX_S:
        return new
    return new if new.high_s - new.low_s <= old.high_s - old.low_s else old


def measure_skew_s(clock_map: ClockMap, sent_at: datetime, sent_mono_ms: int, now: Moment) -> float:
    """Give how far a device's wall clock is ahead of the cloud's, in seconds."""
    sent_utc = now.utc - timedelta(seconds=now.mono_s - clock_map.middle_s(sent_mono_ms))
    return (sent_at - sent_utc).total_seconds()


def correct(
    event: tuple[datetime, ClockSource, int, int], clock_map: ClockMap | None, skew_s: float | None, received: Moment
) -> Corrected:
    """Place an event in time, once, at commit. `event` is its (at, clock, boot, mono_ms).

    A disciplined clock within `SKEW_MAX_S` is taken at its word, unless that word is of the future or the same boot's
    monotonic time says otherwise: then it was stepped since. Else that time is mapped: proven where the map is narrow,
    else only bounded by the earliest that it can mean. Else the moment of receipt is all there is, and it is unproven.
    Never later than receipt, and never raises.
    """
    at, clock, boot, mono_ms = event
    known = clock_map if clock_map is not None and clock_map.boot == boot else None
    told_age_s = (received.utc - at).total_seconds()
    if clock != "none" and skew_s is not None and abs(skew_s) < SKEW_MAX_S and told_age_s > -SKEW_MAX_S:
        if known is None or known.allows(mono_ms, received.mono_s - told_age_s):
            return Corrected(min(at, received.utc), True)
    if known is None or (age_s := max(0.0, received.mono_s - known.middle_s(mono_ms))) >= MAPPED_MAX_S:
        return Corrected(received.utc, False)
    if known.high_s - known.low_s < 2 * SKEW_MAX_S:
        return Corrected(received.utc - timedelta(seconds=age_s), True)
    oldest_s = min(MAPPED_MAX_S, max(0.0, received.mono_s - known.earliest_s(mono_ms)))
    return Corrected(received.utc - timedelta(seconds=oldest_s), False, bounded=True)
