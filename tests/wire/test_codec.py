"""The codec: what is encoded comes back, and no bytes whatever make a decoder raise."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire import samples
from wire import codec
from wire.events import EVENT_BYTES_MAX, SEQ_MAX, CrewEvent, Event, InputEvent, PositionEvent, StatusEvent
from wire.findings import Finding, fail, warn, well
from wire.messages import (
    EVENTS_MAX,
    MESSAGE_BYTES_MAX,
    Command,
    DownMessage,
    Envelope,
    Heartbeat,
    Hello,
    LastSeq,
    OutboxDepth,
    ShownStatus,
    State,
    UpMessage,
)

AT = datetime(2026, 11, 22, 13, 37, 1, 123456, tzinfo=UTC)
COMMON: dict[str, Any] = {"seq": 1, "at": AT, "clock": "gnss", "boot": 1, "mono_ms": 2, "mode": "live"}
STATUS = StatusEvent(**COMMON, unit="k-101", scheme="nz-fire-k", code="K1", by="panel")
DECODERS: tuple[Callable[[bytes], object], ...] = (codec.decode_up, codec.decode_down, codec.decode_event)
ALL = (*samples.EVENTS, *samples.UP, *samples.DOWN)


def spoilt(**fields: object) -> bytes:
    """Write a status event with some of its fields changed, as plain JSON."""
    return json.dumps(json.loads(codec.encode(STATUS)) | fields).encode()


def reason(decoded: object) -> str:
    """Tell why bytes were rejected; empty where they were not."""
    return decoded.reason if isinstance(decoded, codec.Rejected) else ""


def never_raises(raw: bytes) -> None:
    """Hold every decoder to its promise."""
    for decode in DECODERS:
        decoded = decode(raw)
        if isinstance(decoded, codec.Rejected):
            assert decoded.reason in {"too_large", "malformed", "invalid"} and decoded.raw == raw
        else:
            assert isinstance(decoded, ALL)


def test_every_message_of_the_unions_is_drawn_here() -> None:
    """The properties below hold for every message and event that there is: none was forgotten."""
    unions = (Event, UpMessage, DownMessage)
    assert set(ALL) == {kind for union in unions for kind in get_args(union)}


@given(st.sampled_from(ALL).flatmap(samples.drawn))
def test_what_is_encoded_comes_back(made: Any) -> None:
    """Any message or event decodes to an equal one, which encodes to the same bytes again."""
    raw = codec.encode(made)
    decoded: Any = samples.decode(type(made), raw)
    if len(raw) > (EVENT_BYTES_MAX if isinstance(made, samples.EVENTS) else MESSAGE_BYTES_MAX):
        assert reason(decoded) == "too_large"
    else:
        assert decoded == made and codec.encode(decoded) == raw


@given(st.lists(st.sampled_from(samples.EVENTS).flatmap(samples.drawn), min_size=1, max_size=4))
def test_events_keep_their_own_bytes_through_an_envelope(events: list[Event]) -> None:
    """Each event comes out of an envelope as the very bytes that went in, whatever spaces stand around it."""
    raws = [codec.encode(event) for event in events]
    sent = codec.encode(samples.envelope([b"{}"])).replace(b"[{}]", b"[ " + b"\n, ".join(raws) + b"\t]")
    decoded = codec.decode_up(sent)
    assert isinstance(decoded, Envelope) and [bytes(raw) for raw in decoded.events] == raws


@given(st.binary(max_size=300))
def test_random_bytes_never_raise(raw: bytes) -> None:
    """Bytes without any sense are rejected and given back."""
    never_raises(raw)


@given(samples.json_values)
def test_random_json_never_raises(value: object) -> None:
    """Neither does any JSON, `NaN` and huge numbers among it."""
    never_raises(json.dumps(value).encode())


@given(st.sampled_from(ALL).flatmap(samples.drawn), st.data())
def test_damaged_messages_never_raise(struct: Any, data: st.DataObject) -> None:
    """A valid message with bytes replaced, cut out or put in is decoded or rejected."""
    raw = codec.encode(struct)
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 8)))
    never_raises(raw[:start] + data.draw(st.binary(max_size=8)) + raw[end:])


@given(st.sampled_from(ALL).flatmap(samples.json_of), st.data())
def test_messages_with_a_wrong_field_never_raise(message: dict[str, Any], data: st.DataObject) -> None:
    """A valid message in which any one field holds any JSON is decoded or rejected."""
    message[data.draw(st.sampled_from(sorted(message)))] = data.draw(samples.json_values)
    never_raises(json.dumps(message).encode())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (b"null", "invalid"),
        (b"[" * 3_000, "invalid"),
        (spoilt()[:-1] + b',"x":' + b"[" * 1_900 + b"]" * 1_900 + b"}", "malformed"),
        (spoilt()[:-1] + b',"x":' + b'{"a":' * 700, "malformed"),
        (spoilt() + spoilt(), "malformed"),
        (b"\xef\xbb\xbf" + spoilt(), "malformed"),
        (spoilt().decode().encode("utf-16"), "malformed"),
        (spoilt(seq=10**2_000), "invalid"),
        (spoilt(seq=SEQ_MAX + 1), "invalid"),
        (spoilt(seq=0), "invalid"),
        (spoilt(seq=1.0), "invalid"),
        (spoilt(seq="1"), "invalid"),
        (spoilt(seq=True), "invalid"),
        (spoilt(remarks="\ud800"), "malformed"),
        (spoilt(remarks="\udc00"), "malformed"),
        (spoilt(x="\udc00"), "malformed"),
        (spoilt().replace(b"K1", b"\xff"), "malformed"),
        (spoilt().replace(b"K1", b"\xed\xa0\x80"), "malformed"),
        (spoilt(x="?").replace(b"?", b"\xff"), "malformed"),
        (spoilt(x="?").replace(b'"?"', b'"\x00"'), "malformed"),
        (spoilt(x="?").replace(b'"?"', b"NaN"), "malformed"),
        (spoilt(x="?").replace(b'"?"', b"01"), "malformed"),
        (spoilt(remarks="r" * 501), "invalid"),
        (spoilt(remarks="r" * 5_000), "too_large"),
        (spoilt(unit="k-101\n"), "invalid"),
        (spoilt(unit="K-101"), "invalid"),
        (spoilt(unit=""), "invalid"),
        (spoilt(origin={"stream": "s-1\n", "seq": 1}), "invalid"),
        (spoilt(origin={"stream": "s" * 81, "seq": 1}), "invalid"),
        (spoilt(kind="envelope"), "invalid"),
        (spoilt(kind=None), "invalid"),
        (spoilt()[:-1] + b',"kind":"position"}', "invalid"),
        (spoilt(remarks="\0"), ""),
        (spoilt(x={"y": [1, 1e300, "Ā"]}), ""),
        (spoilt()[:-1] + b',"kind":"status"}', ""),
    ],
)
def test_nasty_events_are_rejected_by_name(raw: bytes, expected: str) -> None:
    """Deep nesting, huge numbers, broken text and broken limits each get their own stable word."""
    assert expected == reason(codec.decode_event(raw))


def test_the_last_of_two_equal_keys_counts() -> None:
    """As in nearly every JSON reader, so that two readers of the same bytes see the same status."""
    raw = spoilt()[:-1] + b',"code":"K2"}'
    assert reason(codec.decode_event(raw)) == "" and json.loads(raw)["code"] == "K2"
    assert msgspec.structs.replace(STATUS, code="K2") == codec.decode_event(raw)


def test_one_bad_event_does_not_spoil_its_envelope() -> None:
    """An event that is no event at all leaves the envelope and its neighbours readable."""
    raws = [codec.encode(STATUS), b"null", b'{"kind":"status"}', b'"\xff"', codec.encode(STATUS)]
    decoded = codec.decode_up(codec.encode(samples.envelope(raws)))
    assert isinstance(decoded, Envelope)
    reasons = [reason(codec.decode_event(bytes(raw))) for raw in decoded.events]
    assert reasons == ["", "invalid", "invalid", "invalid", ""]


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "invalid"), (1, ""), (EVENTS_MAX, ""), (EVENTS_MAX + 1, "invalid")]
)
def test_an_envelope_holds_1_to_20_events(count: int, expected: str) -> None:
    """None or 21 are refused."""
    assert expected == reason(codec.decode_up(codec.encode(samples.envelope([b"{}"] * count))))


def test_limits_in_bytes_hold_to_the_byte() -> None:
    """A message of 16 KiB and an event of 4 KiB are taken; one byte more is too large, whatever is in it."""
    hello = codec.encode(Hello(v=1, id="1-1", owner_term=1))
    for decode, raw, bytes_max in (
        (codec.decode_down, hello, MESSAGE_BYTES_MAX),
        (codec.decode_up, codec.encode(samples.envelope([b"{}"])), MESSAGE_BYTES_MAX),
        (codec.decode_event, codec.encode(STATUS), EVENT_BYTES_MAX),
    ):
        full = raw.ljust(bytes_max)
        assert reason(decode(full)) == ""
        assert reason(decode(full + b" ")) == "too_large"
        assert reason(decode(b"x" * bytes_max)) == "malformed"
        assert reason(decode(b"x" * (bytes_max + 1))) == "too_large"


@pytest.mark.parametrize("field", ["lat", "speed_mps", "accuracy_m"])
@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"-1e999", b"1" * 400])
def test_what_is_no_finite_number_is_refused(field: str, number: bytes) -> None:
    """No NaN, infinity or number beyond a double gets in, in any spelling."""
    event = PositionEvent(**COMMON, fix="3d", lat=7.5, lon=7.5, speed_mps=7.5, accuracy_m=7.5)
    raw = codec.encode(event).replace(b'"%s":7.5' % field.encode(), b'"%s":%s' % (field.encode(), number))
    assert number in raw
    assert reason(codec.decode_event(raw)) in {"malformed", "invalid"}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_finite_number_is_never_written_as_one(number: float) -> None:
    """It is written as null, which says "not known" where that is allowed and is refused where it is not."""
    position = PositionEvent(**COMMON, fix="3d", lat=1.0, lon=1.0, speed_mps=number)
    decoded = codec.decode_event(codec.encode(position))
    assert decoded == msgspec.structs.replace(position, speed_mps=None)
    value = codec.encode(InputEvent(**COMMON, name="mains", value=number))
    assert b'"value":null' in value and reason(codec.decode_event(value)) == "invalid"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_as_the_same_double(number: float) -> None:
    """Nothing is rounded on the wire, and any JSON reader reads the same double."""
    raw = codec.encode(InputEvent(**COMMON, name="mains", value=number))
    decoded = codec.decode_event(raw)
    assert isinstance(decoded, InputEvent) and decoded.value == number == json.loads(raw)["value"]


@given(st.datetimes(timezones=samples.offsets, min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)))  # noqa: DTZ001
def test_times_are_always_written_in_utc(moment: datetime) -> None:
    """Whatever offset a time had, in the program or on the wire, the struct has UTC and the wire has a Z."""
    for made in (
        msgspec.structs.replace(STATUS, at=moment),
        codec.decode_event(spoilt(at=moment.isoformat())),
    ):
        assert isinstance(made, StatusEvent) and made.at == moment and made.at.utcoffset() == timedelta(0)
        assert json.loads(codec.encode(made))["at"] == moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


HELSINKI = AT.astimezone(timezone(timedelta(hours=2)))


def test_every_time_of_every_message_is_brought_to_utc() -> None:
    """Not only the time of a status."""
    sent: dict[str, Any] = {"v": 1, "device": "d", "boot": 1, "conn": 1, "sent_mono_ms": 1, "clock": "ntp"}
    heartbeat = Heartbeat(
        **sent,
        sent_at=HELSINKI,
        stream="s",
        interval_s=10,
        last_seq=LastSeq(0, 0),
        outbox=OutboxDepth(0, 0),
        asleep_until=HELSINKI,
    )
    shown = ShownStatus(
        unit="u", scheme="s", code="6", label="", since=HELSINKI, by="panel", device="d", stream="s", seq=1
    )
    for made in (
        PositionEvent(**COMMON | {"at": HELSINKI}, fix="none", gnss_time=HELSINKI),
        InputEvent(**COMMON | {"at": HELSINKI}, name="mains", value=True),
        msgspec.structs.replace(samples.envelope([b"{}"]), sent_at=HELSINKI),
        heartbeat,
        State(v=1, owner_term=1, version=1, valid_until=HELSINKI, units=[shown]),
        CrewEvent(**COMMON | {"at": HELSINKI}, unit="u", on=True, until=HELSINKI),
        Command(
            v=1,
            owner_term=1,
            order=str(uuid4()),
            revision=1,
            action="mobilise",
            nonce="n",
            expires_ms=1,
            issued_at=HELSINKI,
        ),
    ):
        raw = codec.encode(made)
        assert b"+02:00" not in raw and b"2026-11-22T13:37:01.123456Z" in raw, raw


@pytest.mark.parametrize(
    "time",
    [
        "2026-11-22T13:37:01",
        "2026-11-22",
        "13:37:01Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T13:37:60Z",
        "2026-02-30T13:37:01Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "",
        1_790_000_000,
        None,
    ],
)
def test_a_time_without_its_offset_or_out_of_range_is_refused(time: object) -> None:
    """So is one that UTC has no year for: whoever reads the struct later can always compare and store it."""
    assert reason(codec.decode_event(spoilt(at=time))) == "invalid"


def test_a_naive_time_is_a_mistake_of_the_program() -> None:
    """A device can't put a time without its offset in its outbox: making the event raises."""
    with pytest.raises(ValueError, match="offset"):
        msgspec.structs.replace(STATUS, at=AT.replace(tzinfo=None))


@pytest.mark.parametrize("fix", ["none", "2d", "3d", "dead_reckoning"])
@pytest.mark.parametrize("lat", [None, 1.0])
@pytest.mark.parametrize("lon", [None, 1.0])
def test_a_place_goes_with_a_fix_and_only_with_a_fix(fix: str, lat: float | None, lon: float | None) -> None:
    """Both numbers with a fix, neither without one; anything else is refused by the decoder."""
    body = json.loads(codec.encode(STATUS)) | {"kind": "position", "fix": fix, "lat": lat, "lon": lon}
    right = (lat is None and lon is None) if fix == "none" else (lat is not None and lon is not None)
    assert reason(codec.decode_event(json.dumps(body).encode())) == ("" if right else "invalid")


@pytest.mark.parametrize("quality", ["good", "bad", "stale"])
@pytest.mark.parametrize("value", [None, False, 0, 0.0])
def test_a_number_goes_with_a_good_quality_only(quality: str, value: float | None) -> None:
    """A sensor that failed reports no zero, and a good one always reports something."""
    body = json.loads(codec.encode(STATUS)) | {"kind": "input", "name": "mains", "quality": quality, "value": value}
    right = (value is not None) == (quality == "good")
    assert reason(codec.decode_event(json.dumps(body).encode())) == ("" if right else "invalid")


@pytest.mark.parametrize(
    ("health", "read"),
    [
        (None, []),
        ({"disk": "ok"}, []),
        (["disk", 7, {}, {"check": "", "level": "ok"}, {"check": "disk", "level": 3}], []),
        ([{"check": "disk", "level": "critical", "found": "full", "do": "x"}], [warn("disk", "critical: full", "x")]),
        ([{"check": "x" * 65, "level": "ok"}], [well(63 * "x" + "…", "")]),
        ([{"check": "bus", "level": "fail", "found": "x" * 501, "do": 5}], [fail("bus", "x" * 499 + "…", "")]),
        ([{"check": f"p{n}", "level": "ok"} for n in range(12)] + [{"check": "disk", "level": "fail"}],
         [fail("disk", "", ""), *(well(f"p{n}", "") for n in range(11))]),
    ],
    ids=["null", "an object", "no findings", "a new level", "a long name", "a long text", "too many"],
)  # fmt: skip
def test_no_word_of_health_makes_a_living_device_lost(health: object, read: list[Finding]) -> None:
    """A heartbeat counts whatever a newer device says of its parts; what can be read of it is kept, the worst first."""
    beat = _beat()
    decoded = codec.decode_up(json.dumps(json.loads(codec.encode(beat)) | {"health": health}).encode())
    assert msgspec.structs.replace(beat, health=read) == decoded
    wrong = json.loads(codec.encode(beat)) | {"health": health, "interval_s": -1}
    assert "invalid" == reason(codec.decode_up(json.dumps(wrong).encode()))


def test_health_that_is_no_json_is_still_refused() -> None:
    """Bytes that no parser reads are malformed or invalid, behind a level that is not known too."""
    beat = codec.encode(_beat()).removesuffix(b"}") + b',"health":[{"check":"disk","level":"new"}],"more":'
    for rest in (b"\xff}", b"[" * 9_000, b""):
        never_raises(beat + rest)
        assert isinstance(codec.decode_up(beat + rest), codec.Rejected)


def _beat() -> Heartbeat:
    common: dict[str, Any] = {"v": 1, "device": "veh-1", "boot": 1, "conn": 1, "sent_mono_ms": 5, "sent_at": AT}
    said = {
        "clock": "gnss",
        "stream": "E1-a",
        "interval_s": 5.0,
        "last_seq": LastSeq(0, 0),
        "outbox": OutboxDepth(0, 0),
    }
    return Heartbeat(**(common | said))
