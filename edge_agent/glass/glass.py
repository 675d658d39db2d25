"""Makes the page of what stands, and carries out what a person at the glass asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import msgspec

from edge_agent.actuators.lamps import Lamps
from edge_agent.clock import Clock
from edge_agent.config import Button, Config, UnitEntry
from edge_agent.glass.cards import UnitStands, called_of, lamp_name, order_card, service_of, still, unit_card
from edge_agent.glass.turned_out import TurnedOut
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.outbox.notebook import CrewNote, DefectNote, Notebook
from edge_agent.panel.port import (
    DONE,
    AcknowledgeForm,
    Answer,
    Control,
    CrewForm,
    DefectForm,
    Mains,
    OrderCard,
    PanelPage,
    PressForm,
    TurnOutForm,
    UnitCard,
    Zone,
    ZoneTestForm,
)
from edge_agent.state.events import Crew, Defect, Stamp, crew_event, defect_event
from edge_agent.station.parts import Layout
from edge_agent.turnout import OrderShown, Turnout
from wire.messages import CalledUnit

NOT_STORED = "NOT STORED: USE RADIO"
UNKNOWN_UNIT = "this device speaks for no such unit"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows of the agent as a whole, as it stands now."""

    answer_age_s: float | None
    seen: bool
    connected: bool
    oldest_unsent_s: float | None
    mains: Mains
    faults: tuple[str, ...]
    night: bool


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What the glass asks of the agent."""

    lamps: Lamps
    turnout: Turnout
    notebook: Notebook
    declare: Callable[[str, Button], Awaitable[bool]]
    """Commits a press, by its lamp's name; False where it was not stored."""
    append: Callable[[Sequence[Draft]], Awaitable[object]]
    """Commits events to the status queue. Raises `StorageFailed`."""
    stamp: Callable[[], Stamp]
    standing: Callable[[], Standing]


class Glass:
    """The agent as the touch page sees it (`edge_agent.panel.port.PanelPort`)."""

    def __init__(self, config: Config, layout: Layout, reach: Reach, clock: Clock) -> None:
        """Nothing is shown yet."""
        self._config, self._layout, self._reach, self._clock = config, layout, reach, clock
        self._lamps, self._turnout, self._notebook = reach.lamps, reach.turnout, reach.notebook
        self._units = {unit.id: unit for unit in config.units}
        self._services = {service_of(unit) for unit in config.units}
        self._turned_out = TurnedOut()
        self._noting = asyncio.Lock()
        """Each note is made of the one before it, and the disk is written beside the loop."""
        self._version = 0
        self._shown = b""
        self._waiting = 0
        self._turned = asyncio.Event()

    def refresh(self) -> None:
        """Look whether the page has changed. Nothing is done while nobody looks at it."""
        if self._waiting:
            self._look()

    def view(self) -> PanelPage:
        """Everything as it stands now."""
        return self._look()

    async def changed(self, seen: int) -> None:
        """Return as soon as the version is another than `seen`."""
        self._waiting += 1
        try:
            while self._version == seen:
                await self._turned.wait()
        finally:
            self._waiting -= 1

    async def press(self, form: PressForm) -> Answer:
        """Declare a status."""
        button = self._config.cards.get(form.unit, {}).get(form.code)
        if button is None:
            return Answer("there is no such status on this panel")
        stored = await self._reach.declare(lamp_name(form.unit, form.code), button)
        row = self._config.schemes[button.scheme].code(button.code)
        if stored and row is not None and row.mobile:
            self._turned_out.note(form.unit, self._clock.monotonic())
        return self._done(stored)

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        if form.unit not in self._units:
            return Answer(UNKNOWN_UNIT)
        crew = Crew(unit=form.unit, on=form.on, riders=form.riders, commander=form.commander)
        if not await self._append(partial(crew_event, self._reach.stamp(), crew)):
            return Answer(NOT_STORED)
        async with self._noting:
            notes = self._notebook.notes
            crews = {unit: note for unit, note in notes.crews.items() if unit != form.unit}
            if form.on:
                crews[form.unit] = CrewNote(riders=form.riders, commander=form.commander)
            await asyncio.to_thread(self._notebook.write, msgspec.structs.replace(notes, crews=crews))
        return self._done(True)

    async def defect(self, form: DefectForm) -> Answer:
        """Raise or clear a defect."""
        if form.unit not in self._units:
            return Answer(UNKNOWN_UNIT)
        defect = Defect(
            unit=form.unit, what=form.what, off_the_run=form.off_the_run, raised=form.raised, text=form.text
        )
        if not await self._append(partial(defect_event, self._reach.stamp(), defect)):
            return Answer(NOT_STORED)
        async with self._noting:
            notes = self._notebook.notes
            others = tuple(one for one in notes.defects.get(form.unit, ()) if one.what != form.what)
            added = (DefectNote(what=form.what, off_the_run=form.off_the_run, text=form.text),) if form.raised else ()
            defects = {**notes.defects, form.unit: (*others, *added)}
            await asyncio.to_thread(self._notebook.write, msgspec.structs.replace(notes, defects=defects))
        return self._done(True)

    async def acknowledge(self, form: AcknowledgeForm) -> Answer:
        """Take an order in."""
        became = await self._turnout.acknowledge(form.order, unit=form.unit)
        self.refresh()
        return Answer(NOT_STORED) if became == "not_stored" else DONE

    async def test(self, form: ZoneTestForm) -> Answer:
        """Test a zone, or all."""
        if form.zone is not None and all(zone.id != form.zone for zone in self._layout.zones):
            return Answer("this station has no such zone")
        await self._turnout.test(form.zone)
        return self._done(True)

    async def turn_out(self, form: TurnOutForm) -> Answer:
        """Turn units out by hand."""
        unknown = [unit for unit in form.units if unit not in self._units]
        if unknown:
            return Answer(UNKNOWN_UNIT)
        units = [self._units[unit] for unit in form.units]
        called = [CalledUnit(unit=one.id, callsign=one.callsign or one.id, service=service_of(one)) for one in units]
        await self._turnout.turn_out(called, form.text)
        return self._done(True)

    async def _append(self, draft: Draft) -> bool:
        try:
            await self._reach.append([draft])
        except StorageFailed:
            return False
        return True

    def _done(self, stored: bool) -> Answer:
        self.refresh()
        return DONE if stored else Answer(NOT_STORED)

    def _look(self) -> PanelPage:
        """Count a new version where anything but the counting of seconds has changed, and give the page."""
        page = self._page()
        shown = msgspec.json.encode(still(page))
        if shown != self._shown:
            self._shown = shown
            self._version += 1
            self._turned.set()
            self._turned = asyncio.Event()
        return msgspec.structs.replace(page, version=self._version)

    def _page(self) -> PanelPage:
        standing, page = self._reach.standing(), self._config.page
        return PanelPage(
            version=0,
            at=self._clock.now(),
            zone=page.zone if page else "Europe/London",
            station=(page.title if page else None) or self._layout.station.name,
            control=Control(seen=standing.seen, answer_age_s=standing.answer_age_s),
            wan_up=standing.connected,
            mains=standing.mains,
            oldest_unsent_s=standing.oldest_unsent_s,
            notice=self._lamps.view.notice,
            units=tuple(self._card(unit) for unit in self._config.units),
            orders=self._orders(),
            faults=standing.faults,
            night=standing.night,
            zones=tuple(Zone(name=zone.id, label=zone.id.replace("-", " ")) for zone in self._layout.zones),
        )

    def _card(self, unit: UnitEntry) -> UnitCard:
        scheme, codes = self._config.schemes[unit.scheme], self._config.cards.get(unit.id, {})
        stands = UnitStands(
            shown=self._lamps.control_shows(unit.id),
            overruled=self._lamps.is_overruled(unit.id),
            notes=self._notebook.notes,
            rows=tuple(row for code in codes if (row := scheme.code(code)) is not None),
            lamps=self._lamps.view.lamps,
        )
        return unit_card(unit, stands)

    def _orders(self) -> tuple[OrderCard, ...]:
        """The orders that call a unit of this panel's services, newest first; no others are anybody's business here."""
        shown = sorted((*self._turnout.view, *self._turnout.ended), key=lambda one: one.received_s, reverse=True)
        self._turned_out.keep(shown)
        return tuple(self._order(one) for one in shown if called_of(one, self._services))

    def _order(self, one: OrderShown) -> OrderCard:
        called = called_of(one, self._services)
        took_s = self._turned_out.took_s(one, [unit.unit for unit in called], self._shown_mobile_s())
        return order_card(one, called, now_s=self._clock.monotonic(), turned_out_s=took_s)

    def _shown_mobile_s(self) -> dict[str, float]:
        """Since when control shows units as mobile, by the monotonic clock."""
        now, now_s = self._clock.now(), self._clock.monotonic()
        since_s = {}
        for unit in self._config.units:
            shown = self._lamps.control_shows(unit.id)
            row = self._config.schemes[unit.scheme].code(shown.code) if shown else None
            if shown is not None and row is not None and row.mobile:
                since_s[unit.id] = now_s - (now - shown.since) / timedelta(seconds=1)
        return since_s
