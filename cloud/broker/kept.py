"""The broker of this process: the user's own where one is named, else an embedded one that is kept alive."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from cloud.broker.embedded import EmbeddedBroker
from cloud.broker.nats import embedded_nats
from cloud.clock import Clock
from cloud.config import Settings
from cloud.errors import CloudError, Fatal

WATCH_S = 0.5
RETRY_S = 2.0

_log = structlog.get_logger("broker")


@contextlib.asynccontextmanager
async def broker_of(settings: Settings, clock: Clock) -> AsyncIterator[tuple[str, int]]:
    """Give the host and port of the broker to use, as long as the block lasts. Raises `Fatal`."""
    if settings.broker is not None:
        yield settings.broker.host, settings.broker.port
        return
    store = settings.data / "broker"
    broker = embedded_nats(store=store, clock=clock, port=settings.mqtt_port)
    try:
        await broker.start()
    except OSError as error:
        raise Fatal(
            f"the broker can't use {store}: {error.strerror}. Make it a folder that can be written to"
        ) from error
    try:
        async with asyncio.TaskGroup() as tasks:
            watch = tasks.create_task(_keep_alive(broker, clock))
            try:
                yield broker.host, broker.port
            finally:
                watch.cancel()
    finally:
        await broker.stop()


async def _keep_alive(broker: EmbeddedBroker, clock: Clock) -> None:
    """Start the embedded broker again where it has died, trying for as long as it takes; says so once."""
    failing = False
    while True:
        await clock.sleep(RETRY_S if failing else WATCH_S)
        if broker.pid is not None:
            continue
        if not failing:
            _log.error("broker_died", port=broker.port)
        try:
            await broker.stop()
            await broker.start()
            failing = False
        except (CloudError, OSError) as error:
            if not failing:
                _log.error("broker_not_started", cause=str(error))
            failing = True
