"""How the parts of the cloud are connected: each `connect_*` gives one part its ways to the others.

They are the only places where parts that do not know each other meet; `app.py` calls them in order.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloud.api.cad import CadSite
from cloud.clock import Clock
from cloud.desk import (
    AlarmPorts,
    Alarms,
    BindingPorts,
    Bindings,
    CadInbox,
    CadPorts,
    Covering,
    Desk,
    Lending,
    Minted,
    ModePorts,
    Modes,
    Ports,
    Sharing,
    SharingPorts,
)
from cloud.desk.cad import Speech
from cloud.directory import Directory, InForce
from cloud.feeds import CadStreams, Decided, Feed, Listeners, MqttOut, PartnerFeeds, Views
from cloud.feeds.cadviews import Word
from cloud.feeds.views import Update
from cloud.fleet.basis import ModeSaid
from cloud.fleet.clocks import Moment
from cloud.fleet.heads import CONTROL
from cloud.ingest.ingest import Ingest
from cloud.ingest.work import Recorded
from cloud.ledger import DirectoryRow, Ledger
from cloud.memory.before import find_before
from cloud.memory.reads import Reads
from cloud.memory.recorder import Recorder
from cloud.memory.rows import Began
from cloud.memory.uncovered import find_uncovered
from cloud.telemetry import DuckFrames
from wire.feed import AlarmView, Assignment


def connect_desk(ingest: Ingest, feed: Feed, listeners: Listeners) -> Ports:
    """Connect the orders with those who carry them out, and with those who watch."""

    def publish(topic: str, payload: bytes) -> bool:
        if ingest.subscriber is None or not ingest.subscriber.connected:
            return False
        ingest.publish(topic, payload)
        return True

    def nonce_of(device: str) -> Minted | None:
        known = ingest.nonces.get(device)
        return None if known is None else Minted(known.nonce, known.received.mono_s)

    def assign(unit: str, assignment: Assignment | None, version: int) -> None:
        ingest.fleet.assign(unit, assignment, version, ingest.moment())

    return Ports(
        publish=publish,
        nonce_of=nonce_of,
        show=lambda orders: listeners.send(feed.show_orders(orders, ingest.moment())),
        assign=assign,
    )


def connect_events(ingest: Ingest, *hearers: Callable[[Sequence[Recorded]], None]) -> None:
    """Tell what was stored to each of these, in this order."""

    def tell(recorded: Sequence[Recorded]) -> None:
        for hear in hearers:
            hear(recorded)

    ingest.on_events = tell


def record_directory(ledger: Ledger, directory: Directory, at: datetime) -> None:
    """Write down which directory came into force."""
    body = msgspec.json.encode(directory.texts)
    ledger.record_directory(DirectoryRow(at=at, version=directory.version, body=body))


def connect_modes(ingest: Ingest, in_force: InForce, ledger: Ledger, clock: Clock) -> Modes:
    """Connect the modes that control sets with the units that they are set for, and with their crews' devices."""

    def set_mode(unit: str, said: ModeSaid | None) -> None:
        ingest.fleet.set_mode(unit, said, ingest.moment())
        for device in ingest.fleet.speakers(unit):
            ingest.tell_state(device)

    modes = Modes(in_force, ledger, ModePorts(set_mode=set_mode), clock=clock)
    ingest.acceptor.states.mode = modes.said_of
    return modes


def connect_bindings(ingest: Ingest, bindings: Bindings, desk: Desk) -> None:
    """Connect the claims of devices with the fleet that shows them, and with the devices that are told of them."""
    ingest.acceptor.speaking.claimed = bindings.claimed
    ingest.acceptor.states.claims = bindings.told
    ports = BindingPorts(
        show=lambda unit, claims: ingest.fleet.set_claims(unit, claims, ingest.moment()),
        tell_state=ingest.tell_state,
        adopt=ingest.adopt,
        recall=desk.on_events,
    )
    bindings.connect(ports)


@dataclass(frozen=True)
class Watching:
    """Who watches, and by which feed: this control room, and partners."""

    feed: Feed
    listeners: Listeners
    partners: PartnerFeeds


def connect_alarms(ingest: Ingest, watching: Watching, modes: Modes) -> AlarmPorts:
    """Connect the alarms with those who watch, and with the lamps of the devices that raised them."""

    def show(alarms: tuple[AlarmView, ...]) -> None:
        now = ingest.moment()
        watching.listeners.send(watching.feed.show_alarms(alarms, now))
        watching.partners.show_alarms(alarms, now)

    return AlarmPorts(
        show=show,
        tell_state=ingest.tell_state,
        ordinal=lambda device, stream: ingest.acceptor.known(device).get(stream),
        mode_of=modes.mode_of,
    )


def connect_partners(ingest: Ingest, feed: Feed, ledger: Ledger, epoch: str, tick_ms: int) -> PartnerFeeds:
    """Connect the partners' feeds with what the fleet shows: they speak on the same tick."""
    ingest.fleet.come_open(find_uncovered(ledger.directory_at, ingest.directory, ingest.moment().utc))
    views = Views(ingest.fleet, ingest.directory, ingest.moment())
    ingest.in_force.follow(views.follow)
    partners = PartnerFeeds(views, epoch=epoch, tick_ms=tick_ms, now=ingest.moment())
    feed.on_shown.append(partners.tick)
    return partners


def connect_mqtt(partners: PartnerFeeds, in_force: InForce) -> MqttOut:
    """Connect what is published over MQTT with the partners' views, and with who is named for it."""
    out = MqttOut(partners, in_force.directory)
    in_force.follow(out.follow)
    partners.on_update.append(out.on_update)
    return out


def connect_memory(ingest: Ingest, feed: Feed, ledger: Ledger, frames: DuckFrames, clock: Clock) -> Recorder:
    """Connect what the feed shows with what writes it down."""
    began = Began(process=ingest.moment().utc, owner_term=ingest.owner_term, directory_version=ingest.directory.version)
    before = find_before(ledger.board_at, frames, began.process)
    recorder = Recorder(ledger.commit_board, frames.append, clock=clock, began=began, before=before)
    feed.on_shown.append(recorder.show)
    recorder.whole = feed.records
    ingest.in_force.follow(lambda _before, after: recorder.follow(after.version))
    return recorder


@dataclass(frozen=True)
class Shared:
    """What is decided about sharing, and who saw what."""

    sharing: Sharing
    lending: Lending
    covering: Covering
    reads: Reads


def connect_sharing(
    in_force: InForce, ledger: Ledger, *, alarms: Alarms, partners: PartnerFeeds, clock: Clock
) -> Shared:
    """Connect what people decide about sharing with what partners see from the next tick on, and that with its log."""

    def is_hidden(unit: str) -> bool:
        shared = partners.views.shared(unit)
        return shared is None or shared.hidden

    lending = Lending(in_force, ledger, clock=clock, hidden=is_hidden)
    ports = SharingPorts(announce=alarms.access, loans=lending.agreements)
    sharing = Sharing(in_force, ledger, ports, clock=clock)
    reads = Reads(ledger, clock=clock)

    def decide() -> None:
        said = sharing.parts()
        decided = Decided(
            declared=said.declared, withdrawn=said.withdrawn, access=said.access, loans=lending.agreements()
        )
        partners.views.decide(decided)

    sharing.follow(decide)
    lending.follow(decide)
    decide()
    partners.on_update.append(_log_of(reads, partners, in_force))
    return Shared(sharing, lending, Covering(in_force, ledger, clock=clock), reads)


def _log_of(reads: Reads, partners: PartnerFeeds, in_force: InForce) -> Callable[[Moment, Mapping[str, Update]], None]:
    """Log what turns for whom. What is published over MQTT is there to be read whenever its partner likes."""
    published: set[str] = set()

    def log_reads(now: Moment, updates: Mapping[str, Update]) -> None:
        known = in_force.directory.partners
        named = {partner for partner in updates if partner in known and known[partner].mqtt}
        for partner, update in updates.items():
            for one in update.records:
                reads.turn(partner, one.record.unit, one.grants, now.utc)
            for unit in update.gone:
                reads.turn(partner, unit, None, now.utc)
        for partner in named - published:
            reads.arrive(partner, partners.views.seen_by(partner), way="mqtt", now=now.utc)
        for partner in published - named:
            reads.depart(partner, way="mqtt", now=now.utc)
        published.symmetric_difference_update(named ^ published)

    return log_reads


def connect_cad(ingest: Ingest, feed: Feed, desk: Desk, shared: Shared, ledger: Ledger) -> CadSite:
    """Connect command and control systems with what the board shows, and their word with the units it is about."""
    in_force, fleet = ingest.in_force, ingest.fleet
    streams = CadStreams(in_force, ledger, record_of=feed.record, outside_of=desk.outside)

    def saying(speech: Speech) -> AbstractContextManager[None]:
        word = Word(speech.field, speech.value, speech.origin)
        return streams.saying(speech.organisation, speech.unit, word, ingest.moment)

    def may_move(organisation: str, unit: str) -> bool:
        return shared.lending.may_move(organisation, unit, withdrawn=shared.sharing.parts().withdrawn)

    ports = CadPorts(
        say=ingest.say,
        assign=desk.assign,
        standing=fleet.standing,
        word=lambda unit: fleet.head(unit, CONTROL),
        look=lambda organisation, unit: streams.unit(organisation, unit, ingest.moment()),
        saying=saying,
        may_move=may_move,
    )
    feed.on_shown.append(streams.show)
    feed.on_orders.append(streams.show_orders)
    in_force.follow(lambda _before, _after: streams.show(ingest.moment(), feed.records(ingest.moment())))
    streams.show(ingest.moment(), feed.records(ingest.moment()))
    streams.show_orders(ingest.moment(), desk.active())
    inbox = CadInbox(in_force, ledger, ports, now=lambda: ingest.moment().utc)
    return CadSite(inbox=inbox, streams=streams, moment=ingest.moment)
