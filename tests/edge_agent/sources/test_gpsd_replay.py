"""Recorded receivers, replayed through Debian's gpsd, against what a newer gpsd made of the same bytes.

The newer gpsd's word on an epoch is its last TPV. gpsd 3.22 agrees with it, but for what the table says.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from edge_agent.decode.plausible import Place, distance_m
from edge_agent.decode.readings import Fix, Reading
from edge_agent.sources.gpsd import GpsdSource
from tests.gpsd_lab import ShiftedClock, replay, running
from tests.gpsd_logs import ExpectedFix, chk_of, expected_fixes, first_time
from tests.waiting import eventually

POSITION_TOLERANCE_M = 3.0
"""Project decision. Measured: 0.13 m at most (ublox-neo-m8l, between two TPV of one epoch), 0.00 m elsewhere."""

CYCLE_S = 0.004
"""Sentences follow each other this fast, so that minutes are replayed in seconds."""

QUIET_S = 1.0
"""After the last sentence, gpsd and the source are done when nothing came for this long: three times their delay."""

MODES = {"2d": 2, "3d": 3, "dead_reckoning": 3}

EXCLUDED = {"bundg_zeus_9.log": "no .chk came with it: nothing to compare with"}


@dataclass(frozen=True)
class Finding:
    """What is known of a log. Counts of epochs."""

    timed: int
    """Fixes with a believed time."""
    rolled_over: bool = False
    """gpsd 3.22 takes the week for one 1024 weeks later: positions are kept, no time is passed on."""
    jumps: int = 0
    """Positions not believed although right: recordings of two days joined, so that the vehicle leapt."""
    unheard: int = 0
    """Epochs with a fix that gpsd 3.22 does not report at all."""
    unlike: int = 0
    """Epochs where the newer gpsd says no fix last, and 3.22 only in the next epoch."""
    own: int = 0
    """Times that only 3.22 reports."""


FINDINGS = {
    "bt451.log": Finding(timed=0, rolled_over=True, jumps=1),
    "garmin-10x.log": Finding(timed=0, rolled_over=True),
    "haicom-305N.log": Finding(timed=0, rolled_over=True),
    "hemi.log": Finding(timed=6),
    "quectel-eg25-g.log": Finding(timed=23),
    "sirfstarv.log": Finding(timed=56),
    "st-teseo-liv3f.log": Finding(timed=28),
    "telit-he910.log": Finding(timed=187),
    # 3.22 does not know the UBX messages that carry the ten epochs a second between the full ones.
    "ublox-neo-m8l.log": Finding(timed=19, unheard=171, own=1),
    "ublox-neo-m9n-nmea.log": Finding(timed=61),
    "unicore-um621.log": Finding(timed=16, unlike=1),
}


async def replayed(log: Path) -> tuple[GpsdSource, list[Fix]]:
    """The source after the whole log, and every fix it emitted."""
    readings: list[Reading] = []
    heard_s = 0.0
    async with replay(log, cycle_s=CYCLE_S) as gpsd:
        clock = ShiftedClock(first_time(chk_of(log)))
        source = GpsdSource("127.0.0.1", gpsd.port, clock=clock)

        def emit(reading: Reading) -> None:
            nonlocal heard_s
            heard_s = clock.monotonic()
            readings.append(reading)

        async with running(source.run(emit)):
            await gpsd.done()
            await eventually(lambda: clock.monotonic() - heard_s > QUIET_S, what="the end of the log")
    assert all(isinstance(reading, Fix) for reading in readings), "a fault in a replay without faults"
    return source, [reading for reading in readings if isinstance(reading, Fix)]


def _is_near(fix: Fix, expected: ExpectedFix) -> bool:
    return any(_apart_m(fix, lat, lon) <= POSITION_TOLERANCE_M for lat, lon in expected.places)


def _apart_m(fix: Fix, lat: float, lon: float) -> float:
    if fix.lat is None or fix.lon is None:
        return float("inf")
    here = Place(lat=fix.lat, lon=fix.lon, accuracy_m=0, receiver_time=None, mono_s=0)
    return distance_m(here, Place(lat=lat, lon=lon, accuracy_m=0, receiver_time=None, mono_s=0))


def _stretches(values: list[bool]) -> list[bool]:
    return [value for at, value in enumerate(values) if at == 0 or values[at - 1] != value]


@pytest.mark.parametrize("name", sorted(FINDINGS))
def test_a_replay_agrees_with_a_newer_gpsd(name: str, real_data: Path) -> None:
    """Every fix of the log comes out where and when it was, every stretch without one as none, nothing else."""
    log, found = real_data / "gpsd" / name, FINDINGS[name]
    source, fixes = asyncio.run(replayed(log))
    expected = expected_fixes(chk_of(log))
    assert _stretches([epoch.mode > 1 for epoch in expected]) == _stretches([fix.mode != "none" for fix in fixes])
    _check_times(fixes, expected, found)
    _check_places(fixes, expected, found)
    assert all(fix.speed_mps is None or fix.speed_mps <= 70.0 for fix in fixes)
    assert found.rolled_over == bool(source.rejected["week_rollover"])
    assert set(source.rejected) <= {"week_rollover", "speed", "jump"}


def _check_times(fixes: list[Fix], expected: list[ExpectedFix], found: Finding) -> None:
    """Each fix with a time agrees with the epoch of that time in position and mode, and no date is off."""
    by_time = {epoch.time: epoch for epoch in expected if epoch.time is not None}
    timed = {fix.gnss_time: fix for fix in fixes if fix.gnss_time is not None}
    known = {time: fix for time, fix in timed.items() if time in by_time}
    assert (found.timed, found.own) == (len(timed), len(timed) - len(known))
    assert all(_is_near(fix, by_time[time]) for time, fix in known.items())
    assert found.unlike == sum(by_time[time].mode != MODES[fix.mode] for time, fix in known.items())
    first = min(by_time)
    assert all(abs(time - first) < timedelta(days=1) for time in timed)


def _check_places(fixes: list[Fix], expected: list[ExpectedFix], found: Finding) -> None:
    """Each position is one that the newer gpsd reported, and each epoch with a fix came out but for those known."""
    located = [fix for fix in fixes if fix.mode != "none"]
    alone = [fix for fix in located if not any(_is_near(fix, epoch) for epoch in expected)]
    assert alone == []
    timed = {fix.gnss_time for fix in located}
    missed = [
        epoch
        for epoch in expected
        if epoch.time is not None
        and epoch.mode > 1
        and epoch.time not in timed
        and not (found.rolled_over and any(_is_near(fix, epoch) for fix in located))
    ]
    assert found.jumps + found.unheard == len(missed)


def test_every_log_is_compared_or_excluded_with_a_reason(real_data: Path) -> None:
    """No recorded log is passed over in silence."""
    logs = {log.name: chk_of(log).exists() for log in (real_data / "gpsd").glob("*.log")}
    assert set(FINDINGS) == {name for name, checked in logs.items() if checked}
    assert set(EXCLUDED) == {name for name, checked in logs.items() if not checked}
