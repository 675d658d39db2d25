"""How a device fares: its own word and the cloud's, each with what to do, and nothing old taken for now."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from cloud.fleet.clocks import Moment
from cloud.fleet.health import LABELS, Health, Told, judge_device, label_of, worst_of
from cloud.fleet.link import RESTARTS_KEPT, Link, apply_sent, apply_vitals, note_said
from cloud.fleet.troubles import KEPT_FOR, REASONS_MAX, STRANGERS_MAX, Troubles
from tests.cloud.fleet.samples import NOON, at, birth, echo, heartbeat
from wire import codec
from wire.findings import Finding, fail, warn
from wire.messages import RefusedSeq

BEGAN = NOON - timedelta(hours=1)
WELL = [Finding(check=part, level="ok") for part in ("receiver", "bus", "panel", "disk", "clock", "link")]
NO_FIX = fail("receiver", "no position for 14 min", "look at the aerial")
LOST_S = 31.0
"""The samples' devices promise a heartbeat every 5 s: they are lost beyond 30 s."""


def heard(*, link: Link | None = None, now_s: float = 0.0, **changes: Any) -> Link:
    """A link after one more proven birth, sent `now_s` after noon."""
    said = birth(int(now_s * 1000), echo=echo(), sent_at=at(now_s).utc, **changes)
    changed = apply_vitals(link or Link(), said, 1, at(now_s).mono_s, at(now_s))
    assert changed is not None
    return changed


def judged(link: Link, now: Moment | None = None, **told: Any) -> Health:
    """How it fares a second after noon."""
    return judge_device(link, Told(**told), BEGAN, now or at(1))


def test_a_device_that_finds_all_well_is_well() -> None:
    """Each part that is told has its verdict, nothing is to be done, and its word is of now."""
    found = judged(heard(health=WELL))
    assert ("well", "fresh", (), False) == (found.standing, found.link, found.findings, found.is_old)
    assert dict.fromkeys(("receiver", "bus", "panel", "disk", "clock", "link"), "ok") == found.parts


def test_what_failed_stands_first() -> None:
    """One failure makes it failed; the worst finding comes first, with the device's own advice."""
    found = judged(heard(health=[*WELL[2:], warn("bus", "slow", "see to it"), NO_FIX]))
    assert ("failed", "fail", "warn") == (found.standing, found.parts["receiver"], found.parts["bus"])
    assert [("receiver", "look at the aerial", "device"), ("bus", "see to it", "device")] == [
        (one.check, one.do, one.by) for one in found.findings
    ]


def test_an_old_word_is_told_as_old() -> None:
    """Whoever is lost is lost, not well: the cloud says since when, and the device's word has its age."""
    found = judged(heard(health=WELL), at(LOST_S))
    assert ("lost", True, NOON, NOON) == (found.standing, found.is_old, found.told_at, found.heard_at)
    assert [("link", "fail", "cloud", NOON)] == [(one.check, one.level, one.by, one.since) for one in found.findings]
    assert ("ok", "fail") == (found.parts["disk"], found.parts["link"])
    late = judged(heard(health=WELL), at(20))
    assert ("late", "well", True) == (late.link, late.standing, late.is_old)


def test_nothing_unproven_counts_as_heard() -> None:
    """A birth that a broker kept may be a dead device's: it is not heard, whatever it says; so is who said nothing."""
    kept = apply_vitals(Link(), birth(0, health=[NO_FIX]), 1, None, at(0))
    assert kept is not None
    for link, why in ((kept, "nothing proves that it is alive now"), (Link(), "nothing heard")):
        found = judged(link)
        assert ("never", True, None) == (found.standing, found.is_old, found.told_at)
        assert [why] == [one.found for one in found.findings if one.by == "cloud"]


def test_an_older_device_tells_faults() -> None:
    """Without findings nobody knows its parts: it is untold, or its faults are to be looked after."""
    assert "untold" == judged(heard()).standing
    found = judged(heard(faults=["no receiver"]))
    assert ("look", [("fault", "no receiver")]) == (found.standing, [(one.check, one.found) for one in found.findings])
    told = judged(heard(health=[*WELL[1:], NO_FIX], faults=["no position for 14 min", "outbox slow"]))
    assert ["no position for 14 min", "outbox slow"] == [one.found for one in told.findings]


@pytest.mark.parametrize(("skew_s", "text"), [(5.5, "6 s ahead of"), (-300.0, "5 min behind"), (4.9, "")])
def test_the_cloud_measures_the_clock(skew_s: float, text: str) -> None:
    """Beyond 5 s either way the clock is to be looked after, though the device finds it well."""
    link = msgspec.structs.replace(heard(health=WELL), skew_s=skew_s)
    found = judged(link)
    assert ("warn" if text else "ok") == found.parts["clock"]
    assert bool(text) == any(text in one.found for one in found.findings if one.check == "clock")


def test_restarts_are_counted_and_many_are_a_fault() -> None:
    """Each new boot counts once; four within the hour are to be looked after, four in four hours are not."""
    link = heard(boot=1)
    for boot in range(2, 20):
        link = heard(link=link, boot=boot, now_s=boot * 60.0)
    assert RESTARTS_KEPT == len(link.restarted_s)
    assert heard(link=link, boot=19, conn=2, now_s=1200).restarted_s == link.restarted_s
    found = judged(link, at(1145))
    assert [at(720).utc] == [one.since for one in found.findings if one.check == "restarts"]
    slow = heard(boot=1)
    for boot in range(2, 6):
        slow = heard(link=slow, boot=boot, now_s=boot * 3600.0)
    assert not any(one.check == "restarts" for one in judged(slow, at(5 * 3600 + 1)).findings)


def test_what_the_cloud_kept_aside_or_refused_is_told() -> None:
    """A fork fails its outbox, a refused event is to be looked after, each with how often and what to do; for a day."""
    troubles = Troubles()
    troubles.note_aside("veh-2", "wr/1/up/kp/veh-2/status", "fork", NOON)
    troubles.note_refused("veh-2", [RefusedSeq(4, "unknown_code"), RefusedSeq(5, "unknown_code")], NOON)
    found = judged(heard(health=WELL), troubles=troubles.of("veh-2", NOON))
    assert "failed" == found.standing
    assert ["1 of its messages was kept aside: fork", "2 of its events were refused: unknown_code"] == [
        one.found for one in found.findings
    ]
    assert all(one.do and one.since == NOON for one in found.findings)
    assert () == troubles.of("veh-2", NOON + KEPT_FOR) == troubles.of("veh-1", NOON)


def test_who_is_bound_to_nothing_or_may_not_speak_is_told() -> None:
    """Heard and in no vehicle, station or unit: to be looked after. Revoked and heard: failed, until it may speak."""
    assert "look" == judged(heard(health=WELL), is_bound=False).standing
    troubles = Troubles()
    troubles.note_aside("veh-9", "wr/1/up/kp/veh-9/live", "revoked_device", NOON)
    told = troubles.of("veh-9", NOON)
    assert "failed" == judged(Link(), troubles=told, is_revoked=True).standing
    assert "never" == judged(Link(), troubles=told).standing
    kept = Troubles()
    kept.note_aside("veh-9", "wr/1/up/kp/veh-9/link", "revoked_device", NOON)
    kept.note_aside(None, "wr/1/up/kp/veh-8/link", "foreign_device", NOON)
    assert ((), ()) == (kept.of("veh-9", NOON), kept.strangers(NOON))


def test_nobody_can_make_us_remember_without_end() -> None:
    """Names and reasons are bounded; the newest stay."""
    troubles = Troubles()
    for number in range(200):
        troubles.note_aside(None, f"wr/1/up/kp/made-up-{number}/live", "foreign_device", NOON)
        troubles.note_aside("veh-1", "wr/1/up/kp/veh-1/live", f"reason-{number}", NOON)
    strangers = troubles.strangers(NOON)
    assert (STRANGERS_MAX, "made-up-199") == (len(strangers), strangers[-1].device)
    assert REASONS_MAX == len(troubles.of("veh-1", NOON))


def test_devices_that_say_the_same_share_it() -> None:
    """Of thousands that find all well one list is kept, and one text of the software; heartbeats repeat neither."""

    def sent(**changes: Any) -> Any:
        return codec.decode_up(codec.encode(birth(0, health=WELL, **changes)))

    one, other = note_said(sent(), None), note_said(sent(device="veh-1"), None)
    assert one.health is other.health and one.software is other.software and len(one.health) == len(WELL)
    again = note_said(codec.decode_up(codec.encode(heartbeat(5_000, health=WELL))), one)  # type: ignore[arg-type]
    assert again.health is one.health and again.software == "0.1.0"
    elsewhere = note_said(heartbeat(5_000, stream="E2-b"), one)
    assert ("", ()) == (elsewhere.software, elsewhere.health)


def test_no_device_can_make_up_a_label() -> None:
    """A figure carries the names of parts that are ours alone."""
    assert {"receiver", "other"} == {label_of(NO_FIX), label_of(fail('x"}', "a", "b"))} <= set(LABELS)


def test_one_that_may_not_speak_and_does_has_failed_and_nobody_waits_for_it() -> None:
    """Revoked while it was heard: nobody is told to ask its crew why it is silent, for it is not."""
    troubles = Troubles()
    troubles.note_aside("veh-9", "wr/1/up/kp/veh-9/live", "revoked_device", at(LOST_S).utc)
    found = judged(heard(health=WELL), at(LOST_S), troubles=troubles.of("veh-9", at(LOST_S).utc), is_revoked=True)
    assert ("failed", ["binding"], True) == (found.standing, [one.check for one in found.findings], found.is_old)


def test_one_whose_events_come_without_heartbeats_is_not_well() -> None:
    """That it is alive says nothing of its parts: its word is of then, and the silence is to be looked after."""
    link = apply_sent(heard(health=WELL), 1, 59_000, at(60).mono_s)
    found = judged(link, at(60))
    assert ("fresh", "look", True) == (found.link, found.standing, found.is_old)
    assert [("link", "warn", NOON)] == [(one.check, one.level, one.since) for one in found.findings]


def test_what_was_kept_aside_says_when_it_was_last() -> None:
    """It may be mended since: whoever reads that it failed for a day sees that nothing has come for hours."""
    troubles = Troubles()
    for hours in (0, 2):
        troubles.note_aside("veh-2", "wr/1/up/kp/veh-2/live", "wrong_enrolment", NOON + timedelta(hours=hours))
    (found,) = judged(heard(health=WELL), troubles=troubles.of("veh-2", NOON + timedelta(hours=9))).findings
    assert (NOON, NOON + timedelta(hours=2)) == (found.since, found.last)


def test_no_word_of_a_device_turns_those_around_it() -> None:
    """Control and direction characters are replaced, whatever they stand in; letters of any script stay."""
    said = fail("my\u202eown", "full\u2066\x00\n", "räume auf, מיד")
    found = judged(heard(health=[said], faults=["\u202eno"])).findings
    assert [("my\ufffdown", "full\ufffd\ufffd\ufffd", "räume auf, מיד"), ("fault", "\ufffdno")] == [
        (found[0].check, found[0].found, found[0].do), (found[1].check, found[1].found)
    ]  # fmt: skip


def test_a_part_that_is_told_twice_counts_once() -> None:
    """Of what a device says of one part the worst counts, in its verdict and in figures, in whichever order."""
    said = [NO_FIX, Finding(check="receiver", level="ok"), warn("one", "", ""), fail("other", "", "")]
    assert {"receiver": "fail", "other": "fail"} == worst_of(said) == worst_of(reversed(said))
    assert "fail" == judged(heard(health=said)).parts["receiver"]
