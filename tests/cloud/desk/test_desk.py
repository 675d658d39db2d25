"""What control asks for is durable before it is answered, and sent until it is answered."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from cloud.desk import Clash, Differs, Invalid, Placed
from cloud.dispatch import Override
from cloud.errors import CloudError
from tests.cloud.desk.lab import OTHER, Lab, on_a_desk, put, writing
from tests.cloud.dispatch.samples import (
    CAR,
    ORDER,
    PLAN,
    PUMP,
    STATION,
    receipt,
    request,
)
from tests.waiting import eventually

# What control asks for.


def test_an_order_is_in_the_ledger_before_it_is_answered(tmp_path: Path) -> None:
    """Once `put` has answered, the order, its log and its units' assignments are on disk, with nothing else running."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        loaded = lab.ledger.load_orders()
        assert [(ORDER, True, 77)] == [(row.id, row.active, row.owner_term) for row in loaded.active]
        assert {("kf-1", ORDER, 1), ("kp-12", ORDER, 1)} == {(a.unit, a.order, a.version) for a in loaded.assignments}
        assert ["created"] == [row.kind for row in lab.ledger.order_log(ORDER)]

    on_a_desk(tmp_path, scenario)


def test_the_same_request_again_is_the_same_order(tmp_path: Path) -> None:
    """Repeated it is answered with the order as it stands; with anything changed it is refused, and nothing changes."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        again = await lab.desk.put(ORDER, request())
        assert isinstance(again, Placed) and not again.new
        assert isinstance(await lab.desk.put(ORDER, request(text="and a ladder")), Differs)
        assert 1 == len(lab.desk.active())

    on_a_desk(tmp_path, scenario)


def test_an_ended_order_is_still_the_same_order(tmp_path: Path) -> None:
    """A request that comes again after its order has ended begins nothing."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        async with writing(lab):
            await lab.desk.cancel(ORDER, "op 7", "hoax")
            await eventually(lambda: not lab.desk.active() and not lab.desk._memory.orders, what="it was let go")
        again = await lab.desk.put(ORDER, request())
        assert isinstance(again, Placed) and not again.new and "closed" == again.view.phase

    on_a_desk(tmp_path, scenario)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"base": "stn-99"}, "no base 'stn-99'"),
        ({"units": ("kf-9",)}, "no unit 'kf-9'"),
        ({"units": ("kf-1",) * 2}, "twice"),
    ],
)
def test_what_the_directory_does_not_know_is_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    """A place or a unit that there is not makes no order, and the problem names it."""

    async def scenario(lab: Lab) -> None:
        answer = await lab.desk.put(ORDER, request(**changes))
        assert isinstance(answer, Invalid) and says in answer.problem
        assert lab.ledger.order(ORDER) is None

    on_a_desk(tmp_path, scenario)


def test_a_unit_that_is_on_an_order_is_not_taken_unseen(tmp_path: Path) -> None:
    """Without its version, or with an old one, the order is refused and told the present one; with that it is taken."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        clash = await lab.desk.put(OTHER, request(units=("kf-1",)))
        assert clash == Clash({"kf-1": 1}, {"kf-1": ORDER})
        old = await lab.desk.put(OTHER, request(units=("kf-1",), assignment_versions={"kf-1": 0}))
        assert old == clash and lab.ledger.order(OTHER) is None
        await put(lab, OTHER, units=("kf-1",), assignment_versions={"kf-1": 1})
        shown, version = lab.assigned["kf-1"]
        assert shown is not None and (OTHER, 2, 2) == (shown.order, shown.version, version)

    on_a_desk(tmp_path, scenario)


def test_of_two_dispatchers_only_one_gets_the_unit(tmp_path: Path) -> None:
    """Both saw the unit free and send at the same moment: one order stands, the other is told who was first."""

    async def scenario(lab: Lab) -> None:
        asked = request(units=("kf-1",), assignment_versions={"kf-1": 0})
        answers = await asyncio.gather(lab.desk.put(ORDER, asked), lab.desk.put(OTHER, asked))
        assert [Placed, Clash] == [type(answer) for answer in answers]

    on_a_desk(tmp_path, scenario)


def test_the_same_request_twice_at_once_is_one_order(tmp_path: Path) -> None:
    """A client that did not wait for its first answer gets the same order; one that asks for another is refused."""

    async def scenario(lab: Lab) -> None:
        asked = request(), request(), request(text="and a ladder")
        answers = await asyncio.gather(*(lab.desk.put(ORDER, one) for one in asked))
        assert [Placed, Placed, Differs] == [type(answer) for answer in answers]
        assert 1 == sum(isinstance(answer, Placed) and answer.new for answer in answers)
        assert ["created"] == [row.kind for row in lab.ledger.order_log(ORDER)]

    on_a_desk(tmp_path, scenario)


def test_an_override_takes_the_unit_and_leaves_its_reason(tmp_path: Path) -> None:
    """With a reason the unit is taken whatever it is on, and the log has the reason."""

    async def scenario(lab: Lab) -> None:
        await put(lab)
        await put(lab, OTHER, units=("kf-1",), override=Override("persons reported"))
        (created,) = lab.ledger.order_log(OTHER)
        assert b"persons reported" in created.body

    on_a_desk(tmp_path, scenario)


def test_a_test_takes_no_unit(tmp_path: Path) -> None:
    """An order in test mode leaves its units free for a real one."""

    async def scenario(lab: Lab) -> None:
        await put(lab, mode="test")
        assert {} == lab.assigned
        await put(lab, OTHER)

    on_a_desk(tmp_path, scenario)


def test_what_cannot_be_kept_is_not_begun(tmp_path: Path) -> None:
    """Where the ledger takes nothing the request fails, nothing is sent, and the units are as free as before."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        with sqlite3.connect(tmp_path / "ledger.db") as connection:
            connection.execute("ALTER TABLE order_log RENAME TO away")
        with pytest.raises(CloudError):
            await lab.desk.put(ORDER, request())
        with connection:
            connection.execute("ALTER TABLE away RENAME TO order_log")
        connection.close()
        assert ([], ()) == (lab.sent(), lab.desk.active())
        await put(lab, assignment_versions={"kf-1": 0, "kp-12": 0})

    on_a_desk(tmp_path, scenario)


def test_who_goes_away_while_asking_leaves_an_order_that_is_sent(tmp_path: Path) -> None:
    """A caller that is cancelled in the middle does not leave an order in the ledger that nobody carries out."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        asking = asyncio.create_task(lab.desk.put(ORDER, request()))
        await asyncio.sleep(0)
        asking.cancel()
        await eventually(lambda: lab.commands, what="the order was sent all the same")

    on_a_desk(tmp_path, scenario)


# Sending.


def test_an_order_is_sent_at_once_and_again_until_it_is_answered(tmp_path: Path) -> None:
    """At once, after 0.3 s, then each second, to each device with its own nonce; no more to one that has answered."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP)
        await put(lab)
        assert [(STATION, 1, f"{STATION}-0.0"), (PUMP, 1, f"{PUMP}-0.0")] == lab.sent()
        times = []
        for tenth in range(1, 25):
            lab.wait(0.1)
            times += [tenth] if (STATION, 1, f"{STATION}-0.0") in lab.sent() else []
        assert [3, 13, 23] == times
        lab.tell(STATION, receipt("accepted", steps=PLAN))
        lab.wait(1.0)
        assert [PUMP] == [device for device, _, _ in lab.sent()]

    on_a_desk(tmp_path, scenario)


def test_a_command_says_what_the_device_needs(tmp_path: Path) -> None:
    """The station is told of every unit, a vehicle of its own service's; it expires with the order, by their nonce."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, CAR)
        lab.clock.moved_s = 4.0
        await put(lab, expires_s=60, open_doors=True, address="Mill Lane 4")
        commands = {topic: command for topic, command in lab.commands}
        station = commands[f"wr/1/down/kf/{STATION}/command"]
        car = commands[f"wr/1/down/kp/{CAR}/command"]
        assert ["kf-1", "kp-12"] == [unit.unit for unit in station.units]
        assert ["kp-12"] == [unit.unit for unit in car.units]
        assert (64_000, "mobilise", "emergency", True, "Mill Lane 4", 77) == (
            station.expires_ms,
            station.action,
            station.priority,
            station.open_doors,
            station.address,
            station.owner_term,
        )

    on_a_desk(tmp_path, scenario)


def test_a_standby_move_has_the_routine_tone(tmp_path: Path) -> None:
    """It is another kind of order, and unless control says otherwise nobody is startled by it."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        view = await put(lab, kind="standby_move", units=("kf-1",))
        (_, command) = lab.commands[0]
        assert ("standby_move", "routine", "routine") == (command.action, command.priority, view.priority)

    on_a_desk(tmp_path, scenario)


def test_a_device_that_was_away_gets_the_order_when_it_comes_back(tmp_path: Path) -> None:
    """Nothing is sent without a nonce; with the first heartbeat it goes out; past its expiry it does not."""

    async def scenario(lab: Lab) -> None:
        await put(lab, expires_s=60)
        lab.wait(30)
        assert ([], "created") == (lab.sent(), lab.desk.active()[0].phase)
        lab.hear(STATION)
        lab.wait(0.1)
        assert [STATION] == [device for device, _, _ in lab.sent()]
        lab.wait(29.8)
        lab.sent()
        lab.hear(PUMP)
        lab.wait(0.2)
        assert [] == lab.sent()

    on_a_desk(tmp_path, scenario)


def test_a_stale_nonce_is_answered_with_the_fresh_one(tmp_path: Path) -> None:
    """At once, under the same revision; the refusal is no word on the order."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        lab.sent()
        lab.clock.moved_s += 0.05
        lab.tell(STATION, receipt("refused", reason="stale_nonce", nonce="fresh-1"))
        assert ([(STATION, 1, "fresh-1")], "sent") == (lab.sent(), lab.desk.active()[0].phase)

    on_a_desk(tmp_path, scenario)


def test_a_nonce_that_may_be_forgotten_is_not_quoted(tmp_path: Path) -> None:
    """A device remembers nonces for a quarter of an hour: an older one is not tried, the next heartbeat is awaited."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        lab.clock.moved_s = 850.0
        await put(lab)
        assert [] == lab.sent()

    on_a_desk(tmp_path, scenario)


def test_without_a_broker_nothing_counts_as_sent(tmp_path: Path) -> None:
    """An order stays `created` until there was a broker to take it, and then goes out at once."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        lab.broker = False
        await put(lab)
        lab.wait(0.1)
        assert "created" == lab.desk.active()[0].phase
        lab.broker = True
        lab.wait(0.1)
        assert "sent" == lab.desk.active()[0].phase

    on_a_desk(tmp_path, scenario)


def test_a_cancelled_order_is_taken_back_under_the_next_revision(tmp_path: Path) -> None:
    """The cancel is durable and sent at once, to whoever was sent the order; the units are free when it is over."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION)
        await put(lab)
        lab.tell(STATION, receipt("accepted", steps=PLAN))
        lab.sent()
        lab.hear(PUMP)
        lab.clock.moved_s += 0.01
        await lab.desk.cancel(ORDER, "op 8", "hoax")
        assert "cancelled" in [row.kind for row in lab.ledger.order_log(ORDER)]
        assert [(STATION, 2)] == [(device, revision) for device, revision, _ in lab.sent()]
        lab.tell(STATION, receipt("accepted", revision=2))
        assert "closed" == lab.shown[ORDER].phase
        assert (None, 2) == lab.assigned["kf-1"]

    on_a_desk(tmp_path, scenario)
