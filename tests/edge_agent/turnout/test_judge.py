"""What becomes of a command, by its nonce, its revision and its expiry."""

import pytest

from edge_agent.turnout.judge import End, Known, Stale, TakeIn, TellAgain, judge
from tests.edge_agent.turnout.lab import ENGINE, command, order_id

LIVE = Known(newest=1, recorded=True, live=True)


def test_a_fresh_command_is_taken_in() -> None:
    """It expires so long after its nonce was minted, not after it came."""
    verdict = judge(command(expires_ms=60_000, open_doors=True), None, 990.0, 1_000.0)
    assert isinstance(verdict, TakeIn)
    assert (1_000.0, 1_050.0) == (verdict.call.received_s, verdict.call.expires_s)
    assert ((ENGINE,), True, "emergency") == (verdict.call.units, verdict.call.open_doors, verdict.call.priority)


def test_an_unknown_nonce_is_stale() -> None:
    """Whatever it asks for, a command that proves nothing about its age is refused; a cancel too."""
    assert judge(command(), None, None, 1_000.0) == Stale(order_id(), 1)
    assert judge(command(revision=2, action="cancel"), LIVE_BUT_OTHER, None, 1_000.0) == Stale(order_id(), 2)


LIVE_BUT_OTHER = Known(newest=1, recorded=False, live=True)


@pytest.mark.parametrize("minted_s", [None, 990.0])
def test_a_known_revision_is_answered_from_the_journal(minted_s: float | None) -> None:
    """However often it comes, with a fresh nonce or a stale one, it is never taken in again."""
    assert judge(command(), LIVE, minted_s, 1_000.0) == TellAgain(order_id(), 1)
    assert judge(command(), Known(newest=3, recorded=True, live=False), minted_s, 1_000.0) == TellAgain(order_id(), 1)


def test_a_cancel_overtakes_its_order() -> None:
    """The cancel of an order that never came is the tombstone on which the order itself is then refused."""
    first = judge(command(revision=2, action="cancel"), None, 990.0, 1_000.0)
    assert isinstance(first, End)
    assert ("done", "unknown_order", 2) == (first.row.outcome, first.row.reason, first.row.revision)
    later = judge(command(), Known(newest=2, recorded=False, live=False), 990.0, 1_000.0)
    assert isinstance(later, End)
    assert ("refused", "superseded", 1) == (later.row.outcome, later.row.reason, later.row.revision)


def test_a_cancel_of_what_is_in_hand_is_the_stations() -> None:
    """Even one that has expired: it only ever ends things."""
    for minted_s in (990.0, 101.0):
        verdict = judge(command(revision=2, action="cancel"), LIVE_BUT_OTHER, minted_s, 1_000.0)
        assert isinstance(verdict, TakeIn)


def test_a_cancel_of_what_has_ended_ends_too() -> None:
    """Nothing is left to do, and the journal says so."""
    verdict = judge(command(revision=2, action="cancel"), Known(newest=1, recorded=False, live=False), 990.0, 1_000.0)
    assert isinstance(verdict, End)
    assert ("done", "not_in_hand") == (verdict.row.outcome, verdict.row.reason)


def test_an_expired_command_ends_as_expired() -> None:
    """At its very moment and after; a newer revision of a live order too."""
    for known in (None, LIVE_BUT_OTHER):
        verdict = judge(command(revision=2), known, 880.0, 1_000.0)
        assert isinstance(verdict, End)
        assert "expired" == verdict.row.outcome
        assert verdict.row.call is not None
        assert isinstance(judge(command(revision=2), known, 880.001, 1_000.0), TakeIn)


def test_a_newer_revision_is_taken_in() -> None:
    """Control may change an order that is in hand."""
    assert isinstance(judge(command(revision=2), LIVE_BUT_OTHER, 990.0, 1_000.0), TakeIn)
