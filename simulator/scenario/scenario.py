"""One scenario: a seed's faults strike a world in which crews press, and a minute after the last all must be well."""

import asyncio
from pathlib import Path
from random import Random

import msgspec

from simulator.scenario.checkers import Violation
from simulator.scenario.clock import elapse
from simulator.scenario.crews import Crews
from simulator.scenario.faults import Faults, draw
from simulator.scenario.striker import Striker
from simulator.scenario.world import World, scratch

START_S = 20.0
"""Everybody comes up, and the first presses are made."""
CONVERGES_S = 60.0


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a scenario."""

    seed: int
    faults: Faults
    violations: list[Violation]
    presses: int
    confirmed: int
    steps: int
    """How often something was checked."""
    virtual_s: float
    story: list[str]


def play(seed: int, faults: Faults | None = None, *, told: bool = False) -> Outcome:
    """Play a seed's scenario to its end, or to the first violation's moment and what follows from it."""
    with scratch() as root:
        return _play(seed, faults or draw(seed), root, told)


def _play(seed: int, faults: Faults, root: Path, told: bool) -> Outcome:
    world = World(seed, faults, root, told=told)
    world.story.tell("scenario", "begins", seed=seed, **faults.counts)
    try:
        asyncio.set_event_loop(None)
        world.loop.run_until_complete(_direct(world))
    finally:
        _end(world)
    pushed = [one for machine in world.machines for one in machine.pushed]
    return Outcome(
        seed=seed,
        faults=faults,
        violations=world.checkers.violations,
        presses=len(pushed),
        confirmed=sum(one.lamp_s is not None for one in pushed),
        steps=world.checkers.steps,
        virtual_s=round(world.loop.time(), 1),
        story=world.story.lines,
    )


async def _direct(world: World) -> None:
    """Start everybody, let the faults strike, heal, wait and look."""
    chance = Random(f"director/{world.seed}")
    if "second_device" in world.faults.counts:
        world.add("panel", "panel")
    world.cloud.start()
    for machine in world.machines:
        machine.start(reboot=True)
    crews = Crews(world, chance)
    pressing = asyncio.ensure_future(crews.press())
    await elapse(START_S)
    striker = Striker(world, chance)
    strikes = [
        asyncio.ensure_future(striker.strike(kind)) for kind, count in world.faults.counts.items() for _ in range(count)
    ]
    await asyncio.gather(*strikes)
    await striker.heal()
    world.story.tell("scenario", "the last fault is over")
    await elapse(CONVERGES_S / 2)
    crews.rest = True
    await elapse(CONVERGES_S / 2)
    world.checkers.check_end([machine for machine in world.machines if not machine.retired])
    pressing.cancel()


def _end(world: World) -> None:
    """Kill whatever runs, and let it clean up where nobody sees it."""
    for machine in world.machines:
        machine.on_disk = lambda one: None
        machine.kill()
    world.cloud.on_disk = lambda: None
    world.cloud.kill()
    while tasks := asyncio.all_tasks(world.loop):
        for task in tasks:
            task.cancel()
        world.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    world.loop.close()
