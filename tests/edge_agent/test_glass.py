"""The touch page over the real agent: what is on the glass is what the agent knows, and nothing else."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from edge_agent.clock import SystemClock
from edge_agent.config import Config
from edge_agent.glass import Standing
from edge_agent.panel.port import (
    DONE,
    AcknowledgeForm,
    CrewForm,
    DefectForm,
    PressForm,
    TurnOutForm,
    ZoneTestForm,
)
from edge_agent.state.health import JOINING_S
from edge_agent.turnout.shown import ENDED_SHOWN_S
from tests.brokers import RunningBroker
from tests.edge_agent.glass_lab import OTHER, OWN, Shown, showing, write_page
from tests.edge_agent.link.lab import SkippingClock
from tests.ports import free_port
from tests.site import UNIT, running_site, write_directory
from tests.waiting import eventually
from wire.messages import CalledUnit, ShownStatus, State

MOBILE, BASE, EMPTY = "1", "4", CrewForm(unit=UNIT, on=False)
QUIET_S = 2.5
"""More than two ticks of the agent."""
ABSENT = "mqtt://127.0.0.1:1"


def alone(folder: Path, play: Callable[[Shown, SkippingClock], Coroutine[Any, Any, None]]) -> None:
    """Play something with an agent that has no broker."""

    async def run() -> None:
        clock = SkippingClock()
        async with showing(write_page(folder, ABSENT), clock) as shown:
            await play(shown, clock)

    asyncio.run(run())


def control_shows(shown: Shown, clock: SkippingClock | SystemClock, code: str, *, since_s: float = 0.0) -> None:
    """Control's state comes in: somebody else has set the unit's status."""
    now = clock.now()
    row = ShownStatus(
        unit=UNIT,
        scheme="uk-fire-gd92",
        code=code,
        label=f"Status {code}",
        since=now - timedelta(seconds=since_s),
        by="radio",
        device="control",
        stream="0" * 32,
        seq=1,
    )
    term, version = shown.agent._lamps.state_held
    until = now + timedelta(hours=1)
    shown.agent._receive(State(v=1, owner_term=term, version=version + 1, valid_until=until, units=[row]))


def test_a_press_blinks_until_control_shows_it(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """It is on disk: slow. Control has it: steady, and the card says what control shows. Overruled, it says so."""
    broker = fresh_mosquitto

    async def scenario() -> None:
        config = write_page(tmp_path / "device", broker.url)
        directory = write_directory(tmp_path / "directory")
        async with showing(config) as shown:
            assert DONE == await shown.glass.press(PressForm(unit=UNIT, code=MOBILE))
            assert ("slow", None) == (shown.lamp(MOBILE), shown.card.shown)
            async with running_site(tmp_path / "data", broker_port=broker.port, directory=directory):
                await eventually(lambda: shown.lamp(MOBILE) == "steady", what="steady")
                page = shown.page
                assert page.control.seen and page.wan_up and page.oldest_unsent_s is None and not page.notice
                assert page.units[0].shown is not None and MOBILE == page.units[0].shown.code
                assert not page.units[0].overruled
            control_shows(shown, SystemClock(), BASE)
            assert shown.card.overruled and shown.card.shown is not None and BASE == shown.card.shown.code
            assert ("dark", "steady") == (shown.lamp(MOBILE), shown.lamp(BASE))

    asyncio.run(scenario())


def test_without_a_broker_the_page_says_that_nobody_sees_it(tmp_path: Path) -> None:
    """The WAN is down, control is not seen and was never heard, the notice says so, and what is unsent grows old."""

    async def play(shown: Shown, clock: SkippingClock) -> None:
        assert shown.page.oldest_unsent_s is None
        assert DONE == await shown.glass.press(PressForm(unit=UNIT, code=MOBILE))
        clock.skip(100.0)
        page = shown.page
        assert (False, False, None) == (page.wan_up, page.control.seen, page.control.answer_age_s)
        assert page.oldest_unsent_s is not None and 100.0 <= page.oldest_unsent_s < 130.0
        await eventually(lambda: "RADIO" in shown.page.notice, what="the notice")

    alone(tmp_path, play)


def test_what_is_not_on_this_panel_does_nothing(tmp_path: Path) -> None:
    """A code that is not on the card, a unit or a zone of somebody else's: told in words, and nothing is stored."""

    async def play(shown: Shown, _: SkippingClock) -> None:
        glass = shown.glass
        answers = [
            await glass.press(PressForm(unit=UNIT, code="99")),
            await glass.press(PressForm(unit="pc61", code="1")),
            await glass.crew(CrewForm(unit="pc61", on=True, riders=2)),
            await glass.defect(DefectForm(unit="pc61", what="Pump")),
            await glass.test(ZoneTestForm(zone="cells")),
            await glass.turn_out(TurnOutForm(units=(UNIT, "pc61"))),
        ]
        assert all(answer.trouble for answer in answers)
        assert 0 == shown.agent._keeper.depth.status and not shown.page.orders

    alone(tmp_path, play)


def test_crew_and_defects_outlast_the_agent(tmp_path: Path) -> None:
    """Who rides and what is broken stands on the card after a restart, until it is logged off or mended."""
    config = write_page(tmp_path, ABSENT)

    async def written() -> None:
        async with showing(config) as shown:
            assert not shown.card.crewed and shown.card.riders is None
            assert DONE == await shown.glass.crew(CrewForm(unit=UNIT, on=True, riders=4, commander="Shah"))
            for what in ("Pump", "Radio"):
                form = DefectForm(unit=UNIT, what=what, off_the_run=what == "Pump", text="Leaks")
                assert DONE == await shown.glass.defect(form)
            assert DONE == await shown.glass.defect(DefectForm(unit=UNIT, what="Radio", raised=False))
            assert 4 == shown.agent._keeper.depth.status

    async def read() -> None:
        async with showing(config) as shown:
            card = shown.card
            assert (True, 4, "Shah") == (card.crewed, card.riders, card.commander)
            assert [("Pump", True, "Leaks")] == [(one.what, one.off_the_run, one.text) for one in card.defects]
            assert DONE == await shown.glass.crew(EMPTY)
            assert DONE == await shown.glass.defect(DefectForm(unit=UNIT, what="Pump", raised=False))

    async def read_again() -> None:
        async with showing(config) as shown:
            assert (False, None, ()) == (shown.card.crewed, shown.card.riders, shown.card.defects)
            assert not any("notes" in one.found for one in shown.page.health)

    for part in (written, read, read_again):
        asyncio.run(part())


@pytest.mark.parametrize("damage", [b'{"crews": {"kfrs', b"\xff\xfe\x00", b"[" * 100_000])
def test_damaged_notes_are_said_and_replaced(tmp_path: Path, damage: bytes) -> None:
    """The crew is asked to log on again; the next note makes the file whole, and the fault goes."""
    config = write_page(tmp_path, ABSENT)
    notes = Path(config.device.state_dir) / "notes.json"
    notes.parent.mkdir(parents=True)
    notes.write_bytes(damage)

    async def scenario() -> None:
        async with showing(config) as shown:
            assert any("log crews on" in one.found for one in shown.page.health) and not shown.card.crewed
            assert DONE == await shown.glass.crew(CrewForm(unit=UNIT, on=True, riders=4))
            assert not any("log crews on" in one.found for one in shown.page.health)
        async with showing(config) as shown:
            assert shown.card.crewed and not any("log crews on" in one.found for one in shown.page.health)

    with capture_logs() as lines:
        asyncio.run(scenario())
    assert 1 == sum(line["event"] == "notes_not_read" for line in lines)


def count_pages(shown: Shown) -> list[int]:
    """Count how often a page is made from now on."""
    made, reach = [0], shown.glass._reach

    def counted() -> Standing:
        made[0] += 1
        return reach.standing()

    shown.glass._reach = msgspec.structs.replace(reach, standing=counted)
    return made


def test_a_page_is_made_only_for_who_looks_and_told_only_what_is_new(tmp_path: Path) -> None:
    """While nobody looks none is made. Who waits is left alone while nothing changes, and woken when it does."""

    async def play(shown: Shown, ahead: SkippingClock) -> None:
        clock, glass, made = SystemClock(), shown.glass, count_pages(shown)
        await clock.sleep(QUIET_S)
        assert 0 == made[0]
        ahead.skip(2 * JOINING_S)  # what is said of the broker that is not there stands from then on
        await eventually(lambda: shown.page.notice, what="the notice that stays")
        before, made[0] = shown.page.version, 0
        waiting = asyncio.create_task(glass.changed(before))
        await clock.sleep(QUIET_S)
        assert not waiting.done() and before == shown.page.version
        assert 0 < made[0] <= QUIET_S + 2, "once a tick, not all the time"
        assert DONE == await glass.press(PressForm(unit=UNIT, code=MOBILE))
        await asyncio.wait_for(waiting, 1.0)
        await asyncio.wait_for(glass.changed(before), 1.0)
        assert shown.page.version > before

    alone(tmp_path, play)


def test_an_order_shows_this_service_s_units_alone(tmp_path: Path) -> None:
    """Of a shared call the police car is not named; a call of the police alone is not on a fire engine's glass."""

    async def play(shown: Shown, _: SkippingClock) -> None:
        mine = shown.command(1)
        shown.command(2, units=[OTHER])
        await eventually(lambda: len(shown.agent._building.turnout.view) == 2, what="both are in hand")
        assert [mine] == list(shown.orders)
        card = shown.orders[mine]
        assert [UNIT] == [unit.unit for unit in card.units]
        assert ("live", False, "1 High Street") == (card.standing, card.acknowledged, card.address)

    alone(tmp_path, play)


@pytest.mark.parametrize("unit", [None, UNIT])
def test_an_acknowledgement_is_shown_for_whom_it_was_given(tmp_path: Path, unit: str | None) -> None:
    """For all, every unit is ticked; for one, that one alone, and the order does not call any more either way."""

    async def play(shown: Shown, _: SkippingClock) -> None:
        second = CalledUnit(unit="kfrs-14p2", callsign="14P2", service="fire")
        order = shown.command(1, units=[OWN, second])
        await eventually(lambda: shown.orders, what="the order")
        assert DONE == await shown.glass.acknowledge(AcknowledgeForm(order=order, unit=unit))
        card = shown.orders[order]
        assert card.acknowledged
        assert [True, unit is None] == [one.acknowledged for one in card.units]

    alone(tmp_path, play)


def test_a_cancelled_order_stays_for_minutes_and_over_a_restart(tmp_path: Path) -> None:
    """The crew reads that it was stood down, of what, and that it had acknowledged; then the order goes."""
    config, clock = write_page(tmp_path, ABSENT), SkippingClock()

    async def cancelled() -> str:
        async with showing(config, clock) as shown:
            order = shown.command(1)
            await eventually(lambda: shown.orders, what="the order")
            await shown.glass.acknowledge(AcknowledgeForm(order=order))
            clock.skip(30.0)
            shown.command(1, 2, action="cancel", units=[])
            await eventually(lambda: not shown.agent._building.turnout.view, what="it is not in hand")
            card = shown.orders[order]
            assert ("cancelled", 1, "1 High Street") == (card.standing, card.revision, card.address)
            assert card.acknowledged and all(unit.acknowledged for unit in card.units)
            return order

    async def later(order: str) -> None:
        async with showing(config, clock) as shown:
            await eventually(lambda: shown.orders, what="it is still there")
            assert "cancelled" == shown.orders[order].standing and shown.orders[order].elapsed_s >= 30.0
            before = shown.page.version
            clock.skip(ENDED_SHOWN_S)
            assert not shown.orders and shown.page.version > before

    asyncio.run(later(asyncio.run(cancelled())))


def test_an_order_that_came_too_late_is_said_to_have_expired(tmp_path: Path) -> None:
    """It sounds nowhere, but the crew sees for minutes that it was called."""

    async def play(shown: Shown, clock: SkippingClock) -> None:
        turnout = shown.agent._building.turnout
        nonce = turnout.nonce()
        clock.skip(200.0)
        order = shown.command(1, nonce=nonce)
        await eventually(lambda: shown.orders, what="the order")
        assert ("expired", [UNIT]) == (shown.orders[order].standing, [one.unit for one in shown.orders[order].units])
        assert not turnout.view
        clock.skip(ENDED_SHOWN_S)
        assert not shown.orders

    alone(tmp_path, play)


def test_an_order_that_was_done_goes_with_its_reset(tmp_path: Path) -> None:
    """Nothing stays of it; and what control cancels before it ever came is nothing to show."""

    async def play(shown: Shown, clock: SkippingClock) -> None:
        order = shown.command(1)
        await eventually(lambda: shown.orders, what="the order")
        await shown.glass.acknowledge(AcknowledgeForm(order=order))
        clock.skip(24 * 3_600.0)
        await eventually(lambda: not shown.agent._building.turnout.view, what="it is over")
        assert not shown.orders
        tombstone = shown.command(2, 2, action="cancel")
        shown.command(2)
        journal = shown.agent._building.turnout._journal
        await eventually(lambda: len(journal.of(tombstone)) == 2, what="refused")
        assert not shown.orders

    alone(tmp_path, play)


def test_the_turnout_clock_stands_once_all_are_mobile(tmp_path: Path) -> None:
    """By a press here or by what control shows, the first after the call counts; a status before it does not."""

    async def play(shown: Shown, clock: SkippingClock) -> None:
        await shown.glass.press(PressForm(unit=UNIT, code=MOBILE))
        control_shows(shown, clock, MOBILE)
        clock.skip(10.0)
        order = shown.command(1)
        await eventually(lambda: shown.orders, what="the order")
        assert shown.orders[order].turned_out_s is None
        clock.skip(60.0)
        control_shows(shown, clock, MOBILE, since_s=5.0)
        took_s = shown.orders[order].turned_out_s
        assert took_s is not None and 55.0 <= took_s < 60.0
        clock.skip(60.0)
        await shown.glass.press(PressForm(unit=UNIT, code=MOBILE))
        control_shows(shown, clock, "2")
        assert took_s == shown.orders[order].turned_out_s
        assert shown.orders[order].elapsed_s >= 120.0

    alone(tmp_path, play)


def test_a_port_that_is_taken_is_a_fault_and_no_more(tmp_path: Path) -> None:
    """Two agents may not share a page's port: the second says so among its faults and goes on."""

    async def scenario() -> None:
        number = free_port()
        configs = [with_port(write_page(tmp_path / name, ABSENT), number) for name in ("one", "two")]
        async with showing(configs[0]) as first, showing(configs[1]) as second:
            pages = (first, second)
            await eventually(
                lambda: any("touch page" in f.found for one in pages for f in one.page.health), what="a fault"
            )
            assert 1 == sum(any("touch page" in fault.found for fault in one.page.health) for one in pages)
            assert DONE == await second.glass.press(PressForm(unit=UNIT, code=MOBILE))

    def lacks_page(shown: Shown) -> bool:
        return any("touch page" in one.found for one in shown.page.health)

    def with_port(config: Config, number: int) -> Config:
        assert config.page is not None
        return msgspec.structs.replace(config, page=msgspec.structs.replace(config.page, port=number))

    asyncio.run(scenario())
