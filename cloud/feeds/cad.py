"""What command and control systems (CAD) are told: each change of an organisation's own units, and orders for them.

Each organisation has a stream of its own, numbered without a gap. A message is durable before anybody is told of it,
together with what the unit was told to be: a start finds what changed since, and tells that. What a CAD said itself is
taken note of and not told. Nobody is waited for: whoever was away asks for what came after the last number it has.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import msgspec
import structlog

from cloud.clock import Clock
from cloud.directory import InForce
from cloud.errors import Retryable
from cloud.feeds.cadviews import OutsideOf, Word, is_news, look_at, tell_unit, view_order
from cloud.fleet.clocks import Moment
from cloud.ledger import CadCommit, CadHeld, CadTold, Ledger
from wire import cad
from wire.cad import CadMessages, CadOrder, CadUnit, CadUnits, SaidByUs
from wire.feed import FeedRecord, OrderView

RETRY_S = 1.0
HELD_S = 1.0
"""How often it is written down what a CAD said itself. Were it lost, the CAD would be told that once."""
PAGE_MAX = 500
UNIT, ORDER = "unit:", "order:"

RecordOf = Callable[[str, Moment], FeedRecord | None]
_message = msgspec.json.Decoder(CadUnit | CadOrder)
_log = structlog.get_logger("cad")


class _Stream:
    """One organisation's: what its CAD holds by now, and how far its messages are numbered and stored."""

    def __init__(self, newest: int) -> None:
        self.newest = self.stored = newest
        self.units: dict[str, CadUnit] = {}
        self.orders: dict[str, CadOrder] = {}
        self.words: dict[str, Word] = {}
        self.news = asyncio.Event()
        """Set, and replaced, whenever more is stored."""


class CadStreams:
    """Every organisation's stream. One owner, one event loop."""

    def __init__(self, in_force: InForce, ledger: Ledger, *, record_of: RecordOf, outside_of: OutsideOf) -> None:
        """Go on from what the ledger holds. Raises what it raises."""
        self._in_force, self._ledger = in_force, ledger
        self._record_of, self._outside_of = record_of, outside_of
        loaded = ledger.load_cad()
        self._streams = {name: _Stream(newest) for name, newest in loaded.newest.items()}
        for row in loaded.held:
            self._know(row)
        self._told: list[CadTold] = []
        self._held: dict[tuple[str, str], None] = {}
        self._wake = asyncio.Event()
        self.failing = False
        """Whether the last commit did not succeed: nobody is told anything meanwhile, and nothing is lost."""
        self.linked = True
        """Whether the link by MQTT stands, or has not been tried yet."""
        self.stored = asyncio.Event()
        """Set whenever more is stored, for the one that clears it."""

    @property
    def trouble(self) -> list[str]:
        """What is wrong now, one line each; empty where all is well."""
        told = []
        if self.failing:
            told.append("command and control systems are told nothing: the ledger takes none of it; see the disk")
        if not self.linked and any(map(self.uses_mqtt, self.organisations())):
            told.append("no command and control system is heard over MQTT: there is no connection to the broker")
        return told

    def speaks_to(self, organisation: str) -> bool:
        """Tell whether an organisation's CAD is connected, by the directory."""
        partner = self._in_force.directory.partners.get(organisation)
        return partner is not None and partner.cad

    def token_of(self, organisation: str) -> str:
        """The SHA-256 of the token that its CAD speaks under; empty where none is connected."""
        return self._in_force.directory.partners[organisation].token_sha256 if self.speaks_to(organisation) else ""

    def uses_mqtt(self, organisation: str) -> bool:
        """Tell whether it is connected over MQTT too."""
        return self.speaks_to(organisation) and self._in_force.directory.partners[organisation].mqtt

    def organisations(self) -> list[str]:
        """Every organisation whose CAD is connected."""
        return [name for name, partner in self._in_force.directory.partners.items() if partner.cad]

    def show(self, now: Moment, records: Iterable[FeedRecord]) -> None:
        """Tell what has changed of units."""
        for record in records:
            if self.speaks_to(record.organisation):
                self._look(record, now)

    def show_orders(self, now: Moment, orders: Iterable[OrderView]) -> None:
        """Tell what has changed of orders."""
        units = self._in_force.directory.units
        for order in orders:
            owners = {one.unit: units[one.unit].organisation for one in order.units if one.unit in units}
            for organisation in sorted(filter(self.speaks_to, set(owners.values()))):
                own = {unit for unit, owner in owners.items() if owner == organisation}
                self._look_at_order(organisation, order, own, now)

    def unit(self, organisation: str, unit: str, now: Moment) -> CadUnit | None:
        """Give one of its own units as it stands now: what changed since the last tick is told first."""
        record = self._record_of(unit, now)
        return None if record is None or record.organisation != organisation else self._look(record, now)

    @contextmanager
    def saying(self, organisation: str, unit: str, word: Word, moment: Callable[[], Moment]) -> Iterator[None]:
        """While its CAD says something of a unit: that it then stands is no news to it."""
        stream = self._stream(organisation)
        stream.words[unit] = word
        try:
            yield
            self.unit(organisation, unit, moment())
        finally:
            del stream.words[unit]

    def newest(self, organisation: str) -> int:
        """The number of the newest message that is stored."""
        return self._stream(organisation).stored

    async def wait(self, organisation: str, after: int) -> None:
        """Come back once a message after this one is stored."""
        stream = self._stream(organisation)
        while stream.stored <= after:
            await stream.news.wait()

    async def messages(self, organisation: str, after: int, limit: int, at: datetime) -> CadMessages:
        """Give what was told after a number, in order. Raises what the ledger does."""
        newest = self.newest(organisation)
        rows = await asyncio.to_thread(self._ledger.cad_told, organisation, after, limit)
        return CadMessages(
            at=at,
            newest=newest,
            missed=max(0, rows[0].number - after - 1) if rows else 0,
            messages=tuple(_message.decode(row.body) for row in rows),
        )

    def units(self, organisation: str, after: str, limit: int, now: Moment) -> CadUnits:
        """Give a page of an organisation's own units as they stand, by unit."""
        known = self._in_force.directory.units.values()
        own = sorted(unit.id for unit in known if unit.organisation == organisation and unit.id > after)
        newest = self.newest(organisation)
        found = [self._record_of(unit, now) for unit in own[:limit]]
        units = tuple(self._look(record, now) for record in found if record is not None)
        return CadUnits(at=now.utc, newest=newest, units=units, next_after=own[limit - 1] if own[limit:] else None)

    async def run(self, clock: Clock) -> None:
        """Store what is to be told, and say that it is there, until cancelled."""
        try:
            await self._keep_storing(clock)
        finally:
            with suppress(Retryable):
                self._ledger.commit_cad(self._take())  # a start must not tell a CAD what it said itself

    async def _keep_storing(self, clock: Clock) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HELD_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._store()
            except Retryable as error:
                if not self.failing:
                    _log.error("cad_not_told", cause=str(error))
                self.failing = True
                self._wake.set()
                await clock.sleep(RETRY_S)

    async def _store(self) -> None:
        if not self._held:
            return
        commit = self._take()
        try:
            await asyncio.to_thread(self._ledger.commit_cad, commit)
        except Retryable:
            self._told = commit.told + self._told
            self._held = {(row.organisation, row.subject): None for row in commit.held} | self._held
            raise
        self.failing = False
        for row in commit.told:
            self._stream(row.organisation).stored = row.number
        for organisation in {row.organisation for row in commit.told}:
            stream = self._stream(organisation)
            stream.news.set()
            stream.news = asyncio.Event()
        self.stored.set()

    def _take(self) -> CadCommit:
        commit = CadCommit(told=self._told, held=[self._row(*key) for key in self._held])
        self._told, self._held = [], {}
        return commit

    def _look(self, record: FeedRecord, now: Moment) -> CadUnit:
        stream = self._stream(record.organisation)
        known = stream.units.get(record.unit)
        unit, news = look_at(record, known, stream.words.get(record.unit), self._outside_of)
        if unit == known:
            return unit
        if news:
            seq, name = self._number(stream, now)
            unit = tell_unit(unit, news, seq=seq, name=name, at=now.utc)
            self._tell(record.organisation, unit)
        stream.units[record.unit] = unit
        self._keep(record.organisation, UNIT + record.unit)
        return unit

    def _look_at_order(self, organisation: str, order: OrderView, own: set[str], now: Moment) -> None:
        stream, shown = self._stream(organisation), view_order(order, own)
        known = stream.orders.get(order.order)
        if shown is None or not is_news(shown, known) or known is None and not order.active:
            return
        seq, name = self._number(stream, now)
        shown = msgspec.structs.replace(shown, seq=seq, id=name, at=now.utc)
        self._tell(organisation, shown)
        if order.active:
            stream.orders[order.order] = shown
        else:
            stream.orders.pop(order.order, None)
        self._keep(organisation, ORDER + order.order)

    def _number(self, stream: _Stream, now: Moment) -> tuple[int, str]:
        stream.newest += 1
        return stream.newest, f"wr.{now.utc:%Y%m%dT%H%M%S}.{stream.newest}"

    def _tell(self, organisation: str, message: SaidByUs) -> None:
        body = cad.encode(message)
        self._wake.set()
        self._told.append(CadTold(organisation=organisation, number=message.seq, at=message.at, body=body))

    def _keep(self, organisation: str, subject: str) -> None:
        self._held[(organisation, subject)] = None

    def _row(self, organisation: str, subject: str) -> CadHeld:
        stream, kind, name = self._stream(organisation), *subject.split(":", 1)
        held: CadUnit | CadOrder | None = stream.units.get(name) if kind == "unit" else stream.orders.get(name)
        body = b"" if held is None else cad.encode(held)
        return CadHeld(organisation=organisation, subject=subject, body=body)

    def _know(self, row: CadHeld) -> None:
        stream, held = self._stream(row.organisation), _message.decode(row.body)
        if isinstance(held, CadUnit):
            stream.units[held.unit] = held
        else:
            stream.orders[held.order] = held

    def _stream(self, organisation: str) -> _Stream:
        return self._streams.setdefault(organisation, _Stream(0))
