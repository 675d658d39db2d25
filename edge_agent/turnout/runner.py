"""The turnout: a station's machine at work. Commands, reads, hands and time come in; effects are carried out in order.

command ─▶ judge ─┐                              ┌─▶ journal (disk) ─▶ receipts ─▶ outbox
bus, panel, time ─┴─▶ station.machine ─▶ effects ─┤
                                                 └─▶ bus
"""

import asyncio
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Literal
from uuid import uuid4

import msgspec
import structlog

from edge_agent.clock import Clock
from edge_agent.outbox import StorageFailed
from edge_agent.outbox.file import Draft
from edge_agent.state.events import Stamp
from edge_agent.state.vehicle import Now
from edge_agent.station import machine
from edge_agent.station.layout import Layout
from edge_agent.station.machine import Live, Station
from edge_agent.station.words import (
    Acknowledged,
    Call,
    Called,
    Happening,
    Journaled,
    Passed,
    Plant,
    PlantRead,
    Value,
)
from edge_agent.turnout import nonces
from edge_agent.turnout.carrier import Carrier, Stored
from edge_agent.turnout.ended import Ended
from edge_agent.turnout.journal import Journal
from edge_agent.turnout.judge import End, Known, Stale, TakeIn, TellAgain, judge
from edge_agent.turnout.lines import Particulars
from edge_agent.turnout.night import find_zone, is_night
from edge_agent.turnout.nonces import Nonces
from edge_agent.turnout.recovery import doubtful
from edge_agent.turnout.shown import OrderShown, show
from edge_agent.turnout.teller import Tell, Teller
from edge_agent.turnout.writes import Outputs, Writes
from wire.messages import CalledUnit, Command

PASS_S = 0.1
IDLE_PASS_S = 1.0
TIDY_S = 3_600.0
ANSWER_AGAIN_S = 1.0
"""A command that comes again is answered at most so often, each order by itself."""
ANSWERS_MAX = 20
"""Nor are more answered within that time, whatever orders they name: a flood of them must not fill the outbox, where no
status press ever gives way, nor push good nonces out."""
ANSWERED_MAX = 1_000
READS_WAITING_MAX = 100
"""Reads that may wait while the disk is slow; past it they are dropped, for the next one says it all again."""
TURN_OUT_S = 120.0
"""A turnout by hand sounds again after an interruption for this long."""
TEST_S = 30.0

Asked = Literal["done", "nothing", "not_stored"]
"""What became of a person's request: done, and stored here; there was nothing to do; done, but the disk failed."""

_log = structlog.get_logger("turnout")


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a turnout touches beside its journal."""

    outputs: Outputs
    """The bus."""
    tell: Tell
    """Commits events to the outbox's status queue, and has them sent."""
    stamp: Callable[[], Stamp]
    """The present moment, by the device's clocks."""
    changed: Callable[[], None] = lambda: None
    """Hears that `Turnout.view`, `Turnout.ended` or `Turnout.faults` may have changed."""
    mint: Callable[[], str] = lambda: secrets.token_urlsafe(12)
    """Makes the word of a nonce."""
    identify: Callable[[], str] = lambda: str(uuid4())
    """Makes the id of an order by hand."""


class _Heard(msgspec.Struct, frozen=True):
    """A command, and when it came in."""

    command: Command
    at_s: float


class _Ask(msgspec.Struct, frozen=True):
    """What a person asked for, and who waits for what control is told by it."""

    happening: Happening
    answer: asyncio.Future[list[Stored]]
    particulars: Particulars | None = None


class _CatchUp(msgspec.Struct, frozen=True):
    """Try again to write what the disk did not take."""


class _Tidy(msgspec.Struct, frozen=True):
    """Drop from the journal what nobody can ask for any more."""


_Item = Happening | _Heard | _Ask | _CatchUp | _Tidy


class Turnout:
    """A station's turnout. Make it, then `run` it until it is cancelled. Everything else may be called at any time.

    On its own task alone does the machine change, so that one happening is done with before the next one counts.
    """

    def __init__(self, layout: Layout, around: Around, *, journal: Journal, clock: Clock) -> None:
        """Nothing is done before `run`. Raises `Fatal` where the layout's time zone is unknown to the machine."""
        self._layout, self._around, self._journal, self._clock = layout, around, journal, clock
        self._zone = find_zone(layout.night)
        self._station = Station(layout=layout)
        self._nonces = Nonces()
        self._points: dict[str, Value] = {}
        self._inbox: asyncio.Queue[_Item] = asyncio.Queue()
        self._in_hand = asyncio.Event()
        self._answered: dict[str, float] = {}
        self._ended = Ended(journal, clock)
        self._teller = Teller(around.tell, self._note_told, clock=clock)
        self._carrier = Carrier(journal=journal, teller=self._teller, stamp=around.stamp, failed=self._inbox.put_nowait)

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong, for heartbeats and the panel; empty where nothing is."""
        dropped = self._teller.dropped
        late = f"{dropped} receipts wait for a restart: the outbox does not take them" if dropped else ""
        return tuple(fault for fault in (self._journal.fault, late) if fault)

    @property
    def view(self) -> tuple[OrderShown, ...]:
        """The orders in hand, newest first."""
        return tuple(self._show(live) for live in reversed(self._station.live))

    @property
    def ended(self) -> tuple[OrderShown, ...]:
        """The orders that were cancelled or expired in the last minutes, newest first."""
        return self._ended.shown({live.call.order for live in self._station.live})

    def nonce(self) -> str:
        """Mint a nonce for commands to quote, and remember it for a quarter of an hour. Call it for each heartbeat."""
        word = self._around.mint()
        self._nonces = nonces.mint(self._nonces, word, self._clock.monotonic())
        return word

    def take(self, command: Command) -> None:
        """Take a command that has just come in."""
        self._inbox.put_nowait(_Heard(command, self._clock.monotonic()))

    def tell(self, draft: Draft) -> None:
        """Tell control an event of the station, in order with all others; a full disk is waited out."""
        self._teller.put(draft)

    def read(self, values: Mapping[str, Value], silent: frozenset[str]) -> None:
        """Take in what the bus read (some of the points), and which slaves are silent now."""
        self._points |= values
        if self._inbox.qsize() < READS_WAITING_MAX:
            night = is_night(self._layout.night, self._zone, self._clock.now())
            self._inbox.put_nowait(PlantRead(Plant(points=dict(self._points), silent=silent, night=night)))

    async def acknowledge(
        self, order: str = "", *, by: Literal["panel", "manual_input"] = "panel", unit: str | None = None
    ) -> Asked:
        """Take an order in (empty: every one that waits for it), for one unit or for all. Returns once it is stored."""
        return await self._ask(Acknowledged(order=order, by=by, unit=unit))

    async def turn_out(self, units: Sequence[CalledUnit], text: str = "") -> str:
        """Turn units out by hand, without control. Gives the order's id once it is journaled, or can't be."""
        call = self._call_by_hand(TURN_OUT_S, units=tuple(units))
        self._carrier.tell_turned_out(call.order, [one.unit for one in units], text)
        await self._ask(Called(call), Particulars(text=text, by_hand=True))
        return call.order

    async def test(self, zone: str | None = None) -> str:
        """Test one zone, or all. It alarms nobody. Gives the order's id once it is journaled, or can't be."""
        zones = tuple(one.id for one in self._layout.zones) if zone is None else (zone,)
        call = msgspec.structs.replace(self._call_by_hand(TEST_S), mode="test", priority="routine", zones=zones)
        await self._ask(Called(call))
        return call.order

    async def run(self) -> None:
        """Go on where the journal ends, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._carrier.writes = Writes(self._around.outputs, self._inbox.put_nowait, tasks.create_task)
            tasks.create_task(self._teller.run())
            await self._begin()
            tasks.create_task(self._pass_often())
            tasks.create_task(self._pass_seldom())
            while True:
                self._note_in_hand()
                item = await self._inbox.get()
                before = self._station.live, self.faults
                await self._take_in(item)
                if before != (self._station.live, self.faults):
                    self._ended.note(live.call.order for live in before[0])
                    self._around.changed()

    async def _begin(self) -> None:
        self._carrier.tell_untold()
        if self._journal.salvaged:
            await self._carrier.commit(doubtful(self._journal.rows, self._layout))
        self._station, effects = machine.begin(self._layout, self._journal.rows, self._clock.monotonic())
        await self._carrier.carry_out(effects)
        self._ended.begin()
        self._around.changed()

    async def _pass_often(self) -> None:
        """Let time go by, ten times a second while anything is in hand; then nothing is done until something is."""
        while True:
            await self._in_hand.wait()
            await self._clock.sleep(PASS_S)
            if self._inbox.qsize() < READS_WAITING_MAX:
                self._inbox.put_nowait(Passed())

    async def _pass_seldom(self) -> None:
        """Let time go by, once a second, and do what time alone asks for."""
        tidied_s = self._clock.monotonic()
        while True:
            await self._clock.sleep(IDLE_PASS_S)
            if self._inbox.qsize() >= READS_WAITING_MAX:
                continue
            if self._journal.is_behind:
                self._inbox.put_nowait(_CatchUp())
            self._inbox.put_nowait(Passed())
            if self._clock.monotonic() - tidied_s >= TIDY_S:
                tidied_s = self._clock.monotonic()
                self._inbox.put_nowait(_Tidy())

    def _note_in_hand(self) -> None:
        if machine.in_hand(self._station):
            self._in_hand.set()
        else:
            self._in_hand.clear()

    async def _tidy(self) -> None:
        try:
            await self._journal.tidy()
        except StorageFailed:
            pass  # said once by the journal, and in every heartbeat

    async def _take_in(self, item: _Item) -> None:
        match item:
            case _Heard(command, at_s):
                await self._hear(command, at_s)
            case _Ask(happening, answer, particulars):
                told = await self._apply(happening, particulars)
                if not answer.done():
                    answer.set_result(told)
            case _CatchUp():
                await self._carrier.commit(())
            case _Tidy():
                await self._tidy()
            case _:
                await self._apply(item)

    async def _hear(self, command: Command, at_s: float) -> None:
        """Judge a command, and do what follows."""
        verdict = judge(command, self._known(command), nonces.check(self._nonces, command.nonce, at_s), at_s)
        match verdict:
            case TakeIn(call):
                _log.info("command_taken", order=call.order, revision=call.revision, action=call.action)
                await self._apply(Called(call), _particulars(command))
            case End(row):
                _log.info("command_ended", order=row.order, revision=row.revision, action=command.action)
                await self._carrier.commit([row], _particulars(command))
                self._ended.note([row.order])
                self._around.changed()
            case TellAgain(order, revision) if self._may_answer(order, at_s):
                self._carrier.tell_again(order, revision)
            case Stale(order, revision) if self._may_answer(order, at_s):
                refusal = Journaled(order=order, revision=revision, outcome="refused", reason="stale_nonce")
                self._carrier.tell(refusal, self.nonce())

    def _known(self, command: Command) -> Known | None:
        revisions = {row.revision for row in self._journal.of(command.order)}
        if not revisions:
            return None
        live = any(live.call.order == command.order for live in self._station.live)
        return Known(newest=max(revisions), recorded=command.revision in revisions, live=live)

    def _may_answer(self, order: str, now_s: float) -> bool:
        """Whether it is time to answer a command of this order that came again, or is stale."""
        if now_s - self._answered.get(order, -math.inf) < ANSWER_AGAIN_S:
            return False
        earlier_s = next(islice(reversed(self._answered.values()), ANSWERS_MAX - 1, None), -math.inf)
        if now_s - earlier_s < ANSWER_AGAIN_S:
            return False
        self._answered.pop(order, None)
        self._answered[order] = now_s
        if len(self._answered) > ANSWERED_MAX:
            del self._answered[next(iter(self._answered))]
        return True

    async def _apply(self, happening: Happening, particulars: Particulars | None = None) -> list[Stored]:
        self._station, effects = machine.apply(self._station, happening, self._clock.monotonic())
        return await self._carrier.carry_out(effects, particulars)

    async def _ask(self, happening: Happening, particulars: Particulars | None = None) -> Asked:
        answer: asyncio.Future[list[Stored]] = asyncio.get_running_loop().create_future()
        self._inbox.put_nowait(_Ask(happening, answer, particulars))
        told = await answer
        if not told:
            return "nothing"
        return "done" if all(await asyncio.gather(*told)) else "not_stored"

    async def _note_told(self, rows: Sequence[Journaled]) -> None:
        try:
            await self._journal.mark_told(rows)
        except StorageFailed:
            pass  # they are told once more after the next start, which does no harm

    def _call_by_hand(self, holds_s: float, *, units: tuple[CalledUnit, ...] = ()) -> Call:
        now_s = self._clock.monotonic()
        return Call(
            order=self._around.identify(),
            revision=1,
            action="mobilise",
            units=units,
            received_s=now_s,
            expires_s=now_s + holds_s,
        )

    def _show(self, live: Live) -> OrderShown:
        return show(
            live,
            self._journal.particulars(live.call.order, live.call.revision),
            rows=self._journal.of(live.call.order),
            now=Now(self._clock.now(), self._clock.monotonic()),
        )


def _particulars(command: Command) -> Particulars:
    return Particulars(
        incident=command.incident,
        address=command.address,
        grid_reference=command.grid_reference,
        text=command.text,
    )
