"""An emergency access on the alarms: announced until somebody has seen it and it is over."""

from datetime import timedelta

from cloud.dispatch.alarm import AccessOpened, Acknowledgement, view
from cloud.dispatch.alarms import Register
from tests.cloud.fleet.samples import NOON

OPENED = AccessOpened(id="7f", text="Police opened emergency access", since=NOON)
OVER = AccessOpened(id="7f", text="Police opened emergency access", since=NOON, over_at=NOON + timedelta(hours=1))
SEEN = Acknowledgement("access.7f", "op 7", NOON + timedelta(minutes=1))


def test_it_is_shown_once() -> None:
    """Told again it is the same alarm, of no unit and no device, and nothing changed."""
    register = Register()
    (alarm,) = register.access(OPENED)
    assert () == register.access(OPENED)
    shown = view(alarm)
    assert ("access.7f", "access", "emergency_access", None, "", NOON, True) == (
        shown.alarm, shown.kind, shown.name, shown.unit, shown.device, shown.raised_at, shown.active,
    )  # fmt: skip


def test_it_stays_until_it_is_seen_and_over() -> None:
    """Seen and still open it is shown; over and not seen too, however soon that was; then no more."""
    register = Register()
    register.access(OPENED)
    seen = register.acknowledge(SEEN)
    assert seen is not None and seen.active
    assert [False] == [one.active for one in register.access(OVER)]
    unseen = Register()
    unseen.access(OPENED)
    assert [True] == [one.active for one in unseen.access(OVER)]
    ended = unseen.acknowledge(SEEN)
    assert ended is not None and not ended.active and [] == list(unseen.active())


def test_a_start_knows_who_has_seen_it() -> None:
    """What was acknowledged before the start is in that person's hand when it is announced again."""
    assert [False] == [one.is_open for one in Register([SEEN]).access(OPENED)]
    assert [False] == [one.active for one in Register([SEEN]).access(OVER)]
