"""Motion: continuous, within limits, and home at the end; and the error of a receiver."""

from dataclasses import replace
from itertools import pairwise
from math import hypot
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.earth import distance_m, turn_deg
from simulator.roads import LIMIT_MPS, Network, generate
from simulator.vehicle import (
    ACCELERATION_MPS2,
    ERROR_MAX_M,
    HARD_BRAKING_MPS2,
    SPEED_MAX_MPS,
    TURN_RATE_DEG_S,
    URGENT_FACTOR,
    Antenna,
    Vehicle,
    apply,
    depart,
    next_junction,
    observe,
    plan_path,
)

NETWORK: Network = generate(5)
TICK_S = 0.25
DRIVE_MAX_S = 3_600.0
"""Far longer than any way across the county takes."""

seeds = st.integers(0, 10_000)
ticks = st.sampled_from((0.1, 0.25, 1.0, 1.7))


def trip(seed: int, *, urgent: bool) -> Vehicle:
    """A vehicle about to drive between two junctions picked by `seed`."""
    random = Random(seed)
    start, end = random.sample(range(len(NETWORK.nodes)), 2)
    path = plan_path(NETWORK.route(start, end), random, urgent=urgent)
    return depart(Vehicle(NETWORK.nodes[start]), path)


def drive(vehicle: Vehicle, dt_s: float) -> list[Vehicle]:
    """Every state of a drive, until it is parked."""
    states = [vehicle]
    while not states[-1].parked:
        states.append(apply(states[-1], dt_s))
        assert len(states) * dt_s < DRIVE_MAX_S, "it never arrives"
    return states


@given(seed=seeds, dt_s=ticks, urgent=st.booleans())
@settings(max_examples=40, deadline=None)
def test_it_never_jumps(seed: int, dt_s: float, urgent: bool) -> None:
    """Between two ticks a vehicle comes no further than its top speed allows, and is parked exactly at its goal."""
    start = trip(seed, urgent=urgent)
    assert start.path is not None
    states = drive(start, dt_s)
    assert all(distance_m(a.point, b.point) <= SPEED_MAX_MPS * dt_s + 0.01 for a, b in pairwise(states))
    assert states[-1].point == start.path.points[-1]
    assert states[-1].speed_mps == 0.0


@given(seed=seeds, urgent=st.booleans())
@settings(max_examples=40, deadline=None)
def test_it_keeps_to_limits(seed: int, urgent: bool) -> None:
    """It is never faster than the limit (30 % more when urgent), nor brakes, gains or turns more than it can."""
    states = drive(trip(seed, urgent=urgent), TICK_S)
    factor = URGENT_FACTOR if urgent else 1.0
    assert max(state.speed_mps for state in states) <= max(LIMIT_MPS.values()) * factor + 1e-9
    for a, b in pairwise(states):
        gain = b.speed_mps - a.speed_mps
        assert -HARD_BRAKING_MPS2 * TICK_S - 0.5 <= gain <= ACCELERATION_MPS2 * TICK_S + 1e-9
        assert abs(turn_deg(a.heading_deg, b.heading_deg)) <= TURN_RATE_DEG_S * TICK_S + 1e-6


@given(seed=seeds)
@settings(max_examples=40, deadline=None)
def test_it_keeps_to_the_limit_of_each_street(seed: int) -> None:
    """On each stretch its speed is at most that stretch's limit, from the stretch's beginning."""
    for state in drive(trip(seed, urgent=False), TICK_S):
        if state.path is not None:
            stretch = max(i for i, at_m in enumerate(state.path.at_m) if at_m <= state.driven_m)
            assert state.speed_mps <= state.path.limit_mps[stretch] + 1e-9


@given(seed=seeds)
@settings(max_examples=20, deadline=None)
def test_an_ordinary_vehicle_stops_and_an_urgent_one_does_not(seed: int) -> None:
    """An emergency run waits nowhere, and is quicker over the same roads."""
    ordinary, urgent = trip(seed, urgent=False), trip(seed, urgent=True)
    assert not any(state.wait_s for state in drive(urgent, 1.0))
    assert len(drive(urgent, 1.0)) <= len(drive(ordinary, 1.0))


def test_ordinary_vehicles_wait_at_junctions() -> None:
    """Over twenty trips somebody waits, standing still."""
    waiting = [state for seed in range(20) for state in drive(trip(seed, urgent=False), 0.5) if state.wait_s]
    assert waiting
    standing = [later for state in waiting if state.wait_s > 1.0 for later in [apply(state, 0.5)]]
    assert all(later.speed_mps == 0.0 for later in standing)


@given(seed=seeds, share=st.floats(0.05, 0.9))
@settings(max_examples=40, deadline=None)
def test_it_can_be_sent_elsewhere_on_its_way(seed: int, share: float) -> None:
    """Sent elsewhere from its next junction, it goes on without a jump or a sudden stop, and arrives."""
    random = Random(seed)
    states = drive(trip(seed, urgent=True), TICK_S)
    vehicle = states[int(share * (len(states) - 1))]
    junction = next_junction(vehicle)
    assert junction is not None
    goal = random.randrange(len(NETWORK.nodes))
    path = plan_path(NETWORK.route(junction, goal), random)
    if path is None:
        return
    sent = depart(vehicle, path)
    assert sent.speed_mps == vehicle.speed_mps
    after = drive(sent, TICK_S)
    assert after[-1].point == NETWORK.nodes[goal]
    for a, b in pairwise(after):
        assert distance_m(a.point, b.point) <= SPEED_MAX_MPS * TICK_S + 0.01
        assert b.speed_mps - a.speed_mps >= -HARD_BRAKING_MPS2 * TICK_S - 0.5


@given(seed=seeds, share=st.floats(0.05, 0.9))
@settings(max_examples=30, deadline=None)
def test_it_can_be_stopped_on_its_way(seed: int, share: float) -> None:
    """Sent nowhere, a vehicle on its way drives on without a jump to its next junction and parks there."""
    states = drive(trip(seed, urgent=False), TICK_S)
    vehicle = states[int(share * (len(states) - 1))]
    junction = next_junction(vehicle)
    assert junction is not None
    after = drive(depart(vehicle, None), TICK_S)
    assert after[-1].point == NETWORK.nodes[junction]
    assert all(distance_m(a.point, b.point) <= SPEED_MAX_MPS * TICK_S + 0.01 for a, b in pairwise(after))


def test_a_parked_vehicle_stays() -> None:
    """Time alone moves no parked vehicle, and without a path there is nowhere to go."""
    parked = Vehicle(NETWORK.nodes[0], heading_deg=77.0)
    assert apply(parked, 3_600.0) == parked
    assert depart(parked, plan_path((), Random(1))) == parked
    assert next_junction(parked) is None


def test_the_same_seed_drives_the_same_way() -> None:
    """A drive is a function of its seed and time."""
    assert drive(trip(42, urgent=False), 0.5) == drive(trip(42, urgent=False), 0.5)


@given(seed=seeds, moving=st.booleans())
@settings(max_examples=30, deadline=None)
def test_a_receiver_errs_by_metres_and_drifts(seed: int, moving: bool) -> None:
    """A fix is within 12 m of the truth and drifts less than 4 m a second; parked, its speed is below 0.3 m/s."""
    random, antenna = Random(seed), Antenna()
    vehicle = Vehicle(NETWORK.nodes[3], heading_deg=359.5, speed_mps=15.0 if moving else 0.0)
    vehicle = replace(vehicle, path=trip(1, urgent=False).path) if moving else vehicle
    for _ in range(300):
        before = antenna.error_m
        antenna, fix = observe(antenna, vehicle, 1.0, random)
        off_m = hypot(*antenna.error_m)
        assert off_m <= ERROR_MAX_M + 0.01
        assert hypot(antenna.error_m[0] - before[0], antenna.error_m[1] - before[1]) < 4.0
        assert fix.speed_mps == pytest.approx(vehicle.speed_mps, abs=1.2) if moving else fix.speed_mps < 0.3
        assert 0.0 <= fix.heading_deg < 360.0
    assert antenna.error_m != (0.0, 0.0)


def test_a_parked_receiver_wanders_less() -> None:
    """Parked, the error is on average well below that of a moving vehicle."""

    def mean_m(vehicle: Vehicle) -> float:
        antenna, random, total_m = Antenna(), Random(3), 0.0
        for _ in range(2_000):
            antenna, _ = observe(antenna, vehicle, 1.0, random)
            total_m += hypot(*antenna.error_m)
        return total_m / 2_000

    parked = Vehicle(NETWORK.nodes[3])
    assert mean_m(parked) * 2 < mean_m(trip(1, urgent=False))
