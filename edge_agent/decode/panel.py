"""A panel's bytes become presses: the kernel's input events, and the scripted panel's JSON lines. Pure.

Both decoders are folds over a stream cut anywhere: `decode_*(stream, chunk, names) -> (stream, readings)`.
Neither raises, whatever the bytes; what cannot be believed comes out as `Rejected`, with a reason from a fixed set.
"""

import struct
from collections.abc import Collection, Mapping

import msgspec

from edge_agent.decode.readings import Press, Rejected

EVENT = struct.Struct("llHHi")
"""`struct input_event`: seconds, microseconds, type, code, value. 24 bytes on a 64-bit system."""

EV_SYN, EV_KEY, EV_LED, EV_MAX = 0x00, 0x01, 0x11, 0x1F
SYN_REPORT, SYN_DROPPED = 0, 3
_UP, _DOWN, _REPEAT = 0, 1, 2

LINE_BYTES_MAX = 512
"""The longest JSON line of a scripted panel. A press takes about 30 bytes."""

_RAW_KEPT_BYTES = 64


class EventStream(msgspec.Struct, frozen=True):
    """How far a device's events have been read: the cut-off rest, the keys held, and whether to skip."""

    rest: bytes = b""
    held: frozenset[int] = frozenset()
    """Key codes that are down."""
    dropping: bool = False
    """The kernel dropped events: what follows, up to its next report, is incomplete."""


class LineStream(msgspec.Struct, frozen=True):
    """How far a scripted panel's lines have been read: the cut-off rest, and the buttons held."""

    rest: bytes = b""
    held: frozenset[str] = frozenset()
    skipping: bool = False
    """Within a line that is too long, and already rejected."""


class _ScriptedPress(msgspec.Struct, frozen=True):
    button: str
    down: bool


_DECODER = msgspec.json.Decoder(_ScriptedPress)


def decode_events(
    stream: EventStream, chunk: bytes, keys: Mapping[int, str]
) -> tuple[EventStream, tuple[Press | Rejected, ...]]:
    """Fold a read of an input device into presses; `keys` maps a key's code to its button.

    Autorepeat is no press. After SYN_DROPPED every button held counts as released, and the rest of that
    incomplete packet is ignored, as the kernel's `event-codes` text asks.
    """
    data = stream.rest + chunk
    whole = len(data) - len(data) % EVENT.size
    readings: list[Press | Rejected] = []
    for start in range(0, whole, EVENT.size):
        stream, found = _apply_event(stream, data[start : start + EVENT.size], keys)
        readings += found
    return msgspec.structs.replace(stream, rest=data[whole:]), tuple(readings)


def _apply_event(
    stream: EventStream, raw: bytes, keys: Mapping[int, str]
) -> tuple[EventStream, tuple[Press | Rejected, ...]]:
    _, _, kind, code, value = EVENT.unpack(raw)
    if kind == EV_SYN and code == SYN_DROPPED:
        released = release_events(stream, keys)
        return EventStream(dropping=True), (*released, Rejected("events dropped by the kernel", raw))
    if kind == EV_SYN and code == SYN_REPORT:
        return msgspec.structs.replace(stream, dropping=False), ()
    if kind > EV_MAX:
        return stream, (Rejected("not an input event", raw),)
    if kind != EV_KEY or stream.dropping or value == _REPEAT:
        return stream, ()
    return _apply_key(stream, raw, keys)


def _apply_key(
    stream: EventStream, raw: bytes, keys: Mapping[int, str]
) -> tuple[EventStream, tuple[Press | Rejected, ...]]:
    _, _, _, code, value = EVENT.unpack(raw)
    if value not in (_UP, _DOWN):
        return stream, (Rejected("key neither up nor down", raw),)
    button = keys.get(code)
    if button is None:
        return stream, (Rejected("key without a button", raw),) if value == _DOWN else ()
    held = stream.held | {code} if value == _DOWN else stream.held - {code}
    return msgspec.structs.replace(stream, held=held), (Press(button, value == _DOWN),)


def release_events(stream: EventStream, keys: Mapping[int, str]) -> tuple[Press, ...]:
    """Releases for every button held: for a device that has gone, or whose state is unknown."""
    return tuple(Press(keys[code], False) for code in sorted(stream.held))


def decode_lines(
    stream: LineStream, chunk: bytes, buttons: Collection[str]
) -> tuple[LineStream, tuple[Press | Rejected, ...]]:
    """Fold what a scripted panel sent, `{"button":"b4","down":true}` a line, into presses of `buttons`.

    A line over `LINE_BYTES_MAX` is rejected once and skipped to its end, so the rest never grows beyond that.
    """
    *lines, rest = (stream.rest + chunk).split(b"\n")
    skipping, held = stream.skipping, set(stream.held)
    readings: list[Press | Rejected] = []
    for line in lines:
        if not skipping:
            readings.append(_decode_line(line, buttons))
        skipping = False
    for reading in readings:
        if isinstance(reading, Press):
            (held.add if reading.down else held.discard)(reading.button)
    if len(rest) > LINE_BYTES_MAX:
        readings += () if skipping else (_too_long(rest),)
        rest, skipping = b"", True
    return LineStream(rest, frozenset(held), skipping), tuple(readings)


def release_lines(stream: LineStream) -> tuple[Press, ...]:
    """Releases for every button held: for a client that has gone."""
    return tuple(Press(button, False) for button in sorted(stream.held))


def _decode_line(line: bytes, buttons: Collection[str]) -> Press | Rejected:
    if len(line) > LINE_BYTES_MAX:
        return _too_long(line)
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Rejected("not a press", line)
    if found.button not in buttons:
        return Rejected("unknown button", line)
    return Press(found.button, found.down)


def _too_long(line: bytes) -> Rejected:
    return Rejected("line too long", line[:_RAW_KEPT_BYTES])
