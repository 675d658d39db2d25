"""A device that floods, lies or repeats itself harms no order but its own, and starves nobody."""

import asyncio
import uuid
from pathlib import Path

import msgspec

from cloud.desk import Invalid, intake
from cloud.desk.desk import LATE_AT_ONCE
from cloud.dispatch import fold
from tests.cloud.desk.lab import OTHER, Lab, Said, on_a_desk, put, writing
from tests.cloud.dispatch.samples import ORDER, PLAN, PUMP, STATION, acknowledge, receipt, turnout
from tests.waiting import eventually
from wire.events import Event


def flood(lab: Lab, device: str, *events: Event) -> None:
    """A device tells much at once. Only the first of it is in the ledger: it is as if all were."""
    first = lab.store(device, events[0])
    rows = (msgspec.structs.replace(first.row, id=first.row.id + at) for at in range(len(events)))
    lab.desk.on_events([Said(device, row, event) for row, event in zip(rows, events, strict=True)])


async def end(lab: Lab) -> None:
    """Have an order given, ended and let go."""
    await put(lab, incident="I0417")
    await lab.desk.cancel(ORDER, "op 7", "hoax")
    await eventually(lambda: not lab.desk._memory.orders, what="it was let go")


def test_a_turnout_never_takes_the_place_of_an_order_that_ended(tmp_path: Path) -> None:
    """A station that names an ended order as a turnout of its own changes nothing of it, on disk or on the board."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            await end(lab)
            written = lab.ledger.order(ORDER)
            lab.tell(STATION, turnout(), turnout(order=OTHER))
            await eventually(lambda: OTHER in lab.shown, what="what came after it was looked at")
            assert [OTHER] == [order.order for order in lab.desk.active()]
            assert written == lab.ledger.order(ORDER)

    on_a_desk(tmp_path, scenario)


def test_a_turnout_that_comes_again_after_its_end_begins_nothing(tmp_path: Path) -> None:
    """A device whose outbox was replaced tells its turnout twice; by then the order is closed, and stays closed."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            lab.tell(STATION, turnout(), receipt("accepted"), receipt("done"))
            await eventually(lambda: lab.shown and not lab.desk._memory.orders, what="it was let go")
            lab.tell(STATION, turnout())
            lab.tell(STATION, turnout(order=OTHER))
            await eventually(lambda: OTHER in lab.shown, what="what came after it was looked at")
            view = await lab.desk.show(ORDER)
            assert view is not None and ("closed", False) == (view.phase, view.active)

    on_a_desk(tmp_path, scenario)


def test_an_order_does_not_wait_for_a_flood_of_receipts(tmp_path: Path) -> None:
    """While thousands of receipts of orders that nobody knows are looked up, an order is given between two of them."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            flood(lab, PUMP, *(receipt("done", order=str(uuid.uuid4())) for _ in range(2_000)))
            await eventually(lambda: lab.desk._pen.locked(), what="they are being looked up")
            before = len(lab.desk._intake.late)
            await put(lab)
            assert before - len(lab.desk._intake.late) <= 2 * LATE_AT_ONCE

    on_a_desk(tmp_path, scenario)


def test_what_waits_to_be_looked_up_is_bounded_for_each_device(tmp_path: Path) -> None:
    """One device's flood fills its own room only: what another told waits all the same, and is found."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            await end(lab)
        flood(lab, PUMP, *(receipt("done", order=str(uuid.uuid4())) for _ in range(intake.LATE_MAX + 100)))
        lab.tell(STATION, receipt("done", "sounder:police"))
        assert intake.LATE_MAX + 1 == len(lab.desk._intake.late)
        lab.desk._intake.late.rotate(1)
        async with writing(lab):
            await eventually(lambda: ORDER in lab.shown and lab.shown[ORDER].steps, what="the station was heard")

    on_a_desk(tmp_path, scenario)


def test_turnouts_that_never_end_do_not_pile_up(tmp_path: Path) -> None:
    """Of one station so many are in hand at once; the oldest is closed for the newest, and its log says why."""

    async def scenario(lab: Lab) -> None:
        names = [str(uuid.uuid4()) for _ in range(intake.LOCAL_MAX + 3)]
        async with writing(lab):
            await put(lab)
            lab.tell(STATION, *(turnout(order=name) for name in names))
            await eventually(lambda: names[-1] in lab.shown, what="the last is shown")
            assert {ORDER, *names[3:]} == {order.order for order in lab.desk.active()}
            await eventually(lambda: len(lab.desk._memory.orders) == 1 + intake.LOCAL_MAX, what="the others are let go")
            assert "closed" in [row.kind for row in lab.ledger.order_log(names[0])]

    on_a_desk(tmp_path, scenario)


def test_steps_without_end_are_not_held(tmp_path: Path) -> None:
    """A device that names ever new steps and reasons fills its own room in the order, and no more."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP)
        await put(lab)
        lab.tell(STATION, receipt("accepted", steps=PLAN))
        noise = [receipt("failed", f"sounder:x{at}", reason=f"r{at}") for at in range(200)]
        noise += [receipt("accepted", steps=[f"light:y{each}" for each in range(at, at + 30)]) for at in range(100)]
        noise += [receipt("refused", reason=f"r{at}") for at in range(200)]
        flood(lab, PUMP, *noise)
        lab.tell(STATION, *(receipt("done", step) for step in PLAN))
        order = lab.desk._memory.orders[ORDER]
        assert fold.STEPS_MAX + len(PLAN) == len(order.steps)
        pump = next(one for one in order.deliveries if one.device == PUMP)
        assert (fold.STEPS_MAX, fold.ENDINGS_MAX) == (len(pump.alert.planned), len(pump.alert.endings))
        assert "confirmed" == lab.shown[ORDER].phase

    on_a_desk(tmp_path, scenario)


def test_a_device_that_refuses_every_nonce_makes_no_storm(tmp_path: Path) -> None:
    """It is answered at once when it first refuses; however fast it goes on refusing, it hears once a second."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        sent = len(lab.sent())
        for at in range(2_000):
            lab.clock.moved_s += 0.005
            lab.tell(STATION, receipt("refused", reason="stale_nonce", nonce=f"n{at}"))
            sent += len(lab.sent())
        assert 10 <= sent <= 14

    on_a_desk(tmp_path, scenario)


def test_a_refusal_that_was_long_on_its_way_brings_no_old_nonce(tmp_path: Path) -> None:
    """The expiry counts from when the nonce in it was minted: one of a minute ago does not shorten the order's time."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab, expires_s=120)
        minted = lab.clock.now()
        lab.clock.moved_s += 60.0
        lab.sent()
        refusal = receipt("refused", reason="stale_nonce", nonce="of-then")
        lab.tell(STATION, refusal, corrected_at=minted)
        (_, command) = lab.commands[-1]
        assert ("of-then", 120_000) == (command.nonce, command.expires_ms)
        lab.hear(STATION)
        lab.clock.moved_s += 1.0
        lab.tell(STATION, refusal, corrected_at=minted)
        (_, command) = lab.commands[-1]
        assert f"{STATION}-60.0" == command.nonce

    on_a_desk(tmp_path, scenario)


def test_a_close_does_not_swallow_a_cancel(tmp_path: Path) -> None:
    """Of one who cancels and one who closes at the same moment the cancel stands.

    The station is told until it has taken it in, and the board does not call the order closed before.
    """

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        lab.tell(STATION, receipt("accepted", steps=PLAN), acknowledge())
        cancelled, closed = await asyncio.gather(
            lab.desk.cancel(ORDER, "op 7", "hoax"), lab.desk.close(ORDER, "op 8", "done")
        )
        assert isinstance(closed, Invalid) and cancelled is not None and cancelled.active
        lab.sent()
        lab.wait(1.0)
        assert [(STATION, 2)] == [(device, revision) for device, revision, _ in lab.sent()]

    on_a_desk(tmp_path, scenario)


def test_what_was_written_with_an_ending_is_not_logged_twice(tmp_path: Path) -> None:
    """An acknowledgement that comes while a close is being written adds its own lines, none of the close's again."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        lab.tell(STATION, receipt("accepted", steps=PLAN), receipt("failed", reason="bus_down"))
        said = lab.store(STATION, acknowledge())
        async with writing(lab):
            closing = asyncio.create_task(lab.desk.close(ORDER, "op 8", "done"))
            while not (lab.desk._pen.locked() or closing.done()):
                await asyncio.sleep(0)  # looked at in each turn: it may be written within milliseconds
            assert not closing.done()
            lab.desk.on_events([said])
            await closing
            await eventually(lambda: not lab.desk._memory.orders, what="it was let go")
        rows = lab.ledger.order_log(ORDER)
        assert {"acknowledge", "closed"} <= {row.kind for row in rows}
        assert len(rows) == len({(row.kind, row.body) for row in rows})

    on_a_desk(tmp_path, scenario)
