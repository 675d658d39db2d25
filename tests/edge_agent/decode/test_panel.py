"""A panel's bytes: cut anywhere, wrong anyhow, they give the same presses and never an error."""

import itertools
import sys
from collections.abc import Callable, Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.decode.panel import (
    EV_KEY,
    EV_LED,
    EV_SYN,
    EVENT,
    LINE_BYTES_MAX,
    SYN_DROPPED,
    SYN_REPORT,
    EventStream,
    LineStream,
    decode_events,
    decode_lines,
    release_events,
    release_lines,
)
from edge_agent.decode.readings import Press, Rejected

KEYS = {2: "b1", 5: "b4"}
BUTTONS = frozenset(KEYS.values())

type_code_value = st.tuples(
    st.sampled_from([EV_SYN, EV_KEY, EV_LED, 4, 0x20]),
    st.sampled_from([0, 2, 3, 5, 99]),
    st.integers(-1, 3),
)


def event(kind: int, code: int, value: int) -> bytes:
    """One input event's bytes."""
    return EVENT.pack(1_790_000_000, 999_999, kind, code, value)


def key(code: int, value: int) -> bytes:
    """A key's event and its report."""
    return event(EV_KEY, code, value) + event(EV_SYN, SYN_REPORT, 0)


def cut(data: bytes, lengths: Sequence[int]) -> list[bytes]:
    """The data in pieces of those lengths, over and over."""
    pieces, rest = list[bytes](), data
    for length in itertools.cycle(lengths):
        if not rest:
            return pieces
        pieces.append(rest[:length])
        rest = rest[length:]
    return pieces


def fold_events(pieces: Sequence[bytes]) -> tuple[EventStream, list[Press | Rejected]]:
    """Everything read from the pieces."""
    stream, found = EventStream(), list[Press | Rejected]()
    for piece in pieces:
        stream, readings = decode_events(stream, piece, KEYS)
        found += readings
    return stream, found


def fold_lines(pieces: Sequence[bytes]) -> tuple[LineStream, list[Press | Rejected]]:
    """Everything read from the pieces."""
    stream, found = LineStream(), list[Press | Rejected]()
    for piece in pieces:
        stream, readings = decode_lines(stream, piece, BUTTONS)
        found += readings
    return stream, found


def reasons(found: Sequence[Press | Rejected]) -> list[str | Press]:
    """What was read, a rejection by its reason."""
    return [each.reason if isinstance(each, Rejected) else each for each in found]


def test_an_input_event_has_the_kernel_s_layout() -> None:
    """24 bytes on a 64-bit system: two longs, type, code, value. Bytes as a keyboard's KEY_4 gives them."""
    raw = bytes.fromhex("9f2b626a00000000 40420f0000000000 0100 0500 01000000".replace(" ", ""))
    assert len(raw) == EVENT.size == 24
    assert fold_events([raw])[1] == [Press("b4", True)]


def test_down_up_and_nothing_for_autorepeat() -> None:
    """A key that is held gives one down and one up, whatever the console would repeat."""
    data = key(5, 1) + key(5, 2) * 3 + key(5, 0)
    assert fold_events([data])[1] == [Press("b4", True), Press("b4", False)]


def test_dropped_events_release_everything_and_skip_to_the_report() -> None:
    """After SYN_DROPPED the rest of the packet is not believed, and what was held is released."""
    data = key(5, 1) + key(2, 1) + event(EV_SYN, SYN_DROPPED, 0) + event(EV_KEY, 5, 1)
    data += event(EV_SYN, SYN_REPORT, 0) + key(2, 1)
    assert reasons(fold_events([data])[1]) == [
        Press("b4", True),
        Press("b1", True),
        Press("b1", False),
        Press("b4", False),
        "events dropped by the kernel",
        Press("b1", True),
    ]
    assert release_events(fold_events([data])[0], KEYS) == (Press("b1", False),)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (event(EV_KEY, 99, 1), ["key without a button"]),
        (event(EV_KEY, 99, 0), []),
        (event(EV_KEY, 5, 3), ["key neither up nor down"]),
        (event(EV_KEY, 5, -1), ["key neither up nor down"]),
        (event(0x20, 0, 0), ["not an input event"]),
        (event(EV_LED, 5, 1), []),
        (event(4, 4, 0x70004), []),
    ],
)
def test_other_events(raw: bytes, expected: list[str]) -> None:
    """Scan codes and LEDs are nobody's press; what no kernel sends is rejected; a stray key counts once."""
    assert reasons(fold_events([raw])[1]) == expected


@given(st.lists(type_code_value, max_size=30), st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_where_events_are_cut_does_not_matter(found: list[tuple[int, int, int]], lengths: list[int]) -> None:
    """The same bytes give the same readings and the same end, however the reads fall."""
    data = b"".join(event(*each) for each in found)
    assert fold_events(cut(data, lengths)) == fold_events([data])


@given(st.lists(type_code_value, max_size=30))
def test_releases_bring_every_button_up(found: list[tuple[int, int, int]]) -> None:
    """Once a device has gone, the last word on each button is up."""
    stream, readings = fold_events([b"".join(event(*each) for each in found)])
    presses = [each for each in readings if isinstance(each, Press)]
    last = {each.button: each.down for each in (*presses, *release_events(stream, KEYS))}
    assert not any(last.values())


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_break_the_decoders(pieces: list[bytes]) -> None:
    """Any bytes at all: no error, and no more than one cut-off piece is kept."""
    events, _ = fold_events(pieces)
    lines, _ = fold_lines(pieces)
    assert len(events.rest) < EVENT.size
    assert len(lines.rest) <= LINE_BYTES_MAX


def test_lines_become_presses() -> None:
    """The scripted panel's lines, further fields ignored."""
    data = b'{"button":"b4","down":true}\n{"down":false,"button":"b4","by":"x"}\n'
    assert fold_lines([data])[1] == [Press("b4", True), Press("b4", False)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not a press"),
        (b"[]", "not a press"),
        (b'{"button":"b4"}', "not a press"),
        (b'{"button":"b4","down":1}', "not a press"),
        (b'{"button":4,"down":true}', "not a press"),
        (b'{"button":"\xff","down":true}', "not a press"),
        (b'{"x":' + b"[" * 500, "not a press"),
        (b'{"button":"b9","down":true}', "unknown button"),
        (b'{"button":"b4","down":true}' + b" " * LINE_BYTES_MAX, "line too long"),
        (b"x" * 100_000, "line too long"),
    ],
)
def test_a_bad_line_is_rejected_and_the_next_one_read(line: bytes, reason: str) -> None:
    """A line that is no press is one rejection; the press after it counts."""
    found = fold_lines(cut(line + b'\n{"button":"b1","down":true}\n', [4_096]))[1]
    assert reasons(found) == [reason, Press("b1", True)]


def test_a_nested_line_is_rejected_on_a_deep_stack() -> None:
    """A line of brackets does not exhaust the stack of whoever decodes it, however deep that already is."""

    def dig(depth: int) -> list[Press | Rejected]:
        return dig(depth - 1) if depth else fold_lines([b'{"x":' + b"[" * 500 + b"\n"])[1]

    assert reasons(dig(sys.getrecursionlimit() // 2)) == ["not a press"]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([b'{"button":"b4","down":true}', b'{"button":"b1","down":false}', b"x" * 513, b""]),
            st.integers(500, 2_000).map(lambda size: b"y" * size),
        ),
        max_size=8,
    ),
    st.lists(st.integers(1, 700), min_size=1, max_size=8),
)
def test_where_lines_are_cut_does_not_matter(lines: list[bytes], lengths: list[int]) -> None:
    """The same lines give the same readings, however the reads fall."""
    data = b"".join(line + b"\n" for line in lines)
    assert fold_lines(cut(data, lengths)) == fold_lines([data])


@given(st.lists(st.tuples(st.sampled_from(sorted(BUTTONS)), st.booleans())))
def test_a_lost_client_releases_its_buttons(sent: list[tuple[str, bool]]) -> None:
    """Once a client has gone, the last word on each button is up, and nothing is released that was not held."""
    data = b"".join(msgspec.json.encode({"button": button, "down": down}) + b"\n" for button, down in sent)
    stream, _ = fold_lines([data])
    last = dict(sent)
    assert release_lines(stream) == tuple(Press(name, False) for name in sorted(last) if last[name])


@pytest.mark.parametrize("fold", [fold_events, fold_lines])
def test_nothing_from_nothing(fold: Callable[[list[bytes]], tuple[object, list[object]]]) -> None:
    """No bytes, no readings."""
    assert fold([b"", b""])[1] == []
