"""The bindings that control decides: durable before they count, laid over the directory, and told to the devices.

Devices claim by events, which the ledger holds; people decide, which it holds too. A start folds both again. Make it
before ingest, so that live state is rebuilt on what is in force, and `connect` it after.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from cloud.clock import Clock
from cloud.desk.bindingviews import (
    BindingView,
    ClaimAsked,
    Decided,
    SetAside,
    view_asked,
    view_binding,
    view_decision,
)
from cloud.desk.bindingwords import (
    DecisionRequest,
    LendRequest,
    Refusal,
    carriers_in,
    claim_of,
    decisions_in,
    parts_of,
    row_of,
)
from cloud.desk.ports import Recorded
from cloud.desk.recalling import recall
from cloud.directory import Directory, InForce, Unit
from cloud.directory.binding import Bound, bind, meaningless
from cloud.errors import Retryable
from cloud.fleet.bindings import OPEN_FOR, Answer, Claim, Decision, Kind, replay, view_claims
from cloud.fleet.clocks import Moment
from cloud.ledger import Ledger
from wire import codec
from wire.events import BindingEvent
from wire.feed import ClaimView
from wire.messages import ClaimState

TICK_S = 1.0
"""How often it is looked at which claims have run out."""
READ_ROWS = 5_000
TOLD_MAX = 20

_log = structlog.get_logger("bindings")


@dataclass(frozen=True, kw_only=True)
class BindingPorts:
    """The ways out."""

    show: Callable[[str, tuple[ClaimView, ...]], object]
    """Shows the claims on a unit with its record."""
    tell_state: Callable[[str], None]
    """Tells a device what control believes, now."""
    adopt: Callable[[str, str], None]
    """Lets what a device declared of a unit before it was bound count now, as far as the binding reaches back."""
    recall: Callable[[Sequence[Recorded]], object]
    """Lets the orders in hand take that in."""


class Bindings:
    """Holds the claims, and takes what control decides. One owner, one event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, *, clock: Clock) -> None:
        """Know again what was decided and claimed, and lay it over the directory. Raises what the ledger does."""
        self._in_force, self._ledger, self._clock = in_force, ledger, clock
        self._ports: BindingPorts | None = None
        self._pen = asyncio.Lock()
        self._working: set[asyncio.Task[Any]] = set()
        decisions = decisions_in(ledger.decisions())
        claims = _claims_after(ledger, ledger.last_event_before(clock.now() - 2 * OPEN_FOR))
        self._register = replay(decisions, claims, dict(carriers_in(in_force.written)), clock.now())
        in_force.lay_over(self._bind)

    def connect(self, ports: BindingPorts) -> None:
        """Show and tell from now on, and show what waits."""
        self._ports = ports
        self._show(claim.unit for claim in self._register.waiting())
        self._in_force.follow(self._on_directory)

    def on_events(self, recorded: Sequence[Recorded]) -> None:
        """Fold in what devices claim, show it, and tell them that it waits."""
        for one in recorded:
            claim = claim_of(one.row, one.event) if isinstance(one.event, BindingEvent) else None
            if claim is None:
                continue
            self.step()
            before = self._register.waiting()
            if self._register.take(claim, self._named(claim.unit)):
                _log.info("claimed", claim=claim.id, unit=claim.unit, device=claim.device, on=claim.on)
                self._show({claim.unit, *(each.unit for each in before if each.device == claim.device)})
            self._tell([claim.device])

    def claimed(self, device: str) -> Sequence[Unit]:
        """Give the units that a device may speak of although it isn't bound to them.

        What it says of them is history, until control binds it.
        """
        if self._register.is_quiet:
            return ()
        units = self._in_force.directory.units
        own = self._own(device)
        names = dict.fromkeys([*self._register.spoken_of(device), *([own] if own else [])])
        return [units[name] for name in names if name in units]

    def told(self, device: str, now: Moment) -> Sequence[ClaimState]:
        """Give what a device is to be told of its claims, at most `TOLD_MAX`, the newest last."""
        units = self._in_force.directory.units
        found = self._register.told(device, self._own(device), now.utc)
        shown = sorted(((unit, one) for unit, one in found.items() if unit in units), key=lambda pair: pair[1].at)
        return [
            ClaimState(
                unit=unit, callsign=units[unit].callsign, scheme=units[unit].scheme, outcome=one.outcome, at=one.at,
                by=one.by,
            )
            for unit, one in shown[-TOLD_MAX:]
        ]  # fmt: skip

    async def confirm(self, claim_id: str, request: DecisionRequest) -> BindingView | Refusal:
        """Let a claim hold, durably; other claims on its unit are refused by it.

        Raises what the ledger does: nothing was changed then.
        """
        return await self._finish(self._judge(claim_id, request, "binding_confirmed"))

    async def refuse(self, claim_id: str, request: DecisionRequest) -> BindingView | Refusal:
        """Refuse a claim, durably. Raises what the ledger does."""
        return await self._finish(self._judge(claim_id, request, "binding_refused"))

    async def unbind(self, unit: str, request: DecisionRequest) -> BindingView | Refusal:
        """Give a unit back to the vehicle that the directory names. Raises what the ledger does."""
        return await self._finish(self._change(unit, "unbound", request))

    async def lend(self, unit: str, request: LendRequest) -> BindingView | Refusal:
        """Lend a unit to another base. Raises what the ledger does."""
        return await self._finish(self._change(unit, "lent", request, base=request.base))

    async def take_back(self, unit: str, request: DecisionRequest) -> BindingView | Refusal:
        """End a unit's loan. Raises what the ledger does."""
        return await self._finish(self._change(unit, "returned", request))

    async def split(self, unit: str, request: DecisionRequest) -> BindingView | Refusal:
        """Split a unit into its parts. Raises what the ledger does."""
        return await self._finish(self._change(unit, "split", request))

    async def rejoin(self, unit: str, request: DecisionRequest) -> BindingView | Refusal:
        """Join a unit's parts again. Raises what the ledger does."""
        return await self._finish(self._change(unit, "rejoined", request))

    def in_force(self) -> tuple[BindingView, ...]:
        """Every unit that is bound, lent or split otherwise than the directory has it, by id."""
        directory, written = self._in_force.directory, self._in_force.written
        held = self._register.held(carriers_in(written))
        views = (
            view_binding(directory, written, unit.id, held.get(unit.id))
            for unit in directory.units.values()
            if unit.carrier != written.units[unit.id].carrier or unit.home is not None or unit.split_into
        )
        return tuple(sorted(views, key=lambda view: view.unit))

    def show(self, unit: str) -> BindingView | None:
        """Give how a unit is bound now; None where the directory does not hold it."""
        return self._view(unit) if unit in self._in_force.directory.units else None

    def waiting(self) -> tuple[ClaimAsked, ...]:
        """Every claim that waits, in the order in which they were heard."""
        self._register.expire(self._clock.now())
        return tuple(view_asked(self._in_force.directory, claim) for claim in self._register.waiting())

    def set_aside(self) -> tuple[SetAside, ...]:
        """What control decided and the directory gives no meaning to any more, by unit."""
        written = self._in_force.written
        found = ((unit, part) for unit, bound in self._bounds(written).items() for part in parts_of(bound))
        return tuple(SetAside(unit=unit, why=why) for unit, part in found if (why := meaningless(written, part)))

    def history(self, unit: str) -> tuple[Decided, ...]:
        """Read what was decided about a unit, newest first. Blocks; raises what the ledger does."""
        rows = (row for row in self._ledger.decisions() if row.subject == unit)
        return tuple(view_decision(decision) for decision in decisions_in(rows))[::-1]

    def step(self) -> None:
        """Let time pass: close the claims that ran out."""
        over = self._register.expire(self._clock.now())
        for claim in over:
            _log.info("claim_ran_out", claim=claim.id, unit=claim.unit)
        self._show(claim.unit for claim in over)
        self._tell(claim.device for claim in over)

    async def run(self) -> None:
        """End each claim at its time, until cancelled."""
        while True:
            self.step()
            await self._clock.sleep(TICK_S)

    async def _judge(self, claim_id: str, request: DecisionRequest, kind: Kind) -> BindingView | Refusal:
        async with self._pen:
            self.step()
            found = self._register.find(claim_id)
            if found is None:
                return Refusal(404, f"there is no claim {claim_id!r}; GET /v1/bindings lists those that wait")
            if isinstance(found, Answer):
                return self._answered(found, kind)
            objection = self._objection(found) if kind == "binding_confirmed" else ""
            if objection:
                return Refusal(409, f"{objection}: refuse the claim, or mend the directory")
            confirms = kind == "binding_confirmed"
            decision = Decision(
                kind=kind,
                unit=found.unit,
                at=self._clock.now(),
                by=request.by,
                reason=request.reason,
                claim=found,
                known=self._register.known,
                others=self._register.rivals(found) if confirms else (),
            )
            await self._commit(decision)
            return self._view(found.unit)

    def _answered(self, answer: Answer, kind: Kind) -> BindingView | Refusal:
        """Answer who decides what was decided: the same word again is no other one."""
        unit = answer.claim.unit
        if answer.decided == kind and unit in self._in_force.directory.units:
            return self._view(unit)
        if answer.decided is None:
            return Refusal(409, "the claim waits no longer: it ran out, or its crew took it back")
        was = "confirmed" if answer.decided == "binding_confirmed" else "refused"
        return Refusal(409, f"the claim was {was} by {answer.by} at {answer.at:%Y-%m-%dT%H:%M:%SZ}")

    async def _change(
        self, unit_id: str, kind: Kind, request: DecisionRequest, *, base: str = ""
    ) -> BindingView | Refusal:
        async with self._pen:
            unit = self._in_force.directory.units.get(unit_id)
            if unit is None:
                return Refusal(404, f"there is no unit {unit_id!r}; GET /v1/units lists them")
            refusal = self._why_not(unit, kind, base)
            if refusal is not None:
                return refusal
            if not self._is_so(unit, kind, base):
                decision = Decision(
                    kind=kind,
                    unit=unit_id,
                    at=self._clock.now(),
                    by=request.by,
                    reason=request.reason,
                    known=self._register.known,
                    base=base,
                )
                await self._commit(decision)
            return self._view(unit_id)

    def _why_not(self, unit: Unit, kind: Kind, base: str) -> Refusal | None:
        directory = self._in_force.directory
        if kind == "lent":
            if base not in directory.bases:
                return Refusal(422, f"base: there is no base {base!r}; GET /v1/bases lists them")
            if base == (unit.home or unit.base):
                return Refusal(409, f"base: {base!r} is its own base; POST /v1/units/{unit.id}/return ends a loan")
        if kind == "split" and all(part.part_of != unit.id for part in directory.units.values()):
            return Refusal(422, f"the unit {unit.id!r} has no parts in the directory")
        return None

    def _is_so(self, unit: Unit, kind: Kind, base: str) -> bool:
        """Tell whether it stands so already."""
        held = self._register.held(carriers_in(self._in_force.written)).get(unit.id)
        match kind:
            case "lent":
                return unit.base == base
            case "returned":
                return held is None or not held.base
            case "split" | "rejoined":
                return (held is not None and held.split) == (kind == "split")
            case _:
                return not self._register.is_bound(unit.id)

    async def _commit(self, decision: Decision) -> None:
        """Make a decision durable, and only then let it count."""
        concerned = self._concerned(decision)
        await asyncio.to_thread(self._ledger.commit_decision, row_of(decision))
        waited = {claim.unit for claim in self._register.waiting()}
        self._register.decide(decision, dict(carriers_in(self._in_force.written)))
        _log.info("binding_decided", kind=decision.kind, unit=decision.unit)
        self._in_force.refresh()
        concerned |= self._concerned(decision)
        unit = self._in_force.directory.units.get(decision.unit)
        if self._ports is not None and unit is not None and unit.carrier:
            self._ports.adopt(unit.id, unit.carrier)
        self._show({decision.unit, *waited})
        self._tell(concerned)
        claim = decision.claim if decision.kind == "binding_confirmed" else None
        if unit is not None and claim is not None and unit.carrier == claim.device:
            await self._recall(unit, claim.at)

    async def _recall(self, unit: Unit, since: datetime) -> None:
        """It is decided already: where the ledger can't be read the order waits for the next press."""
        try:
            found = await asyncio.to_thread(recall, self._ledger, unit.id, unit.carrier, since)
        except Retryable as error:
            _log.error("claim_not_recalled", unit=unit.id, cause=str(error))
            return
        if self._ports is not None and found:
            self._ports.recall(found)

    def _concerned(self, decision: Decision) -> set[str]:
        """Give the devices whose panels a decision changes."""
        claim = decision.claim
        claimants = [one.device for one in decision.others] + ([claim.device] if claim is not None else [])
        units = {decision.unit, *(self._register.carries(device) for device in claimants)} - {""}
        return {*claimants, *(holder for unit in units if (holder := self._holder(unit))), *map(self._named, units)}

    def _objection(self, claim: Claim) -> str:
        """Say why a claim can't hold."""
        return meaningless(self._in_force.written, Bound(unit=claim.unit, device=claim.device, base=claim.base))

    def _bind(self, written: Directory) -> Directory:
        return bind(written, self._bounds(written))

    def _bounds(self, written: Directory) -> dict[str, Bound]:
        return {
            held.unit: Bound(
                unit=held.unit,
                device=held.device,
                base=held.base,
                at=held.since,
                by="" if held.bound is None else held.bound.by,
                split=held.split,
            )
            for held in self._register.held(carriers_in(written)).values()
        }

    def _on_directory(self, _before: Directory, _now: Directory) -> None:
        """A unit that is new to the fleet is shown its claims."""
        self._show(claim.unit for claim in self._register.waiting())

    def _view(self, unit: str) -> BindingView:
        written = self._in_force.written
        return view_binding(
            self._in_force.directory, written, unit, self._register.held(carriers_in(written)).get(unit)
        )  # fmt: skip

    def _holder(self, unit: str) -> str:
        """Give the device that carries a unit now; empty for none."""
        found = self._in_force.directory.units.get(unit)
        return "" if found is None else found.carrier

    def _named(self, unit: str) -> str:
        """Give the device that the directory names for a unit; empty for none."""
        found = self._in_force.written.units.get(unit)
        return "" if found is None else found.carrier

    def _own(self, device: str) -> str:
        """Give the unit that the directory has a device carry; empty for none."""
        found = self._in_force.written.carried_by(device)
        return "" if found is None else found.id

    def _show(self, units: Iterable[str]) -> None:
        if self._ports is None:
            return
        for unit in dict.fromkeys(units):
            if unit in self._in_force.directory.units:
                self._ports.show(unit, view_claims(self._register.waiting(unit)))

    def _tell(self, devices: Iterable[str]) -> None:
        if self._ports is None:
            return
        for device in dict.fromkeys(devices):
            if device in self._in_force.directory.devices:
                self._ports.tell_state(device)

    async def _finish(self, work: Coroutine[Any, Any, BindingView | Refusal]) -> BindingView | Refusal:
        """Let `work` go on to its end although whoever waits for it may be cancelled."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)


def _claims_after(ledger: Ledger, after: int) -> Iterator[Claim]:
    """Read the claims that the ledger holds after an event, in order."""
    while rows := ledger.events_after(after, ("binding",), READ_ROWS):
        for row in rows:
            event = codec.decode_event(row.body)
            claim = claim_of(row, event) if isinstance(event, BindingEvent) else None
            if claim is not None:
                yield claim
        after = rows[-1].id
