"""Topics: what is built is understood, and whatever else comes in is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import topics
from wire.topics import DownChannel, UpChannel, UpTopic

UP_CHANNELS: tuple[UpChannel, ...] = ("status", "live", "history", "link")
DOWN_CHANNELS: tuple[DownChannel, ...] = ("settle", "state", "command")
tokens = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=40)
levels = st.sampled_from(["", "wr", "1", "2", "up", "down", "fenz", "k-101", "status", "live", "+", "#", "$SYS", "a b"])


@given(tokens, tokens, st.sampled_from(UP_CHANNELS))
def test_what_is_built_is_taken_apart_again(org: str, device: str, channel: UpChannel) -> None:
    """Every upward topic of good tokens parses to what it was built from, and is within what ingest subscribes to."""
    topic = topics.up(org, device, channel)
    assert UpTopic(org, device, channel) == topics.parse_up(topic)
    assert topic.startswith(topics.UP_FILTER.removesuffix("#"))


@given(st.one_of(st.text(max_size=80), st.lists(levels | tokens, max_size=8).map("/".join)))
def test_no_text_raises_and_what_parses_is_exact(topic: str) -> None:
    """Any text is a topic of ours or None; what is understood builds the very same topic again, with good tokens."""
    parsed = topics.parse_up(topic)
    if parsed is not None:
        assert topic == topics.up(*parsed)
        assert topics.is_token(parsed.org) and topics.is_token(parsed.device)


@given(tokens, tokens, st.sampled_from(UP_CHANNELS), st.sampled_from("+#$ /\0\n\rA_é\U0001f692\ud800"), st.data())
def test_nothing_with_a_wildcard_parses(
    org: str, device: str, channel: UpChannel, intruder: str, data: st.DataObject
) -> None:
    """A wildcard, a space, a capital, an end of line, half a character: anywhere in a topic it is not ours."""
    topic = topics.up(org, device, channel)
    place = data.draw(st.integers(0, len(topic)))
    assert topics.parse_up(topic[:place] + intruder + topic[place:]) is None


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "wr/1/up/fenz/k-101",
        "wr/1/up/fenz/k-101/",
        "wr/1/up//k-101/status",
        "wr/1/up/fenz/k-101/settle",
        "wr/1/up/fenz/k-101/status/more",
        "/wr/1/up/fenz/k-101/status",
        "wr/2/up/fenz/k-101/status",
        "wr/1/down/fenz/k-101/settle",
        "wr/1/up/fenz/" + "k" * 41 + "/status",
        "wr/1/up/fenz/k-101/status\n",
        "wr/1/up/#",
        "wr/1/up/+/+/status",
    ],
)
def test_what_is_not_quite_a_topic_is_none(topic: str) -> None:
    """A level too few or too many, another version or direction, a token too long."""
    assert topics.parse_up(topic) is None


@given(tokens, tokens, st.sampled_from(DOWN_CHANNELS))
def test_downward_topics_are_never_upward_ones(org: str, device: str, channel: DownChannel) -> None:
    """What the cloud says never comes back to it as a device's word, and a greeting is no device's topic."""
    built = [topics.down(org, device, channel), topics.hello(org)]
    assert built == [f"wr/1/down/{org}/{device}/{channel}", f"wr/1/down/{org}/hello"]
    assert [topics.parse_up(topic) for topic in built] == [None, None]


@given(st.text(max_size=45))
def test_a_token_is_1_to_40_of_the_plain_letters(text: str) -> None:
    """Digits of other scripts, capitals and an end of line are not in it."""
    plain = set(text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert topics.is_token(text) == (plain and 1 <= len(text) <= 40)


@pytest.mark.parametrize(
    ("text", "good"), [("a" * 40, True), ("a" * 41, False), ("a\n", False), ("٣", False), ("-", True)]
)
def test_the_edges_of_a_token(text: str, good: bool) -> None:
    """Forty characters are a token, and 41 are none."""
    assert topics.is_token(text) is good
