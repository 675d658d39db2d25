"""A connection by MQTT through the library: it says nothing of its own where our log is read."""

import asyncio
import io
import logging

from cloud.feeds.mqttclient import connected
from tests.brokers import RunningBroker

AT_ONCE = 40


def test_the_library_writes_nothing_into_our_log(shared_mosquitto: RunningBroker) -> None:
    """It would warn of each message that is on its way beside ten others: hundreds of lines a second, for ever."""

    async def scenario() -> None:
        async with connected(shared_mosquitto.host, shared_mosquitto.port) as client:
            await asyncio.gather(*(client.publish("t/x", b"1", qos=1) for _ in range(AT_ONCE)))

    log = logging.StreamHandler(io.StringIO())
    logging.getLogger().addHandler(log)
    try:
        asyncio.run(scenario())
    finally:
        logging.getLogger().removeHandler(log)
    assert "" == log.stream.getvalue()
