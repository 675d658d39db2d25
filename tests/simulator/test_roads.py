"""Roads: the same for one seed, whole, and drivable."""

from collections import deque

import pytest

from simulator.earth import distance_m
from simulator.roads import CENTRE, HALF_HEIGHT_M, HALF_WIDTH_M, LIMIT_MPS, Network, RoadClass, generate

SEEDS = (1, 2, 3, 14, 99)
JUNCTIONS = (500, 3_000)


def reachable(leaving: list[list[int]]) -> set[int]:
    """The nodes that node 0 leads to."""
    seen, waiting = {0}, deque([0])
    while waiting:
        for node in leaving[waiting.popleft()]:
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return seen


@pytest.fixture(scope="module", params=SEEDS)
def network(request: pytest.FixtureRequest) -> Network:
    """A county's roads."""
    return generate(request.param)


def test_one_seed_gives_one_network() -> None:
    """Two runs with one seed agree in every point, and another seed gives another county."""
    assert generate(7) == generate(7)
    assert generate(7).nodes != generate(8).nodes


def test_every_junction_reaches_every_other(network: Network) -> None:
    """From one junction one can drive to all, and from all to it: the network is strongly connected."""
    ahead = [[road.end for road in roads] for roads in network.leaving]
    back: list[list[int]] = [[] for _ in network.nodes]
    for start, ends in enumerate(ahead):
        for end in ends:
            back[end].append(start)
    everything = set(range(len(network.nodes)))
    assert reachable(ahead) == everything
    assert reachable(back) == everything


def test_some_streets_are_one_way(network: Network) -> None:
    """One-way streets exist: that it is strongly connected is not for want of them."""
    links = {(road.start, road.end) for roads in network.leaving for road in roads}
    assert any((end, start) not in links for start, end in links)


def test_it_is_the_size_of_a_county(network: Network) -> None:
    """It has hundreds to a few thousand junctions, within 12 by 10 km and a margin, and every class of road."""
    least, most = JUNCTIONS
    assert least <= len(network.nodes) <= most
    corner_m = (HALF_WIDTH_M**2 + HALF_HEIGHT_M**2) ** 0.5
    assert all(distance_m(CENTRE, node) <= corner_m + 300.0 for node in network.nodes)
    assert {road.road_class for roads in network.leaving for road in roads} == set(RoadClass)


def test_every_town_joins_the_roads(network: Network) -> None:
    """No town lost its streets: each has at least a dozen junctions."""
    assert len(network.towns) == 9
    assert all(len(network.within(town.centre, town.radius_m)) >= 12 for town in network.towns)


def test_a_road_runs_between_its_junctions(network: Network) -> None:
    """A road's line starts and ends at its junctions, and its length is that of its line."""
    for start, roads in enumerate(network.leaving):
        for road in roads:
            assert road.start == start
            assert (road.points[0], road.points[-1]) == (network.nodes[start], network.nodes[road.end])
            pairs = zip(road.points, road.points[1:], strict=False)
            assert road.length_m == pytest.approx(sum(distance_m(a, b) for a, b in pairs))
            assert road.length_m > 0.0


def quickest_s(network: Network, start: int) -> list[float]:
    """The quickest time from `start` to each junction, by relaxing every road until nothing changes."""
    times = [float("inf")] * len(network.nodes)
    times[start] = 0.0
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        for road in network.leaving[node]:
            if times[node] + road.time_s < times[road.end] - 1e-9:
                times[road.end] = times[node] + road.time_s
                waiting.append(road.end)
    return times


def test_a_route_is_the_quickest_there_is(network: Network) -> None:
    """A route hangs together and is as quick as an exhaustive search finds, to a junction in every town."""
    start = network.nearest(network.towns[3].centre)
    best_s = quickest_s(network, start)
    for town in network.towns:
        end = network.nearest(town.centre)
        route = network.route(start, end)
        stops = [start, *(road.end for road in route)]
        assert [road.start for road in route] == stops[:-1]
        assert stops[-1] == end
        assert sum(road.time_s for road in route) == pytest.approx(best_s[end])


def test_no_way_is_an_error() -> None:
    """Where no road leads, there is a ValueError and no made-up route."""
    network = generate(1)
    cut = Network(network.nodes, ((), *network.leaving[1:]), network.towns)
    assert cut.route(0, 0) == ()
    with pytest.raises(ValueError, match="no way"):
        cut.route(0, 1)


def test_limits_are_those_of_the_country() -> None:
    """The fastest road is an arterial at 60 mph."""
    assert max(LIMIT_MPS.values()) == LIMIT_MPS[RoadClass.ARTERIAL] == pytest.approx(60 * 0.44704, abs=0.1)
