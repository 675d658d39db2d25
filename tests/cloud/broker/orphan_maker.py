"""Starts a broker, prints its process number and waits to be killed. Usage: orphan_maker.py STORE."""

import asyncio
import sys
from pathlib import Path

import structlog

from cloud.broker.nats import embedded_nats
from cloud.clock import SystemClock


async def main(store: Path) -> None:
    """Run the broker until this process ends."""
    async with embedded_nats(store=store, clock=SystemClock()) as running:
        print(running.pid, flush=True)
        await running.died()


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(main(Path(sys.argv[1])))
