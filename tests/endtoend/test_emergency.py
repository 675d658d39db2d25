"""An emergency, from the guarded button to the boards, and a person's acknowledgement back to the lamp beside it."""

import asyncio
from pathlib import Path

import httpx

from edge_agent.clock import SystemClock
from edge_agent.config import Config, load
from tests.brokers import RunningBroker
from tests.site import UNIT, Presser, following, pressing, running_agent, running_site, write_device, write_directory
from tests.waiting import eventually

RECOVERY_S = 60.0
"""Live state is to equal the devices' within 60 s after a fault."""


def write_guarded(folder: Path, broker: str) -> Config:
    """A device whose panel has an emergency button."""
    write_device(folder, broker=broker)
    path = folder / "device.toml"
    button = '[panel.emergency]\nbutton = "sos"\nhold_s = 0.5\n'
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{button}", encoding="utf-8")
    return load(path, {})


async def hold(panel: Presser) -> None:
    """Hold the guarded button until its lamp answers, and let it go."""
    await panel.edge("sos", True)
    await eventually(lambda: panel.lamps.get("sos") == "slow", what="stored")
    await panel.edge("sos", False)


def test_people_at_control_turn_its_lamp_steady_then_dark(broker: RunningBroker, tmp_path: Path) -> None:
    """It blinks until a named person has it in hand, although it was settled at once; cancelled it is dark again."""

    async def scenario() -> None:
        config = write_guarded(tmp_path / "device", broker.url)
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory) as app,
            following(app) as feed,
            running_agent(config, SystemClock()) as agent,
            pressing(config) as panel,
            httpx.AsyncClient() as client,
        ):
            await hold(panel)
            await eventually(lambda: feed.alarms, what="the emergency on the feed")
            ((alarm, shown),) = feed.alarms.items()
            assert (UNIT, "14P1", True) == (shown.unit, shown.callsign, shown.active)
            await eventually(lambda: agent.is_settled, what="settled")
            assert "slow" == panel.lamps["sos"], "that it is stored says nothing of a person"
            answer = await client.post(f"{app.address}v1/alarms/{alarm}/acknowledge", json={"by": "op 7"})
            assert 200 == answer.status_code
            await eventually(lambda: panel.lamps["sos"] == "steady", what="a steady lamp")
            ended = {"by": "op 9", "reason": "crew safe"}
            answer = await client.post(f"{app.address}v1/alarms/{alarm}/cancel", json=ended)
            assert 200 == answer.status_code
            await eventually(lambda: panel.lamps["sos"] == "dark", what="a dark lamp")
            assert [True, True, False] == [one.active for one in feed.seen_alarms]

    asyncio.run(scenario())


def test_an_acknowledgement_reaches_a_device_that_was_away(fresh_mosquitto: RunningBroker, tmp_path: Path) -> None:
    """Its broker is gone when control acknowledges: once it is back the lamp is steady."""

    async def scenario() -> None:
        config = write_guarded(tmp_path / "device", fresh_mosquitto.url)
        directory = write_directory(tmp_path / "directory")
        async with running_agent(config, SystemClock()), pressing(config) as panel, httpx.AsyncClient() as client:
            async with (
                running_site(tmp_path / "data", broker_port=fresh_mosquitto.port, directory=directory) as app,
                following(app) as feed,
            ):
                await hold(panel)
                await eventually(lambda: feed.alarms, what="the emergency on the feed")
                (alarm,) = feed.alarms
                await asyncio.to_thread(fresh_mosquitto.kill)
                answer = await client.post(f"{app.address}v1/alarms/{alarm}/acknowledge", json={"by": "op 7"})
                assert 200 == answer.status_code and "slow" == panel.lamps["sos"]
                await asyncio.to_thread(fresh_mosquitto.start)
                await eventually(lambda: panel.lamps["sos"] == "steady", what="a steady lamp", deadline_s=RECOVERY_S)

    asyncio.run(scenario())
