"""What goes wrong with sharing is told on /healthz and the boards, and no more once it is well."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from cloud.clock import SystemClock
from cloud.directory import InForce
from cloud.directory.build import build
from cloud.directory.rows import Directory
from cloud.directory.schemes import read_packaged
from cloud.feeds import CadLink, CadStreams
from cloud.feeds.views import Shown
from cloud.ledger import opening
from cloud.sharing.terms import Grants
from tests.brokers import RunningBroker
from tests.cloud.cad_lab import UNIT, cad_site, county_text
from tests.cloud.desk.sharing_lab import locked
from tests.cloud.ledger.samples import open_in
from tests.ports import free_port
from tests.waiting import eventually


def test_it_is_on_healthz(shared_mosquitto: RunningBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CAD's stream that can't be stored, while it can't; a record that was held back, from then on."""

    async def scenario() -> None:
        async with cad_site(tmp_path, shared_mosquitto) as app, httpx.AsyncClient(base_url=app.address) as room:
            assert app.site is not None
            site = app.site

            async def told(what: str) -> bool:
                return any(what in line for line in (await room.get("healthz")).json()["trouble"])

            assert not await told("told nothing") and not await told("held back")
            with locked(tmp_path / "data"):
                renamed = county_text().replace('"P12"', '"P77"')
                (tmp_path / "directory" / "county.toml").write_text(renamed, encoding="utf-8")
                await site.reloader.look_now()
                await eventually(lambda: site.cad.streams.failing, what="a commit that fails")
                assert await told("systems are told nothing")
            await eventually(lambda: not site.cad.streams.failing, what="a commit")
            assert not await told("systems are told nothing")
            now = site.moment()
            own = site.partners.views.record("kp", UNIT, now)
            assert own is not None
            assert () == site.partners.encode([Shown(own.record, Grants(fields=frozenset({"status"})))], now)
            assert await told("1 records were held back")

    monkeypatch.setitem(opening._SETTINGS, "busy_timeout", (50, 50))
    asyncio.run(scenario())


def test_a_cad_that_cannot_be_heard_is_told(tmp_path: Path) -> None:
    """Without a broker those that use MQTT are not heard, and that is trouble where there are any."""

    async def scenario(text: str, expected: int) -> None:
        directory = build({"county.toml": text}, read_packaged(), {})
        assert isinstance(directory, Directory)
        ledger = open_in(tmp_path)
        streams = CadStreams(InForce(directory), ledger, record_of=_nothing, outside_of=_nothing)
        assert [] == streams.trouble
        link = asyncio.ensure_future(CadLink(("127.0.0.1", free_port()), streams, _nothing, clock=SystemClock()).run())
        if expected:
            await eventually(lambda: streams.trouble, what="trouble")
        link.cancel()
        await asyncio.wait([link])
        assert expected == sum("heard over MQTT" in line for line in streams.trouble)
        ledger.close()

    asyncio.run(scenario(county_text(), 1))
    asyncio.run(scenario(county_text(cad="false"), 0))


def _nothing(*_: Any) -> Any:
    return None
