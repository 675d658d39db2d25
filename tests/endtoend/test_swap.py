"""A spare vehicle takes over a callsign at its panel: two real agents, a real broker, the whole application."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from cloud.app import App
from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from edge_agent.panel.port import DONE, CrewForm, PressForm, SwapForm
from tests.brokers import RunningBroker
from tests.edge_agent.glass_lab import Shown, showing, write_page
from tests.ports import free_port
from tests.site import UNIT, FeedClient, following, running_site, status_code, write_device, write_directory
from tests.waiting import eventually

SPARE, SPARE_UNIT = "veh-spare", "spare-1"
SWAPPED_S = 30.0
"""A spare vehicle has taken a callsign over within this, control's own time to read aside."""
ORDER = "6a1f9c52-0d7e-4a44-9c0a-3f9be1a0c0de"
BY = {"by": "Shah", "reason": "the pump is in the workshop"}


def write_spare(folder: Path, broker: str) -> Config:
    """A spare pump, which carries no unit, with a touch page."""
    write_device(folder, broker=broker, device=SPARE, unit=SPARE_UNIT)
    path = folder / "device.toml"
    unit = f'id = "{SPARE_UNIT}"'
    text = path.read_text().replace(unit, f'{unit}\ncallsign = "SPARE 1"\nvehicle = "F0999"')
    path.write_text(f"{text}\n[page]\nport = {free_port()}\n")
    return load(path, {})


def write_county(folder: Path) -> Path:
    """One pump on its own device, and a spare device that carries nothing."""
    write_directory(folder)
    with (folder / "all.toml").open("a") as file:
        file.write(f'\n[[device]]\nid = "{SPARE}"\norganisation = "kfrs"\nenrolment = "E-{SPARE}"\n')
    return folder


async def ask(app: App, path: str, **body: str) -> dict[str, Any]:
    """Ask the API, which must do it."""
    async with httpx.AsyncClient(base_url=app.address) as client:
        answer = await (client.post(f"v1/{path}", json=body) if body else client.get(f"v1/{path}"))
        assert 200 == answer.status_code, answer.text
        found: dict[str, Any] = answer.json()
        return found


def stage(shown: Shown, wanted: str) -> Callable[[], bool]:
    """Whether the vehicle's page says so of its swap."""
    return lambda: shown.page.swap is not None and shown.page.swap.stage == wanted


async def press(shown: Shown, code: str) -> None:
    """Press a status on the vehicle's own card."""
    assert DONE == await shown.glass.press(PressForm(unit=shown.card.unit, code=code))


async def call_out(app: App, feed: FeedClient) -> None:
    """Control sends the unit somewhere while its crew changes vehicles."""
    order = {"base": "stn14", "units": [UNIT], "incident": "I0417", "by": "op 7"}
    async with httpx.AsyncClient(base_url=app.address) as client:
        assert 201 == (await client.put(f"v1/orders/{ORDER}", json=order)).status_code
    await eventually(lambda: ORDER in feed.orders, what="the order on the board")


async def take_over(spare: Shown, app: App, feed: FeedClient) -> None:
    """The spare's crew asks, presses while it waits, and control confirms: nothing that was pressed is lost."""
    await eventually(lambda: spare.page.wan_up and spare.page.control.seen, what="control sees the spare")
    await call_out(app, feed)
    clock = SystemClock()
    began_s = clock.monotonic()
    assert DONE == await spare.glass.swap(SwapForm(callsign="14p1"))
    await eventually(stage(spare, "waiting"), what="the spare waits for control")
    await eventually(lambda: feed.records[UNIT].claims, what="the claim on the board")
    assert "14P1" == spare.card.callsign
    await press(spare, "1")
    await press(spare, "2")
    assert DONE == await spare.glass.crew(CrewForm(unit=SPARE_UNIT, on=True, riders=4))
    await eventually(lambda: spare.page.oldest_unsent_s is None, what="both are at control")
    assert "1" == status_code(feed)() and "mobile" != feed.orders[ORDER].phase, "history until it is confirmed"
    (claim,) = (await ask(app, "bindings"))["claims"]
    await ask(app, f"bindings/{claim['claim']}/confirm", **BY)
    await eventually(lambda: status_code(feed)() == "2", what="what was pressed meanwhile stands")
    await eventually(lambda: feed.orders[ORDER].phase == "mobile", what="the order hears it too")
    await eventually(stage(spare, "confirmed"), what="the spare is told")
    await eventually(lambda: spare.lamp("2") == "steady", what="its lamp")
    assert clock.monotonic() - began_s < SWAPPED_S
    record = feed.records[UNIT]
    assert record.crew is not None and 4 == record.crew.riders and not record.claims


def test_a_spare_takes_over_a_callsign_and_gives_it_back(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Within 30 s the spare carries the unit, and the old vehicle's presses are history: across restarts of both."""
    broker = fresh_mosquitto
    data, directory = tmp_path / "data", write_county(tmp_path / "directory")
    own_config, spare_config = write_page(tmp_path / "own", broker.url), write_spare(tmp_path / "spare", broker.url)

    async def first() -> None:
        async with (
            running_site(data, broker_port=broker.port, directory=directory) as app,
            following(app) as feed,
            showing(own_config) as own,
            showing(spare_config) as spare,
        ):
            await press(own, "1")
            await eventually(lambda: status_code(feed)() == "1", what="the pump's own press")
            await take_over(spare, app, feed)
            await eventually(stage(own, "elsewhere"), what="the old vehicle is told")

    async def second() -> None:
        async with running_site(data, broker_port=broker.port, directory=directory) as app, following(app) as feed:
            assert "2" == status_code(feed)()
            async with showing(own_config) as own, showing(spare_config) as spare:
                assert stage(own, "elsewhere")() and stage(spare, "confirmed")() and "14P1" == spare.card.callsign
                await press(own, "4")
                await eventually(lambda: own.page.oldest_unsent_s is None, what="it is at control")
                assert "2" == status_code(feed)()
                await press(spare, "1")
                await eventually(lambda: status_code(feed)() == "1", what="the spare's press")
                page = await ask(app, f"units/{UNIT}/events")
                said = [(one["device"], one["event"].get("code")) for one in page["events"][:2]]
                assert [(SPARE, "1"), ("veh-0001", "4")] == said, "history keeps both"
                assert DONE == await spare.glass.swap(SwapForm(callsign="14P1", on=False))
                await eventually(lambda: feed.records[UNIT].claims, what="the spare's crew gives it back")
                assert "1" == status_code(feed)()
                (claim,) = (await ask(app, "bindings"))["claims"]
                await ask(app, f"bindings/{claim['claim']}/confirm", **BY)
                await eventually(stage(spare, "ended"), what="the spare is told")
                await eventually(stage(own, "own"), what="the old vehicle has its own again")
                await press(own, "2")
                await eventually(lambda: status_code(feed)() == "2", what="its press counts")
                await eventually(lambda: own.lamp("2") == "steady", what="its lamp")

    asyncio.run(first())
    asyncio.run(second())
