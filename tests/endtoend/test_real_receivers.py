"""Recorded receivers through Debian's gpsd, a real agent and a real broker, to the feed and the stored track.

All logs run at once, each with an agent of its own whose injected clock starts at the log's first time.
"""

import asyncio
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from edge_agent.agent import Agent
from edge_agent.decode.readings import Fix
from tests.brokers import RunningBroker
from tests.edge_agent.sources.test_gpsd_replay import (
    CYCLE_S,
    FINDINGS,
    MODES,
    QUIET_S,
    _check_places,
    _check_times,
    _is_near,
)
from tests.gpsd_lab import ShiftedClock, replay
from tests.gpsd_logs import chk_of, expected_fixes, first_time
from tests.site import FeedClient, following, running_agent, running_site, unit_of, write_device, write_directory
from tests.waiting import eventually
from wire.feed import PositionView

STORED_S = 90.0
"""The longest log has 187 fixes, in ten history batches; two cores do all logs at once."""
SPEED_MAX_MPS = 70.0
LOSES_ITS_FIX = {"garmin-10x.log": 0.1, "sirfstarv.log": 0.03, "unicore-um621.log": 0.015}
"""Logs that lose their fix for four to six epochs and regain it, and seconds a sentence at which that lasts over 2 s:
twice as long as a group commit and a tick of the feed together."""


def device_of(place: int) -> str:
    """The device that replays the log at this place."""
    return f"veh-{place:04d}"


class Quiet:
    """Tells when an agent has had nothing to do for a while: the receiver's last fixes have come and are settled."""

    def __init__(self, agent: Agent, clock: ShiftedClock) -> None:
        """Begin to watch."""
        self._agent, self._clock = agent, clock
        self._busy_s = clock.monotonic()

    def has_come(self) -> bool:
        """Look again."""
        now_s = self._clock.monotonic()
        if not self._agent.is_settled:
            self._busy_s = now_s
        return now_s - self._busy_s > QUIET_S


async def replayed(log: Path, cycle_s: float, broker: RunningBroker, folder: Path, place: int) -> None:
    """Run one agent over one log, to its end, a sentence every `cycle_s`."""
    async with replay(log, cycle_s=cycle_s) as gpsd:
        config = write_device(
            folder / device_of(place),
            broker=broker.url,
            gpsd=(gpsd.port, 2.0),
            device=device_of(place),
            unit=unit_of(place),
            every_fix=True,
        )
        clock = ShiftedClock(first_time(chk_of(log)))
        async with running_agent(config, clock) as agent:
            await gpsd.done()
            quiet = Quiet(agent, clock)
            await eventually(quiet.has_come, what=f"{log.name} settled", deadline_s=STORED_S)


async def stored_track(address: str, unit: str) -> list[Fix]:
    """The unit's stored track, in the device's order."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"{address}v1/units/{unit}/track")).json()
    assert not page["more"]
    return [_fix(point) for point in sorted(page["points"], key=lambda point: point["seq"])]


def _fix(point: dict[str, Any]) -> Fix:
    known = {name: point[name] for name in Fix.__struct_fields__ if name in point}
    return msgspec.convert({**known, "mode": point["fix"]}, Fix)


def _check_feed(name: str, feed: FeedClient, unit: str, real_data: Path) -> None:
    """What the board was shown: each position true by time and place, no fix as none, no date or speed off."""
    expected = expected_fixes(chk_of(real_data / "gpsd" / name))
    by_time = {epoch.time: epoch for epoch in expected if epoch.time is not None}
    first = min(by_time)
    shown = [record.position for record in feed.seen if record.unit == unit and record.position is not None]
    live = [position for position in shown if position.fix != "none"]
    assert live, "the feed showed no position at all"
    unlike = 0
    for position in live:
        assert position.speed_mps is None or position.speed_mps <= SPEED_MAX_MPS
        fix = Fix(mode=position.fix, lat=position.lat, lon=position.lon)
        epoch = by_time.get(position.gnss_time) if position.gnss_time is not None else None
        if epoch is None:
            assert any(_is_near(fix, other) for other in expected)
        else:
            assert _is_near(fix, epoch)
            unlike += epoch.mode != MODES[position.fix]
        assert position.gnss_time is None or abs(position.gnss_time - first) < timedelta(days=1)
    assert unlike <= FINDINGS[name].unlike * len(live)
    _check_none_shown(expected[0].mode > 1, shown)


def _check_none_shown(starts_with_fix: bool, shown: list[PositionView]) -> None:
    """A log that starts without a fix was shown so before it was shown anywhere."""
    if not starts_with_fix:
        assert shown[0].fix == "none"
        assert shown[0].lat is None


@pytest.mark.parametrize("kind", ["shared_nats", "shared_mosquitto"])
def test_recorded_receivers_reach_feed_and_track(
    kind: str, request: pytest.FixtureRequest, real_data: Path, tmp_path: Path
) -> None:
    """Every recorded fix is stored where and when it was, the feed shows nothing else, and no fix is shown as none."""
    broker: RunningBroker = request.getfixturevalue(kind)
    names = sorted(FINDINGS)

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory", [device_of(place) for place in range(len(names))])
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory) as app,
            following(app) as feed,
        ):
            async with asyncio.TaskGroup() as tasks:
                for place, name in enumerate(names):
                    tasks.create_task(replayed(real_data / "gpsd" / name, CYCLE_S, broker, tmp_path, place))
            for place, name in enumerate(names):
                fixes = await stored_track(app.address, unit_of(place))
                expected = expected_fixes(chk_of(real_data / "gpsd" / name))
                _check_times(fixes, expected, FINDINGS[name])
                _check_places(fixes, expected, FINDINGS[name])
                assert all(fix.speed_mps is None or fix.speed_mps <= SPEED_MAX_MPS for fix in fixes)
                _check_feed(name, feed, unit_of(place), real_data)

    asyncio.run(scenario())


def test_a_fix_that_is_lost_and_regained_is_shown_so(
    shared_nats: RunningBroker, real_data: Path, tmp_path: Path
) -> None:
    """On the feed a stretch without a fix in the middle of a log is none, with the last place, and then a fix again."""
    paces = list(LOSES_ITS_FIX.items())

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory", [device_of(place) for place in range(len(paces))])
        async with (
            running_site(tmp_path / "data", broker_port=shared_nats.port, directory=directory) as app,
            following(app) as feed,
        ):
            async with asyncio.TaskGroup() as tasks:
                for place, (name, cycle_s) in enumerate(paces):
                    tasks.create_task(replayed(real_data / "gpsd" / name, cycle_s, shared_nats, tmp_path, place))
            for place, _ in enumerate(paces):
                shown = [one for one in feed.seen if one.unit == unit_of(place) and one.position is not None]
                located = [found for found, _ in groupby(one.position.fix != "none" for one in shown if one.position)]
                assert located[:3] == [True, False, True], "what follows is the silence after the log"
                assert not any(one.position_fresh for one in shown if one.position and one.position.fix == "none")
                assert all(one.position.lat is not None for one in shown if one.position), "the last place stays"

    asyncio.run(scenario())
