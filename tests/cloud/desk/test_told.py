"""What devices tell moves the orders in hand, is kept, and is not lost where the process dies."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from cloud.desk import Invalid
from cloud.errors import Fatal
from cloud.fleet.heads import CONTROL
from cloud.ledger import OrderLogRow
from tests.cloud.desk.lab import OTHER, HandClock, Lab, on_a_desk, put, working, writing
from tests.cloud.dispatch.samples import (
    AVAILABLE,
    CAR,
    MOBILE,
    ORDER,
    PLAN,
    PUMP,
    STATION,
    acknowledge,
    receipt,
    status,
    turnout,
)
from tests.waiting import eventually
from wire.feed import OrderView

POLICE_MOBILE = msgspec.structs.replace(MOBILE, code="5")


def test_what_devices_tell_is_shown_at_once_and_kept(tmp_path: Path) -> None:
    """Receipts, acknowledgements and statuses move the order in the call, and the ledger has them soon after."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP, CAR)
        await put(lab)
        lab.tell(STATION, receipt("accepted", steps=PLAN), *(receipt("done", step) for step in PLAN))
        assert "confirmed" == lab.shown[ORDER].phase
        lab.clock.moved_s += 5
        lab.tell(STATION, acknowledge())
        lab.tell(PUMP, status("kf-1", MOBILE))
        lab.tell(CAR, status("kp-12", POLICE_MOBILE, scheme="uk-police-state"))
        assert "mobile" == lab.shown[ORDER].phase
        shown, _ = lab.assigned["kp-12"]
        assert shown is not None and "mobile" == shown.phase
        async with writing(lab):
            await eventually(lambda: "status" in kinds(lab.ledger.order_log(ORDER)), what="it is written")
        assert ["created", "sent", "delivered", "alerting", "confirmed", "acknowledged", "mobile"] == phases(lab)
        told = kinds(lab.ledger.order_log(ORDER))
        assert (5, 1, 2) == (told.count("receipt"), told.count("acknowledge"), told.count("status"))

    on_a_desk(tmp_path, scenario)


def phases(lab: Lab) -> list[str]:
    """The phases that the log has."""
    rows = [row for row in lab.ledger.order_log(ORDER) if row.kind in ("phase", "created")]
    return ["created" if row.kind == "created" else msgspec.json.decode(row.body)["phase"] for row in rows]


def kinds(rows: list[OrderLogRow]) -> list[str]:
    """The kinds of a log's rows."""
    return [row.kind for row in rows]


def test_a_status_that_may_be_old_moves_no_order(tmp_path: Path) -> None:
    """One whose time is not proven is no evidence that the unit left after it was called."""

    async def scenario(lab: Lab) -> None:
        await put(lab, units=("kf-1",))
        lab.tell(PUMP, status("kf-1", MOBILE), proven=False)
        assert "mobile" != lab.shown[ORDER].phase
        lab.tell(PUMP, status("kf-1", MOBILE))
        assert "mobile" == lab.shown[ORDER].phase

    on_a_desk(tmp_path, scenario)


def test_a_vehicle_that_does_not_carry_the_unit_moves_no_order(tmp_path: Path) -> None:
    """One that has only claimed it, or has lost it, is believed by nobody; control's word by radio is."""

    async def scenario(lab: Lab) -> None:
        await put(lab, units=("kf-1",))
        lab.tell(CAR, status("kf-1", MOBILE))
        assert "mobile" != lab.shown[ORDER].phase
        lab.tell(CONTROL, status("kf-1", MOBILE, by="radio", operator="op 7"))
        assert "mobile" == lab.shown[ORDER].phase

    on_a_desk(tmp_path, scenario)


def test_a_diverted_unit_moves_the_order_that_it_is_on(tmp_path: Path) -> None:
    """After another order took the unit, its statuses speak of that one; the log of the first says where it went."""

    async def scenario(lab: Lab) -> None:
        await put(lab, units=("kf-1",))
        await put(lab, OTHER, units=("kf-1",), assignment_versions={"kf-1": 1})
        lab.clock.moved_s += 1
        lab.tell(PUMP, status("kf-1", MOBILE))
        assert ("created", "mobile") == (lab.shown[ORDER].phase, lab.shown[OTHER].phase)
        lab.clock.moved_s += 1
        lab.tell(PUMP, status("kf-1", AVAILABLE))
        assert ("created", "closed") == (lab.shown[ORDER].phase, lab.shown[OTHER].phase)
        (taken,) = [row for row in lab.ledger.order_log(ORDER) if row.kind == "unit_taken"]
        assert ({"unit": "kf-1", "order": OTHER}, "op 7") == (msgspec.json.decode(taken.body), taken.by)

    on_a_desk(tmp_path, scenario)


def test_a_local_turnout_appears_with_what_it_came_to(tmp_path: Path) -> None:
    """A station that turned out alone is shown as that; the same from a vehicle is no turnout."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            lab.tell(PUMP, turnout())
            lab.tell(STATION, turnout(), receipt("accepted", steps=PLAN), receipt("done", "sounder:dorm-fire"))
            await eventually(lambda: lab.shown, what="the turnout is shown")
            shown = lab.shown[ORDER]
            assert ("local_turnout", "alerting", "station") == (shown.kind, shown.phase, shown.by)
            assert ([], {}) == (lab.sent(), lab.assigned)
            lab.tell(STATION, turnout(), receipt("done"))
            assert "closed" == lab.shown[ORDER].phase

    on_a_desk(tmp_path, scenario)


def test_what_comes_after_an_order_has_ended_is_kept_with_it(tmp_path: Path) -> None:
    """A receipt from a dead zone, hours late, is in the order's log and steps, and does not bring it back."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        async with writing(lab):
            lab.wait(140)
            await lab.desk.close(ORDER, "op 7", "sent by telephone")
            await eventually(lambda: not lab.desk._memory.orders, what="it was let go")
            lab.tell(STATION, receipt("done", "sounder:police"))
            await eventually(lambda: "receipt" in kinds(lab.ledger.order_log(ORDER)), what="it is written")
        view = await lab.desk.show(ORDER)
        assert view is not None and ("closed", "done") == (view.phase, view.steps[0].outcome)
        assert () == lab.desk.active()

    on_a_desk(tmp_path, scenario)


def test_an_order_that_is_not_acknowledged_is_not_closed(tmp_path: Path) -> None:
    """While people are being alerted control takes the order back; once acknowledged, or failed, it may close it."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        assert isinstance(await lab.desk.close(ORDER, "op 7", "done"), Invalid)
        lab.tell(STATION, receipt("accepted"), acknowledge())
        closed = await lab.desk.close(ORDER, "op 7", "done")
        assert isinstance(closed, OrderView) and "closed" == closed.phase
        assert {"kf-1": (None, 2), "kp-12": (None, 2)} == lab.assigned

    on_a_desk(tmp_path, scenario)


def test_alarms_are_raised_and_taken_in_hand(tmp_path: Path) -> None:
    """Time alone raises them on the desk; a person takes them, durably, by name."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        lab.wait(5.0)
        assert ["undelivered"] == [alarm.code for alarm in lab.shown[ORDER].alarms]
        await lab.desk.acknowledge_alarms(ORDER, "op 9")
        assert all(alarm.cleared for alarm in lab.shown[ORDER].alarms)
        assert ("alarms_acknowledged", "op 9") in [(row.kind, row.by) for row in lab.ledger.order_log(ORDER)]

    on_a_desk(tmp_path, scenario)


def test_an_alarm_that_nobody_saw_is_not_taken_in_hand(tmp_path: Path) -> None:
    """Whoever saw one alarm takes that one: another, raised before the answer came, still stands."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        lab.wait(5.0)
        lab.wait(120.0)
        await lab.desk.acknowledge_alarms(ORDER, "op 9", 1)
        assert [("undelivered", True), ("telephone", False)] == [(a.code, a.cleared) for a in lab.shown[ORDER].alarms]
        await lab.desk.acknowledge_alarms(ORDER, "op 9")
        assert all(alarm.cleared for alarm in lab.shown[ORDER].alarms)

    on_a_desk(tmp_path, scenario)


# Restarts.


def test_an_order_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What was stored and not yet written with the order is folded in again; sending goes on where it was needed."""
    clock = HandClock()

    async def before() -> None:
        async with working(tmp_path, clock=clock) as lab:
            lab.hear(STATION, PUMP)
            await put(lab)
            lab.store(STATION, receipt("accepted", steps=PLAN))
            lab.store(STATION, receipt("done", "sounder:police"))

    async def after() -> None:
        clock.moved_s += 3
        async with working(tmp_path, clock=clock, term=78) as lab:
            assert "alerting" == lab.shown[ORDER].phase
            shown, version = lab.assigned["kf-1"]
            assert shown is not None and (ORDER, "alerting", 1) == (shown.order, shown.phase, version)
            lab.hear(STATION, PUMP)
            lab.wait(0.1)
            assert [PUMP] == [device for device, _, _ in lab.sent()]
            async with writing(lab):
                await eventually(lambda: lab.ledger.load_orders().active[0].owner_term == 78, what="it is ours now")

    asyncio.run(before())
    asyncio.run(after())


def test_who_may_have_heard_of_an_order_is_stood_down_after_a_restart(tmp_path: Path) -> None:
    """The process died before it wrote that the order was sent: a cancel is told until it is taken in all the same."""

    async def before() -> None:
        async with working(tmp_path) as lab:
            lab.hear(STATION)
            await put(lab)
            assert [STATION] == [device for device, _, _ in lab.sent()]

    async def after() -> None:
        async with working(tmp_path) as lab:
            cancelled = await lab.desk.cancel(ORDER, "op 7", "hoax")
            assert cancelled is not None and cancelled.active
            lab.hear(STATION)
            lab.wait(0.1)
            assert [(STATION, 2)] == [(device, revision) for device, revision, _ in lab.sent()]

    asyncio.run(before())
    asyncio.run(after())


def test_a_turnout_that_was_stored_just_before_a_crash_is_not_lost(tmp_path: Path) -> None:
    """It began no order yet when the process died; the next one finds it, once."""

    async def before() -> None:
        async with working(tmp_path) as lab:
            lab.store(STATION, turnout())
            lab.store(STATION, receipt("done", "sounder:dorm-fire"))

    async def after() -> None:
        async with working(tmp_path) as lab:
            async with writing(lab):
                await eventually(lambda: lab.ledger.load_orders().through == 2, what="it is written")
                assert ["alerting"] == [order.phase for order in lab.desk.active()]

    asyncio.run(before())
    asyncio.run(after())
    asyncio.run(after())


def test_units_of_an_order_that_ended_are_free_after_a_restart(tmp_path: Path) -> None:
    """Where the end was written and the release of the units was not, the next process frees them."""

    async def before() -> None:
        async with working(tmp_path) as lab:
            await put(lab)
            await lab.desk.cancel(ORDER, "op 7", "hoax")

    async def after() -> None:
        async with working(tmp_path) as lab:
            assert (None, 2) == lab.assigned["kf-1"]
            await put(lab, OTHER)

    asyncio.run(before())
    asyncio.run(after())


def test_a_process_that_was_overtaken_writes_no_orders(tmp_path: Path) -> None:
    """Once a process with a higher term has an order in hand, the older one's writes fail, and it has to stop."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        async with working(tmp_path, term=78) as newer:
            newer.hear(STATION)
            newer.desk.step()
            async with writing(newer):
                await eventually(
                    lambda: newer.ledger.load_orders().active[0].owner_term == 78, what="it is the newer's"
                )
            with pytest.raises(Fatal, match="taken over"):
                await lab.desk.cancel(ORDER, "op 7", "hoax")
            row = newer.ledger.order(ORDER)
            assert row is not None and row.active

    on_a_desk(tmp_path, scenario)


def test_what_a_device_tells_while_an_order_is_being_cancelled_is_not_lost(tmp_path: Path) -> None:
    """A receipt that comes while the cancel is written stays with the order, and the cancel with it."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        cancelling = asyncio.create_task(lab.desk.cancel(ORDER, "op 8", "hoax"))
        while not lab.desk._pen.locked():
            await asyncio.sleep(0)
        said = receipt("accepted", steps=PLAN)
        row = lab.store(STATION, said)
        assert not cancelling.done()
        lab.desk.on_events([row])
        shown = await cancelling
        assert isinstance(shown, OrderView)
        assert (2, "delivered") == (shown.revision, shown.deliveries[0].phase)

    on_a_desk(tmp_path, scenario)
