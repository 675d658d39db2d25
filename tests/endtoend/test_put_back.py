"""A card put back: an image of the outbox that holds an old press must not bring that press onto the board."""

import asyncio
import shutil
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from tests.brokers import RunningBroker
from tests.site import (
    UNIT,
    following,
    pressing,
    running_agent,
    running_site,
    status_code,
    write_device,
    write_directory,
)
from tests.waiting import eventually

RECOVERY_S = 60.0
"""Live state is to equal the devices' within 60 s after a fault."""


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_an_old_press_on_a_card_put_back_never_stands(broker: RunningBroker, tmp_path: Path) -> None:
    """What stands stays, unconfirmed while the device shows another status, until the crew presses again."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url)
        state, image = Path(config.device.state_dir), tmp_path / "image"
        directory = write_directory(tmp_path / "directory")
        async with running_agent(config, SystemClock()), pressing(config) as panel:
            await panel.press("b4")
            await eventually(lambda: panel.lamps.get("b4") == "slow", what="a press that nobody has settled")
        shutil.copytree(state, image, ignore=shutil.ignore_patterns("panel.sock"))
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory) as app,
            following(app) as feed,
        ):
            async with running_agent(config, SystemClock()), pressing(config) as panel:
                await eventually(lambda: status_code(feed)() == "4", what="the first press", deadline_s=RECOVERY_S)
                await panel.press("b2")
                await eventually(lambda: panel.lamps.get("b2") == "steady", what="the press that stands")
            shutil.rmtree(state)
            shutil.copytree(image, state)
            before = len(feed.seen)
            async with running_agent(config, SystemClock()), pressing(config) as panel:
                await eventually(
                    lambda: feed.records[UNIT].reasons[0].code == "other_status",
                    what="doubt, for the device shows another status",
                    deadline_s=RECOVERY_S,
                )
                assert feed.records[UNIT].confidence == "unconfirmed"
                await panel.press("b1")
                await eventually(lambda: status_code(feed)() == "1", what="a new press", deadline_s=RECOVERY_S)
                await eventually(
                    lambda: feed.records[UNIT].confidence == "confirmed", what="confirmed", deadline_s=RECOVERY_S
                )
            shown = [record.status.code for record in feed.seen[before:] if record.status]
            assert set(shown) == {"1", "2"}

    asyncio.run(scenario())
