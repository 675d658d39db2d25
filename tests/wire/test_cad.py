"""What a command and control system sends is read, known as an echo, or named as what it is: nothing is raised."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from wire import cad
from wire.cad import CAD_BYTES_MAX, CadStatus, CadTick, Unread

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
STATUS = CadStatus(id="m-1", origin="altaris", at=NOON, unit="kp-12", code="2")


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_rubbish_is_named_as_what_it_is(raw: bytes) -> None:
    """Any bytes give a message or what is wrong with them."""
    assert isinstance(cad.decode(raw), Unread)


def test_a_message_comes_back_as_it_was() -> None:
    """What is written is read as the same, its time in UTC whatever the offset; an echo of ours is known as one."""
    assert STATUS == cad.decode(cad.encode(STATUS))
    elsewhere = cad.encode(STATUS).replace(b"12:00:00Z", b"13:00:00+01:00")
    assert STATUS == cad.decode(elsewhere)
    assert CadTick(at=NOON, seq=7) == cad.decode(cad.encode(CadTick(at=NOON, seq=7)))
    assert not cad.is_ours(STATUS)


def test_what_is_too_long_or_wrong_keeps_its_id() -> None:
    """Whoever sent it can tell which of its messages was refused, where an id can be read at all."""
    wrong = cad.decode(b'{"id":"m-1","kind":"status","code":2}')
    assert isinstance(wrong, Unread) and ("not_understood", "m-1") == (wrong.why, wrong.id)
    long = cad.decode(b" " * (CAD_BYTES_MAX + 1))
    assert isinstance(long, Unread) and "too_large" == long.why
    deep = cad.decode(b"[" * 10_000)
    assert isinstance(deep, Unread) and "not_understood" == deep.why


def test_topics_name_one_organisation() -> None:
    """A topic is read back as whose it is; one that is not of the contract is nobody's."""
    assert "kp" == cad.parse_in(cad.topic("kp", "in"))
    for name in ("wr/1/cad/kp/out", "wr/1/cad/KP/in", "wr/1/cad/kp/in/x", "wr/1/cad//in"):
        assert None is cad.parse_in(name)
