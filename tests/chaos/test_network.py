"""Links that are cut, slow, lossy and confused: every press gets through, and no silent unit is called fresh."""

import asyncio
import socket
from random import Random

import pytest

from tests.chaos.impair import CLEAR, CUT, QUEUE_S, Lane, Profile
from tests.chaos.namespaces import inside, made_hosts, what_is_missing
from tests.chaos.network import FAULTS, impair
from tests.programs import give_up

SEED = 11
PACKET_BYTES = 1_000
PORT = 4711
PATIENCE_S = 1.5


@pytest.fixture
def namespaces() -> None:
    """Skip where no network namespaces can be made; under WATCHROOM_CI=1 fail."""
    missing = what_is_missing()
    if missing is not None:
        give_up(missing)


@pytest.mark.usefixtures("namespaces")
def test_bad_links_lose_no_press_and_show_nothing_stale_as_fresh() -> None:
    """Through cuts of both ways and of one, loss of 30 %, 2G, doubles and disorder, each confirmed press arrives.

    It is in the ledger once and in order. A unit that cannot be heard is shown as late within 2 s of its threshold, and
    on 2G a press is settled all the same.
    """
    figures = asyncio.run(impair(len(FAULTS), SEED, "nats", devices=len(FAULTS), patient=1))
    assert figures.verdict.holds, figures
    assert set(figures.phases) == set(FAULTS)
    assert figures.detail["late_shown"] >= 1, figures
    assert figures.detail["settled_2g"] == len(FAULTS)


@pytest.mark.usefixtures("namespaces")
def test_a_link_carries_what_its_profile_lets_through() -> None:
    """What listens on 127.0.0.1 in the cloud's namespace answers a device there, unless the link is cut either way."""

    async def scenario() -> None:
        async with made_hosts(2) as hosts:
            with inside(hosts.cloud, lambda: socket.create_server(("127.0.0.1", PORT))):  # its backlog answers
                assert await asyncio.to_thread(_reaches, hosts.devices[0])
                await hosts.shape(0, up=CUT)
                assert not await asyncio.to_thread(_reaches, hosts.devices[0])
                await hosts.shape(0, down=CUT)
                assert not await asyncio.to_thread(_reaches, hosts.devices[0])
                assert await asyncio.to_thread(_reaches, hosts.devices[1])
                await hosts.shape(0)
                assert await asyncio.to_thread(_reaches, hosts.devices[0])

    asyncio.run(scenario())
    assert what_is_missing() is None


def test_a_clear_lane_delivers_at_once_and_a_cut_one_never() -> None:
    """A clear lane gives a packet back at the moment it came; a cut one gives none."""
    assert _plan(CLEAR, 3) == [(0.0,), (0.0,), (0.0,)]
    assert _plan(CUT, 3) == [(), (), ()]


def test_a_slow_lane_spaces_packets_and_drops_what_would_wait_too_long() -> None:
    """At 32 kbit/s a packet of 1,000 bytes takes 0.25 s, one after another, and past 3 s of queue it is dropped."""
    plans = _plan(Profile(rate_bps=32_000), 20)
    kept = [plan[0] for plan in plans if plan]
    assert kept == [0.25 * (place + 1) for place in range(13)]
    assert plans[13:] == [()] * 7
    assert kept[-1] - 0.25 <= QUEUE_S


def test_a_lossy_lane_loses_its_share_and_doubles_its_share() -> None:
    """Of many packets 30 % are lost and 20 % come twice, within what chance allows."""
    plans = _plan(Profile(loss=0.3, double=0.2), 10_000)
    lost, doubled = (sum(len(plan) == times for plan in plans) for times in (0, 2))
    assert abs(lost - 3_000) < 200
    assert abs(doubled - 1_400) < 200


def test_only_reordering_lets_packets_overtake() -> None:
    """Jitter alone keeps packets in order; with reordering some come before an earlier one."""
    jittery = [plan[0] for plan in _plan(Profile(delay_s=0.3, jitter_s=0.1), 200)]
    assert jittery == sorted(jittery)
    assert max(jittery) > min(jittery)
    shuffled = [plan[0] for plan in _plan(Profile(reorder=0.2), 200)]
    assert shuffled != sorted(shuffled)


def _plan(profile: Profile, packets: int) -> list[tuple[float, ...]]:
    """What a lane does with packets that come all at once."""
    lane = Lane(Random(SEED))
    lane.profile = profile
    return [lane.plan(PACKET_BYTES, 0.0) for _ in range(packets)]


def _reaches(namespace: str) -> bool:
    """Whether the cloud's loopback port answers in a namespace."""
    try:
        inside(namespace, lambda: socket.create_connection(("127.0.0.1", PORT), PATIENCE_S)).close()
    except OSError:
        return False
    return True
