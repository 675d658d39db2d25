"""Ingest as a whole: rebuilds live state from the stores, then takes in, commits, shows and settles."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

import structlog
from msgspec.structs import replace

from cloud.clock import Clock
from cloud.directory import Directory, InForce
from cloud.errors import Retryable
from cloud.fleet.clocks import Corrected, Moment
from cloud.fleet.fleet import Fleet
from cloud.fleet.position import Place, make_place
from cloud.ingest.acceptor import Acceptor
from cloud.ingest.book import Book
from cloud.ingest.entries import entries, speakers
from cloud.ingest.folding import Folding
from cloud.ingest.garbage import collect_seldom
from cloud.ingest.lanes import RETRY_S, Committer, StatusLane, TrackLane
from cloud.ingest.loading import load_heads, load_marks, load_sayings
from cloud.ingest.nonces import Nonce
from cloud.ingest.standing import control_stream
from cloud.ingest.subscriber import Broker, Messages
from cloud.ingest.work import Outgoing, Recorded, Said
from cloud.ledger import EventRow, Ledger, Loaded
from cloud.telemetry import PositionRow, Telemetry
from wire import codec
from wire.events import CrewEvent, PositionEvent, StatusEvent
from wire.scheme import Scheme

PAUSE_AT = 5_000
"""Envelopes waiting for a commit at which ingest stops reading, and below half of which it reads on."""

Connect = Callable[[Callable[[Messages], None]], Broker]
"""Makes the way to a broker, given what takes in the messages."""

_log = structlog.get_logger("ingest")


class Ingest:
    """One owner of live state, on one event loop."""

    def __init__(
        self, in_force: InForce, ledger: Ledger, telemetry: Telemetry, *, clock: Clock, owner_term: int
    ) -> None:
        """Rebuild live state from the stores. Raises what they raise."""
        self.in_force = in_force
        self.owner_term = owner_term
        self._ledger, self._telemetry, self._clock = ledger, telemetry, clock
        self.fleet = Fleet(entries(self.directory), speakers(self.directory))
        loaded = ledger.load()
        self.acceptor = Acceptor(in_force, self.fleet, load_marks(loaded), owner_term=owner_term)
        self._book = Book(loaded, in_force, self.fleet)
        self._folding = Folding(self.fleet, self.acceptor.privacy)
        self._places_known = False
        self._rebuild(loaded)
        self.status_committer = Committer("ledger", clock)
        self.track_committer = Committer("telemetry", clock)
        self.status_lane = StatusLane(self.acceptor, self._book, self.fleet, self._folding)
        self.status_lane.on_said = self._answer
        self.track_lane = TrackLane(self.acceptor, self.fleet, in_force)
        self.subscriber: Broker | None = None
        self.on_events: Callable[[Sequence[Recorded]], None] = _act_on_nothing
        """Acts on events of the status queues as they are stored, before the device hears that they are, and on an
        emergency as it comes. Called on the loop's thread."""
        self.heard_s: float | None = None
        """When anything last came from the broker; None before the first."""
        self._said = 0
        self._asked: dict[int, asyncio.Future[EventRow]] = {}
        """Who waits for what becomes of a person's word, by its sequence."""
        in_force.follow(self._take_directory)

    @property
    def directory(self) -> Directory:
        """The one in force now."""
        return self.in_force.directory

    def moment(self) -> Moment:
        """Now, on both clocks."""
        return Moment(self._clock.now(), self._clock.monotonic())

    @property
    def nonces(self) -> Mapping[str, Nonce]:
        """The newest nonce of each device that takes commands and has proven when it minted it."""
        return self.acceptor.nonces

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publish now, at QoS 0, or drop it where there is no broker: whoever needs an answer asks again."""
        if self.subscriber is not None:
            self.subscriber.publish(Outgoing(topic, payload, retain))

    def tell_state(self, device: str) -> None:
        """Tell a device now what control believes. Where there is no broker it hears it once there is one."""
        if self.subscriber is not None:
            for message in self.acceptor.states.tell((device,), self.moment()):
                self.subscriber.publish(message)

    def adopt(self, unit: str, device: str) -> None:
        """Let what a device declared of a unit before it was bound to it count, as far as its binding reaches back.

        A directory that takes force does so by itself. Nothing counts twice.
        """
        now = self.moment()
        self._folding.adopt(unit, device, now)
        self.acceptor.tell_state(self.fleet.speakers(unit), now)
        if self.subscriber is not None:
            self._flush()

    async def say(self, unit: str, event: StatusEvent | CrewEvent) -> EventRow:
        """Store a person's word at control about a unit, show it, and tell the unit's devices; then come back.

        `event` says what, when and by whom; its place in control's own stream is given here. Once it is on its way it
        goes on to its end although whoever asked may go away. Raises `Retryable` where the ledger does not take it:
        then nothing was changed.
        """
        if self.status_committer.failing:
            raise Retryable("the ledger does not take commits")
        now = self.moment()
        self._said += 1
        placed = replace(event, unit=unit, seq=self._said, boot=self.owner_term, mono_ms=int(now.mono_s * 1000))
        said = Said(stream=control_stream(self.owner_term), event=placed, raw=codec.encode(placed), received=now)
        answer = self._asked[self._said] = asyncio.get_running_loop().create_future()
        self.acceptor.status.append(said)
        self.status_lane.wake.set()
        return await asyncio.shield(answer)

    async def run(self, connect: Connect, on_ready: Callable[[], None]) -> None:
        """Serve a broker until cancelled. Calls `on_ready` whenever a subscription stands."""
        collect_seldom()
        subscriber = connect(self._receive)
        self.subscriber = subscriber
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(subscriber.run(lambda: self._greet(on_ready)))
                tasks.create_task(self._rebuild_places())
                tasks.create_task(
                    self.status_lane.run(self.status_committer, self._ledger.commit, self._flush, self._clock)
                )
                tasks.create_task(
                    self.track_lane.run(
                        self.track_committer, self._telemetry.append, self.status_lane.wake.set, self._clock
                    )
                )
        finally:
            self.status_committer.close()
            self.track_committer.close()

    def _receive(self, messages: Messages) -> None:
        now = self.moment()
        self.heard_s = now.mono_s
        for topic, payload in messages:
            self.acceptor.receive(topic, payload, now)
        if self.acceptor.status:
            self.status_lane.wake.set()
        self._flush()
        if len(self.acceptor.status) >= PAUSE_AT and self.subscriber is not None:
            self.subscriber.pause()

    def _greet(self, on_ready: Callable[[], None]) -> None:
        now = self.moment()
        self.acceptor.greet(now)
        self.acceptor.tell_state(self.directory.devices, now)
        self._flush()
        on_ready()

    def _flush(self) -> None:
        """Hand on what was recorded and publish what waits. Also the moment to read on, where reading was paused."""
        assert self.subscriber is not None
        if self.acceptor.recorded:
            recorded, self.acceptor.recorded = self.acceptor.recorded, []
            self.on_events(recorded)
        for message in self.acceptor.outgoing:
            self.subscriber.publish(message)
        self.acceptor.outgoing.clear()
        if len(self.acceptor.status) < PAUSE_AT // 2:
            self.subscriber.resume()

    def _answer(self, said: Said, became: EventRow | Retryable) -> None:
        answer = self._asked.pop(said.event.seq)
        if answer.done():
            return
        if isinstance(became, Retryable):
            answer.set_exception(became)
        else:
            answer.set_result(became)

    def _take_directory(self, before: Directory, after: Directory) -> None:
        """Go by another directory from now on: the fleet at once, and each device that it concerns is told."""
        now = self.moment()
        self._folding.rebind(after, now)
        if before.schemes != after.schemes:
            self._folding.read_anew(after, now)
        told = [device for device in after.devices if _concern(before, device) != _concern(after, device)]
        self.acceptor.tell_state(told, now)
        _log.info("directory_in_force", version=after.version, units=len(after.units), told=len(told))
        if self.subscriber is not None:
            self._flush()

    def _rebuild(self, loaded: Loaded) -> None:
        now = self.moment()
        for mark in self.acceptor.committed.values():
            self.acceptor.commit_mark(mark, now)
        for head in load_heads(loaded, self.directory.schemes):
            self._book.know_head(head)
            self._folding.apply_head(head, now)
        for saying in load_sayings(loaded, self.directory.schemes):
            self._book.know_saying(saying)
            self._folding.apply_saying(saying, now)
        rows: list[PositionRow] = []
        try:
            rows = self._telemetry.latest()
            self._know_places(rows)
        except Retryable as error:  # a status waits for no position
            _log.error("positions_not_rebuilt", cause=str(error))
        _log.info("live_state_rebuilt", units=len(self.directory.units), heads=len(loaded.heads), positions=len(rows))

    async def _rebuild_places(self) -> None:
        """Take in where everybody was last, once a telemetry store that was away at the start is there."""
        while not self._places_known:
            await self._clock.sleep(RETRY_S)
            with contextlib.suppress(Retryable):
                rows = await asyncio.to_thread(self._telemetry.latest)
                self._know_places(rows)
                _log.info("positions_rebuilt", positions=len(rows))

    def _know_places(self, rows: Sequence[PositionRow]) -> None:
        now = self.moment()
        for row in sorted(rows, key=lambda row: (row.corrected_at, row.seq)):
            self.fleet.apply_place(row.device, self._place(row), now)
        self._places_known = True

    def _place(self, row: PositionRow) -> Place:
        event = PositionEvent(
            seq=row.seq,
            at=row.at,
            clock="none",
            boot=row.boot,
            mono_ms=row.mono_ms,
            mode=row.mode,
            fix=row.fix,
            lat=row.lat,
            lon=row.lon,
            speed_mps=row.speed_mps,
            heading_deg=row.heading_deg,
            altitude_m=row.altitude_m,
            accuracy_m=row.accuracy_m,
            satellites=row.satellites,
            gnss_time=row.gnss_time,
        )
        ordinal = self.acceptor.ordinal(row.device, row.stream)
        proven = row.corrected_at < row.received_at  # one that was not is stored as of its receipt
        return make_place(event, ordinal=ordinal, stream=row.stream, corrected=Corrected(row.corrected_at, proven))


def _act_on_nothing(_recorded: Sequence[Recorded]) -> None:
    """Nobody acts on events."""


def _concern(directory: Directory, device: str) -> tuple[tuple[str, Scheme], ...]:
    """What a directory says of a device that its `state` message rests on."""
    return tuple((unit.id, directory.schemes[unit.scheme]) for unit in directory.device_units(device))
