"""The distrustful board finds a feed wrong that is, and nothing wrong with one that is right."""

import socket

import msgspec

from edge_agent.clock import SystemClock
from tests.chaos.board import Board
from tests.golden.expected_v1 import RECORD
from wire.feed import Changes, Confidence, Freshness, Tick

UNIT = RECORD.unit


class _Clock(SystemClock):
    """A clock that is turned by hand."""

    now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


class _Feed:
    """A feed that says what it is told, to a board whose clock is turned by hand. A unit is late after 7 s."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.board = Board(_nowhere, heartbeat_s=1.0, clock=self.clock)

    def show(self, *, link: Freshness = "fresh", confidence: Confidence = "confirmed", age_s: float = 0.0) -> None:
        ages = msgspec.structs.replace(RECORD.ages, link_s=age_s)
        record = msgspec.structs.replace(RECORD, link=link, confidence=confidence, ages=ages)
        self.board.take("changes", msgspec.json.encode(Changes(at=RECORD.as_of, cursor=1, records=(record,))).decode())

    def tick(self, after_s: float) -> None:
        """Vouch for all that was shown, once a second."""
        for _ in range(round(after_s)):
            self.clock.now_s += 1.0
            self.board.take("tick", msgspec.json.encode(Tick(at=RECORD.as_of, cursor=1)).decode())

    def pause(self, duration_s: float) -> None:
        """Say nothing."""
        self.clock.now_s += duration_s


def _nowhere() -> socket.socket:
    raise ConnectionRefusedError


def test_a_right_feed_is_not_wrong() -> None:
    """A unit that is fresh while it speaks, and late within 2 s of its threshold once it does not, is no complaint."""
    feed = _Feed()
    for _ in range(10):
        feed.show()
        feed.tick(1)
    feed.board.silence(UNIT, "cut")
    feed.tick(7)
    feed.show(link="late", confidence="unconfirmed", age_s=8.0)
    feed.tick(30)
    feed.board.hear(UNIT, "cut")
    feed.show()
    feed.tick(5)
    assert feed.board.wrong == []
    assert feed.board.lates == 1
    assert feed.board.overshoot_s == 1.0


def test_a_unit_that_stays_fresh_is_found() -> None:
    """A unit that is called fresh 9 s after its newest proof is found by the feed's own words."""
    feed = _Feed()
    feed.show()
    feed.tick(9)
    assert feed.board.wrong == []
    feed.tick(1)
    assert "older than 7.0 s" in feed.board.wrong[0]


def test_a_backlog_that_renews_freshness_is_found() -> None:
    """A proof from after a device fell silent is found, and so is a unit that such proofs keep fresh."""
    feed = _Feed()
    feed.board.silence(UNIT, "cut")
    feed.tick(2)
    feed.show()
    assert "2.00 s after it fell silent" in feed.board.wrong[0]
    feed.tick(6)
    feed.show()
    feed.tick(2)
    assert any("is fresh 10.00 s after it fell silent" in each for each in feed.board.wrong)


def test_a_claim_of_confirmed_without_fresh_is_found() -> None:
    """Stale is never confirmed."""
    feed = _Feed()
    feed.show(link="late")
    assert "confirmed while its link is late" in feed.board.wrong[0]


def test_what_aged_while_the_feed_stood_still_must_not_be_vouched_for() -> None:
    """After a pause in which the feed was lost, the very first event must not leave a unit fresh that is not."""
    feed = _Feed()
    feed.show()
    feed.board.silence(UNIT, "frozen")
    feed.pause(8.0)
    feed.tick(1)
    assert feed.board.after_pauses == 2
    assert any("is fresh 9.00 s after it fell silent" in each for each in feed.board.wrong)
