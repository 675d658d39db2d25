"""The people of a station: they press, log on, turn out by hand, test and leave. What they did is written down here.

Each deed has the moment when it was done. It is written by who did it, or read off the plant: the agent has no part in
it, so that the cloud's ledger can be held against it.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from random import Random
from typing import Any, Literal

import msgspec

from edge_agent.clock import Clock
from edge_agent.config import Button
from edge_agent.panel.port import (
    DONE,
    AcknowledgeForm,
    Answer,
    CrewForm,
    PanelPort,
    PressForm,
    TurnOutForm,
    ZoneTestForm,
)
from simulator.plant import Plant

Kind = Literal["status", "crew", "turnout", "acknowledge", "alarm", "step"]
LAMP_S = 1.0
"""A press's lamp is lit within this."""
HEARD_S = 1.0
"""A sounder is heard within this after a turnout by hand."""
STEP_S = 0.05
DEEDS_MAX = 300
"""In a long time they rest for longer."""


class Deed(msgspec.Struct, frozen=True):
    """Something that was done at the station, in the words in which the ledger has it."""

    kind: Kind
    what: tuple[str, ...]
    at_s: float
    """Seconds of the clock that its people and the plant share."""


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """How long its people take for what they do, in seconds."""

    to_button_s: tuple[float, float] = (2.0, 8.0)
    away_s: float = 20.0
    over_s: float = 75.0
    """A turnout is over after this, everything included: the station resets itself after 60 s."""
    test_s: float = 8.0
    mains_s: float = 20.0
    pause_s: float = 90.0
    """What lies between two deeds, on average."""


UNHURRIED = Habits()


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What its people have at hand."""

    page: Callable[[], PanelPort]
    """The touch page."""
    ask: Callable[[Coroutine[Any, Any, Answer]], Awaitable[Answer]]
    """Has a request of the page's carried out."""
    buttons: Mapping[str, Button]
    """On the wall: one for each unit, by its id, which says that it goes."""
    push: Callable[[str], Callable[[], bool] | None]
    """Pushes one of them, and gives what tells whether its lamp has lit; None where it was lit already."""
    plant: Plant
    clock: Clock


class StationCrew:
    """Everybody at the station, one thing after the other."""

    def __init__(self, reach: Reach, chance: Random, habits: Habits = UNHURRIED) -> None:
        """Nobody has done anything yet."""
        self._reach, self._plant, self._chance, self._habits = reach, reach.plant, chance, habits
        self.deeds: list[Deed] = []
        self.troubles: list[str] = []
        """What a person at the station would complain of."""
        self.turnouts: dict[str, float] = {}
        """When each order by hand was given, by its id."""
        self._crewed: dict[str, bool] = {}

    @property
    def _page(self) -> PanelPort:
        return self._reach.page()

    @property
    def _now_s(self) -> float:
        return self._reach.clock.monotonic()

    async def live(self, duration_s: float) -> None:
        """Do one thing after the other for so long, beginning with one of each. The last is done to its end."""
        until_s = self._now_s + duration_s
        everything = (self._press, self._log_on, self._turn_out, self._push_on_the_wall, self._test, self._lose_mains)
        done = 0
        while self._now_s < until_s:
            deed = everything[done] if done < len(everything) else self._chance.choice(everything[:4])
            done += 1
            await deed()
            pause_s = max(self._habits.pause_s, duration_s / DEEDS_MAX)
            await self._reach.clock.sleep(self._chance.uniform(0.1, 2 * pause_s))

    async def _press(self) -> None:
        """Press a status on the glass."""
        card = self._chance.choice(self._page.view().units)
        await self._declare(card.unit, self._chance.choice(card.buttons).code)

    async def _declare(self, unit: str, code: str) -> None:
        at_s = self._now_s
        self._note("status", unit, code)
        await self._touch("a press", self._page.press(PressForm(unit=unit, code=code)))
        await self._see(f"the lamp of {unit}'s {code}", at_s, lambda: self._is_lit(unit, code))

    def _is_lit(self, unit: str, code: str) -> bool:
        cards = {card.unit: card for card in self._page.view().units}
        return any(button.code == code and button.lamp != "dark" for button in cards[unit].buttons)

    async def _push_on_the_wall(self) -> None:
        """Push a unit's button on the wall, where its lamp is dark."""
        button = self._chance.choice(sorted(self._reach.buttons))
        at_s, meaning = self._now_s, self._reach.buttons[button]
        is_lit = self._reach.push(button)
        if is_lit is not None:
            self._note("status", meaning.unit, meaning.code)
            await self._see(f"the lamp of {button} on the wall", at_s, is_lit)

    async def _log_on(self) -> None:
        """Log a crew on, or off."""
        unit = self._chance.choice(self._page.view().units).unit
        on = self._crewed[unit] = not self._crewed.get(unit, False)
        riders = self._chance.randint(1, 6) if on else 0
        self._note("crew", unit, str(on), str(riders))
        await self._touch("a crew's log-on", self._page.crew(CrewForm(unit=unit, on=on, riders=riders)))

    async def _turn_out(self) -> None:
        """Turn units out by hand, hear it, take it in, drive off and leave all as it was."""
        began_s = self._now_s
        cards = self._page.view().units
        units = tuple(card.unit for card in self._chance.sample(cards, self._chance.randint(1, len(cards))))
        known = {order.order for order in self._page.view().orders}
        self._note("turnout", *units)
        await self._touch("a turnout", self._page.turn_out(TurnOutForm(units=units, text="running call")))
        given = [order.order for order in self._page.view().orders if order.order not in known]
        if not given:
            self.troubles.append(f"a turnout at {began_s:.1f} s is not on the page")
            return
        self.turnouts[given[0]] = began_s
        await self._see("a sounder", began_s, lambda: self._sounds())
        await self._reach.clock.sleep(self._chance.uniform(*self._habits.to_button_s))
        await self._take_in(given[0])
        for unit in units:
            await self._declare(unit, self._reach.buttons[unit].code)
        await self._reach.clock.sleep(self._habits.away_s)
        self._leave()
        await self._reach.clock.sleep(max(0.0, began_s + self._habits.over_s - self._now_s))

    def _sounds(self) -> bool:
        return any(self._plant.read(sounder.proof) for sounder in self._plant.parts.sounders)

    async def _take_in(self, order: str) -> None:
        """Acknowledge, by the button on the wall or on the glass."""
        if self._chance.random() < 0.5:
            self._note("acknowledge", order, "manual_input")
            self._plant.press_acknowledge()
            return
        self._note("acknowledge", order, "panel")
        await self._touch("an acknowledgement", self._page.acknowledge(AcknowledgeForm(order=order)))

    def _leave(self) -> None:
        """Close the doors and give the cooker back, as the last one out does."""
        for door in self._plant.parts.doors:
            if self._plant.is_open(door.id):
                self._plant.close_door(door.id)
        if any(not self._plant.is_cooking(cooker.id) for cooker in self._plant.parts.cookers):
            self._note("step", "reset:mess")
            self._plant.reset_cookers()

    async def _test(self) -> None:
        """Test the fire crew's dormitory."""
        began_s = self._now_s
        await self._touch("a test", self._page.test(ZoneTestForm(zone="dorm-fire")))
        await self._see("the sounder of a test", began_s, lambda: self._sounds())
        await self._reach.clock.sleep(self._habits.test_s)

    async def _lose_mains(self) -> None:
        """Lose the mains for a while."""
        self._note("alarm", "mains_failed", "True")
        self._plant.fail_mains(on_generator=True)
        await self._reach.clock.sleep(self._habits.mains_s)
        self._note("alarm", "mains_failed", "False")
        self._plant.restore_mains()
        await self._reach.clock.sleep(self._habits.mains_s)

    async def _see(self, what: str, since_s: float, is_there: Callable[[], bool]) -> None:
        """Wait until something can be seen or heard; it is a trouble where that takes too long."""
        limit_s = HEARD_S if "sounder" in what else LAMP_S
        while not is_there():
            if self._now_s - since_s > limit_s:
                self.troubles.append(f"{what} was not there {limit_s:g} s after {since_s:.1f} s")
                return
            await self._reach.clock.sleep(STEP_S)

    def _note(self, kind: Kind, *what: str) -> None:
        self.deeds.append(Deed(kind, what, self._now_s))

    async def _touch(self, what: str, request: Coroutine[Any, Any, Answer]) -> None:
        answer = await self._reach.ask(request)
        if answer != DONE:
            self.troubles.append(f"{what} at {self._now_s:.1f} s: {answer.trouble}")


def steps_of(plant: Plant) -> Sequence[Deed]:
    """What the plant did, by its own contacts: each part that came on, and each door that stood wide open."""
    parts = plant.parts
    names = {one.proof: f"sounder:{one.id}" for one in parts.sounders}
    names |= {one.proof: f"light:{one.id}" for one in parts.lights}
    names |= {one.proof: f"cooker:{one.id}" for one in parts.cookers}
    names |= {one.proof: f"indicator:{one.unit}" for one in parts.indicators}
    names |= {one.proof: f"exit:{one.id}" for one in parts.exit_signals}
    names |= {one.open_input: f"door:{one.id}" for one in parts.doors}
    return [
        Deed("step", (names[change.point],), change.at_s)
        for change in plant.changes
        if change.value and change.point in names
    ]
