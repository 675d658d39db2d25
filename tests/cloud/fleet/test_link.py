"""Freshness: how old the newest proof is, and what counts as one."""

from datetime import timedelta
from typing import Any

import pytest

from cloud.fleet.link import Link, apply_death, apply_sent, apply_vitals, freshness, note_said
from tests.cloud.fleet.samples import NOON, at, birth, current, death, echo, heartbeat
from wire.feed import Freshness

TOUCH_S = 0.001


def heard(interval_s: float = 5, **changes: Any) -> Link:
    """A link whose device was proven alive exactly at noon."""
    said = heartbeat(0, interval_s=interval_s, echo=echo(), **changes)
    link = apply_vitals(Link(), said, 1, at(0).mono_s, at(0))
    assert link is not None
    return link


def fold(link: Link, said: Any, *, echoed_s: float | None = None, now_s: float = 1.0, ordinal: int = 1) -> Link:
    """Fold news in, and insist that it is news."""
    changed = apply_vitals(link, said, ordinal, None if echoed_s is None else at(echoed_s).mono_s, at(now_s))
    assert changed is not None
    return changed


@pytest.mark.parametrize("interval_s", range(1, 21))
def test_late_and_lost_begin_exactly_at_their_thresholds(interval_s: int) -> None:
    """For every interval E a device is fresh up to 2E + 5 s, late up to 4E + 10 s, and then lost."""
    link = heard(interval_s)
    late_s, lost_s = 2 * interval_s + 5, 4 * interval_s + 10
    found = [freshness(link, at(age_s).mono_s) for age_s in (0, late_s, late_s + TOUCH_S, lost_s, lost_s + TOUCH_S)]
    assert ["fresh", "fresh", "late", "late", "lost"] == found


def test_a_heartbeat_delivered_16_s_late_is_16_s_old() -> None:
    """A broker that delivers a dead device's heartbeat as if now does not make the device young."""
    link = fold(Link(), heartbeat(1_000, echo=echo(1_000)), echoed_s=0, now_s=17)
    assert link.proof_s == at(1).mono_s
    assert freshness(link, at(17).mono_s) == "late"


@pytest.mark.parametrize(
    ("boot", "conn", "sent_ms"), [(3, 3, 3_000), (3, 3, 2_999), (3, 2, 9_000), (2, 9, 9_000), (0, 0, 0)]
)
def test_a_replayed_heartbeat_never_renews(boot: int, conn: int, sent_ms: int) -> None:
    """A heartbeat that isn't newer by boot, connection and monotonic time is no news, even with a good echo."""
    link = heard(boot=3, conn=3, sent_mono_ms=3_000)
    again = heartbeat(sent_ms, boot=boot, conn=conn, echo=echo())
    assert apply_vitals(link, again, 1, at(60).mono_s, at(60)) is None
    assert apply_vitals(link, heartbeat(0, boot=99, echo=echo()), 0, at(60).mono_s, at(60)) is None


def test_an_unknown_echo_proves_nothing() -> None:
    """Neither no echo nor one of an id that the cloud didn't give moves the proof."""
    for said in (heartbeat(0), heartbeat(0, echo=echo())):
        first = fold(Link(), said)
        assert (first.proof_s, first.clock_map, freshness(first, at(1).mono_s)) == (None, None, "late")
    link = fold(heard(), heartbeat(20_000, echo=echo()), now_s=20)
    assert link.proof_s == at(0).mono_s
    assert freshness(link, at(20).mono_s) == "late"


def test_nothing_heard_is_never() -> None:
    """A device without a single heartbeat is neither late nor lost."""
    assert freshness(Link(), at(0).mono_s) == "never"


@pytest.mark.parametrize(
    ("ending", "ordinal", "expected"),
    [
        (death(), 1, "late"),
        (death(conn=0), 1, "fresh"),
        (death(conn=2), 1, "fresh"),
        (death(boot=0), 1, "fresh"),
        (death(), 2, "fresh"),
    ],
)
def test_a_death_counts_for_its_own_connection(ending: Any, ordinal: int, expected: Freshness) -> None:
    """A connection that ended is late at once; the end of any other is ignored."""
    link = heard()
    changed = apply_death(link, ending, ordinal)
    assert (changed is None) == (expected == "fresh")
    assert freshness(changed or link, at(0).mono_s) == expected


def test_an_end_is_undone_by_an_echo_only() -> None:
    """A birth that may have waited in the broker doesn't revive a link that ended; its first echo does."""
    link = apply_death(heard(), death(), 1)
    assert link is not None
    link = fold(link, birth(1_000, conn=2))
    assert freshness(link, at(1).mono_s) == "late"
    link = fold(link, heartbeat(1_200, conn=2, echo=echo(100)), echoed_s=1.1, now_s=1.3)
    assert freshness(link, at(1.3).mono_s) == "fresh"


@pytest.mark.parametrize(("changes", "ordinal"), [({"boot": 2}, 1), ({"stream": "E2-b"}, 2)])
def test_a_restart_is_late_until_it_has_echoed(changes: dict[str, Any], ordinal: int) -> None:
    """A new boot or stream inherits no freshness: without a valid echo of its own the link is late."""
    link = fold(heard(), birth(0, **changes), ordinal=ordinal)
    assert freshness(link, at(1).mono_s) == "late"
    link = fold(link, heartbeat(1_000, **changes, echo=echo()), echoed_s=1, now_s=1, ordinal=ordinal)
    assert freshness(link, at(1).mono_s) == "fresh"


def test_another_outbox_does_not_inherit_a_map() -> None:
    """Two machines may both be in boot 1: the map of one says nothing of the other's messages."""
    link = fold(heard(), birth(5_000, stream="E2-b"), ordinal=2)
    assert apply_sent(link, 1, 90_000, at(90).mono_s) is link


def test_other_messages_prove_by_the_map() -> None:
    """An envelope of the mapped boot moves the proof to when it was sent, never back, never past now."""
    link = heard()
    assert apply_sent(link, 1, 9_000, at(30).mono_s).proof_s == at(9).mono_s
    assert apply_sent(link, 1, 2**62, at(30).mono_s).proof_s == at(30).mono_s
    assert apply_sent(apply_sent(link, 1, 9_000, at(9).mono_s), 1, 8_000, at(10).mono_s).proof_s == at(9).mono_s
    assert apply_sent(link, 2, 9_000, at(9).mono_s) is link


def test_a_proof_never_goes_back() -> None:
    """A heartbeat whose echo says less than is known already, for its id was long on its way, takes nothing back."""
    link = apply_sent(heard(), 1, 9_000, at(9).mono_s)
    assert fold(link, heartbeat(10_000, echo=echo()), echoed_s=4, now_s=10).proof_s == at(9).mono_s


@pytest.mark.parametrize(("asked_s", "asleep_s"), [(600, 600), (3600, 3600), (36_000, 3600), (10**9, 3600), (-5, 0)])
def test_a_device_sleeps_for_an_hour_at_most(asked_s: int, asleep_s: int) -> None:
    """A device is shown asleep until the time it named, at most an hour; then silence counts again."""
    link = heard(asleep_until=NOON + timedelta(seconds=asked_s))
    assert freshness(link, at(asleep_s).mono_s) == "asleep"
    assert freshness(link, at(max(asleep_s, 30) + TOUCH_S).mono_s) == "lost"


def test_sleep_counts_from_when_it_was_said() -> None:
    """A word of sleep that was long on its way doesn't prolong the sleep, whatever the device's wall clock shows."""
    wrong = NOON + timedelta(days=4000)
    said = heartbeat(0, sent_at=wrong, asleep_until=wrong + timedelta(seconds=600), echo=echo())
    link = fold(Link(), said, echoed_s=0, now_s=500)
    assert freshness(link, at(600).mono_s) == "asleep"
    assert freshness(link, at(600 + TOUCH_S).mono_s) == "lost"


def test_waking_ends_sleep() -> None:
    """A heartbeat that no longer says asleep makes the device fresh."""
    link = heard(asleep_until=NOON + timedelta(seconds=3600))
    link = fold(link, heartbeat(1_000, echo=echo()), echoed_s=1, now_s=1)
    assert freshness(link, at(1).mono_s) == "fresh"


def test_what_a_heartbeat_repeats_is_kept_once() -> None:
    """A heartbeat that says again what the last one said takes no more room; one that says something new says it."""
    first = note_said(heartbeat(0, current=[current(1)]), None)
    again = note_said(heartbeat(5_000, current=[current(1)]), first)
    assert (True, True) == (again.current is first.current, again.stream is first.stream)
    other = note_said(heartbeat(9_000, current=[current(2)], interval_s=7.0), again)
    assert ((current(2),), 7.0) == (other.current, other.interval_s)
