"""Watchroom itself conforms: a control room's own port, and the partners' port."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from cloud.app import App
from cloud.clock import SystemClock
from cloud.conformance import Subject, check_server
from tests.brokers import RunningBroker
from tests.cloud.api.partner.lab import CAR, COVERT, FIRE, TOKENS, agreement, sharing_site
from wire.findings import Finding, as_text, report_of

LISTEN_S = 2.5
PAUSE_S = 0.7


async def judged(subject: Subject) -> dict[str, Finding]:
    """Check a server from another thread, while this one runs it. Nothing may have failed."""
    report = report_of(await asyncio.to_thread(check_server, subject, SystemClock().monotonic))
    assert report.ok, as_text(report)
    return {finding.check: finding for finding in report.findings}


@contextlib.asynccontextmanager
async def changing(app: App, unit: str) -> AsyncIterator[None]:
    """Meanwhile control enters one status after the other for a unit."""

    async def say() -> None:
        async with httpx.AsyncClient(base_url=app.address) as client:
            for code in itertools.cycle("23"):
                answer = await client.post(f"v1/units/{unit}/status", json={"code": code, "by": "op 7"})
                assert 201 == answer.status_code, answer.text
                await SystemClock().sleep(PAUSE_S)

    task = asyncio.create_task(say())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def test_watchroom_conforms(tmp_path: Path, shared_mosquitto: RunningBroker) -> None:
    """The partners' port passes every check while units change, a covert unit's too; and so does its own port."""

    async def scenario() -> tuple[dict[str, Finding], dict[str, Finding]]:
        async with sharing_site(tmp_path, shared_mosquitto, agreement()) as app, changing(app, CAR):
            partners = Subject(url=app.partner_address, token=TOKENS[FIRE], hidden=(COVERT,), listen_s=LISTEN_S)
            return await asyncio.gather(judged(partners), judged(Subject(url=app.address, listen_s=LISTEN_S)))

    shared, own = asyncio.run(scenario())
    for check in ("units: hidden", "units: GeoJSON", "units: EIDO", "units: token", "feed: withheld fields"):
        assert "ok" == shared[check].level
    assert "it moved" == shared["units: ETag moves"].found
    assert "ok" == own["feed: changes apply"].level and "feed: withheld fields" not in own
