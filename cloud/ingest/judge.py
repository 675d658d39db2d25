"""Judges whole messages (taken, or kept aside) and each event alone (stored as what it says, or refused). Pure."""

from typing import Protocol, get_args

import msgspec

from cloud.ingest.rights import Rights
from wire import codec
from wire.events import (
    SEQ_MAX,
    STATUS_KINDS,
    BindingEvent,
    CrewEvent,
    DefectEvent,
    EmergencyEvent,
    Event,
    Queue,
    StatusEvent,
    TurnoutEvent,
)
from wire.messages import Birth, Death, Envelope, Heartbeat, Sent, UpMessage
from wire.topics import UpTopic

_CHANNELS: dict[type, tuple[str, ...]] = {
    Heartbeat: ("live",),
    Birth: ("link",),
    Death: ("link",),
}
_QUEUES: dict[type, Queue] = {
    kind: "status" if kind.__struct_config__.tag in STATUS_KINDS else "track" for kind in get_args(Event)
}


class Sender(Protocol):
    """A device as the directory knows it."""

    @property
    def enrolment(self) -> str:
        """The enrolment number that its streams are minted under."""
        ...

    @property
    def revoked(self) -> bool:
        """Whether it may no longer speak."""
        ...


class Judged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event's own bytes, and what became of them: an event, or a reason."""

    seq: int
    raw: bytes
    event: Event | None = None
    reason: str = ""
    unit: str | None = None
    """Of a binding, the unit whose callsign it names; of an emergency, the unit that it names if that is the device's:
    it is taken from any device, for whoever calls for help is not asked who may."""


def judge(raw: bytes, seq: int, queue: Queue, rights: Rights) -> Judged:
    """Judge an event that stands at `seq` in its queue, from a device with these rights."""
    event = codec.decode_event(raw)
    if isinstance(event, codec.Rejected):
        return Judged(seq=seq, raw=raw, reason=event.reason)
    unit = _named(event, rights)
    reason = _objection(event, seq, queue, rights)
    if isinstance(event, BindingEvent) and not reason and unit is None:
        reason = "unknown_callsign"
    return Judged(seq=seq, raw=raw, event=None if reason else event, reason=reason, unit=unit)


def _named(event: Event, rights: Rights) -> str | None:
    if isinstance(event, BindingEvent):
        return rights.called(event.callsign)
    if isinstance(event, EmergencyEvent):
        return next((unit.id for unit in rights.units if unit.id == event.unit), None)
    return None


def _objection(event: Event, seq: int, queue: Queue, rights: Rights) -> str:
    if event.seq != seq:
        return "wrong_seq"
    if _QUEUES[type(event)] != queue:
        return "wrong_queue"
    match event:
        case StatusEvent():
            return _status_objection(event, rights)
        case CrewEvent() | DefectEvent():
            named = {event.unit}
        case TurnoutEvent():
            named = set(event.units)
        case _:
            return ""
    return "" if named <= {unit.id for unit in rights.units} else "foreign_unit"


def _status_objection(event: StatusEvent, rights: Rights) -> str:
    for unit in rights.units:
        if unit.id == event.unit:
            break
    else:
        return "foreign_unit"
    if event.scheme != unit.scheme:
        return "wrong_scheme"
    scheme = rights.schemes.get(event.scheme)
    return "unknown_code" if scheme is None or scheme.code(event.code) is None else ""


def object_to(where: UpTopic, device: Sender, message: UpMessage | codec.Rejected) -> str:
    """Say why a whole message is kept aside; empty where it may come from this device, on this topic."""
    if device.revoked:
        return "revoked_device"
    if isinstance(message, codec.Rejected):
        return message.reason
    if message.device != where.device:
        return "wrong_device"
    if not is_enrolled(message.stream, device.enrolment):
        return "wrong_enrolment"
    if isinstance(message, Sent) and message.signature:
        return "unknown_signature"
    if where.channel not in _channels(message):
        return "wrong_channel"
    return _envelope_objection(where, message) if isinstance(message, Envelope) else ""


def _envelope_objection(where: UpTopic, envelope: Envelope) -> str:
    if envelope.first_held + len(envelope.events) - 1 > SEQ_MAX:
        return "past_last_seq"
    if where.channel != "live":
        return ""
    if len(envelope.events) > 1:
        return "too_many_events"
    return "wrong_channel" if envelope.queue == "status" and not _are_emergencies(envelope) else ""


def _are_emergencies(envelope: Envelope) -> bool:
    """Tell whether nothing but emergencies goes ahead of its queue here."""
    return all(isinstance(codec.decode_event(bytes(raw)), EmergencyEvent) for raw in envelope.events)


def is_enrolled(stream: str, enrolment: str) -> bool:
    """Tell whether a stream was minted under an enrolment: its number, then a random id without a dash."""
    return stream.rpartition("-")[0] == enrolment


def _channels(message: UpMessage) -> tuple[str, ...]:
    if isinstance(message, Envelope):
        return ("status", "live") if message.queue == "status" else ("history", "live")
    return _CHANNELS[type(message)]
