"""A spare vehicle's panel over the real agent: what is asked, kept over a restart, and pressed for the carried unit."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.config import Config, load
from edge_agent.glass.glass import NOT_STORED, OTHER_CODES
from edge_agent.outbox import StorageFailed
from edge_agent.panel.port import DONE, CrewForm, PressForm, SwapForm
from edge_agent.state.swap import Stage
from tests.edge_agent.glass_lab import Shown, showing, write_page
from tests.edge_agent.link.lab import SkippingClock
from tests.site import UNIT
from tests.waiting import eventually
from wire.events import BindingEvent, CrewEvent, EmergencyEvent, Event, StatusEvent
from wire.messages import ClaimState, QueueSettle, RefusedSeq, State

ABSENT = "mqtt://127.0.0.1:1"
OTHER = "kfrs-14p9"


def control_says(shown: Shown, *told: tuple[str, str, Any], scheme: str = "uk-fire-gd92") -> None:
    """Control's state comes in: of each unit its callsign, and what became of this device's claim."""
    now = SkippingClock().now()
    claims = [
        ClaimState(unit=unit, callsign=callsign, scheme=scheme, outcome=outcome, at=now)
        for unit, callsign, outcome in told
    ]
    term, version = shown.agent._lamps.state_held
    state = State(
        v=1, owner_term=term, version=version + 1, valid_until=now + timedelta(days=1), units=[], claims=claims
    )
    shown.agent._receive(state)


def stage(shown: Shown) -> Stage | None:
    """How the vehicle stands."""
    return shown.page.swap.stage if shown.page.swap is not None else None


async def sent(shown: Shown) -> list[Event]:
    """What waits in the outbox, oldest first."""
    return [one.event for one in await shown.agent._keeper.unsettled_statuses(100)]


async def emergency(shown: Shown) -> None:
    """The guarded button was held."""
    button = shown.agent._building.emergency
    assert button is not None
    await button._commit()


def write_vehicle(folder: Path) -> Config:
    """A pump with an emergency button and callsigns to choose from."""
    write_page(folder, ABSENT)
    path = folder / "device.toml"
    text = path.read_text().replace("[page]", '[page]\ncallsigns = ["14P9", "14P2"]')
    path.write_text(text + '\n[panel.emergency]\nbutton = "red"\n')
    return load(path, {})


def test_a_swap_is_queued_without_the_wan_and_outlasts_the_agent(tmp_path: Path) -> None:
    """It is on disk before the page says so; the unit itself is pressed for only once control has named it."""
    config = write_vehicle(tmp_path)
    notes = Path(config.device.state_dir) / "notes.json"

    async def asked() -> None:
        async with showing(config) as shown:
            assert stage(shown) == "own" and shown.page.swap is not None
            assert ("14P9", "14P2", "14P1") == shown.page.swap.choices
            assert DONE == await shown.glass.swap(SwapForm(callsign=" 14p9 "))
            assert ("queued", "14P1") == (stage(shown), shown.card.callsign)
            await shown.glass.press(PressForm(unit=UNIT, code="1"))
            claim, press = await sent(shown)
            assert isinstance(claim, BindingEvent) and ("14p9", True) == (claim.callsign, claim.on)
            assert isinstance(press, StatusEvent) and UNIT == press.unit
            await eventually(lambda: notes.exists() and b"14p9" in notes.read_bytes(), what="the note")

    async def told() -> None:
        async with showing(config) as shown:
            assert "queued" == stage(shown)
            await eventually(lambda: shown.lamp("1") == "slow", what="the press for its own unit")
            control_says(shown, (OTHER, "14P9", "waiting"))
            assert "dark" == shown.lamp("1"), "nobody pressed that for the unit that it carries now"
            assert ("waiting", "14P9") == (stage(shown), shown.card.callsign)
            assert DONE == await shown.glass.press(PressForm(unit=UNIT, code="2"))
            assert DONE == await shown.glass.crew(CrewForm(unit=UNIT, on=True, riders=4))
            await emergency(shown)
            status, crew, raised = (await sent(shown))[2:]
            assert isinstance(status, StatusEvent) and isinstance(crew, CrewEvent)
            assert isinstance(raised, EmergencyEvent)
            assert {OTHER} == {status.unit, crew.unit, raised.unit}
            assert ("slow", True) == (shown.lamp("2"), shown.card.crewed)
            control_says(shown, (OTHER, "14P9", "confirmed"))
            await eventually(lambda: b'"confirmed"' in notes.read_bytes(), what="the note")

    async def again() -> None:
        async with showing(config) as shown:
            assert ("confirmed", "14P9") == (stage(shown), shown.card.callsign)
            await eventually(lambda: shown.lamp("2") == "slow" and shown.card.crewed, what="its lamp and its crew")
            control_says(shown, (OTHER, "14P9", "ended"))
            assert ("ended", "14P1", False) == (stage(shown), shown.card.callsign, shown.card.crewed)
            await shown.glass.press(PressForm(unit=UNIT, code="4"))
            last = (await sent(shown))[-1]
            assert isinstance(last, StatusEvent) and UNIT == last.unit

    for part in (asked, told, again):
        asyncio.run(part())


def test_a_callsign_that_control_refuses_is_said(tmp_path: Path) -> None:
    """The event itself was refused: the page says that there is no such callsign, and the unit stays its own."""

    async def scenario() -> None:
        async with showing(write_page(tmp_path, ABSENT)) as shown:
            await shown.glass.swap(SwapForm(callsign="99X9"))
            keeper = shown.agent._keeper
            refused = [RefusedSeq(seq=1, reason="unknown_callsign")]
            word = QueueSettle(stream=keeper.stream, queue="status", through=1, digest="0" * 64, refused=refused)
            shown.agent._receive(word)
            assert ("unknown", "14P1") == (stage(shown), shown.card.callsign)

    asyncio.run(scenario())


def test_a_unit_in_other_codes_is_not_pressed_for(tmp_path: Path) -> None:
    """The panel's codes mean something else there: nothing is sent, by glass or key, and the lamp says so."""

    async def scenario() -> None:
        async with showing(write_page(tmp_path, ABSENT)) as shown:
            control_says(shown, (OTHER, "P61", "waiting"), scheme="uk-police-state")
            assert OTHER_CODES == (await shown.glass.press(PressForm(unit=UNIT, code="1"))).trouble
            await shown.agent._declare("b1")
            assert [] == await sent(shown)
            assert "fast" == shown.agent._lamps.view.lamps["b1"]

    asyncio.run(scenario())


def test_a_swap_that_the_disk_does_not_take_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not queued, and the crew is told to use the radio."""

    async def full(*_: object) -> int:
        raise StorageFailed("the disk is full")

    async def scenario() -> None:
        async with showing(write_page(tmp_path, ABSENT)) as shown:
            monkeypatch.setattr(shown.agent._keeper, "append", full)
            assert NOT_STORED == (await shown.glass.swap(SwapForm(callsign="14P9"))).trouble
            assert "own" == stage(shown)

    asyncio.run(scenario())
