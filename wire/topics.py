"""The names under which messages travel. Every token is `[a-z0-9-]{1,40}`: no spaces, no wildcards, no surprises."""

import re
from typing import Literal, NamedTuple

UpChannel = Literal["status", "live", "history", "link"]
DownChannel = Literal["settle", "state", "command"]

TOKEN_PATTERN = r"[a-z0-9-]{1,40}"
"""An `org`, `device`, `unit` or `partner` token. Some brokers disconnect a client that uses a space."""

UP_FILTER = "wr/1/up/#"
"""What ingest subscribes to. Wider than the known topics, so that a wrong one is seen and kept aside."""
FEED_FILTER = "wr/1/feed/#"
"""Every partner's view. Wider than the known topics, so that nothing is left lying beside them."""

_UP = re.compile(rf"wr/1/up/({TOKEN_PATTERN})/({TOKEN_PATTERN})/(status|live|history|link)")
_FEED = re.compile(rf"wr/1/feed/({TOKEN_PATTERN})/({TOKEN_PATTERN})/({TOKEN_PATTERN})")
_TOKEN = re.compile(TOKEN_PATTERN)


class UpTopic(NamedTuple):
    """Where a device's message came in."""

    org: str
    device: str
    channel: UpChannel


class FeedTopic(NamedTuple):
    """Where a partner finds its view of a unit."""

    partner: str
    org: str
    """Whose unit it is."""
    unit: str


def is_token(text: str) -> bool:
    """Tell whether `text` may stand in a topic."""
    return _TOKEN.fullmatch(text) is not None


def parse_up(topic: str) -> UpTopic | None:
    """Take an upward topic apart. None for any topic that is not one of the contract's."""
    match = _UP.fullmatch(topic)
    return None if match is None else UpTopic._make(match.groups())


def up(org: str, device: str, channel: UpChannel) -> str:
    """Name the topic on which a device publishes."""
    return f"wr/1/up/{org}/{device}/{channel}"


def down(org: str, device: str, channel: DownChannel) -> str:
    """Name the topic on which the cloud answers one device."""
    return f"wr/1/down/{org}/{device}/{channel}"


def hello(org: str) -> str:
    """Name the topic on which an ingest that starts greets an organisation's devices."""
    return f"wr/1/down/{org}/hello"


def feed(partner: str, org: str, unit: str) -> str:
    """Name the topic on which a partner finds its view of a unit."""
    return f"wr/1/feed/{partner}/{org}/{unit}"


def parse_feed(topic: str) -> FeedTopic | None:
    """Take a topic of a partner's view apart. None for any topic that is not one of the contract's."""
    match = _FEED.fullmatch(topic)
    return None if match is None else FeedTopic._make(match.groups())
