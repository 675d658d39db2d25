"""The modes that control sets: durable before they count, told to the fleet at once, and ended at their time."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec
import structlog

from cloud.clock import Clock
from cloud.desk.requests import Invalid
from cloud.directory import Directory, InForce
from cloud.fleet.basis import ModeSaid
from cloud.fleet.modes import Belonging, ModeBook, Scope, Setting, why_not
from cloud.ledger import DecisionRow, Ledger
from wire.events import Instant, Mode, Person, Text, keep_utc

DECISION = "mode"
"""The kind of such a decision in the ledger."""
TICK_S = 0.25
"""How often it is looked at which have run out."""

_log = structlog.get_logger("modes")


class ModeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mode that a person at control sets, or ends by `live`."""

    scope: Scope
    id: str = ""
    """The unit's, base's or organisation's; empty for all."""
    mode: Mode
    by: Person
    reason: Text
    until: Instant | None = None
    """When it runs out: for every mode but `live`, at most 24 hours ahead; for commissioning 30 days."""

    def __post_init__(self) -> None:
        """Bring the time to UTC, and refuse a reason that says nothing."""
        keep_utc(self, "until")
        if not self.reason.strip():
            raise ValueError("reason: is empty; say why")


class NoSuch(msgspec.Struct, frozen=True):
    """There is nothing that the mode could be set for, and what there is not."""

    problem: str


@dataclass(frozen=True, kw_only=True)
class ModePorts:
    """The way out."""

    set_mode: Callable[[str, ModeSaid | None], object]
    """Puts a unit in a mode, or back to live (None)."""


class Modes:
    """Holds the modes that control has set. One owner, one event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, ports: ModePorts, *, clock: Clock) -> None:
        """Know again what was set and is not over, and tell it. Raises what the ledger does."""
        self._in_force, self._ledger, self._ports, self._clock = in_force, ledger, ports, clock
        self._pen = asyncio.Lock()
        self._working: set[asyncio.Task[object]] = set()
        decided = (row for row in ledger.decisions() if row.kind == DECISION)
        self._book = ModeBook(msgspec.json.decode(row.body, type=Setting) for row in decided)
        self._book.drop_over(clock.now())
        self._told: dict[str, ModeSaid] = {}
        """The mode of each unit that is in one, as it was told."""
        self._tell()
        in_force.follow(self._on_directory)

    async def put(self, request: ModeRequest) -> Setting | Invalid | NoSuch:
        """Set a mode, durably, for as long as it says. Raises what the ledger does: nothing was set then.

        What is set already, by the same person until the same time, is not set again. It goes on to its end although
        whoever asked may go away meanwhile.
        """
        task = asyncio.ensure_future(self._put(request))
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return await asyncio.shield(task)

    def in_force(self) -> tuple[Setting, ...]:
        """Everything that holds now, in the order in which it was set."""
        return self._book.in_force(self._clock.now())

    def mode_of(self, unit: str) -> Mode:
        """Tell the mode that control has put a unit in."""
        said = self._told.get(unit)
        return "live" if said is None else said.mode

    def said_of(self, unit: str) -> ModeSaid | None:
        """Tell the mode that control has put a unit in, by whom and until when; None for live."""
        return self._told.get(unit)

    def step(self) -> None:
        """Let time pass: tell of what has run out."""
        over = self._book.drop_over(self._clock.now())
        for one in over:
            _log.info("mode_ran_out", scope=one.scope, id=one.id, mode=one.mode)
        if over:
            self._tell()

    async def run(self) -> None:
        """End each mode at its time, until cancelled."""
        while True:
            self.step()
            await self._clock.sleep(TICK_S)

    async def _put(self, request: ModeRequest) -> Setting | Invalid | NoSuch:
        now = self._clock.now()
        problem = _unknown(self._in_force.directory, request)
        if problem:
            return NoSuch(problem)
        objection = why_not(request.mode, request.until, now)
        if objection:
            return Invalid(objection)
        setting = Setting(
            scope=request.scope,
            id=request.id,
            mode=request.mode,
            by=request.by,
            reason=request.reason,
            at=now,
            until=request.until,
        )
        async with self._pen:
            known = self._book.find(request.scope, request.id)
            if known is None and request.mode == "live":
                return setting  # nothing is set that could be ended
            if known is not None and msgspec.structs.replace(known, at=now) == setting:
                return known
            await asyncio.to_thread(self._ledger.commit_decision, _row(setting))
            self._book.put(setting)
        _log.info("mode_set", scope=setting.scope, id=setting.id, mode=setting.mode, until=str(setting.until))
        self._tell()
        return setting

    def _on_directory(self, _before: Directory, _now: Directory) -> None:
        """Tell the units that are new, or belong elsewhere now."""
        self._tell()

    def _tell(self) -> None:
        """Tell the mode of each unit whose mode has changed."""
        now = self._clock.now()
        said = {one.unit: mode for one in self._units() if (mode := self._book.of(one, now)) is not None}
        changed = [unit for unit in said | self._told if said.get(unit) != self._told.get(unit)]
        self._told = said
        for unit in changed:
            self._ports.set_mode(unit, said.get(unit))

    def _units(self) -> Iterator[Belonging]:
        for unit in self._in_force.directory.units.values():
            yield Belonging(unit=unit.id, base=unit.base, organisation=unit.organisation)


def _unknown(directory: Directory, request: ModeRequest) -> str:
    """Say what there is not; empty where there is what the mode is for."""
    match request.scope:
        case "all":
            return "" if not request.id else "id: leave it empty for all"
        case "unit":
            known = request.id in directory.units
        case "base":
            known = request.id in directory.bases
        case "organisation":
            known = request.id in directory.organisations
    return "" if known else f"id: there is no {request.scope} {request.id!r} in the directory"


def _row(setting: Setting) -> DecisionRow:
    return DecisionRow(
        at=setting.at,
        kind=DECISION,
        subject=f"{setting.scope}:{setting.id}" if setting.id else setting.scope,
        by=setting.by,
        reason=setting.reason,
        body=msgspec.json.encode(setting),
    )
