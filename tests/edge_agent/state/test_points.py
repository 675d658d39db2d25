"""Points: contacts at every change, numbers when they have moved, alarms once."""

from edge_agent.decode.readings import InputValue
from edge_agent.state.points import NUMBER_EVERY_S, NUMBER_MOVED_S, PointAlarm, Points, fold

DOOR, HEAT = "io.di1", "meter.kw"


def test_a_contact_is_reported_at_each_change_and_at_no_other_time() -> None:
    """An inquiry sees each opening and closing of a door once."""
    points, reported = Points(), list[InputValue]()
    for moment_s, value in enumerate((True, True, False, False, True)):
        points, due, _ = fold(points, [InputValue(DOOR, value)], (), moment_s)
        reported += due
    assert [True, False, True] == [one.value for one in reported]


def test_a_number_is_reported_when_it_moved_and_now_and_then() -> None:
    """A meter that trembles does not fill the outbox."""
    points, moments = Points(), list[int]()
    for moment_s in range(200):
        points, due, _ = fold(points, [InputValue(HEAT, 100.0 + moment_s % 2)], (), float(moment_s))
        moments += [moment_s] * len(due)
    assert [0, NUMBER_EVERY_S, 2 * NUMBER_EVERY_S, 3 * NUMBER_EVERY_S] == moments
    _, due, _ = fold(points, [InputValue(HEAT, 150.0)], (), 180.0 + NUMBER_MOVED_S)
    assert 150.0 == due[0].value


def test_what_cannot_be_read_is_reported_as_bad_once_and_changes_no_alarm() -> None:
    """Bad quality is never a number, and a broken wire neither raises a smoke alarm nor clears one."""
    points, _, raised = fold(Points(), [InputValue(DOOR, True)], {DOOR}, 0.0)
    points, due, changed = fold(points, [InputValue(DOOR, None, "bad")], {DOOR}, 1.0)
    assert ((PointAlarm(DOOR, True),), ()) == (raised, changed)
    assert [(None, "bad")] == [(one.value, one.quality) for one in due]
    points, due, _ = fold(points, [InputValue(DOOR, None, "bad")], {DOOR}, 2.0)
    assert not due
    _, _, cleared = fold(points, [InputValue(DOOR, False)], {DOOR}, 3.0)
    assert (PointAlarm(DOOR, False),) == cleared


def test_an_alarm_that_went_while_the_agent_was_away_is_cleared() -> None:
    """After a start the first good reading is told either way, and then only what changes."""
    points, _, changed = fold(Points(), [InputValue(DOOR, None, "bad")], {DOOR}, 0.0)
    assert () == changed
    points, _, changed = fold(points, [InputValue(DOOR, False)], {DOOR}, 1.0)
    assert (PointAlarm(DOOR, False),) == changed
    _, _, changed = fold(points, [InputValue(DOOR, False)], {DOOR}, 2.0)
    assert () == changed


def test_only_points_that_have_an_alarm_raise_one() -> None:
    """A door that opens is no alarm unless its register map says so."""
    _, _, changed = fold(Points(), [InputValue(DOOR, True)], {HEAT}, 0.0)
    assert () == changed
