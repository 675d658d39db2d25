"""A station behind the touch page: the real lamps over an outbox of its own, and a WAN that a test cuts and mends."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from importlib.resources import files
from typing import TypeVar

import msgspec

from edge_agent.clock import SystemClock
from edge_agent.panel.icons import icon_of
from edge_agent.panel.port import (
    DONE,
    AcknowledgeForm,
    Answer,
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
    SwapCard,
    SwapForm,
    TurnOutForm,
    UnitCard,
    Zone,
    ZoneTestForm,
)
from edge_agent.panel.server import PanelServer
from edge_agent.state import lamps
from edge_agent.state.lamps import Meaning, Panel, Shown
from edge_agent.state.swap import Stage
from tests.edge_agent.link.lab import SkippingClock
from tests.ports import free_port
from tests.waiting import DEADLINE_S
from wire.events import Service
from wire.findings import Finding, well
from wire.scheme import Code, parse_scheme

HEARTBEAT_S = 1.0
_SCHEMES: dict[Service, str] = {"fire": "uk-fire-gd92", "police": "uk-police-state", "ambulance": "uk-ambulance"}
_CODES: dict[Service, tuple[str, ...]] = {
    "fire": ("4", "1", "2", "3", "5", "6"),
    "police": ("2", "5", "6", "4", "8", "1"),
    "ambulance": ("at_base", "mobile", "at_scene", "leaving_scene", "at_hospital", "clearing"),
}
Form = PressForm | CrewForm | DefectForm | SwapForm | AcknowledgeForm | ZoneTestForm | TurnOutForm
T = TypeVar("T")


def codes_of(service: Service, codes: tuple[str, ...] = ()) -> dict[str, Code]:
    """Codes of the service's scheme: six that a card offers, or those asked for."""
    scheme = parse_scheme(files("wire.schemes").joinpath(f"{_SCHEMES[service]}.toml").read_text())
    found = {row.code: row for row in scheme.codes}
    return {code: found[code] for code in codes or _CODES[service]}


class StandUnit(msgspec.Struct, kw_only=True):
    """One unit of the stand."""

    unit: str
    callsign: str
    service: Service
    vehicle: str = ""
    codes: tuple[str, ...] = ()
    crewed: bool = True
    riders: int = 4
    commander: str = "Okafor"
    defects: tuple[OpenDefect, ...] = ()
    carried: Stage = "own"
    by: str = ""


STATION = (
    StandUnit(unit="a14p1", callsign="A14P1", service="fire", vehicle="FX21 KLM"),
    StandUnit(unit="pc61", callsign="PC61", service="police", vehicle="LJ70 ABC", riders=2, commander="Shah"),
    StandUnit(unit="d204", callsign="D204", service="ambulance", vehicle="7204", riders=2, commander="Nowak"),
)


WELL = tuple(well(part, "in order") for part in ("receiver", "bus", "panel", "disk", "clock", "link", "station"))


class Stand:
    """A `PanelPort` as a test drives it. Everything runs on the server's loop, `tell` brings it there."""

    def __init__(self, units: tuple[StandUnit, ...] = STATION) -> None:
        """Begin with the WAN up, every unit available, and control showing each."""
        self.number = free_port()
        self.asked: list[Form] = []
        """Every form that came in, in order."""
        self.trouble = ""
        """What every request is answered with, where it is not done."""
        self.slow = False
        """An acknowledgement is not answered until this ends."""
        self.disk_full = False
        self.wan_up = True
        self.page = PanelPage(
            version=0,
            at=SystemClock().now(),
            station="Stn 14 shared",
            control=Control(seen=True, answer_age_s=0.4),
            wan_up=True,
            mains="ok",
            health=WELL,
            units=(),
            zones=tuple(Zone(name=name, label=name.capitalize()) for name in ("fire", "police", "ambulance", "bay")),
        )
        """What the stand shows beside its units and its link."""
        self._clock = SkippingClock()
        self._units = {one.unit: msgspec.structs.replace(one) for one in units}
        self._codes = {one.unit: codes_of(one.service, one.codes) for one in units}
        self._panel = Panel()
        self._pressed_s: dict[int, float] = {}
        self._put_s: dict[str, float] = {}
        self._seq = 0
        self._answered_s = self._clock.monotonic()
        self._since = {one.unit: self._clock.now() for one in units}
        self._version = 1
        self._told = asyncio.Event()
        self.loop = asyncio.new_event_loop()
        for one in units:
            self.show(one.unit, next(iter(self._codes[one.unit])), seq=0)

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.number}/"

    def view(self) -> PanelPage:
        """The whole page now."""
        now_s = self._clock.monotonic()
        if self.wan_up:
            self._answered_s = now_s
        age_s = now_s - self._answered_s
        self._panel = lamps.vouch(self._panel, answer_age_s=age_s, heartbeat_s=HEARTBEAT_S, now_s=now_s)
        buttons = {f"{unit} {code}": Meaning(unit, code, row.event) for unit, code, row in self._rows()}
        shown = lamps.plan_lamps(self._panel, buttons, now_s)
        waiting = [self._pressed_s[one.seq] for one in self._panel.presses if one.fate == "stored" and one.seq]
        return msgspec.structs.replace(
            self.page,
            version=self._version,
            at=self._clock.now(),
            control=Control(seen=now_s <= self._panel.seen_until_s, answer_age_s=age_s),
            wan_up=self.wan_up,
            oldest_unsent_s=now_s - min(waiting) if waiting else None,
            notice=shown.notice or self.page.notice,
            units=tuple(self._card(one, shown.lamps) for one in self._units.values()),
            orders=tuple(self._aged(one, now_s) for one in self.page.orders),
        )

    def _aged(self, order: OrderCard, now_s: float) -> OrderCard:
        elapsed_s = order.elapsed_s + now_s - self._put_s[order.order]
        return msgspec.structs.replace(order, elapsed_s=elapsed_s)

    def _rows(self) -> Iterator[tuple[str, str, Code]]:
        for unit, rows in self._codes.items():
            for code, row in rows.items():
                yield unit, code, row

    def _card(self, one: StandUnit, lit: dict[str, lamps.Lamp]) -> UnitCard:
        shown = self._panel.shown.get(one.unit)
        rows = self._codes[one.unit]
        settled = [each for each in self._panel.presses if each.meaning.unit == one.unit and each.fate == "settled"]
        return UnitCard(
            unit=one.unit,
            callsign=one.callsign,
            service=one.service,
            vehicle=one.vehicle,
            shown=ShownToCrew(code=shown.code, label=rows[shown.code].label, since=self._since[one.unit])
            if shown
            else None,
            overruled=bool(shown and settled and settled[-1].meaning.code != shown.code),
            crewed=one.crewed,
            riders=one.riders if one.crewed else None,
            minimum=5 if one.service == "fire" else 2,
            commander=one.commander if one.crewed else "",
            defects=one.defects,
            carried=one.carried,
            by=one.by,
            buttons=tuple(
                StatusButton(code=code, label=row.label, icon=icon_of(row), lamp=lit[f"{one.unit} {code}"])
                for code, row in rows.items()
            ),
        )

    async def changed(self, seen: int) -> None:
        """Wait for another version."""
        while self._version == seen:
            await self._told.wait()

    async def press(self, form: PressForm) -> Answer:
        """Commit a press, or fail to; with the WAN up control settles it at once."""
        if form.unit not in self._codes or form.code not in self._codes[form.unit]:
            return Answer("this panel has no such button")
        self._seq += 1
        now_s = self._clock.monotonic()
        meaning = Meaning(form.unit, form.code, self._codes[form.unit][form.code].event)
        seq = None if self.disk_full else self._seq
        self._panel = lamps.record_press(self._panel, meaning, seq=seq, now_s=now_s)
        self._pressed_s[self._seq] = now_s
        if self.wan_up and seq is not None and not self.trouble:
            self.settle()
        return self._answer(form)

    async def crew(self, form: CrewForm) -> Answer:
        """Log a crew on or off."""
        if not self.trouble:
            one = self._units[form.unit]
            one.crewed, one.riders, one.commander = form.on, form.riders, form.commander
        return self._answer(form)

    async def defect(self, form: DefectForm) -> Answer:
        """Raise or clear a defect."""
        if not self.trouble:
            one = self._units[form.unit]
            others = tuple(defect for defect in one.defects if defect.what != form.what)
            raised = (OpenDefect(what=form.what, off_the_run=form.off_the_run, text=form.text),) if form.raised else ()
            one.defects = (*others, *raised)
        return self._answer(form)

    async def swap(self, form: SwapForm) -> Answer:
        """Ask control for another unit, or to end that: it is queued while the WAN is down."""
        card = self.page.swap
        if card is not None and not self.trouble:
            asked = msgspec.structs.replace(card, stage="waiting" if self.wan_up else "queued", callsign=form.callsign)
            self.carry(asked if form.on else msgspec.structs.replace(card, leaving=True))
        return self._answer(form)

    async def acknowledge(self, form: AcknowledgeForm) -> Answer:
        """Take an order in."""
        while self.slow:
            await self._clock.sleep(0.05)
        if not self.trouble:
            self.page = msgspec.structs.replace(
                self.page,
                orders=tuple(
                    msgspec.structs.replace(one, acknowledged=True) if one.order == form.order else one
                    for one in self.page.orders
                ),
            )
        return self._answer(form)

    async def test(self, form: ZoneTestForm) -> Answer:
        """Test a zone."""
        return self._answer(form)

    async def turn_out(self, form: TurnOutForm) -> Answer:
        """Turn units out."""
        return self._answer(form)

    def _answer(self, form: Form) -> Answer:
        self.asked.append(form)
        self._tell()
        return Answer(self.trouble) if self.trouble else DONE

    def _tell(self) -> None:
        self._version += 1
        self._told.set()
        self._told = asyncio.Event()

    # What a test does to the stand, from the loop: `served.tell(stand.cut)`.

    def settle(self, *refused: int) -> None:
        """Control has everything that was pressed, and shows the last status of each unit."""
        self._panel = lamps.settle(self._panel, through=self._seq, refused=refused, now_s=self._clock.monotonic())
        for each in self._panel.presses:
            if each.fate == "settled" and not each.meaning.event:
                self.show(each.meaning.unit, each.meaning.code, seq=each.seq)

    def show(self, unit: str, code: str, seq: int | None = None) -> None:
        """Control shows a status."""
        self._since[unit] = self._clock.now()
        self._panel = lamps.hear(self._panel, {**self._panel.shown, unit: Shown(code, seq)})
        self._tell()

    def cut(self) -> None:
        """The WAN goes, and control's last answer was long enough ago."""
        self.wan_up = False
        self._answered_s = self._clock.monotonic() - 2 * HEARTBEAT_S - 60
        self._tell()

    def skip(self, duration_s: float) -> None:
        """Let that much time have passed."""
        self._clock.skip(duration_s)
        self._tell()

    def mend(self) -> None:
        """The WAN comes back, and what waited is settled."""
        self.wan_up = True
        self.settle()
        self._tell()

    def carry(self, card: SwapCard) -> None:
        """The vehicle, which has no station, carries another unit, or has asked to."""
        self.page = msgspec.structs.replace(self.page, swap=card, zones=())
        first = next(iter(self._units.values()))
        if card.stage in ("waiting", "confirmed"):
            first.callsign = card.callsign
        first.carried, first.by = card.stage, card.by
        self._tell()

    def put(self, *orders: OrderCard) -> None:
        """These are the orders on the page."""
        now_s = self._clock.monotonic()
        self._put_s = {one.order: self._put_s.get(one.order, now_s) for one in orders}
        self.page = msgspec.structs.replace(self.page, orders=orders)
        self._tell()

    def set(
        self, *, health: tuple[Finding, ...] | None = None, night: bool | None = None, mains: Mains | None = None
    ) -> None:
        """Change what stands beside the units."""
        page = self.page
        self.page = msgspec.structs.replace(
            page,
            health=page.health if health is None else health,
            night=page.night if night is None else night,
            mains=mains or page.mains,
        )
        self._tell()


class Served:
    """A stand that is being served from a thread of its own."""

    def __init__(self, stand: Stand) -> None:
        """Serve `stand` from `start` to `stop`."""
        self.stand = stand
        self.server = PanelServer(stand, number=stand.number, clock=SystemClock())
        self._thread: threading.Thread | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve."""
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,))
        self._thread.start()
        assert ready.wait(DEADLINE_S)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.stand.loop)
        self._task = self.stand.loop.create_task(self.server.run())
        self.stand.loop.call_soon(ready.set)
        try:
            self.stand.loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            pass
        self.stand.loop.run_until_complete(self._leave())

    async def _leave(self) -> None:
        """Let what was closed close."""
        for _ in range(10):
            await asyncio.sleep(0)

    def stop(self) -> None:
        """Cancel the server, as the agent does when it ends. It can be started again."""
        if self._thread is None or self._task is None:
            return
        self.stand.loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()
        self._thread = self._task = None

    def tell(self, what: Callable[..., T], *args: object, **named: object) -> T:
        """Run `what` on the server's loop, and wait for it."""
        done: Future[T] = Future()

        def run() -> None:
            done.set_result(what(*args, **named))

        self.stand.loop.call_soon_threadsafe(run)
        return done.result(DEADLINE_S)


@contextmanager
def serving(stand: Stand) -> Iterator[Served]:
    """Serve the stand until the block ends."""
    served = Served(stand)
    served.start()
    try:
        yield served
    finally:
        served.stop()
        stand.loop.close()
