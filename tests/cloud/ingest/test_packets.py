"""MQTT's packets: written as the standard says, and found in any stream of bytes, however it was cut or forged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest import packets
from cloud.ingest.packets import PACKET_BYTES_MAX, Control, Malformed, Published, Splitter

TOPICS = st.from_regex(r"[a-z0-9/-]{1,60}", fullmatch=True)
MESSAGES = st.lists(st.tuples(TOPICS, st.binary(max_size=300), st.booleans()), max_size=12)


def take_all(splitter: Splitter, data: bytes) -> list[Published]:
    """Everything that can be taken after `data`."""
    splitter.feed(data)
    taken: list[Published] = []
    while True:
        some = splitter.take(3)
        taken += some.published
        if not some.full:
            return taken


def at_qos_1(topic: bytes, packet_id: bytes, payload: bytes) -> bytes:
    """A message that waits for a PUBACK, of less than 128 bytes."""
    body = len(topic).to_bytes(2, "big") + topic + packet_id + payload
    return bytes([0x32, len(body)]) + body


@given(MESSAGES, st.lists(st.integers(min_value=1, max_value=400)))
def test_messages_come_out_as_they_went_in(messages: list[tuple[str, bytes, bool]], cuts: list[int]) -> None:
    """However a stream is cut on its way, the same messages come out of it, in order, and once each."""
    stream = b"".join(packets.publish(topic, payload, retain=retain) for topic, payload, retain in messages)
    splitter, found, at = Splitter(), list[Published](), 0
    for cut in [*cuts, len(stream)]:
        found += take_all(splitter, stream[at : at + cut])
        at += cut
    assert found == [Published(topic.encode(), payload) for topic, payload, _ in messages]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_raise_anything_but_malformed(chunks: list[bytes]) -> None:
    """Whatever a broker sends, the splitter takes it, waits for more, or says that it is not MQTT."""
    splitter = Splitter()
    try:
        for chunk in chunks:
            take_all(splitter, chunk)
    except Malformed:
        pass


@pytest.mark.parametrize(
    ("forged", "what"),
    [
        (bytes.fromhex("30ffffffff01"), "a length of five bytes"),
        (bytes.fromhex("300100"), "a message without a whole topic length"),
        (bytes.fromhex("30030005 61"), "a topic that is longer than its packet"),
        (bytes.fromhex("32040001 6100"), "half a packet id"),
        (bytes.fromhex("34050001 610001"), "QoS 2, which nobody asked for"),
        (b"\xd0" + bytes.fromhex("ffff7f") + bytes(PACKET_BYTES_MAX), "a huge packet that is not a message"),
    ],
)
def test_what_is_not_mqtt_is_told(forged: bytes, what: str) -> None:
    """Each of these is refused: read on from there, anything might be taken for a message."""
    with pytest.raises(Malformed):
        take_all(Splitter(), forged)


def test_packets_are_the_standards() -> None:
    """Written out by hand from MQTT 3.1.1: CONNECT, SUBSCRIBE at QoS 0, PUBLISH plain and retained, PUBACK."""
    assert packets.connect("me", 15) == bytes.fromhex("100e 0004 4d515454 04 02 000f 0002 6d65")
    assert packets.subscribe(1, "a/#") == bytes.fromhex("8208 0001 0003 612f23 00")
    assert packets.publish("a/b", b"x") == bytes.fromhex("3006 0003 612f62 78")
    assert packets.publish("a/b", b"x", retain=True) == bytes.fromhex("3106 0003 612f62 78")
    assert packets.puback(b"\x00\x07") == bytes.fromhex("4002 0007")
    assert (packets.PINGREQ, packets.DISCONNECT) == (bytes.fromhex("c000"), bytes.fromhex("e000"))


@pytest.mark.parametrize("size", [0, 121, 122, 123, 16_377, 16_378, 16_379, 40_000])
def test_lengths_at_their_edges(size: int) -> None:
    """A message whose length takes one, two or three bytes is written so that it is read back."""
    assert take_all(Splitter(), packets.publish("a/b", bytes(size))) == [Published(b"a/b", bytes(size))]


def test_a_huge_message_is_cut_and_the_next_is_whole() -> None:
    """Of a message past the bound only its topic and beginning are held, whatever its size; what follows is read."""
    huge, small = packets.publish("a/b", bytes(3_000_000)), packets.publish("c", b"whole")
    splitter, found = Splitter(), list[Published]()
    for at in range(0, len(huge + small), 65_536):
        found += take_all(splitter, (huge + small)[at : at + 65_536])
        assert len(splitter._bytes) <= PACKET_BYTES_MAX + 65_536
    assert [(one.topic, len(one.payload)) for one in found] == [(b"a/b", PACKET_BYTES_MAX - 5), (b"c", 5)]


def test_a_huge_message_that_came_whole_is_cut_too() -> None:
    """The same where the whole of it was there at once."""
    huge, small = packets.publish("a/b", bytes(200_000)), packets.publish("c", b"whole")
    assert [one.topic for one in take_all(Splitter(), huge + small)] == [b"a/b", b"c"]


def test_what_is_taken_is_bounded() -> None:
    """No more messages are taken than asked for, and the splitter says whether there may be more."""
    splitter = Splitter()
    splitter.feed(packets.publish("a", b"x") * 5)
    assert [(len(taken.published), taken.full) for taken in (splitter.take(3), splitter.take(3))] == [
        (3, True),
        (2, False),
    ]


def test_control_packets_and_messages_at_qos_1_are_told_apart() -> None:
    """A packet id stands with the message that waits for it; any other packet is given as it is."""
    splitter = Splitter()
    splitter.feed(bytes.fromhex("20020005") + at_qos_1(b"a", b"\x00\x09", b"x") + bytes.fromhex("d000"))
    taken = splitter.take(100)
    assert taken.published == [Published(b"a", b"x", b"\x00\x09")]
    assert taken.control == [Control(0x20, b"\x00\x05"), Control(0xD0, b"")]


@pytest.mark.parametrize(("body", "said"), [("0000", ""), ("0100", ""), ("0005", "Not authorized"), ("0009", "code 9")])
def test_what_a_broker_answers_is_told(body: str, said: str) -> None:
    """A connection is accepted, or refused with the standard's reason, or by a number that it does not know."""
    assert packets.refusal(bytes.fromhex(body)) == said


def test_a_subscription_stands_or_does_not() -> None:
    """0x80 is a failure; anything lower is granted; an answer of another length is not one."""
    assert [packets.is_granted(bytes.fromhex(body)) for body in ("000100", "000180")] == [True, False]
    for answer in (packets.is_granted, packets.refusal):
        with pytest.raises(Malformed):
            answer(b"")
