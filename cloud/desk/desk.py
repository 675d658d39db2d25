"""The orders in hand. One owner, one event loop.

What control asks for is durable before it is answered, then sent at once. What devices tell is folded in and shown at
once, and kept in the next commit: the ledger's events hold it meanwhile, and a start folds in again what the orders
did not take account of. One pen writes, so that no older state of an order can follow a newer one.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
import structlog

from cloud.clock import Clock
from cloud.desk.intake import KINDS, Intake
from cloud.desk.memory import OWN, Memory, log_row, read_order
from cloud.desk.outside import Assigned, AssignRequest, Moved, judge, plan
from cloud.desk.ports import Ports, Recorded
from cloud.desk.requests import Clash, Differs, Invalid, Placed, find_facts, find_other_master
from cloud.desk.sender import Sender
from cloud.directory import InForce
from cloud.dispatch import (
    Order,
    OrderRequest,
    acknowledge_alarms,
    cancel,
    close,
    note_sent,
    open_order,
    pass_time,
    view,
)
from cloud.dispatch.control import digest
from cloud.dispatch.escalation import is_waiting
from cloud.dispatch.story import tell_changes
from cloud.dispatch.words import Ending, Outside, Rung
from cloud.errors import CloudError, Retryable
from cloud.fleet.clocks import Moment
from cloud.ledger import Ledger, OrderCommit, OrderLogRow
from wire import codec
from wire.feed import OrderView

TICK_S = 0.1
SWEEP_S = 60.0
"""How often orders that wait for nothing are looked at, and how far the events were read is noted."""
RETRY_S = 0.5
READ_ROWS = 5_000
"""Events read at once at a start."""
LATE_AT_ONCE = 50
"""Late events that are looked up before whoever asks for something has a turn."""

_UNANSWERED = (Rung.CREATED, Rung.SENT, Rung.DELIVERED, Rung.ALERTING, Rung.CONFIRMED)
"""While an order stands here somebody is still being alerted: it is taken back, and not merely put away."""

_T = TypeVar("_T")
_log = structlog.get_logger("desk")


class Desk:
    """Takes what control asks for, sends it, and knows what became of it."""

    def __init__(self, in_force: InForce, ledger: Ledger, ports: Ports, *, clock: Clock, owner_term: int) -> None:
        """Go on from what the ledger holds. Raises what it raises."""
        self._in_force, self._ledger, self._clock = in_force, ledger, clock
        now = self._moment()
        self._sender = Sender(in_force, ports, owner_term)
        self._memory = Memory(ledger.load_orders(), ports, owner_term, now)
        self._intake = Intake(in_force, self._memory, self._sender)
        self._pen = asyncio.Lock()
        self._wake = asyncio.Event()
        self._swept_s = now.mono_s
        self._working: set[asyncio.Task[Any]] = set()
        self.failing = False
        """Whether the last commit did not succeed: what devices told of orders is shown, and not yet kept."""
        self._catch_up(now)

    def on_events(self, recorded: Sequence[Recorded]) -> None:
        """Fold in what devices told, just stored, and show it."""
        self._intake.take(recorded, self._moment())
        self._act()

    async def run(self) -> None:
        """Send, escalate and write until cancelled. Raises `Fatal` where another process has taken over."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_time())
            tasks.create_task(self._write())

    async def put(self, order_id: str, request: OrderRequest) -> Placed | Differs | Clash | Invalid:
        """Begin an order, durably, and send it. The same request again is the same order. Raises what the ledger does.

        It goes on to its end although whoever asked may go away meanwhile.
        """
        return await self._finish(self._put(order_id, request))

    async def cancel(self, order_id: str, by: str, reason: str) -> OrderView | None:
        """Take an order back, durably, and tell whoever was told of it. None where there is no such order."""
        now = self._moment()
        ending = Ending(by=by, reason=reason, at=now.utc)
        return await self._finish(self._change(order_id, "cancelled", ending, lambda order: cancel(order, ending, now)))

    async def close(self, order_id: str, by: str, reason: str) -> OrderView | Invalid | None:
        """End an order that nobody waits for any more. One that is still to be taken in must be cancelled instead."""
        now = self._moment()
        ending = Ending(by=by, reason=reason, at=now.utc)
        return await self._finish(self._close(order_id, ending, lambda order: close(order, ending, now)))

    async def acknowledge_alarms(self, order_id: str, by: str, seen: int | None = None) -> OrderView | None:
        """Note that a person has an order's standing alarms in hand. None where there is no such order.

        `seen`: how many alarms the order had when that person looked. One that came since still stands.
        """
        now = self._moment()
        taken = Ending(by=by, reason="", at=now.utc)
        return await self._finish(
            self._change(order_id, "alarms_acknowledged", taken, lambda order: acknowledge_alarms(order, now.utc, seen))
        )

    async def assign(self, asked: AssignRequest) -> Assigned | Moved:
        """Put a unit on an order of a command and control system, or take it off, durably. Nobody is sent anything.

        The unit must be in the directory. What is so already changes nothing, whatever version is quoted. It goes on to
        its end although whoever asked may go away meanwhile. Raises what the ledger does: nothing was changed then.
        """
        return await self._finish(self._assign(asked))

    def outside(self, order_id: str) -> Outside | None:
        """Tell which order of a command and control system an order in hand stands for; None for one of our own."""
        order = self._memory.orders.get(order_id)
        return None if order is None else order.outside

    def is_given_here(self, order_id: str) -> bool:
        """Tell whether an order in hand is one of our own. What is not in hand is nobody's word."""
        order = self._memory.orders.get(order_id)
        return order is not None and order.outside is None

    def active(self) -> tuple[OrderView, ...]:
        """Every order in hand, oldest first."""
        return tuple(view(order) for order in self._memory.orders.values() if order.active)

    async def newest(self, limit: int) -> tuple[OrderView, ...]:
        """The newest orders first, ended ones too."""
        read = await asyncio.to_thread(self._read_newest, limit)
        return tuple(view(self._memory.orders.get(order.id, order)) for order in read)

    async def show(self, order_id: str) -> OrderView | None:
        """One order, ended or not."""
        order = await self._find(order_id)
        return None if order is None else view(order)

    async def log(self, order_id: str) -> list[OrderLogRow]:
        """What became of an order, as far as it is written."""
        return await asyncio.to_thread(self._ledger.order_log, order_id)

    def step(self) -> None:
        """Let time pass: escalate and send what is due."""
        now = self._moment()
        sweep = now.mono_s - self._swept_s >= SWEEP_S
        if sweep:
            self._swept_s = now.mono_s
        for order in tuple(self._memory.orders.values()):
            if sweep or is_waiting(order):
                after, alarms = pass_time(order, now)
                self._memory.keep(order, after, now.utc)
                for alarm in alarms:
                    _log.warning("order_alarm", order=order.id, alarm=alarm.code)
        self._act(sweep=sweep)

    def _act(self, *, sweep: bool = False) -> None:
        """Send what is due, show what changed, and have it written."""
        now = self._moment()
        for order in tuple(self._memory.orders.values()):
            self._send(order, now)
        self._memory.show()
        if self._memory.is_dirty(sweep=sweep) or self._intake.late:
            self._wake.set()

    def _send(self, order: Order, now: Moment) -> None:
        for device in self._sender.send_due(order, now.mono_s):
            known = self._memory.orders[order.id]
            self._memory.keep(known, note_sent(known, device, now.utc), now.utc)

    async def _put(self, order_id: str, request: OrderRequest) -> Placed | Differs | Clash | Invalid:
        async with self._pen:
            known = await self._find(order_id)
            if known is not None:
                return Placed(view(known), False) if known.asked == digest(request) else Differs(view(known))
            facts = find_facts(self._in_force.directory, request)
            if isinstance(facts, Invalid):
                return facts
            held = self._memory.assignments
            takes = request.units if request.mode == "live" else ()
            objection = find_other_master(self._in_force.directory, takes)
            if objection is not None:
                return objection
            moved = held.moved(takes, request.assignment_versions) if request.override is None else []
            if moved:
                return Clash(
                    {unit: held.version(unit) for unit in moved}, {unit: held.order_of(unit) for unit in moved}
                )
            now = self._moment()
            order = open_order(order_id, request, facts, now)
            before = held.take(takes, order_id, now.utc)
            told = [log_row(order_id, now.utc, request.by, ("created", msgspec.json.encode(request)))]
            for unit, was in before.items():
                if was is not None and was.order is not None:
                    taken = msgspec.json.encode({"unit": unit, "order": order_id})
                    told.append(log_row(was.order, now.utc, request.by, ("unit_taken", taken)))
            try:
                await self._commit(self._memory.commit_of(order, told))
            except CloudError:
                held.put_back(before)
                raise
            self._memory.note_kept(order)
        self._act()
        return Placed(view(self._memory.orders.get(order_id, order)), True)

    async def _assign(self, asked: AssignRequest) -> Assigned | Moved:
        async with self._pen:
            answer = judge(self._memory, asked, self._in_force.directory.organisations)
            if answer is not None:
                return answer
            now = self._moment()
            held, made = self._memory.assignments, plan(self._memory, self._in_force.directory, asked, now)
            before = held.take((asked.unit,), made.order, now.utc)
            try:
                await self._commit(made.commit(self._memory, asked.unit))
            except CloudError:
                held.put_back(before)
                raise
            for order, change in made.changes:  # a device may have told more meanwhile
                newest = self._memory.orders.get(order.id, order)
                self._memory.replace(change(order), change(newest), now.utc, made.told)
            self._memory.note_moved(asked.unit)
        self._act()
        return Assigned(held.version(asked.unit), True)

    async def _close(self, order_id: str, what: Ending, how: Callable[[Order], Order]) -> OrderView | Invalid | None:
        async with self._pen:  # looked at and changed in one turn: a cancel in between would never be sent
            known = await self._find(order_id)
            problem = _why_not_closed(known) if known is not None and known.active else ""
            if known is not None and not problem:
                await self._change_held(known, "closed", what, how)
        return Invalid(problem) if problem else await self._act_and_show(order_id)

    async def _change(self, order_id: str, kind: str, what: Ending, how: Callable[[Order], Order]) -> OrderView | None:
        """Change an order as a person asks, durably before anybody is told."""
        async with self._pen:
            known = await self._find(order_id)
            if known is not None:
                await self._change_held(known, kind, what, how)
        return await self._act_and_show(order_id)

    async def _change_held(self, known: Order, kind: str, what: Ending, how: Callable[[Order], Order]) -> None:
        """Change an order, with the pen in hand."""
        after = how(known)
        if after is known:
            return
        told = [log_row(known.id, what.at, what.by, (kind, msgspec.json.encode(what)))]
        told += (log_row(known.id, what.at, OWN, entry) for entry in tell_changes(known, after))
        await self._commit(self._memory.commit_of(after, told))
        newest = self._memory.orders.get(known.id, known)  # a device may have told more meanwhile
        self._memory.replace(after, how(newest), self._moment().utc, told)

    async def _act_and_show(self, order_id: str) -> OrderView | None:
        self._act()
        return await self.show(order_id)

    async def _find(self, order_id: str) -> Order | None:
        """Give an order as it stands. One that is active and was not in hand is taken in hand."""
        known = self._memory.orders.get(order_id)
        if known is not None:
            return known
        row = await asyncio.to_thread(self._ledger.order, order_id)
        if row is None or order_id in self._memory.orders:
            return self._memory.orders.get(order_id)
        return self._memory.adopt(row, self._moment()) if row.active else read_order(row)

    async def _commit(self, commit: OrderCommit) -> None:
        await asyncio.to_thread(self._ledger.commit_orders, commit, self._memory.owner_term)

    async def _keep_time(self) -> None:
        while True:
            self.step()
            await self._clock.sleep(TICK_S)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                async with self._pen:
                    await self._fold_late()
                    await self._write_once()
                if self._intake.late:
                    self._wake.set()
            except Retryable as error:
                if not self.failing:
                    _log.error("orders_not_kept", cause=str(error))
                self.failing = True
                self._wake.set()
                await self._clock.sleep(RETRY_S)

    async def _write_once(self) -> None:
        commit = self._memory.begin_commit(self._intake.through)
        try:
            await self._commit(commit)
        except CloudError:
            self._memory.undo_commit(commit)
            raise
        if self.failing:
            _log.info("orders_kept_again")
        self.failing = False
        for order in self._memory.end_commit(commit):
            self._sender.forget(order)

    async def _fold_late(self) -> None:
        """Look up some of what was told of orders that are not in hand.

        What came late is of interest to whoever looks its order up; a turnout by hand begins one, but never again one
        that there is or was.
        """
        for _ in range(LATE_AT_ONCE):
            if not self._intake.late:
                break
            _, event = self._intake.late[0]
            self._intake.take_late(await self._find(event.order), self._moment())
        self._memory.show()

    async def _finish(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Let `work` go on to its end although whoever waits for it may be cancelled."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    def _catch_up(self, now: Moment) -> None:
        """Fold in what was stored and not yet taken account of when the last process stopped."""
        while rows := self._ledger.events_after(self._memory.through, KINDS, READ_ROWS):
            for row in rows:
                event = codec.decode_event(row.body)
                if not isinstance(event, codec.Rejected):
                    self._intake.take_row(row, event, now)
            self._memory.through = rows[-1].id
        self._memory.show()

    def _read_newest(self, limit: int) -> list[Order]:
        return [read_order(row) for row in self._ledger.newest_orders(limit)]

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self._clock.monotonic())


def _why_not_closed(order: Order) -> str:
    """Say why an active order can't be closed now; empty where it can."""
    if order.cancelled is not None:
        return "the order is cancelled, and closes once every device has taken that in"
    if not order.ends_with_station and order.rung in _UNANSWERED:
        return "the order is still being delivered, or not acknowledged: cancel it instead"
    return ""
