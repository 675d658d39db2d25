"""The lamps of a real panel, lit by a real agent over a real broker: by a whole site, and by a cloud played by hand."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from cloud.clock import SystemClock as CloudClock
from edge_agent.clock import SystemClock
from tests.brokers import RunningBroker
from tests.edge_agent.link.lab import TERM, SkippingClock, playing_cloud, settle_of
from tests.site import (
    DEVICE,
    UNIT,
    Presser,
    following,
    pressing,
    running_agent,
    running_site,
    write_device,
    write_directory,
)
from tests.waiting import eventually
from wire import codec
from wire.messages import Birth, ShownStatus, State

NOTICE = "NOT RECEIVED: USE RADIO"
UNSEEN = "CONTROL CANNOT SEE THIS: USE RADIO OR PHONE"
REFUSED = "REFUSED: USE RADIO"
SILENT_S = 7.1
"""Longer than 2 E + 5 s, with the heartbeats of a second that the test's device has."""
STATE_VALID_S = 86_400.0
"""How long control's state holds (the cloud's own figure); this test only has to pass it."""
STATION = """
[[device]]
id = "stn-14"
organisation = "kfrs"
enrolment = "E-stn-14"
units = ["kfrs-14p1"]
"""


async def shows(panel: Presser, **lit: str) -> None:
    """The panel comes to show exactly these lamps."""
    await eventually(
        lambda: {name: lamp for name, lamp in panel.lamps.items() if lamp != "dark"} == lit,
        what=f"{lit}, not {panel.lamps}",
    )


def test_dark_slow_radio_steady_and_slow_again(broker: RunningBroker, tmp_path: Path) -> None:
    """A press while control is away: slow, and after 10 s "use radio"; received: steady; a day unheard of: slow."""

    async def scenario() -> None:
        clock = SkippingClock()
        config = write_device(tmp_path / "device", broker=broker.url)
        directory = write_directory(tmp_path / "directory")
        async with running_agent(config, clock), pressing(config) as panel:
            await eventually(lambda: panel.lamps, what="the lamps")
            await shows(panel)
            await panel.press("b4")
            await shows(panel, b4="slow")
            assert panel.notice == UNSEEN
            clock.skip(11.0)
            await eventually(lambda: panel.notice == NOTICE, what="the notice")
            async with running_site(tmp_path / "data", broker_port=broker.port, directory=directory):
                await shows(panel, b4="steady")
                assert panel.notice == ""
                clock.skip(STATE_VALID_S + 1)
                await shows(panel, b4="slow")

    asyncio.run(scenario())


def test_a_press_for_a_unit_that_is_not_this_devices_is_fast(broker: RunningBroker, tmp_path: Path) -> None:
    """What the cloud refuses is shown as failed, not as on its way."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url, unit="kfrs-99p9")
        directory = write_directory(tmp_path / "directory")
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory),
            running_agent(config, SystemClock()),
            pressing(config) as panel,
        ):
            await panel.press("b4")
            await shows(panel, b4="fast")
            assert panel.notice == REFUSED

    asyncio.run(scenario())


def test_plain_answers_are_enough_to_be_seen(broker: RunningBroker, tmp_path: Path) -> None:
    """With nothing pressed and no state told, the answer to a heartbeat takes the notice off."""

    async def scenario() -> None:
        config = write_device(tmp_path / "device", broker=broker.url)
        async with running_agent(config, SystemClock()), pressing(config) as panel:
            await eventually(lambda: panel.notice == UNSEEN, what="the notice")
            async with playing_cloud(broker, "kfrs", DEVICE) as cloud:
                cloud.answering = True
                await eventually(lambda: panel.notice == "", what="no notice")

    asyncio.run(scenario())


def test_a_steady_lamp_of_a_control_that_went_silent(broker: RunningBroker, tmp_path: Path) -> None:
    """The lamp still shows its last word, and a notice not to rely on it; in a restarted agent from the start."""

    async def scenario() -> None:
        clock = SkippingClock()
        config = write_device(tmp_path / "device", broker=broker.url)
        directory = write_directory(tmp_path / "directory")
        async with running_agent(config, clock), pressing(config) as panel:
            async with running_site(tmp_path / "data", broker_port=broker.port, directory=directory):
                await panel.press("b4")
                await shows(panel, b4="steady")
                await eventually(lambda: panel.notice == "", what="no notice")
            clock.skip(SILENT_S)
            await eventually(lambda: panel.notice == UNSEEN, what="the notice")
            await shows(panel, b4="steady")
        async with running_agent(config, clock), pressing(config) as panel:
            await shows(panel, b4="steady")
            assert panel.notice == UNSEEN

    asyncio.run(scenario())


def test_a_status_from_the_station_lights_its_button_in_the_vehicle(broker: RunningBroker, tmp_path: Path) -> None:
    """Two devices speak for a unit: what control believes, here the less available of two at once, is lit on both."""

    async def scenario() -> None:
        directory = write_directory(tmp_path / "directory")
        (directory / "station.toml").write_text(STATION, encoding="utf-8")
        vehicle = write_device(tmp_path / "vehicle", broker=broker.url)
        station = write_device(tmp_path / "station", broker=broker.url, device="stn-14", unit=UNIT)
        async with (
            running_site(tmp_path / "data", broker_port=broker.port, directory=directory) as app,
            following(app),
            running_agent(vehicle, SystemClock()),
            running_agent(station, SystemClock()),
            pressing(vehicle) as in_vehicle,
            pressing(station) as in_station,
        ):
            await in_vehicle.press("b4")
            await shows(in_vehicle, b4="steady")
            await shows(in_station, b4="steady")
            await in_station.press("b1")
            await shows(in_station, b1="steady")
            await shows(in_vehicle, b1="steady")

    asyncio.run(scenario())


def test_a_press_that_was_carried_into_a_new_stream_still_becomes_steady(
    shared_broker: RunningBroker, tmp_path: Path
) -> None:
    """Its sequence is another there: the lamp follows it, and does not wait for the old one for ever."""

    async def scenario() -> None:
        device = f"{DEVICE}-{shared_broker.kind}"
        config = write_device(tmp_path / "device", broker=shared_broker.url, device=device)
        async with (
            playing_cloud(shared_broker, "kfrs", device) as cloud,
            running_agent(config, SystemClock()),
            pressing(config) as panel,
        ):
            await cloud.first(Birth)
            for button in ("b1", "b2"):
                await panel.press(button)
                await shows(panel, **{button: "slow"})
                envelope = await cloud.envelope("status", len(cloud.envelopes("status")) + 1)
                if button == "b1":
                    await cloud.settle(settle_of(envelope))
            await cloud.settle(mint="superseded")
            await eventually(lambda: len(cloud.all(Birth)) == 2, what="the new stream")
            stream = cloud.all(Birth)[1].stream
            await eventually(lambda: cloud.envelopes("status")[-1].stream == stream, what="the press there")
            envelope = cloud.envelopes("status")[-1]
            event = codec.decode_event(bytes(envelope.events[0]))
            assert not isinstance(event, codec.Rejected) and (event.seq, len(envelope.events)) == (1, 1)
            await cloud.settle(settle_of(envelope))
            await cloud.say("state", codec.encode(shown("2", device, stream)))
            await shows(panel, b2="steady")

    asyncio.run(scenario())


def shown(code: str, device: str, stream: str) -> State:
    """Control's state: the unit's status is the first of a stream."""
    now = CloudClock().now()
    status = ShownStatus(
        unit=UNIT,
        scheme="uk-fire-gd92",
        code=code,
        label="",
        since=now,
        by="panel",
        device=device,
        stream=stream,
        seq=1,
    )
    return State(v=1, owner_term=TERM, version=1, valid_until=datetime(now.year + 1, 1, 1, tzinfo=UTC), units=[status])
