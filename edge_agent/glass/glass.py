"""Makes the page of what stands, and carries out what a person at the glass asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial

import msgspec

from edge_agent.actuators.lamps import Lamps
from edge_agent.clock import Clock
from edge_agent.config import Button, Config, UnitEntry
from edge_agent.glass.cards import (
    UnitStands,
    called_of,
    lamp_name,
    mode_of_all,
    order_card,
    service_of,
    still,
    unit_card,
)
from edge_agent.glass.swapping import Swapping
from edge_agent.glass.turned_out import TurnedOut
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.outbox.notebook import CrewNote, DefectNote, Notebook, Notes
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
    SwapCard,
    SwapForm,
    TurnOutForm,
    UnitCard,
    Zone,
    ZoneTestForm,
)
from edge_agent.state.events import Crew, Defect, Stamp, binding_event, crew_event, defect_event
from edge_agent.state.swap import plain
from edge_agent.station.parts import Layout
from edge_agent.turnout import OrderShown, Turnout
from wire.findings import Finding
from wire.messages import CalledUnit

NOT_STORED = "NOT STORED: USE RADIO"
UNKNOWN_UNIT = "this device speaks for no such unit"
OTHER_CODES = "this panel has no statuses of that unit: USE RADIO"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows of the agent as a whole, as it stands now."""

    answer_age_s: float | None
    seen: bool
    connected: bool
    oldest_unsent_s: float | None
    mains: Mains
    health: tuple[Finding, ...]
    night: bool


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What the glass asks of the agent."""

    lamps: Lamps
    turnout: Turnout
    notebook: Notebook
    declare: Callable[[str, Button], Awaitable[bool]]
    """Commits a press, by its lamp's name; False where it was not stored."""
    append: Callable[[Sequence[Draft]], Awaitable[int]]
    """Commits events to the status queue, and gives the last one's sequence. Raises `StorageFailed`."""
    stream: Callable[[], str]
    """Names the stream that they stand in."""
    swapping: Swapping
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
        self._swapping = reach.swapping
        self._turned_out = TurnedOut()
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
        if self._swapping.meaning_of(button) is None:
            return Answer(OTHER_CODES)
        real = self._swapping.unit_of(form.unit)
        stored = await self._reach.declare(lamp_name(form.unit, form.code), button)
        row = self._config.schemes[button.scheme].code(button.code)
        if stored and row is not None and row.mobile:
            self._turned_out.note(real, self._clock.monotonic())
        return self._done(stored)

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        if form.unit not in self._units:
            return Answer(UNKNOWN_UNIT)
        real = self._swapping.unit_of(form.unit)
        crew = Crew(unit=real, on=form.on, riders=form.riders, commander=form.commander)
        if await self._append(partial(crew_event, self._reach.stamp(), crew)) is None:
            return Answer(NOT_STORED)

        def change(notes: Notes) -> Notes:
            crews = {unit: note for unit, note in notes.crews.items() if unit != real}
            if form.on:
                crews[real] = CrewNote(riders=form.riders, commander=form.commander)
            return msgspec.structs.replace(notes, crews=crews)

        await self._notebook.note(change)
        return self._done(True)

    async def defect(self, form: DefectForm) -> Answer:
        """Raise or clear a defect."""
        if form.unit not in self._units:
            return Answer(UNKNOWN_UNIT)
        real = self._swapping.unit_of(form.unit)
        defect = Defect(unit=real, what=form.what, off_the_run=form.off_the_run, raised=form.raised, text=form.text)
        if await self._append(partial(defect_event, self._reach.stamp(), defect)) is None:
            return Answer(NOT_STORED)

        def change(notes: Notes) -> Notes:
            others = tuple(one for one in notes.defects.get(real, ()) if one.what != form.what)
            added = (DefectNote(what=form.what, off_the_run=form.off_the_run, text=form.text),) if form.raised else ()
            return msgspec.structs.replace(notes, defects={**notes.defects, real: (*others, *added)})

        await self._notebook.note(change)
        return self._done(True)

    async def swap(self, form: SwapForm) -> Answer:
        """Ask control to let this vehicle carry another unit, or to end that."""
        if not self._swapping.is_vehicle:
            return Answer("this panel is no vehicle's")
        callsign = " ".join(form.callsign.split())
        draft = partial(binding_event, self._reach.stamp(), callsign, self._swapping.own.vehicle or "", on=form.on)
        seq = await self._append(draft)
        if seq is None:
            return Answer(NOT_STORED)
        self._swapping.asked(callsign, on=form.on, stream=self._reach.stream(), seq=seq)
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

    async def _append(self, draft: Draft) -> int | None:
        """Commit an event and give its sequence; None where the disk does not take it."""
        try:
            return await self._reach.append([draft])
        except StorageFailed:
            return None

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
        cards = tuple(self._card(unit) for unit in self._config.units)
        return PanelPage(
            version=0,
            at=self._clock.now(),
            zone=page.zone if page else "Europe/London",
            station=(page.title if page else None) or self._layout.station.name,
            mode=mode_of_all(cards),
            control=Control(seen=standing.seen, answer_age_s=standing.answer_age_s),
            wan_up=standing.connected,
            mains=standing.mains,
            oldest_unsent_s=standing.oldest_unsent_s,
            notice=self._lamps.view.notice,
            units=cards,
            orders=self._orders(),
            health=standing.health,
            night=standing.night,
            zones=tuple(Zone(name=zone.id, label=zone.id.replace("-", " ")) for zone in self._layout.zones),
            swap=self._swap_card() if self._swapping.is_vehicle else None,
        )

    def _swap_card(self) -> SwapCard:
        view, own = self._swapping.view, self._swapping.own.callsign or self._swapping.own.id
        offered = self._config.page.callsigns if self._config.page else ()
        known = {plain(one): one for one in (*offered, *self._swapping.known, own)}
        return SwapCard(
            own=own,
            stage=view.stage,
            callsign=view.callsign,
            by=view.by,
            leaving=view.leaving,
            choices=tuple(known.values()),
        )

    def _card(self, unit: UnitEntry) -> UnitCard:
        scheme, codes = self._config.schemes[unit.scheme], self._config.cards.get(unit.id, {})
        real, is_own = self._swapping.unit_of(unit.id), unit.id == self._swapping.own.id
        view = self._swapping.view
        stands = UnitStands(
            real=real,
            callsign=self._swapping.callsign if is_own else unit.callsign or unit.id,
            carried=view.stage if is_own else "own",
            by=view.by if is_own else "",
            shown=self._lamps.control_shows(real),
            overruled=self._lamps.is_overruled(real),
            mode=self._lamps.mode_of(real, self._clock.now()),
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
            real = self._swapping.unit_of(unit.id)
            shown = self._lamps.control_shows(real)
            row = self._config.schemes[unit.scheme].code(shown.code) if shown else None
            if shown is not None and row is not None and row.mobile:
                since_s[real] = now_s - (now - shown.since) / timedelta(seconds=1)
        return since_s
