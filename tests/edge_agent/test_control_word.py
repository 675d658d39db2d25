"""What a crew sees of control's word: the mode of its unit, and an emergency's lamp whatever order words come in."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_agent.clock import SystemClock
from edge_agent.config import Config
from edge_agent.decode.readings import Fix
from edge_agent.outbox import Stored
from edge_agent.state.vehicle import ReportFix
from tests.edge_agent.glass_lab import Shown, showing, write_page
from tests.edge_agent.test_swapping import ABSENT, OTHER, control_says, write_vehicle
from tests.site import UNIT
from wire.events import StatusEvent
from wire.messages import AcknowledgedEmergency, State, UnitMode

PRIVATE, PUBLIC = "37", "4"
"""Of uk-fire-gd92: off duty, and a status of a crew at work."""
IN_HAND = AcknowledgedEmergency(unit=UNIT, stream="E-a", seq=7, by="Shah")


def say(shown: Shown, version: int, **word: Any) -> None:
    """Control's state of that version comes in."""
    until = SystemClock().now() + timedelta(days=1)
    shown.agent._receive(State(v=1, owner_term=1, version=version, valid_until=until, **word))


def lamp(shown: Shown) -> str:
    """Of the emergency button."""
    button = shown.agent._building.emergency
    assert button is not None
    return button.lamp


def test_a_panel_says_the_mode_that_control_has_set(tmp_path: Path) -> None:
    """Until it runs out or is ended: its band never says live to a crew that is counted as training."""

    async def scenario() -> None:
        async with showing(write_page(tmp_path, ABSENT)) as shown:
            assert ("live", "live") == (shown.page.mode, shown.card.mode)
            now = SystemClock().now()
            say(shown, 1, modes=[UnitMode(unit=UNIT, mode="training", until=now + timedelta(hours=1))])
            assert ("training", "training") == (shown.page.mode, shown.card.mode)
            say(shown, 2, modes=[UnitMode(unit=UNIT, mode="training", until=now - timedelta(seconds=1))])
            assert "live" == shown.page.mode, "it ran out here, with or without control"
            say(shown, 3, modes=[UnitMode(unit=OTHER, mode="test", until=now + timedelta(hours=1))])
            assert "live" == shown.page.mode, "another unit's"
            say(shown, 4)
            assert "live" == shown.page.mode

    asyncio.run(scenario())


def test_an_older_word_darkens_no_emergency(tmp_path: Path) -> None:
    """A broker that comes back with what it kept before does not end an emergency that somebody has in hand."""

    async def scenario() -> None:
        async with showing(write_vehicle(tmp_path)) as shown:
            say(shown, 5, emergencies=[IN_HAND])
            assert "steady" == lamp(shown)
            say(shown, 4)
            assert "steady" == lamp(shown)
            say(shown, 6)
            assert "dark" == lamp(shown)

    asyncio.run(scenario())


def test_a_place_is_kept_by_what_the_unit_that_is_carried_declared(tmp_path: Path) -> None:
    """Off duty with another's callsign no place is kept, whatever was declared of its own; and back at work it is."""

    async def scenario() -> None:
        async with showing(off_duty_keys(write_page(tmp_path, ABSENT))) as shown:
            await shown.agent._declare("b4")
            assert await keeps_places(shown)
            control_says(shown, (OTHER, "14P9", "confirmed"))
            await shown.agent._declare("b1")
            assert not await keeps_places(shown)
            control_says(shown, (OTHER, "14P9", "ended"))
            assert await keeps_places(shown), "its own was at work when it was left"

    asyncio.run(scenario())


def test_a_press_is_of_the_unit_that_it_was_pressed_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though the disk was slow and control let the vehicle carry another meanwhile: that one's lamp stays dark."""

    async def scenario() -> None:
        async with showing(write_page(tmp_path, ABSENT)) as shown:
            keeper = shown.agent._keeper
            append = keeper.append

            async def slow(*given: Any, **named: Any) -> list[Stored]:
                stored = await append(*given, **named)
                control_says(shown, (OTHER, "14P9", "waiting"))
                return list(stored)

            monkeypatch.setattr(keeper, "append", slow)
            await shown.agent._declare("b2")
            assert ("14P9", "dark") == (shown.card.callsign, shown.agent._lamps.view.lamps["b2"])
            (press,) = [one.event for one in await keeper.unsettled_statuses(9)]
            assert isinstance(press, StatusEvent) and UNIT == press.unit

    asyncio.run(scenario())


async def keeps_places(shown: Shown) -> bool:
    """Whether a fix that is to be reported is held for the track."""
    held = len(shown.agent._track)
    await shown.agent._do(ReportFix(Fix(mode="3d", lat=51.0, lon=0.5)))
    return len(shown.agent._track) > held


def off_duty_keys(config: Config) -> Config:
    """The device with a key for going off duty."""
    keys = {name: msgspec.structs.replace(config.buttons[name], code=code) for name, code in KEYS.items()}
    return msgspec.structs.replace(config, buttons={**config.buttons, **keys})


KEYS = {"b1": PRIVATE, "b4": PUBLIC}
