"""What asks for a person, when, and what clears it."""

from datetime import timedelta

from cloud.dispatch import acknowledge_alarms, cancel, close, pass_time
from cloud.fleet.clocks import Moment
from tests.cloud.dispatch.samples import PLAN, STATION, acknowledge, ending, order, receipt
from tests.cloud.dispatch.test_life import Story, alerted
from tests.cloud.fleet.samples import at


def test_an_order_that_does_not_arrive_alarms_after_five_seconds() -> None:
    """Not before, once only, with what to do; a late delivery clears it."""
    story = Story(order()).sent()
    assert [] == story.waits(4.9)
    assert ["undelivered"] == story.waits(5.0)
    assert "telephone the station" in story.order.alarms[0].text
    assert [] == story.waits(30.0)
    story.told(STATION, receipt("accepted"))
    assert [] == story.alarms
    assert [True] == [alarm.cleared for alarm in story.order.alarms]


def test_an_order_that_nobody_acknowledges_alarms_after_a_minute_and_again_after_two() -> None:
    """First who is missing, then the telephone; an acknowledgement by everybody clears both."""
    story = alerted().told(STATION, acknowledge("kf-1"))
    assert [] == story.waits(59.9)
    assert ["unacknowledged"] == story.waits(60.0)
    assert story.order.alarms[0].text.startswith("P12:")
    assert [] == story.waits(119.0)
    assert ["telephone"] == story.waits(120.0)
    assert [] == story.waits(500.0)
    story.told(STATION, acknowledge("kp-12"))
    assert [] == story.alarms


def test_an_order_that_came_late_has_its_missing_acknowledgement_told() -> None:
    """Where it was undelivered at the minute, the alarm for the acknowledgement comes once it has arrived."""
    story = Story(order()).sent()
    assert ["undelivered"] == story.waits(60.0)
    story.told(STATION, receipt("accepted"))
    assert ["unacknowledged"] == story.waits(61.0)


def test_a_step_that_fails_is_named() -> None:
    """The alarm says which part, once; proved done later, it clears."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=PLAN))
    for _ in range(2):
        story.told(STATION, receipt("failed", "sounder:dorm-fire", reason="sounder_fail", elapsed_ms=1_000))
    assert ["step_failed"] == [alarm.code for alarm in story.order.alarms]
    assert "Sounder dorm-fire at Stn 14 shared is not confirmed" == story.order.alarms[0].text
    story.told(STATION, receipt("done", "sounder:dorm-fire", elapsed_ms=1_500))
    assert [] == story.alarms


def test_a_step_that_fails_again_after_it_was_proved_alarms_again() -> None:
    """A sounder that stops, is mended and stops once more asks for somebody each time; while it stands, only once."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=PLAN))
    for second in range(3):
        story.told(STATION, receipt("failed", "sounder:dorm-fire", elapsed_ms=second * 1_000 + 1))
        assert ["step_failed"] == story.alarms
        story.told(STATION, receipt("unknown", "sounder:dorm-fire", elapsed_ms=second * 1_000 + 2))
        assert ["step_failed"] == story.alarms
        story.told(STATION, receipt("done", "sounder:dorm-fire", elapsed_ms=second * 1_000 + 3))
        assert [] == story.alarms
    assert 3 == len(story.order.alarms)


def test_a_step_that_a_person_knows_of_does_not_alarm_again_while_it_fails() -> None:
    """Taken in hand and told again as failed it stays quiet, until it has been proved in between."""
    story = Story(order()).sent().told(STATION, receipt("failed", "light:bay", elapsed_ms=1))
    story.order = acknowledge_alarms(story.order, story.now)
    assert [] == story.told(STATION, receipt("failed", "light:bay", elapsed_ms=2)).alarms
    story.told(STATION, receipt("done", "light:bay", elapsed_ms=3))
    assert ["step_failed"] == story.told(STATION, receipt("failed", "light:bay", elapsed_ms=4)).alarms


def test_an_order_that_is_over_asks_for_nobody() -> None:
    """Closed, its alarms are cleared: who comes to the board later sees neither the order nor them."""
    story = alerted().told(STATION, receipt("failed", "light:bay", elapsed_ms=9_000), acknowledge())
    assert ["step_failed"] == story.alarms
    story.order = close(story.order, ending(5), at(5))
    assert [] == story.alarms


def test_a_clock_that_is_set_puts_no_order_away() -> None:
    """Twelve hours have to pass by the monotonic clock too; then it is put away, and its alarms with it."""
    story = alerted()
    jumped = Moment(at(60).utc + timedelta(hours=13), at(60).mono_s)
    after, _ = pass_time(story.order, jumped)
    assert after.active
    story.waits(13 * 3_600.0)
    story.waits(26 * 3_600.0)
    assert (False, []) == (story.order.active, story.alarms)


def test_a_unit_without_a_door_is_no_fault() -> None:
    """Refused for having no door there, or open because nobody acknowledged: nobody has to look at a part."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=PLAN))
    story.told(STATION, receipt("refused", "door:kp-12", reason="no_door"))
    story.told(STATION, receipt("expired", "door:bay", reason="not_acknowledged"))
    assert () == story.order.alarms
    story.told(STATION, receipt("refused", "door:bay", reason="obstructed"))
    assert ["step_failed"] == story.alarms


def test_a_person_takes_the_alarms_in_hand() -> None:
    """They are cleared and don't come back; what gets worse raises another."""
    story = alerted()
    story.waits(60.0)
    story.order = acknowledge_alarms(story.order, story.now)
    assert [] == story.alarms
    assert [] == story.waits(90.0)
    assert ["telephone"] == story.waits(120.0)


def test_a_cancelled_order_asks_for_no_acknowledgement() -> None:
    """Taking it back clears what it asked for, and its steps ending early are no failures."""
    story = alerted()
    story.waits(60.0)
    story.order = cancel(story.order, ending(61), at(61))
    assert [] == story.alarms
    story.told(STATION, receipt("unknown", "sounder:police", reason="cancelled", elapsed_ms=9_000))
    assert [] == story.waits(65.9)
    assert ["undelivered"] == story.waits(66.2)
