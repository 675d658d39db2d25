"""How the parts of the cloud are connected: each `connect_*` gives one part its ways to the others.

They are the only places where parts that do not know each other meet; `app.py` calls them in order.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from cloud.clock import Clock
from cloud.desk import AlarmPorts, BindingPorts, Bindings, Desk, Minted, ModePorts, Modes, Ports
from cloud.directory import Directory, InForce
from cloud.feeds import Feed, Listeners, PartnerFeeds, Views
from cloud.fleet.basis import ModeSaid
from cloud.ingest.ingest import Ingest
from cloud.ledger import DirectoryRow, Ledger
from cloud.memory.before import find_before
from cloud.memory.recorder import Recorder
from cloud.memory.rows import Began
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


def connect_partners(ingest: Ingest, feed: Feed, epoch: str, tick_ms: int) -> PartnerFeeds:
    """Connect the partners' feeds with what the fleet shows: they speak on the same tick."""
    views = Views(ingest.fleet, ingest.directory, ingest.moment())
    ingest.in_force.follow(views.follow)
    partners = PartnerFeeds(views, epoch=epoch, tick_ms=tick_ms, now=ingest.moment())
    feed.on_shown.append(partners.tick)
    return partners


def connect_memory(ingest: Ingest, feed: Feed, ledger: Ledger, frames: DuckFrames, clock: Clock) -> Recorder:
    """Connect what the feed shows with what writes it down."""
    began = Began(process=ingest.moment().utc, owner_term=ingest.owner_term, directory_version=ingest.directory.version)
    before = find_before(ledger.board_at, frames, began.process)
    recorder = Recorder(ledger.commit_board, frames.append, clock=clock, began=began, before=before)
    feed.on_shown.append(recorder.show)
    recorder.whole = feed.records
    ingest.in_force.follow(lambda _before, after: recorder.follow(after.version))
    return recorder
