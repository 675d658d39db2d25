"""The few packets of MQTT 3.1.1 that ingest speaks: to bytes, and out of a stream of bytes. Pure.

Section numbers are those of the OASIS standard of 29 October 2014.
"""

from typing import NamedTuple

from cloud.errors import Retryable

PACKET_BYTES_MAX = 128 * 1024
"""A longer message is cut to this: it names its topic in full, and is too long to be one of the contract's anyway."""
LENGTH_BYTES_MAX = 4
"""Of the remaining length (section 2.2.3)."""

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
_TYPE = 0xF0
_RETAIN = 0x01
_QOS = 0x06
_CLEAN_SESSION = 0x02
_FAILURE = 0x80
_REFUSALS = {
    1: "Unsupported protocol version",
    2: "Client identifier not valid",
    3: "Server unavailable",
    4: "Bad user name or password",
    5: "Not authorized",
}


class Malformed(Retryable):
    """What the broker sent is not MQTT. Only a new connection can mend that."""


class Published(NamedTuple):
    """A message from the broker."""

    topic: bytes
    payload: bytes
    packet_id: bytes = b""
    """Not empty where it waits for a PUBACK."""


class Control(NamedTuple):
    """Any other packet: the first byte, and what follows the length."""

    first: int
    body: bytes


class Taken(NamedTuple):
    """What was taken off a stream, in order within each list, and whether there may be more."""

    published: list[Published]
    control: list[Control]
    full: bool


class Splitter:
    """Cuts a stream of bytes into packets, however it was cut on its way."""

    def __init__(self) -> None:
        """Nothing has come."""
        self._bytes = b""
        self._at = 0
        self._skip = 0
        """What is still to come of a message that was cut."""

    def feed(self, data: bytes) -> None:
        """Add what came."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._bytes = self._bytes[self._at :] + data if self._at < len(self._bytes) else data
        self._at = 0

    def take(self, published_max: int) -> Taken:
        """Take whole packets off, up to so many messages. Raises `Malformed`, once what came before that is taken."""
        taken = Taken([], [], False)
        try:
            while len(taken.published) + len(taken.control) < published_max:
                if not self._take_one(taken):
                    return taken
        except Malformed:
            if not taken.published and not taken.control:
                raise
        return taken._replace(full=True)

    def _take_one(self, taken: Taken) -> bool:
        """Take a packet. Tells whether there was a whole one."""
        data, at, end = self._bytes, self._at, len(self._bytes)
        if end - at < 2:
            return False
        first, length, body = data[at], data[at + 1], at + 2
        if length > 127:
            if end - at > 2 and data[body] < 128:  # nearly every message of a device: two bytes of length
                length, body = length & 127 | data[body] << 7, body + 1
            else:
                length, body = _length(data, at + 1)
        if length > PACKET_BYTES_MAX:
            return body > 0 and self._take_cut(taken, first, body, length)
        stop = body + length
        if stop > end:
            return False
        if first & _TYPE == PUBLISH:
            taken.published.append(_published(data, first, body, stop))
        else:
            taken.control.append(Control(first, data[body:stop]))
        self._at = stop
        return True

    def _take_cut(self, taken: Taken, first: int, body: int, length: int) -> bool:
        """Take the beginning of a message that is too long, and skip the rest of it."""
        if first & _TYPE != PUBLISH:
            raise Malformed("the broker sent a packet that is not MQTT 3.1.1")
        end = len(self._bytes)
        if end - body < PACKET_BYTES_MAX:
            return False
        taken.published.append(_published(self._bytes, first, body, body + PACKET_BYTES_MAX))
        self._skip = max(0, body + length - end)
        self._at = min(end, body + length)
        return True


def connect(client_id: str, keepalive_s: int) -> bytes:
    """Ask for a session that keeps nothing (section 3.1)."""
    head = b"\x00\x04MQTT\x04" + bytes([_CLEAN_SESSION]) + keepalive_s.to_bytes(2, "big")
    return _packet(CONNECT, head + _text(client_id.encode()))


def subscribe(packet_id: int, topic_filter: str) -> bytes:
    """Ask for messages at QoS 0 (section 3.8)."""
    return _packet(SUBSCRIBE, packet_id.to_bytes(2, "big") + _text(topic_filter.encode()) + b"\x00")


def publish(topic: str, payload: bytes, *, retain: bool = False) -> bytes:
    """Make a message at QoS 0 (section 3.3). `topic` is one of the contract's, and so short."""
    name = topic.encode()
    size = len(name)
    length = 2 + size + len(payload)
    first = PUBLISH | _RETAIN if retain else PUBLISH
    if length < 128:
        head = bytes((first, length, size >> 8, size & 255))
    elif length < 16_384:
        head = bytes((first, length & 127 | 128, length >> 7, size >> 8, size & 255))
    else:
        head = bytes((first,)) + _length_bytes(length) + size.to_bytes(2, "big")
    return b"%b%b%b" % (head, name, payload)


def puback(packet_id: bytes) -> bytes:
    """Acknowledge a message at QoS 1 (section 3.4)."""
    return _packet(PUBACK, packet_id)


def refusal(connack: bytes) -> str:
    """Say why a connection is refused; empty where it is accepted (section 3.2). Raises `Malformed`."""
    if len(connack) != 2:
        raise Malformed("the broker's answer is not MQTT 3.1.1")
    code = connack[1]
    return "" if code == 0 else _REFUSALS.get(code, f"code {code}")


def is_granted(suback: bytes) -> bool:
    """Tell whether a subscription stands (section 3.9). Raises `Malformed`."""
    if len(suback) != 3:
        raise Malformed("the broker's answer is not MQTT 3.1.1")
    return suback[2] < _FAILURE


def _published(data: bytes, first: int, body: int, stop: int) -> Published:
    start = body + 2
    if start > stop:
        raise Malformed("the broker sent a message without a topic")
    end = start + (data[body] << 8 | data[body + 1])
    qos = first & _QOS
    if not qos and end <= stop:
        return Published(data[start:end], data[end:stop])
    if qos != 0x02 or end + 2 > stop:
        raise Malformed("the broker sent a message that is not MQTT 3.1.1")
    return Published(data[start:end], data[end + 2 : stop], data[end : end + 2])


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Read a remaining length: it, and where the body starts. Past every bound while it is not whole."""
    length = 0
    for place in range(LENGTH_BYTES_MAX):
        if at + place >= len(data):
            return PACKET_BYTES_MAX + 1, 0
        byte = data[at + place]
        length |= (byte & 127) << 7 * place
        if byte < 128:
            return length, at + place + 1
    raise Malformed("the broker sent a length that is not MQTT 3.1.1")


def _length_bytes(length: int) -> bytes:
    written = bytearray()
    while length > 127:
        written.append(length & 127 | 128)
        length >>= 7
    written.append(length)
    return bytes(written)


def _text(text: bytes) -> bytes:
    return len(text).to_bytes(2, "big") + text


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length_bytes(len(body)) + body
