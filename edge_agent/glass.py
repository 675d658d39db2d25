"""The touch page's view of the agent: everything it shows, and everything that a person at the glass can do."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import msgspec

from edge_agent.actuators.lamps import Lamps
from edge_agent.clock import Clock
from edge_agent.config import Button, Config, UnitEntry
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.outbox.notebook import CrewNote, DefectNote, Notebook
from edge_agent.panel.icons import icon_of
from edge_agent.panel.port import (
    DONE,
    AcknowledgeForm,
    Answer,
    CalledCard,
    Control,
    CrewForm,
    DefectForm,
    Mains,
    OpenDefect,
    OrderCard,
    PanelPage,
    PressForm,
    ShownToCrew,
    StatusButton,
    StepTick,
    TurnOutForm,
    UnitCard,
    Zone,
    ZoneTestForm,
)
from edge_agent.state.events import Crew, Defect, Stamp, crew_event, defect_event
from edge_agent.station.parts import Layout
from edge_agent.turnout import OrderShown, Turnout
from wire.events import Service
from wire.messages import CalledUnit

NOT_STORED = "NOT STORED: USE RADIO"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


def lamp_name(unit: str, code: str) -> str:
    """Name the lamp of a status button on the glass, among all lamps of the device."""
    return f"{unit}:{code}"


def service_of(unit: UnitEntry) -> Service:
    """Tell a unit's service: as written, or as its scheme's name says it; fire where neither does."""
    if unit.service is not None:
        return unit.service
    if "police" in unit.scheme:
        return "police"
    return "ambulance" if "ambulance" in unit.scheme else "fire"


class Glass:
    """The agent as the touch page sees it (`edge_agent.panel.port.PanelPort`)."""

    def __init__(self, config: Config, layout: Layout, reach: Reach, clock: Clock) -> None:
        """Nothing is shown yet."""
        self._config, self._layout, self._reach, self._clock = config, layout, reach, clock
        self._lamps, self._turnout, self._notebook = reach.lamps, reach.turnout, reach.notebook
        self._units = {unit.id: unit for unit in config.units}
        self._mobile_s: dict[str, float] = {}
        """When each unit last declared that it is on its way."""
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
        self._look()
        return self._page()

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
            self._mobile_s[form.unit] = self._clock.monotonic()
        return self._done(stored)

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        if form.unit not in self._units:
            return Answer(UNKNOWN_UNIT)
        crew = Crew(unit=form.unit, on=form.on, riders=form.riders, commander=form.commander)
        if not await self._append(partial(crew_event, self._reach.stamp(), crew)):
            return Answer(NOT_STORED)
        crews = {unit: note for unit, note in self._notebook.notes.crews.items() if unit != form.unit}
        if form.on:
            crews[form.unit] = CrewNote(riders=form.riders, commander=form.commander)
        self._notebook.write(msgspec.structs.replace(self._notebook.notes, crews=crews))
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
        notes = self._notebook.notes
        others = tuple(one for one in notes.defects.get(form.unit, ()) if one.what != form.what)
        added = (DefectNote(what=form.what, off_the_run=form.off_the_run, text=form.text),) if form.raised else ()
        defects = {**notes.defects, form.unit: (*others, *added)}
        self._notebook.write(msgspec.structs.replace(notes, defects=defects))
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

    def _look(self) -> None:
        """Count a new version where anything but the counting of seconds has changed."""
        shown = msgspec.json.encode(_still(self._page()))
        if shown != self._shown:
            self._shown = shown
            self._version += 1
            self._turned.set()
            self._turned = asyncio.Event()

    def _page(self) -> PanelPage:
        standing, page = self._reach.standing(), self._config.page
        return PanelPage(
            version=self._version,
            at=self._clock.now(),
            zone=page.zone if page else "Europe/London",
            station=(page.title if page else None) or self._layout.station.name,
            control=Control(seen=standing.seen, answer_age_s=standing.answer_age_s),
            wan_up=standing.connected,
            mains=standing.mains,
            oldest_unsent_s=standing.oldest_unsent_s,
            notice=self._lamps.view.notice,
            units=tuple(self._card(unit) for unit in self._config.units),
            orders=tuple(self._order(one) for one in self._turnout.view),
            faults=standing.faults,
            night=standing.night,
            zones=tuple(Zone(name=zone.id, label=zone.id.replace("-", " ")) for zone in self._layout.zones),
        )

    def _card(self, unit: UnitEntry) -> UnitCard:
        shown, notes = self._lamps.control_shows(unit.id), self._notebook.notes
        crew = notes.crews.get(unit.id)
        scheme, lamps = self._config.schemes[unit.scheme], self._lamps.view.lamps
        rows = [row for code in self._config.cards.get(unit.id, {}) if (row := scheme.code(code)) is not None]
        return UnitCard(
            unit=unit.id,
            callsign=unit.callsign or unit.id,
            service=service_of(unit),
            vehicle=unit.vehicle or "",
            shown=ShownToCrew(code=shown.code, label=shown.label, since=shown.since) if shown else None,
            overruled=self._lamps.is_overruled(unit.id),
            crewed=crew is not None,
            riders=crew.riders if crew else None,
            minimum=unit.minimum,
            commander=crew.commander if crew else "",
            defects=tuple(
                OpenDefect(what=one.what, off_the_run=one.off_the_run, text=one.text)
                for one in notes.defects.get(unit.id, ())
            ),
            buttons=tuple(
                StatusButton(
                    code=row.code,
                    label=row.label,
                    icon=icon_of(row),
                    lamp=lamps.get(lamp_name(unit.id, row.code), "dark"),
                )
                for row in rows
            ),
        )

    def _order(self, one: OrderShown) -> OrderCard:
        now_s = self._clock.monotonic()
        own = {service_of(unit) for unit in self._config.units}
        called = [unit for unit in one.units if unit.service in own]
        mobile = [self._mobile_s.get(unit.unit, 0.0) for unit in called]
        turned_out = bool(mobile) and min(mobile) >= one.received_s
        return OrderCard(
            order=one.order,
            revision=one.revision,
            local=one.particulars.by_hand,
            standing="cancelled" if one.action == "cancel" else "live",
            kind="standby_move" if one.action == "standby_move" else "mobilise",
            mode=one.mode,
            incident=one.particulars.incident,
            address=one.particulars.address,
            grid_reference=one.particulars.grid_reference,
            text=one.particulars.text,
            units=tuple(
                CalledCard(
                    unit=unit.unit,
                    callsign=unit.callsign,
                    service=unit.service,
                    acknowledged=unit.unit in one.acknowledged,
                )
                for unit in called
            ),
            received_at=one.received_at,
            elapsed_s=round(now_s - one.received_s, 1),
            turned_out_s=round(max(mobile) - one.received_s, 1) if turned_out else None,
            acknowledged=one.acknowledged_s is not None or {unit.unit for unit in one.units} <= one.acknowledged,
            steps=tuple(
                StepTick(
                    name=step.name,
                    label=label_of(step.name),
                    outcome=step.outcome or "waiting",
                    reason=step.reason,
                    elapsed_ms=step.elapsed_ms or None,
                )
                for step in one.steps
            ),
        )


def label_of(step: str) -> str:
    """Say a step in a person's words: `sounder:dorm-fire` is "Sounder dorm fire"."""
    return step.replace(":", " ").replace("-", " ").replace("_", " ").capitalize()


def _still(page: PanelPage) -> PanelPage:
    """The page without what counts on by itself."""
    return msgspec.structs.replace(
        page,
        version=0,
        at=_EPOCH,
        control=Control(seen=page.control.seen, answer_age_s=None),
        oldest_unsent_s=None if page.oldest_unsent_s is None else 0.0,
        orders=tuple(msgspec.structs.replace(one, elapsed_s=0.0, received_at=_EPOCH) for one in page.orders),
    )
