"""Bytes to messages and back. Whatever comes in, the answer is a message or `Rejected`; nothing is raised."""

from typing import TypeVar

import msgspec

from wire.events import EVENT_BYTES_MAX, Event
from wire.findings import read_findings
from wire.messages import MESSAGE_BYTES_MAX, DownMessage, UpMessage

_Message = TypeVar("_Message")


class Rejected(msgspec.Struct, frozen=True):
    """Outside bytes that are not what the contract says. Count it and keep it; the stream goes on."""

    reason: str
    """A short stable word: `too_large`, `malformed`, `invalid`."""
    detail: str
    raw: bytes


_up = msgspec.json.Decoder(UpMessage)
_down = msgspec.json.Decoder(DownMessage)
_event = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_AT_HEALTH = "`$.health"
"""How the decoder names the place of what it refuses."""


def decode_up(payload: bytes) -> UpMessage | Rejected:
    """Decode what a device sent. Events inside an envelope stay bytes: decode each with `decode_event`.

    A device that speaks of its health as we do not is alive all the same: of that field we take what can be read.
    """
    decoded = _decode(_up, payload, MESSAGE_BYTES_MAX)
    if isinstance(decoded, Rejected) and _AT_HEALTH in decoded.detail:
        return _decode_with_health(payload) or decoded
    return decoded


def decode_down(payload: bytes) -> DownMessage | Rejected:
    """Decode what the cloud sent to a device."""
    return _decode(_down, payload, MESSAGE_BYTES_MAX)


def decode_event(raw: bytes) -> Event | Rejected:
    """Decode one event's own bytes. They are kept and shown, so all of them must be UTF-8, known fields or not."""
    decoded = _decode(_event, raw, EVENT_BYTES_MAX)
    return decoded if isinstance(decoded, Rejected) or _is_text(raw) else Rejected("malformed", "not UTF-8", raw)


def encode(message: UpMessage | DownMessage | Event) -> bytes:
    """Encode a message or an event. The bytes of an event are what is digested, stored and sent."""
    return _encoder.encode(message)


def _decode_with_health(payload: bytes) -> UpMessage | None:
    """Decode a message of which only the health is not as we know it; None where that is not all."""
    try:
        fields = _fields.decode(payload)
        health = read_findings(msgspec.json.decode(fields["health"]))
        message: UpMessage = _up.decode(_encoder.encode(fields | {"health": msgspec.Raw(_encoder.encode(health))}))
    except (ValueError, RecursionError):  # ValidationError and DecodeError are ValueErrors
        return None
    return message


def _is_text(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decode(decoder: "msgspec.json.Decoder[_Message]", raw: bytes, bytes_max: int) -> _Message | Rejected:
    if len(raw) > bytes_max:
        return Rejected("too_large", f"{len(raw)} bytes, at most {bytes_max}", raw)
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        return Rejected("invalid", str(error), raw)
    except (ValueError, RecursionError) as error:  # DecodeError is a ValueError; deep nesting exhausts the stack
        return Rejected("malformed", str(error), raw)
