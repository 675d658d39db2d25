"""The life of an order: its phases, in order, and what ends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from cloud.dispatch import (
    Facts,
    Order,
    apply_event,
    apply_status,
    cancel,
    close,
    note_sent,
    open_local,
    pass_time,
    resume,
    view,
)
from cloud.dispatch.escalation import GRACE_S, STAND_DOWN_S
from tests.cloud.dispatch.samples import (
    AVAILABLE,
    CAR,
    FACTS,
    MOBILE,
    PLAN,
    PUMP,
    PUMP_CALLEE,
    STATION,
    acknowledge,
    ending,
    order,
    receipt,
    status,
    turnout,
)
from tests.cloud.fleet.samples import NOON, at
from wire.events import Event


@dataclass
class Story:
    """An order, and what happens to it second by second."""

    order: Order
    now_s: float = 0.0

    @property
    def phase(self) -> str:
        """The phase that is shown."""
        return view(self.order).phase

    @property
    def phases(self) -> list[str]:
        """Every phase that it came to."""
        return [phase.phase for phase in view(self.order).phases]

    @property
    def alarms(self) -> list[str]:
        """The alarms that stand."""
        return [alarm.code for alarm in self.order.alarms if not alarm.cleared]

    @property
    def now(self) -> datetime:
        """The present, UTC."""
        return at(self.now_s).utc

    def sent(self, *devices: str) -> "Story":
        """It was sent to these."""
        for device in devices or (STATION, PUMP, CAR):
            self.order = note_sent(self.order, device, self.now)
        return self

    def told(self, device: str, *events: Event) -> "Story":
        """A device tells, a tenth of a second after the other."""
        for event in events:
            self.now_s += 0.1
            self.order = apply_event(self.order, device, event, self.now)
        return self

    def status(self, unit: str, code: Any, by: str = "panel") -> "Story":
        """A unit declares a status a second later."""
        self.now_s += 1
        self.order = apply_status(self.order, status(unit, code, by), code, self.now)
        return self

    def waits(self, until_s: float) -> list[str]:
        """Time passes; gives the alarms that this raised."""
        self.now_s = until_s
        self.order, alarms = pass_time(self.order, at(until_s))
        return [alarm.code for alarm in alarms]


def alerted() -> Story:
    """An order whose station has confirmed every step."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=PLAN))
    return story.told(STATION, *(receipt("done", step, elapsed_ms=200) for step in PLAN))


def test_an_order_comes_through_every_phase() -> None:
    """Created, sent, delivered, alerting, confirmed, acknowledged, mobile, closed: each in its turn, each timed."""
    story = alerted().told(STATION, acknowledge())
    story.status("kf-1", MOBILE).status("kp-12", MOBILE)
    assert "mobile" == story.phase
    story.now_s = 3_600
    story.status("kf-1", AVAILABLE).status("kp-12", AVAILABLE)
    assert [
        "created",
        "sent",
        "delivered",
        "alerting",
        "confirmed",
        "acknowledged",
        "mobile",
        "closed",
    ] == story.phases
    shown = view(story.order)
    assert not shown.active and "every unit is available again" == shown.reason
    assert [phase.at for phase in shown.phases] == sorted(phase.at for phase in shown.phases)


def test_the_first_sounder_alerts_and_the_last_step_confirms() -> None:
    """Lights alone alert nobody; one step short is not confirmed; doors and exit signals come later and don't count."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=[*PLAN, "door:bay", "exit:lamp"]))
    story.told(STATION, receipt("done", "light:bay"))
    assert "delivered" == story.phase
    story.told(STATION, receipt("done", "sounder:police"))
    assert "alerting" == story.phase
    story.told(STATION, receipt("done", "sounder:dorm-fire"))
    assert "alerting" == story.phase
    story.told(STATION, receipt("done", "cooker:mess"))
    assert "confirmed" == story.phase


def test_what_is_planned_and_not_yet_told_of_waits() -> None:
    """From the acceptance on control sees every step, those that nothing was heard of as waiting."""
    story = Story(order()).sent().told(STATION, receipt("accepted", steps=PLAN), receipt("done", "light:bay"))
    steps = {step.step: step.outcome for step in view(story.order).steps}
    assert {"cooker:mess": "waiting", "light:bay": "done"} | {one: "waiting" for one in PLAN[2:]} == steps


def test_a_station_that_plans_aloud_nothing_is_confirmed_once_it_is_quiet() -> None:
    """Without a plan the phase waits until every step told of was proved and nothing more was heard for a while."""
    story = Story(order()).sent().told(STATION, receipt("accepted"), receipt("done", "sounder:police"))
    story.waits(2.0)
    assert "alerting" == story.phase
    story.waits(4.0)
    assert "confirmed" == story.phase


def test_every_unit_must_acknowledge() -> None:
    """A vehicle acknowledges for its own unit only; the station for each, or for all at once."""
    story = alerted().told(PUMP, receipt("accepted"), acknowledge())
    assert "confirmed" == story.phase
    story.told(PUMP, acknowledge("kp-12"))
    assert "confirmed" == story.phase
    story.told(STATION, acknowledge("kp-12"))
    assert "acknowledged" == story.phase
    assert all(called.acknowledged_at is not None for called in view(story.order).units)


def test_who_was_not_told_has_no_say() -> None:
    """A device that the order was not given to moves nothing, whatever it claims."""
    story = Story(order()).sent()
    before = story.order
    story.told("veh-99", receipt("accepted"), receipt("done", "sounder:police"), acknowledge())
    assert before is story.order
    story.told(STATION, receipt("accepted", order="6a1f9c52-0d7e-4a44-9c0a-3f9be1a00000"))
    story.told(STATION, receipt("refused", reason="stale_nonce"), receipt("done", revision=2))
    assert before is story.order


@pytest.mark.parametrize(
    ("outcome", "phase"), [("refused", "failed"), ("failed", "failed"), ("expired", "expired"), ("unknown", "unknown")]
)
def test_a_device_that_gives_up_says_why(outcome: str, phase: str) -> None:
    """The station's last word is the order's phase, with its reason, and asks for the telephone at once."""
    story = Story(order()).sent().told(STATION, receipt(outcome, reason="too_many_calls"))
    shown = view(story.order)
    assert (phase, f"{STATION} says {outcome} (too_many_calls)") == (shown.phase, shown.reason)
    assert shown.active and "telephone" in story.alarms


def test_people_overrule_a_failure() -> None:
    """A crew that acknowledges, or is on its way, is on its way, whatever its station could not do."""
    story = alerted().told(STATION, receipt("failed", reason="nothing_proved"))
    assert "failed" == story.phase
    story.told(STATION, acknowledge())
    assert ("acknowledged", []) == (story.phase, story.alarms)
    story.told(STATION, receipt("failed", reason="nothing_proved"))
    assert "acknowledged" == story.phase


def test_nobody_answers() -> None:
    """Sent and never answered is unknown; never sent is expired: both say so, and a late word still counts."""
    sent, unsent = Story(order()).sent(), Story(order())
    for story, phase in ((sent, "unknown"), (unsent, "expired")):
        story.waits(120 + GRACE_S - 1)
        assert story.phase in ("sent", "created")
        story.waits(120 + GRACE_S)
        assert phase == story.phase
        assert view(story.order).reason
    sent.told(STATION, receipt("accepted", steps=PLAN))
    assert "delivered" == sent.phase


def test_without_a_device_at_the_station_every_vehicle_must_have_it() -> None:
    """Delivered is then when each called unit's carrier has accepted; one refusal is a failure."""
    facts = msgspec.structs.replace(FACTS, device=None)
    story = Story(order(facts)).sent(PUMP, CAR).told(PUMP, receipt("accepted"))
    assert "sent" == story.phase
    story.told(CAR, receipt("accepted"))
    assert "delivered" == story.phase
    assert "failed" == Story(order(facts)).sent(PUMP, CAR).told(PUMP, receipt("refused")).phase


def test_a_status_from_before_the_order_moves_nothing() -> None:
    """A mobile status that was declared before the order was given is another journey's."""
    story = alerted()
    early = NOON - timedelta(seconds=1)
    assert story.order is apply_status(story.order, status("kf-1", MOBILE), MOBILE, early, story.now)
    other = status("kf-1", MOBILE, mode="test")
    assert story.order is apply_status(story.order, other, MOBILE, story.now)


def test_an_automatic_status_never_closes() -> None:
    """Wheels that stop, or a gate that is passed, free no unit: only a person says that it is available again."""
    story = alerted().status("kf-1", MOBILE, by="auto").status("kp-12", MOBILE)
    assert "mobile" == story.phase
    story.status("kf-1", AVAILABLE, by="auto").status("kp-12", AVAILABLE)
    assert "mobile" == story.phase
    story.status("kf-1", AVAILABLE, by="radio")
    assert "closed" == story.phase


def test_available_without_having_been_mobile_closes_nothing() -> None:
    """Pressing "available" at the station, before leaving, is no return."""
    story = alerted().status("kf-1", AVAILABLE).status("kp-12", AVAILABLE)
    story.status("kf-1", MOBILE).status("kp-12", MOBILE)
    assert "mobile" == story.phase


def test_a_cancelled_order_is_closed_once_whoever_was_told_knows() -> None:
    """Until then it is shown with who has not confirmed; a device that was never told of it is not waited for."""
    story = Story(order()).sent(STATION, PUMP).told(STATION, receipt("accepted", steps=PLAN))
    story.order = cancel(story.order, ending(story.now_s), at(story.now_s))
    assert (2, True) == (story.order.revision, view(story.order).active)
    assert view(story.order).reason.endswith(f"not yet confirmed by {STATION}, {PUMP}")
    story.told(STATION, receipt("accepted", revision=2))
    assert "delivered" == story.phase
    story.told(PUMP, receipt("done", revision=2, reason="unknown_order"))
    assert ("closed", "cancelled by op 8: false alarm") == (story.phase, view(story.order).reason)


def test_a_stand_down_that_nobody_confirms_is_not_waited_for_for_ever() -> None:
    """It alarms after five seconds, and the order closes in the end, saying that nobody confirmed."""
    story = Story(order()).sent()
    story.order = cancel(story.order, ending(), at(0))
    assert [] == story.waits(4.0)
    assert ["undelivered"] == story.waits(5.0)
    assert [] == story.waits(STAND_DOWN_S - 1)
    story.waits(STAND_DOWN_S)
    assert "closed" == story.phase
    assert view(story.order).reason.endswith("the stand-down was not confirmed")


def test_ending_twice_is_ending_once() -> None:
    """A repeated cancel or close changes nothing, and keeps who was first."""
    story = alerted()
    cancelled = cancel(story.order, ending(9), at(9))
    assert cancelled is cancel(cancelled, ending(10), at(10))
    closed = close(story.order, ending(9), at(9))
    assert closed is close(closed, ending(10), at(10))
    assert ("closed", "closed by op 8: false alarm") == (view(closed).phase, view(closed).reason)


def test_a_local_turnout_is_told_in_its_own_time() -> None:
    """What a station did hours ago, alone, is told as of then, raises no alarm now, and is over when it says so."""
    then = NOON - timedelta(hours=3)
    local = open_local(
        turnout(), "stn-14", Facts(base_name="Stn 14", device=STATION, callees=(PUMP_CALLEE,)), then, at(0)
    )
    shown = view(local)
    assert ("local_turnout", "delivered", "station", then) == (shown.kind, shown.phase, shown.by, shown.created_at)
    assert {then} == {phase.at for phase in shown.phases}
    told = apply_event(local, STATION, receipt("failed", "sounder:dorm-fire"), then + timedelta(seconds=1), NOON)
    told, alarms = pass_time(told, at(60))
    assert () == alarms == told.alarms
    over = apply_event(told, STATION, receipt("done"), then + timedelta(minutes=10), NOON)
    assert ("closed", then + timedelta(minutes=10)) == (view(over).phase, view(over).phases[-1].at)


def test_a_test_ends_with_the_station_and_alarms_nobody() -> None:
    """An order in test mode is over with the station's last word, and no silence about it is an alarm."""
    story = Story(order(mode="test")).sent()
    assert [] == story.waits(60)
    story.told(STATION, receipt("accepted"), receipt("failed", "sounder:police"), receipt("done"))
    assert ("closed", []) == (story.phase, story.alarms)


def test_an_order_in_which_nothing_happens_is_put_away() -> None:
    """After twelve hours without a word it is no longer in hand, and its phase stays what it was."""
    story = alerted()
    story.waits(12 * 3_600 - 1)
    assert view(story.order).active
    story.waits(24 * 3_600 + 1)
    assert ("confirmed", False) == (story.phase, view(story.order).active)


def test_an_order_goes_on_in_another_process() -> None:
    """Written and read back it is the same, and its ages go on by the wall clock where the monotonic one is new."""
    story = alerted()
    read = msgspec.json.decode(msgspec.json.encode(story.order), type=Order)
    assert story.order == read
    later = at(70)
    restarted = resume(read, type(later)(later.utc, 5.0))
    assert 5.0 - 70 == restarted.created_s
    _, alarms = pass_time(restarted, type(later)(later.utc, 5.0))
    assert ["unacknowledged"] == [alarm.code for alarm in alarms]
