"""Crews: plausible shifts in their service's own codes, the same for one seed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.config import load_scheme
from simulator.crew import DUTIES, SCHEMES, SPREAD, Destination, Press, codes, next_press, start, turn_out
from wire.feed import Service

SERVICES: tuple[Service, ...] = get_args(Service)
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
DRIVE_S = 300.0
"""How long every drive takes here."""

every_service = pytest.mark.parametrize("service", SERVICES)
services = st.sampled_from(SERVICES)
seeds = st.integers(0, 10_000)


def live(service: Service, seed: int, *, presses: int, pace: float = 1.0) -> list[tuple[datetime, Press]]:
    """A crew's presses and when they came."""
    random, now = Random(seed), START
    press = start(service, now, random, pace=pace)
    lived = [(now, press)]
    for _ in range(presses):
        now += timedelta(seconds=press.dwell_s + (DRIVE_S / pace if press.on_arrival else 0.0))
        press = next_press(press.crew, now, random)
        lived.append((now, press))
    return lived


@every_service
def test_every_code_is_one_of_its_scheme(service: Service) -> None:
    """Each code stands in the service's scheme and is a status, not an event, with a class of its own."""
    scheme = load_scheme(SCHEMES[service])
    for code in codes(service):
        row = scheme.code(code)
        assert row is not None, code
        assert not row.event, code


@every_service
def test_who_is_available_can_be_called_out(service: Service) -> None:
    """A crew is free under each code that its scheme calls available, and under none that it calls not available."""
    scheme = load_scheme(SCHEMES[service])
    for code, phase in DUTIES[service].phases.items():
        row = scheme.code(code)
        assert row is not None
        assert phase.free or row.availability != "Available", code
        assert not phase.free or row.availability != "NotAvailable", code


@every_service
def test_a_shift_goes_through_every_code(service: Service) -> None:
    """A long enough life comes by every code of the table: none is out of reach, and none is a dead end."""
    lived = live(service, 5, presses=4_000)
    assert {press.code for _, press in lived} == set(codes(service))


@every_service
def test_one_seed_is_one_life(service: Service) -> None:
    """Two crews with one seed live the same life, and another seed another."""
    assert live(service, 3, presses=50) == live(service, 3, presses=50)
    assert live(service, 3, presses=50) != live(service, 4, presses=50)


@given(service=services, seed=seeds)
def test_each_press_follows_from_the_one_before(service: Service, seed: int) -> None:
    """A press is one that may follow the last, or the end of the shift; and its length is within bounds."""
    duty = DUTIES[service]
    for (_, before), (now, press) in pairwise(live(service, seed, presses=60)):
        followers = set(duty.phases[before.code].then)
        if press.code not in followers:
            assert press.code == duty.off_duty
            assert now >= before.crew.shift_ends
        least, most = (bound * duty.phases[press.code].dwell_s for bound in SPREAD)
        assert least <= press.dwell_s <= most
        assert press.crew.code == press.code


@given(service=services, seed=seeds)
def test_nobody_is_on_scene_without_having_driven_there(service: Service, seed: int) -> None:
    """Before each "at scene" the vehicle was sent to the incident on blue lights, and waited to arrive."""
    at_scene = {"police": "6", "fire": "2", "ambulance": "at_scene"}[service]
    for (_, before), (_, press) in pairwise(live(service, seed, presses=60)):
        if press.code == at_scene:
            assert (before.destination, before.on_arrival, before.urgent) == (Destination.INCIDENT, True, True)


@pytest.mark.parametrize("service", ("police", "ambulance"))
def test_a_shift_ends_and_another_begins(service: Service) -> None:
    """Once its shift is over a crew goes off duty, but never from an incident; the next crew has a shift of its own."""
    duty = DUTIES[service]
    lived = live(service, 8, presses=1_500)
    ends = [(before, press) for (_, before), (_, press) in pairwise(lived) if press.code == duty.off_duty]
    assert len(ends) >= 3
    assert all(duty.phases[before.code].free for before, _ in ends)
    assert len({press.crew.shift_ends for _, press in lived}) == len(ends) + 1


def test_a_fire_crew_changes_without_a_status() -> None:
    """A fire appliance stays on the run through a change of watch: no code says so."""
    lived = live("fire", 8, presses=1_500)
    assert lived[-1][0] - START > timedelta(days=3)
    assert not {press.code for _, press in lived} & {"33", "37"}


@given(service=services, seed=seeds)
def test_pace_shortens_every_wait(service: Service, seed: int) -> None:
    """At ten times the pace a crew does the same, each wait a tenth as long."""
    slow, fast = live(service, seed, presses=30), live(service, seed, presses=30, pace=10.0)
    assert [press.code for _, press in slow] == [press.code for _, press in fast]
    assert [press.dwell_s for _, press in slow] == pytest.approx([10 * press.dwell_s for _, press in fast])


@given(service=services, seed=seeds)
def test_control_can_call_out_the_free_and_only_them(service: Service, seed: int) -> None:
    """A free crew answers a call-out with its service's code; one that isn't free doesn't, whatever the time."""
    random = Random(seed)
    duty = DUTIES[service]
    for now, press in live(service, seed, presses=20):
        called = turn_out(press.crew, now, random)
        assert (called is not None) == duty.phases[press.code].free
        if called is not None:
            assert called.code == duty.turn_out
            assert called.crew == replace(press.crew, code=duty.turn_out)


@every_service
def test_most_are_available_at_the_start(service: Service) -> None:
    """Of many crews more than half start available: a board of a quiet morning."""
    scheme = load_scheme(SCHEMES[service])
    random = Random(1)
    rows = [scheme.code(start(service, START, random).code) for _ in range(600)]
    assert sum(row is not None and row.availability == "Available" for row in rows) > 300
