"""The topics of partners' views."""

from hypothesis import given
from hypothesis import strategies as st

from wire.topics import TOKEN_PATTERN, FeedTopic, feed, parse_feed

tokens = st.from_regex(TOKEN_PATTERN, fullmatch=True)


@given(tokens, tokens, tokens)
def test_a_topic_names_partner_owner_and_unit(partner: str, org: str, unit: str) -> None:
    """What was named is found again."""
    assert FeedTopic(partner, org, unit) == parse_feed(feed(partner, org, unit))


def test_what_is_beside_the_contract_is_none_of_its_topics() -> None:
    """A level too few or too many, a token that is none, or another room's topic."""
    for topic in (
        "wr/1/feed/ka/kp",
        "wr/1/feed/ka/kp/p1/alarm",
        "wr/1/feed/ka/kp/P1",
        "wr/1/up/ka/kp/p1",
        "wr/1/feed/",
    ):
        assert parse_feed(topic) is None
