"""A command and control system's orders at the desk: durable, under the unit's version, and nobody is sent anything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cloud.desk import Clash, Invalid, Placed
from cloud.desk.outside import INCIDENT_CHARS_MAX, Assigned, AssignRequest, Moved
from cloud.directory import Directory
from cloud.directory.build import build
from cloud.directory.schemes import read_packaged
from cloud.errors import Retryable
from tests.cloud.desk.lab import OTHER, STATION_COUNTY, Lab, on_a_desk, put, working, writing
from tests.cloud.dispatch.samples import AVAILABLE, MOBILE, ORDER, PUMP, STATION, request, status

PUMP_UNIT = "kf-1"
DAY_S = 86_400.0
CAD_MASTER = STATION_COUNTY.replace('service = "fire"\n', 'service = "fire"\nmasters = { assignment = "cad" }\n', 1)


def asked(version: int, order: str | None = "I-77", **changes: Any) -> AssignRequest:
    """The fire service's CAD assigns its pump."""
    fields: dict[str, Any] = {
        "organisation": "kf", "origin": "altaris", "message": f"m-{version}-{order}", "unit": PUMP_UNIT,
        "order": order, "incident": "RTC M20", "by": "CAD altaris", "version": version,
    }  # fmt: skip
    return AssignRequest(**fields | changes)


def test_an_assignment_shows_and_sends_nothing(tmp_path: Path) -> None:
    """The unit is on an order of the CAD's that names it; no device is sent anything, then or ever."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP)
        assert Assigned(1, True) == await lab.desk.assign(asked(0))
        shown, version = lab.assigned[PUMP_UNIT]
        assert shown is not None and (1, "RTC M20") == (version, shown.incident)
        order = lab.shown[shown.order]
        assert ("cad", (), True, [PUMP_UNIT]) == (
            order.kind,
            order.deliveries,
            order.active,
            [u.unit for u in order.units],
        )
        for _ in range(5):
            lab.wait(DAY_S)
        assert [] == lab.sent()
        order = lab.shown[shown.order]
        assert ("created", (), True) == (order.phase, order.alarms, order.active)
        assert shown == lab.assigned[PUMP_UNIT][0]

    on_a_desk(tmp_path, scenario)


def test_only_an_order_of_our_own_was_given_here(tmp_path: Path) -> None:
    """What a CAD names, or nobody has in hand, is no order of ours: agreements about joint incidents go by that."""

    async def scenario(lab: Lab) -> None:
        lab.hear(STATION, PUMP)
        await put(lab)
        assert lab.desk.is_given_here(ORDER)
        assert not lab.desk.is_given_here("00000000-0000-4000-8000-000000000000")
        on = lab.assigned[PUMP_UNIT]
        assert isinstance(await lab.desk.assign(asked(on[1])), Assigned)
        moved = lab.assigned[PUMP_UNIT][0]
        assert moved is not None and moved.order != ORDER and not lab.desk.is_given_here(moved.order)

    on_a_desk(tmp_path, scenario)


def test_it_is_decided_on_what_stands(tmp_path: Path) -> None:
    """Another version than the unit's is refused with that one; what is so already is not done again."""

    async def scenario(lab: Lab) -> None:
        assert Moved(0, None) == await lab.desk.assign(asked(3))
        assert Assigned(0, False) == await lab.desk.assign(asked(0, None))
        assert Assigned(1, True) == await lab.desk.assign(asked(0))
        order = lab.assigned[PUMP_UNIT][0]
        assert order is not None
        assert Assigned(1, False) == await lab.desk.assign(asked(0))
        assert Moved(1, order.order) == await lab.desk.assign(asked(0, "I-78"))
        assert Assigned(2, True) == await lab.desk.assign(asked(1, "I-78"))
        assert not lab.shown[order.order].active, "its last unit has left it"
        assert Assigned(3, True) == await lab.desk.assign(asked(2, None))
        assert (None, 3) == lab.assigned[PUMP_UNIT]

    on_a_desk(tmp_path, scenario)


def test_two_at_once_do_not_both_have_their_way(tmp_path: Path) -> None:
    """Of two that were decided on the same picture one is taken and the other is told what stands."""

    async def scenario(lab: Lab) -> None:
        answers = await asyncio.gather(lab.desk.assign(asked(0, "I-1")), lab.desk.assign(asked(0, "I-2")))
        assert [Assigned, Moved] == [type(one) for one in answers]

    on_a_desk(tmp_path, scenario)


def test_several_units_are_on_one_order_until_the_last_leaves(tmp_path: Path) -> None:
    """Each comes on and goes off by itself; another CAD's order of the same number is another order."""

    async def scenario(lab: Lab) -> None:
        await lab.desk.assign(asked(0))
        await lab.desk.assign(asked(0, unit="kp-12"))
        first, second = lab.assigned[PUMP_UNIT][0], lab.assigned["kp-12"][0]
        assert first is not None and second is not None and first.order == second.order
        assert [PUMP_UNIT, "kp-12"] == [one.unit for one in lab.shown[first.order].units]
        await lab.desk.assign(asked(1, None))
        assert ["kp-12"] == [one.unit for one in lab.shown[first.order].units]
        assert lab.shown[first.order].active
        await lab.desk.assign(asked(2, organisation="kp"))
        other = lab.assigned[PUMP_UNIT][0]
        assert other is not None and other.order != first.order
        await lab.desk.assign(asked(1, None, unit="kp-12"))
        assert not lab.shown[first.order].active

    on_a_desk(tmp_path, scenario)


def test_it_survives_a_restart(tmp_path: Path) -> None:
    """The next process shows it, goes on under its version, and finds the CAD's order by its number."""

    async def scenario() -> None:
        async with working(tmp_path) as lab:
            await lab.desk.assign(asked(0))
            before = lab.assigned[PUMP_UNIT]
        async with working(tmp_path) as lab:
            assert before == lab.assigned[PUMP_UNIT]
            assert Assigned(1, False) == await lab.desk.assign(asked(0))
            await lab.desk.assign(asked(0, unit="kp-12"))
            assert before[0] is not None and lab.assigned["kp-12"][0] is not None
            assert before[0].order == lab.assigned["kp-12"][0].order
            outside = lab.desk.outside(before[0].order)
            assert outside is not None and ("kf", "I-77", "altaris") == (
                outside.organisation,
                outside.number,
                outside.origin,
            )
            await lab.desk.assign(asked(1, None))
        async with working(tmp_path) as lab:
            assert (None, 2) == lab.assigned[PUMP_UNIT]

    asyncio.run(scenario())


def test_what_cannot_be_written_is_not_so(tmp_path: Path) -> None:
    """Where the disk is away the unit stays where it is, and the same request is taken afterwards."""

    async def scenario() -> None:
        async with working(tmp_path) as lab:
            path = tmp_path / "ledger.db"
            lab.ledger.close()
            path.rename(tmp_path / "away.db")
            path.mkdir()
            with pytest.raises(Retryable):
                await lab.desk.assign(asked(0))
            path.rmdir()
            (tmp_path / "away.db").rename(path)
            assert PUMP_UNIT not in lab.assigned
            assert Assigned(1, True) == await lab.desk.assign(asked(0))

    asyncio.run(scenario())


def test_the_crew_moves_it_and_only_its_cad_ends_it(tmp_path: Path) -> None:
    """A unit's own status brings the order to mobile; that it is available again does not take it off."""

    async def scenario(lab: Lab) -> None:
        async with writing(lab):
            await lab.desk.assign(asked(0))
            lab.tell(PUMP, status(PUMP_UNIT, MOBILE), unit=PUMP_UNIT)
            shown = lab.assigned[PUMP_UNIT][0]
            assert shown is not None and "mobile" == shown.phase
            lab.clock.moved_s += 60
            lab.tell(PUMP, status(PUMP_UNIT, AVAILABLE, seq=2), unit=PUMP_UNIT)
            assert lab.shown[shown.order].active
            assert "mobile" == lab.shown[shown.order].phase
            closed = await lab.desk.close(shown.order, "op 7", "their CAD is away")
            assert not isinstance(closed, Invalid) and closed is not None and not closed.active
            assert (None, 2) == lab.assigned[PUMP_UNIT]

    on_a_desk(tmp_path, scenario)


def test_it_takes_a_unit_off_our_order_and_ours_takes_it_off_its(tmp_path: Path) -> None:
    """Both go by the unit's version, and both logs tell."""

    async def scenario(lab: Lab) -> None:
        await put(lab, units=(PUMP_UNIT,))
        assert Moved(1, ORDER) == await lab.desk.assign(asked(0))
        assert Assigned(2, True) == await lab.desk.assign(asked(1))
        assert "unit_taken" in [row.kind for row in await lab.desk.log(ORDER)]
        assert isinstance(await lab.desk.put(OTHER, request(units=(PUMP_UNIT,))), Clash)
        answer = await lab.desk.put(OTHER, request(units=(PUMP_UNIT,), assignment_versions={PUMP_UNIT: 2}))
        assert isinstance(answer, Placed)

    on_a_desk(tmp_path, scenario)


def test_who_is_not_the_master_assigns_nothing(tmp_path: Path) -> None:
    """Where the CAD is the master of assignments an order of ours is refused; one that is a drill is not."""

    async def scenario(lab: Lab) -> None:
        directory = build({"county.toml": CAD_MASTER}, read_packaged(), {})
        assert isinstance(directory, Directory)
        lab.in_force.replace(directory)
        answer = await lab.desk.put(ORDER, request(units=(PUMP_UNIT,)))
        assert isinstance(answer, Invalid) and "masters.assignment" in answer.problem
        assert PUMP_UNIT not in lab.assigned
        assert isinstance(await lab.desk.put(ORDER, request(units=("kp-12",))), Placed)
        assert isinstance(await lab.desk.put(OTHER, request(units=(PUMP_UNIT,), mode="training")), Placed)

    on_a_desk(tmp_path, scenario)


def test_what_it_repeats_of_anothers_order_moves_nothing(tmp_path: Path) -> None:
    """An order of ours or of another CAD's, by the name that was told, is so already or refused: never begun anew."""

    async def scenario(lab: Lab) -> None:
        await put(lab, units=(PUMP_UNIT,))
        assert Assigned(1, False) == await lab.desk.assign(asked(1, ORDER))
        assert Assigned(2, True) == await lab.desk.assign(asked(1, "P-1", organisation="kp"))
        assert Moved(2, _order(lab)) == await lab.desk.assign(asked(2, ORDER))
        assert Assigned(2, False) == await lab.desk.assign(asked(2, "kp/P-1"))
        assert Assigned(3, True) == await lab.desk.assign(asked(2, "F-1"))
        await lab.desk.assign(asked(0, "P-1", organisation="kp", unit="kp-12"))
        assert Moved(3, _order(lab)) == await lab.desk.assign(asked(3, "kp/P-1"))
        assert Moved(3, _order(lab)) == await lab.desk.assign(asked(3, "kp/P-2")), "as if there were one"
        assert Assigned(4, True) == await lab.desk.assign(asked(3, "2026/1")), "a number of its own"

    on_a_desk(tmp_path, scenario)


def _order(lab: Lab) -> str:
    shown = lab.assigned[PUMP_UNIT][0]
    assert shown is not None
    return shown.order


def test_an_order_without_an_incident_is_of_one_organisation(tmp_path: Path) -> None:
    """Two CADs that number alike are on no joint incident: an order that names none has its owner's name before it."""

    async def scenario(lab: Lab) -> None:
        await lab.desk.assign(asked(0, "117", incident=""))
        await lab.desk.assign(asked(0, "117", incident="", unit="kp-12", organisation="kp"))
        shown = [lab.assigned[unit][0] for unit in (PUMP_UNIT, "kp-12")]
        assert ["kf/117", "kp/117"] == [one.incident for one in shown if one is not None]
        await lab.desk.assign(asked(1, "9" * 64, incident=""))
        longest = lab.assigned[PUMP_UNIT][0]
        assert longest is not None and INCIDENT_CHARS_MAX == len(longest.incident)

    on_a_desk(tmp_path, scenario)
