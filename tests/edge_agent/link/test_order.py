"""What goes out when: the order at the start of a connection, one envelope at a time, and again until settled."""

import asyncio
from pathlib import Path

from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import HEARTBEAT_S, SETTLE_TIMEOUT_S, Bench, Cloud, own_tasks, playing_cloud, settle_of
from tests.edge_agent.outbox.lab import place, press
from tests.waiting import eventually
from wire.messages import EVENTS_MAX, Birth, Heartbeat

LATE_S = 0.25
"""What two busy cores may add to a pause before it counts as too long; and the opposite side's cost of a round trip."""


def times_s(cloud: Cloud, channel: str) -> list[float]:
    """When each envelope of a channel came."""
    return [one.at_s for one in cloud.heard if one.channel == channel]


def test_birth_then_the_echo_then_what_is_unsettled_then_live_then_history(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """After the birth only the newest position goes until the cloud answers; then an echo, then the statuses."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1"), press("2")])
        await bench.keeper.append("track", [place() for _ in range(EVENTS_MAX)])
        async with bench.linked() as cloud:
            await eventually(lambda: len(cloud.heard) == 2, what="the birth and the newest position")
            answer = await cloud.settle()
            status = await cloud.envelope("status")
            await cloud.envelope("history")
            assert cloud.order()[:5] == ["birth", "live", "heartbeat", "status", "history"]
            assert cloud.all(Birth)[0].echo is None
            echo = cloud.all(Heartbeat)[0].echo
            assert echo is not None and echo.id == answer
            assert (status.first_held, len(status.events)) == (1, 2)

    asyncio.run(scenario())


def test_the_birth_is_kept_by_the_broker(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Whoever comes later finds the birth, with what the outbox holds and who speaks."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            async with playing_cloud(shared_broker, bench.org) as late:
                birth = await late.first(Birth)
                assert next(one.retained for one in late.heard if one.message is birth)
        assert (birth.device, birth.boot, birth.conn, birth.stream) == ("veh-1", 1, 1, bench.keeper.stream)
        assert (birth.last_seq.status, birth.outbox.status, birth.predecessor) == (1, 1, "")
        assert [(one.unit, one.code) for one in birth.current] == [("engine-1", "1")]

    asyncio.run(scenario())


def test_statuses_go_without_an_answer_after_a_second(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """An ingest that is down holds a press back for one second, so that its time can be proven, and no longer."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device", heartbeat_s=20.0)
        await bench.keeper.append("status", [press("1")])
        async with bench.linked() as cloud:
            await cloud.envelope("status")
            waited_s = times_s(cloud, "status")[0] - times_s(cloud, "link")[0]
            assert 1.0 - LATE_S <= waited_s <= 1.0 + 2 * LATE_S

    asyncio.run(scenario())


def test_a_press_on_an_open_link_goes_at_once(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """Between two heartbeats a commit wakes the link: nothing waits for a tick."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device", heartbeat_s=20.0)
        async with bench.linked() as cloud:
            cloud.answering = True
            await cloud.first(Heartbeat)
            await bench.keeper.append("status", [press("1")])
            pressed_s = asyncio.get_running_loop().time()
            bench.link.committed("status")
            await cloud.envelope("status")
            assert times_s(cloud, "status")[0] - pressed_s < LATE_S

    asyncio.run(scenario())


def test_one_envelope_is_in_flight_and_comes_again_slower_until_settled(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """Unsettled, the very same envelope comes again after a pause that doubles; its settle lets the next one go."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("status", [press(str(number)) for number in range(EVENTS_MAX + 5)])
        async with bench.linked() as cloud:
            cloud.answering = True
            third = await cloud.envelope("status", 3)
            assert {(one.first_held, len(one.events)) for one in cloud.envelopes("status")} == {(1, EVENTS_MAX)}
            moments_s = times_s(cloud, "status")
            pauses_s = [after - before for before, after in zip(moments_s, moments_s[1:], strict=False)]
            for pause_s, expected_s in zip(pauses_s, (SETTLE_TIMEOUT_S, 2 * SETTLE_TIMEOUT_S), strict=False):
                assert expected_s - LATE_S / 5 <= pause_s <= expected_s + LATE_S
            await cloud.settle(settle_of(third))
            await eventually(lambda: cloud.envelopes("status")[-1].first_held == EVENTS_MAX + 1, what="the next ones")
            assert len(cloud.envelopes("status")[-1].events) == 5

    asyncio.run(scenario())


def test_history_waits_for_an_answer_and_never_holds_back_a_press(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """With history unsettled and in flight a press still goes at once: each queue has a flight of its own."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        await bench.keeper.append("track", [place() for _ in range(3 * EVENTS_MAX)])
        async with bench.linked() as cloud:
            await eventually(
                lambda: len(cloud.heard) >= 3, what="birth, live and a heartbeat", deadline_s=3 * HEARTBEAT_S
            )
            assert cloud.envelopes("history") == []
            await cloud.settle()
            first = await cloud.envelope("history")
            await bench.keeper.append("status", [press("1")])
            bench.link.committed("status")
            await cloud.envelope("status")
            assert {one.first_held for one in cloud.envelopes("history")} == {1}
            await cloud.settle(settle_of(first))
            await eventually(lambda: cloud.envelopes("history")[-1].first_held == EVENTS_MAX + 1, what="the next batch")

    asyncio.run(scenario())


def test_a_live_position_names_no_history(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """What goes live is the newest committed record alone, under its own sequence."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with bench.linked() as cloud:
            await cloud.first(Birth)
            await bench.keeper.append("track", [place(51.0), place(52.0)])
            bench.link.committed("track")
            live = await cloud.envelope("live")
            assert (live.queue, live.first_held, len(live.events)) == ("track", 2, 1)

    asyncio.run(scenario())


def test_a_thousand_commits_leave_no_task_behind(shared_broker: RunningBroker, tmp_path: Path) -> None:
    """However often the link is woken, it runs on the same few tasks."""

    async def scenario() -> None:
        bench = Bench(shared_broker, tmp_path / "device")
        async with bench.linked() as cloud:
            await cloud.first(Heartbeat)
            before = len(own_tasks())
            for _ in range(1_000):
                bench.link.committed("track")
                await asyncio.sleep(0)
            assert len(own_tasks()) <= before + 2

    asyncio.run(scenario())
